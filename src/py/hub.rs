//! The bridge: greenlets park on gevent's hub, the I/O threads finish their operations, the hub drains them.
//!
//! All of this runs on one thread, the one whose hub it is; only operations travel. Two rules keep it sound: no borrow of
//! a `RefCell` here outlives the expression that takes it when a switch may follow, and what an I/O thread holds is a
//! boxed operation with a ticket, never anything on a greenlet's stack.

mod awaiting;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

use super::coroutines::{self, EventLoop};
use super::greenlet::{self, Thrown, Woken};
use crate::bridge::{Completions, Sleepers, Ticket, Tickets};
use crate::http::io::{Command, Completion, Operation, Pool, start};

/// How long one drain may keep gevent's other watchers waiting.
const DRAIN_BUDGET: Duration = Duration::from_millis(5);

/// How many I/O threads to start; 0: not chosen, see [`io_threads`].
static IO_THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static HUB: RefCell<Option<Owned>> = const { RefCell::new(None) };
}

/// The thread's own hold on its bridge. Its I/O threads end with it, whoever else still refers to the hub: a greenlet
/// that was parked when its thread ended does so for ever.
struct Owned(Rc<Hub>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.pool.end();
    }
}

/// What ends a wait.
enum Finished {
    Operation(Box<Operation>),
    Time,
    Ready,
}

/// Who waits: a parked greenlet, or a coroutine, which does so with a future of asyncio's.
enum Waiter {
    Greenlet(Py<PyAny>),
    Coroutine(Py<PyAny>),
}

/// Where a drain finds whom to wake.
#[derive(Clone, Copy)]
enum Source {
    Completions,
    /// Sleepers who are due then.
    Sleepers(Instant),
}

#[derive(Clone, Copy)]
struct Drain {
    source: Source,
    /// When gevent's other watchers have waited long enough.
    end: Instant,
    /// How many were found.
    count: u32,
}

pub struct Hub {
    gevent: Py<PyAny>,
    /// Parked greenlets, and the futures of coroutines. The table holds the only reference of ours to each greenlet, and
    /// gives it up before it is woken.
    waiters: RefCell<Tickets<Waiter, Finished>>,
    sleepers: RefCell<Sleepers>,
    completions: Arc<Completions<Completion>>,
    pool: Arc<Pool>,
    /// gevent's watcher of the wake fd. It keeps the hub's loop running only while somebody waits.
    watcher: Py<PyAny>,
    watching: Cell<bool>,
    /// The event loop's timer for the first sleeper, and when it goes off.
    alarm: RefCell<Option<(Instant, Py<PyAny>)>>,
    event_loop: Py<PyAny>,
    wake_due: Py<PyAny>,
    /// Operations that nobody waits for any more and that have not come back yet.
    unreturned: Cell<usize>,
    /// Those that came back and may have reached the server.
    abandoned: Cell<usize>,
    /// Counts switches into greenlets: how a task loop sees whether a task has let others run.
    resumed: Cell<u64>,
    /// The drain that is under way.
    drain: Cell<Option<Drain>>,
    /// Whom it has woken.
    woken: Woken,
    /// Who came up in a user's greenlet and is for the hub's own to wake.
    left_over: Cell<Option<Waiter>>,
    /// asyncio's loop, from the first coroutine on.
    event_loop_of_coroutines: OnceCell<EventLoop>,
}

/// The bridge of this thread's hub; started with the first operation, so that a fork before it inherits no thread.
pub fn hub(py: Python<'_>) -> PyResult<Rc<Hub>> {
    match running(py) {
        // While somebody waits the hub runs: asking the first to wait is enough.
        Some(hub) if hub.watching.get() || !hub.is_over(py)? => Ok(hub),
        over => renew(py, over),
    }
}

/// The bridge, if it was started on this thread.
pub fn running(_py: Python<'_>) -> Option<Rc<Hub>> {
    HUB.try_with(|hub| hub.try_borrow().ok().and_then(|owned| Some(Rc::clone(&owned.as_ref()?.0)))).ok().flatten()
}

