//! Events: what `locust.event.EventHook` keeps in Rust, and the listener that counts requests.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};

use super::clock;
use super::response::ResponseBase;
use super::stats::StatsTable;
use crate::stats::{ErrorText, Sample, Table};
use crate::sync::held;

/// Holds the listeners of an event where the engine can see them without a call: an event that nobody but the
/// statistics listens to then costs a check.
#[pyclass(subclass, frozen, module = "gregaria._engine")]
pub struct EventHookBase {
    handlers: Mutex<Py<PyList>>,
}

#[pymethods]
impl EventHookBase {
    /// Arguments are those of a subclass's own constructor.
    #[new]
    #[pyo3(signature = (*_arguments, **_named))]
    fn new(py: Python<'_>, _arguments: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) -> Self {
        Self { handlers: Mutex::new(PyList::empty(py).unbind()) }
    }

    #[getter]
    #[pyo3(name = "_handlers")]
    fn handlers(&self, py: Python<'_>) -> Py<PyList> {
        self.handlers.lock().expect("nothing panics under this lock").clone_ref(py)
    }

    #[setter]
    #[pyo3(name = "_handlers")]
    fn set_handlers(&self, handlers: Py<PyList>) {
        let old = std::mem::replace(&mut *self.handlers.lock().expect("nothing panics under this lock"), handlers);
        drop(old);
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        // A lock that is held is held by this thread, which is not collecting then.
        self.handlers.try_lock().map_or(Ok(()), |handlers| visit.call(&*handlers))
    }
}

/// The built-in listener of `events.request`: counts the request, and its failure if it has an exception.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct StatsListener {
    owner: Py<StatsTable>,
    table: Arc<Mutex<Table>>,
}

#[pymethods]
impl StatsListener {
    #[new]
    fn new(table: &Bound<'_, StatsTable>) -> Self {
        Self { table: Arc::clone(table.get().table()), owner: table.clone().unbind() }
    }

    /// As Locust's own listener: what it needs is the first four arguments; the rest may be anything.
    #[pyo3(signature = (*, request_type, name, response_time, response_length, exception = None, response = None, **_others))]
    #[allow(clippy::too_many_arguments)] // the event's arguments are what they are
    fn __call__(
        &self,
        request_type: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        response_time: Option<f64>,
        response_length: f64,
        exception: Option<&Bound<'_, PyAny>>,
        response: Option<&Bound<'_, PyAny>>,
        _others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let (method, name) = (request_type.str()?, name.str()?);
        let (method, name) = (method.to_string_lossy(), name.to_string_lossy());
        let failure = match exception {
            Some(exception) if exception.is_truthy()? => Some(exception),
            _ => None,
        };
        let response = response.and_then(|response| response.cast::<ResponseBase>().ok());
        let lag = response.and_then(|response| response.get().lag());
        let at = clock::now();
        let sample = Sample {
            response_time_ms: response_time,
            response_length: response_length as u64,
            generator_lag: lag.unwrap_or_default(),
            phases: response.and_then(|response| response.get().phases()),
            at,
        };
        match lag {
            Some(_) => self.lock().record(&method, &name, sample),
            None => self.lock().record_by_hand(&method, &name, sample),
        }
        failure.map_or(Ok(()), |failure| self.fail(&method, &name, failure, at))
    }
}

impl StatsListener {
    /// Count a request that only this listener is told of.
    pub fn count(&self, method: &str, name: &str, sample: Sample) {
        self.lock().record(method, name, sample);
    }

    /// Count one that failed, unless it is the first of its kind: that one's exception is kept, and somebody makes it.
    pub fn count_failed(&self, method: &str, name: &str, sample: Sample, words: &str) -> bool {
        let mut table = self.lock();
        let known = table.errors().knows(method, name, words);
        if known {
            table.record(method, name, sample);
            table.record_error(method, name, ErrorText { text: words, shown: words }, sample.at);
        }
        known
    }

    /// Count a failure for which there is an exception (or what a listener's caller gave for one).
    pub fn fail(&self, method: &str, name: &str, error: &Bound<'_, PyAny>, at: f64) -> PyResult<()> {
        self.owner.bind(error.py()).get().record_failure(method, name, error, at)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        held(&self.table)
    }
}

/// The statistics' listener, if `event` is an untouched hook with no listener but that.
pub fn only_statistics<'py>(event: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, StatsListener>>> {
    static HOOK: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = event.py();
    let plain = HOOK.import(py, "locust.event", "EventHook")?;
    if !event.get_type().is(plain) || PATCHED.load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(None);
    }
    let handlers = event.cast::<EventHookBase>()?.get().handlers(py).into_bound(py);
    if handlers.len() != 1 {
        return Ok(None);
    }
    Ok(handlers.get_item(0)?.cast_into::<StatsListener>().ok())
}

/// Somebody replaced a method of `EventHook`: from now on every event is fired through it.
static PATCHED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

#[pyfunction]
fn event_hook_patched() {
    PATCHED.store(true, std::sync::atomic::Ordering::Relaxed);
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<EventHookBase>()?;
    module.add_class::<StatsListener>()?;
    module.add_function(wrap_pyfunction!(event_hook_patched, module)?)
}
