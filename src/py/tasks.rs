//! The task loop of users and task sets that override none of its steps.
//!
//! It does what `locust.user.task.TaskSet.run` does in Python, step for step, and reads what a locustfile may change
//! (`tasks`, the queue, the user's state, `wait_time`) at each turn. Who overrides or patches a step never comes here.

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyType};

use super::hub::{Hub, hub};

/// What the loop compares with and calls, looked up once.
struct Names {
    get_random_bits: Py<PyAny>,
    choice: Py<PyAny>,
    /// The module's names.
    random: Py<PyDict>,
    task_set: Py<PyType>,
    interrupt: Py<PyType>,
    reschedule: Py<PyType>,
    reschedule_now: Py<PyType>,
    stop_user: Py<PyType>,
    stop_test: Py<PyType>,
    greenlet_exit: Py<PyType>,
}

fn names(py: Python<'_>) -> PyResult<&'static Names> {
    static NAMES: PyOnceLock<Names> = PyOnceLock::new();
    NAMES.get_or_try_init(py, || {
        let random = py.import("random")?;
        let exceptions = py.import("locust.exception")?;
        let class = |name: &str| -> PyResult<Py<PyType>> { Ok(exceptions.getattr(name)?.cast_into()?.unbind()) };
        Ok(Names {
            get_random_bits: random.getattr("getrandbits")?.unbind(),
            choice: random.getattr("choice")?.unbind(),
            task_set: py
                .import("sys")?
                .getattr("modules")?
                .get_item("locust.user.task")?
                .getattr("TaskSet")?
                .cast_into()?
                .unbind(),
            interrupt: class("InterruptTaskSet")?,
            reschedule: class("RescheduleTask")?,
            reschedule_now: class("RescheduleTaskImmediately")?,
            stop_user: class("StopUser")?,
            stop_test: class("StopTest")?,
            greenlet_exit: py.import("greenlet")?.getattr("GreenletExit")?.cast_into()?.unbind(),
            random: random.dict().unbind(),
        })
    })
}

/// One running task set.
struct Loop<'py> {
    py: Python<'py>,
    task_set: Bound<'py, PyAny>,
    user: Bound<'py, PyAny>,
    /// Whose `tasks` are picked from and who is handed to them: the user for the root, else the task set.
    owner: Bound<'py, PyAny>,
    is_root: bool,
    /// Whether the next task comes from a method of the class (sequences) rather than by lot.
    picks_itself: bool,
    /// Whether its wait time is the user's.
    asks_user: bool,
    names: &'static Names,
    hub: std::rc::Rc<Hub>,
}

/// Run a task set after its `on_start` until an exception ends it.
///
/// `is_root`: it is a user's own, so its tasks are the user's. `picks_itself`: ask `get_next_task` for the next one.
/// `asks_user`: its wait time is the user's. Raises what leaves the task set; returns what was raised while a failed task was dealt with, which passes no `on_stop`.
#[pyfunction]
fn run_task_set<'py>(
    task_set: &Bound<'py, PyAny>,
    is_root: bool,
    picks_itself: bool,
    asks_user: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = task_set.py();
    let user = task_set.getattr(intern!(py, "_user"))?;
    let owner = if is_root { user.clone() } else { task_set.clone() };
    let this = Loop {
        py,
        task_set: task_set.clone(),
        user,
        owner,
        is_root,
        picks_itself,
        asks_user,
        names: names(py)?,
        hub: hub(py)?,
    };
    loop {
        let resumed = this.hub.resumed();
        if let Err(error) = this.turn(resumed)
            && let Err(raised) = this.report(error)?
        {
            return Ok(raised.into_value(py).into_bound(py).into_any());
        }
    }
}

impl<'py> Loop<'py> {
    /// Pick, run, wait.
    #[inline(never)]
    fn turn(&self, resumed: u64) -> PyResult<()> {
        let task = self.next_task()?;
        if self.is_stopping()? {
            return Err(self.raise(&self.names.stop_user));
        }
        match self.execute(&task) {
            Ok(()) => self.wait(resumed),
            Err(error) if error.is_instance(self.py, self.names.reschedule_now.bind(self.py)) => Ok(()),
            Err(error) if error.is_instance(self.py, self.names.reschedule.bind(self.py)) => self.wait(resumed),
            Err(error) => Err(error),
        }
    }

