"""How a master deals out users to its workers, step by step."""

from __future__ import annotations

from ..asking import IDLERS, PATIENTLY, MasterAsked

LOCUSTFILE = PATIENTLY + IDLERS
ARGUMENTS = ["--stop-timeout", "0"]


def _weights(master: MasterAsked, **given: object) -> None:
    """What `A=(weight, fixed count)` says, and for the others one and none."""
    for name in "ABC":
        weight, fixed = given.get(name, (1, 0))  # type: ignore[misc]
        master.inside(f"{name}.weight, {name}.fixed_count = {weight}, {fixed}")


def one_step(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "b_1")
    master.start(5)
    master.see_steps(*workers)
    master.see_clients()


def in_steps(master: MasterAsked) -> None:
    _weights(master, A=(5, 0), B=(1, 0), C=(1, 2))
    workers = master.workers("hostb_1", "hosta_2")
    master.start(14, 5)
    master.see_steps(*workers)
    master.see_conversations(*workers, but=("spawn",))
    master.see_log("locust.runners")
    master.see_events(but="worker_connect")


def a_rate_below_one(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "a_2")
    master.start(3, 2.5)
    master.see_steps(*workers)
    master.see_log("locust.runners")


def a_rate_of_a_half(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "a_2")
    master.start(2, 0.8)
    master.see_steps(*workers)
    master.see_log("locust.runners")


def weights(master: MasterAsked) -> None:
    _weights(master, A=(3, 0), B=(2, 0), C=(1, 0))
    workers = master.workers("a_1", "a_2", "b_1")
    master.start(13, 4)
    master.see_steps(*workers)


def fractional_weights(master: MasterAsked) -> None:
    _weights(master, A=(0.5, 0), B=(2.5, 0), C=(0.1, 0))
    workers = master.workers("a_1", "a_2")
    master.start(15, 15)
    master.see_steps(*workers)


def a_weight_of_nothing(master: MasterAsked) -> None:
    _weights(master, B=(0, 0))
    workers = master.workers("a_1", "a_2")
    master.start(5)
    master.see_steps(*workers)


def fixed_counts(master: MasterAsked) -> None:
    _weights(master, A=(1, 1), B=(1, 3))
    workers = master.workers("a_1", "a_2")
    master.start(9, 4)
    master.see_steps(*workers)


def fixed_counts_alone(master: MasterAsked) -> None:
    """There are no others: fewer than were asked for."""
    _weights(master, A=(1, 1), B=(1, 1), C=(1, 1))
    workers = master.workers("a_1", "a_2")
    master.start(6)
    master.see_steps(*workers)
    master.see_log("locust.runners")


def down(master: MasterAsked) -> None:
    _weights(master, A=(3, 0), C=(1, 1))
    workers = master.workers("a_1", "a_2")
    master.start(9)
    master.start(2, 3)
    master.see_steps(*workers)
    master.see_log("locust.runners")
    master.see_events(but="worker_connect")


def down_to_nobody_and_up(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "a_2")
    master.start(4)
    master.start(0)
    master.start(3)
    master.see_steps(*workers)
    master.see("runner.state", "runner.target_user_count", "runner.target_user_classes_count")


def as_many_as_there_are(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "a_2")
    master.start(4)
    master.start(4)
    master.see_steps(*workers)


def fewer_users_than_workers(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "b_1", "c_1", "d_1")
    master.start(2)
    master.see_steps(*workers)


def hosts_take_turns(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("b_2", "a_9", "b_1", "a_1", "c", "a_1_x")
    master.start(8, 3)
    master.see_steps(*workers)


def in_the_order_of_names(master: MasterAsked) -> None:
    """Whoever came first."""
    _weights(master)
    workers = master.workers("z_1", "y_1", "x_1")
    master.start(4)
    master.see_steps(*workers)
