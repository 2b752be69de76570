//! Random bytes that come again with the same seed.

use std::sync::atomic::{AtomicU64, Ordering};

use hongbao_app::ports::Rng;
use sha2::{Digest as _, Sha256};

/// SHA-256 in counter mode over a seed. Every 32 bytes take one count, so that threads that share
/// it never see the same block.
#[derive(Debug)]
pub struct SeededRng {
    seed: u64,
    counter: AtomicU64,
}

impl SeededRng {
    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(count.to_be_bytes())
                .finalize();
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
    }
}

#[cfg(test)]
mod tests {
    use hongbao_app::ports::random_bytes;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        let (one, again, other) = (SeededRng::new(1), SeededRng::new(1), SeededRng::new(2));
        let first: [u8; 48] = random_bytes(&one);
        assert_eq!(first, random_bytes(&again));
        assert_ne!(first, random_bytes(&other));
        assert_ne!(first, random_bytes(&one));
    }
}