    fn next_task(&self) -> PyResult<Bound<'py, PyAny>> {
        let queue = self.task_set.getattr(intern!(self.py, "_task_queue"))?;
        if !queue.is_none() && queue.is_truthy()? {
            return queue.call_method0(intern!(self.py, "popleft"));
        }
        if self.picks_itself {
            return self.task_set.call_method0(intern!(self.py, "get_next_task"));
        }
        let tasks = self.owner.getattr(intern!(self.py, "tasks"))?;
        match tasks.cast_exact::<PyList>() {
            Ok(list) if !list.is_empty() && self.choice_is_python_s()? => list.get_item(self.random_below(list.len())?),
            _ => self.task_set.call_method0(intern!(self.py, "get_next_task")),
        }
    }

    /// A locustfile may have put something else in the place of `random.choice` or `random.getrandbits`.
    fn choice_is_python_s(&self) -> PyResult<bool> {
        let random = self.names.random.bind(self.py);
        let is = |name, known: &Py<PyAny>| Ok::<_, PyErr>(random.get_item(name)?.is_some_and(|own| own.is(known)));
        Ok(is(intern!(self.py, "choice"), &self.names.choice)?
            && is(intern!(self.py, "getrandbits"), &self.names.get_random_bits)?)
    }

    /// Draws as `random.choice` does, so that a seeded locustfile picks the same tasks: as many bits as the length has,
    /// again until they make a number below it (CPython's `Random._randbelow_with_getrandbits`).
    fn random_below(&self, length: usize) -> PyResult<usize> {
        let bits = usize::BITS - length.leading_zeros();
        let draw = self.names.get_random_bits.bind(self.py);
        loop {
            let number: usize = draw.call1((bits,))?.extract()?;
            if number < length {
                return Ok(number);
            }
        }
    }

    /// Tasks are functions of the owner, methods bound to this very task set, or task sets.
    fn execute(&self, task: &Bound<'py, PyAny>) -> PyResult<()> {
        if !self.is_root
            && let Some(bound_to) = task.getattr_opt(intern!(self.py, "__self__"))?
            && bound_to.is(&self.task_set)
        {
            return task.call0().map(drop);
        }
        if let Ok(class) = task.cast::<PyType>()
            && class.is_subclass(self.names.task_set.bind(self.py))?
        {
            return task.call1((&self.owner,))?.call_method0(intern!(self.py, "run")).map(drop);
        }
        task.call1((&self.owner,)).map(drop)
    }

    /// Wait between tasks. A task that let others run need not do so again for a wait of no time.
    fn wait(&self, resumed: u64) -> PyResult<()> {
        if self.is_stopping()? {
            return Err(self.raise(&self.names.stop_user));
        }
        let seconds = self.wait_time()?;
        if seconds > 0.0 || self.hub.resumed() == resumed {
            self.user.setattr(intern!(self.py, "_state"), intern!(self.py, "waiting"))?;
            super::hub::sleep(self.py, seconds)?;
            if self.is_stopping()? {
                return Err(self.raise(&self.names.stop_user));
            }
            self.user.setattr(intern!(self.py, "_state"), intern!(self.py, "running"))?;
        }
        Ok(())
    }

    /// The task set's wait time; the user's, if the task set only asks that.
    fn wait_time(&self) -> PyResult<f64> {
        let name = intern!(self.py, "wait_time");
        if self.asks_user {
            let wait_time = self.user.getattr(name)?;
            if !wait_time.is_none() {
                return wait_time.call0()?.extract();
            }
        }
        self.task_set.call_method0(name)?.extract()
    }

    fn is_stopping(&self) -> PyResult<bool> {
        let state = self.user.getattr(intern!(self.py, "_state"))?;
        // The states are interned strings, so the usual answer needs no comparison of text.
        if state.is(intern!(self.py, "running")) {
            return Ok(false);
        }
        state.eq(intern!(self.py, "stopping"))
    }

    fn raise(&self, class: &Py<PyType>) -> PyErr {
        match class.bind(self.py).call0() {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }

    // Cold, and not to widen the frame that every parked user's stack has in it.
    #[inline(never)]
    /// What ends the task set goes on its way; what a task raised is reported, and the loop goes on after a wait.
    fn report(&self, error: PyErr) -> PyResult<PyResult<()>> {
        let names = self.names;
        let is = |class: &Py<PyType>| error.is_instance(self.py, class.bind(self.py));
        let control = [&names.interrupt, &names.stop_user, &names.stop_test, &names.greenlet_exit];
        if control.into_iter().any(is) || !error.is_instance_of::<PyException>(self.py) {
            return Err(error);
        }
        // Python's part: the event, the log, and what becomes of the user.
        // With its traceback, which the bare value does not have before Python 3.12.
        let error = error.into_value(self.py);
        Ok(self.task_set.call_method1(intern!(self.py, "_task_failed"), (error,)).map(drop))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run_task_set, module)?)
}
