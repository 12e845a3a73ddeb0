//! What a session's requests are prepared from. Thin by default: what nobody has touched all users share.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::SessionBase;
use super::call::slow;
use crate::http::Settings;
use crate::http::headers::Headers;
use crate::http::request::{AtTheLimit, Retries};
use crate::http::transport::tls::Tls;
use crate::http::url::{Base, Style};
use crate::py::prepare::{self, Auth, SessionHeaders};
use crate::sync::held;

/// requests' pool keeps ten connections to a host. Further ones are opened and thrown away.
const POOL_SIZE: usize = 10;

static REQUESTS_DEFAULTS: LazyLock<Arc<Settings>> = LazyLock::new(|| {
    Arc::new(Settings {
        connect_timeout: None,
        read_timeout: None,
        redirects: Some(30),
        tls: Tls::trusted(),
        max_connections: POOL_SIZE,
        at_the_limit: AtTheLimit::OpenMore,
        retries: Retries::default(),
        statuses: None,
        http2: false,
        proxy: None,
    })
});

/// As many as a server commonly lets be under way on one connection.
const STREAMS: usize = 100;

static HTTP2_DEFAULTS: LazyLock<Arc<Settings>> = LazyLock::new(|| {
    Arc::new(Settings { http2: true, max_connections: STREAMS, ..Settings::clone(&REQUESTS_DEFAULTS) })
});

/// What a session knows of itself, and what of it is kept ready for its requests.
pub(super) struct State {
    pub base: Base,
    pub headers: Arc<SessionHeaders>,
    pub settings: Arc<Settings>,
    pub authorization: Option<Arc<str>>,
    pub request_name: Option<Py<PyAny>>,
    /// What can change unseen, and is looked at before each request.
    pub volatile: Option<Box<Volatile>>,
    pub has_params: bool,
    pub stream: bool,
    /// Something on the session has a say in each request that only requests' own code honours.
    pub differs: bool,
    /// Its authentication is an object that wants to see each request.
    pub asks_auth: bool,
    /// Its class does, whatever the session's attributes are.
    pub seams: bool,
    /// The environment is heeded, where it names proxies, certificates or passwords.
    pub trust_env: bool,
    /// The user asks for HTTP/2.
    pub http2: bool,
    /// The class overrides `request` or `context`, so the way leads through Python.
    pub overrides_request: bool,
    pub overrides_context: bool,
}

impl State {
    pub fn new(py: Python<'_>, style: Style) -> PyResult<Self> {
        Ok(Self {
            base: shared_base(style, ""),
            headers: default_headers(py, style)?,
            settings: Arc::clone(&REQUESTS_DEFAULTS),
            authorization: None,
            request_name: None,
            volatile: None,
            has_params: false,
            stream: false,
            differs: false,
            asks_auth: false,
            seams: false,
            trust_env: style == Style::Requests,
            http2: false,
            overrides_request: false,
            overrides_context: false,
        })
    }

    fn set_authorization(&mut self, authorization: Auth) {
        self.asks_auth = matches!(authorization, Auth::Object);
        self.authorization = match authorization {
            Auth::Header(value) => Some(Arc::from(value)),
            Auth::None | Auth::Object => None,
        };
    }
}

/// What a locustfile has got hold of, and may change without a word.
pub(super) struct Volatile {
    /// Hooks, proxies, adapters.
    seams: bool,
    /// Headers that are no mapping of ours.
    pub headers: Option<Py<PyAny>>,
    /// An object with user and password.
    pub auth: Option<Py<PyAny>>,
}

/// What a session's environment says of its requests.
enum Environment<'py> {
    Ignored,
    /// What servers' certificates are checked against.
    Bundle(Bound<'py, PyAny>),
    /// Something that requests' own code has to look up.
    Matters,
}

/// What a request takes from its session, gathered under one lock.
pub struct Snapshot<'py> {
    pub base: Base,
    pub headers: Arc<SessionHeaders>,
    pub settings: Arc<Settings>,
    pub authorization: Option<Arc<str>>,
    pub has_params: bool,
    pub stream: bool,
    pub slow: bool,
    pub bundle: Option<Bound<'py, PyAny>>,
}

