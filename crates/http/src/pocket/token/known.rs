//! Tokens that were found good lately: a phone shows the same one with every request, and a
//! signature by a public key takes longer to check than all else a request needs.
//!
//! A token is known by its SHA-256, so that no other is taken for it, and no token is kept. What
//! depends on the time is not remembered but asked again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::{Holder, verify::Validity};

/// Tokens remembered at most: at some 300 bytes a token 60 MiB.
const TOKENS_MAX: usize = 200_000;

/// What stands for a token here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

/// A token that is one of ours, at any time.
#[derive(Clone, Debug)]
pub(super) struct Good {
    pub(super) holder: Arc<Holder>,
    pub(super) validity: Validity,
}

/// The last half of [`TOKENS_MAX`] that were put here, and the half before.
#[derive(Debug, Default)]
pub(super) struct KnownTokens(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    newer: HashMap<TokenDigest, Good>,
    older: HashMap<TokenDigest, Good>,
}

impl KnownTokens {
    pub(super) fn get(&self, token: TokenDigest) -> Option<Good> {
        let halves = self.lock();
        halves.newer.get(&token).or_else(|| halves.older.get(&token)).cloned()
    }

    pub(super) fn put(&self, token: TokenDigest, good: Good) {
        // Outlives the lock: to drop so many takes longer than anybody should wait.
        let mut forgotten = HashMap::new();
        let mut halves = self.lock();
        if halves.newer.len() >= TOKENS_MAX / 2 {
            let newer = std::mem::take(&mut halves.newer);
            forgotten = std::mem::replace(&mut halves.older, newer);
        }
        halves.newer.insert(token, good);
        drop(halves);
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hongbao_app::ports::Person;

    use super::{Good, Holder, KnownTokens, TOKENS_MAX, TokenDigest, Validity};

    #[test]
    fn of_too_many_tokens_the_older_half_is_forgotten() {
        let person = Person { app: "wx1".parse().unwrap(), openid: "ann".parse().unwrap() };
        let holder = Arc::new(Holder { person, subject: "ann".to_owned() });
        let good = Good { holder, validity: Validity { from: None, until: 1 } };
        let token = |number: usize| TokenDigest::of(&number.to_string());
        let known = KnownTokens::default();
        for number in 0..TOKENS_MAX {
            known.put(token(number), good.clone());
        }
        assert!(known.get(token(0)).is_some() && known.get(token(TOKENS_MAX - 1)).is_some());
        known.put(token(TOKENS_MAX), good);
        let half = TOKENS_MAX / 2;
        let kept = [half - 1, half, TOKENS_MAX].map(|number| known.get(token(number)).is_some());
        assert_eq!(kept, [false, true, true]);
    }
}
