//! `_engine.WebServer`: the web page's server, and what it hands over to Python.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::hub::hub;
use super::stats::StatsTable;
use crate::web::{self, Answer, Bind, Request, Server, Settings, Shared, Source, Status, Worker};

/// Serves from its creation until it is closed.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct WebServer {
    shared: Arc<Shared>,
    port: u16,
    server: Mutex<Server>,
}

#[pymethods]
impl WebServer {
    /// `OSError` where it cannot listen.
    #[new]
    #[pyo3(signature = (table, *, host="", port=8089, base_path="", statistics_percentiles=vec![0.95, 0.99],
        chart_percentiles=vec![0.5, 0.95], report_percentiles=crate::stats::PERCENTILES_TO_REPORT.to_vec(), window=10))]
    #[allow(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        py: Python<'_>,
        table: &StatsTable,
        host: &str,
        port: u16,
        base_path: &str,
        statistics_percentiles: Vec<f64>,
        chart_percentiles: Vec<f64>,
        report_percentiles: Vec<f64>,
        window: i64,
    ) -> PyResult<Self> {
        let settings = Settings {
            base: base_path.trim_end_matches('/').to_owned(),
            statistics: statistics_percentiles,
            chart: chart_percentiles,
            report: report_percentiles,
            window,
        };
        let shared = Arc::new(Shared::new(settings, Source::of(Arc::clone(table.table()))));
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

    /// Show these figures from now on.
    fn follow(&self, table: &StatsTable) {
        self.shared.follow(Source::of(Arc::clone(table.table())));
    }

    /// What the page shows beside the figures. `workers`: id, state, users, CPU (%) and memory (bytes) of each.
    #[pyo3(signature = (*, state, has_runner=true, host=None, locustfile=None, profile=None, shape=None, target_user_count=0,
        spawn_rate=None, user_classes=Vec::new(), run=0, started=None, ended=None, run_time=None, iterations=None,
        seed=None, workers=None))]
    #[allow(clippy::too_many_arguments, clippy::type_complexity, reason = "Python names them")]
    fn set_status(
        &self,
        state: String,
        has_runner: bool,
        host: Option<String>,
        locustfile: Option<String>,
        profile: Option<String>,
        shape: Option<String>,
        target_user_count: u64,
        spawn_rate: Option<f64>,
        user_classes: Vec<(String, u64)>,
        run: u64,
        started: Option<f64>,
        ended: Option<f64>,
        run_time: Option<f64>,
        iterations: Option<(u64, u64)>,
        seed: Option<u64>,
        workers: Option<Vec<(String, String, u64, f64, u64)>>,
    ) {
        let worker = |(id, state, user_count, cpu_usage, memory_usage)| Worker {
            id,
            state,
            user_count,
            cpu_usage,
            memory_usage,
        };
        let workers = workers.map(|workers| workers.into_iter().map(worker).collect());
        self.shared.set_status(Status {
            state,
            has_runner,
            host,
            locustfile,
            profile,
            shape,
            target_user_count,
            spawn_rate,
            user_classes,
            run,
            started,
            ended,
            run_time,
            iterations,
            seed,
            workers,
        });
    }

    /// Note lines of the log, oldest first.
    fn log(&self, lines: Vec<String>) {
        self.shared.log(lines);
    }

    /// Make the next answer to `/stats/requests` anew.
    fn clear_cache(&self) {
        self.shared.forget_cached();
    }

    /// Listen no more; answers that are on their way arrive.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.server.lock().unwrap_or_else(PoisonError::into_inner).close());
    }
}

/// A request that Python is to answer. Who lets go of it unanswered has the client told that something went wrong.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct WebRequest {
    #[pyo3(get)]
    method: String,
    /// With the base path, without the query, and as it was sent: percent-encoded.
    #[pyo3(get)]
    path: String,
    #[pyo3(get)]
    query: String,
    /// Names in lower case.
    #[pyo3(get)]
    headers: Vec<(String, String)>,
    /// `http` or `https`.
    #[pyo3(get)]
    scheme: &'static str,
    /// The address of who asks.
    #[pyo3(get)]
    peer: String,
    body: Bytes,
    request: Mutex<Option<Request>>,
}

impl WebRequest {
    fn new(mut request: Request) -> Self {
        Self {
            method: std::mem::take(&mut request.method),
            path: std::mem::take(&mut request.path),
            query: std::mem::take(&mut request.query),
            headers: std::mem::take(&mut request.headers),
            scheme: request.scheme,
            peer: std::mem::take(&mut request.peer),
            body: std::mem::take(&mut request.body),
            request: Mutex::new(Some(request)),
        }
    }
}

#[pymethods]
impl WebRequest {
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.body)
    }

    /// Once. `RuntimeError` if it was answered.
    fn answer(&self, status: u16, headers: Vec<(String, String)>, body: &[u8]) -> PyResult<()> {
        let request = self.request.lock().unwrap_or_else(PoisonError::into_inner).take();
        let request = request.ok_or_else(|| PyRuntimeError::new_err("this request was answered already"))?;
        request.answer(Answer { status, headers, body: Bytes::copy_from_slice(body) });
        Ok(())
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
