//! `self.client`: the engine's part of `HttpSession` and `FastHttpSession`.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple, PyType};

use super::arguments::Arguments;
use super::cookies;
use super::hub::hub;
use super::names;
use super::pool::{Shared, SharedPool};
use super::prepare::{self, Auth, Payload, SessionHeaders};
use super::response::{Call, ResponseBase};
use crate::http::headers::Headers;
use crate::http::io::{Command, Operation, forget};
use crate::http::request::{AtTheLimit, Retries, Statuses, push_line};
use crate::http::transport::tls::{Identity, Options, Pem, Tls, Trust};
use crate::http::url::{Base, Style, UrlError, UrlErrorKind, is_absolute};
use crate::http::{Request, Session, Settings};

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

/// One user's client. Thin by default: what a locustfile has not touched is shared by all users.
#[pyclass(subclass, frozen, weakref, module = "gregaria._engine")]
pub struct SessionBase {
    style: Style,
    session: Arc<Session>,
    /// The connections it shares with others, if it does.
    pool: Mutex<Option<Arc<Shared>>>,
    state: Mutex<State>,
    /// An attribute changed that requests are prepared from; it is read again before the next one.
    stale: AtomicBool,
    request_event: Mutex<Option<Py<PyAny>>>,
    user: Mutex<Option<Py<PyAny>>>,
}

struct State {
    base: Base,
    headers: Arc<SessionHeaders>,
    settings: Arc<Settings>,
    authorization: Option<Arc<str>>,
    request_name: Option<Py<PyAny>>,
    /// Asked of the session object before each request: it holds something that can change unseen.
    volatile: bool,
    has_params: bool,
    stream: bool,
    /// Something on the session has a say in each request that only requests' own code honours.
    slow: bool,
    /// Its class does, whatever the session's attributes are.
    seams: bool,
    /// The environment is heeded, where it names proxies, certificates or passwords.
    trust_env: bool,
    /// The user asks for HTTP/2.
    http2: bool,
    /// The class overrides `request` or `context`, so the way leads through Python.
    overrides_request: bool,
    overrides_context: bool,
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
    base: Base,
    headers: Arc<SessionHeaders>,
    settings: Arc<Settings>,
    authorization: Option<Arc<str>>,
    has_params: bool,
    stream: bool,
    slow: bool,
    bundle: Option<Bound<'py, PyAny>>,
}

