"""`--build-path`: another front end in the place of the page."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from flask import render_template

from locust import User, task

class Buyer(User):
    @task
    def buy(self):
        _gevent.sleep(1)

@_events.init.add_listener
def _extend(web_ui, **_):
    @web_ui.app.route("/other")
    def other():
        return render_template("other.html", name="<x>")
"""
FILES = {
    "front/index.html": "<!doctype html><script>window.templateArgs = {{ template_args|tojson }}\n</script>"
    "{% set l = [] %}{% do l.append(1) %}<p>mine {{ l }} {{ template_args.state }}</p>",
    "front/other.html": "<p>{{ name }}</p>",
    "front/assets/own.js": "window.own = 1",
}
ARGUMENTS = ["--build-path", "FOLDER/front"]


def the_page(web: Web) -> None:
    answer = web.get("/")
    web.note("end", answer.text.rpartition("</script>")[2])


def an_asset_of_its_own(web: Web) -> None:
    answer = web.get("/assets/own.js")
    web.note("text", answer.text)


def an_asset_that_there_is_not(web: Web) -> None:
    web.note("status", web.quietly("GET", "/assets/nope.js").status)


def a_template_beside_it(web: Web) -> None:
    web.get("/other")


def the_login_page_is_the_old_one(web: Web) -> None:
    web.get("/login")
