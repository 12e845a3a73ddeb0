"""What a locustfile raises to steer a run, and what a run raises to say that it cannot go on."""


class LocustError(Exception):
    """The base of errors about a locustfile."""


class ResponseError(Exception):
    """Raise it in a `catch_response` block: the request counts as failed, and the task goes on after the block."""


class CatchResponseError(Exception):
    """What `response.failure("some text")` becomes in the statistics."""


class MissingWaitTimeError(LocustError):
    """A wait is due, and neither the task set nor the user says how long."""


class InterruptTaskSet(Exception):
    """Leaves the task set that is running. `TaskSet.interrupt()` raises it."""

    def __init__(self, reschedule: bool = True) -> None:
        # What was not said is not shown: `str` of a bare one is empty.
        self.reschedule = reschedule


class StopTest(Exception):
    """Stops the whole test when raised while users are created; in a task it stops that one user."""


class StopUser(Exception):
    """Stops the user that raises it."""


class RescheduleTask(Exception):
    """Ends the current task as if it had returned: wait, then pick the next one."""


class RescheduleTaskImmediately(Exception):
    """Ends the current task, and picks the next one without waiting."""


class RPCError(Exception):
    """Master and worker cannot talk to each other."""


class RPCSendError(Exception):
    """A message could not be sent to the other side."""


class RPCReceiveError(Exception):
    """A message from the other side could not be read; `addr` says from where, when that is known."""

    def __init__(self, *args: object, addr: object = None) -> None:
        super().__init__(*args)
        self.addr = addr


class RunnerAlreadyExistsError(Exception):
    """An environment has one runner, and this one has it already."""