#[pymethods]
impl SessionBase {
    /// `style`: "requests" or "gevent", by a class attribute of the two subclasses.
    #[new]
    #[classmethod]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(
        class: &Bound<'_, PyType>,
        _args: &Bound<'_, pyo3::types::PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let fast = class.getattr(intern!(class.py(), "_style"))?.eq("gevent")?;
        let style = if fast { Style::Gevent } else { Style::Requests };
        Ok(Self {
            style,
            session: Arc::new(Session::default()),
            pool: Mutex::default(),
            state: Mutex::new(State {
                base: shared_base(style, ""),
                headers: default_headers(class.py(), style)?,
                settings: Arc::clone(&REQUESTS_DEFAULTS),
                authorization: None,
                request_name: None,
                volatile: false,
                has_params: false,
                stream: false,
                slow: false,
                seams: false,
                trust_env: style == Style::Requests,
                http2: false,
                overrides_request: false,
                overrides_context: false,
            }),
            stale: AtomicBool::new(false),
            request_event: Mutex::new(None),
            user: Mutex::new(None),
        })
    }

    /// Takes the place of `requests.Session.__init__`, whose attributes are made when asked for.
    #[pyo3(signature = (*_args, **_kwargs))]
    fn __init__(&self, _args: &Bound<'_, pyo3::types::PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) {}

    /// What the constructor was given.
    fn _bind(
        slf: &Bound<'_, Self>,
        base_url: &Bound<'_, PyAny>,
        request_event: Py<PyAny>,
        user: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.set_base_url(base_url)?;
        let slow =
            this.style == Style::Requests && slow(py)?.call_method1("has_own_seams", (slf.get_type(),))?.is_truthy()?;
        let overrides_request = !slf.getattr(intern!(py, "request"))?.is_instance_of::<pyo3::types::PyCFunction>();
        let overrides_context = match &user {
            Some(user) => overrides_context(user.bind(py))?,
            None => false,
        };
        let http2 = match &user {
            Some(user) => wants_http2(user.bind(py))?,
            None => false,
        };
        {
            let mut state = this.state();
            state.overrides_request = overrides_request;
            state.overrides_context = overrides_context;
            state.seams = slow;
            state.http2 = http2;
            state.settings = Arc::clone(requests_defaults(http2));
        }
        let old = lock(&this.request_event).replace(request_event);
        drop(old);
        let old = std::mem::replace(&mut *lock(&this.user), user);
        drop(old);
        Ok(())
    }

    /// An attribute that requests depend on was set, or may have been changed in place.
    fn _attribute_changed(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// Settings of `FastHttpUser`'s client; times in seconds.
    #[pyo3(signature = (
        *, network_timeout, connection_timeout, max_redirects, max_retries, retry_delay, insecure, authorities,
        concurrency, headers, authorization, statuses = None, proxy = None
    ))]
    #[allow(clippy::too_many_arguments)] // keyword-only, and each is what it says
    fn _configure_fast(
        &self,
        network_timeout: Option<f64>,
        connection_timeout: Option<f64>,
        max_redirects: u32,
        max_retries: u32,
        retry_delay: f64,
        insecure: bool,
        authorities: Option<&str>,
        concurrency: usize,
        headers: &Bound<'_, PyAny>,
        authorization: Option<&str>,
        statuses: Option<(Vec<u16>, Vec<u16>)>,
        proxy: Option<&str>,
    ) -> PyResult<()> {
        let seconds = |time: Option<f64>| {
            time.map(Duration::try_from_secs_f64).transpose().map_err(|error| PyValueError::new_err(error.to_string()))
        };
        let settings = Settings {
            connect_timeout: seconds(connection_timeout)?,
            read_timeout: seconds(network_timeout)?,
            redirects: Some(max_redirects),
            tls: match authorities {
                _ if insecure => Tls::unchecked(),
                None => Tls::trusted(),
                Some(path) => Tls::new(Options::new(Trust::Path(path.into()))),
            },
            max_connections: concurrency.max(1),
            at_the_limit: AtTheLimit::Wait,
            retries: Retries { limit: max_retries, pause: seconds(Some(retry_delay))?.unwrap_or_default() },
            statuses: statuses.map(|(valid, redirecting)| Arc::new(Statuses { valid, redirecting })),
            http2: self.state().http2,
            proxy: proxy.map(|url| prepare::proxy(headers.py(), url)).transpose()?,
        };
        let headers = SessionHeaders::of_mapping(Style::Gevent, headers)?;
        let mut state = self.state();
        state.settings = shared_settings(settings);
        state.headers = shared_headers(headers);
        state.authorization = authorization.map(Arc::from);
        Ok(())
    }

    /// What an SSLContext says. `authorities`: `None` accepts any certificate.
    #[pyo3(signature = (
        *, authorities, folders, and_mozilla, check_host_name, identity, tls12, tls13, cipher_suites, log_keys
    ))]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)] // keyword-only, and each is what it says
    fn _configure_tls(
        &self,
        authorities: Option<Vec<Vec<u8>>>,
        folders: Vec<String>,
        and_mozilla: bool,
        check_host_name: bool,
        identity: Option<GivenIdentity>,
        tls12: bool,
        tls13: bool,
        cipher_suites: Vec<u16>,
        log_keys: bool,
    ) {
        let trust = authorities.map_or(Trust::Anybody, |own| Trust::Certificates {
            own: own.into_iter().map(Vec::into_boxed_slice).collect(),
            folders: folders.into_iter().map(String::into_boxed_str).collect(),
            and_mozilla,
        });
        let identity = identity.map(|(path, certificate, key, password)| {
            let path: Arc<str> = path.into();
            let read = |text: Vec<u8>| Pem::Read { path: Arc::clone(&path), text: text.into() };
            Identity { certificate: read(certificate), key: key.map(read), password: password.map(Into::into) }
        });
        let tls = Tls::new(Options {
            trust,
            checks_host_name: check_host_name,
            identity,
            tls12,
            tls13,
            cipher_suites: Some(cipher_suites.into()),
            logs_keys: log_keys,
        });
        let mut state = self.state();
        state.settings = shared_settings(Settings { tls, ..Settings::clone(&state.settings) });
    }

    #[getter]
    fn base_url(&self) -> String {
        self.state().base.text().to_owned()
    }

    #[setter]
    fn set_base_url(&self, base_url: &Bound<'_, PyAny>) -> PyResult<()> {
        let base = shared_base(self.style, base_url.str()?.to_str()?);
        self.state().base = base;
        Ok(())
    }

    #[getter]
    fn request_name(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state().request_name.as_ref().map(|name| name.clone_ref(py))
    }

    #[setter]
    fn set_request_name(&self, name: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut self.state().request_name, name);
        drop(old);
    }

    #[getter]
    pub fn request_event(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.request_event).as_ref().map(|event| event.clone_ref(py))
    }

    #[setter]
    fn set_request_event(&self, event: Py<PyAny>) {
        let old = lock(&self.request_event).replace(event);
        drop(old);
    }

    #[getter]
    pub fn user(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.user).as_ref().map(|user| user.clone_ref(py))
    }

    #[setter]
    fn set_user(&self, user: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut *lock(&self.user), user);
        drop(old);
    }

    /// Changes with every change of the session's cookies.
    #[getter]
    fn _cookies_version(&self) -> u64 {
        self.session.jar().version()
    }

    /// The arguments of `http.cookiejar.Cookie` for each cookie, but for `version`, `comment` and `comment_url`.
    fn _cookies_list<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let cookies = self.session.jar().list().to_vec();
        cookies.iter().map(|cookie| cookies::describe(py, cookie)).collect()
    }

    /// Keep an `http.cookiejar.Cookie`.
    fn _cookies_set(&self, cookie: &Bound<'_, PyAny>) -> PyResult<()> {
        let cookie = cookies::read(cookie)?;
        self.session.set_cookie(cookie);
        Ok(())
    }

    /// Forget the cookies of a domain, of a path of it, or of one name there; without arguments all.
    #[pyo3(signature = (domain = None, path = None, name = None))]
    fn _cookies_clear(&self, domain: Option<&str>, path: Option<&str>, name: Option<&str>) {
        self.session.jar().clear(domain, path, name);
    }

    /// Whether the session sends and keeps cookies.
    fn _cookies_ignored(&self, ignored: bool) {
        self.session.ignore_cookies(ignored);
    }

    /// Use the connections of a pool, which other sessions use too, and no own ones any more.
    fn _join(&self, pool: &SharedPool) {
        self.session.join(pool.0.id);
        let old = lock(&self.pool).replace(Arc::clone(&pool.0));
        drop(old);
        let mut state = self.state();
        let mut settings = Settings::clone(&state.settings);
        pool.0.limit(&mut settings);
        state.settings = shared_settings(settings);
    }

    /// Close the connections that are kept alive; the session stays usable.
    fn _close_connections(&self, py: Python<'_>) -> PyResult<()> {
        hub(py)?.send(self.session.id(), Command::CloseIdle { session: self.session.id() });
        Ok(())
    }

    #[pyo3(signature = (method, url, name = None, *rest, **kwargs))]
    fn request<'py>(
        slf: &Bound<'py, Self>,
        method: &Bound<'py, PyAny>,
        url: &Bound<'py, PyAny>,
        name: Option<Bound<'py, PyAny>>,
        rest: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let named = if rest.is_empty() { None } else { Some(named(slf.get().style, rest, kwargs)?) };
        let kwargs = named.as_ref().or(kwargs);
        let mut arguments = Arguments::read(kwargs)?;
        if name.is_some() {
            arguments.name = name.clone();
        }
        let text = method.str()?;
        match prepare_operation(slf, text.to_str()?, url, arguments) {
            Ok(Some((operation, call))) => exchange(slf, operation, call),
            Ok(None) => {
                let kwargs = kwargs.map_or_else(|| Ok(PyDict::new(slf.py())), |kwargs| kwargs.copy())?;
                if let Some(name) = name {
                    kwargs.set_item("name", name)?;
                }
                by_requests(slf, text.to_str()?, url, &kwargs)
            }
            Err(error) => unsendable(slf, text.to_str()?, url, kwargs, error),
        }
    }

    #[pyo3(signature = (url, **kwargs))]
    fn get<'py>(slf: &Bound<'py, Self>, url: &Bound<'py, PyAny>, kwargs: Option<&Bound<'py, PyDict>>) -> Answer<'py> {
        verb(slf, "GET", url, [None, None], kwargs)
    }

    #[pyo3(signature = (url, **kwargs))]
    fn options<'py>(
        slf: &Bound<'py, Self>,
        url: &Bound<'py, PyAny>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        verb(slf, "OPTIONS", url, [None, None], kwargs)
    }

    #[pyo3(signature = (url, **kwargs))]
    fn head<'py>(slf: &Bound<'py, Self>, url: &Bound<'py, PyAny>, kwargs: Option<&Bound<'py, PyDict>>) -> Answer<'py> {
        verb(slf, "HEAD", url, [None, None], kwargs)
    }

    #[pyo3(signature = (url, **kwargs))]
    fn delete<'py>(
        slf: &Bound<'py, Self>,
        url: &Bound<'py, PyAny>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        verb(slf, "DELETE", url, [None, None], kwargs)
    }

    #[pyo3(signature = (url, data = None, json = None, **kwargs))]
    fn post<'py>(
        slf: &Bound<'py, Self>,
        url: &Bound<'py, PyAny>,
        data: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        verb(slf, "POST", url, [data, json], kwargs)
    }

    #[pyo3(signature = (url, data = None, **kwargs))]
    fn put<'py>(
        slf: &Bound<'py, Self>,
        url: &Bound<'py, PyAny>,
        data: Option<Bound<'py, PyAny>>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        verb(slf, "PUT", url, [data, None], kwargs)
    }

    #[pyo3(signature = (url, data = None, **kwargs))]
    fn patch<'py>(
        slf: &Bound<'py, Self>,
        url: &Bound<'py, PyAny>,
        data: Option<Bound<'py, PyAny>>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        verb(slf, "PATCH", url, [data, None], kwargs)
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        // A held lock means that this thread is inside: it is alive, and so is what it holds.
        for held in [&self.request_event, &self.user] {
            if let Ok(held) = held.try_lock() {
                visit.call(&*held)?;
            }
        }
        if let Ok(state) = self.state.try_lock() {
            visit.call(&state.request_name)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let event = lock(&self.request_event).take();
        let user = lock(&self.user).take();
        drop((event, user));
    }
}