impl SessionBase {
    /// What the environment has for a session that heeds it.
    #[cold]
    fn environment<'py>(slf: &Bound<'py, Self>) -> PyResult<Environment<'py>> {
        let found = slow(slf.py())?.call_method0(intern!(slf.py(), "environment"))?;
        if found.is_instance_of::<PyString>() {
            return Ok(Environment::Bundle(found));
        }
        Ok(if found.is_truthy()? { Environment::Matters } else { Environment::Ignored })
    }

    pub fn snapshot<'py>(slf: &Bound<'py, Self>) -> PyResult<Snapshot<'py>> {
        let this = slf.get();
        if this.style == Style::Gevent && this.stale.swap(false, Ordering::Relaxed) {
            let read = slf.call_method0(intern!(slf.py(), "_read_attributes"));
            // What could not be read is read again before the next request, which fails likewise.
            this.stale.store(read.is_err(), Ordering::Relaxed);
            read?;
            let replaced = slf.getattr(intern!(slf.py(), "__dict__"))?.contains(intern!(slf.py(), "request"))?;
            this.state().overrides_request |= replaced;
        }
        if this.style == Style::Requests && this.stale.swap(false, Ordering::Relaxed) {
            Self::read_attributes(slf)?;
        }
        let mut state = this.state();
        if state.volatile.is_some() {
            drop(state);
            Self::look_again(slf)?;
            state = this.state();
        }
        let mut environment = Environment::Ignored;
        if state.trust_env {
            drop(state);
            environment = Self::environment(slf)?;
            state = this.state();
        }
        Ok(Snapshot {
            base: state.base.clone(),
            headers: Arc::clone(&state.headers),
            settings: Arc::clone(&state.settings),
            authorization: state.authorization.clone(),
            has_params: state.has_params,
            stream: state.stream,
            slow: matches!(environment, Environment::Matters) || state.differs || state.asks_auth || state.seams,
            bundle: match environment {
                Environment::Bundle(path) => Some(path),
                _ => None,
            },
        })
    }

    /// What a locustfile has set on the session, from its instance dictionary: what is not there has its default.
    fn read_attributes(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let attributes = slf.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let given = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
            Ok(attributes.get_item(name)?.filter(|value| !value.is_none()))
        };
        let settings = settings_of(slf, &attributes)?;
        let auth = given("auth")?;
        let authorization = auth.as_ref().map_or(Ok(Auth::None), prepare::authorization)?;
        let given_headers = attributes.get_item("headers")?;
        let headers = match &given_headers {
            Some(mapping) => headers_of(mapping)?,
            None => default_headers(py, Style::Requests)?,
        };
        let volatile = Volatile {
            seams: seen(&attributes)?,
            // A mapping of ours reports its changes; any other may change without a word.
            headers: given_headers.filter(|given| !given.is_none() && !reports_changes(given)).map(Bound::unbind),
            auth: auth.filter(|auth| !auth.is_instance_of::<PyTuple>()).map(Bound::unbind),
        };
        let is_volatile = volatile.seams || volatile.headers.is_some() || volatile.auth.is_some();
        let stream = given("stream")?.map_or(Ok(false), |stream| stream.is_truthy())?;
        let trust_env = given("trust_env")?.map_or(Ok(true), |heed| heed.is_truthy())?;
        let has_params = given("params")?.is_some();
        let overrides_request = attributes.contains(intern!(py, "request"))?;
        let differs = differs(slf)?;
        let mut state = slf.get().state();
        state.settings = shared_settings(settings);
        state.set_authorization(authorization);
        state.headers = headers;
        state.has_params = has_params;
        state.stream = stream;
        state.differs = differs;
        state.trust_env = trust_env;
        let old = std::mem::replace(&mut state.volatile, is_volatile.then(|| Box::new(volatile)));
        state.overrides_request |= overrides_request;
        drop(state);
        drop(old);
        Ok(())
    }

    /// What of that may have changed without a word.
    fn look_again(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let Some(volatile) = slf.get().state().volatile.as_ref().map(|volatile| volatile.clone_ref(py)) else {
            return Ok(());
        };
        if let Some(headers) = volatile.headers {
            let headers = headers_of(headers.bind(py))?;
            slf.get().state().headers = headers;
        }
        if let Some(auth) = volatile.auth {
            let authorization = prepare::authorization(auth.bind(py))?;
            slf.get().state().set_authorization(authorization);
        }
        if volatile.seams {
            let differs = differs(slf)?;
            slf.get().state().differs = differs;
        }
        Ok(())
    }
}

impl Volatile {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        let held = |object: &Option<Py<PyAny>>| object.as_ref().map(|object| object.clone_ref(py));
        Self { seams: self.seams, headers: held(&self.headers), auth: held(&self.auth) }
    }
}

