//! The certificate that a client shows, and its key: PEM in every form that Python's clients take.
//!
//! Never asks for a password: who must not wait for people cannot.

use std::fmt;
use std::fs;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate with its chain, and its key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    pub certificate: Pem,
    /// `None`: it stands beside the certificate.
    pub key: Option<Pem>,
    /// What an encrypted key is encrypted with.
    pub password: Option<Box<[u8]>>,
}

/// Where PEM text is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Pem {
    File(Arc<str>),
    /// Read already, from a file that had this name: it may be gone.
    Read {
        path: Arc<str>,
        text: Arc<[u8]>,
    },
}

impl Pem {
    fn text(&self) -> Result<Arc<[u8]>, String> {
        match self {
            Self::File(path) => {
                fs::read(&**path).map(Arc::from).map_err(|error| format!("cannot read `{path}`: {error}"))
            }
            Self::Read { text, .. } => Ok(Arc::clone(text)),
        }
    }
}

/// The name of the file, as messages have it.
impl fmt::Display for Pem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::File(path) | Self::Read { path, .. }) = self;
        write!(out, "`{path}`")
    }
}

/// Neither keys nor passwords belong into logs.
impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity({})", self.certificate)
    }
}

impl Identity {
    pub fn load(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let text = self.certificate.text()?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.map_err(|error| format!("cannot read the certificate in {}: {error}", self.certificate))?;
        if chain.is_empty() {
            return Err(format!("{} holds no certificate in PEM form", self.certificate));
        }
        let holder = self.key.as_ref().unwrap_or(&self.certificate);
        Ok((chain, self.key_in(holder)?))
    }

    fn key_in(&self, holder: &Pem) -> Result<PrivateKeyDer<'static>, String> {
        let text = holder.text()?;
        if let Some(encrypted) = section(&text, "ENCRYPTED PRIVATE KEY") {
            return self.decrypt(encrypted, holder);
        }
        if memchr::memmem::find(&text, b"Proc-Type: 4,ENCRYPTED").is_some() {
            return Err(format!(
                "the key in {holder} is encrypted in OpenSSL's old form, which is not supported: \
                 convert it with `openssl pkcs8 -topk8`"
            ));
        }
        match PrivateKeyDer::from_pem_slice(&text) {
            Ok(key) => Ok(key),
            Err(rustls::pki_types::pem::Error::NoItemsFound) => {
                Err(format!("{holder} holds no private key in PEM form"))
            }
            Err(error) => Err(format!("cannot read the private key in {holder}: {error}")),
        }
    }

    fn decrypt(&self, section: &[u8], holder: &Pem) -> Result<PrivateKeyDer<'static>, String> {
        let Some(password) = &self.password else {
            return Err(format!("the private key in {holder} is encrypted and no password was given"));
        };
        let unreadable = |error: &dyn fmt::Display| format!("cannot decrypt the private key in {holder}: {error}");
        let base64: Vec<u8> = section.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(base64).map_err(|error| unreadable(&error))?;
        let encrypted = EncryptedPrivateKeyInfoRef::try_from(&*der).map_err(|error| unreadable(&error))?;
        let key =
            encrypted.decrypt(password).map_err(|_| unreadable(&"the password is wrong, or its cipher unknown"))?;
        Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
    }
}

/// What stands between the lines that begin and end a section of PEM: base64.
fn section<'t>(text: &'t [u8], label: &str) -> Option<&'t [u8]> {
    let find = |text, line: String| memchr::memmem::find(text, line.as_bytes()).map(|at| (at, line.len()));
    let (begin, length) = find(text, format!("-----BEGIN {label}-----"))?;
    let rest = &text[begin + length..];
    let (end, _) = find(rest, format!("-----END {label}-----"))?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of P-256 with its certificate, made by OpenSSL 3; the encrypted one has the password `secret`.
    const CERTIFICATE: &str = include_str!("testdata/client.pem");
    const PKCS8: &str = include_str!("testdata/pkcs8.key");
    const SEC1: &str = include_str!("testdata/sec1.key");
    const PKCS1: &str = include_str!("testdata/pkcs1.key");
    const ENCRYPTED: &str = include_str!("testdata/encrypted.key");
    const ENCRYPTED_SEC1: &str = include_str!("testdata/encrypted-sec1.key");

    fn read(path: &str, text: &str) -> Pem {
        Pem::Read { path: path.into(), text: text.as_bytes().into() }
    }

    fn identity(key: &str, password: Option<&str>) -> Identity {
        Identity {
            certificate: read("client.pem", CERTIFICATE),
            key: Some(read("client.key", key)),
            password: password.map(|password| password.as_bytes().into()),
        }
    }

    fn refusal(key: &str, password: Option<&str>) -> String {
        identity(key, password).load().unwrap_err()
    }

    #[test]
    fn keys_come_in_every_form() {
        assert!(matches!(identity(PKCS8, None).load().unwrap().1, PrivateKeyDer::Pkcs8(_)));
        assert!(matches!(identity(SEC1, None).load().unwrap().1, PrivateKeyDer::Sec1(_)));
        assert!(matches!(identity(PKCS1, None).load().unwrap().1, PrivateKeyDer::Pkcs1(_)));
        let (_, plain) = identity(PKCS8, None).load().unwrap();
        let (chain, decrypted) = identity(ENCRYPTED, Some("secret")).load().unwrap();
        assert_eq!((chain.len(), decrypted), (1, plain));
    }

    #[test]
    fn one_file_may_hold_both() {
        let both =
            Identity { certificate: read("both.pem", &[CERTIFICATE, PKCS8].concat()), key: None, password: None };
        assert!(both.load().is_ok());
        let neither = Identity { certificate: read("client.pem", CERTIFICATE), key: None, password: None };
        assert_eq!(neither.load().unwrap_err(), "`client.pem` holds no private key in PEM form");
    }

    #[test]
    fn what_cannot_be_read_is_one_sentence() {
        let no_password = "the private key in `client.key` is encrypted and no password was given";
        assert_eq!(refusal(ENCRYPTED, None), no_password);
        assert!(refusal(ENCRYPTED, Some("wrong")).starts_with("cannot decrypt the private key in `client.key`: "));
        assert!(refusal(ENCRYPTED_SEC1, Some("secret")).contains("convert it with `openssl pkcs8 -topk8`"));
        assert_eq!(refusal("", None), "`client.key` holds no private key in PEM form");
        let missing = Identity { certificate: Pem::File("/no/such".into()), key: None, password: None };
        assert!(missing.load().unwrap_err().starts_with("cannot read `/no/such`: "));
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert_eq!(format!("{:?}", identity(PKCS8, Some("secret"))), "Identity(`client.pem`)");
    }
}
