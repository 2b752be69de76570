//! Splitting a group packet: all shares are drawn when it is sent.
//!
//! Exact sum, every share inside its bounds, and every place equal in law, because the drawn
//! shares are shuffled before the first claim. The draw uses SHA-256 in counter mode, so that
//! anyone can recompute it in any language; `docs/guide/split.md` is the recipe with vectors.
//! At send only [`commitment`] is shown; when the packet closes, the seed is. A claim takes the
//! next share of the row: nothing is drawn on the claim path.
//!
//! What it proves: the shares were fixed when the packet was sent. What it cannot: that the
//! platform did not draw several seeds before it fixed one.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    ids::{Hex, PacketSecret},
    money::{Fen, MoneyOverflow},
};

/// The first bytes of a commitment: a new algorithm would get a new tag.
const TAG: &str = "hongbao/split/v1";

/// The seed of a split, shown when its packet closes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SplitSeed([u8; 32]);

impl SplitSeed {
    /// The seed of the packet with `secret`.
    pub fn of(secret: &PacketSecret) -> Self {
        Self(secret.derive("hongbao/split-seed/v1"))
    }
}

/// Lower-case hex.
impl fmt::Display for SplitSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for SplitSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SplitSeed(..)")
    }
}

/// What is split, and within which bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitTerms {
    /// The whole packet.
    pub total: Fen,
    /// Into how many shares.
    pub count: u32,
    /// No share is smaller.
    pub min: Fen,
    /// No share is larger.
    pub max: Fen,
}

impl SplitTerms {
    /// True when `count` shares within the bounds can add up to the total.
    pub fn possible(&self) -> bool {
        let least = self.min.times(self.count);
        let most = self.max.times(self.count);
        self.count > 0
            && self.min.is_positive()
            && matches!((least, most), (Ok(least), Ok(most)) if least <= self.total && self.total <= most)
    }
}

/// SHA-256 over tag, seed and terms, lower-case hex: shown when the packet is sent. The shares
/// are a function of seed and terms, so fixing these fixes them.
pub fn commitment(seed: &SplitSeed, terms: &SplitTerms) -> String {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(TAG)
        .chain_update(seed.0)
        .chain_update(terms.total.get().to_be_bytes())
        .chain_update(terms.count.to_be_bytes())
        .chain_update(terms.min.get().to_be_bytes())
        .chain_update(terms.max.get().to_be_bytes())
        .finalize()
        .into();
    Hex(&digest).to_string()
}

/// Draws the shares in claim order.
///
/// For each place in turn, uniformly between what the bounds allow so that the rest still fits,
/// at most twice the mean of the rest; the last place takes what is left. Then a Fisher–Yates
/// shuffle makes all places alike.
///
/// # Errors
/// [`MoneyOverflow`] when the terms are not [`SplitTerms::possible`].
pub fn draw(seed: &SplitSeed, terms: &SplitTerms) -> Result<Vec<Fen>, MoneyOverflow> {
    if !terms.possible() {
        return Err(MoneyOverflow);
    }
    let mut stream = Stream::new(seed);
    let mut rest = terms.total;
    let mut shares = Vec::new();
    for left in (1..=terms.count).rev() {
        let others = left.saturating_sub(1);
        let share = if others == 0 { rest } else { draw_one(&mut stream, terms, rest, left)? };
        rest = rest.minus(share)?;
        shares.push(share);
    }
    shuffle(&mut shares, &mut stream);
    Ok(shares)
}

/// One share of `rest` with `left` places to fill, this one included.
fn draw_one(
    stream: &mut Stream,
    terms: &SplitTerms,
    rest: Fen,
    left: u32,
) -> Result<Fen, MoneyOverflow> {
    let others = left.saturating_sub(1);
    let low = terms.min.max(rest.minus(terms.max.times(others)?)?);
    let fits = terms.max.min(rest.minus(terms.min.times(others)?)?);
    let mean = rest.get().checked_div(i64::from(left)).ok_or(MoneyOverflow)?;
    let twice_mean = Fen::new(mean).times(2)?.minus(terms.min)?;
    let high = fits.min(twice_mean).max(low);
    let span = high.minus(low)?.plus(Fen::new(1))?.get();
    let step = stream.below(u64::try_from(span).or(Err(MoneyOverflow))?);
    low.plus(Fen::new(i64::try_from(step).or(Err(MoneyOverflow))?))
}

fn shuffle(shares: &mut [Fen], stream: &mut Stream) {
    for last in (1..shares.len()).rev() {
        let bound = u64::try_from(last.saturating_add(1)).unwrap_or(u64::MAX);
        let pick = usize::try_from(stream.below(bound)).unwrap_or(last);
        shares.swap(last, pick);
    }
}

/// Words of SHA-256(seed ‖ counter), counter = 0, 1, 2, … as 8 big-endian bytes; of each digest
/// the first 8 bytes, big-endian.
struct Stream {
    seed: [u8; 32],
    counter: u64,
}

impl Stream {
    fn new(seed: &SplitSeed) -> Self {
        Self { seed: seed.0, counter: 0 }
    }

    fn word(&mut self) -> u64 {
        let digest = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.counter.to_be_bytes())
            .finalize();
        self.counter = self.counter.wrapping_add(1);
        digest.iter().take(8).fold(0, |word, &byte| (word << 8) | u64::from(byte))
    }

    /// A number below `bound`, every one as likely: words in the ragged last stretch are dropped.
    fn below(&mut self, bound: u64) -> u64 {
        let ragged = (u64::MAX.checked_rem(bound))
            .and_then(|rem| rem.checked_add(1).and_then(|next| next.checked_rem(bound)));
        let last_even = u64::MAX.saturating_sub(ragged.unwrap_or(0));
        loop {
            let word = self.word();
            if word <= last_even {
                return word.checked_rem(bound).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests;
