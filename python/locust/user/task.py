"""Tasks, and the sets that hold them."""

from __future__ import annotations

import logging
import random
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias, TypeVar, cast, final, overload, runtime_checkable

from gevent import GreenletExit

from gregaria import _engine, untouched

from ..exception import (
    InterruptTaskSet,
    MissingWaitTimeError,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)

if TYPE_CHECKING:
    from .users import User

    Task: TypeAlias = Callable[..., Any]
    T = TypeVar("T", bound=Callable[..., Any])

logger = logging.getLogger(__name__)

LOCUST_STATE_RUNNING = "running"
LOCUST_STATE_WAITING = "waiting"
LOCUST_STATE_STOPPING = "stopping"


@runtime_checkable
class TaskHolder(Protocol):
    """A user class or a task set class: whatever has tasks."""

    tasks: list[Task]


@overload
def task(weight: T) -> T: ...


@overload
def task(weight: int = 1) -> Callable[[T], T]: ...


def task(weight: T | int = 1) -> T | Callable[[T], T]:
    """Make a method, or a task set class, one of the tasks of the class around it.

    `@task(3)` is picked three times as often as `@task`.
    """
    if callable(weight):
        return _mark_as_task(weight, 1)
    return lambda function: _mark_as_task(function, weight)


def _mark_as_task(function: T, weight: int) -> T:
    name = function.__name__
    if name == "run":
        raise Exception(
            "User.run() is a method used internally by Locust, and you must not override it or register it as a task"
        )
    if name in ("on_start", "on_stop"):
        logging.warning(
            "You have tagged your on_stop/start function with @task. "
            "This will make the method get called both as a task AND on stop/start."
        )
    function.locust_task_weight = weight  # type: ignore[attr-defined]
    return function


def tag(*tags: str) -> Callable[[T], T]:
    """Name a task, or all tasks of a task set, for `--tags` and `--exclude-tags`."""
    if not tags or callable(tags[0]):
        raise ValueError("No tag name was supplied")

    def decorate(tagged: T) -> T:
        if hasattr(tagged, "tasks"):
            for member in tagged.tasks:
                decorate(member)
        else:
            if "locust_tag_set" not in tagged.__dict__:
                tagged.locust_tag_set = set()  # type: ignore[attr-defined]
            tagged.locust_tag_set.update(tags)  # type: ignore[attr-defined]
        return tagged

    return decorate


def get_tasks_from_base_classes(bases: tuple[type, ...], class_dict: dict[str, Any]) -> list[Task]:
    """The flat list of a new class: what its bases have, its `tasks`, then its decorated members."""
    collected: list[Task] = []
    for base in bases:
        collected += getattr(base, "tasks", None) or []

    declared = class_dict.get("tasks")
    if declared is not None:
        for entry in declared.items() if isinstance(declared, dict) else declared:
            if isinstance(entry, tuple):
                repeated, times = entry
                collected += _repeat(repeated, times)
            else:
                collected.append(entry)

    for member in class_dict.values():
        # Not `hasattr`: a member that invents attributes, as a mock does, is no task.
        if "locust_task_weight" in dir(member):
            collected += _repeat(member, member.locust_task_weight)
    return collected


def _repeat(member: Task, weight: int) -> list[Task]:
    """A task as often as its weight says."""
    return [member for _ in range(weight)]


def is_markov_taskset(task: object) -> bool:
    """Whether `task` is a `MarkovTaskSet` class, whose chain no filter may break."""
    return type(task).__name__ == "MarkovTaskSetMeta"


def filter_tasks_by_tags(
    task_holder: TaskHolder,
    tags: Iterable[str] | None = None,
    exclude_tags: Iterable[str] | None = None,
    checked: dict[Task, bool] | None = None,
) -> None:
    """Drop, in place, the tasks that `--tags` and `--exclude-tags` leave out, in nested task sets too."""
    if is_markov_taskset(task_holder) or getattr(task_holder, "functions", None):
        return  # test functions of pytest have marks, see Environment
    decided = {} if checked is None else checked
    included = None if tags is None else set(tags)
    excluded = None if exclude_tags is None else set(exclude_tags)

    def keeps(candidate: Task) -> bool:
        if hasattr(candidate, "tasks"):
            filter_tasks_by_tags(candidate, included, excluded, decided)
            return bool(candidate.tasks) or is_markov_taskset(candidate)
        own: set[str] = getattr(candidate, "locust_tag_set", set())
        return (included is None or not own.isdisjoint(included)) and (excluded is None or own.isdisjoint(excluded))

    kept = []
    for candidate in task_holder.tasks:
        if candidate not in decided:
            decided[candidate] = keeps(candidate)
        if decided[candidate]:
            kept.append(candidate)
    task_holder.tasks = kept
    if not kept:
        name = getattr(task_holder, "__name__", task_holder)
        logging.warning("%s had no tasks left after filtering, instantiating it will fail!", name)