/// The name of a file, the certificate in it, its key unless it is in there, and the key's password.
type GivenIdentity = (String, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

type Answer<'py> = PyResult<Bound<'py, PyAny>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics under this lock")
}

impl Drop for SessionBase {
    fn drop(&mut self) {
        // The connections of a pool are not its own.
        if lock(&self.pool).is_none() {
            forget(self.session.id());
        }
    }
}

impl SessionBase {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.state().settings)
    }

    pub fn style(&self) -> Style {
        self.style
    }

    /// The text of `url` on this session's base.
    pub fn full_url(&self, url: &str) -> String {
        if is_absolute(url) { url.to_owned() } else { format!("{}{url}", self.state().base.text()) }
    }

    pub fn overrides_context(&self) -> bool {
        self.state().overrides_context
    }

    /// What the environment has for this session, where it heeds it.
    fn environment<'py>(slf: &Bound<'py, Self>) -> PyResult<Environment<'py>> {
        if !slf.get().state().trust_env {
            return Ok(Environment::Ignored);
        }
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
        }
        if this.style == Style::Requests && (this.stale.swap(false, Ordering::Relaxed) || this.state().volatile) {
            Self::read_attributes(slf)?;
        }
        let environment = Self::environment(slf)?;
        let state = this.state();
        Ok(Snapshot {
            base: state.base.clone(),
            headers: Arc::clone(&state.headers),
            settings: Arc::clone(&state.settings),
            authorization: state.authorization.clone(),
            has_params: state.has_params,
            stream: state.stream,
            slow: matches!(environment, Environment::Matters) || state.slow || state.seams,
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
        let mut slow = slow(py)?.call_method1("differs", (slf,))?.is_truthy()?;
        let mut settings = Settings::clone(requests_defaults(slf.get().state().http2));
        if let Some(pool) = &*lock(&slf.get().pool) {
            pool.limit(&mut settings);
        }
        // Here `None` is an answer: with nothing to check them against, certificates are not checked.
        let (verify, cert) = (attributes.get_item("verify")?, given("cert")?);
        if verify.is_some() || cert.is_some() {
            settings.tls = prepare::tls(&settings.tls, verify.as_ref(), cert.as_ref())?;
        }
        if let Some(limit) = given("max_redirects")? {
            settings.redirects = Some(limit.extract()?);
        }
        let authorization = match given("auth")? {
            Some(auth) => match prepare::authorization(&auth)? {
                Auth::Header(value) => Some(Arc::from(value)),
                Auth::None => None,
                Auth::Object => {
                    slow = true;
                    None
                }
            },
            None => None,
        };
        let given_headers = given("headers")?;
        let headers = match &given_headers {
            Some(mapping) => Arc::new(SessionHeaders::of_mapping(Style::Requests, mapping)?),
            None => default_headers(py, Style::Requests)?,
        };
        // A mapping of ours reports its changes; any other may change without a word.
        let watched = given_headers.is_none_or(|mapping| mapping.hasattr(intern!(py, "_session")).unwrap_or(false));
        let stream = given("stream")?.map_or(Ok(false), |stream| stream.is_truthy())?;
        let trust_env = given("trust_env")?.map_or(Ok(true), |heed| heed.is_truthy())?;
        let params = given("params")?;
        let overrides_request = attributes.contains(intern!(py, "request"))?;
        let mut state = slf.get().state();
        state.settings = shared_settings(settings);
        state.authorization = authorization;
        state.headers = headers;
        state.has_params = params.is_some();
        state.stream = stream;
        state.slow = slow;
        state.trust_env = trust_env;
        state.volatile = !watched || params.is_some() || seen(&attributes)?;
        state.overrides_request |= overrides_request;
        Ok(())
    }
}

