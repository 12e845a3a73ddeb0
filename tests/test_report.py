"""The HTML report in a real browser: Chromium, with the network off."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from browsers import DESKTOP, LOOKS, PHONE, keep, problems, sticks_out

ORDINARY_BYTES = 400_000


class Opened:
    """A report in the browser, and what the browser complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked_for: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked_for.append(request.url))

    def shown(self, table: str) -> list[str]:
        """The names in a table, as far as its filter lets them through."""
        rows = self.page.locator(f"#{table} tbody tr:visible td.name")
        return [str(name) for name in rows.all_inner_texts()]

    def head(self, table: str, title: str) -> Any:
        return self.page.locator(f"#{table} thead").get_by_role("button", name=title, exact=True)


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a report: `with opened(path, color_scheme="dark") as report`. What it complains of fails the test."""

    @contextmanager
    def open_(path: Path, **settings: Any) -> Iterator[Opened]:
        context = browser.new_context(**{"offline": True, "viewport": DESKTOP, **settings})
        try:
            report = Opened(context.new_page())
            report.page.goto(path.as_uri())
            report.page.wait_for_selector("footer")
            yield report
            assert not report.complaints
            assert report.asked_for == [path.as_uri()], "a report asks for nothing"
        finally:
            context.close()

    yield open_


LOCUSTFILE = """
from locust import HttpUser, constant, events, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--tenant", default="a")
    parser.add_argument("--pin", default="", is_secret=True)
    parser.add_argument("--admin-password", default="")

@events.spawning_complete.add_listener
def all_here(**_):
    Shopper.environment_of_all.annotate("<b>all</b> are here")

@events.init.add_listener
def keep(environment, **_):
    Shopper.environment_of_all = environment

class Shopper(HttpUser):
    wait_time = constant(0.02)

    @task(5)
    def products(self):
        self.client.get("/delay?ms=5", name="/products")

    @task(3)
    def cart(self):
        self.client.get("/bimodal?fast=2&slow=40&share=0.1", name="/cart")

    @task
    def search(self):
        self.client.get("/bytes/20000", name="/search")

    @task
    def broken(self):
        self.client.get("/status/503", name="/broken")

    @task
    def markup(self):
        self.client.post("/json", name="</script><img src=x onerror=alert(1)>'&")

    @task
    def mistake(self):
        raise RuntimeError("a <b>locustfile's</b> own")
"""


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory, target_server: Any) -> Path:
    """The report of an ordinary run with five entries, failures and exceptions, whose users grow."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    target_server.reset()
    command = [sys.executable, "-m", "locust", "--headless", "-H", target_server.url, "-u", "12", "-r", "2", "-t", "8s"]
    own = ["--tenant", "b", "--pin", "SECRET-1", "--admin-password", "SECRET-2"]
    options = [*own, "--html", "report.html", "--csv", "out", "--seed", "7", "--profile", "nightly", "--only-summary"]
    ended = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1, ended.stderr
    return folder / "report.html"


