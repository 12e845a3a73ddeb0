"""`--web-login`: who is let in, and what the others get."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, current_user, login_user, logout_user

from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")

class Somebody(UserMixin):
    def __init__(self, name):
        self.name = name

    def get_id(self):
        return self.name

@_events.init.add_listener
def _protect(environment, web_ui, **_):
    web_ui.app.config["SECRET_KEY"] = "for the tests"
    web_ui.login_manager.user_loader(Somebody)
    web_ui.auth_args = {
        "username_password_callback": "/in",
        "auth_providers": [{"label": "Other", "callback_url": "/other", "icon_url": "https://other.example/icon.svg"}],
        "title": "Ours </script>",
    }
    auth = Blueprint("auth", "auth")

    @auth.route("/in", methods=["POST"])
    def come_in():
        if request.form["password"] == "right":
            login_user(Somebody(request.form["username"]))
            return redirect(url_for("locust.index"))
        session["auth_error"] = "Wrong <b>name</b> or password"
        return redirect(url_for("locust.login"))

    @auth.route("/other")
    def other():
        session["auth_info"] = "Come again"
        return redirect(url_for("locust.login"))

    @auth.route("/out")
    def go_out():
        logout_user()
        return redirect(url_for("locust.login"))

    @auth.route("/open")
    def is_open():
        return "open"

    @auth.route("/closed")
    @web_ui.auth_required_if_enabled
    def is_closed():
        return f"closed, but for {current_user.name}"

    @auth.route("/closed-and-broken")
    @web_ui.auth_required_if_enabled
    def is_broken():
        raise ValueError("<b>broken</b>")

    web_ui.app.register_blueprint(auth)
"""
ARGUMENTS = ["--web-login"]


def _come_in(web: Web) -> None:
    web.quietly("POST", "/in", "username=me&password=right", {"Content-Type": "application/x-www-form-urlencoded"})


def nobody_is_let_in(web: Web) -> None:
    for path in (
        "/",
        "/stats/requests",
        "/stats/report",
        "/stats/requests/csv",
        "/stats/requests_full_history/csv",
        "/stats/failures/csv",
        "/exceptions",
        "/exceptions/csv",
        "/tasks",
        "/logs",
        "/worker-count",
    ):
        web.cookies.clear()
        web.get(path)


def nobody_changes_anything(web: Web) -> None:
    for path in ("/swarm", "/stop", "/stats/reset"):
        web.cookies.clear()
        web.post(path, {"user_count": 1, "spawn_rate": 1})
    web.cookies.clear()
    web.post_json("/user", {"user_class_name": "Buyer", "weight": 9})
    web.see("environment.runner.state", "Buyer.weight")


def where_one_wanted_to_go(web: Web) -> None:
    web.get("/stats/report?theme=dark&x=%C3%BC")


def what_needs_no_login(web: Web) -> None:
    web.get("/open")
    web.get("/nope")
    web.ask("OPTIONS", "/tasks")
    web.ask("PUT", "/tasks")


def the_login_page(web: Web) -> None:
    web.get("/login")
    web.get("/login?next=/tasks")


def coming_in(web: Web) -> None:
    web.post("/in", {"username": "me", "password": "right"})
    web.get("/tasks")
    web.get("/worker-count")
    web.get("/")
    web.get("/closed")


def the_wrong_password(web: Web) -> None:
    web.post("/in", {"username": "me", "password": "wrong"})
    web.get("/login")
    web.get("/login")
    web.get("/tasks")
    web.get("/login")


def information(web: Web) -> None:
    web.get("/other")
    web.get("/login")


def going_out(web: Web) -> None:
    _come_in(web)
    web.get("/out")
    web.get("/tasks")


def a_view_of_its_own(web: Web) -> None:
    web.get("/closed")
    _come_in(web)
    web.get("/closed")


def a_view_that_fails(web: Web) -> None:
    _come_in(web)
    web.note("begins", web.quietly("GET", "/closed-and-broken").text[:23])
    web.note("status", web.quietly("GET", "/closed-and-broken").status)


def a_bad_request_of_who_is_in(web: Web) -> None:
    _come_in(web)
    answer = web.quietly("POST", "/user", '{"user_class_name": "Nobody"}', {"Content-Type": "application/json"})
    web.note("answer", [answer.status, answer.text[:31], answer.headers["Content-Type"]])


def who_is_in_runs_tests(web: Web) -> None:
    _come_in(web)
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100})
    web.until("environment.runner.state == 'running'")
    web.see_statistics()
    web.post("/stats/reset")
    web.post("/stop")


def a_cookie_that_was_tampered_with(web: Web) -> None:
    web.cookies["session"] = "eyJfdXNlcl9pZCI6Im1lIn0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"
    web.get("/tasks")


def assets_need_no_login(web: Web) -> None:
    page = web.quietly("GET", "/login").text
    name = page.split('type="module"')[1].split('src="./')[1].split('"')[0]
    web.note("status", web.quietly("GET", f"/{name}").status)


def the_object(web: Web) -> None:
    web.see(
        "web_ui.web_login",
        "type(web_ui.login_manager).__name__",
        "web_ui.login_manager.login_view",
        "sorted(web_ui.auth_args)",
        "web_ui.app.login_manager is web_ui.login_manager",
    )