/// Whether a user's class (or the user) has a `context` of its own, to be asked at each request.
fn overrides_context(user: &Bound<'_, PyAny>) -> PyResult<bool> {
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
fn requests_defaults(http2: bool) -> &'static Arc<Settings> {
    if http2 { &HTTP2_DEFAULTS } else { &REQUESTS_DEFAULTS }
}

/// The attribute `http2` of a user.
fn wants_http2(user: &Bound<'_, PyAny>) -> PyResult<bool> {
    user.getattr_opt(intern!(user.py(), "http2"))?.map_or(Ok(false), |http2| http2.is_truthy())
}

/// All users of a class have the same base, settings and headers: they share one of each.
fn shared_base(style: Style, text: &str) -> Base {
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

fn shared_settings(settings: Settings) -> Arc<Settings> {
    thread_local! {
        static LAST: RefCell<Option<Arc<Settings>>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some(kept) if **kept == settings => Arc::clone(kept),
        _ => Arc::clone(last.insert(Arc::new(settings))),
    })
}

fn shared_headers(headers: SessionHeaders) -> Arc<SessionHeaders> {
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

/// What `request` takes by position behind the name, by name.
#[cold]
fn named<'py>(
    style: Style,
    rest: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let order: &[&str] = match style {
        Style::Requests => &["catch_response", "context"],
        Style::Gevent => &["data", "catch_response", "stream", "headers", "auth", "json", "allow_redirects", "context"],
    };
    if rest.len() > order.len() {
        let most = order.len() + 3;
        return Err(PyTypeError::new_err(format!("request() takes at most {most} arguments by position")));
    }
    let named = kwargs.map_or_else(|| Ok(PyDict::new(rest.py())), |kwargs| kwargs.copy())?;
    for (name, value) in order.iter().zip(rest) {
        if named.contains(name)? {
            return Err(PyTypeError::new_err(format!("request() got multiple values for argument '{name}'")));
        }
        named.set_item(name, value)?;
    }
    Ok(named)
}

