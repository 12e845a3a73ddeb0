"""Stop, reset, change a class, and see what the tasks are."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import TaskSet, User, constant, tag, task

class Basket(TaskSet):
    @task(2)
    def fill(self):
        _count("/fill")
        self.interrupt()

    @task
    def leave(self):
        self.interrupt()

class Buyer(User):
    wait_time = constant(0.05)
    weight = 3
    note = "as it was"
    tasks = {Basket: 1}

    @task(2)
    def buy(self):
        _count("/buy")

class Visitor(User):
    wait_time = constant(0.05)
    host = "http://visited.example"

    @task(3)
    def look(self):
        _count("/look")

    @task
    def search(self):
        _count("/search")

_fired = []

@_events.test_stopping.add_listener
def _(**_):
    _fired.append("test_stopping")

@_events.test_stop.add_listener
def _(**_):
    _fired.append("test_stop")

@_events.reset_stats.add_listener
def _(**more):
    _fired.append(("reset_stats", sorted(more)))

def _classes_again():
    Buyer.weight, Buyer.note, Buyer.tasks, Buyer.host, Buyer.fixed_count = 3, "as it was", [*_tasks["Buyer"]], None, 0
    Visitor.tasks = [*_tasks["Visitor"]]

_tasks = {"Buyer": [*Buyer.tasks], "Visitor": [*Visitor.tasks]}
"""


def stop_when_nothing_runs(web: Web) -> None:
    web.inside("_fired.clear()")
    web.post("/stop")
    web.see("environment.runner.state", "_fired")


def stop_twice(web: Web) -> None:
    web.start(2)
    web.inside("_fired.clear()")
    web.post("/stop")
    web.post("/stop")
    web.see("environment.runner.state", "_fired")


def the_answer_comes_when_the_users_have_ended(web: Web) -> None:
    web.start(3)
    web.post("/stop")
    web.see("environment.runner.user_count", "environment.runner.state")


def stop_with_a_body(web: Web) -> None:
    web.start(1)
    web.post_json("/stop", {"why": "enough"})
    web.see("environment.runner.state")


def stop_at_once_after_a_start(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": 1})
    web.post("/stop")
    web.inside("_gevent.sleep(0.3)")
    web.see("environment.runner.user_count")


def reset_keeps_names(web: Web) -> None:
    web.inside("_fired.clear()")
    web.inside("_count('/a'); _count('/b', exception=ValueError('no'))")
    web.post("/stats/reset")
    web.see(
        "_fired",
        "sorted(environment.stats.entries)",
        "environment.stats.total.num_requests",
        "len(environment.stats.errors)",
        "environment.runner.exceptions",
    )
    web.get("/stats/requests")


def reset_forgets_exceptions(web: Web) -> None:
    web.inside("environment.runner.log_exception('local', 'no', 'File x\\n')")
    web.post("/stats/reset")
    web.get("/exceptions")


def reset_forgets_the_history(web: Web) -> None:
    web.inside("_count('/a'); _locust.stats.update_stats_history(environment.runner)")
    web.see("len(environment.stats.history)")
    web.post("/stats/reset")
    web.see("len(environment.stats.history)")


def reset_while_it_runs(web: Web) -> None:
    web.start(1)
    web.until("environment.stats.total.num_requests > 2")
    web.post("/stats/reset")
    web.see("environment.runner.state", "environment.stats.total.num_requests < 3")


def change_a_class(web: Web) -> None:
    web.post_json(
        "/user", {"user_class_name": "Buyer", "weight": 7, "host": "http://new", "note": "other", "fixed_count": 2}
    )
    web.see("Buyer.weight", "Buyer.host", "Buyer.note", "Buyer.fixed_count")
    web.inside("_classes_again()")


def change_the_tasks_of_a_class(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Visitor", "tasks": ["search"]})
    web.see("[each.__name__ for each in Visitor.tasks]")
    web.post_json("/user", {"user_class_name": "Visitor", "tasks": ["look", "nobody"]})
    web.see("[each.__name__ for each in Visitor.tasks]")
    web.post_json("/user", {"user_class_name": "Visitor", "tasks": []})
    web.see("[each.__name__ for each in Visitor.tasks]")
    web.inside("_classes_again()")


def change_nothing(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Visitor"})


def an_attribute_that_there_was_not(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Visitor", "fresh": {"deep": [1, None, True]}})
    web.see("Visitor.fresh")


def a_class_that_there_is_not(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Nobody", "weight": 1})
    web.see_log()


def no_class_at_all(web: Web) -> None:
    web.post_json("/user", {"weight": 1})
    web.see_log()


def a_class_as_a_form(web: Web) -> None:
    web.post("/user", {"user_class_name": "Buyer"})
    web.ask("POST", "/user", '{"user_class_name": "Buyer"}', {"Content-Type": "application/x-www-form-urlencoded"})


def a_class_as_text(web: Web) -> None:
    web.ask("POST", "/user", '{"user_class_name": "Buyer", "note": "text"}', {"Content-Type": "text/plain"})
    web.see("Buyer.note")
    web.ask("POST", "/user", '{"user_class_name": "Buyer", "note": "bare"}')
    web.see("Buyer.note")
    web.inside("_classes_again()")


def no_json(web: Web) -> None:
    web.ask("POST", "/user", "{nonsense", {"Content-Type": "application/json"})
    web.ask("POST", "/user", "", {"Content-Type": "application/json"})
    web.ask("POST", "/user", "[1, 2]", {"Content-Type": "application/json"})
    web.see_log()


def ratios_before_a_test(web: Web) -> None:
    web.get("/tasks")


def ratios_while_it_runs(web: Web) -> None:
    web.start(4)
    web.get("/tasks")


def ratios_after_a_test(web: Web) -> None:
    web.start(4)
    web.quietly("POST", "/stop")
    web.get("/tasks")


def ratios_after_a_change(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Visitor", "tasks": ["search"]})
    web.start(4)
    web.get("/tasks")
    web.quietly("POST", "/stop")
    web.inside("_classes_again()")


def the_state_at_each_step(web: Web) -> None:
    states = [web.quietly("GET", "/stats/requests").json["state"]]
    web.post("/swarm", {"user_count": 30, "spawn_rate": 10})
    web.until("environment.runner.state == 'spawning'")
    states.append(web.quietly("GET", "/stats/requests").json["state"])
    web.quietly("POST", "/stop")
    states.append(web.quietly("GET", "/stats/requests").json["state"])
    web.start(1)
    states.append(web.quietly("GET", "/stats/requests").json["state"])
    web.note("states", states)


def a_listener_of_the_reset_that_fails(web: Web) -> None:
    web.inside("_events.reset_stats.add_listener(lambda **_: 1 / 0)")
    web.post("/stats/reset")


def no_runner(web: Web) -> None:
    web.inside("globals().update(_runner=environment.runner); environment.runner = None")
    try:
        for path in ("/stop", "/stats/reset"):
            web.post(path)
        for path in (
            "/",
            "/tasks",
            "/stats/requests",
            "/exceptions",
            "/exceptions/csv",
            "/stats/requests/csv",
            "/stats/failures/csv",
            "/worker-count",
            "/stats/report",
        ):
            web.get(path)
        web.see_log()
    finally:
        web.inside("environment.runner = _runner")
