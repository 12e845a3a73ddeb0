"""What goes before a node's locustfile: a door by which tests look inside and act, and a record of events.

Events are written to a file, so that the last ones can be read when the process has ended.
"""

from __future__ import annotations

from ..door import DOOR

INSIDE = (
    DOOR
    + '''
from locust import runners as _runners

_fired = open("events", "a", buffering=1)


def _note(event, *words):
    print(event, *words, file=_fired)


def _noting(event, *names):
    getattr(_events, event).add_listener(lambda **given: _note(event, *(given[name] for name in names)))


for _event in ("test_start", "test_stopping", "test_stop", "reset_stats", "quitting"):
    _noting(_event)
_noting("spawning_complete", "user_count")
_noting("worker_connect", "client_id")
_noting("quit", "exit_code")


def _figures():
    """What a report would say. A time may be a whole number or not: that is the engine's business."""
    stats = environment.stats
    rows = sorted(
        [e.method, e.name, e.num_requests, e.num_failures, e.num_none_requests, e.total_content_length,
         *(None if each is None else round(float(each), 6) for each in
           (e.total_response_time, e.min_response_time, e.max_response_time, e.median_response_time,
            e.avg_response_time, e.get_response_time_percentile(0.95)))]
        for e in [*stats.entries.values(), stats.total]
    )
    errors = sorted(
        [e.method, e.name, e.to_dict()["error"], e.occurrences] for e in stats.errors.values()
    )
    return {"rows": rows, "errors": errors}


def _exceptions():
    return sorted([e["count"], e["msg"], sorted(e["nodes"]), e["traceback"]]
                  for e in environment.runner.exceptions.values())


def _clients():
    return {
        node.id: [node.state, {name: n for name, n in node.user_classes_count.items() if n}]
        for node in environment.runner.clients.all
    }


@_events.init.add_listener
def _open(environment, web_ui, **_):
    globals()["environment"], globals()["runner"], globals()["web_ui"] = environment, environment.runner, web_ui
    _note("init", type(environment.runner).__name__)
    _logging.getLogger().addHandler(_Lines())
    for name in ("locust", "locust.runners"):
        if not _logging.getLogger(name).propagate:
            _logging.getLogger(name).addHandler(_Lines())
    _gevent.spawn(_tell, _opened_door())


def _tell(door):
    while web_ui is not None and not getattr(web_ui.server, "server_port", 0):
        _gevent.sleep(0.02)
    server = getattr(runner, "server", None)
    told = {
        "door": door, "port": getattr(server, "port", 0), "page": web_ui and web_ui.server.server_port,
        "id": getattr(runner, "client_id", ""),
    }
    with open("doors.part", "w") as file:
        file.write(_json.dumps(told))
    import os
    os.rename("doors.part", "doors")
'''
)