class TaskSetMeta(type):
    """Collects the tasks of a task set class, and notices when one of its methods is replaced."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> TaskSetMeta:
        return super().__new__(mcs, name, bases, {**body, "tasks": get_tasks_from_base_classes(bases, body)})

    def __setattr__(cls, name: str, value: object) -> None:
        untouched.forget(name)
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        untouched.forget(name)
        super().__delattr__(name)


class _Queue:
    """Makes a task set's queue when it is first looked at: most never schedule anything, and it is half a kilobyte."""

    def __get__(self, task_set: TaskSet, _: type | None = None) -> deque[Task]:
        queue: deque[Task] = deque()
        task_set._task_queue = queue  # From now on this is found before the descriptor.
        return queue


@untouched.known
class TaskSet(metaclass=TaskSetMeta):
    """A group of tasks that a user runs until it leaves the group with `interrupt()`.

    A task set is itself a task of a user class, or of another task set: nest the class and decorate it with `@task`,
    or name it in `tasks`.
    """

    tasks: Any = []
    """Callables and task set classes, or tuples of these with a weight, or a dict `{task: weight}`."""

    min_wait: float | None = None
    max_wait: float | None = None
    wait_function: Callable[[], float] | None = None

    _task_queue = cast("deque[Task]", _Queue())

    def __init__(self, parent: User | TaskSet) -> None:
        self._user: User = parent._user if isinstance(parent, TaskSet) else parent
        self._parent = parent
        self._time_start = self._cp_last_run = perf_counter()
        self._cp_last_wait_time: float = 0
        # The deprecated settings are copied only when there is something to copy: most of ten thousand users have none.
        for name in ("min_wait", "max_wait", "wait_function"):
            inherited = getattr(self._user, name)
            if inherited is not None and not getattr(self, name):
                setattr(self, name, inherited)

    @property
    def user(self) -> User:
        """The user that runs this task set, however deep it is nested."""
        return self._user

    @property
    def parent(self) -> User | TaskSet:
        """The task set around this one, or the user."""
        return self._parent

    @property
    def client(self) -> Any:
        """The user's client."""
        return self.user.client  # type: ignore[attr-defined]

    def on_start(self) -> Awaitable[None] | None:
        """Called when a user enters this task set."""
        return None

    def on_stop(self) -> Awaitable[None] | None:
        """Called when a user leaves this task set, also because it is stopped."""
        return None

    @final
    def run(self) -> None:
        """Run tasks until something ends it. For the runner; a locustfile does not override it."""
        try:
            _engine.settle(self.on_start())
        except InterruptTaskSet as interrupt:
            raise _for_parent(interrupt) from interrupt
        ended = None
        try:
            while ended is None:
                ended = self._run_on_engine() if untouched.is_untouched(self) else self._run_tasks()
        except InterruptTaskSet as interrupt:
            self._leave(heed=(StopUser, StopTest))
            raise _for_parent(interrupt) from interrupt
        except (StopUser, StopTest, GreenletExit):
            self._user._leaving = True
            self._leave(heed=())
            raise
        raise ended

    def _run_on_engine(self) -> BaseException | None:
        picks = type(self).get_next_task
        is_root = picks is DefaultTaskSet.get_next_task
        asks_user = type(self).wait_time is _wait_as_the_user and "wait_time" not in vars(self)
        return _engine.run_task_set(self, is_root, not is_root and picks is not TaskSet.get_next_task, asks_user)

    def _run_tasks(self) -> BaseException:
        """The task loop for task sets that override a part of it. The engine's does the same.

        What leaves the task set is raised. What is raised while a failed task is dealt with is returned: who is stopped
        in the wait after it does not pass `on_stop` of the set that failed.
        """
        while True:
            try:
                self._run_one_task()
            except (InterruptTaskSet, StopUser, StopTest, GreenletExit):
                raise
            except Exception as error:
                try:
                    self._deal_with(error)
                except BaseException as raised:
                    return raised

    def _task_failed(self, error: Exception) -> None:
        """What the engine's loop does with a failed task.

        It is raised here once more, so that listeners find it where they look for it: in `sys.exc_info()`, as the
        context of what they raise, and with a traceback, which it lacks if the task could not even be called.
        """
        try:
            raise error
        except Exception:
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next or error.__traceback__
            self._deal_with(error)

    def _deal_with(self, error: Exception) -> None:
        self._report(error)
        if not self.user.environment.catch_exceptions:
            raise error
        self.wait()

    def _run_one_task(self) -> None:
        if not self._task_queue:
            self.schedule_task(self.get_next_task())
        if self._user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        if self._task_queue and not _engine.may_begin(self._task_queue[0]):
            raise StopUser()
        try:
            self.execute_next_task()
        except RescheduleTaskImmediately:
            return
        except RescheduleTask:
            pass
        self.wait()

    def _leave(self, heed: tuple[type[Exception], ...]) -> None:
        """Call `on_stop`. What it raises is logged and forgotten, except what is to be heeded."""
        try:
            _engine.settle(self.on_stop())
        except heed:
            raise
        except Exception:
            logging.error("Uncaught exception in on_stop: \n%s", traceback.format_exc())

    def _report(self, error: Exception) -> None:
        environment = self.user.environment
        environment.events.user_error.fire(user_instance=self, exception=error, tb=error.__traceback__)
        if environment.catch_exceptions:
            logger.error("%s\n%s", error, "".join(traceback.format_exception(error)))

    def execute_next_task(self) -> None:
        """Run the task at the head of the queue."""
        self.execute_task(self._task_queue.popleft())

    def execute_task(self, task: Task) -> None:
        """Run a method of this very instance, a nested task set, or a function of one argument."""
        if getattr(task, "__self__", None) is self:
            _engine.settle(task())
        elif _is_task_set(task):
            task(self).run()
        else:
            _engine.settle(task(self))

    def schedule_task(self, task_callable: Task, first: bool = False) -> None:
        """Run `task_callable` before a new task is picked; with `first`, before all that are scheduled already."""
        if first:
            self._task_queue.appendleft(task_callable)
        else:
            self._task_queue.append(task_callable)

    def get_next_task(self) -> Task:
        """Pick a task."""
        if not self.tasks:
            hint = ", but you have set a 'task' attribute - maybe you meant to set 'tasks'?" if _has_task(self) else "."
            raise Exception(
                f"No tasks defined on {type(self).__name__}{hint}"
                " use the @task decorator or set the 'tasks' attribute of the TaskSet"
            )
        chosen: Task = random.choice(self.tasks)
        return chosen

    def wait_time(self) -> float:
        """Seconds to wait after a task: the user's, unless the class says otherwise (`wait_time = between(1, 2)`)."""
        user_wait_time: Callable[[], float] | None = self.user.wait_time
        if user_wait_time:
            return user_wait_time()
        if self.min_wait is not None and self.max_wait is not None:
            return random.randint(self.min_wait, self.max_wait) / 1000  # type: ignore[arg-type]
        user_class, task_set_class = type(self.user).__name__, type(self).__name__
        raise MissingWaitTimeError(
            f"You must define a wait_time method on either the {user_class} or {task_set_class} class"
        )

    def wait(self) -> None:
        """Wait for `wait_time()`. The user can be stopped there."""
        user = self._user
        if user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        user._state = LOCUST_STATE_WAITING
        self._sleep(self.wait_time())
        if user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        user._state = LOCUST_STATE_RUNNING

    def _sleep(self, seconds: float) -> None:
        _engine.sleep(seconds)

    def interrupt(self, reschedule: bool = True) -> NoReturn:
        """Leave this task set: the parent picks its next task at once, or, with `reschedule=False`, waits first."""
        raise InterruptTaskSet(reschedule)


