"""A login for the web page: with name and password, or by way of somebody else who knows the user.

PAGE_PASSWORD=... locust -f locustfiles/web/login.py --web-login -H http://localhost:8080
"""

import hmac
import os
import secrets
from typing import Any

from flask import Blueprint, Response, redirect, request, session, url_for
from flask_login import UserMixin, login_user, logout_user
from werkzeug.wrappers import Response as AnyResponse

from locust import HttpUser, constant, events, task
from locust.env import Environment

PASSWORD = os.environ.get("PAGE_PASSWORD", secrets.token_urlsafe())


class Person(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


def load_person(name: str) -> Person | None:
    """Whoever the cookie of the session names: here, everybody who got in once."""
    return Person(name)


@events.init.add_listener
def protect(environment: Environment, **kwargs: Any) -> None:
    web_ui = environment.web_ui
    if web_ui is None or not web_ui.web_login:
        return
    # It signs the cookies: with one that stays the same, people stay logged in when the process starts anew.
    web_ui.app.secret_key = os.environ.get("PAGE_SECRET", secrets.token_hex())
    web_ui.login_manager.user_loader(load_person)
    web_ui.auth_args = {
        "username_password_callback": "/login/check",
        "auth_providers": [
            {"label": "Company account", "callback_url": "/login/company", "icon_url": "/login/icon.svg"},
        ],
    }
    auth = Blueprint("auth", "auth")

    @auth.route("/login/check", methods=["POST"])
    def check() -> AnyResponse:
        given = request.form.get("password", "")
        if hmac.compare_digest(given.encode(), PASSWORD.encode()):
            login_user(Person(request.form.get("username", "")))
            return redirect(url_for("locust.index"))
        session["auth_error"] = "Unknown name, or wrong password"
        return redirect(url_for("locust.login"))

    @auth.route("/login/company")
    def company() -> AnyResponse:
        # Here one would go to the provider, who sends the browser back with a code.
        session["auth_info"] = "The company's accounts are not connected yet"
        return redirect(url_for("locust.login"))

    @auth.route("/login/icon.svg")
    def icon() -> Response:
        circle = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><circle cx="1" cy="1" r="1"/></svg>'
        return Response(circle, mimetype="image/svg+xml")

    @auth.route("/logout")
    def leave() -> AnyResponse:
        logout_user()
        return redirect(url_for("locust.login"))

    @auth.route("/notes")
    @web_ui.auth_required_if_enabled
    def notes() -> str:
        return "only for who is logged in"

    web_ui.app.register_blueprint(auth)


class Visitor(HttpUser):
    wait_time = constant(0.2)

    @task
    def look(self) -> None:
        self.client.get("/json")
