//! The invariants of the books, over any store, after any case.

use std::collections::{BTreeMap, BTreeSet};

use hongbao_app::ports::{AuditSource, Message, Store};
use hongbao_domain::{
    Fen, MerchantId, PacketKey, UserId,
    ledger::{Account, AccountKind, Balance, JournalHead, JournalRow, Owner, TransferKind, chain},
    limit::DayUse,
    merchant::Merchant,
    packet::{GroupClaim, OrderState, Packet, PacketKind, PacketState},
    wallet::Wallet,
};

use crate::model::wallet_entries_of;

/// Rows a page: few, so that paging is part of every check.
const PAGE: u32 = 3;

/// Follows every merchant's journal to its head, as the job does.
pub async fn follow_all(store: &dyn Store) {
    loop {
        let cursors = store.unfollowed(None, PAGE).await.expect("cursors are read");
        if cursors.is_empty() {
            return;
        }
        for cursor in cursors {
            let owner = Owner::Merchant(cursor.merchant);
            let rows =
                store.journal_after(owner, cursor.followed, PAGE).await.expect("a journal is read");
            deliver(store, &rows).await;
            let newest = rows.last().expect("a head that is ahead has rows");
            let lines: Vec<_> = rows.iter().flat_map(wallet_entries_of).collect();
            store
                .follow(cursor.merchant, cursor.followed, newest.seq, &lines)
                .await
                .expect("a journal is followed");
        }
    }
}

/// Puts the messages of a merchant's sends into inboxes, as the job does before it follows them.
pub(super) async fn deliver(store: &dyn Store, rows: &[JournalRow]) {
    let sent: Vec<PacketKey> = rows.iter().filter_map(JournalRow::packet_sent).collect();
    let packets = store.packets(&sent).await.expect("packets are read");
    let messages: Vec<Message> = packets.iter().map(Message::of).collect();
    store.put_messages(&messages).await.expect("messages are put");
}

/// Checks everything that must hold of the books at any time: I-01 to I-10, I-14, I-16 to I-18.
pub async fn check_books(store: &dyn Store) {
    follow_all(store).await;
    let mut source = store.audit_source().await.expect("books are opened");
    let nothing: [String; 0] = [];
    assert_eq!(source.structure().await.expect("it is read"), nothing);
    assert_eq!(source.projections().await.expect("it is read"), []);
    let merchants = source.merchants().await.expect("merchants are read");
    let wallets = wallets(&mut *source).await;
    let mut ledger = Ledger::default();
    for merchant in &merchants {
        let owner = Owner::Merchant(merchant.id);
        ledger.read(&mut *source, owner, merchant.book.journal).await;
    }
    for wallet in &wallets {
        let owner = Owner::User(wallet.user);
        ledger.read(&mut *source, owner, wallet.journal).await;
    }
    for merchant in &merchants {
        ledger.agrees_with_merchant(merchant);
        check_packets(&mut *source, merchant).await;
        check_user_days(&mut *source, merchant, &ledger).await;
    }
    for wallet in &wallets {
        ledger.agrees_with_wallet(wallet);
    }
    ledger.sums_to_zero();
    check_histories(store, &wallets).await;
}

