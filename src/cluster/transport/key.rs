//! The key that a cluster shares, and what it does: whoever has it may connect, and nobody else can read, change or
//! replay what is said.
//!
//! The two sides agree on keys for one connection (X25519 with a fresh pair each), prove with the shared key that nobody
//! stands between them, the worker first, and encrypt everything after that (ChaCha20-Poly1305, a counter in each
//! direction). What was recorded on one connection is worth nothing on another, and stays secret when the shared key
//! becomes known later. ZMTP's own CURVE would prove the same with a pair of keys for each side, of which nobody here
//! wants to keep four.

use std::fmt;
use std::num::NonZeroU32;

use bytes::{BufMut, Bytes, BytesMut};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;
use ring::{hkdf, hmac, pbkdf2};

use super::wire::Violation;

/// Fewer characters are no key: they could be guessed from one recorded handshake.
const FEWEST: usize = 16;
/// Each guess of a key costs so many rounds, some tens of milliseconds; so does each start of a node.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).unwrap();
/// Keys that clusters share are not passwords of many users: one salt separates them from other programs' uses.
const SALT: &[u8] = b"gregaria cluster key, version 1";

const PUBLIC: usize = 32;

/// What every node of a cluster knows and nobody else.
#[derive(Clone)]
pub struct Key([u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cluster key has at least {FEWEST} characters; `openssl rand -hex 32` makes a good one")]
pub struct WeakKey;

impl Key {
    /// The key that an option or a variable gives. An empty one is none: compose files and charts pass variables
    /// through, set or not.
    pub fn given(text: &str) -> Result<Option<Self>, WeakKey> {
        Self::check(text)?;
        let derive = |text: &str| {
            let mut key = [0; 32];
            pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, SALT, text.as_bytes(), &mut key);
            Self(key)
        };
        Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(derive))
    }

    /// Whether [`given`](Self::given) takes a text, without the work.
    pub fn check(text: &str) -> Result<(), WeakKey> {
        match text.trim().chars().count() {
            1..FEWEST => Err(WeakKey),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// One side of a handshake.
pub(super) struct Handshake {
    secret: EphemeralPrivateKey,
    public: [u8; PUBLIC],
}

impl Handshake {
    pub(super) fn begin() -> Result<Self, Violation> {
        let secret = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).map_err(|_| Violation::Forged)?;
        let public = secret.compute_public_key().map_err(|_| Violation::Forged)?;
        let public = public.as_ref().try_into().map_err(|_| Violation::Forged)?;
        Ok(Self { secret, public })
    }

    /// The master's first words: what the worker's proof will be about.
    pub(super) fn hello(&self) -> Bytes {
        Bytes::copy_from_slice(&self.public)
    }

    /// The worker's answer to them, with its proof, and what it will check the master's with.
    pub(super) fn answer(self, key: &Key, hello: &[u8]) -> Result<(Bytes, Agreed), Violation> {
        let theirs: [u8; PUBLIC] = hello.try_into().map_err(|_| Violation::OutOfPlace)?;
        let mut answer = BytesMut::from(&self.public[..]);
        let ours = self.public;
        let agreed = self.agree(key, &theirs, theirs, ours)?;
        answer.put_slice(agreed.proof(b"worker").as_ref());
        Ok((answer.freeze(), agreed))
    }

    /// Check the worker's answer; `Forged` says that its key is another one. The bytes are the master's own proof.
    pub(super) fn check(self, key: &Key, answer: &[u8]) -> Result<(Bytes, Agreed), Violation> {
        let (theirs, proof) = answer.split_first_chunk::<PUBLIC>().ok_or(Violation::OutOfPlace)?;
        let ours = self.public;
        let agreed = self.agree(key, theirs, ours, *theirs)?;
        agreed.verify(b"worker", proof)?;
        Ok((Bytes::copy_from_slice(agreed.proof(b"master").as_ref()), agreed))
    }

    fn agree(self, key: &Key, theirs: &[u8], masters: [u8; 32], workers: [u8; 32]) -> Result<Agreed, Violation> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &key.0);
        let theirs = UnparsedPublicKey::new(&X25519, theirs);
        let secret =
            agree_ephemeral(self.secret, &theirs, |shared| salt.extract(shared)).map_err(|_| Violation::Forged)?;
        Ok(Agreed { secret, transcript: [masters, workers].concat() })
    }
}

/// What both sides know once they have seen each other's public keys, and nobody without the shared key.
pub(super) struct Agreed {
    secret: hkdf::Prk,
    transcript: Vec<u8>,
}

