//! Whose certificates are accepted.

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use rustc_hash::{FxHashMap, FxHashSet};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// What a server's certificate is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// The certificate authorities that Mozilla trusts.
    Mozilla,
    /// Those in a PEM file, or in all PEM files of a folder.
    Path(Arc<str>),
    /// These (DER), those in the folders, and Mozilla's too if it says so.
    Certificates { own: Arc<[Box<[u8]>]>, folders: Box<[Box<str>]>, and_mozilla: bool },
    /// Nothing: any certificate will do.
    Anybody,
}

type Verifiers = FxHashMap<(Trust, bool), Arc<dyn ServerCertVerifier>>;

/// One for each trust, though every user may have a certificate and so a configuration of his own: Mozilla's list is large.
static VERIFIERS: LazyLock<Mutex<Verifiers>> = LazyLock::new(Mutex::default);

pub fn verifier(trust: &Trust, checks_host_name: bool) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut verifiers = VERIFIERS.lock().expect("nothing panics while it holds the lock");
    let key = (trust.clone(), checks_host_name);
    if let Some(verifier) = verifiers.get(&key) {
        return Ok(Arc::clone(verifier));
    }
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Anybody => Arc::new(AcceptAny(Arc::new(ring::default_provider()))),
        _ => Arc::new(Checked::new(trust, checks_host_name)?),
    };
    verifiers.insert(key, Arc::clone(&verifier));
    Ok(verifier)
}

/// Checks certificates as OpenSSL does it for Python's clients, where that differs from webpki.
#[derive(Debug)]
struct Checked {
    /// `None`: nobody is trusted.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates trusted by name, for servers that show one of these themselves.
    own: FxHashSet<CertificateDer<'static>>,
    checks_host_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Checked {
    fn new(trust: &Trust, checks_host_name: bool) -> Result<Self, String> {
        let own = trust.own()?;
        let mut roots = RootCertStore::empty();
        if matches!(trust, Trust::Mozilla | Trust::Certificates { and_mozilla: true, .. }) {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots.add_parsable_certificates(own.iter().cloned());
        let provider = Arc::new(ring::default_provider());
        let webpki = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            Some(builder.build().map_err(|error| format!("the trusted certificates are unusable: {error}"))?)
        };
        Ok(Self { webpki, own, checks_host_name, provider })
    }

    /// What webpki's refusal comes to.
    fn reconsider(&self, error: Error, end_entity: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        match &error {
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) if !self.checks_host_name => Ok(()), // the name comes last: all else was in order
            // `openssl req -x509` makes an authority's certificate, and test servers show it as their own. Who trusts
            // this very certificate need not be told by whom it is signed. (Its dates were looked at before this.)
            Error::InvalidCertificate(CertificateError::Other(other))
                if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
                    && self.own.contains(end_entity) =>
            {
                if self.checks_host_name {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                }
                Ok(())
            }
            _ => Err(error),
        }
    }
}

impl Trust {
    /// The certificates that a user named.
    fn own(&self) -> Result<FxHashSet<CertificateDer<'static>>, String> {
        match self {
            Self::Mozilla | Self::Anybody => Ok(FxHashSet::default()),
            Self::Certificates { own, folders, .. } => {
                let mut all: FxHashSet<_> = own.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
                // As with OpenSSL, a folder that is not there is an empty one.
                all.extend(folders.iter().flat_map(|path| in_folder(path).unwrap_or_default()));
                Ok(all)
            }
            Self::Path(path) if Path::new(&**path).is_dir() => in_folder(path),
            Self::Path(path) => in_file(path),
        }
    }
}

fn in_file(path: &str) -> Result<FxHashSet<CertificateDer<'static>>, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot read the certificates in `{path}`: {error}");
    let text = fs::read(path).map_err(|error| unreadable(&error))?;
    let all: Result<FxHashSet<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let all = all.map_err(|error| unreadable(&error))?;
    if all.is_empty() { Err(format!("`{path}` holds no certificate in PEM form")) } else { Ok(all) }
}

