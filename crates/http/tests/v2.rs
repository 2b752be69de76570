//! The V2 face, driven as a client drives it: bytes in, bytes out.
//!
//! Signatures are made and checked by an implementation of the tests' own (`v2/crypto.rs`), and
//! answers are read by a reader of their own (`v2/reply.rs`), so that nothing of the product
//! agrees with itself.

#[cfg(test)]
mod v2 {
    mod call;
    mod certificates;
    mod codes;
    mod crypto;
    mod doors;
    mod logs;
    mod platform;
    mod provider;
    mod queries;
    mod reply;
    mod sends;
    #[expect(dead_code, reason = "each face uses its own part")]
    #[path = "../pocket/servers.rs"]
    mod servers;
    mod signatures;
    mod tolerance;
    mod xml;
}