async fn wallets(source: &mut dyn AuditSource) -> Vec<Wallet> {
    let mut all: Vec<Wallet> = Vec::new();
    loop {
        let after = all.last().map_or(UserId::new(0), |wallet| wallet.user);
        let page = source.wallets(after, PAGE).await.expect("wallets are read");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// What the journals add up to.
#[derive(Default)]
struct Ledger {
    /// Every entry's running balance by its number.
    entries: BTreeMap<Account, BTreeMap<u64, (i64, Fen)>>,
    merchant_days: BTreeMap<MerchantId, DayUse>,
    user_days: BTreeMap<(MerchantId, UserId), BTreeMap<u64, DayUse>>,
}

impl Ledger {
    async fn read(&mut self, source: &mut dyn AuditSource, owner: Owner, head: JournalHead) {
        let mut last = JournalHead::default();
        loop {
            let page = source.journal(owner, last.seq, PAGE).await;
            let page = page.expect("a journal is read");
            if page.is_empty() {
                break;
            }
            for row in page {
                assert_eq!(row.transfer.journal, owner);
                assert_eq!(row.seq, last.seq + 1, "a journal of {owner} has a gap");
                let hash = chain::expected(last.hash, &row);
                assert_eq!(row.hash, hash, "the chain of {owner} breaks at {}", row.seq);
                assert!(row.transfer.at >= last.at, "time goes back in {owner}");
                last = JournalHead { seq: row.seq, hash, at: row.transfer.at };
                self.take(&row);
            }
        }
        assert_eq!(last, head, "the head of {owner} is not its newest row");
    }

    fn take(&mut self, row: &JournalRow) {
        let amount = row.transfer.amount;
        assert!(amount.is_positive(), "a transfer moves nothing: {row:?}");
        self.post(row.transfer.from, row.from_after, -amount.get());
        self.post(row.transfer.to, row.to_after, amount.get());
        let Some(limit) = &row.transfer.limit else {
            return;
        };
        assert!(limit.used_fen <= limit.cap_fen, "above the cap: {row:?}");
        assert!(limit.cap_count.is_none_or(|cap| limit.used_count <= cap));
        assert_eq!(limit.day, row.transfer.at.day(), "another day's limit");
        let now = DayUse {
            version: limit.version,
            day: limit.day,
            fen: limit.used_fen,
            count: limit.used_count,
        };
        let Owner::Merchant(merchant) = row.transfer.journal else {
            panic!("a user's journal uses no limit: {row:?}");
        };
        match (row.transfer.kind, row.transfer.to.owner) {
            (TransferKind::Send, _) => {
                let before = self.merchant_days.insert(merchant, now);
                let before = before.unwrap_or_default().on(limit.day);
                assert_eq!(before.with(amount), Ok(now), "{row:?}");
            }
            (TransferKind::Claim, Owner::User(user)) => {
                let days = self.user_days.entry((merchant, user)).or_default();
                let before = days.last_key_value().map(|(_, day)| *day);
                let before = before.unwrap_or_default().on(limit.day);
                assert_eq!(before.with(amount), Ok(now), "{row:?}");
                days.insert(now.version, now);
            }
            _ => panic!("only sends and claims use a limit: {row:?}"),
        }
    }

    fn post(&mut self, account: Account, after: Balance, delta: i64) {
        let entries = self.entries.entry(account).or_default();
        let twice = entries.insert(after.seq, (delta, after.amount));
        assert_eq!(twice, None, "{account} has entry {} twice", after.seq);
    }

    /// Entries of an account are 1, 2, 3, … and each balance is the one before plus the entry.
    fn balance(&self, account: Account) -> Balance {
        let mut balance = Balance::default();
        for (seq, (delta, after)) in self.entries.get(&account).into_iter().flatten() {
            balance = balance.posted(Fen::new(*delta)).expect("balances stay in range");
            assert_eq!((balance.seq, balance.amount), (*seq, *after), "{account}");
            let outside = account.kind == AccountKind::External;
            assert!(outside || after.get() >= 0, "{account} went below zero");
        }
        balance
    }

    fn agrees_with_merchant(&self, merchant: &Merchant) {
        let Merchant { id, book, .. } = merchant;
        for kind in AccountKind::ALL {
            let summed = self.balance(Account::merchant(*id, kind));
            let held = book.account(kind).copied().unwrap_or_default();
            assert_eq!(held, summed, "{kind:?} of {id}");
        }
        let day = self.merchant_days.get(id).copied().unwrap_or_default();
        assert_eq!(book.day, day, "the day of {id}");
    }

    fn agrees_with_wallet(&self, wallet: &Wallet) {
        let account = |kind| self.balance(Account::user(wallet.user, kind));
        assert_eq!(wallet.wallet, account(AccountKind::Wallet));
        assert_eq!(wallet.external, account(AccountKind::External));
    }

    fn sums_to_zero(&self) {
        let newest = self.entries.keys().map(|account| self.balance(*account));
        let sum = Fen::sum(newest.map(|balance| balance.amount));
        assert_eq!(sum, Ok(Fen::ZERO), "money came from nowhere");
    }
}

/// A user's history runs 1, 2, 3, … up to the wallet and adds up to it.
async fn check_histories(store: &dyn Store, wallets: &[Wallet]) {
    for wallet in wallets {
        let mut before = wallet.wallet.seq + 1;
        let mut balance = wallet.wallet.amount;
        while before > 1 {
            let page = store.wallet_entries(wallet.user, before, PAGE).await;
            let page = page.expect("a history is read");
            assert!(!page.is_empty(), "a history misses line {}", before - 1);
            for line in page {
                assert_eq!((line.seq, line.user), (before - 1, wallet.user));
                assert_eq!(line.balance_after, balance);
                balance = balance.minus(line.delta).expect("balances stay in range");
                before = line.seq;
            }
        }
        assert_eq!(balance, Fen::ZERO, "a history does not start from nothing");
    }
}

async fn check_packets(source: &mut dyn AuditSource, merchant: &Merchant) {
    let claims = group_claims(source, merchant.id).await;
    let mut packets: Vec<Packet> = Vec::new();
    loop {
        let after = packets.last().map_or(0, |packet| packet.key.no.get());
        let page = source.packets(merchant.id, after, PAGE).await;
        let page = page.expect("packets are read");
        if page.is_empty() {
            break;
        }
        packets.extend(page);
    }
    let escrow = packets.iter().map(|packet| packet.escrow().expect("in range"));
    assert_eq!(Ok(merchant.book.escrow.amount), Fen::sum(escrow));
    for packet in &packets {
        assert!(packet.key.no.get() <= merchant.book.last_packet);
        check_packet(packet, &claims);
    }
    let keys: BTreeSet<PacketKey> = packets.iter().map(|packet| packet.key).collect();
    for (key, _) in &claims {
        assert!(keys.contains(key), "a claim of a packet that is not there");
    }
    check_orders(source, merchant.id, &keys).await;
}

fn check_packet(packet: &Packet, claims: &[(PacketKey, GroupClaim)]) {
    assert!(packet.claimed <= packet.total, "overspent: {packet:?}");
    assert!(packet.claimed_count <= packet.share_count);
    let settled = matches!(packet.state, PacketState::Claimed { .. });
    assert_eq!(settled, packet.claimed_count == packet.share_count);
    if let PacketState::Refunded { at } = packet.state {
        assert!(at >= packet.expire_at, "refunded too early: {packet:?}");
    }
    if packet.kind == PacketKind::Normal {
        assert_eq!((packet.share_count, packet.shares.len()), (1, 0));
        return;
    }
    assert_eq!(Fen::sum(packet.shares.iter().copied()), Ok(packet.total));
    assert_eq!(Ok(packet.shares.len()), usize::try_from(packet.share_count));
    let own: Vec<&GroupClaim> =
        claims.iter().filter(|(key, _)| *key == packet.key).map(|(_, claim)| claim).collect();
    let users: BTreeSet<UserId> = own.iter().map(|claim| claim.user).collect();
    assert_eq!(users.len(), own.len(), "a user claimed twice: {packet:?}");
    assert_eq!(Ok(own.len()), usize::try_from(packet.claimed_count));
    assert_eq!(Fen::sum(own.iter().map(|claim| claim.amount)), Ok(packet.claimed));
    for ((place, claim), share) in (1..).zip(&own).zip(&packet.shares) {
        assert_eq!((claim.share_no, claim.amount), (place, *share));
        assert!(claim.at < packet.expire_at, "claimed too late: {packet:?}");
    }
}

async fn group_claims(
    source: &mut dyn AuditSource,
    merchant: MerchantId,
) -> Vec<(PacketKey, GroupClaim)> {
    let mut all: Vec<(PacketKey, GroupClaim)> = Vec::new();
    loop {
        let after = all.last();
        let after = after.map_or((0, 0), |(key, claim)| (key.no.get(), claim.share_no));
        let page = source.group_claims(merchant, after, PAGE).await;
        let page = page.expect("claims are read");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Every funded order of the caller's own money has its packet, and no refused one has.
async fn check_orders(
    source: &mut dyn AuditSource,
    caller: MerchantId,
    packets: &BTreeSet<PacketKey>,
) {
    let mut after = String::new();
    loop {
        let page = source.orders(caller, &after, PAGE).await;
        let page = page.expect("orders are read");
        let Some((newest, _)) = page.last() else {
            return;
        };
        newest.bill_no.as_str().clone_into(&mut after);
        for (key, order) in page {
            let funded = matches!(order.state, OrderState::Funded { .. });
            let own = order.packet.merchant == caller;
            assert_eq!(key.caller, caller);
            assert!(!own || funded == packets.contains(&order.packet), "{order:?}");
        }
    }
}

async fn check_user_days(source: &mut dyn AuditSource, merchant: &Merchant, ledger: &Ledger) {
    let mut held: BTreeMap<(MerchantId, UserId), DayUse> = BTreeMap::new();
    loop {
        let after = held.last_key_value().map(|((_, user), _)| *user);
        let after = after.unwrap_or(UserId::new(0));
        let page = source.user_days(merchant.id, after, PAGE).await;
        let page = page.expect("limits are read");
        if page.is_empty() {
            break;
        }
        let page = page.into_iter();
        held.extend(page.map(|(user, day)| ((merchant.id, user), day)));
    }
    let booked: BTreeMap<(MerchantId, UserId), DayUse> = ledger
        .user_days
        .iter()
        .filter(|((at, _), _)| *at == merchant.id)
        .filter_map(|(key, days)| Some((*key, *days.last_key_value()?.1)))
        .collect();
    assert_eq!(held, booked, "limits of users at {}", merchant.id);
}