/// Start a bridge, in the place of one whose hub was destroyed.
#[cold]
fn renew(py: Python<'_>, over: Option<Rc<Hub>>) -> PyResult<Rc<Hub>> {
    if let Some(over) = over {
        let owned = HUB.take();
        over.unwatch(py);
        // Out of the table first: a greenlet that nothing else refers to ends here, and comes back to the table.
        let waiters = over.waiters.take();
        drop((waiters, owned));
    }
    let hub = Rc::new(Hub::start(py)?);
    // Starting runs Python code, which may have made a request and with it a bridge.
    if let Some(earlier) = running(py) {
        hub.unwatch(py);
        hub.pool.end();
        return Ok(earlier);
    }
    HUB.set(Some(Owned(Rc::clone(&hub))));
    Ok(hub)
}

/// In the child of a fork: its I/O threads are the parent's, and so is the wake fd, from which it must not read.
///
/// The child starts a bridge of its own when it makes a request. The parent's users do not run in it; they are kept as
/// they are, because to release a greenlet is to end it, with all its `finally` blocks.
///
/// gevent's loop is told too: its epoll instance is the parent's, whose wake fd a child that polls it would take out. It
/// sees for itself only in its next round, and gevent tells it only where `os.fork` is patched; twice does no harm.
#[pyfunction]
fn forked(py: Python<'_>) -> PyResult<()> {
    let Some(owned) = HUB.take() else { return Ok(()) };
    coroutines::forget();
    owned.0.pool.disown();
    owned.0.unwatch(py);
    let told = py.import("gevent").and_then(|gevent| gevent.call_method1("reinit", (owned.0.gevent.bind(py),)));
    std::mem::forget(owned);
    told.map(drop)
}

fn when_forked(py: Python<'_>) -> PyResult<()> {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if REGISTERED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let hooks = [("after_in_child", wrap_pyfunction!(forked, py)?)].into_py_dict(py)?;
    py.import("os")?.call_method("register_at_fork", (), Some(&hooks)).map(drop)
}

/// By default one I/O thread for every two cores, and at most eight: one Python thread feeds no more.
fn io_threads() -> usize {
    match IO_THREADS.load(Ordering::Relaxed) {
        0 => (available_cores() / 2).clamp(1, 8),
        chosen => chosen,
    }
}

impl Hub {
    fn start(py: Python<'_>) -> PyResult<Self> {
        when_forked(py)?;
        let gevent = py.import("gevent")?.call_method0("get_hub")?;
        let event_loop = gevent.getattr("loop")?;
        let completions = Arc::new(Completions::new()?);
        let pool = start(io_threads(), &completions)?;
        // READ is libev's and libuv's 1. Priority stays the default: users' sockets are no less urgent.
        let watcher = event_loop.call_method1("io", (completions.fd().raw(), 1))?;
        watcher.call_method1("start", (wrap_pyfunction!(drain, py)?,))?;
        watcher.setattr("ref", false)?;
        Ok(Self {
            gevent: gevent.unbind(),
            waiters: RefCell::default(),
            sleepers: RefCell::default(),
            completions,
            pool,
            watcher: watcher.unbind(),
            watching: Cell::new(false),
            alarm: RefCell::default(),
            event_loop: event_loop.unbind(),
            wake_due: wrap_pyfunction!(wake_due, py)?.into_any().unbind(),
            unreturned: Cell::new(0),
            abandoned: Cell::new(0),
            resumed: Cell::new(0),
            drain: Cell::new(None),
            woken: Woken::default(),
            left_over: Cell::new(None),
            event_loop_of_coroutines: OnceCell::new(),
        })
    }

