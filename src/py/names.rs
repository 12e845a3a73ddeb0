//! Locustfiles that look up names themselves: by replacing `socket.getaddrinfo`, as many do to pin a host to an address.
//!
//! While it is the one that was there when `locust` was imported, the I/O threads look names up and Python is not asked.
//! Otherwise an operation stops where it needs an address, Python is asked here, and the operation goes on. So there is
//! one look-up for each new connection, as with Python's clients, also where a redirect leads elsewhere.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use pyo3::exceptions::{PyNotImplementedError, PyOSError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use super::hub::hub;
use crate::http::Failure;
use crate::http::io::Operation;
use crate::http::request::Names;
use crate::http::url::Style;

/// What was where Python's clients look, when `locust` was imported.
struct Originals {
    /// The namespaces of `socket`, which requests uses, and of `gevent.socket`, which geventhttpclient does.
    socket: Named,
    gevent: Named,
    /// urllib3's, where people turn IPv6 off.
    families: [Named; 2],
    connections: Named,
}

/// A name in a module, and what it stood for.
struct Named {
    module: Py<PyDict>,
    name: Py<PyString>,
    value: Py<PyAny>,
}

impl Named {
    fn new(py: Python<'_>, module: &str, name: &str) -> PyResult<Self> {
        let module = py.import(module)?;
        let name = PyString::intern(py, name);
        Ok(Self { value: module.getattr(&name)?.unbind(), module: module.dict().unbind(), name: name.unbind() })
    }

    fn is_replaced(&self, py: Python<'_>) -> PyResult<bool> {
        let found = self.module.bind(py).get_item(&self.name)?;
        Ok(!found.is_some_and(|found| found.is(&self.value)))
    }
}

impl Originals {
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static ORIGINALS: PyOnceLock<Originals> = PyOnceLock::new();
        let urllib3 = |name| Named::new(py, "urllib3.util.connection", name);
        ORIGINALS.get_or_try_init(py, || {
            Ok(Self {
                socket: Named::new(py, "socket", "getaddrinfo")?,
                gevent: Named::new(py, "gevent.socket", "getaddrinfo")?,
                families: [urllib3("allowed_gai_family")?, urllib3("HAS_IPV6")?],
                connections: urllib3("create_connection")?,
            })
        })
    }
}

/// Who looks up the names of a request: four look-ups in dictionaries, a fraction of a microsecond.
pub fn of(py: Python<'_>, style: Style) -> PyResult<Names> {
    let originals = Originals::get(py)?;
    let replaced = match style {
        Style::Gevent => originals.gevent.is_replaced(py)?,
        Style::Requests => {
            if originals.connections.is_replaced(py)? {
                return Err(PyNotImplementedError::new_err(
                    "gregaria does not support a replaced `urllib3.util.connection.create_connection`: \
                     replace `socket.getaddrinfo` to choose the address of a host",
                ));
            }
            let [function, flag] = &originals.families;
            originals.socket.is_replaced(py)? || function.is_replaced(py)? || flag.is_replaced(py)?
        }
    };
    Ok(if replaced { Names::Caller(Vec::new()) } else { Names::System })
}

/// Send an operation, look up the names it asks for, and wait until it is done.
pub fn exchange(py: Python<'_>, operation: Box<Operation>) -> PyResult<Box<Operation>> {
    let operation = hub(py)?.exchange(py, operation)?;
    if operation.question().is_none() { Ok(operation) } else { converse(py, operation) }
}

/// Answer what the operation asks, until it has no more questions.
// Not to widen the frame above, which is copied away and back with each request.
#[cold]
#[inline(never)]
fn converse(py: Python<'_>, mut operation: Box<Operation>) -> PyResult<Box<Operation>> {
    while let Some((host, port)) = operation.question() {
        let style = operation.request.url.style();
        if matches!(of(py, style)?, Names::System) {
            operation.ask_system();
            operation = hub(py)?.exchange(py, operation)?;
            continue;
        }
        let answer = look_up(py, style, host, port)?;
        let goes_on = answer.is_ok();
        operation.answer(answer);
        if goes_on {
            operation = hub(py)?.exchange(py, operation)?;
        }
    }
    Ok(operation)
}

/// Ask what stands in the place of `getaddrinfo`. It may switch to other greenlets. What it raises that is no `OSError`
/// is the task's, as it is there with Python's clients.
fn look_up(py: Python<'_>, style: Style, host: &str, port: u16) -> PyResult<Result<Vec<SocketAddr>, Failure>> {
    let module = py.import("gregaria._names")?;
    match module.call_method1(intern!(py, "look_up"), (style == Style::Gevent, host, port)) {
        Ok(found) => {
            let found: Vec<(IpAddr, u16, u32)> = found.extract()?;
            Ok(Ok(found.into_iter().map(|(address, port, scope)| socket_address(address, port, scope)).collect()))
        }
        Err(error) if error.is_instance_of::<PyOSError>(py) => failure(py, host, &error).map(Err),
        Err(error) => Err(error),
    }
}

fn socket_address(address: IpAddr, port: u16, scope: u32) -> SocketAddr {
    match address {
        IpAddr::V4(_) => SocketAddr::new(address, port),
        IpAddr::V6(address) => SocketAddrV6::new(address, port, 0, scope).into(),
    }
}

fn failure(py: Python<'_>, host: &str, error: &PyErr) -> PyResult<Failure> {
    let value = error.value(py);
    let number: Option<i32> = value.getattr(intern!(py, "errno"))?.extract().ok();
    let is_resolver = value.is_instance(&py.import("socket")?.getattr("gaierror")?)?;
    if is_resolver {
        let message = value.getattr(intern!(py, "strerror"))?.str()?.to_string();
        return Ok(Failure::Resolve {
            host: host.to_owned(),
            code: number.unwrap_or_default(),
            message: message.into(),
        });
    }
    Ok(Failure::Connect(number.map_or_else(|| io::Error::other(value.to_string()), io::Error::from_raw_os_error)))
}

/// Note what is there now: what a locustfile puts in its place is asked instead.
#[pyfunction]
fn remember_names(py: Python<'_>) -> PyResult<()> {
    Originals::get(py).map(drop)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(remember_names, module)?)
}
