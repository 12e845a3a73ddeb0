"""A login with a form of one's own: other fields, a choice, a box to tick.

TEAM_CODE=... locust -f locustfiles/web/login_form.py --web-login -H http://localhost:8080
"""

import hmac
import os
import secrets
from typing import Any

from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user
from werkzeug.wrappers import Response

from locust import HttpUser, constant, events, task
from locust.env import Environment

CODE = os.environ.get("TEAM_CODE", secrets.token_urlsafe())


class Team(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


@events.init.add_listener
def protect(environment: Environment, **kwargs: Any) -> None:
    web_ui = environment.web_ui
    if web_ui is None or not web_ui.web_login:
        return
    assert environment.parsed_options is not None
    base = environment.parsed_options.web_base_path
    web_ui.app.secret_key = secrets.token_hex()
    web_ui.login_manager.user_loader(Team)
    web_ui.auth_args = {
        "custom_form": {
            "inputs": [
                {"label": "Team", "name": "team", "choices": ["shop", "search"]},
                {"label": "Code", "name": "code", "is_secret": True, "is_required": True},
                {"label": "Stay logged in", "name": "stay", "default_value": False},
            ],
            "callback_url": f"{base}/enter",
            "submit_button_text": "Enter",
        },
        "info": "Ask your team for its code",
    }
    auth = Blueprint("auth", "auth", url_prefix=base or None)

    @auth.route("/enter", methods=["POST"])
    def enter() -> Response:
        if hmac.compare_digest(request.form.get("code", "").encode(), CODE.encode()):
            login_user(Team(request.form.get("team", "shop")), remember=request.form.get("stay") == "on")
            return redirect(url_for("locust.index"))
        session["auth_error"] = "That is not the code"
        return redirect(url_for("locust.login"))

    web_ui.app.register_blueprint(auth)


class Visitor(HttpUser):
    wait_time = constant(0.2)

    @task
    def look(self) -> None:
        self.client.get("/json")