    /// Send `operation` and park the running greenlet until it is finished.
    ///
    /// An exception thrown into the greenlet meanwhile (a kill, a `gevent.Timeout`) comes out here; the operation is
    /// then stopped, its connection closed, and its completion, should it be late, goes to nobody.
    pub fn exchange(&self, py: Python<'_>, mut operation: Box<Operation>) -> PyResult<Box<Operation>> {
        let session = operation.session.id();
        let ticket = self.issue(py)?;
        operation.ticket = Some(ticket);
        self.pool.send(session, Command::Run(operation));
        match self.park(py, ticket) {
            Ok(Finished::Operation(operation)) => Ok(operation),
            Ok(_) => unreachable!("the ticket of an operation is finished by it"),
            Err(error) => {
                self.cancel(session, ticket);
                Err(error)
            }
        }
    }

    /// Have an operation stopped whose ticket nobody waits for any more.
    #[cold]
    #[inline(never)]
    fn cancel(&self, session: u64, ticket: Ticket) {
        self.unreturned.set(self.unreturned.get() + 1);
        self.pool.send(session, Command::Cancel { session, ticket });
    }

    /// Park the running greenlet until an I/O thread says that what it waits for is there. `register` has the ticket
    /// told to whoever will; false when there is nothing to wait for.
    pub fn wait(&self, py: Python<'_>, register: impl FnOnce(Ticket) -> bool) -> PyResult<()> {
        let ticket = self.issue(py)?;
        if register(ticket) {
            return self.park(py, ticket).map(drop);
        }
        self.give_back(py, ticket)
    }

    /// There is nothing to wait for after all.
    fn give_back(&self, py: Python<'_>, ticket: Ticket) -> PyResult<()> {
        let waiter = self.waiters.borrow_mut().abandon(ticket);
        drop(waiter);
        self.stop_watching_if_idle(py)
    }

    /// Park the running greenlet for a time.
    pub fn sleep(&self, py: Python<'_>, time: Duration) -> PyResult<()> {
        let until = Instant::now()
            .checked_add(time)
            .ok_or_else(|| PyValueError::new_err(format!("cannot sleep for {} seconds", time.as_secs_f64())))?;
        let ticket = self.issue(py)?;
        self.sleepers.borrow_mut().push(until, ticket);
        self.set_alarm(py)?;
        let woken = self.park(py, ticket);
        if woken.is_err() {
            self.sleepers.borrow_mut().forget(|ticket| self.waiters.borrow().is_waiting(ticket));
        }
        woken.map(drop)
    }

