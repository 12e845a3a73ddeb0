//! `--iterations`: how many tasks may still begin, over all users.
//!
//! Whoever is about to run a task takes one. A task set is no task by itself; its tasks are. In a fleet the master hands
//! them out: they are the rows of a feeder, without content.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyType;

use super::feeder::FeederBase;
use crate::sync::held;

const NO_LIMIT: u64 = u64::MAX;
/// They are a feeder's.
const HANDED_OUT: u64 = u64::MAX - 1;

/// Python's lock orders those who take. Without a limit this is all that a task costs: a load and a comparison.
static LEFT: AtomicU64 = AtomicU64::new(NO_LIMIT);
static REACHED: Mutex<Option<Py<PyAny>>> = Mutex::new(None);
static TICKETS: Mutex<Option<Py<FeederBase>>> = Mutex::new(None);

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(limit_iterations, module)?)?;
    module.add_function(wrap_pyfunction!(limit_iterations_by, module)?)?;
    module.add_function(wrap_pyfunction!(iterations_left, module)?)?;
    module.add_function(wrap_pyfunction!(may_begin, module)?)
}

/// Let this many tasks begin from now on, or any number for `None`. `reached` is called, by the user that takes the
/// last, before that one begins: it must let nobody else run.
#[pyfunction]
fn limit_iterations(limit: Option<u64>, reached: Py<PyAny>) {
    LEFT.store(limit.unwrap_or(NO_LIMIT), Ordering::Relaxed);
    let before = held(&REACHED).replace(reached);
    drop(before);
}

/// Let a task begin for every row of this feeder, from now on; any number for `None`.
#[pyfunction]
fn limit_iterations_by(tickets: Option<Py<FeederBase>>) {
    LEFT.store(if tickets.is_some() { HANDED_OUT } else { NO_LIMIT }, Ordering::Relaxed);
    let before = std::mem::replace(&mut *held(&TICKETS), tickets);
    drop(before);
}

/// How many tasks may still begin, of a feeder's as far as they are here; `None` without a limit.
#[pyfunction]
fn iterations_left(py: Python<'_>) -> Option<u64> {
    match LEFT.load(Ordering::Relaxed) {
        NO_LIMIT => None,
        HANDED_OUT => tickets(py).map(|tickets| tickets.get().at_hand()),
        left => Some(left),
    }
}

/// Cloned out: who takes one may have to wait for it.
fn tickets(py: Python<'_>) -> Option<Bound<'_, FeederBase>> {
    let tickets = held(&TICKETS);
    tickets.as_ref().map(|tickets| tickets.bind(py).clone())
}

/// Whether this task may begin: for loops in Python. A task set always may.
#[pyfunction]
fn may_begin(task: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!is_limited() || task.is_instance_of::<PyType>() || take(task.py())?)
}

/// Whether a task may begin, which it then does.
#[inline]
pub fn begin(py: Python<'_>) -> PyResult<bool> {
    if is_limited() { take(py) } else { Ok(true) }
}

fn is_limited() -> bool {
    LEFT.load(Ordering::Relaxed) != NO_LIMIT
}

#[cold]
#[inline(never)]
fn take(py: Python<'_>) -> PyResult<bool> {
    let left = LEFT.load(Ordering::Relaxed);
    if left == HANDED_OUT {
        return tickets(py).map_or(Ok(true), |tickets| FeederBase::take_ticket(&tickets));
    }
    if left == 0 {
        return Ok(false);
    }
    LEFT.store(left - 1, Ordering::Relaxed);
    if left == 1 {
        // Cloned out: what is called may end with another limit.
        let reached = held(&REACHED).as_ref().map(|hear| hear.clone_ref(py));
        reached.map_or(Ok(()), |hear| hear.call0(py).map(drop))?;
    }
    Ok(true)
}
