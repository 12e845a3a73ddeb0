"""A master and workers that send the least it demands, over sockets of their own making."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..asking import USERS, MasterAsked
from ..boomer import Boomer

LOCUSTFILE = USERS


@contextmanager
def _workers(master: MasterAsked, *names: str) -> Iterator[list[Boomer]]:
    workers = [Boomer(master.node.doors["port"], f"{name}{master.crowd.mark}") for name in names]
    try:
        for worker in workers:
            worker.hears("ack")
        master.until(f"len(runner.clients.ready) == {len(names)}")
        yield workers
    finally:
        for worker in workers:
            worker.send("quit") if not worker.is_over else None
        master.until("not runner.clients")
        for worker in workers:
            worker.close()


def one_is_taken_in(master: MasterAsked) -> None:
    with _workers(master, "b_1") as (worker,):
        worker.hears("heartbeat", 2)
        master.see_clients()
        master.note("heard", sorted({each[0] for each in worker.heard}))


def a_run(master: MasterAsked) -> None:
    with _workers(master, "b_1", "b_2") as workers:
        master.start(5)
        master.until("runner.user_count == 5")
        master.see_clients()
        master.note("users", [each.users for each in workers])
        workers[0].unreported = 7
        workers[1].unreported = 4
        master.until("environment.stats.total.num_requests == 11")
        master.see("_figures()")
        master.start(2)
        master.note("users", [each.users for each in workers])
        master.does("runner.stop()")
        master.until("len(runner.clients.ready) == 2")
        master.see_clients()
        master.note("heard", [[each[0] for each in worker.heard if each[0] != "heartbeat"] for worker in workers])


def beside_others(master: MasterAsked) -> None:
    with _workers(master, "b_1") as (boomer,):
        other = master.worker("a_1")
        other.beats = True
        master.start(4)
        master.until("runner.user_count == 4")
        master.note("users", [boomer.users, other.users])
        master.see_clients()
        master.does("runner.stop()")
        other.send("quit")
        master.until("len(runner.clients) == 1")
        master.crowd.leave(other)


def it_is_told_to_go(master: MasterAsked) -> None:
    with _workers(master, "b_1") as (worker,):
        worker.unreported = 3
        master.inside("runner.send_message('quit')")
        worker.hears("quit")
        master.until("not runner.clients")
        master.until("environment.stats.total.num_requests == 3")
        master.see("_figures()")