_wait_as_the_user = TaskSet.wait_time
"""The method that is ours, which somebody may replace by another."""


@untouched.known
class DefaultTaskSet(TaskSet):
    """The outermost task set of every user: runs the tasks of the user class."""

    def get_next_task(self) -> Task:
        """Return one of the user's tasks, at random."""
        if not self.user.tasks:
            hint = "."
            if _has_task(self.user):
                hint = ", but you have set a 'task' attribute on your class - maybe you meant to set 'tasks'?"
            raise Exception(
                f"No tasks defined on {type(self.user).__name__}{hint}"
                " Use the @task decorator or set the 'tasks' attribute of the User"
                " (or mark it as abstract = True if you only intend to subclass it)"
            )
        chosen: Task = random.choice(self.user.tasks)
        return chosen

    def execute_task(self, task: Task) -> None:
        """Run a task of the user, or a task set."""
        if _is_task_set(task):
            task(self.user).run()
        else:
            _engine.settle(task(self.user))


def _is_task_set(task: Task) -> bool:
    return isinstance(task, type) and issubclass(task, TaskSet)


def _has_task(holder: object) -> bool:
    return bool(getattr(holder, "task", None))


def _for_parent(interrupt: InterruptTaskSet) -> Exception:
    """What a set that was left raises into the loop of its parent."""
    kind = RescheduleTaskImmediately if interrupt.reschedule else RescheduleTask
    return kind(interrupt.reschedule)