/// `get` and its like: prepare, park until it is answered, report.
fn verb<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &'static str,
    url: &Bound<'py, PyAny>,
    bodies: [Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    if slf.get().state().overrides_request || has_just_replaced_request(slf)? {
        return through_request(slf, method, url, bodies, kwargs);
    }
    match prepare_verb(slf, method, url, &bodies, kwargs) {
        Ok(Some((operation, call))) => exchange(slf, operation, call),
        Ok(None) => by_requests(slf, method, url, &all_arguments(slf, method, bodies, kwargs)?),
        Err(error) => unsendable(slf, method, url, kwargs, error),
    }
}

/// Whether a locustfile has put a `request` of its own on the session since the last one.
fn has_just_replaced_request(slf: &Bound<'_, SessionBase>) -> PyResult<bool> {
    if !slf.get().stale.load(Ordering::Relaxed) {
        return Ok(false);
    }
    slf.getattr(intern!(slf.py(), "__dict__"))?.contains(intern!(slf.py(), "request"))
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

/// Python's part of what the engine does not prepare: `gregaria._slow`.
fn slow(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MODULE.get_or_try_init(py, || Ok(py.import("gregaria._slow")?.into_any().unbind())).map(|module| module.bind(py))
}

/// Have requests' own code make the request; the engine only sends it.
#[cold]
fn by_requests<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    kwargs: &Bound<'py, PyDict>,
) -> Answer<'py> {
    slow(slf.py())?.call_method(intern!(slf.py(), "request"), (slf, method, url), Some(kwargs))
}

