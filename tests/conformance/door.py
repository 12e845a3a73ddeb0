"""A door to the inside of a process: what goes before its locustfile, and how a test asks there.

`POST /` evaluates an expression, or does what a statement says, in the locustfile's names. It has a server of its own:
no route of the page has a part in that, so it disturbs nothing that is asked of the page.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

DOOR = '''
import json as _json, logging as _logging

import gevent as _gevent
from gevent.pywsgi import WSGIServer as _WSGIServer

import locust as _locust
from locust import events as _events


class _Lines(_logging.Handler):
    lines = []

    def emit(self, record):
        if record.name != "geventwebsocket":
            self.lines.append(f"{record.levelname}/{record.name}: {record.getMessage()}")


def _count(name="/x", method="GET", response_time=12.5, length=10, exception=None):
    """Count a request as a user would."""
    _events.request.fire(
        request_type=method, name=name, response_time=response_time, response_length=length,
        exception=exception, context={}, start_time=0, url=None, response=None,
    )


def _door(asked, start_response):
    code = asked["wsgi.input"].read().decode()
    try:
        answer = eval(compile(code, "<case>", "eval"), globals())
    except SyntaxError:
        answer = exec(compile(code, "<case>", "exec"), globals())
    start_response("200 OK", [("Content-Type", "application/json")])
    return [_json.dumps(answer, default=repr).encode()]


def _opened_door():
    """Its port."""
    door = _WSGIServer(("127.0.0.1", 0), _door, log=None)
    door.start()
    return door.server_port
'''


def ask(door: int, code: str, patience: float) -> Any:
    """What this expression is in there; or do what it says. Raises `AssertionError` with what it came to instead."""
    connection = http.client.HTTPConnection("127.0.0.1", door, timeout=patience)
    try:
        connection.request("POST", "/", code.encode())
        response = connection.getresponse()
        text = response.read()
        assert response.status == 200, (code, text)
        return json.loads(text)
    finally:
        connection.close()