    /// Whether gevent's hub was destroyed, as threads do with theirs: nobody is ever woken there again.
    pub fn is_over(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.gevent.bind(py).getattr(intern!(py, "loop"))?.is_none())
    }

    /// Leave the event loop alone from now on.
    fn unwatch(&self, py: Python<'_>) {
        let alarm = self.alarm.take().map(|(_, timer)| timer);
        for watcher in std::iter::once(self.watcher.clone_ref(py)).chain(alarm) {
            // A loop that is gone has forgotten its watchers, and refuses to hear of them.
            let _ = watcher.bind(py).call_method0(intern!(py, "close"));
        }
    }

    pub fn send(&self, session: u64, command: Command) {
        self.pool.send(session, command);
    }

    pub fn resumed(&self) -> u64 {
        self.resumed.get()
    }

    /// asyncio's loop on this hub; made for the first coroutine.
    pub fn coroutines(&self, py: Python<'_>) -> PyResult<&EventLoop> {
        if let Some(made) = self.event_loop_of_coroutines.get() {
            return Ok(made);
        }
        let made = EventLoop::new(py)?;
        Ok(self.event_loop_of_coroutines.get_or_init(|| made))
    }

    fn issue(&self, py: Python<'_>) -> PyResult<Ticket> {
        let greenlet = greenlet::current(py)?;
        if greenlet.is(&self.gevent) {
            return Err(PyRuntimeError::new_err(
                "a request or wait from within gevent's hub would block every user; use gevent.spawn for what a callback starts",
            ));
        }
        coroutines::refuse_to_park(&greenlet)?;
        self.watch(py)?;
        Ok(self.waiters.borrow_mut().issue(Waiter::Greenlet(greenlet.unbind())))
    }

    /// Somebody waits: the wake fd keeps the event loop running.
    fn watch(&self, py: Python<'_>) -> PyResult<()> {
        if self.watching.replace(true) {
            return Ok(());
        }
        self.watcher.bind(py).setattr(intern!(py, "ref"), true)
    }

    /// Let others run until the ticket is finished.
    fn park(&self, py: Python<'_>, ticket: Ticket) -> PyResult<Finished> {
        loop {
            let switched = match self.successor() {
                Some(next) => self.woken.switch_to(py, next),
                None => greenlet::switch(self.gevent.bind(py)),
            };
            if let Err(thrown) = switched {
                return Err(self.give_up(py, ticket, thrown));
            }
            let finished = self.waiters.borrow_mut().redeem(ticket);
            if let Some(finished) = finished {
                return Ok(finished);
            }
            // Somebody switched to this greenlet who had no business to. Its wait is not over.
            self.check_hub(py, ticket)?;
        }
    }

    /// Who runs while the caller waits: in a drain whoever is woken next, else the hub. The way by the hub would be a
    /// second switch for each request.
    // Like the next ones out of the frame that is there while a user is parked: it is copied away and back.
    #[inline(never)]
    fn successor(&self) -> Option<Py<PyAny>> {
        match self.next_waiter()? {
            Waiter::Greenlet(greenlet) => {
                self.resumed.set(self.resumed.get() + 1);
                Some(greenlet)
            }
            coroutine @ Waiter::Coroutine(_) => {
                // To wake it is to call asyncio, which is the hub's to do.
                self.left_over.set(Some(coroutine));
                None
            }
        }
    }

    /// The wait was ended by what was thrown into the greenlet.
    #[cold]
    #[inline(never)]
    fn give_up(&self, py: Python<'_>, ticket: Ticket, thrown: Thrown) -> PyErr {
        let error = thrown.fetch(py);
        // Out of the table before it is released: dropping the reference may run code that comes back here.
        let waiter = self.waiters.borrow_mut().abandon(ticket);
        drop(waiter);
        match self.is_over(py) {
            Ok(true) => {
                self.watching.set(false); // whoever waits next gets a new bridge
                error
            }
            Ok(false) => self.stop_watching_if_idle(py).err().unwrap_or(error),
            Err(other) => other,
        }
    }

    #[cold]
    #[inline(never)]
    fn check_hub(&self, py: Python<'_>, ticket: Ticket) -> PyResult<()> {
        if !self.is_over(py)? {
            return Ok(());
        }
        let waiter = self.waiters.borrow_mut().abandon(ticket);
        drop(waiter);
        self.watching.set(false);
        Err(PyRuntimeError::new_err("gevent's hub was destroyed: nobody can wait there any more"))
    }

    /// Wake whoever waits for what has finished.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        self.completions.start_drain();
        let drained = self.wake_from(py, Source::Completions);
        if drained.is_err() || !self.completions.is_empty() {
            self.completions.stop_early();
        }
        drained?;
        self.wake_sleepers(py)?;
        self.stop_watching_if_idle(py)
    }

    /// Wake whom the source has, as long as the budget lasts.
    // The frames from here to the switch are copied whenever a greenlet's stack lies over them: they are kept small.
    #[inline(never)]
    fn wake_from(&self, py: Python<'_>, source: Source) -> PyResult<()> {
        self.drain.set(Some(Drain { source, end: Instant::now() + DRAIN_BUDGET, count: 0 }));
        let ended = self.wake_all(py);
        self.drain.set(None);
        self.woken.release();
        ended
    }

    fn wake_all(&self, py: Python<'_>) -> PyResult<()> {
        while let Some(waiter) = self.left_over.take().or_else(|| self.next_waiter()) {
            match waiter {
                Waiter::Greenlet(greenlet) => self.resume(py, greenlet)?,
                Waiter::Coroutine(future) => coroutines::set_done(future.bind(py))?,
            }
        }
        Ok(())
    }

    /// Who is woken next by the drain under way; nobody when its budget is spent.
    #[inline(never)]
    fn next_waiter(&self) -> Option<Waiter> {
        let mut drain = self.drain.get()?;
        loop {
            if drain.count % 8 == 7 && Instant::now() >= drain.end {
                return None;
            }
            drain.count += 1;
            self.drain.set(Some(drain));
            let (ticket, finished) = match drain.source {
                Source::Completions => ticket_of(self.completions.pop()?),
                Source::Sleepers(now) => (self.sleepers.borrow_mut().pop_due(now)?, Finished::Time),
            };
            let waiter = self.waiters.borrow_mut().finish(ticket, finished);
            match waiter {
                Ok(waiter) => return Some(waiter),
                Err(late) => self.count_late(&late),
            }
        }
    }

    #[inline(never)]
    fn wake_sleepers(&self, py: Python<'_>) -> PyResult<()> {
        let now = Instant::now();
        if self.sleepers.borrow().next().is_none_or(|next| next > now) {
            return Ok(());
        }
        let woken = self.wake_from(py, Source::Sleepers(now));
        self.set_alarm(py)?;
        woken
    }

    /// See to it that the event loop calls when the first sleeper is due.
    fn set_alarm(&self, py: Python<'_>) -> PyResult<()> {
        let Some(next) = self.sleepers.borrow().next() else { return Ok(()) };
        if self.alarm.borrow().as_ref().is_some_and(|(at, _)| *at <= next) {
            return Ok(());
        }
        let after = next.saturating_duration_since(Instant::now()).as_secs_f64();
        // Without `ref`: who sleeps keeps the loop running by the watcher, and the alarm of one that was killed must not.
        let without_ref = [(intern!(py, "ref"), false)].into_py_dict(py)?;
        let timer = self.event_loop.bind(py).call_method(intern!(py, "timer"), (after,), Some(&without_ref))?;
        // `update`: libev would count from when its loop last looked at the clock, and be that much too early.
        let update = [(intern!(py, "update"), true)].into_py_dict(py)?;
        timer.call_method(intern!(py, "start"), (&self.wake_due,), Some(&update))?;
        let old = self.alarm.replace(Some((next, timer.unbind())));
        if let Some((_, old)) = old {
            old.bind(py).call_method0(intern!(py, "close"))?;
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn count_late(&self, late: &Finished) {
        let Finished::Operation(operation) = late else { return };
        self.unreturned.set(self.unreturned.get().saturating_sub(1));
        self.count_uncounted(operation);
    }

    /// The server may have seen a request that nobody waited for to its end.
    fn count_uncounted(&self, operation: &Operation) {
        let was_sent = operation.outcome.as_ref().is_some_and(|outcome| outcome.stamps.was_sent);
        self.abandoned.set(self.abandoned.get() + usize::from(was_sent));
    }

    fn resume(&self, py: Python<'_>, greenlet: Py<PyAny>) -> PyResult<()> {
        self.resumed.set(self.resumed.get() + 1);
        self.woken.switch_to(py, greenlet).or_else(|thrown| self.report(py, thrown))
    }

    /// What a bare greenlet did not catch: the last one woken, whoever woke it. gevent's own report theirs and end quietly.
    #[cold]
    #[inline(never)]
    fn report(&self, py: Python<'_>, thrown: Thrown) -> PyResult<()> {
        let error = thrown.fetch(py);
        let what = (self.woken.last(py), error.get_type(py), error.value(py), error.traceback(py));
        self.gevent.bind(py).call_method1(intern!(py, "handle_error"), what).map(drop)
    }

    #[inline(never)]
    fn stop_watching_if_idle(&self, py: Python<'_>) -> PyResult<()> {
        if self.waiters.borrow().is_empty() && self.watching.replace(false) {
            self.watcher.bind(py).setattr(intern!(py, "ref"), false)?;
        }
        Ok(())
    }
}

fn ticket_of(completion: Completion) -> (Ticket, Finished) {
    match completion {
        Completion::Done(operation) => {
            let ticket = operation.ticket.expect("an operation is sent with a ticket");
            (ticket, Finished::Operation(operation))
        }
        Completion::Ready(ticket) => (ticket, Finished::Ready),
    }
}

/// The event loop's callback for the wake fd.
#[pyfunction]
fn drain(py: Python<'_>) -> PyResult<()> {
    running(py).map_or(Ok(()), |hub| hub.drain(py))
}

/// The event loop's callback for the first sleeper.
#[pyfunction]
fn wake_due(py: Python<'_>) -> PyResult<()> {
    let Some(hub) = running(py) else { return Ok(()) };
    let gone_off = hub.alarm.take();
    drop(gone_off);
    hub.wake_sleepers(py)?;
    hub.set_alarm(py)?;
    hub.stop_watching_if_idle(py)
}

/// Park the running greenlet for `seconds`. Other users run meanwhile; a kill ends it at once.
///
/// Unlike `gevent.sleep` it costs no timer of the event loop: tens of thousands of users may sleep at once.
#[pyfunction]
fn sleep(seconds: &Bound<'_, PyAny>) -> PyResult<()> {
    sleep_for(seconds.py(), seconds_of(seconds)?)
}

/// The number of a time to sleep for. What is none fails as it does where gevent compares it with zero.
pub fn seconds_of(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    value.extract().map_err(|error| value.le(0).err().unwrap_or(error))
}

pub fn sleep_for(py: Python<'_>, seconds: f64) -> PyResult<()> {
    if seconds <= 0.0 {
        return yield_now(py);
    }
    let time = Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("cannot sleep for {seconds} seconds")))?;
    hub(py)?.sleep(py, time)
}

