"""The web page of a real `locust` process, steered in a real browser."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from browsers import DESKTOP, LOOKS, PHONE, keep, problems, sticks_out
from certificates import Authority
from web_pages import Served, Watched, free_port, served, watched

BUNDLE_BYTES = 150_000

SHOP = """
import logging, os
from locust import HttpUser, constant, events, task

class Shopper(HttpUser):
    wait_time = constant(0.05)

    @task(5)
    def products(self):
        self.client.get("/delay?ms=5", name="/products")

    @task
    def broken(self):
        self.client.get("/status/503", name="/broken")

    @task
    def markup(self):
        self.client.post("/json", name="</script><img src=x onerror=alert(1)>'&")

    @task
    def mistake(self):
        raise RuntimeError("a <b>locustfile's</b> own")

@events.test_start.add_listener
def say(environment, **_):
    logging.warning("a <i>warning</i> of the locustfile")
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, target_server: Any) -> Iterator[Served]:
    """A process with a test that runs, for all who only look."""
    folder = tmp_path_factory.mktemp("shop")
    options = ["-H", target_server.url, "-u", "4", "-r", "100", "--autostart", "--csv", "out", "--csv-full-history"]
    with served(folder, SHOP, *options) as started:
        yield started


def shop_page(browser: Any, shop: Served, tab: str = "stats", **settings: Any) -> Any:
    return watched(browser, f"{shop.url}?tab={tab}", **settings)


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


TABS = {
    "stats": "Statistics",
    "charts": "Charts",
    "failures": "Failures",
    "exceptions": "Exceptions",
    "ratios": "Current Ratio",
    "reports": "Download Data",
    "logs": "Logs",
}


@pytest.mark.parametrize("tab", TABS)
def test_nothing_is_in_anybodys_way(browser: Any, shop: Served, tab: str) -> None:
    """axe finds nothing in either theme and at either width, and nothing sticks out of the page."""
    for theme, viewport in LOOKS:
        with shop_page(browser, shop, tab, color_scheme=theme, viewport=viewport) as page:
            page.page.locator(f'[role=tab][aria-selected=true]:has-text("{TABS[tab]}")').wait_for()
            page.state("Running")
            page.until(lambda page=page: page.fact("RPS") not in ("", "0.00"))
            assert problems(page.page) == []
            assert not sticks_out(page.page)
            keep(page.page, f"page-{tab}-{theme}-{'phone' if viewport is PHONE else 'desktop'}")


