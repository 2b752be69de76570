//! MD5, HMAC-SHA256 and the canonical string once more, from their descriptions.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// Algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Hmac,
}

/// The signature over all fields but `sign` and those named in `unsigned`.
pub(super) fn signature(
    fields: &BTreeMap<String, String>,
    unsigned: &[&str],
    key: &str,
    algorithm: Algorithm,
) -> String {
    let signed = fields.iter().filter(|(name, value)| {
        *name != "sign" && !value.is_empty() && !unsigned.contains(&name.as_str())
    });
    let mut parts: Vec<_> = signed.map(|(name, value)| format!("{name}={value}")).collect();
    parts.push(format!("key={key}"));
    let base = parts.join("&");
    match algorithm {
        Algorithm::Md5 => upper_hex(&md5(base.as_bytes())),
        Algorithm::Hmac => upper_hex(&hmac_sha256(key.as_bytes(), base.as_bytes())),
    }
}

fn upper_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

/// RFC 2104 for keys of at most one block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// RFC 1321.
fn md5(message: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] =
        [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if message.len() % 64 >= 56 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(message.len() as u64 * 8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        let words: Vec<u32> =
            block.chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for (i, turn) in (0..64_usize).zip(1_u32..) {
            let (mix, word) = match i / 16 {
                0 => ((b & c) | (!b & d), i),
                1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), (7 * i) % 16),
            };
            let sum = a.wrapping_add(mix).wrapping_add(sine(turn)).wrapping_add(words[word]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[i / 16][i % 4]));
        }
        for (kept, new) in state.iter_mut().zip([a, b, c, d]) {
            *kept = kept.wrapping_add(new);
        }
    }
    let mut digest = [0; 16];
    for (to, word) in digest.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// The first 32 bits of the sine's fraction, which is where RFC 1321 takes its constants from.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "below 2^32 and above zero by its making"
)]
fn sine(turn: u32) -> u32 {
    (f64::from(turn).sin().abs() * 4_294_967_296.0) as u32
}

#[test]
fn the_tests_own_signatures_agree_with_the_documents_vector() {
    let fields = [
        ("appid", "wxd930ea5d5a258f4f"),
        ("body", "test"),
        ("device_info", "1000"),
        ("mch_id", "10000100"),
        ("nonce_str", "ibuaiVcKdpRxkhJA"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let sign = |algorithm| signature(&fields, &[], "192006250b4c09247ec02edce69f6a2d", algorithm);
    assert_eq!(sign(Algorithm::Md5), "9A0A8659F005D6984697E2CA0A9CF3B7");
    assert_eq!(
        sign(Algorithm::Hmac),
        "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
    );
}
