"""A program of one's own that makes a page."""

from __future__ import annotations

from ..asking import Web

IS_PROGRAM = True
LOCUSTFILE = """
import sys

from locust import HttpUser, constant, task
from locust.env import Environment
from locust.stats import stats_history

class Buyer(HttpUser):
    wait_time = constant(0.05)
    host = "http://buyer.example"

    @task
    def buy(self):
        _count("/buy")

environment = Environment(user_classes=[Buyer], events=_events)
environment.create_local_runner()
_gevent.spawn(stats_history, environment.runner)
web_ui = environment.create_web_ui("127.0.0.1", 0)
_events.init.fire(environment=environment, runner=environment.runner, web_ui=web_ui)
def _again():
    environment.runner.stop()
    environment.runner.update_state("ready")
    environment.stats.clear_all()
    environment.host = None
    _Lines.lines.clear()

web_ui.greenlet.join()
"""


def the_page(web: Web) -> None:
    web.get("/")


def a_test(web: Web) -> None:
    web.post(
        "/swarm",
        {"user_count": 2, "spawn_rate": 100, "host": "http://x", "run_time": "1h", "profile": "p", "other": "1"},
    )
    web.until("environment.runner.user_count == 2")
    web.see("environment.host", "environment.profile", "environment.parsed_options")
    web.see_statistics()
    web.post("/stop")


def bad_numbers(web: Web) -> None:
    web.post("/swarm", {"user_count": "x", "spawn_rate": 1})
    web.post("/swarm", {})


def figures(web: Web) -> None:
    web.inside("_count('/x')")
    for path in ("/stats/requests", "/stats/requests/csv", "/exceptions", "/tasks", "/worker-count", "/stats/report"):
        web.get(path)
    web.note("logs", web.quietly("GET", "/logs").json)


def a_class_changes(web: Web) -> None:
    web.post_json("/user", {"user_class_name": "Buyer"})


def the_object(web: Web) -> None:
    web.see(
        "web_ui.host",
        "web_ui.port",
        "web_ui.server.server_port > 0",
        "environment.web_ui is web_ui",
        "web_ui.stats_csv_writer.__class__.__name__",
    )


def another_page_beside_it(web: Web) -> None:
    web.inside("globals().update(_other=Environment(user_classes=[Buyer]))")
    web.inside(
        "_other.create_local_runner(); globals().update(_page=_other.create_web_ui('127.0.0.1', 0, delayed_start=True))"
    )
    web.see("_page.server", "_page.greenlet")
    web.inside("_page.start(); _gevent.sleep(0.1)")
    web.see("_page.server.server_port > 0", "_page.server.server_port != web_ui.server.server_port")
    web.inside("_page.stop(); _gevent.sleep(0.05)")
    web.see("_page.greenlet.ready()")


def no_runner(web: Web) -> None:
    web.inside("globals().update(_third=Environment(user_classes=[Buyer]))")
    web.inside("globals().update(_bare=_third.create_web_ui('127.0.0.1', 0)); _gevent.sleep(0.1)")
    page, web.page = web.page, web.inside("_bare.server.server_port")
    try:
        web.get("/stats/requests")
        web.get("/")
        web.post("/swarm", {"user_count": 1, "spawn_rate": 1})
        web.post("/stop")
        web.get("/worker-count")
    finally:
        web.page = page
        web.inside("_bare.stop()")