def test_what_a_locustfile_names_stays_text(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        page.until(lambda: "</script><img src=x onerror=alert(1)>'&" in page.names())
        page.tab("Exceptions")
        page.page.locator("summary", has_text="a <b>locustfile's</b> own").click()
        assert 'raise RuntimeError("a <b>' in page.page.locator("#panel pre").inner_text()
        page.tab("Logs")
        page.page.locator(".line.warning", has_text="a <i>warning</i>").wait_for()
        assert page.page.locator("#panel img, #panel b, #panel i").count() == 0


def test_the_address_says_which_tab_is_open(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        page.tab("Failures")
        page.until(lambda: "/broken" in page.names())
        assert page.page.url.endswith("?tab=failures")
        page.tab("Current Ratio")
        page.page.locator(".ratio", has_text="Shopper").first.wait_for()
        page.page.go_back()
        assert page.page.get_by_role("tab", selected=True).inner_text().startswith("Failures")
        page.page.reload()
        page.until(lambda: "/broken" in page.names())


def test_failures_say_when_and_how_often(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop, "failures") as page:
        page.until(lambda: page.names() == ["/broken"])
        cells = page.page.locator("#panel tbody tr[data-row] td").all_inner_texts()
        assert int(cells[0].replace(",", "")) > 0
        assert cells[1:3] == ["GET", "/broken"] and "503" in cells[3]
        assert all(re.fullmatch(r"\d\d:\d\d:\d\d", cell) for cell in cells[4:])


def test_downloads_open(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop, "reports") as page:
        for title, columns in (
            ("Download requests CSV", ["Type", "Name", "Request Count"]),
            ("Download full request statistics history CSV", ["Timestamp", "User Count", "Type"]),
            ("Download failures CSV", ["Method", "Name", "Error"]),
            ("Download exceptions CSV", ["Count", "Message", "Traceback"]),
        ):
            with page.page.expect_download() as download:
                page.page.get_by_role("link", name=title).click()
            text = Path(download.value.path()).read_text(encoding="utf-8")
            assert next(csv.reader(io.StringIO(text)))[:3] == columns
        with page.page.expect_download() as download:
            page.page.get_by_role("link", name="Download report").click()
        assert download.value.suggested_filename.endswith(".html")
        page.button("Switch to the dark theme").click()
        with page.page.expect_popup() as opened:
            page.page.get_by_role("link", name="Open the report").click()
        report = opened.value
        report.wait_for_selector("footer")
        assert report.title() == "Load test of locustfile.py"
        assert report.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_theme_follows_the_system_until_it_is_switched(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop, color_scheme="dark") as page:
        background = "getComputedStyle(document.body).backgroundColor"
        dark = page.page.evaluate(background)
        page.button("Switch to the light theme").click()
        light = page.page.evaluate(background)
        assert dark != light
        page.page.reload()
        page.state("Running")
        assert page.page.evaluate(background) == light


def test_keys_do_what_the_help_says(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        page.state("Running")
        page.page.keyboard.press("3")
        assert page.page.get_by_role("tab", selected=True).inner_text().startswith("Failures")
        page.page.keyboard.press("/")
        page.page.keyboard.type("e1S")
        assert page.page.get_by_label("Filter failures").input_value() == "e1S", "keys that are typed do nothing else"
        assert page.page.locator("dialog").count() == 0
        page.page.keyboard.press("Tab")
        page.page.keyboard.press("?")
        assert "Stop the test" in page.page.locator("dialog").inner_text()
        page.page.keyboard.press("Escape")
        page.page.locator("dialog").wait_for(state="detached")
        page.page.keyboard.press("e")
        page.page.get_by_role("dialog", name="Edit running load test").wait_for()
        assert problems(page.page) == []
        page.page.keyboard.press("Escape")
        page.page.locator("dialog").wait_for(state="detached")
        page.page.get_by_role("tab", selected=True).focus()
        page.page.keyboard.press("ArrowRight")
        assert page.page.get_by_role("tab", selected=True).inner_text().startswith("Exceptions")


def test_columns_are_chosen_and_stay_chosen(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        heads = page.page.locator("#panel thead th")
        page.until(lambda: heads.count() == 13)
        page.page.get_by_text("Columns", exact=True).click()
        page.page.get_by_label("99%ile (ms)").uncheck()
        page.page.get_by_label("Failures/s", exact=True).check()
        page.page.keyboard.press("Escape")
        page.page.reload()
        page.until(lambda: heads.count() == 13)
        shown = heads.all_inner_texts()
        assert "99%ile (ms)" not in shown and "Failures/s" in shown and "95%ile (ms)" in shown


def test_the_log_is_narrowed_by_level_and_words(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop, "logs") as page:
        lines = page.page.locator("#panel .line")
        page.until(lambda: lines.count() > 2)
        page.page.get_by_label("Level").select_option("WARNING")
        assert all("INFO" not in line for line in lines.all_inner_texts())
        page.page.get_by_label("Filter the log").fill("of the locustfile")
        assert lines.count() == 1
        page.page.get_by_label("Filter the log").fill("of the moon")
        assert "No line is like that." in page.page.locator("#panel").inner_text()


def test_the_page_is_small(shop: Served) -> None:
    """All that a browser loads for it, as it would come compressed."""
    index = shop.ask().decode()
    wanted = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', index)
    assert len(wanted) >= 3
    compressed = [len(gzip.compress(file)) for file in (index.encode(), *(shop.ask(path) for path in wanted))]
    assert sum(compressed) < BUNDLE_BYTES


MANY = """
import random
from locust import User, constant, events, task

class Visitor(User):
    wait_time = constant(0.2)

    @task
    def visit(self):
        for n in range(1000):
            self.environment.events.request.fire(request_type=["GET", "POST"][n % 2], name=f"/v2/items/{n:04d}",
                response_time=random.lognormvariate(3 + n % 5, 0.6), response_length=1000 + n, exception=None, context={})
"""


def test_a_thousand_entries_are_sorted_filtered_and_scrolled_through(browser: Any, tmp_path: Path) -> None:
    with (
        served(tmp_path, MANY, "-u", "1", "--autostart") as locust,
        watched(browser, locust.url, viewport=DESKTOP) as page,
    ):
        table = page.page.locator("#panel table")
        page.until(lambda: table.get_attribute("aria-rowcount") == "1002")
        assert page.names()[0] == "/v2/items/0000"
        assert 10 < len(page.names()) < 80, "only what is in sight is drawn"
        keep(page.page, "page-many")
        page.page.get_by_role("button", name="Average size").click()
        page.until(lambda: page.names()[0] == "/v2/items/0999")
        scroll = page.page.get_by_role("region", name="Statistics: table")
        scroll.evaluate("element => element.scrollTo(0, element.scrollHeight)")
        page.until(lambda: page.names()[-1] == "/v2/items/0000")
        assert page.page.locator("#panel tfoot").is_visible(), "the total stays in sight"
        page.page.get_by_label("Filter entries").fill("items 99 -998 GET")
        page.until(lambda: page.page.get_by_role("status").get_by_text("4 of 1000 shown").count() == 1)
        assert problems(page.page, "{rules: {'color-contrast': {enabled: false}}}") == []


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
    with served(tmp_path, SHOP, "-H", target.url, "-u", "2", "--autostart", port=port) as locust:
        with watched(browser, locust.url) as page:
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
