"""The web page of a real `locust` process in a real browser: what is done with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from browsers import DESKTOP, PHONE, keep, problems, sticks_out
from certificates import Authority
from web_pages import SHOP, Watched, free_port, served, watched


def test_a_test_is_started_edited_reset_stopped_and_begun_anew(browser: Any, tmp_path: Path, target: Any) -> None:
    with served(tmp_path, SHOP) as locust, watched(browser, locust.url) as page:
        page.state("Ready")
        assert page.page.title() == "Locust"
        page.start(users=3, host=target.url)
        page.state("Running")
        page.until(lambda: page.fact("Users") == "3")
        page.until(lambda: "/products" in page.names())
        assert page.fact("Host") == target.url
        page.until(lambda: float(page.fact("RPS")) > 0)
        assert page.page.title() == "running · locustfile.py · Locust"

        page.button("Edit").click()
        page.page.get_by_label("Number of users").fill("5")
        page.button("Update").click()
        page.until(lambda: page.fact("Users") == "5")
        assert page.page.locator("dialog").count() == 0

        before = requests(page)
        page.button("Reset").click()
        page.button("Reset statistics").click()
        page.until(lambda: requests(page) < before)

        page.end()
        assert "Ran for" in page.page.locator(".monitor").inner_text()
        count = requests(page)
        page.button("New").click()
        assert page.page.get_by_label("Number of users").input_value() == "5", "as it was entered last"
        page.start(users=2)
        page.until(lambda: page.fact("Users") == "2")
        page.until(lambda: 0 < requests(page) != count)
        page.end()


def requests(page: Watched) -> int:
    """Those of all entries, as the table says."""
    return int(page.page.locator("#panel tfoot td").nth(2).inner_text().replace(",", ""))


def test_a_run_time_counts_down_and_an_edit_leaves_the_end_where_it_was(
    browser: Any, tmp_path: Path, target: Any
) -> None:
    with served(tmp_path, SHOP, "-H", target.url) as locust, watched(browser, locust.url) as page:
        page.page.get_by_text("Advanced options").click()
        page.page.get_by_label("Run time").fill("5s")
        page.page.get_by_label("Profile").fill("nightly")
        page.start()
        page.until(lambda: re.fullmatch("[1-5] s", page.fact("Time left")))
        page.button("Edit").click()
        assert re.fullmatch("[1-5]s", page.page.get_by_label("Run time").input_value())
        page.page.get_by_label("Number of users").fill("2")
        page.button("Update").click()
        page.state("Stopped")
        assert '"profile": "nightly"' in locust.ask().decode()


def test_what_is_refused_is_said(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path, SHOP) as locust, watched(browser, locust.url) as page:
        page.page.get_by_text("Advanced options").click()
        page.page.get_by_label("Run time").fill("soon")
        page.start()
        said = page.page.get_by_role("alert")
        assert "time" in said.inner_text()
        page.page.get_by_label("Host", exact=True).fill("shop.example")
        page.page.get_by_label("Number of users").focus()
        assert "does not look like a host" in page.page.locator("form").inner_text()
        page.page.get_by_label("Number of users").fill("1x2")
        assert page.page.get_by_label("Number of users").input_value() == "12"


def test_who_looks_on_sees_what_another_does(browser: Any, tmp_path: Path, target: Any) -> None:
    with (
        served(tmp_path, SHOP, "-H", target.url) as locust,
        watched(browser, locust.url) as one,
        watched(browser, locust.url) as other,
    ):
        other.state("Ready")
        one.start(users=2)
        other.until(lambda: other.fact("Users") == "2")
        other.until(lambda: "/products" in other.names())
        other.end()
        one.state("Stopped")


PICKED = """
from locust import HttpUser, LoadTestShape, User, constant, task

class Buyer(User):
    weight = 2
    wait_time = constant(0.05)
    @task
    def buy(self):
        self.environment.events.request.fire(request_type="DO", name=f"buy {self.weight}", response_time=1,
            response_length=1, exception=None, context={})
    @task
    def look(self):
        self.environment.events.request.fire(request_type="DO", name="look", response_time=1, response_length=1,
            exception=None, context={})

class Visitor(User):
    wait_time = constant(0.05)
    @task
    def visit(self):
        self.environment.events.request.fire(request_type="DO", name="visit", response_time=1, response_length=1,
            exception=None, context={})

class Steps(LoadTestShape):
    def tick(self):
        return (3, 10) if self.get_run_time() < 600 else None
