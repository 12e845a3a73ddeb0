"""What goes before a case's locustfile: a door by which the tests look inside and put things right."""

from __future__ import annotations

from ..door import DOOR

INSIDE = (
    DOOR
    + '''
import copy as _copy

import locust.web as _web

_web.DEFAULT_CACHE_TIME = 0


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
        print(_json.dumps({"page": web_ui.server.server_port, "door": _opened_door()}), flush=True)

    _gevent.spawn(tell)
'''
)
