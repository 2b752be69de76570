//! Opaque cursors, bound to the list and to whose list it is (L-2).
//!
//! The binding keeps cursors from being mixed up. It is no secret: what a cursor can reach is
//! always limited by the query itself, which reads the caller's own rows only.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// Bytes of the binding: a mix-up passes once in 2^64.
const BINDING_BYTES: usize = 8;

/// A list, and whose.
#[derive(Clone, Debug)]
pub struct CursorScope(String);

impl CursorScope {
    /// The list named `list` of `owner`.
    pub fn new(list: &str, owner: impl std::fmt::Display) -> Self {
        Self(format!("hongbao/cursor/v1/{list}/{owner}"))
    }

    /// The cursor of `position`.
    pub fn write<const N: usize>(&self, position: [u64; N]) -> String {
        let position: Vec<u8> = position.into_iter().flat_map(u64::to_be_bytes).collect();
        URL_SAFE_NO_PAD.encode([self.binding(&position).as_slice(), &position].concat())
    }

    /// The position of `cursor`; `None` when it belongs to another list or is none.
    pub fn read<const N: usize>(&self, cursor: &str) -> Option<[u64; N]> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (binding, position) = bytes.split_first_chunk::<BINDING_BYTES>()?;
        if *binding != self.binding(position) {
            return None;
        }
        let (numbers, rest) = position.as_chunks::<8>();
        let numbers: Vec<u64> = numbers.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect();
        if rest.is_empty() { numbers.try_into().ok() } else { None }
    }

    fn binding(&self, position: &[u8]) -> [u8; BINDING_BYTES] {
        let digest = Sha256::new().chain_update(&self.0).chain_update(position).finalize();
        let mut binding = [0; BINDING_BYTES];
        binding.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        binding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_in_its_own_list_only() {
        let mine = CursorScope::new("messages", 7);
        let cursor = mine.write([3, u64::MAX, 1]);
        assert_eq!(mine.read(&cursor), Some([3, u64::MAX, 1]));
        assert_eq!(mine.read::<2>(&cursor), None);
        for other in [CursorScope::new("messages", 8), CursorScope::new("entries", 7)] {
            assert_eq!(other.read::<3>(&cursor), None);
        }
        for none in ["", "AAAA", "!!", "AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(mine.read::<1>(none), None, "{none}");
        }
    }
}