"""


def test_classes_are_picked_and_set(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path, PICKED, "--class-picker") as locust, watched(browser, locust.url) as page:
        page.page.get_by_label("All user classes").uncheck()
        page.start()
        assert page.page.get_by_role("alert").inner_text() == "Choose at least one user class."
        page.page.get_by_label("Buyer", exact=True).check()
        page.button("Settings of Buyer").click()
        settings = page.page.get_by_role("dialog", name="Settings of Buyer")
        settings.get_by_label("look").uncheck()
        settings.get_by_label("Weight").fill("7")
        keep(page.page, "page-class-settings")
        assert problems(page.page) == []
        settings.get_by_role("button", name="Save").click()
        settings.wait_for(state="detached")
        assert [json.loads(body) for url, body in page.posts if url.endswith("/user")] == [
            {"user_class_name": "Buyer", "weight": 7, "tasks": ["buy"]}
        ]
        keep(page.page, "page-picker")
        page.start(users=2)
        page.until(lambda: "buy 7" in page.names())
        assert page.names() == ["buy 7"]
        page.end()


def test_a_shape_says_how_many(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path, PICKED, "--class-picker") as locust, watched(browser, locust.url) as page:
        page.page.get_by_label("Shape class").select_option("Steps")
        assert page.page.get_by_label("Number of users").count() == 0
        page.button("Start").click()
        page.until(lambda: page.fact("Users") == "3")
        assert page.button("Edit").is_disabled()
        page.end()


ARGUMENTS = """
import json
from locust import User, constant, events, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--region", choices=["eu", "us"], default="eu", help="Where the shop is")
    parser.add_argument("--arg1_x", default="a")
    parser.add_argument("--camelCase", default="b")
    parser.add_argument("--amount", type=int, default=3)
    parser.add_argument("--verbose-user", action="store_true", default=False)
    parser.add_argument("--features", choices=["search", "cart", "list"], default=["cart"], nargs="*", is_multiple=True)
    parser.add_argument("--pin", default="SECRET-1", is_secret=True)
    parser.add_argument("--api-key", default="SECRET-2", is_secret=True)
    parser.add_argument("--needed", default="", is_required=True)
    parser.add_argument("--hidden", default="h", include_in_web_ui=False)

@events.test_start.add_listener
def tell(environment, **_):
    names = "region arg1_x camelCase amount verbose_user features pin api_key needed hidden".split()
    with open("told.json", "a") as file:
        print(json.dumps({name: getattr(environment.parsed_options, name) for name in names}), file=file)

class Idle(User):
    wait_time = constant(1)
    @task
    def nothing(self): pass
"""


def test_the_locustfiles_own_arguments_are_asked_for(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path, ARGUMENTS) as locust, watched(browser, locust.url) as page:
        assert "SECRET" not in page.page.content()
        page.start()
        assert page.page.locator("input:invalid").get_attribute("name") == "needed"
        page.page.get_by_label("Needed").fill("given")
        page.page.get_by_label("Region").select_option("us")
        page.page.get_by_label("Verbose user").check()
        page.page.get_by_label("list").check()
        page.page.get_by_label("Amount").fill("8")
        page.page.get_by_label("Api key", exact=True).fill("SECRET-3")
        assert page.page.get_by_label("Api key", exact=True).get_attribute("type") == "password"
        page.button("Show Api key").click()
        assert page.page.get_by_label("Api key", exact=True).get_attribute("type") == "text"
        assert page.page.get_by_label("Hidden").count() == 0
        assert problems(page.page) == []
        keep(page.page, "page-arguments", full_page=True)
        page.button("Start").click()
        page.state("Running")
        assert json.loads((tmp_path / "told.json").read_text()) == {
            "region": "us",
            "arg1_x": "a",
            "camelCase": "b",
            "amount": 8,
            "verbose_user": True,
            "features": ["cart", "list"],
            "pin": "SECRET-1",
            "api_key": "SECRET-3",
            "needed": "given",
            "hidden": "h",
        }
        assert "pin" not in dict(parse_qsl(page.posts[-1][1], keep_blank_values=True))
        page.end()
        page.button("New").click()
        assert page.page.get_by_label("Needed").input_value() == "given", "as it was entered last"
        assert page.page.get_by_label("Api key", exact=True).input_value() == ""


LOGIN = """
from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user, logout_user
from locust import User, constant, events, task

class Person(UserMixin):
    def __init__(self, name): self.name = name
    def get_id(self): return self.name

