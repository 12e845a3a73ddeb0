"""The group of the users that run: who they are, and how many, at any moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from gevent import getcurrent, joinall
from gevent.event import Event
from gevent.pool import Group

if TYPE_CHECKING:
    from gevent import Greenlet
    from greenlet import greenlet

    from locust.user.users import User


class Users(Group):
    """A gevent group that knows its users, in the order in which they were started.

    A greenlet's arguments name its user, but gevent forgets them as soon as somebody kills the greenlet, which may live
    on for as long as an `on_stop` takes. And it tells a group of a death only in the next turn of its loop: a user
    takes its leave by itself, and who was killed before it ever ran is looked for when somebody asks.
    """

    def __init__(self, changed: Callable[[int], None]) -> None:
        super().__init__()
        self._changed = changed
        self._counts: Callable[[str, bool], None] | None = None
        self._users: dict[Greenlet[..., Any], User] = {}
        self._new: dict[Greenlet[..., Any], User] = {}

    def count_classes(self, counts: Callable[[str, bool], None]) -> None:
        """Have `counts` called with the class' name for each user that begins, with true, or has ended."""
        self._counts = counts

    def users(self) -> list[User]:
        """All that live, in the order of their start."""
        self._forget_unborn()
        return list(self._users.values())

    def __len__(self) -> int:
        self._forget_unborn()
        return super().__len__()

    def add(self, greenlet: Any) -> None:
        super().add(greenlet)
        if greenlet.args:
            self._users[greenlet] = self._new[greenlet] = user = greenlet.args[0]
            if self._counts is not None:
                self._counts(type(user).__name__, True)
        self._changed(len(self.greenlets))

    def _discard(self, greenlet: Any) -> None:
        user = self._users.pop(greenlet, None)
        if user is not None and self._counts is not None:
            self._counts(type(user).__name__, False)
        self._new.pop(greenlet, None)
        super()._discard(greenlet)  # type: ignore[misc]
        self._changed(len(self.greenlets))

    def _forget_unborn(self) -> None:
        for greenlet, user in list(self._new.items()):
            if greenlet.dead:
                self.discard(greenlet)
            elif user._state is not None:
                del self._new[greenlet]


class Stopping:
    """Who stops the test, if somebody does: a context to do it in."""

    def __init__(self) -> None:
        self._by: greenlet | None = None
        self._over = Event()
        self._over.set()
        self._ended = 0
        self.cancelled = 0
        """Counts how often everything that was to begin has been called off."""
        self.asked_for_by: set[Greenlet[..., Any]] = set()
        """The users who wait for the end of the test: who ends it need not wait for them."""
        self.leaving: WeakSet[Greenlet[..., Any]] = WeakSet()
        """Those who have ever asked for it: each ends itself then."""
        self._agents: dict[greenlet, Greenlet[..., Any]] = {}

    def act_for(self, user: Greenlet[..., Any], end: Callable[[], None]) -> None:
        """Call `end` in the place of a user, who must not be killed before it is done."""
        self._agents[getcurrent()] = user
        try:
            end()
        finally:
            del self._agents[getcurrent()]

    @property
    def user(self) -> Greenlet[..., Any] | None:
        """The user for whom the test is being stopped, if it is for one."""
        return None if self._by is None else self._agents.get(self._by)

    def __enter__(self) -> None:
        self._by = getcurrent()
        self._over.clear()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._by = None
        self._ended += kind is None
        self._over.set()

    def is_nobody_s(self) -> bool:
        return self._by is None

    def is_mine(self) -> bool:
        return self.is_done_by(getcurrent())

    def is_done_by(self, who: greenlet) -> bool:
        return self._by is who

    def wait(self) -> bool:
        """Return when nobody stops the test any more: whether who did has brought it to its end, and was not killed."""
        ended = self._ended
        self._over.wait()
        return self._ended != ended

    def see_off(self) -> None:
        """Return when the users who asked for the end of the test have ended themselves, too.

        Not for who acts for one of them: that one waits for its agent, and two such would wait for each other.
        """
        if getcurrent() not in self._agents:
            joinall(list(self.leaving))

    def turn(self) -> Turn:
        """For what is to begin now."""
        return Turn(self)


class Turn:
    """Something that begins: users that start, a ramp, a shape. A stop calls it off."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping
        self._number = stopping.cancelled
        self.is_late = not stopping.is_nobody_s()
        """Whether a test is being stopped already."""

    def comes(self) -> bool:
        """Wait for the end of what is being stopped; false if somebody has called this off meanwhile."""
        self._stopping.wait()
        return self._number == self._stopping.cancelled

    def is_over(self) -> bool:
        """Whether nothing may begin any more."""
        return self.is_late or self._number != self._stopping.cancelled or not self._stopping.is_nobody_s()