/// What requests cannot prepare it raises, and Locust reports most of that as a failed request.
#[cold]
fn unsendable<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    kwargs: Option<&Bound<'py, PyDict>>,
    error: PyErr,
) -> Answer<'py> {
    if slf.get().style == Style::Gevent {
        return Err(error);
    }
    let py = slf.py();
    let report =
        super::response::responses(py)?.call_method1("unsendable", (slf, method, url, kwargs, error.value(py)))?;
    if report.is_none() { Err(error) } else { Ok(report) }
}

fn exchange<'py>(slf: &Bound<'py, SessionBase>, operation: Box<Operation>, call: Call<'py>) -> Answer<'py> {
    let py = slf.py();
    let operation = names::exchange(py, operation)?;
    let now = Instant::now();
    if call.debug_stream.is_some() {
        return tell_debug_stream(slf, operation, call, now);
    }
    ResponseBase::deliver(slf, operation, call, now)
}

#[cold]
fn tell_debug_stream<'py>(
    slf: &Bound<'py, SessionBase>,
    operation: Box<Operation>,
    mut call: Call<'py>,
    now: Instant,
) -> Answer<'py> {
    let stream = call.debug_stream.take();
    let response = ResponseBase::deliver(slf, operation, call, now)?;
    slf.py().import("gregaria._fast.conversation")?.call_method1("write", (stream, &response))?;
    Ok(response)
}

/// A subclass's own `request` is honoured: requests' methods call it too.
#[cold]
fn through_request<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &'static str,
    url: &Bound<'py, PyAny>,
    bodies: [Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let kwargs = all_arguments(slf, method, bodies, kwargs)?;
    slf.call_method(intern!(slf.py(), "request"), (method, url), Some(&kwargs))
}

/// The arguments of `get` and its like as those of `request`.
fn all_arguments<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    [data, json]: [Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let kwargs = kwargs.map_or_else(|| Ok(PyDict::new(slf.py())), |kwargs| kwargs.copy())?;
    for (name, value) in [("data", data), ("json", json)] {
        if let Some(value) = value {
            kwargs.set_item(name, value)?;
        }
    }
    if method == "HEAD" && slf.get().style == Style::Requests && !kwargs.contains("allow_redirects")? {
        kwargs.set_item("allow_redirects", false)?;
    }
    Ok(kwargs)
}

/// A request that is ready to be sent; `None`: requests' own code must make it.
type Prepared<'py> = Option<(Box<Operation>, Call<'py>)>;

