"""What a fleet's nodes tell each other."""

from __future__ import annotations

from ..fleet import Fleet

VALUES = (None, True, 2**40, -1, 1.5, "groß ☃", [1, [2]], {"a": {"b": None}}, {1: "int"})


def to_all_workers(fleet: Fleet) -> None:
    for value in VALUES:
        fleet.inside(f"runner.send_message('news', {value!r})")
    for worker in fleet.workers:
        worker.until(f"len(_got) == {len(VALUES)}")
    fleet.see_everywhere("[repr(each) for each in _got]")


def to_one_worker(fleet: Fleet) -> None:
    fleet.inside(f"runner.send_message('news', 'you', {fleet.taps[1].worker!r})")
    fleet.inside("runner.send_message('news', 'all')")
    for worker in fleet.workers:
        worker.until("'all' in _got")
    fleet.see_everywhere("_got")


def to_the_master(fleet: Fleet) -> None:
    for value in VALUES:
        fleet.everywhere(f"runner.send_message('news', {value!r})")
    fleet.until(f"len(_got) == {2 * len(VALUES)}")
    fleet.see("sorted(repr(each) for each in _got)")


def there_and_back(fleet: Fleet) -> None:
    fleet.inside("[runner.send_message('echo', number) for number in range(50)]")
    fleet.until("len(_got) == 100")
    fleet.see("sorted(_got)", "[each for each in _got if each[1] == 0] == [[number, 0] for number in range(50)]")


def bytes_and_tuples(fleet: Fleet) -> None:
    fleet.inside("runner.send_message('news', {'raw': b'\\x00\\xff', 'pair': (1, 2)})")
    for worker in fleet.workers:
        worker.until("_got")
    fleet.see_everywhere("repr(_got)")


def times(fleet: Fleet) -> None:
    fleet.inside("import datetime as _dt; runner.send_message('news', _dt.datetime(2026, 1, 2, 3, 4, 5, 678))")
    fleet.everywhere("import datetime as _dt; runner.send_message('news', [_dt.datetime(2026, 1, 2)])")
    for node in fleet.nodes.values():
        node.until("_got")
    fleet.until("len(_got) == 2")
    fleet.see_everywhere("repr(_got)")
    fleet.see("repr(_got)")


def something_big(fleet: Fleet) -> None:
    fleet.inside("runner.send_message('news', ['x' * 1000] * 1000)")
    for worker in fleet.workers:
        worker.until("_got")
    fleet.see_everywhere("[len(_got[0]), len(_got[0][999])]")


def indexes(fleet: Fleet) -> None:
    fleet.note("indexes", sorted(fleet.everywhere("runner.worker_index")))
    fleet.see("[runner.get_worker_index(each) >= 0 for each in runner.clients]", "runner.worker_count")


def the_host(fleet: Fleet) -> None:
    fleet.inside("environment.host = 'http://shop.example'")
    fleet.start(2)
    fleet.see_everywhere("[environment.host, [greenlet.args[0].host for greenlet in runner.user_greenlets]]")


def options(fleet: Fleet) -> None:
    fleet.inside("environment.parsed_options.region = {'eu': [1, 2]}")
    fleet.start(2)
    fleet.see_everywhere("environment.parsed_options.region")
    fleet.inside("del environment.parsed_options.region")


def a_stop_timeout(fleet: Fleet) -> None:
    fleet.inside("environment.stop_timeout = 3")
    fleet.busy(1)
    fleet.stop()
    fleet.inside("environment.stop_timeout = 0.0")
    fleet.see_events(but=("spawning_complete",))
    fleet.see_log()


def no_stop_timeout(fleet: Fleet) -> None:
    fleet.inside("environment.stop_timeout = 0.0")
    fleet.everywhere("Busy.lasts = 60")
    fleet.busy(1)
    fleet.stop()
    fleet.everywhere("Busy.lasts = 1")
    fleet.see_events(but=("spawning_complete",))


def a_class_changed_on_the_page(fleet: Fleet) -> None:
    fleet.note(
        "answer", fleet.ask("POST", "/user", '{"user_class_name": "A", "weight": 4, "host": "http://a.example"}')
    )
    for worker in fleet.workers:
        worker.until("A.weight == 4")
    fleet.see("[A.weight, A.host]")
    fleet.see_everywhere("[A.weight, A.host]")
    fleet.inside("A.host = None")
    fleet.everywhere("setattr(A, 'host', None)")


def states_of_all(fleet: Fleet) -> None:
    def states() -> None:
        fleet.see("runner.state", "sorted(node.state for node in runner.clients.all)")
        fleet.see_everywhere("runner.worker_state")

    states()
    fleet.start(2)
    fleet.until("len(runner.clients.running) == 2")
    states()
    fleet.stop()
    states()


def the_end(fleet: Fleet) -> None:
    fleet.start(3)
    fleet.ends()
