//! What a client's method gives a coroutine: a request to be awaited.
//!
//! It is a coroutine itself as far as asyncio can tell: `await` it, hand it to `asyncio.gather`, `asyncio.create_task` or
//! a `TaskGroup`, use it in `async with`. Nothing is sent before. The operation goes to the I/O threads as every other
//! does, comes home over the same queue, and the drain gives a result to the asyncio future that the coroutine waits for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyRuntimeWarning, PyStopIteration, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::client::{SessionBase, exchange};
use super::hub::{hub, running};
use super::names;
use super::response::{Call, ResponseBase};
use crate::bridge::Ticket;
use crate::http::io::Operation;
use crate::http::request::Names;

const NOT_AWAITED: &str = "a request was made in a coroutine and never awaited: it was not sent";

#[pyclass(frozen, weakref, module = "gregaria._engine")]
pub struct Awaited {
    state: Mutex<State>,
    /// The `with` block of the response begins as soon as it is there.
    enters: AtomicBool,
    entered: Mutex<Option<Py<PyAny>>>,
}

enum State {
    Prepared(Box<Prepared>),
    /// On its way.
    Sent {
        ticket: Ticket,
        session: Py<SessionBase>,
        call: Box<OwnedCall>,
    },
    /// What takes code that parks: a call, which gets a greenlet of its own.
    Call(Py<PyAny>, Py<PyDict>),
    /// That call, under way.
    Called(Py<PyAny>),
    /// The answer, where nothing needs to be sent for it.
    Known(Py<PyAny>),
    Over,
}

struct Prepared {
    session: Py<SessionBase>,
    operation: Box<Operation>,
    call: OwnedCall,
}

/// A `Call` that outlives the call.
struct OwnedCall {
    name: Option<Py<PyAny>>,
    context: Option<Py<PyAny>>,
    catch_response: bool,
    url: Py<PyAny>,
    debug_stream: Option<Py<PyAny>>,
}

impl OwnedCall {
    fn new(call: Call<'_>) -> Self {
        Self {
            name: call.name.map(Bound::unbind),
            context: call.context.map(Bound::unbind),
            catch_response: call.catch_response,
            url: call.url.unbind(),
            debug_stream: call.debug_stream.map(Bound::unbind),
        }
    }

    fn bind(self, py: Python<'_>) -> Call<'_> {
        let bind = |given: Option<Py<PyAny>>| given.map(|given| given.into_bound(py));
        Call {
            name: bind(self.name),
            context: bind(self.context),
            catch_response: self.catch_response,
            url: self.url.into_bound(py),
            debug_stream: bind(self.debug_stream),
        }
    }

    fn visit(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.name)?;
        visit.call(&self.context)?;
        visit.call(&self.url)?;
        visit.call(&self.debug_stream)
    }
}