impl Agreed {
    fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let mut key = [0; 32];
        let info = [purpose, &self.transcript];
        let expanded = self.secret.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
        expanded.expect("32 bytes are what this function gives");
        key
    }

    fn prover(&self, of: &[u8]) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.derive(&[b"proof of the ", of].concat()))
    }

    fn proof(&self, of: &[u8]) -> hmac::Tag {
        hmac::sign(&self.prover(of), &self.transcript)
    }

    /// In constant time, so that nobody can approach the right proof byte by byte.
    fn verify(&self, of: &[u8], proof: &[u8]) -> Result<(), Violation> {
        hmac::verify(&self.prover(of), &self.transcript, proof).map_err(|_| Violation::Forged)
    }

    /// The worker's last step: check the master's proof.
    pub(super) fn finish(&self, proof: &[u8]) -> Result<(), Violation> {
        self.verify(b"master", proof)
    }

    /// What seals what this side sends and opens what it receives.
    pub(super) fn ciphers(&self, is_master: bool) -> (Sealing, Opening) {
        let to_worker = self.derive(b"to the worker");
        let to_master = self.derive(b"to the master");
        let (out, back) = if is_master { (to_worker, to_master) } else { (to_master, to_worker) };
        (Sealing(Cipher::new(&out)), Opening(Cipher::new(&back)))
    }
}

struct Cipher {
    key: LessSafeKey,
    /// Of the next frame. Both sides count, so a frame that is missing, doubled or moved does not open.
    counter: u64,
}

impl Cipher {
    fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of 32 bytes is what this cipher takes");
        Self { key: LessSafeKey::new(key), counter: 0 }
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 8..].copy_from_slice(&self.counter.to_be_bytes());
        self.counter += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// How many bytes a sealed frame is longer than what is in it: its kind, and the tag.
pub(super) const SEAL: usize = 1 + 16;

pub(super) struct Sealing(Cipher);

impl Sealing {
    /// Put a frame's kind and body, sealed, behind what is to be sent.
    pub(super) fn seal(&mut self, out: &mut BytesMut, flags: u8, body: &[u8]) {
        let start = out.len();
        out.put_u8(flags);
        out.put_slice(body);
        let nonce = self.0.nonce();
        let tag = self.0.key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut out[start..]);
        out.put_slice(tag.expect("a frame shorter than 256 gigabytes").as_ref());
    }
}

pub(super) struct Opening(Cipher);

impl Opening {
    /// A frame's kind and body. `Forged`: it is not the next frame that the other side sealed.
    pub(super) fn open(&mut self, mut body: BytesMut) -> Result<(u8, BytesMut), Violation> {
        let nonce = self.0.nonce();
        let length = self.0.key.open_in_place(nonce, Aad::empty(), &mut body).map_err(|_| Violation::Forged)?.len();
        body.truncate(length);
        if body.is_empty() {
            return Err(Violation::OutOfPlace);
        }
        let rest = body.split_off(1);
        Ok((body[0], rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::given(text).unwrap().unwrap()
    }

    fn sides(master: &Key, worker: &Key) -> Result<(Agreed, Agreed), Violation> {
        let (masters, workers) = (Handshake::begin()?, Handshake::begin()?);
        let (answer, worker_knows) = workers.answer(worker, &masters.hello())?;
        let (proof, master_knows) = masters.check(master, &answer)?;
        worker_knows.finish(&proof)?;
        Ok((master_knows, worker_knows))
    }

    #[test]
    fn a_key_has_some_length_or_is_none() {
        assert!(Key::given("").unwrap().is_none() && Key::given("  ").unwrap().is_none());
        assert_eq!(Key::given("short").unwrap_err(), WeakKey);
        assert_eq!(format!("{:?}", key("sixteen letters!")), "Key(..)");
    }

    #[test]
    fn only_the_same_key_agrees() {
        let (right, wrong) = (key("0123456789abcdef"), key("0123456789abcdeF"));
        assert!(sides(&right, &right).is_ok());
        assert_eq!(sides(&right, &wrong).err(), Some(Violation::Forged));
    }

    #[test]
    fn frames_open_once_in_their_order_and_on_their_own_connection() {
        let key = key("0123456789abcdef");
        let (master, worker) = sides(&key, &key).unwrap();
        let (mut seal, mut open) = (master.ciphers(true).0, worker.ciphers(false).1);
        let mut sealed = |body: &[u8]| {
            let mut out = BytesMut::new();
            seal.seal(&mut out, 4, body);
            out
        };
        let (first, second) = (sealed(b"first"), sealed(b"second"));
        assert_eq!(first.len(), 5 + SEAL);
        assert_eq!(open.open(first.clone()).unwrap(), (4, BytesMut::from(&b"first"[..])));
        assert_eq!(open.open(first.clone()), Err(Violation::Forged), "a replay");
        let (_, mut other) = sides(&key, &key).unwrap().1.ciphers(false);
        assert_eq!(other.open(first), Err(Violation::Forged), "a recording of another connection");
        let (_, mut back) = master.ciphers(true);
        assert_eq!(back.open(second), Err(Violation::Forged), "sent back to its sender");
    }
}
