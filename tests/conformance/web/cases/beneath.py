"""A base path."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")
"""
ARGUMENTS = ["--web-base-path", "/lo"]


def the_page(web: Web) -> None:
    web.get("/lo/")


def without_its_slash(web: Web) -> None:
    web.get("/lo")
    web.get("/lo?tab=stats")


def the_root_is_not_there(web: Web) -> None:
    for path in ("/", "/stats/requests", "/login", "/tasks", "/lo/lo/", "/lost", "/assets/x"):
        web.get(path)
    web.post("/swarm", {"user_count": 1, "spawn_rate": 1})


def everything_beneath_it(web: Web) -> None:
    for path in ("/stats/requests", "/exceptions", "/tasks", "/worker-count", "/stats/requests/csv", "/login", "/nope"):
        web.get(f"/lo{path}")
    web.post("/lo/swarm", {"user_count": 1, "spawn_rate": 100})
    web.until("environment.runner.state == 'running'")
    web.post("/lo/stats/reset")
    web.post("/lo/stop")
    web.post_json("/lo/user", {"user_class_name": "Buyer"})


def methods(web: Web) -> None:
    for path in ("/lo/swarm", "/lo/", "/lo"):
        web.ask("PUT", path)
        web.ask("OPTIONS", path)


def what_programs_know_of_it(web: Web) -> None:
    web.see("environment.parsed_options.web_base_path")


def an_asset(web: Web) -> None:
    page = web.quietly("GET", "/lo/").text
    name = page.split('type="module"')[1].split('src="./')[1].split('"')[0]
    web.note("statuses", [web.quietly("GET", f"{base}/{name}").status for base in ("/lo", "")])