impl Awaited {
    /// A request that is ready to be sent.
    pub fn request<'py>(
        session: &Bound<'py, SessionBase>,
        mut operation: Box<Operation>,
        call: Call<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = session.py();
        // Later it could not be asked without parking.
        operation.request.names = names::of(py, session.get().style())?;
        let parks = call.debug_stream.is_some() || matches!(operation.request.names, Names::Caller(_));
        let prepared = Prepared { session: session.clone().unbind(), operation, call: OwnedCall::new(call) };
        let request = Self::new(State::Prepared(Box::new(prepared)));
        if !parks {
            return Ok(Bound::new(py, request)?.into_any());
        }
        let exchange = Bound::new(py, request)?.getattr(intern!(py, "_exchange"))?;
        Self::call(&exchange, PyDict::new(py))
    }

    /// A call without positional arguments of what parks.
    pub fn call<'py>(function: &Bound<'py, PyAny>, kwargs: Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let call = State::Call(function.clone().unbind(), kwargs.unbind());
        Ok(Bound::new(function.py(), Self::new(call))?.into_any())
    }

    pub fn known(answer: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
        let py = answer.py();
        Ok(Bound::new(py, Self::new(State::Known(answer.unbind())))?.into_any())
    }

    fn new(state: State) -> Self {
        Self { state: Mutex::new(state), enters: AtomicBool::new(false), entered: Mutex::new(None) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }

    fn take(&self) -> State {
        std::mem::replace(&mut *self.state(), State::Over)
    }

    fn set(&self, state: State) {
        let old = std::mem::replace(&mut *self.state(), state);
        drop(old);
    }

    /// Send it; what the coroutine is to wait for.
    fn send_off<'py>(&self, py: Python<'py>, prepared: Prepared) -> PyResult<Bound<'py, PyAny>> {
        let hub = hub(py)?;
        let future = hub.coroutines(py)?.get(py).call_method0(intern!(py, "create_future"))?;
        let Prepared { session, operation, call } = prepared;
        let ticket = hub.exchange_for(py, operation, future.clone().unbind())?;
        self.set(State::Sent { ticket, session, call: Box::new(call) });
        // How asyncio tells a future that is awaited from one that was yielded by mistake.
        future.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
        Ok(future)
    }

    fn collect(&self, py: Python<'_>, ticket: Ticket, session: &Py<SessionBase>, call: OwnedCall) -> PyResult<PyErr> {
        let Some(operation) = hub(py)?.collect(py, ticket)? else {
            return Err(PyRuntimeError::new_err("a request was resumed before its response was there"));
        };
        let response = ResponseBase::deliver(session.bind(py), operation, call.bind(py), Instant::now())?;
        self.answer(response)
    }

    /// How a coroutine returns.
    fn answer(&self, response: Bound<'_, PyAny>) -> PyResult<PyErr> {
        if !self.enters.load(Ordering::Relaxed) {
            return Ok(PyStopIteration::new_err(response.unbind()));
        }
        let value = response.call_method0(intern!(response.py(), "__enter__"))?;
        let old = self.entered.lock().expect("nothing panics under this lock").replace(response.unbind());
        drop(old);
        Ok(PyStopIteration::new_err(value.unbind()))
    }

    /// Go on with a call under way, by one of its methods; it stays under way unless it raises.
    fn go_on<'py>(
        &self,
        coroutine: Bound<'py, PyAny>,
        method: &str,
        arguments: Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = coroutine.py();
        match coroutine.call_method1(method, arguments) {
            Ok(yielded) => {
                self.set(State::Called(coroutine.unbind()));
                Ok(yielded)
            }
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                Err(self.answer(error.value(py).getattr(intern!(py, "value"))?)?)
            }
            Err(error) => Err(error),
        }
    }

    /// Nobody waits for it any more.
    fn give_up(&self, py: Python<'_>) -> PyResult<()> {
        match self.take() {
            State::Sent { ticket, session, .. } => match running(py) {
                Some(hub) => hub.abandon(py, session.get().session().id(), ticket),
                None => Ok(()),
            },
            State::Called(coroutine) => coroutine.bind(py).call_method0(intern!(py, "close")).map(drop),
            _ => Ok(()),
        }
    }
}

