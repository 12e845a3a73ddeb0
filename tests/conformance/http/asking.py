"""The locustfile that asks a client all probes, each with a user of its own, and prints a line of JSON for each.

It runs on Locust and here, with `CLIENT` in the environment; `PROBES`, a regular expression, picks some by name.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent

import locust

from ..probing import kind, plain, statistics
from .probe import Probe, probes

CLIENT = os.environ["CLIENT"]
OTHER = os.environ["OTHER"]
KNOWN = [os.environ[name].partition("//")[2] for name in ("TARGET", "TLS_TARGET")]
PATIENCE = 10
"""Seconds after which a probe hangs."""

warnings.simplefilter("ignore")  # of unverified certificates


class Asker:
    """A server, asked past every client that is looked at."""

    def __init__(self, host: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(host).netloc, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: str | None = None) -> Any:
        self._connection.request(method, path, body)
        return json.loads(self._connection.getresponse().read())


class Target:
    """What a probe may ask of the target, and what arrived there and at the small server."""

    def __init__(self, host: str, other: str) -> None:
        self._target, self._other = Asker(host), Asker(other)

    def respond(self, path: str, **route: Any) -> None:
        """Answer `path` with `status`, `headers` (a value may be a list of several), `body`, after `delay_ms`."""
        self._target.ask("POST", "/witness/routes", json.dumps({"path": path, **route}))

    def start_recording(self) -> None:
        self._target.ask("POST", "/witness/reset")
        self._target.ask("POST", "/witness/record")
        self._other.ask("GET", "/forget")

    def arrived(self) -> list[Any]:
        """The requests since then; of their connections what matters is which are the same."""
        connections: dict[int, int] = {}
        found = []
        for request in self._target.ask("GET", "/witness/requests"):
            number = connections.setdefault(request["connection"], len(connections) + 1)
            headers = as_compared(request["headers"])
            found.append({**request, "connection": number, "headers": headers})
        return found

    def elsewhere(self) -> Any:
        """The requests that came to the small server."""
        log = self._other.ask("GET", "/log")
        return [[method, target, as_compared(headers), body] for method, target, headers, body in log]


def as_compared(headers: list[Any]) -> list[Any]:
    """A header set: the engine has an order of its own, and writes names of `FastHttpUser` as they are usually written."""
    return sorted([name if CLIENT == "HttpUser" else name.lower(), value] for name, value in headers)


def mask(text: str) -> str:
    """Without what differs from run to run: boundaries of multipart bodies, nonces, addresses of objects."""
    text = text.replace(OTHER, "OTHER").replace(OTHER.partition("//")[2], "OTHER")
    text = text.replace(OTHER.replace("127.0.0.1", "localhost").partition("//")[2], "OTHER BY NAME")
    text = re.sub(r"\b[0-9a-f]{16,128}\b", "HEX", text)
    text = re.sub(r"_=\d{13}", "_=MS", text)
    text = re.sub(r"127\.0\.0\.1:\d{5}", lambda at: at[0] if at[0] in KNOWN else "127.0.0.1:PORT", text)
    text = re.sub(r"/[^ ]*/users\.py:\d+", "users.py", text)
    text = re.sub(r"port=\d{5}", "port=PORT", text)
    return re.sub(r"at 0x[0-9a-f]+", "at 0x", text)


told: list[Any] = []


@locust.events.request.add_listener
def listen(
    request_type: str,
    name: str,
    response_time: float,
    response_length: int,
    exception: BaseException | None,
    context: Any,
    response: Any,
    start_time: float,
    url: str,
    **others: Any,
) -> None:
    took = response_time if response_time is None else response_time >= 0
    status = getattr(response, "status_code", "no response")
    judged = [kind(exception), context, status]
    told.append([request_type, name, took, response_length, *judged, isinstance(start_time, float), url, others])


class Asked(getattr(locust, CLIENT)):  # type: ignore[misc]
    abstract = True
    host = os.environ["TARGET"]

    def context(self) -> dict[str, str]:
        return {"user": type(self).__name__}


def another(user: Any, **attributes: Any) -> Any:
    """A user of a class that differs in these attributes."""
    return type("Another", (Asked,), attributes)(user.environment)


def ask(probe: Probe, target: Target, environment: Any) -> dict[str, Any]:
    """Do what the probe does; all that is to be compared of it."""
    said: list[Any] = []
    raised: BaseException | None = None
    environment.stats.clear_all()
    target.start_recording()
    told.clear()
    user = type("Probing", (Asked,), {})(environment)
    began = time.monotonic()
    given = {
        "client": user.client,
        "user": user,
        "another": another,
        "say": lambda *words: said.extend(plain(word) for word in words),
        "target": target,
        "host": user.host,
        "tls": os.environ["TLS_TARGET"],
        "other": OTHER,
        "locust": locust,
    }
    with tempfile.TemporaryDirectory() as folder:
        try:
            with gevent.Timeout(PATIENCE):
                probe({**given, "folder": Path(folder)})
        except (Exception, gevent.Timeout) as error:
            raised = error
    return {
        "said": said,
        "told": list(told),
        "raised": kind(raised),
        "arrived": target.arrived(),
        "elsewhere": target.elsewhere(),
        "statistics": statistics(environment),
        "took": round(time.monotonic() - began, 1),
    }


class Asking(locust.User):
    @locust.task
    def ask_all(self) -> None:
        wanted = re.compile(os.environ.get("PROBES", ""))
        target = Target(Asked.host, OTHER)
        for probe in probes(CLIENT):
            if wanted.search(probe.id):
                answer = mask(json.dumps(ask(probe, target, self.environment), default=repr))
                print(f'{{"probe": {json.dumps(probe.id)}, {answer[1:]}', flush=True)
        self.environment.runner.quit()


__all__ = ["Asking"]
