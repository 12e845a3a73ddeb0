//! `self.client`: the engine's part of `HttpSession` and `FastHttpSession`.
//!
//! `state.rs`: what a session's requests are prepared from; `call.rs`: a call, from its arguments to its response;
//! `build.rs`: the request that a call makes; `to_await.rs`: a call in a coroutine.

mod build;
mod call;
mod state;
mod to_await;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

pub use self::build::{build, url_error};
pub use self::call::exchange;
use self::call::{Answer, by_requests, named, prepare_operation, slow, unsendable, verb};
use self::state::{
    State, overrides_context, requests_defaults, shared_base, shared_headers, shared_settings, wants_http2,
};
use super::arguments::Arguments;
use super::cookies;
use super::coroutines;
use super::hub::hub;
use super::names;
use super::pool::{Shared, SharedPool};
use super::prepare::{self, SessionHeaders};
use super::response::ResponseBase;
use crate::http::io::{Command, forget};
use crate::http::request::{AtTheLimit, Names, Retries, Statuses};
use crate::http::transport::tls::{Identity, Options, Pem, Tls, Trust};
use crate::http::url::{Style, is_absolute};
use crate::http::{Phases, Session, Settings};
use crate::sync::held;

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
    /// Its last request found its connection open, and so will the next, as far as one can tell.
    is_connected: AtomicBool,
    request_event: Mutex<Option<Py<PyAny>>>,
    user: Mutex<Option<Py<PyAny>>>,
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
            state: Mutex::new(State::new(class.py(), style)?),
            stale: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
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
        let seams =
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
            state.seams = seams;
            state.http2 = http2;
            state.settings = Arc::clone(requests_defaults(http2));
        }
        let old = held(&this.request_event).replace(request_event);
        drop(old);
        let old = std::mem::replace(&mut *held(&this.user), user);
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

    /// What an `SSLContext` says. `authorities`: `None` accepts any certificate.
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
        held(&self.request_event).as_ref().map(|event| event.clone_ref(py))
    }

    #[setter]
    fn set_request_event(&self, event: Py<PyAny>) {
        let old = held(&self.request_event).replace(event);
        drop(old);
    }

    #[getter]
    pub fn user(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        held(&self.user).as_ref().map(|user| user.clone_ref(py))
    }

    #[setter]
    fn set_user(&self, user: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut *held(&self.user), user);
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

    /// Keep the cookies that a response has set.
    fn _keep_cookies(&self, response: &Bound<'_, ResponseBase>) {
        if let Some((request, response)) = response.get().answered() {
            self.session.store_cookies(request, response);
        }
    }

    /// Use the connections of a pool, which other sessions use too, and no own ones any more.
    fn _join(&self, pool: &SharedPool) {
        self.session.join(pool.0.id);
        let old = held(&self.pool).replace(Arc::clone(&pool.0));
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
            arguments.name.clone_from(&name);
        }
        let text = method.str()?;
        if coroutines::runs_here(slf.py())? {
            let prepared = prepare_operation(slf, text.to_str()?, url, arguments);
            return to_await::request(slf, &text, url, prepared, name, kwargs);
        }
        match prepare_operation(slf, text.to_str()?, url, arguments) {
            Ok(Some((operation, call))) => exchange(slf, operation, call),
            Ok(None) => {
                let kwargs = kwargs.map_or_else(|| Ok(PyDict::new(slf.py())), pyo3::types::PyDictMethods::copy)?;
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
            if let Some(volatile) = &state.volatile {
                visit.call(&volatile.headers)?;
                visit.call(&volatile.auth)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let event = held(&self.request_event).take();
        let user = held(&self.user).take();
        drop((event, user));
    }
}

/// The name of a file, the certificate in it, its key unless it is in there, and the key's password.
type GivenIdentity = (String, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

impl Drop for SessionBase {
    fn drop(&mut self) {
        // The connections of a pool are not its own.
        if held(&self.pool).is_none() {
            forget(self.session.id());
        }
    }
}

impl SessionBase {
    fn state(&self) -> MutexGuard<'_, State> {
        held(&self.state)
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

    /// Who looks up the names of the next request. That is found out for each new connection; where none is expected, it
    /// is asked only should one be opened after all.
    pub fn names(&self, py: Python<'_>) -> PyResult<Names> {
        if self.is_connected.load(Ordering::Relaxed) {
            Ok(Names::Caller(Vec::new()))
        } else {
            names::of(py, self.style)
        }
    }

    /// A request has come back.
    pub fn exchanged(&self, phases: &Phases) {
        self.is_connected.store(phases.reused > 0 && phases.opened == 0, Ordering::Relaxed);
    }

    /// The text of `url` on this session's base.
    pub fn full_url(&self, url: &str) -> String {
        if is_absolute(url) { url.to_owned() } else { format!("{}{url}", self.state().base.text()) }
    }

    pub fn overrides_context(&self) -> bool {
        self.state().overrides_context
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SessionBase>()
}
