//! A call in a coroutine: it gives what is to be awaited.
//!
//! All of this is cold: frames of `call.rs` lie on the stacks of parked users, and nothing of this shall be in them.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::SessionBase;
use super::call::{Answer, Prepared, all_arguments, prepare_verb, unsendable};
use crate::py::awaited::Awaited;

type Bodies<'py> = [Option<Bound<'py, PyAny>>; 2];

/// `get` and its like. An overridden `request` is called in a greenlet of its own, where it finds what it knows.
#[cold]
#[inline(never)]
pub(super) fn verb<'py>(
    slf: &Bound<'py, SessionBase>,
    is_overridden: bool,
    method: &'static str,
    url: &Bound<'py, PyAny>,
    bodies: Bodies<'py>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let prepared = if is_overridden { Ok(None) } else { prepare_verb(slf, method, url, &bodies, kwargs) };
    let request = slf.getattr(intern!(slf.py(), "request"))?;
    call(slf, method, url, prepared, &request, || all_arguments(slf, method, bodies, kwargs))
}

/// `request` itself.
#[cold]
#[inline(never)]
pub(super) fn request<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &Bound<'py, PyString>,
    url: &Bound<'py, PyAny>,
    prepared: PyResult<Prepared<'py>>,
    name: Option<Bound<'py, PyAny>>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let py = slf.py();
    // Not `slf.request`: that may be an override, which is what has called this.
    let own = py.get_type::<SessionBase>().getattr(intern!(py, "request"))?;
    let own = own.call_method1(intern!(py, "__get__"), (slf,))?;
    call(slf, method.to_str()?, url, prepared, &own, || {
        let kwargs = kwargs.map_or_else(|| Ok(PyDict::new(py)), PyDictMethods::copy)?;
        name.map_or(Ok(()), |name| kwargs.set_item("name", name))?;
        Ok(kwargs)
    })
}

/// One that the engine does not prepare is made by `request`, in a greenlet of its own.
fn call<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    prepared: PyResult<Prepared<'py>>,
    request: &Bound<'py, PyAny>,
    arguments: impl FnOnce() -> PyResult<Bound<'py, PyDict>>,
) -> Answer<'py> {
    match prepared {
        Ok(Some((operation, call))) => Awaited::request(slf, operation, call),
        Ok(None) => {
            let arguments = arguments()?;
            arguments.set_item("method", method)?;
            arguments.set_item("url", url)?;
            Awaited::call(request, arguments)
        }
        Err(error) => Awaited::known(unsendable(slf, method, url, Some(&arguments()?), error)?),
    }
}
