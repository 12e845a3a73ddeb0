"""Messages of the locustfile's own at a master, and what nobody knows."""

from __future__ import annotations

from ..asking import LISTENERS, PATIENTLY, USERS, MasterAsked
from .worker_messages import VALUES

LOCUSTFILE = (
    PATIENTLY
    + USERS
    + LISTENERS
    + """

def _get(environment, msg, **more):
    _got.append([msg.type, msg.data, msg.node_id, sorted(more), environment is runner.environment])


def _say_back(environment, msg, **_):
    environment.runner.send_message("back", msg.data, client_id=msg.node_id)
"""
)


def values_arrive(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    for value in VALUES:
        worker.send("news", value)
    master.until(f"len(_got) == {len(VALUES)}")
    master.see("[repr(each[1]) for each in _got]", "[each[2:] for each in _got]")
    master.inside("_got.clear()")


def values_come_back(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    for value in VALUES:
        first.send("echo", value)
    master.crowd.hears(first, "back", len(VALUES))
    master.see_conversations(first, second)


def to_all_and_to_one(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    master.inside("runner.send_message('one', {'x': (1, 2)}, 'b_1')")
    master.inside("runner.send_message('all')")
    master.inside("runner.send_message('one', data='named', client_id='a_1')")
    master.inside("runner.send_message('all', [1])")
    for worker in (first, second):
        master.crowd.hears(worker, "all", 2)
    master.see_conversations(first, second)


def to_somebody_unknown(master: MasterAsked) -> None:
    first = master.worker("a_1")
    master.inside("runner.send_message('one', 1, 'nobody')")
    master.inside("runner.send_message('all', 1)")
    master.crowd.hears(first, "all")
    master.see_conversations(first)
    master.see_log()


def of_a_stranger(master: MasterAsked) -> None:
    stranger = master.worker("s_1", ready=False)
    stranger.send("news", 1)
    stranger.send("echo", 2)
    master.crowd.hears(stranger, "back")
    master.see("_got")
    master.see_conversations(stranger)
    master.inside("_got.clear()")


def a_listener_that_waits(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.send("slow")
    worker.send("echo", 1)
    master.crowd.hears(worker, "back")
    master.see_events(but="worker_connect")


def one_that_waits_beside_others(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.send("slow together")
    worker.send("echo", 1)
    master.crowd.hears(worker, "back")
    master.wait(lambda: master.node.events[-1] == "slow ends")
    master.see_events(but="worker_connect")


def a_listener_that_raises(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    for kind in ("raise", "raise together"):
        worker.send(kind)
        worker.send("echo", kind)
        master.crowd.hears(worker, "back")
    master.wait(lambda: master.inside("any(line.startswith('ERROR') for line in _Lines.lines)"))
    master.see("[line.splitlines()[0] for line in _Lines.lines if line.startswith('ERROR')][:1]")
    master.see_conversations(worker)
    master.inside("setattr(_locust.log, 'unhandled_greenlet_exception', False)")


def nobody_knows_it(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.send("never heard of", {"x": 1})
    worker.send("ack")
    worker.send("echo")
    master.crowd.hears(worker, "back")
    master.see_log()
    master.see_conversations(worker)


def big_ones(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.send("echo", "x" * 2_000_000)
    master.note("length", len(master.crowd.hears(worker, "back").data))


def many_in_order(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    for number in range(500):
        worker.send("echo", number)
    master.crowd.hears(worker, "back", 500)
    back = [each.data for each in worker.heard if each.kind == "back"]
    master.note("in order", back == list(range(500)))


def a_class_is_changed_on_the_page(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    master.inside("environment.update_user_class({'user_class_name': 'Buyer', 'weight': 4})")
    master.crowd.hears(worker, "update_user_class")
    master.see_conversations(worker)
    master.see("Buyer.weight")
    master.inside("Buyer.weight = 1")


def two_listeners_of_one_type(master: MasterAsked) -> None:
    master.inside(
        "try: runner.register_message('news', _get)\n"
        "except BaseException as error: _said = [type(error).__name__, str(error)]\nelse: _said = None"
    )
    master.see("_said")


def a_message_that_cannot_be_sent(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    master.begins("runner.send_message('news', {1, 2})")
    master.until("_doing.dead")
    master.see("_doing.exception is not None")
    master.inside("runner.send_message('news', 'still here')")
    master.crowd.hears(worker, "news")
    master.see_conversations(worker)
