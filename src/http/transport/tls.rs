//! TLS configurations, one for each set of options and shared by every connection that uses it.

use std::sync::{Arc, LazyLock, Mutex};

use rustc_hash::FxHashMap;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// What a server's certificate is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tls {
    /// The certificate authorities that Mozilla trusts.
    Trusted,
    /// Those in a PEM file.
    File(Arc<str>),
    /// Nothing: any certificate will do.
    Unchecked,
}

static CONFIGS: LazyLock<Mutex<FxHashMap<Tls, Arc<ClientConfig>>>> = LazyLock::new(Mutex::default);

impl Tls {
    /// The shared configuration; made when first asked for.
    ///
    /// # Errors
    /// The PEM file cannot be read or holds no certificate: one sentence.
    pub fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let mut configs = CONFIGS.lock().expect("nothing panics while it holds the lock");
        if let Some(config) = configs.get(self) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.build()?);
        configs.insert(self.clone(), Arc::clone(&config));
        Ok(config)
    }

    fn build(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let mut config = match self {
            Self::Unchecked => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
                .with_no_client_auth(),
            Self::Trusted => {
                let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            Self::File(path) => builder.with_root_certificates(roots_in(path)?).with_no_client_auth(),
        };
        // Python's clients resume nothing across connections: a resumed handshake would make the server look faster.
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

fn roots_in(path: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| format!("cannot read `{path}`: {error}"))?;
        roots.add(certificate).map_err(|error| format!("a certificate in `{path}` is unusable: {error}"))?;
    }
    if roots.is_empty() { Err(format!("`{path}` holds no certificate")) } else { Ok(roots) }
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
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
