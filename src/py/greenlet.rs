//! greenlet's C API: the one place with `unsafe`.
//!
//! A greenlet that switches away has its C stack copied off and put back at the same addresses when it is switched to
//! again. Rust frames on it survive that as long as nothing outside the greenlet points into them; `py::hub` keeps to
//! that rule (what other threads see lives in an `Arc` or a `Box`), and holds no borrow or lock across a switch.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

const CAPSULE: &CStr = c"greenlet._C_API";
const GET_CURRENT: usize = 4;
const SWITCH: usize = 6;

type GetCurrent = unsafe extern "C" fn() -> *mut ffi::PyObject;
type Switch = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;

struct Api {
    get_current: GetCurrent,
    switch: Switch,
}

static API: PyOnceLock<Api> = PyOnceLock::new();

fn api(py: Python<'_>) -> PyResult<&'static Api> {
    API.get(py).map_or_else(|| import(py), Ok)
}

// Out of the frames below which greenlets are switched: those are copied away and back.
#[cold]
#[inline(never)]
fn import(py: Python<'_>) -> PyResult<&'static Api> {
    API.get_or_try_init(py, || {
        // SAFETY: `py` proves that this thread is attached; the name is a C string.
        let table = unsafe { ffi::PyCapsule_Import(CAPSULE.as_ptr(), 0) }.cast::<*const c_void>();
        if table.is_null() {
            return Err(PyErr::fetch(py));
        }
        // SAFETY: greenlet documents its capsule as a table of 12 pointers in a fixed order, with these functions at
        // these places (greenlet.h, unchanged since 1.0); the table is static data of a module that is never unloaded.
        unsafe {
            Ok(Api {
                get_current: std::mem::transmute::<*const c_void, GetCurrent>(*table.add(GET_CURRENT)),
                switch: std::mem::transmute::<*const c_void, Switch>(*table.add(SWITCH)),
            })
        }
    })
}

/// The greenlet that is running.
pub fn current(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let api = api(py)?;
    // SAFETY: attached, and the function takes nothing; it returns a new reference or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, (api.get_current)()) }
}

/// Something was thrown into the caller. It is Python's current exception until it is fetched, which comes next.
// Not a `PyErr`: that is larger than the rest of the frame that is copied away and back with each switch.
#[must_use]
pub struct Thrown(());

impl Thrown {
    pub fn fetch(self, py: Python<'_>) -> PyErr {
        PyErr::fetch(py)
    }
}

/// Run `greenlet` until somebody switches back to the caller. `greenlet` must be a greenlet of this thread.
pub fn switch(greenlet: &Bound<'_, PyAny>) -> Result<(), Thrown> {
    // SAFETY: the caller's reference keeps the greenlet alive.
    unsafe { switch_to(greenlet.py(), greenlet.as_ptr()) }
}

/// Holds the greenlets that were switched to. A frame that held the one it switches to would keep that alive for as long
/// as it is switched out itself.
#[derive(Default)]
pub struct Woken(RefCell<Vec<Py<PyAny>>>);

impl Woken {
    /// As [`switch`].
    pub fn switch_to(&self, py: Python<'_>, greenlet: Py<PyAny>) -> Result<(), Thrown> {
        let pointer = greenlet.as_ptr();
        self.hold(greenlet);
        // SAFETY: held; nothing runs that could release it before greenlet has made it the running one, and holds it then.
        unsafe { switch_to(py, pointer) }
    }

    // Out of the frame that is copied.
    #[inline(never)]
    fn hold(&self, greenlet: Py<PyAny>) {
        self.0.borrow_mut().push(greenlet);
    }

    pub fn last(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.0.borrow().last().map(|greenlet| greenlet.clone_ref(py))
    }

    pub fn release(&self) {
        // Out of the cell: who ends here may run code that comes back.
        let mut greenlets = self.0.take();
        greenlets.clear();
        self.0.replace(greenlets);
    }
}

/// # Safety
///
/// `greenlet` points to an object that stays alive until the switch is made.
#[inline]
unsafe fn switch_to(py: Python<'_>, greenlet: *mut ffi::PyObject) -> Result<(), Thrown> {
    let Ok(api) = api(py).map_err(|error| error.restore(py)) else { return Err(Thrown(())) };
    // SAFETY: attached; `greenlet` is alive (the function checks its type itself and raises otherwise); null arguments
    // mean "none". The call returns a new reference, or null with an exception set. While this frame is switched out,
    // its stack is saved and restored byte for byte by greenlet.
    unsafe {
        let result = (api.switch)(greenlet, ptr::null_mut(), ptr::null_mut());
        Bound::from_owned_ptr_or_opt(py, result).map(drop).ok_or(Thrown(()))
    }
}