// This and the next stay out of their callers: a frame that is there while a user is parked is copied away and back.
#[inline(never)]
fn prepare_verb<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &'static str,
    url: &Bound<'py, PyAny>,
    [data, json]: &[Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Prepared<'py>> {
    let mut arguments = Arguments::read(kwargs)?;
    if data.is_some() {
        arguments.data.clone_from(data);
    }
    if json.is_some() {
        arguments.json.clone_from(json);
    }
    if method == "HEAD" && arguments.allow_redirects.is_none() && slf.get().style == Style::Requests {
        arguments.allow_redirects = Some(PyBool::new(slf.py(), false).to_owned().into_any());
    }
    prepare_operation(slf, method, url, arguments)
}

#[inline(never)]
fn prepare_operation<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    mut arguments: Arguments<'py>,
) -> PyResult<Prepared<'py>> {
    let this = slf.get();
    let snapshot = SessionBase::snapshot(slf)?;
    if this.style == Style::Gevent {
        super::fast::take_others(method, &mut arguments)?;
        if arguments.json.is_some()
            && (snapshot.headers.contains("content-type") || snapshot.headers.contains("accept"))
        {
            super::fast::insist_on_json(&mut arguments)?;
        }
    } else {
        arguments.refuse_others()?;
        if let Some(bundle) = &snapshot.bundle
            && arguments.verify.as_ref().is_none_or(|verify| verify.is(PyBool::new(verify.py(), true)))
        {
            arguments.verify = Some(bundle.clone());
        }
        if snapshot.slow || prepare::needs_requests(&arguments)? {
            return Ok(None);
        }
    }
    let request = build(slf, &snapshot, method, url, &arguments)?;
    let name = match arguments.name {
        Some(name) if name.is_truthy()? => Some(name),
        _ => match this.request_name(slf.py()).map(|name| name.into_bound(slf.py())) {
            Some(name) if name.is_truthy()? => Some(name),
            // geventhttpclient's sessions name a request as it was written.
            _ if this.style == Style::Gevent => Some(url.clone()),
            _ => None,
        },
    };
    let catch_response = match &arguments.catch_response {
        Some(given) => given.is_truthy()?,
        None => false,
    };
    let label = (request.method.as_str() != method).then(|| method.into());
    let operation = Operation {
        ticket: None,
        session: Arc::clone(&this.session),
        request,
        label,
        outcome: None,
        lag: Duration::ZERO,
    };
    let debug_stream = arguments.debug_stream;
    let call = Call { name, context: arguments.context, catch_response, url: url.clone(), debug_stream };
    Ok(Some((Box::new(operation), call)))
}