/// Time-outs, certificates and redirects of a session that has these attributes.
fn settings_of(slf: &Bound<'_, SessionBase>, attributes: &Bound<'_, PyDict>) -> PyResult<Settings> {
    let mut settings = Settings::clone(requests_defaults(slf.get().state().http2));
    if let Some(pool) = &*held(&slf.get().pool) {
        pool.limit(&mut settings);
    }
    // Here `None` is an answer: with nothing to check them against, certificates are not checked.
    let verify = attributes.get_item("verify")?;
    let cert = attributes.get_item("cert")?.filter(|cert| !cert.is_none());
    if verify.is_some() || cert.is_some() {
        settings.tls = prepare::tls(&settings.tls, verify.as_ref(), cert.as_ref())?;
    }
    if let Some(limit) = attributes.get_item("max_redirects")?.filter(|limit| !limit.is_none()) {
        settings.redirects = Some(limit.extract()?);
    }
    Ok(settings)
}

/// The headers of a session; with `None` it has none of its own.
fn headers_of(given: &Bound<'_, PyAny>) -> PyResult<Arc<SessionHeaders>> {
    if given.is_none() {
        return Ok(Arc::new(SessionHeaders::new(Headers::new())));
    }
    SessionHeaders::of_mapping(Style::Requests, given).map(Arc::new)
}

fn reports_changes(headers: &Bound<'_, PyAny>) -> bool {
    headers.hasattr(intern!(headers.py(), "_session")).unwrap_or(false)
}

/// Whether anything on the session has a say in its requests that only requests' own code honours.
fn differs(slf: &Bound<'_, SessionBase>) -> PyResult<bool> {
    slow(slf.py())?.call_method1(intern!(slf.py(), "differs"), (slf,))?.is_truthy()
}

/// Whether a locustfile has got hold of something that it can change without a word.
fn seen(attributes: &Bound<'_, PyDict>) -> PyResult<bool> {
    let py = attributes.py();
    for name in [intern!(py, "hooks"), intern!(py, "proxies"), intern!(py, "adapters")] {
        if attributes.contains(name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a user's class (or the user) has a `context` of its own, to be asked at each request.
pub(super) fn overrides_context(user: &Bound<'_, PyAny>) -> PyResult<bool> {
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = user.py();
    let plain = PLAIN.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("locust.user.users")?.getattr("User")?.getattr("context")?.unbind())
    })?;
    let Some(context) = user.getattr_opt(intern!(py, "context"))? else { return Ok(false) };
    let function = context.getattr_opt(intern!(py, "__func__"))?;
    Ok(!function.is_some_and(|function| function.is(plain)))
}

/// The settings of a session on which nothing was changed.
pub(super) fn requests_defaults(http2: bool) -> &'static Arc<Settings> {
    if http2 { &HTTP2_DEFAULTS } else { &REQUESTS_DEFAULTS }
}

/// The attribute `http2` of a user.
pub(super) fn wants_http2(user: &Bound<'_, PyAny>) -> PyResult<bool> {
    user.getattr_opt(intern!(user.py(), "http2"))?.map_or(Ok(false), |http2| http2.is_truthy())
}

/// All users of a class have the same base, settings and headers: they share one of each.
pub(super) fn shared_base(style: Style, text: &str) -> Base {
    thread_local! {
        static LAST: RefCell<Option<(Style, Base)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some((kept, base)) if *kept == style && base.text() == text => base.clone(),
        _ => {
            let base = Base::new(style, text);
            *last = Some((style, base.clone()));
            base
        }
    })
}

pub(super) fn shared_settings(settings: Settings) -> Arc<Settings> {
    thread_local! {
        static LAST: RefCell<Option<Arc<Settings>>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some(kept) if **kept == settings => Arc::clone(kept),
        _ => Arc::clone(last.insert(Arc::new(settings))),
    })
}

pub(super) fn shared_headers(headers: SessionHeaders) -> Arc<SessionHeaders> {
    thread_local! {
        static LAST: RefCell<Option<Arc<SessionHeaders>>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some(kept) if kept.same_as(&headers) => Arc::clone(kept),
        _ => Arc::clone(last.insert(Arc::new(headers))),
    })
}

/// What requests sends unasked.
fn default_headers(py: Python<'_>, style: Style) -> PyResult<Arc<SessionHeaders>> {
    static REQUESTS: PyOnceLock<Arc<SessionHeaders>> = PyOnceLock::new();
    static NONE: LazyLock<Arc<SessionHeaders>> = LazyLock::new(|| Arc::new(SessionHeaders::new(Headers::new())));
    if style == Style::Gevent {
        return Ok(Arc::clone(&NONE));
    }
    REQUESTS
        .get_or_try_init(py, || {
            let mapping = py.import("gregaria._sessions")?.call_method0("default_headers")?;
            Ok(Arc::new(SessionHeaders::of_mapping(Style::Requests, &mapping)?))
        })
        .map(Arc::clone)
}
