//! The task loop of users and task sets that override none of its steps.
//!
//! It does what `locust.user.task.TaskSet.run` does in Python, step for step, and reads what a locustfile may change
//! (`tasks`, the queue, the user's state, `wait_time`) at each turn. Who overrides or patches a step never comes here;
//! if that happens while the loop runs, it goes back to Python, to be asked anew which loop is the right one.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

use super::coroutines;
use super::hub::{Hub, hub};
use super::iterations;

/// Draws of up to so many bits have their arguments made beforehand: enough for 255 tasks.
const READY_BITS: usize = 8;

/// What draws bits in the place of the module's generator, once somebody has given a seed: it finds the generator of the
/// user who asks.
static SEEDED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// From now on, and for good, the loop draws with `draw`, which is called as `random.getrandbits` is.
#[pyfunction]
fn draw_bits_with(py: Python<'_>, draw: Py<PyAny>) {
    // Whoever comes second brings the same.
    let _ = SEEDED.set(py, draw);
}

/// What the loop compares with and calls, looked up once.
struct Names {
    get_random_bits: Py<PyAny>,
    /// The arguments that ask it for so many bits.
    bits: Vec<Py<PyTuple>>,
    /// `random.choice`, if it is Python's own.
    choice: Option<Py<PyAny>>,
    /// The module's names.
    random: Py<PyDict>,
    task_set: Py<PyType>,
    interrupt: Py<PyType>,
    reschedule: Py<PyType>,
    reschedule_now: Py<PyType>,
    stop_user: Py<PyType>,
    stop_test: Py<PyType>,
    greenlet_exit: Py<PyType>,
    /// Tells whether none of the steps' names is among an instance's attributes.
    no_step_is_in: Py<PyAny>,
}

/// How often a step was replaced on some task set class.
static PATCHES: AtomicU64 = AtomicU64::new(0);

/// A step of the loop was set or deleted on a task set class: the loops that run have to look again.
#[pyfunction]
fn task_set_patched() {
    PATCHES.fetch_add(1, Ordering::Relaxed);
}

fn names(py: Python<'_>) -> PyResult<&'static Names> {
    static NAMES: PyOnceLock<Names> = PyOnceLock::new();
    NAMES.get_or_try_init(py, || {
        let random = py.import("random")?;
        let exceptions = py.import("locust.exception")?;
        let class = |name: &str| -> PyResult<Py<PyType>> { Ok(exceptions.getattr(name)?.cast_into()?.unbind()) };
        // The generator behind the module's functions, whatever a locustfile has put in their place.
        let generator = random.getattr("_inst")?;
        let choice = random.getattr("choice")?;
        Ok(Names {
            get_random_bits: generator.getattr("getrandbits")?.unbind(),
            bits: (0..=READY_BITS).map(|bits| Ok(PyTuple::new(py, [bits])?.unbind())).collect::<PyResult<_>>()?,
            choice: choice.eq(generator.getattr("choice")?)?.then(|| choice.unbind()),
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
            no_step_is_in: py.import("gregaria.untouched")?.getattr("STEPS")?.getattr("isdisjoint")?.unbind(),
            random: random.dict().unbind(),
        })
    })
}

/// How a task is run.
enum Kind {
    Function,
    Bound,
    Set,
}

/// One running task set.
struct Loop<'py> {
    py: Python<'py>,
    task_set: Bound<'py, PyAny>,
    user: Bound<'py, PyAny>,
    /// Whose `tasks` are picked from and who is handed to them: the user for the root, else the task set.
    owner: Bound<'py, PyAny>,
    /// The owner as a task's arguments, made once.
    arguments: Bound<'py, PyTuple>,
    is_root: bool,
    /// Whether the next task comes from a method of the class (sequences) rather than by lot.
    picks_itself: bool,
    /// Whether its wait time is the user's.
    asks_user: bool,
    /// The task set's own attributes, and how many there were when they were last looked through for steps.
    attributes: Bound<'py, PyDict>,
    looked_at: Cell<usize>,
    /// How many patches there were when this loop was chosen.
    patches: u64,
    names: &'static Names,
    hub: Rc<Hub>,
    /// Whether finding `tasks` runs no code of the locustfile's.
    has_plain_tasks: bool,
    /// The user was not being stopped when the last wait ended, and nobody else has run since.
    goes_on: Cell<bool>,
}

/// How a turn ended that nothing was raised in.
#[derive(PartialEq)]
enum Turn {
    Done,
    /// A step was replaced, on the class or on the instance.
    LookAgain,
}

/// Run a task set after its `on_start` until an exception ends it.
///
/// `is_root`: it is a user's own, so its tasks are the user's. `picks_itself`: ask `get_next_task` for the next one.
/// `asks_user`: its wait time is the user's. Raises what leaves the task set. Returns what was raised while a failed task
/// was dealt with, which passes no `on_stop`; or nothing, when a step was replaced and it is to be asked again which loop is right.
#[pyfunction]
fn run_task_set<'py>(
    task_set: &Bound<'py, PyAny>,
    is_root: bool,
    picks_itself: bool,
    asks_user: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    run(task_set, is_root, picks_itself, asks_user)
}

