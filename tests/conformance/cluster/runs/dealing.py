"""How a fleet's users are dealt out, step by step."""

from __future__ import annotations

import signal

from ..fleet import Fleet


def in_one_step(fleet: Fleet) -> None:
    fleet.start(7)
    fleet.see_steps()
    fleet.see_users()
    fleet.see_log()
    fleet.see_events()


def weights_and_fixed_counts_in_steps(fleet: Fleet) -> None:
    fleet.weights(A=(5, 0), B=(1, 0), C=(1, 2))
    fleet.start(14, 5)
    fleet.see_steps()
    fleet.see_users()
    fleet.see_log()


def a_fractional_rate(fleet: Fleet) -> None:
    fleet.weights(A=(0.5, 0), B=(1.5, 0))
    fleet.start(4, 2.5)
    fleet.see_steps()
    fleet.see_users()


def up_and_down(fleet: Fleet) -> None:
    fleet.weights(A=(3, 0), B=(1, 0), C=(1, 1))
    fleet.start(9)
    fleet.see_users()
    fleet.start(3, 3)
    fleet.see_users()
    fleet.start(0)
    fleet.see_users()
    fleet.start(2)
    fleet.see_users()
    fleet.see_steps()
    fleet.see_log()
    fleet.see_events()


def fewer_than_workers(fleet: Fleet) -> None:
    fleet.start(1)
    fleet.see_steps()
    fleet.see_users()


def changed_on_the_way(fleet: Fleet) -> None:
    fleet.begins("runner.start(20, 2)")
    fleet.until("runner.user_count >= 2")
    fleet.start(5)
    fleet.note("last", [fleet.spawned(at)[-1] for at in range(2)])
    fleet.see_users()


def run_after_run(fleet: Fleet) -> None:
    for users in (3, 5, 1):
        fleet.start(users)
        fleet.stop()
    fleet.see_steps()
    fleet.see_users()
    fleet.see_events()
    fleet.see_log()


def a_shape(fleet: Fleet) -> None:
    fleet.inside("environment.shape_class = Ticks(); environment.shape_class.runner = runner")
    fleet.inside("runner.start_shape()")
    fleet.until("runner.shape_greenlet is None or runner.shape_greenlet.dead")
    fleet.until("runner.state == 'stopped'")
    fleet.note("users", [[sum(step.values()) for step in fleet.spawned(at)] for at in range(2)])
    fleet.see_steps()
    fleet.see_events()
    fleet.see_log()


def by_the_page(fleet: Fleet) -> None:
    fleet.note("start", fleet.ask("POST", "/swarm", "user_count=6&spawn_rate=3"))
    fleet.until("runner.user_count == 6")
    fleet.see_users()
    fleet.note("again", fleet.ask("POST", "/swarm", "user_count=2&spawn_rate=100"))
    fleet.until("runner.user_count == 2 and runner.state == 'running'")
    fleet.see_steps()
    answer = fleet.page("/stats/requests")
    fleet.note("page", [answer["state"], answer["user_count"], answer["worker_count"], sorted(answer)])
    told = sorted((each["id"], each["state"], each["user_count"]) for each in answer["workers"])
    fleet.note("workers", told)
    fleet.note("stop", fleet.ask("POST", "/stop"))
    fleet.see_users()
    fleet.see_events()


def one_comes_in_the_middle_of_a_ramp(fleet: Fleet) -> None:
    fleet.begins("runner.start(9, 1.5)")
    fleet.until("runner.user_count >= 2")
    _one_more(fleet)
    fleet.until("_doing.dead and runner.user_count == 9")
    _have(fleet, [3, 3, 3])
    _one_less(fleet)


def one_comes_while_all_run(fleet: Fleet) -> None:
    fleet.start(6)
    _one_more(fleet)
    _have(fleet, [2, 2, 2])
    _one_less(fleet)


def one_leaves_while_all_run(fleet: Fleet) -> None:
    _one_more(fleet)
    fleet.start(6)
    fleet.note("users", fleet.everywhere("runner.user_count"))
    worker = fleet.workers[-1]
    worker.signal(signal.SIGTERM)
    fleet.note("exit code", worker.exit_code())
    _without(fleet)
    _have(fleet, [3, 3])


def one_leaves_in_the_middle_of_a_ramp(fleet: Fleet) -> None:
    _one_more(fleet)
    fleet.begins("runner.start(8, 1.5)")
    fleet.until("runner.user_count >= 2")
    fleet.workers[-1].signal(signal.SIGTERM)
    fleet.note("exit code", fleet.workers[-1].exit_code())
    _without(fleet)
    fleet.until("_doing.dead")
    _have(fleet, [4, 4])


def one_is_killed_and_another_takes_its_place(fleet: Fleet) -> None:
    _one_more(fleet)
    fleet.start(6)
    fleet.workers[-1].signal(signal.SIGKILL)
    fleet.until("[node.state for node in runner.clients.all].count('missing') == 1")
    fleet.until("runner.user_count == 4")
    fleet.see("sorted(node.state for node in runner.clients.all)", "runner.user_count", "runner.state")
    gone = fleet.taps[-1].worker
    _without(fleet)
    fleet.inside("runner.stop()")
    # Forgetting takes a minute of heartbeats: not waited for.
    fleet.inside(f"runner.clients.pop({gone!r})")
    fleet.until("len(runner.clients.ready) == 2")


def one_stands_still_and_comes_back(fleet: Fleet) -> None:
    fleet.start(6)
    fleet.workers[0].signal(signal.SIGSTOP)
    fleet.until("[node.state for node in runner.clients.all].count('missing') == 1")
    fleet.see("runner.user_count", "runner.state")
    fleet.workers[0].signal(signal.SIGCONT)
    fleet.until("[node.state for node in runner.clients.all] == ['running', 'running']")
    fleet.until("runner.user_count == 6")
    fleet.see_users()
    fleet.note("states", [line for line in fleet.inside("_Lines.lines") if "setting state" in line])


def _have(fleet: Fleet, users: list[int]) -> None:
    """So many users each, by the master's books, and soon after by the workers' own."""
    fleet.until(f"sorted(node.user_count for node in runner.clients.all) == {users}")
    fleet.master.wait(lambda: fleet.everywhere("runner.user_count") == users, f"workers with {users} users")
    fleet.note("users", users)


def _one_more(fleet: Fleet) -> None:
    """Of the second worker's kind, and with the highest id, so that it is the third."""
    fleet.add_worker(fleet.kind.workers[-1])
    fleet.until("runner.worker_count == 3")
    assert fleet.workers[-1].doors
    fleet._since = [*fleet._since[:2], 0]


def _one_less(fleet: Fleet) -> None:
    fleet.does("runner.stop()")
    fleet.workers[-1].signal(signal.SIGTERM)
    fleet.note("exit code", fleet.workers[-1].exit_code())
    _without(fleet)
    fleet.until("len(runner.clients) == 2")


def _without(fleet: Fleet) -> None:
    fleet.workers.pop().close()
    fleet.taps.pop().close()
