"""The command: from its arguments to its exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import gevent
from gevent.event import Event

import locust
from gregaria import _engine, _feeders, _locustfiles, _starting, _verdicts, locating
from gregaria._keyboard import Keyboard
from gregaria._outputs import Outputs, spawn

from . import log
from . import stats as stats
from .argument_parser import get_locustfiles_locally as get_locustfiles_locally
from .argument_parser import get_parser
from .argument_parser import parse_locustfile_option as parse_locustfile_option
from .env import Environment
from .exception import StopTest
from .html import get_html_report as get_html_report
from .html import process_html_filename as process_html_filename
from .input_events import input_listener as input_listener
from .log import greenlet_exception_logger as greenlet_exception_logger
from .log import setup_logging as setup_logging
from .opentelemetry import setup_opentelemetry
from .runners import STATE_CLEANUP, MasterRunner, Runner
from .user.inspectuser import print_task_ratio, print_task_ratio_json
from .util.load_locustfile import load_locustfile as load_locustfile
from .util.load_locustfile import load_locustfile_pytest as load_locustfile_pytest

if TYPE_CHECKING:
    from argparse import Namespace
    from types import FrameType

    from .event import Events
    from .shape import LoadTestShape
    from .user.task import Task
    from .user.users import User

version = locust.__version__

COMMON_OPTIONS = {"num_users": "users", "spawn_rate": "spawn-rate", "run_time": "run-time"}
"""What a shape decides instead: the destinations of options, and their names without dashes."""

logger = logging.getLogger(__name__)


def main() -> NoReturn:
    """Run the command with the arguments of the process, and exit with its exit code."""
    try:
        sys.exit(_run(sys.argv[1:]))
    except KeyboardInterrupt:
        _die_of(signal.SIGINT)


def _run(arguments: list[str]) -> int:
    _starting.heed_sigterm()
    _starting.warn_of_locust_beside_us()
    _starting.import_plugins()
    try:
        first = _engine.first_pass(arguments)
        master = (first["master_host"], first["master_port"], first["cluster_key"]) if first["worker"] else None
        paths = locating.locustfiles(first["locustfile"] or "locustfile.py", master=master)
    except _engine.UsageError as error:
        _starting.fail(f"locust: error: {error}", error.code)
    if first["seed"] is not None:
        _seed_what_is_no_users(first["seed"])
    user_classes, shape_classes, tasks, shape = merge_locustfiles_content(paths)
    parser = get_parser()
    options = parser.parse_args(arguments)
    _starting.check_options(options, parser)
    if not options.skip_log_setup:
        setup_logging(options.loglevel, options.logfile)
    is_observed = options.otel and setup_opentelemetry(options.locustfile, options.profile)
    logger.info("Starting Locust %s%s", version, ", OpenTelemetry enabled" if is_observed else "")
    if options.processes:
        from gregaria._cluster import processes

        processes.fork(options)

    if options.list_commands:
        print("Available Users:")
        for name in user_classes:
            print(f"    {name}")
        return 0
    chosen = _starting.choose(user_classes, options)
    if not chosen:
        return 1
    _starting.warn_of_fixed_counts(chosen, shape, options)
    _starting.raise_open_files_limit(options.num_users or 0)
    try:
        environment = create_environment(
            chosen,
            options,
            events=locust.events,
            shape_class=shape,
            locustfile=os.path.basename(paths[0]),
            parsed_locustfiles=paths,
            available_user_classes=user_classes,
            available_shape_classes=shape_classes,
            available_user_tasks=tasks,
        )
    except ValueError as error:
        logger.error("%s", error)
        return 1
    if not _starting.apply_user_config(environment, options):
        return -1
    _starting.warn_of_ignored_options(shape, options)
    if options.show_task_ratio:
        for title, total in (("Task ratio per User class", False), ("Total task ratio", True)):
            print(f"\n {title}\n{80 * '-'}")
            print_task_ratio(chosen, options.num_users, total)
        return 0
    if options.show_task_ratio_json:
        print_task_ratio_json(chosen, options.num_users)
        return 0
    if not _starting.is_mode_possible(options):
        return -1
    if not _starting.check_web_page(options):
        return 1
    secret = {action.dest for action in parser._actions if getattr(action, "is_secret", False)}
    return _kind_of_run(options)(environment, options, secret).to_its_end()


def _kind_of_run(options: Namespace) -> type[_Run]:
    if options.worker:
        from gregaria._cluster.command import WorkerRun

        return WorkerRun
    if options.headless:
        return _Run
    from gregaria._web.command import RunWithPage

    return RunWithPage


def _seed_what_is_no_users(given: str) -> None:
    """What the locustfile draws while it is read, and its listeners later, repeats with `--seed`, too."""
    from gregaria import seeding

    seed = seeding.as_number(given)
    if seed is not None:
        seeding.seed_the_rest(seed)


def merge_locustfiles_content(
    locustfiles: Sequence[str],
) -> tuple[dict[str, type[User]], dict[str, LoadTestShape], dict[str, list[Task]], LoadTestShape | None]:
    """Import the files: their user classes, shapes and tasks by name, and the shape that the test follows."""
    return _locustfiles.merged(locustfiles)


def create_environment(
    user_classes: list[type[User]],
    options: Namespace,
    events: Events | None = None,
    shape_class: LoadTestShape | None = None,
    locustfile: str | None = None,
    parsed_locustfiles: list[str] | None = None,
    available_user_classes: dict[str, type[User]] | None = None,
    available_shape_classes: dict[str, LoadTestShape] | None = None,
    available_user_tasks: dict[str, list[Task]] | None = None,
) -> Environment:
    """An environment for these classes, with what the options say of it."""
    return Environment(
        locustfile=locustfile,
        user_classes=user_classes,
        shape_class=shape_class,
        events=events,
        host=options.host,
        reset_stats=options.reset_stats,
        parsed_options=options,
        parsed_locustfiles=parsed_locustfiles,
        available_user_classes=available_user_classes,
        available_shape_classes=available_shape_classes,
        available_user_tasks=available_user_tasks,
        profile=getattr(options, "profile", None),
    )


class _Run:
    """One test from the command line, from the creation of its runner to the exit code."""

    def __init__(self, environment: Environment, options: Namespace, secret: set[str]) -> None:
        self.environment = environment
        self.options = options
        self.ending = Event()
        self.runner: Runner = self._create_runner()
        self.runner._finish = self._finish
        self.outputs = self._create_outputs(secret)
        self.keyboard: Keyboard | None = None
        self.end_with_shape: gevent.Greenlet[..., Any] | None = None
        self.end_with_time: gevent.Greenlet[..., Any] | None = None
        self.is_terminated = False
        self.finishing: gevent.Greenlet[..., Any] | None = None
        self.is_finishing = False

    def _create_runner(self) -> Runner:
        options = self.options
        if options.master:
            return self.environment.create_master_runner(options.master_bind_host, options.master_bind_port)
        return self.environment.create_local_runner()

    def _create_outputs(self, secret: set[str]) -> Outputs:
        return Outputs(self.environment, self.runner, self.options, secret)

    def to_its_end(self) -> int:
        # A test that says why it stops, as one without a host does, is told in a sentence, and not by gevent with a
        # traceback as well.
        hub = gevent.get_hub()
        hub.NOT_ERROR = (*hub.NOT_ERROR, StopTest)
        if not self.outputs.open():
            return 1
        self._prepare()
        if not self._init():
            return 1
        if self.options.class_picker:
            logger.debug("Locust is running with the UserClass Picker Enabled")
        if mistake := self.outputs.verdicts.mistake():
            logger.error("%s", mistake)
            return 2
        if mistake := _feeders.mistake(self.runner):
            logger.error("%s", mistake)
            return 1
        self.outputs.begin(self._abort)
        gevent.signal_handler(signal.SIGTERM, self._on_sigterm)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _interrupt)
        try:
            self._begin()
            self._wait()
        except KeyboardInterrupt:
            self._on_ctrl_c()
        if self.keyboard is not None:
            self.keyboard.close()
        # Who terminates a process has no patience, and Locust none for a report then.
        if not self.is_terminated:
            self.outputs.report()
        return self._shut_down()

    def _prepare(self) -> None:
        if self.options.autostart:
            logger.info("The --autostart argument is implied by --headless, no need to set both.")

    def _begin(self) -> None:
        if self.environment.shape_class is None:
            spawn(self._end_with_runner)
            self.keyboard = Keyboard(self.runner)
        self._start()

    def _abort(self) -> None:
        """A check ends the test."""
        self.runner.quit()

    def _wait(self) -> None:
        self.ending.wait()

    def _init(self) -> bool:
        events = self.environment.events
        if self.options.equal_weights:
            events.init.add_listener(lambda **_: self.environment.assign_equal_weights())
        events.init.fire(environment=self.environment, runner=self.runner, web_ui=self.environment.web_ui)
        # What failed is logged. A test whose preparation failed would only produce numbers that mean nothing.
        return not log.unhandled_greenlet_exception

    def _start(self) -> None:
        options = self.options
        if options.io_threads:
            _engine.set_io_threads(options.io_threads)
        if isinstance(self.runner, MasterRunner) and not self._has_workers(self.runner):
            return
        options.num_users = 1 if options.num_users is None else options.num_users
        options.spawn_rate = options.spawn_rate or 1
        limit = getattr(options, "iteration_limit", None)
        if limit:
            logger.info("Iteration limit set to %s", limit)
            self._limit_iterations(limit)
        if self.environment.shape_class is not None:
            self.runner.start_shape()
            self.end_with_shape = spawn(self._end_with_shape)
            return
        if options.run_time:
            logger.info("Run time limit set to %s seconds", options.run_time)
            self.end_with_time = spawn(self._end_after, options.run_time, time.monotonic())
        elif not limit:
            logger.info("No run time limit set, use CTRL+C to interrupt")
        if isinstance(self.runner, MasterRunner):
            spawn(self.runner.start, options.num_users, options.spawn_rate)  # It returns when the ramp is over.
        else:
            self.runner.start(options.num_users, options.spawn_rate)

    def _has_workers(self, runner: MasterRunner) -> bool:
        """Whether the expected workers came. Who is interrupted while waiting for them dies of it, as Locust does."""
        from gregaria._cluster.expecting import wait_for_workers

        interruption = signal.SIGTERM
        try:
            if wait_for_workers(runner, self.options, self.ending):
                return True
        except KeyboardInterrupt:
            interruption = signal.SIGINT
        runner.quit()
        _die_of(interruption)

    def _end_after(self, seconds: float, began: float) -> None:
        # gevent counts from the time at which its loop last looked at the clock, which may be a while ago.
        while (left := began + seconds - time.monotonic()) > 0:
            gevent.sleep(left)
        logger.info("--run-time limit reached, shutting down")
        self.runner.quit()

    def _limit_iterations(self, limit: int) -> None:
        """Let so many tasks begin, and end the run when these have ended."""
        _engine.limit_iterations(limit, partial(self._finish, "--iterations limit reached"))

    def _finish(self, reason: str) -> None:
        """End the run, for this reason, when the tasks under way have ended. Returns at once."""
        if not self.is_finishing:
            self.is_finishing = True
            self.finishing = spawn(self._let_finish, reason)

    def _let_finish(self, reason: str) -> None:
        logger.info("%s, shutting down when the tasks under way have ended", reason)
        self.runner._let_finish()
        self.runner.quit()

    def _end_with_shape(self) -> None:
        shape = self.runner.shape_greenlet
        if shape is not None:
            shape.join()
            gevent.sleep(0)  # What ended it, if it was an exception, is told first.
        if self.is_finishing and self.finishing is not None:
            self.finishing.join()
        elif not self.ending.is_set():
            self._complete_shape()
        self.ending.set()

    def _complete_shape(self) -> None:
        logger.info("Shape test completed, shutting down")
        self.runner.quit()

    def _end_with_runner(self) -> None:
        self.runner.greenlet.join()
        if self.end_with_shape is not None:
            self.end_with_shape.join()
        self.ending.set()

    def _on_sigterm(self) -> None:
        if not self.ending.is_set():
            logger.info("Got SIGTERM signal")
            self.is_terminated = True
            self.ending.set()

    def _on_ctrl_c(self) -> None:
        self.ending.set()
        if self.runner.shape_greenlet is not None:
            logging.info("Exiting due to CTRL+C interruption")
            self._complete_shape()

    def _shut_down(self) -> int:
        """Say how it went, stop what still runs, and show what was measured."""
        logger.debug("Running teardowns...")
        self.environment.events.quitting.fire(environment=self.environment, reverse=True)
        try:
            if self.outputs.verdicts.checks:
                # What is judged is all that is counted.
                self._end_users()
                self.outputs.verdicts.close()
            exit_code = self._exit_code()
            logger.info("Shutting down (exit code %s)", exit_code)
            logger.debug("Cleaning up runner...")
            self._end_users()
        finally:
            # Also when impatience (a second Ctrl-C) cuts the stopping short.
            is_written = self.outputs.close()
        if not is_written:
            exit_code = exit_code or 1
        self.environment.events.quit.fire(exit_code=exit_code)
        return exit_code

    def _end_users(self) -> None:
        while self.runner.state == STATE_CLEANUP:
            # Somebody, `--run-time` for one, is stopping the users already.
            gevent.sleep(0.05)
        self.runner.quit()

    def _exit_code(self) -> int:
        if self.environment.process_exit_code is not None:
            return self.environment.process_exit_code
        if self.outputs.verdicts.failed:
            return _verdicts.EXIT_CODE
        if self.runner.errors or self.runner.exceptions:
            return int(self.options.exit_code_on_error)
        return 2 if log.unhandled_greenlet_exception else 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C interrupts what runs, a task that computes for ever, too. But no callback of gevent's, and no coroutine.

    One that is left in the middle, as when it takes an ended greenlet out of its group, is waited for ever after; so is
    what asyncio was about to do. There it is for the main greenlet, which waits. A second Ctrl-C interrupts a coroutine
    that has not let it come to that.
    """
    global _interruption
    hub = gevent.get_hub()
    is_spared = gevent.getcurrent() is hub or (_engine.in_coroutine() and not _is_pending(_interruption))
    if not is_spared:
        raise KeyboardInterrupt
    _interruption = hub.loop.run_callback(hub.handle_error, None, KeyboardInterrupt, KeyboardInterrupt(), None)


_interruption: Any = None
"""The callback by which the main greenlet hears of a Ctrl-C."""


def _is_pending(callback: Any) -> bool:
    return callback is not None and bool(callback.pending)


def _die_of(number: signal.Signals) -> NoReturn:
    """End as a program does that does not handle the signal, so that a calling script sees what ended it."""
    sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