MANY = """
import random, sys
from locust import User, task
from locust.env import Environment
from locust.html import get_html_report
from locust.stats import update_stats_history

class Visitor(User):
    host = "https://shop.example"
    @task
    def visit(self): pass

environment = Environment(user_classes=[Visitor], locustfile="many.py")
environment.create_local_runner()
draw = random.Random(1)
for n in range(500):
    method, name = draw.choice(["GET", "POST", "DELETE"]), f"/v2/{draw.choice(['customers', 'invoices'])}/{n:03d}/items"
    for _ in range(draw.randrange(5, 60)):
        environment.stats.log_request(method, name, draw.lognormvariate(3 + n % 5, 0.6), 1000)
    if n % 7 == 0:
        environment.stats.log_error(method, name, f"HTTPError('503 Server Error: {name}')")
open(sys.argv[1], "w", encoding="utf-8").write(get_html_report(environment, show_download_link=False))
"""


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a script with 500 entries."""
    path = tmp_path_factory.mktemp("many") / "report.html"
    ended = subprocess.run([sys.executable, "-c", MANY, str(path)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return path


def data(report: Path, name: str) -> dict[str, Any]:
    found = re.search(rf"^window\.{name} = (.*)$", report.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def changed(report: Path, to: Path, **run: Any) -> Path:
    """The report with something else in our own data."""
    text = report.read_text(encoding="utf-8")
    line = json.dumps({**data(report, "gregaria"), **run}).replace("<", "\\u003c")
    # A function: nothing in the data is a group of the pattern.
    to.write_text(re.sub(r"(?m)^window\.gregaria = .*$", lambda _: f"window.gregaria = {line}", text), encoding="utf-8")
    return to


@pytest.mark.parametrize(("theme", "viewport"), LOOKS)
def test_nothing_is_in_anybodys_way(few: Path, opened: Any, theme: str, viewport: dict[str, int]) -> None:
    """axe finds nothing, in either theme and at either width, and nothing sticks out of the page."""
    with opened(few, color_scheme=theme, viewport=viewport) as report:
        assert problems(report.page) == []
        fits(report, "few", theme, viewport)


@pytest.mark.parametrize(("theme", "viewport"), LOOKS)
def test_nor_with_500_entries(many: Path, opened: Any, theme: str, viewport: dict[str, int]) -> None:
    with opened(many, color_scheme=theme, viewport=viewport) as report:
        if (theme, viewport) == LOOKS[0]:
            # The colours are those of the other report, and it would look at those of every cell.
            assert problems(report.page, "{rules: {'color-contrast': {enabled: false}}}") == []
        fits(report, "many", theme, viewport)


def fits(report: Opened, which: str, theme: str, viewport: dict[str, int]) -> None:
    assert not sticks_out(report.page)
    keep(report.page, f"{which}-{theme}-{'phone' if viewport is PHONE else 'desktop'}", full_page=True)


def test_an_ordinary_report_is_small(few: Path) -> None:
    assert few.stat().st_size < ORDINARY_BYTES


def test_the_summary_says_what_the_other_files_say(few: Path, opened: Any) -> None:
    total = (few.parent / "out_stats.csv").read_text().splitlines()[-1].split(",")
    with opened(few) as report:
        tiles = report.page.locator(".tile").all_inner_texts()
        assert tiles[0].splitlines()[1] == f"{int(total[2]):,}"
        assert f"{int(total[3]):,} requests" in tiles[2]
        assert report.page.title() == "nightly: load test of locustfile.py"
        assert report.page.locator(".facts").inner_text().split("\n").count("7") == 1, "the seed"


def test_what_was_said_of_a_moment_is_in_the_charts_and_below_them(few: Path, opened: Any) -> None:
    with opened(few) as report:
        said = report.page.get_by_role("list", name="Annotations").locator("li").all_inner_texts()
        assert len(said) == 1 and said[0].endswith("<b>all</b> are here")
        places = report.page.locator("#charts .u-over").first
        timeline, box = data(few, "gregaria")["timeline"], places.bounding_box()
        first, last = timeline["ends_s"][0], timeline["ends_s"][-1]
        moment = data(few, "gregaria")["annotations"][0]["time"] - timeline["start"]
        share = (moment - first) / (last - first)
        report.page.mouse.move(box["x"] + box["width"] * share, box["y"] + 20)
        assert "“<b>all</b> are here”" in report.page.locator("#charts .when").first.inner_text()


def test_options_are_shown_that_are_not_as_ever_and_no_secret_one(few: Path, opened: Any) -> None:
    assert "SECRET" not in few.read_text(encoding="utf-8")
    with opened(few) as report:
        shown = dict(line.split("\n") for line in report.page.locator("#options dl > div").all_inner_texts())
        assert {"num_users": "12", "tenant": "b", "seed": "7"}.items() <= shown.items()
        assert not {"pin", "admin_password", "logfile", "random_seed"} & shown.keys()


def test_what_a_locustfile_names_stays_text(few: Path, opened: Any) -> None:
    with opened(few) as report:
        assert "</script><img src=x onerror=alert(1)>'&" in report.shown("requests")
        assert report.page.locator("img").count() == 0
        assert report.page.locator("#exceptions td.message").all_inner_texts() == ["a <b>locustfile's</b> own"]
        report.page.locator("#exceptions summary").click()
        assert 'raise RuntimeError("a <b>' in report.page.locator("#exceptions pre").inner_text()


def test_tables_sort_both_ways_and_back(many: Path, opened: Any) -> None:
    with opened(many) as report:
        as_it_came = report.shown("requests")
        assert len(as_it_came) == 500
        head = report.head("requests", "Requests")
        orders = []
        for _ in range(3):
            head.click()
            orders.append((report.page.locator("#requests th[aria-sort]").count(), report.shown("requests")))
        rows = {row["name"]: row["num_requests"] for row in data(many, "templateArgs")["requests_statistics"]}
        (_, most_first), (_, least_first), (unsorted, back) = orders
        counts = [rows[name] for name in most_first]
        assert counts == sorted(counts, reverse=True)
        assert [rows[name] for name in least_first] == sorted(counts)
        assert (unsorted, back) == (0, as_it_came)
        assert report.page.locator("#requests tfoot td.name").inner_text() == "All requests"


def test_one_filter_narrows_all_tables(many: Path, opened: Any) -> None:
    with opened(many) as report:
        report.page.get_by_label("Filter entries").fill("GET customers 00 -007")
        names = report.shown("requests")
        assert 0 < len(names) < 50
        assert all("customers" in name and "00" in name and "007" not in name for name in names)
        assert report.shown("response-times") == names
        assert report.page.locator("#requests .count").inner_text() == f"{len(names)} of 500 shown"
        assert len(report.shown("failures")) < 72
        report.page.get_by_label("Filter entries").fill("")
        assert len(report.shown("requests")) == 500
        assert report.page.locator("#requests .count").inner_text() == ""


def test_charts_share_a_cursor_and_a_zoom(few: Path, opened: Any) -> None:
    with opened(few) as report:
        figures = report.page.locator("#charts figure")
        before = figures.nth(2).locator(".chip").all_inner_texts()
        over = figures.nth(0).locator(".u-over")
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        assert box
        middle = box["y"] + box["height"] / 2
        report.page.mouse.move(box["x"] + box["width"] * 0.5, middle)
        assert re.search(r"^\d\d:\d\d:\d\d, \d+ s in", report.page.locator(".charts-head output").inner_text())
        assert figures.nth(2).locator(".chip").all_inner_texts() != before
        reset = report.page.get_by_role("button", name="Reset zoom")
        assert not reset.is_visible()
        report.page.mouse.down()
        report.page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=5)
        report.page.mouse.up()
        assert reset.is_visible()
        reset.click()
        assert not reset.is_visible()


def test_a_line_can_be_taken_out_of_a_chart(few: Path, opened: Any) -> None:
    with opened(few) as report:
        plot = report.page.locator("#charts figure").nth(1)
        before = plot.locator("canvas").screenshot()
        plot.locator(".chip").first.click()
        assert plot.locator(".chip").first.get_attribute("aria-pressed") == "false"
        assert plot.locator("canvas").screenshot() != before


def test_saturated_intervals_are_shaded_and_named(few: Path, opened: Any, tmp_path: Path) -> None:
    timeline = data(few, "gregaria").get("timeline")
    if timeline is None:
        pytest.skip("the run has no timeline")
    ends = timeline["ends_s"]
    span = [ends[1], ends[-2]]
    path = changed(few, tmp_path / "saturated.html", timeline={**timeline, "saturated": [span]})
    kept_up = changed(few, tmp_path / "kept-up.html", timeline={**timeline, "saturated": []})
    with opened(kept_up) as plain, opened(path) as shaded:
        assert "saturated" not in plain.page.locator("#charts").inner_text()
        assert "the generator was saturated" in shaded.page.locator("#charts").inner_text()
        plots = [report.page.locator("#charts canvas").first.screenshot() for report in (plain, shaded)]
        assert plots[0] != plots[1]
        box = shaded.page.locator("#charts .u-over").first.bounding_box()
        assert box
        shaded.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
        assert shaded.page.locator(".charts-head output").inner_text().split(": ")[1].startswith("generator saturated")


def test_entries_of_the_distribution_are_chosen(many: Path, opened: Any) -> None:
    with opened(many) as report:
        chips = report.page.locator("#distribution .chip")
        assert chips.count() == 4 and chips.first.inner_text() == "All requests"
        rows = data(many, "gregaria")["distribution"]["rows"]
        last = len(rows) - 2
        report.page.locator("#distribution select").select_option(str(last))
        assert chips.count() == 5
        assert chips.last.inner_text() == f"{rows[last]['method']} {rows[last]['name']}"
        chips.first.click()
        assert chips.count() == 4


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_switched(few: Path, opened: Any, system: str) -> None:
    with opened(few, color_scheme=system) as report:
        background = "getComputedStyle(document.body).backgroundColor"
        before = report.page.evaluate(background)
        report.page.locator("button.theme").click()
        assert report.page.evaluate(background) != before
        report.page.reload()
        assert report.page.evaluate(background) != before, "the choice is kept"
        report.asked_for.pop()


def test_on_paper_it_is_light_whole_and_open(few: Path, many: Path, opened: Any, tmp_path: Path) -> None:
    with opened(many, color_scheme="dark") as report:
        report.page.emulate_media(media="print")
        assert report.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        scroll = report.page.locator("#requests .scroll")
        assert scroll.evaluate("element => element.scrollHeight <= element.clientHeight + 1")
        assert not report.page.locator(".bar-top").is_visible()
    with opened(few, color_scheme="dark") as report:
        report.page.pdf(path=tmp_path / "report.pdf", format="A4")
        assert report.page.locator("details:not([open])").count() == 0
        widths = report.page.locator("#charts canvas").evaluate_all("all => all.map(one => one.width)")
        assert all(width > 0 for width in widths)
        report.page.emulate_media(media="print")
        keep(report.page, "few-print", full_page=True)
        if folder := os.environ.get("GREGARIA_SCREENSHOTS"):
            shutil.copy(tmp_path / "report.pdf", folder)


def test_a_report_without_a_single_request_is_a_page(opened: Any, python_script: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    code = """
        import sys
        from locust.env import Environment
        from locust.html import get_html_report
        environment = Environment()
        environment.create_local_runner()
        open(sys.argv[1], "w").write(get_html_report(environment))
    """
    assert python_script(code, str(path)).exit_code == 0
    with opened(path) as report:
        assert "No request was made." in report.page.locator("#requests").inner_text()
        assert "too short for charts" in report.page.locator("#charts").inner_text()
        assert report.page.locator("a[download]").count() == 1