pub fn build(
    slf: &Bound<'_, SessionBase>,
    snapshot: &Snapshot<'_>,
    method: &str,
    url: &Bound<'_, PyAny>,
    arguments: &Arguments<'_>,
) -> PyResult<Request> {
    let style = slf.get().style;
    let method = if method.is_ascii() { method.to_ascii_uppercase() } else { method.to_uppercase() };
    let method = method.as_str();
    let Ok(path) = url.cast::<PyString>() else {
        let class = url.get_type().name()?;
        return Err(PyTypeError::new_err(format!("expected string or bytes-like object, got '{class}'")));
    };
    let params = query(slf, snapshot, arguments)?;
    let url = match &params {
        None => snapshot.base.join(path.to_str()?),
        Some(params) => snapshot.base.join_with(path.to_str()?, params),
    };
    let url = url.map_err(|error| url_error(slf.py(), &error))?;
    let mut headers = prepare::merge(style, &snapshot.headers, arguments.headers.as_ref())?;
    if style == Style::Requests {
        prepare::complete(slf.py(), &snapshot.headers, &mut headers)?;
    }
    let mut payload = match &arguments.files {
        Some(files) if files.is_truthy()? => multipart(files, arguments.data.as_ref())?,
        _ => prepare::payload(style, arguments.data.as_ref(), arguments.json.as_ref())?,
    };
    if style == Style::Gevent
        && payload.content_type.as_deref() == Some("application/json")
        && !prepare::has_header(&headers, "accept")
    {
        push_line(&mut headers.own, b"Accept", b"application/json");
    }
    let in_chunks = style == Style::Gevent
        && (payload.bytes.is_some() || arguments.headers.is_some())
        && prepare::has_header(&headers, "transfer-encoding");
    if in_chunks {
        payload.bytes = Some(crate::http::body::in_chunks(payload.bytes.as_deref().unwrap_or_default()));
    }
    let length = payload.bytes.as_ref().map(|body| body.len());
    if in_chunks {
        headers.remove("content-length");
    } else if length.is_some()
        || !matches!(method, "GET" | "HEAD" | "OPTIONS" | "DELETE")
        || (style == Style::Requests && !matches!(method, "GET" | "HEAD"))
    {
        headers.remove("content-length");
        push_line(&mut headers.trailing, b"Content-Length", itoa::Buffer::new().format(length.unwrap_or(0)).as_bytes());
    }
    if let Some(content_type) = &payload.content_type
        && !prepare::has_header(&headers, "content-type")
    {
        push_line(&mut headers.trailing, b"Content-Type", content_type.as_bytes());
    }
    let authorization = match &arguments.auth {
        Some(auth) => match prepare::authorization(auth)? {
            Auth::Header(value) => Some(Arc::from(value)),
            Auth::None | Auth::Object => None,
        },
        None => snapshot.authorization.clone().or_else(|| {
            let (user, password) = url.credentials()?;
            Some(crate::http::body::basic_auth(user.as_bytes(), password.as_bytes()).into())
        }),
    };
    if let Some(authorization) = authorization {
        headers.remove("authorization");
        push_line(&mut headers.trailing, b"Authorization", authorization.as_bytes());
    }
    let settings = prepare::settings(&snapshot.settings, arguments, true)?;
    if style == Style::Requests {
        prepare::check_files(&settings.tls, url.origin().is_secure())?;
    }
    let request = Request {
        method: prepare::method(style, method)?,
        url,
        headers,
        body: payload.bytes,
        upload: None,
        bare: false,
        cookies: match &arguments.cookies {
            Some(given) => prepare::cookies(given)?,
            None => Vec::new(),
        },
        settings,
        stream: match &arguments.stream {
            Some(stream) => stream.is_truthy()?,
            None => snapshot.stream,
        },
        names: names::of(slf.py(), style)?,
    };
    prepare::check_cookies(slf.py(), &slf.get().session, &request)?;
    Ok(request)
}

/// Files and fields in one body, as requests puts them there.
fn multipart(files: &Bound<'_, PyAny>, data: Option<&Bound<'_, PyAny>>) -> PyResult<Payload> {
    let py = files.py();
    let (bytes, content_type): (Vec<u8>, String) =
        slow(py)?.call_method1(intern!(py, "multipart"), (files, data))?.extract()?;
    Ok(Payload { bytes: Some(bytes.into()), content_type: Some(content_type.into()) })
}

/// The encoded query of `params=` and the session's own; nearly always there is none.
fn query(slf: &Bound<'_, SessionBase>, snapshot: &Snapshot<'_>, arguments: &Arguments<'_>) -> PyResult<Option<String>> {
    if !snapshot.has_params {
        return match &arguments.params {
            Some(params) if params.is_truthy()? => prepare::form(Style::Requests, params).map(Some),
            _ => Ok(None),
        };
    }
    let py = slf.py();
    let merge = py.import("requests.sessions")?.getattr("merge_setting")?;
    let merged = merge.call1((arguments.params.as_ref(), slf.getattr(intern!(py, "params"))?))?;
    if prepare::is_given(Some(&merged))? { prepare::form(Style::Requests, &merged).map(Some) } else { Ok(None) }
}

pub fn url_error(py: Python<'_>, error: &UrlError) -> PyErr {
    let class = match error.kind() {
        UrlErrorKind::MissingSchema => "MissingSchema",
        UrlErrorKind::InvalidSchema => "InvalidSchema",
        UrlErrorKind::InvalidUrl => "InvalidURL",
        UrlErrorKind::ValueError | UrlErrorKind::UnsupportedRedirectScheme => {
            return PyValueError::new_err(error.to_string());
        }
    };
    let raised = py.import("requests.exceptions").and_then(|module| module.getattr(class));
    match raised.and_then(|class| class.call1((error.to_string(),))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SessionBase>()
}