// Apart from what reads the arguments, whose frame every parked user's stack has in it.
#[inline(never)]
fn run<'py>(
    task_set: &Bound<'py, PyAny>,
    is_root: bool,
    picks_itself: bool,
    asks_user: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let running = Loop::new(task_set, is_root, picks_itself, asks_user)?;
    let ended = running.run();
    running.end();
    ended
}

impl<'py> Loop<'py> {
    // Not to widen the frame of its caller, which every parked user's stack has in it.
    #[inline(never)]
    fn new(task_set: &Bound<'py, PyAny>, is_root: bool, picks_itself: bool, asks_user: bool) -> PyResult<Box<Self>> {
        let py = task_set.py();
        let user = task_set.getattr(intern!(py, "_user"))?;
        let owner = if is_root { user.clone() } else { task_set.clone() };
        let attributes = task_set.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let has_plain_tasks = owner.get_type().getattr(intern!(py, "tasks"))?.is_exact_instance_of::<PyList>();
        Ok(Box::new(Self {
            py,
            task_set: task_set.clone(),
            user,
            arguments: PyTuple::new(py, [&owner])?,
            owner,
            is_root,
            picks_itself,
            asks_user,
            looked_at: Cell::new(attributes.len()),
            attributes,
            patches: PATCHES.load(Ordering::Relaxed),
            names: names(py)?,
            hub: hub(py)?,
            has_plain_tasks,
            goes_on: Cell::new(false),
        }))
    }

    #[inline(never)]
    #[allow(clippy::boxed_local)] // to be taken out of its box would be to lie on the stack
    fn end(self: Box<Self>) {}

