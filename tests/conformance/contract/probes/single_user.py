"""One user in a debugger: `run_single_user`."""

from __future__ import annotations

import contextlib
import io
import sys

import locust
from locust import User, task
from locust.exception import StopUser

from ..probe import probe


def printed(code):
    """The lines that are printed meanwhile."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code()
    return [line.rstrip(" \t") for line in out.getvalue().splitlines()]


def single(patch, user, *arguments, **flags):
    """Run one user as a program would that was called with these arguments."""
    patch(sys, "argv", ["program.py", *arguments])
    return printed(lambda: locust.run_single_user(user, loglevel=None, **flags))


class Once(User):
    @task
    def fire(self):
        self.environment.events.request.fire(
            request_type="X", name="once", response_time=7, response_length=1, exception=None, context={}
        )
        raise StopUser


@probe
def one_user_is_run(patch, say):
    patch(locust.debug, "_env", None)
    events = patched_events(patch)
    for name in ("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit"):
        getattr(events, name).add_listener(
            lambda name=name, **kw: say(name, {k: v for k, v in kw.items() if v is None})
        )
    say(single(patch, Once))
    say(single(patch, Once, include_length=True))
    environment = locust.debug._env
    say(
        environment.runner,
        environment.web_ui,
        environment.user_classes == [Once],
        type(environment.single_user_instance),
    )
    say(environment.events is events, environment.locustfile == environment.parsed_options.locustfile)
    say(environment.stats.total.num_requests, environment.host, environment.parsed_options.num_users)


def patched_events(patch):
    """Events of the module's that nobody listens to yet."""
    events = locust.event.Events()
    patch(locust, "events", events)
    return events


@probe
def one_user_is_run_with_options(patch, say):
    patch(locust.debug, "_env", None)
    patched_events(patch)

    class Tagged(Once):
        @locust.tag("not this")
        @task
        def never(self):
            raise AssertionError

    single(patch, Tagged, "-H", "http://there", "-u", "3", "--exclude-tags", "not this", "-t", "1m")
    environment = locust.debug._env
    say(environment.host, Tagged.host, environment.parsed_options.num_users, environment.parsed_options.run_time)
    say([each.__name__ for each in Tagged.tasks], environment.stop_timeout)


@probe
def one_user_is_run_and_a_listener_adds_an_option(patch, say):
    patch(locust.debug, "_env", None)
    events = patched_events(patch)
    events.init_command_line_parser.add_listener(lambda parser, **kw: parser.add_argument("--colour", default="red"))
    single(patch, Once, "--colour", "blue")
    say(locust.debug._env.parsed_options.colour)


@probe
def one_user_raises(patch, say):
    patch(locust.debug, "_env", None)
    patched_events(patch)

    class Raises(User):
        count = 0

        @task
        def fail(self):
            self.count += 1
            if self.count > 1:
                raise StopUser
            raise ValueError("in a task")

    say(single(patch, Raises))
