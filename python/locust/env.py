"""The environment: everything that belongs to one test run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gregaria import _following

from .dispatch import UsersDispatcher
from .event import Events
from .exception import RunnerAlreadyExistsError
from .runners import LocalRunner, MasterRunner, Runner, WorkerRunner
from .shape import LoadTestShape
from .stats import RequestStats, StatsCSV
from .user.task import TaskHolder, TaskSet, filter_tasks_by_tags
from .user.users import PytestUser, User
from .web import WebUI

if TYPE_CHECKING:
    from argparse import Namespace

    from gregaria.seeding import Seeds

    from .user.task import Task

    R = TypeVar("R", bound=Runner)


class Environment:
    """What a test runs with: its user classes and options, its events and statistics, its runner."""

    def __init__(
        self,
        *,
        user_classes: list[type[User]] | None = None,
        shape_class: LoadTestShape | None = None,
        tags: list[str] | None = None,
        locustfile: str | None = None,
        exclude_tags: list[str] | None = None,
        events: Events | None = None,
        host: str | None = None,
        reset_stats: bool = False,
        stop_timeout: float | None = None,
        catch_exceptions: bool = True,
        parsed_options: Namespace | None = None,
        parsed_locustfiles: list[str] | None = None,
        available_user_classes: dict[str, type[User]] | None = None,
        available_shape_classes: dict[str, LoadTestShape] | None = None,
        available_user_tasks: dict[str, list[Task]] | None = None,
        dispatcher_class: type[UsersDispatcher] = UsersDispatcher,
        profile: str | None = None,
    ) -> None:
        self.runner: Runner | None = None
        self.web_ui: WebUI | None = None
        self.process_exit_code: int | None = None
        """Set it in a listener, at the latest of `quitting`, to decide the exit code of the process."""

        self.checks: list[str] = []
        """Not in Locust: what a run must keep to, beside `--check`: `["GET /orders: p95 < 1s"]`. Read after `init`."""

        self.user_classes = user_classes if user_classes is not None else []
        self.shape_class = shape_class
        self.tags = tags
        self.exclude_tags = exclude_tags
        self.locustfile = locustfile
        self.events = events if events is not None else Events()
        self.host = host
        self.reset_stats = reset_stats
        self.stop_timeout = stop_timeout if stop_timeout is not None else _stop_timeout(parsed_options)
        self.catch_exceptions = catch_exceptions
        self.parsed_options = parsed_options
        self.parsed_locustfiles = parsed_locustfiles
        self.available_user_classes = available_user_classes
        self.available_shape_classes = available_shape_classes
        self.available_user_tasks = available_user_tasks
        self.dispatcher_class = dispatcher_class
        self.profile = profile
        self._stats = RequestStats()
        self.worker_logs: dict[str, list[str]] = {}
        self._tags_applied = False
        self._seeds: Seeds | None = None
        if isinstance(seed := getattr(parsed_options, "random_seed", None), int):
            self.seed = seed

        self._remove_user_classes_with_weight_zero()
        self._validate_user_class_name_uniqueness()
        self._validate_shape_class_instance()

    @property
    def seed(self) -> int | None:
        """Not in Locust: the number from which every user's random choices and waits follow; `--seed`.

        Set it before the test starts. `ValueError` for what is no whole number from 0 on; `None`: no seed.
        """
        return None if self._seeds is None else self._seeds.seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        if seed is None:
            self._seeds = None
            return
        from gregaria.seeding import Seeds, checked

        self._seeds = Seeds(checked(seed))

    def create_local_runner(self) -> LocalRunner:
        """Make the runner that runs the users in this process."""
        return self._created(lambda: LocalRunner(self))

    def create_master_runner(self, master_bind_host: str = "*", master_bind_port: int = 5557) -> MasterRunner:
        """Make the runner that has workers run the users."""
        return self._created(lambda: MasterRunner(self, master_bind_host, master_bind_port))

    def create_worker_runner(self, master_host: str, master_port: int) -> WorkerRunner:
        """Make the runner that runs the users that a master hands out, when the master has acknowledged it."""
        # Its figures are handed over every few seconds: nobody asks it for those of the last ten.
        self.stats = RequestStats(use_response_times_cache=False)
        return self._created(lambda: WorkerRunner(self, master_host, master_port))

    def create_web_ui(
        self,
        host: str = "",
        port: int = 8089,
        web_base_path: str | None = None,
        web_login: bool = False,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        stats_csv_writer: StatsCSV | None = None,
        delayed_start: bool = False,
        userclass_picker_is_active: bool = False,
        build_path: str | None = None,
    ) -> WebUI:
        """Make the web page of this environment, and serve it, at once unless `delayed_start`: then by its `start()`.

        `port` 0 is any that is free. With `tls_cert` and `tls_key`, two files, it is served over TLS.
        """

        return WebUI(
            self,
            host,
            port,
            web_base_path=web_base_path,
            web_login=web_login,
            tls_cert=tls_cert,
            tls_key=tls_key,
            stats_csv_writer=stats_csv_writer,
            delayed_start=delayed_start,
            userclass_picker_is_active=userclass_picker_is_active,
            build_path=build_path,
        )

    def _created(self, create: Callable[[], R]) -> R:
        if self.runner is not None:
            raise RunnerAlreadyExistsError(f"Environment.runner already exists ({self.runner})")
        self.runner = runner = create()
        _following.tell(self)
        if self.shape_class:
            self.shape_class.runner = runner
        return runner

    def annotate(self, text: str) -> None:
        """Not in Locust: note what happens at this moment, as `environment.annotate("deploy v2")`.

        It stands in the charts of the web page and of the report, in `PREFIX_annotations.csv` beside the other files of
        `--csv`, and in `--json-file`. `text` has at most 500 characters; white space in it becomes single spaces.

        Raises `ValueError` for what is no text, for an empty or a longer one, and for more than 10,000.
        """
        from gregaria._annotations import annotate

        annotate(self, text)

    def update_user_class(self, user_settings: dict[str, Any]) -> None:
        """Set attributes of the class that `user_settings["user_class_name"]` names; `tasks` takes names of tasks.

        A master has its workers do the same.
        """
        if isinstance(self.runner, MasterRunner):
            self.runner.send_message("update_user_class", user_settings)
        name = user_settings.get("user_class_name")
        if name not in (self.available_user_classes or {}):
            raise KeyError(f"`update_user_class` knows no class `{name}`: it looks in `available_user_classes`")
        user_class = (self.available_user_classes or {})[name]
        for key, value in user_settings.items():
            if key == "tasks":
                tasks = (self.available_user_tasks or {})[name]
                user_class.tasks = [task for task in tasks if task.__name__ in value]
            elif key != "user_class_name":
                setattr(user_class, key, value)

    def update_worker_logs(self, worker_log_report: dict[str, Any]) -> None:
        """Keep the log lines that a worker sent."""
        worker = worker_log_report.get("worker_id")
        if worker:
            self.worker_logs[worker] = worker_log_report.get("logs", [])
            _following.tell(self)

    def assign_equal_weights(self) -> None:
        """Make all user classes equally frequent, and all tasks within each: `--equal-weights`."""
        for user_class in self.user_classes:
            user_class.weight = 1
            user_class.tasks = _plain_tasks(user_class.tasks)

    @property
    def stats(self) -> RequestStats:
        """What was requested and what failed. If you put others in their place, requests are counted there."""
        return self._stats

    @stats.setter
    def stats(self, stats: RequestStats) -> None:
        self._stats = stats
        if self.runner is not None:
            self.runner._follow_statistics()

    @property
    def user_classes_by_name(self) -> dict[str, type[User]]:
        """The user classes, by their names."""
        return {user_class.__name__: user_class for user_class in self.user_classes}

    def _filter_tasks_by_tags(self) -> None:
        """Apply the tags, once."""
        if self._tags_applied:
            return
        self._tags_applied = True
        tags, exclude_tags = self.tags, self.exclude_tags
        if self.parsed_options is not None:
            tags = tags if tags is not None else getattr(self.parsed_options, "tags", None) or None
            if exclude_tags is None:
                exclude_tags = getattr(self.parsed_options, "exclude_tags", None) or None
        for user_class in self.user_classes:
            filter_tasks_by_tags(cast(TaskHolder, user_class), tags, exclude_tags)
        if tags is not None or exclude_tags is not None:
            self._filter_tests_by_marks(tags, exclude_tags)

    def _filter_tests_by_marks(self, tags: list[str] | None, exclude_tags: list[str] | None) -> None:
        suites = [user_class for user_class in self.user_classes if issubclass(user_class, PytestUser)]
        if not suites:
            return
        from gregaria._suite.collecting import keep_tagged

        for suite in suites:
            keep_tagged(suite, tags, exclude_tags)
        # In place, as below. A user without tests would only fail.
        self.user_classes[:] = [cls for cls in self.user_classes if cls not in suites or cls.functions]

    def _remove_user_classes_with_weight_zero(self) -> None:
        if not self.user_classes:
            return
        # In place: the list belongs to the caller, who may look at it again.
        self.user_classes[:] = [cls for cls in self.user_classes if cls.weight > 0 or cls.fixed_count > 0]
        if not self.user_classes:
            raise ValueError("There are no users with weight > 0.")

    def _validate_user_class_name_uniqueness(self) -> None:
        if len(self.user_classes_by_name) < len(self.user_classes):
            names = ", ".join(user_class.fullname() for user_class in self.user_classes)
            raise ValueError(f"The following user classes have the same class name: {names}")

    def _validate_shape_class_instance(self) -> None:
        if self.shape_class is not None and not isinstance(self.shape_class, LoadTestShape):
            raise ValueError(
                "shape_class should be instance of LoadTestShape or subclass LoadTestShape, "
                f"but got: {self.shape_class}"
            )


def _stop_timeout(options: Namespace | None) -> float:
    return float(getattr(options, "stop_timeout", 0.0) or 0.0)


def _plain_tasks(tasks: list[Task]) -> list[Task]:
    """Each task once, out of the task sets: from the last to the first, as a seeded pick among them has it."""
    plain: dict[Task, None] = {}
    left = list(tasks)
    while left:
        task = left.pop()
        if isinstance(task, type) and issubclass(task, TaskSet):
            left += task.tasks
        elif callable(task):
            plain[task] = None
        else:
            raise ValueError("Unrecognized task type in user")
    return list(plain)
