//! `_engine.WebServer`: the web page's server, and what it hands over to Python.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tokio::sync::mpsc;

use super::cluster::master::ClusterMaster;
use super::hub::hub;
use super::verdict::Verdict;
use crate::sync::held;
use crate::web::handover::Asking;
use crate::web::{self, Answer, Bind, Percentiles, Request, Server, Settings, Shared, Status};

type Headers = Vec<(String, String)>;

/// Serves from its creation until it is closed.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct WebServer {
    shared: Arc<Shared>,
    port: u16,
    server: Mutex<Server>,
}

#[pymethods]
impl WebServer {
    /// `OSError` where it cannot listen, or cannot use the files `tls` (certificate and key).
    #[new]
    #[pyo3(signature = (verdict, *, host="", port=8089, base_path="", tls=None, hosts=Vec::new(), takes_every_host=false,
        build_path=None, history_file=None, window=10, cache_time=2.0, hands_over=(false, false)))]
    #[allow(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        py: Python<'_>,
        verdict: &Verdict,
        host: &str,
        port: u16,
        base_path: &str,
        tls: Option<(String, String)>,
        hosts: Vec<String>,
        takes_every_host: bool,
        build_path: Option<PathBuf>,
        history_file: Option<PathBuf>,
        window: i64,
        cache_time: f64,
        hands_over: (bool, bool),
    ) -> PyResult<Self> {
        let settings = Settings {
            base: base_path.trim_end_matches('/').to_owned(),
            window,
            kept: Duration::try_from_secs_f64(cache_time).unwrap_or_default(),
            hosts,
            takes_every_host,
            build_path,
            history_file,
            tls,
        };
        let shared = Arc::new(Shared::new(settings, Arc::clone(verdict.session())));
        // Before anybody can connect: behind a login nothing is for everybody, not even in the first moment.
        shared.hand_over(hands_over.0, hands_over.1);
        let bind = Bind { host: host.to_owned(), port };
        let server = py.detach(|| Server::start(&bind, Arc::clone(&shared)))?;
        Ok(Self { shared, port: server.address().port(), server: Mutex::new(server) })
    }

    #[getter]
    fn port(&self) -> u16 {
        self.port
    }

    /// Park until there is a request that Python is to answer; `None` when there will be no more. One greenlet may wait.
    fn next(&self, py: Python<'_>) -> PyResult<Option<WebRequest>> {
        let shared = Arc::clone(&self.shared);
        let mut next = pin!(poll_fn(|context| shared.handover().poll_next(context)));
        Ok(hub(py)?.wait_for(py, next.as_mut())?.map(WebRequest::new))
    }

    /// Have Python answer also what the server could: the routes that Locust has, and those that are ours.
    fn hand_over(&self, locusts: bool, ours: bool) {
        self.shared.hand_over(locusts, ours);
    }

    /// What the server answers to a GET of this path below the base path: status, headers and body. `None` for a path that
    /// is not its own, and for the stream.
    #[pyo3(signature = (path, query="", headers=Vec::new()))]
    fn builtin<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        query: &str,
        headers: Headers,
    ) -> Option<(u16, Headers, Bound<'py, PyBytes>)> {
        let ready = py.detach(|| self.shared.builtin(path, query, &headers))?;
        let headers = ready.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Some((ready.status, headers, PyBytes::new(py, &ready.body)))
    }

    /// Show the runs of this verdict from now on.
    fn follow(&self, verdict: &Verdict) {
        self.shared.follow(Arc::clone(verdict.session()));
    }

    /// Show the workers of this master from now on.
    fn follow_fleet(&self, master: &ClusterMaster) {
        self.shared.follow_fleet(Arc::clone(master.fleet()));
    }

    /// What Python knows of workers' logs, by their ids, where this is no master.
    fn set_worker_logs(&self, lines: BTreeMap<String, Vec<String>>) {
        self.shared.set_worker_logs(lines);
    }

    /// Which percentiles are shown of each entry, of the last seconds, and in CSV files; as quantiles.
    fn set_percentiles(&self, statistics: Vec<f64>, chart: Vec<f64>, report: Vec<f64>) {
        self.shared.set_percentiles(Percentiles { statistics, chart, report });
    }

    /// What the page shows beside the figures and the workers.
    #[pyo3(signature = (*, state, has_runner=true, host=None, locustfile=None, download_name=String::new(), profile=None,
        shape=None, target_user_count=0, spawn_rate=None, user_classes=Vec::new(),
        run_time=None, ends=None, iterations=None, seed=None))]
    #[allow(clippy::too_many_arguments, clippy::type_complexity, reason = "Python names them")]
    fn set_status(
        &self,
        state: String,
        has_runner: bool,
        host: Option<String>,
        locustfile: Option<String>,
        download_name: String,
        profile: Option<String>,
        shape: Option<String>,
        target_user_count: u64,
        spawn_rate: Option<f64>,
        user_classes: Vec<(String, u64)>,
        run_time: Option<f64>,
        ends: Option<f64>,
        iterations: Option<(u64, u64)>,
        seed: Option<u64>,
    ) {
        self.shared.set_status(Status {
            state,
            has_runner,
            host,
            locustfile,
            download_name,
            profile,
            shape,
            target_user_count,
            spawn_rate,
            user_classes,
            run_time,
            ends,
            iterations,
            seed,
            worker_count: None,
        });
    }

    /// Note lines of the log, oldest first.
    fn log(&self, lines: Vec<String>) {
        self.shared.log(lines);
    }

    /// What went wrong since this was last asked, each a sentence.
    fn take_complaints(&self) -> Vec<String> {
        self.shared.take_complaints()
    }

    /// Make the next answer to `/stats/requests` anew.
    fn clear_cache(&self) {
        self.shared.forget_cached();
    }

    /// Listen no more; answers that are on their way arrive.
    fn close(&self, py: Python<'_>) {
        py.detach(|| held(&self.server).close());
    }
}