@events.init.add_listener
def prepare(environment, **_):
    if not environment.web_ui:
        return
    environment.web_ui.login_manager.user_loader(Person)
    environment.web_ui.app.config["SECRET_KEY"] = "for this test"
    environment.web_ui.auth_args = {
        "username_password_callback": "./login_submit",
        "auth_providers": [{"label": "Sign in with Example", "callback_url": "./provider"}],
    }
    auth = Blueprint("auth", "auth")

    @auth.route("/login_submit", methods=["POST"])
    def login_submit():
        if request.form["password"] == "right":
            login_user(Person(request.form["username"]))
            return redirect(url_for("locust.index"))
        session["auth_error"] = "Invalid <b>username</b> or password"
        return redirect(url_for("locust.login"))

    @auth.route("/out")
    def out():
        logout_user()
        return "out"

    environment.web_ui.app.register_blueprint(auth)

class Idle(User):
    wait_time = constant(1)
    @task
    def nothing(self): pass
"""


def test_who_is_not_known_logs_in_first(browser: Any, tmp_path: Path) -> None:
    pytest.importorskip("flask_login")
    with served(tmp_path, LOGIN, "--web-login") as locust, watched(browser, locust.url) as page:
        assert page.page.url.startswith(f"{locust.url}login")
        assert problems(page.page) == []
        page.page.get_by_label("Username").fill("ann")
        page.page.get_by_label("Password", exact=True).fill("wrong")
        page.button("Login").click()
        assert page.page.get_by_role("alert").inner_text() == "Invalid <b>username</b> or password"
        assert page.page.get_by_role("link", name="Sign in with Example").get_attribute("href") == "./provider"
        keep(page.page, "page-login")
        page.page.get_by_label("Username").fill("ann")
        page.page.get_by_label("Password", exact=True).fill("right")
        page.button("Login").click()
        page.state("Ready")
        page.start()
        page.state("Running")
        page.page.context.clear_cookies()
        page.button("Stop").click()
        assert "Your login has ended" in page.page.get_by_role("alert").first.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_is_in_nobodys_way(browser: Any, tmp_path: Path, theme: str) -> None:
    pytest.importorskip("flask_login")
    with served(tmp_path, LOGIN, "--web-login") as locust:
        for viewport in (DESKTOP, PHONE):
            with watched(browser, locust.url, viewport=viewport, color_scheme=theme) as page:
                page.page.get_by_label("Username").wait_for()
                assert problems(page.page) == []
                assert not sticks_out(page.page)
                keep(page.page, f"page-login-{theme}-{'phone' if viewport is PHONE else 'desktop'}")


def test_below_a_path_and_over_tls_it_is_the_same_page(browser: Any, tmp_path: Path, target: Any) -> None:
    authority = Authority(tmp_path, "IP:127.0.0.1")
    pem, key = authority.sign("page", "IP:127.0.0.1")
    options = ["--web-base-path", "/lo", "--tls-cert", str(pem), "--tls-key", str(key), "-H", target.url]
    with served(tmp_path, SHOP, *options, base="/lo") as locust, watched(browser, locust.url) as page:
        assert locust.url.startswith("https://") and locust.url.endswith("/lo/")
        page.start()
        page.until(lambda: "/products" in page.names())
        page.tab("Download Data")
        with page.page.expect_download() as download:
            page.page.get_by_role("link", name="Download requests CSV").click()
        assert "/products" in Path(download.value.path()).read_text(encoding="utf-8")
        page.tab("Current Ratio")
        page.page.locator(".ratio", has_text="Shopper").first.wait_for()
        page.end()


def test_a_server_that_goes_and_comes_back_is_told_of(browser: Any, tmp_path: Path, target: Any) -> None:
    port = free_port()
    first = served(tmp_path, SHOP, "-H", target.url, "-u", "2", "--autostart", port=port)
    with first as locust, watched(browser, locust.url) as page:
        page.until(lambda: "/products" in page.names())
        locust.kill()
        gone = page.page.get_by_role("alert").filter(has_text="does not answer")
        gone.wait_for()
        assert "/products" in page.names(), "the last that was known stays"
        assert page.button("Stop").is_disabled()
        keep(page.page, "page-gone")
        assert problems(page.page) == []
        other = SHOP.replace("Shopper", "Other")
        with served(tmp_path, other, "-H", target.url, "-u", "7", port=port):
            page.state("Ready")
            gone.wait_for(state="detached")
            page.until(lambda: page.page.get_by_label("Number of users").count() == 1)
            page.start(users=3)
            page.until(lambda: page.fact("Users") == "3")
        page.page.get_by_role("alert").filter(has_text="has ended").wait_for()
        assert all("ERR_" in complaint for complaint in page.complaints), page.complaints
        page.complaints.clear()
