"""Messages of the locustfile's own at a worker, and what nobody knows."""

from __future__ import annotations

import datetime

from ..asking import LISTENERS, QUIETLY, USERS, WorkerAsked

LOCUSTFILE = (
    QUIETLY
    + USERS
    + LISTENERS
    + """

def _get(environment, msg, **more):
    _got.append([msg.type, msg.data, msg.node_id == runner.client_id, sorted(more), environment is runner.environment])


def _say_back(environment, msg, **_):
    environment.runner.send_message("back", msg.data)
"""
)

VALUES = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    -(2**63),
    1.5,
    float("inf"),
    "",
    "text",
    "groß ☃",
    b"",
    b"\x00\xff",
    [],
    [1, [2, [3]]],
    {},
    {"a": {"b": [None]}},
    {1: "int", 2.5: "float", None: "nil", False: "bool", b"x": "bytes"},
)


def values_arrive(worker: WorkerAsked) -> None:
    for value in VALUES:
        worker.send("news", value)
    worker.until(f"len(_got) == {len(VALUES)}")
    worker.see("[repr(each[1]) for each in _got]", "[each[2:] for each in _got]")
    worker.inside("_got.clear()")


def values_come_back(worker: WorkerAsked) -> None:
    for value in VALUES:
        worker.send("echo", value)
    worker.master.until("back", count=len(VALUES))
    worker.see_conversation()


def times_and_tuples(worker: WorkerAsked) -> None:
    worker.inside("import datetime as _dt")
    worker.inside("runner.send_message('back', {'at': _dt.datetime(2026, 1, 2, 3, 4, 5, 678), 'pair': (1, ('a',))})")
    worker.master.until("back")
    worker.see_conversation()
    at = {"__datetime__": True, "as_str": datetime.datetime(2026, 1, 2, 3, 4, 5, 678).strftime("%Y%m%dT%H:%M:%S.%f")}
    worker.send("news", at)
    worker.send("news", {"deep": [at]})
    worker.until("len(_got) == 2")
    worker.see("[repr(each[1]) for each in _got]")
    worker.inside("_got.clear()")


def what_no_message_can_say(worker: WorkerAsked) -> None:
    worker.inside(
        "try: runner.send_message('back', {'a': {1}})\nexcept BaseException as error: _failed = True\nelse: _failed = False"
    )
    worker.see("_failed")
    worker.inside("runner.send_message('back', 'still here')")
    worker.master.until("back")
    worker.see_conversation()


def big_ones(worker: WorkerAsked) -> None:
    worker.send("echo", "x" * 2_000_000)
    worker.note("length", len(worker.master.until("back").data))
    worker.send("echo", list(range(70_000)))
    worker.note("items", len(worker.master.until("back").data))


def many_in_order(worker: WorkerAsked) -> None:
    for number in range(500):
        worker.send("echo", number)
    worker.master.until("back", count=500)
    back = [each.data for each in worker.master.heard[worker.master.since :] if each.kind == "back"]
    worker.note("in order", back == list(range(500)))


def a_listener_that_waits(worker: WorkerAsked) -> None:
    """It holds up whatever comes after it."""
    worker.send("slow")
    worker.send("echo", 1)
    worker.master.until("back")
    worker.see_events()


def one_that_waits_beside_others(worker: WorkerAsked) -> None:
    worker.send("slow together")
    worker.send("echo", 1)
    worker.master.until("back")
    worker.wait(lambda: worker.node.events[-1] == "slow ends")
    worker.see_events()


def a_listener_that_raises(worker: WorkerAsked) -> None:
    for kind in ("raise", "raise together"):
        worker.send(kind)
        worker.send("echo", kind)
        worker.master.until("back")
    worker.wait(lambda: worker.inside("any(line.startswith('ERROR') for line in _Lines.lines)"))
    worker.see("[line.splitlines()[0] for line in _Lines.lines if line.startswith('ERROR')][:1]")
    worker.see_conversation()
    worker.inside("setattr(_locust.log, 'unhandled_greenlet_exception', False)")


def nobody_knows_it(worker: WorkerAsked) -> None:
    worker.send("never heard of")
    worker.send("client_ready")
    worker.send("stats", {})
    worker.send("echo")
    worker.master.until("back")
    worker.see_log()
    worker.see_conversation()


def two_listeners_of_one_type(worker: WorkerAsked) -> None:
    worker.inside("_said = None")
    for kind in ("'news'", "'another'", "'another'", "'spawn'", "'stop'"):
        code = (
            f"try: runner.register_message({kind}, _get)\n"
            "except BaseException as error: _said = [type(error).__name__, str(error)]\nelse: _said = None"
        )
        worker.inside(code)
        worker.see("_said")
    worker.spawn({"Buyer": 1})
    worker.see_conversation()
    worker.inside(
        "runner.custom_messages.pop('another'); [runner.custom_messages.pop(x, None) for x in ('spawn', 'stop')]"
    )
    worker.inside("_got.clear()")


def to_one_of_the_masters_workers(worker: WorkerAsked) -> None:
    """A worker's messages go to the master, whatever it says."""
    worker.inside("runner.send_message('back', 1, 'somebody')")
    worker.inside("runner.send_message('back', data=2, client_id='somebody')")
    worker.inside("runner.send_message('back')")
    worker.master.until("back", count=3)
    worker.see_conversation()


def whose_id_a_message_has(worker: WorkerAsked) -> None:
    for node_id in (None, "somebody", worker.master.me):
        worker.master.send("news", 1, node_id)
    worker.until("len(_got) == 3")
    worker.see("[each[2] for each in _got]")
    worker.inside("_got.clear()")


def an_acknowledgement_changes_the_index(worker: WorkerAsked) -> None:
    worker.see("runner.worker_index")
    for data in ({"index": 7}, None, {"index": 3, "more": [1]}, {}):
        worker.send("ack", data)
        worker.send("echo")
        worker.master.until("back")
        worker.see("runner.worker_index")
    worker.see_conversation()


def one_that_names_itself(worker: WorkerAsked) -> None:
    """Messages of users go through the environment's runner."""
    worker.spawn({"Buyer": 1})
    worker.inside(
        "[greenlet.args[0].environment.runner.send_message('back', 'user') for greenlet in runner.user_greenlets]"
    )
    worker.master.until("back")
    worker.see_conversation()