/// A request that Python is to answer. Who lets go of it unanswered has the client told that something went wrong.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct WebRequest {
    asking: Asking,
    request: Mutex<Option<Request>>,
    body: Mutex<Option<mpsc::Sender<Bytes>>>,
}

impl WebRequest {
    fn new(mut request: Request) -> Self {
        let asking = std::mem::take(&mut request.asking);
        Self { asking, request: Mutex::new(Some(request)), body: Mutex::default() }
    }

    fn take(&self) -> PyResult<Request> {
        let request = held(&self.request).take();
        request.ok_or_else(|| PyRuntimeError::new_err("this request was answered already"))
    }
}

#[pymethods]
impl WebRequest {
    #[getter]
    fn method(&self) -> &str {
        &self.asking.method
    }

    /// With the base path, without the query, and as it was sent: percent-encoded.
    #[getter]
    fn path(&self) -> &str {
        &self.asking.path
    }

    #[getter]
    fn query(&self) -> &str {
        &self.asking.query
    }

    /// Names in lower case.
    #[getter]
    fn headers(&self) -> Headers {
        self.asking.headers.clone()
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.asking.body)
    }

    /// `http` or `https`.
    #[getter]
    fn scheme(&self) -> &'static str {
        self.asking.scheme
    }

    /// The address of who asks.
    #[getter]
    fn peer(&self) -> &str {
        &self.asking.peer
    }

    /// Once. `RuntimeError` if it was answered.
    fn answer(&self, status: u16, headers: Headers, body: &[u8]) -> PyResult<()> {
        self.take()?.answer(Answer::Whole { status, headers, body: Bytes::copy_from_slice(body) });
        Ok(())
    }

    /// Have the server answer by itself, and add these headers. `RuntimeError` if it was answered.
    #[pyo3(signature = (headers=Vec::new()))]
    fn pass_on(&self, headers: Headers) -> PyResult<()> {
        self.take()?.answer(Answer::PassOn { headers });
        Ok(())
    }

    /// Begin an answer whose body comes by and by: `send()`, and `end()`. `RuntimeError` if it was answered.
    fn begin(&self, status: u16, headers: Headers) -> PyResult<()> {
        let request = self.take()?;
        let (sender, body) = web::written();
        *held(&self.body) = Some(sender);
        request.answer(Answer::Written { status, headers, body });
        Ok(())
    }

    /// Send some of the body; park while the client is too slow for it. `False` when the client has gone.
    fn send(&self, py: Python<'_>, bytes: &[u8]) -> PyResult<bool> {
        let sender = held(&self.body).clone();
        let sender = sender.ok_or_else(|| PyRuntimeError::new_err("`begin()` comes before `send()`"))?;
        if bytes.is_empty() {
            return Ok(!sender.is_closed());
        }
        // On the heap: what a channel links into its list of who waits must stay where it is when this greenlet parks.
        let mut sending = Box::pin({
            let bytes = Bytes::copy_from_slice(bytes);
            async move { sender.send(bytes).await }
        });
        Ok(hub(py)?.wait_for(py, sending.as_mut())?.is_ok())
    }

    /// That was the body.
    fn end(&self) {
        *held(&self.body) = None;
    }
}

/// A page that npm made, `index` or `auth`, with `data` as it is in its place: JSON that is safe in HTML.
#[pyfunction]
fn web_page(page: &str, data: &str) -> PyResult<String> {
    web::page(page, data)
        .ok_or_else(|| PyValueError::new_err(format!("there is no page `{page}`: only `index` and `auth`")))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<WebServer>()?;
    module.add_class::<WebRequest>()?;
    module.add_function(wrap_pyfunction!(web_page, module)?)
}
