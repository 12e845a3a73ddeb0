"""What goes before a case's locustfile: a second door, by which the tests look inside and put things right.

`POST /` there evaluates an expression, or does what a statement says, in the locustfile's names. No route of the page
has a part in that, so it disturbs nothing that is asked of the page.
"""

INSIDE = '''
import copy as _copy, json as _json, logging as _logging, sys as _sys

import gevent as _gevent
from gevent.pywsgi import WSGIServer as _WSGIServer

import locust as _locust
import locust.web as _web
from locust import events as _events

_web.DEFAULT_CACHE_TIME = 0


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


def _again():
    """Everything as it was before the first case."""
    environment.user_classes = [*_all]  # A choice made while others run makes their users unknown to Locust.
    environment.runner.stop()
    environment.runner.update_state("ready")
    environment.stats.clear_all()
    environment.runner.exceptions = {}
    table = getattr(environment.stats, "table", None)
    if table is not None:
        table.clear_exceptions()
    vars(environment.parsed_options).clear()
    vars(environment.parsed_options).update(_copy.deepcopy(_options))
    environment.host, environment.profile = _host, _profile
    environment.user_classes = [*_classes]
    environment.shape_class = _shape
    _Lines.lines.clear()


def _door(asked, start_response):
    code = asked["wsgi.input"].read().decode()
    try:
        answer = eval(compile(code, "<case>", "eval"), globals())
    except SyntaxError:
        answer = exec(compile(code, "<case>", "exec"), globals())
    start_response("200 OK", [("Content-Type", "application/json")])
    return [_json.dumps(answer, default=repr).encode()]


@_events.init.add_listener
def _open(environment, web_ui, **_):
    global _options, _host, _profile, _classes, _shape, _all
    globals()["environment"], globals()["web_ui"] = environment, web_ui
    _options = _copy.deepcopy(vars(environment.parsed_options)) if environment.parsed_options else {}
    _host, _profile, _shape = environment.host, environment.profile, environment.shape_class
    _classes = list(environment.user_classes)
    _all = list((environment.available_user_classes or {}).values()) or _classes
    _logging.getLogger().addHandler(_Lines())
    _logging.getLogger("locust").addHandler(_Lines())

    def tell():
        while not getattr(web_ui.server, "server_port", 0):
            _gevent.sleep(0.02)
        door = _WSGIServer(("127.0.0.1", 0), _door, log=None)
        door.start()
        print(_json.dumps({"page": web_ui.server.server_port, "door": door.server_port}), flush=True)

    _gevent.spawn(tell)
'''