/// Let every other greenlet that is ready run.
pub fn yield_now(py: Python<'_>) -> PyResult<()> {
    py.import(intern!(py, "gevent"))?.call_method1(intern!(py, "sleep"), (0,)).map(drop)
}

/// How many cores this process may use, by its affinity and its container's limit.
#[pyfunction]
fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Choose the number of I/O threads; before the first request.
#[pyfunction]
fn set_io_threads(threads: usize) {
    IO_THREADS.store(threads, Ordering::Relaxed);
}

/// How many greenlets are parked: requests under way and native sleeps.
#[pyfunction]
fn parked(py: Python<'_>) -> usize {
    running(py).map_or(0, |hub| hub.waiters.borrow().len())
}

/// How many lanes the I/O threads have: what a session that is gone leaves behind.
#[pyfunction]
fn lanes() -> usize {
    crate::http::io::lanes()
}

/// How many requests of stopped users have not come back from the I/O threads yet.
#[pyfunction]
fn unreturned_requests(py: Python<'_>) -> usize {
    running(py).map_or(0, |hub| hub.unreturned.get())
}

/// How many requests were under way when their users were stopped and may have reached the server; counts anew from here.
#[pyfunction]
fn take_abandoned_requests(py: Python<'_>) -> usize {
    running(py).map_or(0, |hub| hub.abandoned.replace(0))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sleep, module)?)?;
    module.add_function(wrap_pyfunction!(available_cores, module)?)?;
    module.add_function(wrap_pyfunction!(set_io_threads, module)?)?;
    module.add_function(wrap_pyfunction!(unreturned_requests, module)?)?;
    module.add_function(wrap_pyfunction!(take_abandoned_requests, module)?)?;
    module.add_function(wrap_pyfunction!(lanes, module)?)?;
    module.add_function(wrap_pyfunction!(parked, module)?)
}