    #[inline(never)]
    fn run(&self) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let resumed = self.hub.resumed();
            match self.turn(resumed) {
                Ok(Turn::Done) => {}
                Ok(Turn::LookAgain) => return Ok(None),
                Err(error) => {
                    if let Some(raised) = self.report(error)? {
                        return Ok(Some(raised));
                    }
                }
            }
        }
    }

    /// Pick, run, wait.
    #[inline(never)]
    fn turn(&self, resumed: u64) -> PyResult<Turn> {
        if self.is_touched()? {
            return Ok(Turn::LookAgain);
        }
        let task = self.due()?;
        match self.execute(&task) {
            Ok(()) => self.wait(resumed),
            Err(error) => self.heed(error, resumed),
        }
    }

    /// The next task, unless the user is being stopped.
    #[inline(never)]
    fn due(&self) -> PyResult<Bound<'py, PyAny>> {
        let task = self.next_task()?;
        if self.goes_on.replace(false) {
            return Ok(task);
        }
        if self.is_stopping()? { Err(self.raise(&self.names.stop_user)) } else { Ok(task) }
    }

    /// A task may raise to be done with its turn.
    #[cold]
    #[inline(never)]
    fn heed(&self, error: PyErr, resumed: u64) -> PyResult<Turn> {
        if error.is_instance(self.py, self.names.reschedule_now.bind(self.py)) {
            return Ok(Turn::Done);
        }
        if error.is_instance(self.py, self.names.reschedule.bind(self.py)) {
            return self.wait(resumed);
        }
        Err(error)
    }

    /// Whether a step was replaced since this loop was chosen. Usually that costs two comparisons.
    fn is_touched(&self) -> PyResult<bool> {
        if PATCHES.load(Ordering::Relaxed) != self.patches {
            return Ok(true);
        }
        let attributes = self.attributes.len();
        if attributes == self.looked_at.replace(attributes) {
            return Ok(false);
        }
        let no_step_is_in = self.names.no_step_is_in.bind(self.py);
        Ok(!no_step_is_in.call1((&self.attributes,))?.is_truthy()?)
    }

    #[inline(never)]
    fn next_task(&self) -> PyResult<Bound<'py, PyAny>> {
        // Past the descriptor of the class, which would make a queue.
        if let Some(queue) = self.attributes.get_item(intern!(self.py, "_task_queue"))?
            && queue.is_truthy()?
        {
            self.goes_on.set(false);
            return queue.call_method0(intern!(self.py, "popleft"));
        }
        if self.picks_itself {
            return self.ask_for_task();
        }
        let tasks = self.owner.getattr(intern!(self.py, "tasks"))?;
        match tasks.cast_exact::<PyList>() {
            Ok(list) if !list.is_empty() && self.choice_is_python_s()? => list.get_item(self.random_below(list.len())?),
            _ => self.ask_for_task(),
        }
    }

    fn ask_for_task(&self) -> PyResult<Bound<'py, PyAny>> {
        self.goes_on.set(false);
        self.task_set.call_method0(intern!(self.py, "get_next_task"))
    }

    /// A locustfile may have put something else in the place of `random.choice`.
    fn choice_is_python_s(&self) -> PyResult<bool> {
        let Some(choice) = &self.names.choice else { return Ok(false) };
        let own = self.names.random.bind(self.py).get_item(intern!(self.py, "choice"))?;
        Ok(own.is_some_and(|own| own.is(choice)))
    }

    /// Draws as `random.choice` does, so that a seeded locustfile picks the same tasks: as many bits as the length has,
    /// again until they make a number below it (`CPython`'s `Random._randbelow_with_getrandbits`).
    fn random_below(&self, length: usize) -> PyResult<usize> {
        let bits = (usize::BITS - length.leading_zeros()) as usize;
        let bits = match self.names.bits.get(bits) {
            Some(ready) => ready.bind(self.py).clone(),
            None => PyTuple::new(self.py, [bits])?,
        };
        let draw = SEEDED.get(self.py).unwrap_or(&self.names.get_random_bits).bind(self.py);
        loop {
            let number: usize = draw.call1(&bits)?.extract()?;
            if number < length {
                return Ok(number);
            }
        }
    }

    /// Tasks are functions of the owner, methods bound to this very task set, or task sets. What an `async` one returns
    /// is run; what others do is nearly always `None`.
    fn execute(&self, task: &Bound<'py, PyAny>) -> PyResult<()> {
        let kind = self.kind(task)?;
        if !matches!(kind, Kind::Set) && !iterations::begin(self.py)? {
            return Err(self.raise(&self.names.stop_user));
        }
        let returned = match kind {
            Kind::Function => task.call1(&self.arguments)?,
            Kind::Bound => task.call0()?,
            Kind::Set => return self.enter(task),
        };
        if returned.is_none() { Ok(()) } else { coroutines::settle(returned) }
    }

    // Not to widen the frame below which a user is parked, as with the next one.
    #[inline(never)]
    fn kind(&self, task: &Bound<'py, PyAny>) -> PyResult<Kind> {
        if !self.is_root
            && let Some(bound_to) = task.getattr_opt(intern!(self.py, "__self__"))?
            && bound_to.is(&self.task_set)
        {
            return Ok(Kind::Bound);
        }
        let is_set = match task.cast::<PyType>() {
            Ok(class) => class.is_subclass(self.names.task_set.bind(self.py))?,
            Err(_) => false,
        };
        Ok(if is_set { Kind::Set } else { Kind::Function })
    }

    #[inline(never)]
    fn enter(&self, task_set: &Bound<'py, PyAny>) -> PyResult<()> {
        task_set.call1(&self.arguments)?.call_method0(intern!(self.py, "run")).map(drop)
    }

    /// Wait between tasks. A task that let others run need not do so again for a wait of no time.
    #[inline(never)]
    fn wait(&self, resumed: u64) -> PyResult<Turn> {
        if self.is_touched()? {
            // By the task, and the replaced step may be this one.
            self.task_set.call_method0(intern!(self.py, "wait"))?;
            return Ok(Turn::LookAgain);
        }
        if self.is_stopping()? {
            return Err(self.raise(&self.names.stop_user));
        }
        // Before it is asked how long: who is stopped there, or stops itself, waits already.
        self.set_state(intern!(self.py, "waiting"))?;
        let seconds = self.wait_time()?;
        if seconds > 0.0 || self.hub.resumed() == resumed {
            super::hub::sleep_for(self.py, seconds)?;
        }
        if self.is_stopping()? {
            return Err(self.raise(&self.names.stop_user));
        }
        self.set_state(intern!(self.py, "running"))?;
        self.goes_on.set(self.has_plain_tasks);
        Ok(Turn::Done)
    }

    /// The task set's wait time; the user's, if the task set only asks that.
    fn wait_time(&self) -> PyResult<f64> {
        let name = intern!(self.py, "wait_time");
        if self.asks_user {
            match self.user.call_method0(name) {
                Ok(seconds) => return super::hub::seconds_of(&seconds),
                Err(error) if self.user.getattr(name)?.is_truthy()? => return Err(error),
                Err(_) => {}
            }
        }
        super::hub::seconds_of(&self.task_set.call_method0(name)?)
    }

    fn set_state(&self, state: &Bound<'py, PyString>) -> PyResult<()> {
        self.user.setattr(intern!(self.py, "_state"), state)
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

    /// What ends the task set goes on its way; what a task raised is reported, and the loop goes on after a wait,
    /// unless dealing with it raised something: that comes back.
    // Cold, and not to widen the frame that every parked user's stack has in it.
    #[inline(never)]
    fn report(&self, error: PyErr) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.goes_on.set(false);
        let names = self.names;
        let is = |class: &Py<PyType>| error.is_instance(self.py, class.bind(self.py));
        let control = [&names.interrupt, &names.stop_user, &names.stop_test, &names.greenlet_exit];
        if control.into_iter().any(is) || !error.is_instance_of::<PyException>(self.py) {
            return Err(error);
        }
        // Python's part: the event, the log, and what becomes of the user.
        // With its traceback, which the bare value does not have before Python 3.12.
        let error = error.into_value(self.py);
        let dealt_with = self.task_set.call_method1(intern!(self.py, "_task_failed"), (error,));
        Ok(dealt_with.err().map(|raised| raised.into_value(self.py).into_bound(self.py).into_any()))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(task_set_patched, module)?)?;
    module.add_function(wrap_pyfunction!(draw_bits_with, module)?)?;
    module.add_function(wrap_pyfunction!(run_task_set, module)?)
}
