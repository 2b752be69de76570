-- The yardstick of the PostgreSQL engine: the same claim and the same send as stored procedures,
-- one transaction each, over the same tables and the same rows, without hash chains. What many
-- wait for, the merchant's row, is taken last and so held shortest.

CREATE SEQUENCE bench_claim_turn;
CREATE SEQUENCE bench_send_turn;

-- Claims one packet after another of `packets` over `merchants`, in scattered order.
CREATE FUNCTION bench_claim(packets bigint, merchants bigint, first_merchant bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    place bigint := (nextval('bench_claim_turn') * 7368787) % packets;
    payer bigint := first_merchant + 1 + place % merchants;
    no bigint := place / merchants + 1;
    now_ms bigint := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
    today integer := ((now_ms + 28800000) / 86400000)::integer;
    opened record;
    purse wallet;
    used user_day;
    book merchant_book;
BEGIN
    SELECT receiver_id, total INTO STRICT opened
    FROM packet
    WHERE merchant_id = payer AND packet_no = no AND expire_at > now_ms;
    INSERT INTO packet_progress (
        merchant_id, packet_no, claimed, claimed_count, settled_at, version
    )
    VALUES (payer, no, opened.total, 1, now_ms, 2);
    INSERT INTO user_day AS known (merchant_id, user_id, version, day, fen, packet_count)
    VALUES (payer, opened.receiver_id, 1, today, opened.total, 1)
    ON CONFLICT (merchant_id, user_id) DO UPDATE
    SET version = known.version + 1, day = today,
        fen = CASE known.day WHEN today THEN known.fen ELSE 0 END + opened.total,
        packet_count = CASE known.day WHEN today THEN known.packet_count ELSE 0 END + 1
    RETURNING * INTO used;
    UPDATE wallet
    SET wallet_fen = wallet_fen + opened.total, wallet_seq = wallet_seq + 1
    WHERE user_id = opened.receiver_id AND frozen = 0
    RETURNING * INTO STRICT purse;
    UPDATE merchant_book
    SET version = version + 1, escrow_fen = escrow_fen - opened.total,
        escrow_seq = escrow_seq + 1, journal_seq = journal_seq + 1, journal_at = now_ms
    WHERE merchant_id = payer
    RETURNING * INTO STRICT book;
    INSERT INTO merchant_journal (
        merchant_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
        to_balance, user_id, packet_no, share_no, at, limit_version, limit_day, limit_used_fen,
        limit_used_count, limit_cap_fen, limit_cap_count, hash
    )
    VALUES (
        payer, book.journal_seq, 5, opened.total, 3, book.escrow_seq, book.escrow_fen, 4,
        purse.wallet_seq, purse.wallet_fen, opened.receiver_id, no, 1, now_ms, used.version, today,
        used.fen, used.packet_count, 200000000000, 4294967295, decode(repeat('00', 32), 'hex')
    );
    RETURN no;
END
$$;

-- Sends one packet of one merchant.
CREATE FUNCTION bench_send(payer bigint, users bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    no bigint := nextval('bench_send_turn');
    receiver bigint := (no * 7368787) % users + 1;
    now_ms bigint := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
    today integer := ((now_ms + 28800000) / 86400000)::integer;
    book merchant_book;
BEGIN
    INSERT INTO send_order (caller_id, bill_no, payer_id, packet_no)
    VALUES (payer, 'procedure' || no, payer, no);
    INSERT INTO packet (
        merchant_id, packet_no, caller_id, bill_no, created_at, kind, way, appid, openid, total,
        share_count, send_name, wishing, act_name, remark, client_ip, receiver_id, paid_from,
        funded_at, expire_at, secret, form
    )
    SELECT payer, no, payer, 'procedure' || no, now_ms, 1, 3, appid, openid, 100, 1, '天虹咖啡',
           '恭喜发财，大吉大利', '新年活动', 'bench', '192.0.2.10', receiver, 1, now_ms,
           now_ms + 86400000, decode(md5(no::text), 'hex'), 1
    FROM app_user
    WHERE user_id = receiver;
    UPDATE merchant_book
    SET version = version + 1, basic_fen = basic_fen - 100, basic_seq = basic_seq + 1,
        escrow_fen = escrow_fen + 100, escrow_seq = escrow_seq + 1,
        journal_seq = journal_seq + 1, journal_at = now_ms, day_version = day_version + 1,
        day = today, day_fen = CASE day WHEN today THEN day_fen ELSE 0 END + 100,
        last_packet = no
    WHERE merchant_id = payer AND basic_fen >= 100
    RETURNING * INTO STRICT book;
    INSERT INTO merchant_journal (
        merchant_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
        to_balance, packet_no, at, limit_version, limit_day, limit_used_fen, limit_used_count,
        limit_cap_fen, hash
    )
    VALUES (
        payer, book.journal_seq, 4, 100, 1, book.basic_seq, book.basic_fen, 3, book.escrow_seq,
        book.escrow_fen, no, now_ms, book.day_version, today, book.day_fen, 0, 200000000000,
        decode(repeat('00', 32), 'hex')
    );
    RETURN no;
END
$$;
