//! The key that a cluster shares.

/// Fewer characters are no key: they could be guessed from one recorded handshake.
const FEWEST: usize = 16;

/// What every node of a cluster knows and nobody else.
#[derive(Clone)]
pub struct Key([u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cluster key needs at least {FEWEST} characters; `openssl rand -hex 32` makes a good one")]
pub struct WeakKey;

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}
