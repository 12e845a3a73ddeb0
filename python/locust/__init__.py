"""Load tests as Python code. Import this package before anything that uses sockets or threads: it patches them."""

import os

if not os.getenv("LOCUST_SKIP_MONKEY_PATCH"):
    # Before the imports below, which would otherwise keep the blocking functions that they find.
    from gevent import monkey, queue

    monkey.patch_all()

    if not os.getenv("LOCUST_SKIP_URLLIB3_PATCH"):
        import urllib3

        # urllib3 subclasses the standard library's queue, whose locks gevent cannot always interrupt.
        urllib3.connectionpool.ConnectionPool.QueueCls = queue.LifoQueue  # type: ignore[assignment]

from gregaria import _contexts, _engine

# Before a locustfile makes a context: they do not tell later what was put into them.
_contexts.watch()
# Before a locustfile replaces how names are looked up.
_engine.remember_names()

from ._version import version as __version__
from .contrib.fasthttp import FastHttpUser
from .debug import run_single_user
from .event import Events
from .shape import LoadTestShape
from .user import wait_time
from .user.markov_taskset import MarkovTaskSet, transition, transitions
from .user.sequential_taskset import SequentialTaskSet
from .user.task import TaskSet, tag, task
from .user.users import HttpUser, User
from .user.wait_time import between, constant, constant_pacing, constant_throughput, poisson
from .util.deprecation import DeprecatedHttpLocustClass as HttpLocust
from .util.deprecation import DeprecatedLocustClass as Locust

events = Events()

# Reached by its name alone, as from Locust; it needs all of the above.
from . import html as html

__all__ = [
    "FastHttpUser",
    "HttpLocust",
    "HttpUser",
    "LoadTestShape",
    "Locust",
    "MarkovTaskSet",
    "SequentialTaskSet",
    "TaskSet",
    "User",
    "__version__",
    "between",
    "constant",
    "constant_pacing",
    "constant_throughput",
    "events",
    "poisson",
    "run_single_user",
    "tag",
    "task",
    "transition",
    "transitions",
    "wait_time",
]
