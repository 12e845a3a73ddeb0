"""A login with a form of the locustfile's own, beneath a base path."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user

from locust import User, task

class Buyer(User):
    @task
    def buy(self):
        _gevent.sleep(1)

class Somebody(UserMixin):
    id = "one"

@_events.init.add_listener
def _protect(environment, web_ui, **_):
    web_ui.app.secret_key = "for the tests"
    web_ui.login_manager.request_loader(lambda request: Somebody() if request.headers.get("X-Key") == "right" else None)
    base = environment.parsed_options.web_base_path
    web_ui.auth_args = {
        "custom_form": {
            "inputs": [
                {"label": "User", "name": "username"},
                {"label": "Code", "name": "code", "is_secret": True, "is_required": True},
                {"label": "Where", "name": "where", "choices": ["a", "b"], "default_value": "b"},
                {"label": "Stay", "name": "stay", "default_value": False},
            ],
            "callback_url": f"{base}/enter",
            "submit_button_text": "Enter",
        }
    }
"""
ARGUMENTS = ["--web-login", "--web-base-path", "/lo"]


def the_login_page(web: Web) -> None:
    web.get("/lo/login")


def nobody_is_let_in(web: Web) -> None:
    web.get("/lo/")
    web.get("/lo/tasks?x=1")


def a_key_in_each_request(web: Web) -> None:
    web.get("/lo/tasks", X_Key="right")
    web.get("/lo/tasks", X_Key="wrong")
    web.get("/lo/", X_Key="right")
    web.post("/lo/stop", X_Key="right")
