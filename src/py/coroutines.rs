//! Coroutines: what an `async def` task, `on_start` or listener returns is run on one asyncio loop beside gevent's hub.
//!
//! The loop (`gregaria._aio`) lives in a greenlet of the main thread and waits in gevent's hub, so coroutines and
//! greenlets take turns and none needs a lock. A user's greenlet is parked while its coroutine runs. That is where
//! pyo3-async-runtimes serves: it makes a Rust future of a Python one, and the hub waits for it as for any other. In the
//! other direction it does not: its futures are completed by whoever finishes them, who takes the GIL for that, and our
//! I/O threads never do. A request that a coroutine awaits comes home as all do (`py::awaited`).

use std::cell::Cell;
use std::pin::Pin;

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3_async_runtimes::{TaskLocals, into_future_with_locals};

use super::awaited::Awaited;
use super::greenlet;
use super::hub::{Hub, hub};

thread_local! {
    /// The address of the greenlet that runs the loop; 0 while none does. Compared, never followed.
    static GREENLET: Cell<usize> = const { Cell::new(0) };
}

/// asyncio's loop on a hub.
pub struct EventLoop {
    locals: TaskLocals,
}

impl EventLoop {
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let made = py.import("gregaria._aio")?.getattr("Loop")?.call0()?;
        Ok(Self { locals: TaskLocals::new(made) })
    }

    pub fn get<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.locals.event_loop(py)
    }
}

/// Whether what runs now is a coroutine, or a callback of its loop: code that must not park.
pub fn runs_here(py: Python<'_>) -> PyResult<bool> {
    match GREENLET.get() {
        0 => Ok(false),
        address => Ok(greenlet::current(py)?.as_ptr() as usize == address),
    }
}

/// The loop's greenlet may not be parked by what a coroutine calls: it would hold up all others.
pub fn refuse_to_park(greenlet: &Bound<'_, PyAny>) -> PyResult<()> {
    if greenlet.as_ptr() as usize != GREENLET.get() {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(
        "this would hold up every coroutine: in an `async def`, write `await asyncio.sleep(…)` to wait, and \
         `await asyncio.to_thread(function)` for code that waits by itself",
    ))
}

/// Run what a task has returned, if that is a coroutine.
// Apart from the task loop, whose frame every parked user's stack has in it.
#[inline(never)]
pub fn settle(returned: Bound<'_, PyAny>) -> PyResult<()> {
    run_if_one(returned).map(drop)
}

/// The result of a coroutine, which is run now; anything else as it is.
#[pyfunction]
#[pyo3(name = "settle")]
fn run_if_one(returned: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    static COROUTINE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = returned.py();
    let is_one = returned.get_type().is(COROUTINE.import(py, "types", "CoroutineType")?);
    if !is_one && !returned.is_instance_of::<Awaited>() {
        return Ok(returned);
    }
    if runs_here(py)? {
        // Whoever called cannot wait for it.
        return hub(py)?.coroutines(py)?.get(py).call_method1(intern!(py, "start_beside"), (returned,));
    }
    run(&returned)
}

/// Run a coroutine on the loop, with the running greenlet parked until it ends.
fn run<'py>(coroutine: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = coroutine.py();
    let hub = hub(py)?;
    let locals = &hub.coroutines(py)?.locals;
    let task = locals.event_loop(py).call_method1(intern!(py, "start"), (coroutine,))?;
    let mut end = Box::pin(into_future_with_locals(locals, task.clone())?);
    match hub.wait_for(py, end.as_mut()) {
        Ok(Ok(result)) => Ok(result.into_bound(py)),
        Ok(Err(error)) => Err(as_of_a_task(py, error)),
        Err(thrown) => Err(cancel(&hub, &task, end, thrown)),
    }
}

/// Something was thrown into the greenlet: a kill, a `gevent.Timeout`. The coroutine ends first, with all its `finally`
/// blocks; what is thrown meanwhile cancels it anew.
#[cold]
#[inline(never)]
fn cancel<F>(hub: &Hub, task: &Bound<'_, PyAny>, mut end: Pin<Box<F>>, mut thrown: PyErr) -> PyErr
where
    F: Future<Output = PyResult<Py<PyAny>>>,
{
    let py = task.py();
    loop {
        match hub.is_over(py) {
            Ok(false) => {}
            Ok(true) => return thrown,
            Err(error) => return error,
        }
        if let Err(error) = task.call_method0(intern!(py, "cancel")) {
            return error;
        }
        match hub.wait_for(py, end.as_mut()) {
            Ok(_) => {
                let told = py
                    .import("gregaria._aio")
                    .and_then(|module| module.call_method1(intern!(py, "tell_of_failed_end"), (task,)));
                return told.err().unwrap_or(thrown);
            }
            Err(again) => thrown = again,
        }
    }
}

/// What a coroutine raised, as a task's exception.
#[cold]
fn as_of_a_task(py: Python<'_>, error: PyErr) -> PyErr {
    static CANCELLED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static GREENLET_EXIT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py) {
        // The loop has raised it already, as asyncio does, and gevent has told the main greenlet.
        let quiet = GREENLET_EXIT.import(py, "greenlet", "GreenletExit").and_then(|class| class.call0());
        return quiet.map_or_else(|error| error, PyErr::from_value);
    }
    match CANCELLED.import(py, "asyncio", "CancelledError") {
        Ok(class) if error.is_instance(py, class) => {
            // No stop of ours: those end above. As it is, it would pass every `except Exception`.
            let told = PyRuntimeError::new_err("the coroutine was cancelled, and not by a stop of its user");
            told.set_cause(py, Some(error));
            told
        }
        Ok(_) => error,
        Err(error) => error,
    }
}

/// Tell a coroutine that what it waits for is there; one that was cancelled knows better.
pub fn set_done(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    future.call_method1(intern!(py, "set_result"), (py.None(),)).map(drop)
}

/// The running greenlet is the loop's from now on, or no longer.
#[pyfunction]
fn note_loop_greenlet(py: Python<'_>, runs: bool) -> PyResult<()> {
    let address = if runs { greenlet::current(py)?.as_ptr() as usize } else { 0 };
    GREENLET.set(address);
    Ok(())
}

/// Whether what runs now is a coroutine or a callback of the asyncio loop: code that must not wait otherwise than by `await`.
#[pyfunction]
fn in_coroutine(py: Python<'_>) -> PyResult<bool> {
    runs_here(py)
}

/// The child of a fork has no loop yet.
pub fn forget() {
    GREENLET.set(0);
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run_if_one, module)?)?;
    module.add_function(wrap_pyfunction!(note_loop_greenlet, module)?)?;
    module.add_function(wrap_pyfunction!(in_coroutine, module)?)
}