/// OpenSSL looks into a folder when it needs a certificate, and finds those named by their hash (`c_rehash`). All are
/// read here; whatever else is in such a folder is none of our business.
fn in_folder(path: &str) -> Result<FxHashSet<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("cannot read the folder `{path}`: {error}");
    let mut all = FxHashSet::default();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !has_hashed_name(&entry.file_name().to_string_lossy()) {
            continue;
        }
        if let Ok(text) = fs::read(entry.path()) {
            all.extend(CertificateDer::pem_slice_iter(&text).flatten());
        }
    }
    Ok(all)
}

/// `5ad8a5d6.0`
fn has_hashed_name(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, number)| {
        hash.len() == 8
            && hash.bytes().all(|b| b.is_ascii_hexdigit())
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(webpki) = &self.webpki else { return Err(CertificateError::UnknownIssuer.into()) };
        match webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Ok(verified) => Ok(verified),
            Err(error) => self.reconsider(error, end_entity, server_name).map(|()| ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `verify=False`: only the handshake's signatures are checked, for without that there is no TLS.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    fn authority(names: &[&str]) -> CertifiedIssuer<'static, KeyPair> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn leaf(name: &str, issuer: &CertifiedIssuer<'static, KeyPair>) -> CertificateDer<'static> {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().clone()
    }

    fn trust_in(certificate: &CertificateDer<'_>) -> Trust {
        Trust::Certificates { own: [Box::from(certificate.as_ref())].into(), folders: [].into(), and_mozilla: false }
    }

    fn check(trust: &Trust, checks_host_name: bool, certificate: &CertificateDer<'_>, host: &str) -> Result<(), Error> {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let verifier = verifier(trust, checks_host_name).unwrap();
        verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now()).map(drop)
    }

    #[test]
    fn a_certificate_is_for_the_names_and_addresses_in_it() {
        let ca = authority(&[]);
        let trust = trust_in(ca.der());
        assert_eq!(check(&trust, true, &leaf("shop.test", &ca), "shop.test"), Ok(()));
        assert!(check(&trust, true, &leaf("shop.test", &ca), "other.test").is_err());
        assert_eq!(check(&trust, true, &leaf("127.0.0.1", &ca), "127.0.0.1"), Ok(()));
        assert_eq!(check(&trust, true, &leaf("::1", &ca), "::1"), Ok(()));
        assert!(check(&trust, true, &leaf("::1", &ca), "127.0.0.1").is_err());
    }

    #[test]
    fn without_a_check_of_the_name_the_signature_still_counts() {
        let (ca, stranger) = (authority(&[]), authority(&[]));
        let trust = trust_in(ca.der());
        assert_eq!(check(&trust, false, &leaf("shop.test", &ca), "other.test"), Ok(()));
        assert!(check(&trust, false, &leaf("shop.test", &stranger), "shop.test").is_err());
    }

    #[test]
    fn an_authority_that_is_trusted_by_name_may_serve() {
        let server = authority(&["shop.test"]);
        assert_eq!(check(&trust_in(server.der()), true, server.der(), "shop.test"), Ok(()));
        assert!(check(&trust_in(server.der()), true, server.der(), "other.test").is_err());
        assert_eq!(check(&trust_in(server.der()), false, server.der(), "other.test"), Ok(()));
        assert!(check(&trust_in(authority(&[]).der()), true, server.der(), "shop.test").is_err());
        assert!(check(&Trust::Mozilla, true, server.der(), "shop.test").is_err());
        assert_eq!(check(&Trust::Anybody, false, server.der(), "other.test"), Ok(()));
    }

    #[test]
    fn a_folder_gives_what_has_a_hashed_name() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<str> = folder.path().to_str().unwrap().into();
        let ca = authority(&[]);
        fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        fs::write(folder.path().join("README"), "certificates").unwrap();
        assert!(in_folder(&path).unwrap().is_empty());
        fs::write(folder.path().join("5ad8a5d6.0"), ca.pem()).unwrap();
        fs::write(folder.path().join("5ad8a5d6.1"), "garbage").unwrap();
        assert_eq!(check(&Trust::Path(path), true, &leaf("shop.test", &ca), "shop.test"), Ok(()));
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(in_file(path).unwrap_err(), format!("`{path}` holds no certificate in PEM form"));
        assert!(in_file("/no/such/file").unwrap_err().starts_with("cannot read the certificates in `/no/such/file`: "));
    }
}
