//! How connections are secured: whom to trust, whom to be, which versions. One configuration for each set of options,
//! shared by every connection that uses it.

mod identity;
mod trust;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use rustc_hash::FxHashSet;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, KeyLogFile, SupportedProtocolVersion};

pub use identity::{Identity, Pem};
pub use trust::Trust;

/// What a user can choose about TLS.
#[allow(clippy::struct_excessive_bools)] // four independent switches
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    pub trust: Trust,
    /// Whether a trusted certificate must also be for the host that was asked for.
    pub checks_host_name: bool,
    /// The certificate to show to a server that asks for one.
    pub identity: Option<Identity>,
    pub tls12: bool,
    pub tls13: bool,
    /// The numbers of the cipher suites that may be used; `None`: all there are.
    pub cipher_suites: Option<Box<[u16]>>,
    /// Write the secrets of connections to the file that `SSLKEYLOGFILE` names.
    pub logs_keys: bool,
}

impl Options {
    pub fn new(trust: Trust) -> Self {
        Self {
            checks_host_name: trust != Trust::Anybody,
            trust,
            identity: None,
            tls12: true,
            tls13: true,
            cipher_suites: None,
            logs_keys: false,
        }
    }
}

/// A file that a user named and that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    Authorities(Arc<str>),
    Certificate(Arc<str>),
    Key(Arc<str>),
}

/// A set of options, and the configuration made from it when first asked for. There is one for each set of options in a
/// process, so that comparing two is comparing pointers, and a thousand users share what is large in it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    options: Options,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

static ALL: LazyLock<Mutex<FxHashSet<ByOptions>>> = LazyLock::new(Mutex::default);

impl Tls {
    pub fn new(options: Options) -> Self {
        let mut all = ALL.lock().expect("nothing panics while it holds the lock");
        let new = ByOptions(Self(Arc::new(Shared { options, config: OnceLock::new() })));
        if let Some(known) = all.get(&new) {
            return known.0.clone();
        }
        let tls = new.0.clone();
        all.insert(new);
        tls
    }

    /// Certificates are checked against the authorities that Mozilla trusts.
    pub fn trusted() -> Self {
        static TRUSTED: LazyLock<Tls> = LazyLock::new(|| Tls::new(Options::new(Trust::Mozilla)));
        TRUSTED.clone()
    }

    /// Any certificate will do.
    pub fn unchecked() -> Self {
        static UNCHECKED: LazyLock<Tls> = LazyLock::new(|| Tls::new(Options::new(Trust::Anybody)));
        UNCHECKED.clone()
    }

    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// A file that is needed and not there, unless all have been read already.
    pub fn missing_file(&self) -> Option<Missing> {
        if matches!(self.0.config.get(), Some(Ok(_))) {
            return None;
        }
        let gone = |path: &Arc<str>| (!Path::new(&**path).exists()).then(|| Arc::clone(path));
        if let Trust::Path(path) = &self.0.options.trust
            && let Some(path) = gone(path)
        {
            return Some(Missing::Authorities(path));
        }
        let identity = self.0.options.identity.as_ref()?;
        let file = |pem: &Pem| if let Pem::File(path) = pem { gone(path) } else { None };
        file(&identity.certificate)
            .map(Missing::Certificate)
            .or_else(|| identity.key.as_ref().and_then(file).map(Missing::Key))
    }

    /// The shared configuration. Files are read when it is first asked for, and not again.
    ///
    /// # Errors
    /// A file cannot be read or is not what it should be: one sentence.
    pub fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.0.config.get_or_init(|| self.0.options.build().map(Arc::new)).clone()
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Tls {}

impl fmt::Debug for Tls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.options.fmt(out)
    }
}

/// How the table of all of them tells them apart.
struct ByOptions(Tls);

impl PartialEq for ByOptions {
    fn eq(&self, other: &Self) -> bool {
        self.0.options() == other.0.options()
    }
}

impl Eq for ByOptions {}

impl Hash for ByOptions {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.options().hash(state);
    }
}

impl Options {
    fn build(&self) -> Result<ClientConfig, String> {
        let provider = self.provider()?;
        let verifier = trust::verifier(&self.trust, self.checks_host_name)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions())
            .map_err(|error| format!("the TLS options contradict each other: {error}"))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = identity.load()?;
                let unusable =
                    |error| format!("the client certificate in {} is unusable: {error}", identity.certificate);
                builder.with_client_auth_cert(chain, key).map_err(unusable)?
            }
        };
        // Python's clients resume nothing across connections: a resumed handshake would make the server look faster.
        config.resumption = Resumption::disabled();
        if self.logs_keys {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        Ok(config)
    }

    fn versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let all = [(self.tls13, &rustls::version::TLS13), (self.tls12, &rustls::version::TLS12)];
        all.into_iter().filter(|(wanted, _)| *wanted).map(|(_, version)| version).collect()
    }

    fn provider(&self) -> Result<Arc<CryptoProvider>, String> {
        let mut provider = ring::default_provider();
        if let Some(wanted) = &self.cipher_suites {
            provider.cipher_suites.retain(|suite| wanted.contains(&u16::from(suite.suite())));
            if provider.cipher_suites.is_empty() {
                return Err("none of the cipher suites that may be used is supported".to_owned());
            }
        }
        Ok(Arc::new(provider))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_options_share_one_configuration() {
        let (one, other) = (Tls::new(Options::new(Trust::Anybody)), Tls::unchecked());
        assert_eq!(one, other);
        assert!(Arc::ptr_eq(&one.config().unwrap(), &other.config().unwrap()));
        assert_ne!(one, Tls::trusted());
    }

    #[test]
    fn only_the_suites_and_versions_asked_for_are_offered() {
        const AES_256_FOR_TLS13: u16 = 0x1302;
        let options = Options { cipher_suites: Some([AES_256_FOR_TLS13].into()), ..Options::new(Trust::Mozilla) };
        let suites: Vec<u16> =
            options.provider().unwrap().cipher_suites.iter().map(|suite| suite.suite().into()).collect();
        assert_eq!(suites, [AES_256_FOR_TLS13]);
        let without_13 = Options { tls13: false, ..options };
        assert!(without_13.build().unwrap_err().starts_with("the TLS options contradict each other"));
    }

    #[test]
    fn a_missing_file_is_told_by_what_it_was_for() {
        let file = |path: &str| Pem::File(path.into());
        let identity = |certificate, key| Options {
            identity: Some(Identity { certificate: file(certificate), key: Some(file(key)), password: None }),
            ..Options::new(Trust::Anybody)
        };
        let missing = |options| Tls::new(options).missing_file();
        let there = file!();
        assert_eq!(missing(Options::new(Trust::Path("/no/ca".into()))), Some(Missing::Authorities("/no/ca".into())));
        assert_eq!(missing(identity("/no/cert", "/no/key")), Some(Missing::Certificate("/no/cert".into())));
        assert_eq!(missing(identity(there, "/no/key")), Some(Missing::Key("/no/key".into())));
        assert_eq!(missing(identity(there, there)), None);
    }

    #[test]
    fn nothing_is_resumed() {
        let config = format!("{:?}", Tls::unchecked().config().unwrap().resumption);
        assert_eq!(config, format!("{:?}", Resumption::disabled()));
    }
}