#[pymethods]
impl Awaited {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.take() {
            State::Prepared(prepared) => self.send_off(py, *prepared),
            State::Sent { ticket, session, call } => Err(self.collect(py, ticket, &session, *call)?),
            State::Call(function, kwargs) => {
                let module = py.import("gregaria._aio")?;
                let coroutine = module.call_method1(intern!(py, "call"), (function, kwargs))?;
                self.go_on(coroutine, "send", PyTuple::new(py, [py.None()])?)
            }
            State::Called(coroutine) => self.go_on(coroutine.into_bound(py), "send", PyTuple::new(py, [py.None()])?),
            State::Known(answer) => Err(self.answer(answer.into_bound(py))?),
            State::Over => Err(PyRuntimeError::new_err("this request was awaited before: make it anew")),
        }
    }

    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if value.is_none() {
            return self.__next__(value.py());
        }
        Err(PyTypeError::new_err("a request takes no value while it is awaited"))
    }

    /// Raise something where it is awaited: the request is given up, and its connection closed.
    #[pyo3(signature = (kind, value = None, traceback = None))]
    fn throw<'py>(
        &self,
        kind: &Bound<'py, PyAny>,
        value: Option<&Bound<'py, PyAny>>,
        traceback: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = kind.py();
        let call = match &*self.state() {
            State::Called(coroutine) => Some(coroutine.clone_ref(py)),
            _ => None,
        };
        if let Some(coroutine) = call {
            self.set(State::Over);
            let arguments = PyTuple::new(py, [Some(kind), value, traceback])?;
            return self.go_on(coroutine.into_bound(py), "throw", arguments);
        }
        self.give_up(py)?;
        let error = match value {
            Some(value) if !value.is_none() => value.clone(),
            _ => kind.clone(),
        };
        let error = if error.is_callable() { error.call0()? } else { error };
        Err(PyErr::from_value(error))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.give_up(py)
    }

    fn __aenter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf.get().enters.store(true, Ordering::Relaxed);
        slf
    }

    fn __aexit__<'py>(
        &self,
        class: &Bound<'py, PyAny>,
        raised: &Bound<'py, PyAny>,
        traceback: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let Some(response) = self.entered.lock().expect("nothing panics under this lock").take() else {
            return Err(PyRuntimeError::new_err("this `async with` block has not begun"));
        };
        Self::known(response.bind(py).call_method1(intern!(py, "__exit__"), (class, raised, traceback))?)
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.give_up(py)?;
        Err(PyTypeError::new_err(
            "in a coroutine, write `async with self.client.get(…) as response:`, or `with await self.client.get(…) as response:`",
        ))
    }

    fn __exit__(&self, _class: &Bound<'_, PyAny>, _raised: &Bound<'_, PyAny>, _traceback: &Bound<'_, PyAny>) {}

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        if name.starts_with('_') || name.starts_with("cr_") || name.starts_with("gi_") {
            // Asked by asyncio and inspect, who take no for an answer.
            return Err(PyAttributeError::new_err(format!("'Awaited' object has no attribute '{name}'")));
        }
        self.give_up(py)?;
        Err(PyAttributeError::new_err(format!(
            "a request in a coroutine has no `{name}` before it is awaited: write `response = await self.client.get(…)`"
        )))
    }

    /// Send it now, and park until it is answered.
    fn _exchange<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.take() {
            State::Prepared(prepared) => {
                let Prepared { session, operation, call } = *prepared;
                exchange(session.bind(py), operation, call.bind(py))
            }
            _ => Err(PyRuntimeError::new_err("this request was sent before: make it anew")),
        }
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        // A held lock means that this thread is inside: it is alive, and so is what it holds.
        if let Ok(entered) = self.entered.try_lock() {
            visit.call(&*entered)?;
        }
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        match &*state {
            State::Prepared(prepared) => {
                visit.call(&prepared.session)?;
                prepared.call.visit(&visit)
            }
            State::Sent { session, call, .. } => {
                visit.call(session)?;
                call.visit(&visit)
            }
            State::Call(function, kwargs) => {
                visit.call(function)?;
                visit.call(kwargs)
            }
            State::Called(held) | State::Known(held) => visit.call(held),
            State::Over => Ok(()),
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        Python::attach(|py| {
            let was_forgotten = matches!(&*self.state(), State::Prepared(_) | State::Call(..));
            let given_up = self.give_up(py);
            let warned = if was_forgotten {
                PyErr::warn(
                    py,
                    &py.get_type::<PyRuntimeWarning>(),
                    &std::ffi::CString::new(NOT_AWAITED).unwrap_or_default(),
                    1,
                )
            } else {
                Ok(())
            };
            for error in [given_up.err(), warned.err()].into_iter().flatten() {
                error.write_unraisable(py, None);
            }
        });
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Awaited>()
}
