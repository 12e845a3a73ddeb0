"""Rounds of faults by seed: `python -m chaos.rounds 1-200 [--workers 3]`, in `tests/`.

A round starts users, does a few things to the fleet that its seed decides, heals everything, and then asks:
are all users back within ten seconds, on the master's books and on the workers themselves? Does the run end when it is
told to? Has the master counted every request of every worker that lives, once, and none that the target did not see?
Is every worker that was lost named?
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conformance.harness import Side, target

from .fleet import Fleet, Skewed, Witness, Worker

MOST_WORKERS = 5


@dataclass
class Round:
    """What happened in one, and what is to be looked at after it."""

    seed: int
    fleet: Fleet
    chance: random.Random
    log: list[str] = field(default_factory=list)
    lost: list[Worker] = field(default_factory=list)
    skewed: list[Skewed] = field(default_factory=list)
    left: list[Worker] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)

    def play(self) -> None:
        fleet = self.fleet
        while len(fleet.living) < 2:
            fleet.join()
        fleet.restored("before the round")
        fleet.forget()
        fleet.start(self.chance.randint(4, 14))
        if self.chance.random() < 0.7:
            self.took["spawned"] = fleet.restored("spawned")
        for fault in self.chance.sample(FAULTS, self.chance.randint(1, 3)):
            self.log.append(fault.__name__)
            fault(self)
            time.sleep(self.chance.uniform(0, 1))
        self._heal()
        self.took["restored"] = fleet.restored(f"restored after {self.log}")
        self.took["stopped"] = fleet.stop()
        self._judge()

    def _heal(self) -> None:
        for worker in self.fleet.living:
            worker.heal()
        for each in self.skewed:
            each.leave()

    def somebody(self) -> Worker:
        return self.chance.choice(self.fleet.living)

    def _judge(self) -> None:
        self.fleet.within(10, self._miscounted, f"counted after {self.log}")
        said = self.fleet.master.errors
        for worker in self.lost:
            assert worker.node.doors["id"] in said, f"nobody told that {worker.name} was lost"

    def _miscounted(self) -> list[str]:
        seen, counted = self.fleet.witness.counts(), self.fleet.counted()
        living = {worker.path for worker in [*self.fleet.living, *self.left]}
        wrong = [
            f"{path}: the target saw {seen.get(path, 0)}, the master counted {counted.get(path, 0)}"
            for path in sorted({*seen, *counted})
            if path.startswith("/w/")
            and (
                counted.get(path, 0) != seen.get(path, 0)
                if path in living
                else counted.get(path, 0) > seen.get(path, 0)
            )
        ]
        for each in self.skewed:
            if each.said > 0 and counted.get(each.path, 0) != each.said:
                wrong.append(f"{each.path}: told of {each.said}, the master counted {counted.get(each.path, 0)}")
        return wrong


def kill(round: Round) -> None:
    # Two are left: a master whose last worker goes missing stops its test.
    if len(round.fleet.living) > 2:
        worker = round.somebody()
        assert worker.node.doors
        round.lost.append(worker)
        worker.end(signal.SIGKILL)


def leave(round: Round) -> None:
    if len(round.fleet.living) > 2:
        worker = round.somebody()
        worker.heal()
        round.left.append(worker)
        worker.end(signal.SIGTERM)
        worker.node.process.wait(30)


def pause(round: Round) -> None:
    worker = round.somebody()
    worker.pause()
    time.sleep(round.chance.uniform(0.2, 4))
    worker.go_on()


def partition(round: Round) -> None:
    worker = round.somebody()
    worker.proxy.hold()
    time.sleep(round.chance.uniform(0.2, 4))
    worker.proxy.heal()


def partition_and_cut(round: Round) -> None:
    worker = round.somebody()
    worker.proxy.hold()
    time.sleep(round.chance.uniform(0.2, 3))
    worker.proxy.cut()
    worker.proxy.heal()


def cut(round: Round) -> None:
    for _ in range(round.chance.randint(1, 3)):
        round.somebody().proxy.cut()
        time.sleep(round.chance.uniform(0, 0.5))


def delay(round: Round) -> None:
    round.somebody().proxy.delay = round.chance.uniform(0.01, 0.5)


def connect_twice(round: Round) -> None:
    round.somebody().proxy.connect_twice()


def join(round: Round) -> None:
    if len(round.fleet.living) < MOST_WORKERS:
        round.fleet.join()


def change(round: Round) -> None:
    round.fleet.start(round.chance.randint(1, 20))


def stop_and_start(round: Round) -> None:
    fleet = round.fleet
    for worker in fleet.living:
        worker.heal()
    fleet.restored("before a stop in between")
    fleet.stop()
    # Another run begins: its figures alone are looked at.
    fleet.within(10, round._miscounted, "counted at a stop in between")
    fleet.forget()
    round.skewed = [each for each in round.skewed if not each.said]
    fleet.start(round.chance.randint(2, 10))


def restart_master(round: Round) -> None:
    """Its figures go with it, and workers find the new one by themselves."""
    fleet = round.fleet
    for worker in fleet.living:
        worker.heal()
    how = round.chance.choice([signal.SIGKILL, signal.SIGTERM])
    fleet.restart_master(how)
    if how == signal.SIGTERM:
        # It has sent its workers home.
        for worker in fleet.workers:
            worker.node.process.wait(30)
        while len(fleet.living) < 2:
            fleet.join()
    round.lost.clear()
    fleet.within(20, lambda: _not_all_known(fleet), "workers at a new master")
    fleet.stop()
    fleet.forget()
    round.skewed.clear()
    fleet.start(round.chance.randint(2, 10))


def cut_at_an_order(round: Round) -> None:
    """What the master says is lost under way: to stop, to change the number of users, to begin."""
    fleet = round.fleet
    for worker in fleet.living:
        worker.heal()
    fleet.restored("before an order that is lost")
    worker = round.somebody()
    is_a_stop = round.chance.random() < 0.5
    worker.proxy.hold()
    if is_a_stop:
        fleet.begin_to_stop()
    else:
        fleet.start(round.chance.randint(1, 20))
    time.sleep(round.chance.uniform(0.2, 1))
    worker.proxy.cut()
    worker.proxy.heal()
    if is_a_stop:
        fleet.stopped()
        fleet.within(10, round._miscounted, "counted after a stop that was lost")
        fleet.forget()
        round.skewed = [each for each in round.skewed if not each.said]
        fleet.start(round.chance.randint(2, 10))


def _not_all_known(fleet: Fleet) -> list[str]:
    known = fleet.master.inside("runner.worker_count")
    return [] if known == len(fleet.living) else [f"{known} of {len(fleet.living)}"]


def wrong_clock(round: Round) -> None:
    skewed = Skewed(round.fleet.port, f"skewed-{round.seed}", round.chance.choice([-86400, -3600, 3600, 86400 * 365]))
    round.skewed.append(skewed)
    skewed.live(round.chance.uniform(1, 3))


FAULTS: list[Callable[[Round], None]] = [
    kill, leave, pause, partition, partition_and_cut, cut, delay, connect_twice, join, change, stop_and_start,
    restart_master, wrong_clock, cut_at_an_order,
]  # fmt: skip


@contextmanager
def fleet(workers: int, python: str = sys.executable) -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with target(folder) as where:
            witness = Witness(where.host, where.tls_host)
            made = Fleet(Side("ours", python, witness), witness, folder, workers)
            try:
                yield made
            finally:
                made.close()


def play(fleet: Fleet, seed: int) -> Round:
    """One round; what it asks for is an AssertionError when it does not hold."""
    played = Round(seed, fleet, random.Random(seed))
    try:
        played.play()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {played.log}: {error}") from error
    return played


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("seeds", help="one, or a range as 1-200")
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    failed = 0
    longest: dict[str, float] = {}
    seeds = list(range(int(first), int(last or first) + 1))
    while seeds:
        with fleet(options.workers) as made:
            while seeds:
                seed = seeds.pop(0)
                try:
                    played = play(made, seed)
                except AssertionError as error:
                    failed += 1
                    print(f"{seed:5} FAILED {error}", flush=True)
                    break
                longest = {what: max(longest.get(what, 0), took) for what, took in {**longest, **played.took}.items()}
                print(f"{seed:5} {', '.join(played.log)}: {played.took}", flush=True)
    print(f"{failed} failed; longest, in seconds: {longest}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
