"""The class picker: classes and shapes chosen for each test."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import LoadTestShape, User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")

class Visitor(User):
    wait_time = constant(0.05)

    @task
    def look(self):
        _count("/look")

class Idle(User):
    weight = 0

    @task
    def nothing(self):
        _gevent.sleep(0.1)

class Fixed(User):
    weight = 0
    fixed_count = 1

    @task
    def nothing(self):
        _gevent.sleep(0.1)

class Steady(LoadTestShape):
    def tick(self):
        return 2, 100

class Asking(LoadTestShape):
    use_common_options = True

    def tick(self):
        return int(self.runner.environment.parsed_options.num_users), 100

def _names():
    return sorted(each.__name__ for each in environment.user_classes)
"""
ARGUMENTS = ["--class-picker"]

ALL = {"user_count": 4, "spawn_rate": 100}


def the_page(web: Web) -> None:
    web.get("/")


def all_where_none_is_named(web: Web) -> None:
    web.post("/swarm", {**ALL, "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("_names()", "environment.runner.user_classes_count")


def one_class(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": "Buyer", "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("_names()", "environment.runner.user_classes_count", "environment.parsed_options.user_classes")


def two_classes(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": ["Visitor", "Buyer"], "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("_names()", "environment.runner.user_classes_count", "environment.parsed_options.user_classes")


def classes_that_there_are_not(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": ["Buyer", "Nobody"], "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("_names()")


def only_classes_that_there_are_not(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": "Nobody", "shape_class": "Default"})
    web.inside("_gevent.sleep(0.2)")
    web.see("_names()", "environment.runner.state")
    web.see_log()


def a_class_of_no_weight(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": ["Buyer", "Idle"], "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("_names()")


def only_a_class_of_no_weight(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": "Idle", "shape_class": "Default"})
    web.inside("_gevent.sleep(0.2)")
    web.see("_names()", "environment.runner.state")


def a_class_of_a_fixed_count(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": ["Fixed", "Buyer"], "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("environment.runner.user_classes_count")


def the_choice_stays_while_it_runs(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": "Buyer", "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.post("/swarm", {"user_count": 6, "spawn_rate": 100})
    web.until("environment.runner.user_count == 6")
    web.see("_names()", "environment.runner.user_classes_count")


def the_choice_is_gone_with_the_next_test(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": "Buyer", "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.quietly("POST", "/stop")
    web.post("/swarm", ALL)
    web.until("environment.runner.state == 'running'")
    web.see("_names()")


def another_choice_while_it_runs(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": "Buyer", "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.post("/swarm", {**ALL, "user_classes": "Visitor"})
    web.inside("_gevent.sleep(0.3)")
    web.see("_names()")


def a_shape(web: Web) -> None:
    web.post("/swarm", {"shape_class": "Steady", "user_classes": "Buyer"})
    web.until("environment.runner.user_count == 2")
    web.see("type(environment.shape_class).__name__", "environment.runner.user_classes_count", "_names()")
    web.see("environment.shape_class.runner is environment.runner")
    args = web.quietly("GET", "/").args
    web.note("args", [args["hide_common_options"], args["shape_use_common_options"]])


def a_shape_that_asks_the_options(web: Web) -> None:
    web.post("/swarm", {**ALL, "shape_class": "Asking"})
    web.until("environment.runner.user_count == 4")
    args = web.quietly("GET", "/").args
    web.note("args", [args["hide_common_options"], args["shape_use_common_options"]])


def no_shape_again(web: Web) -> None:
    web.post("/swarm", {"shape_class": "Steady"})
    web.until("environment.runner.user_count == 2")
    web.quietly("POST", "/stop")
    web.post("/swarm", {**ALL, "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("environment.shape_class", "environment.runner.user_count")


def a_shape_that_there_is_not(web: Web) -> None:
    web.post("/swarm", {**ALL, "shape_class": "Nobody"})
    web.see_log()
    web.see("environment.runner.state")


def no_shape_named(web: Web) -> None:
    web.post("/swarm", {**ALL, "user_classes": "Buyer"})
    web.until("environment.runner.state == 'running'")
    web.see("environment.shape_class")


def a_shape_by_an_empty_name(web: Web) -> None:
    web.post("/swarm", {**ALL, "shape_class": ""})
    web.see_log()


def bad_numbers_with_a_choice(web: Web) -> None:
    web.post("/swarm", {"user_count": "x", "spawn_rate": 1, "user_classes": "Buyer", "shape_class": "Default"})
    web.see("_names()")


def a_changed_class_runs_as_it_was_changed(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Buyer", "weight": 3})
    web.post("/swarm", {**ALL, "user_classes": ["Buyer", "Visitor"], "shape_class": "Default"})
    web.until("environment.runner.state == 'running'")
    web.see("environment.runner.user_classes_count")
    web.inside("setattr(Buyer, 'weight', 1)")


def no_classes_at_all(web: Web) -> None:
    web.inside("globals().update(_kept=environment.available_user_classes); environment.available_user_classes = None")
    try:
        web.post("/swarm", ALL)
        web.see_log()
        web.get("/")
    finally:
        web.inside("environment.available_user_classes = _kept")
