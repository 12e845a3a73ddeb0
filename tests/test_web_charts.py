"""The charts tab in Chromium: on a server that says what the test tells it to, and on a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from browsers import LOOKS, PHONE, keep, problems, sticks_out
from conftest import eventually
from fake_page_server import START, FakePage, FakeRun, rows, state, total
from web_pages import served, watched

WIDE = {"width": 1400, "height": 1000}
HOUR = 3600


@pytest.fixture
def opened(browser: Any, fake_server: FakePage) -> Callable[..., Any]:
    """Open the charts: `with opened(color_scheme="dark") as page`. What the browser complains of fails the test."""

    @contextmanager
    def open_(**settings: Any) -> Iterator[Any]:
        context = browser.new_context(**{"viewport": WIDE, **settings})
        try:
            page = context.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(fake_server.url + "?tab=charts")
            page.wait_for_selector(".board canvas")
            yield page
            assert not complaints
        finally:
            context.close()

    return open_


ANNOTATIONS = [
    {"time": START + 60, "text": "deploy v2", "run": 2, "users": 60},
    {"time": START + 90, "text": "<img src=x onerror=alert(1)>", "run": 2, "users": 90},
    {"time": START - 900, "text": "in the run before", "run": 1, "users": 5},
]
CHECKS = [
    {"entry": None, "condition": "p95 < 100ms", "shown": "88ms", "passed": True, "remark": ""},
    {"entry": "GET /entry/0007", "condition": "fail_ratio < 1%", "shown": "1.2%", "passed": False, "remark": ""},
]
WORDS = [{"rule": "knee", "weight": "note", "text": "The target took about `900` requests per second."}]
ENTRY = "method=GET&name=%2Fentry%2F0007"


def _tell(fake_server: FakePage, seconds: int = 120, **more: Any) -> FakeRun:
    """A run of two minutes with one before it, and everything that is known of it."""
    before, run = FakeRun(1, "baseline", START - 1000, limit=700), FakeRun(2, "nightly", START)
    for second in range(100):
        before.advance(1, min(80, second), 80)
    for second in range(seconds):
        run.advance(1, min(120, second), 120, saturated=90 <= second < 100)
    fake_server.say("state", state(run, 120, 120, **more))
    fake_server.say("stats", {"run": 2, "whole": True, "rows": rows(40), "total": total(40)})
    fake_server.say("timeline", run.whole())
    fake_server.say("runs", {"runs": [before.summary(), run.summary(is_over=False)]})
    fake_server.say("knee", run.knee())
    fake_server.say("checks", {"checks": CHECKS, "words": WORDS})
    fake_server.say("annotations", {"annotations": ANNOTATIONS})
    fake_server.answers["/timeline?run=1"] = before.whole()
    fake_server.answers[f"/timeline?run=2&{ENTRY}"] = run.entry()
    fake_server.answers[f"/timeline?run=1&{ENTRY}"] = before.entry()
    return run


def _figure(page: Any, title: str) -> Any:
    return page.locator(".board figure").filter(has=page.get_by_role("heading", name=title, exact=True))


def _chips(page: Any, title: str) -> list[str]:
    return [str(text) for text in _figure(page, title).locator(".chip").all_inner_texts()]


def test_a_run_is_shown_and_its_next_second_is_added(fake_server: FakePage, opened: Callable[..., Any]) -> None:
    run = _tell(fake_server)
    with opened() as page:
        assert page.locator(".board h3").all_inner_texts() == [
            "Requests per second",
            "Users",
            "Response times",
            "Generator lag",
        ]
        assert "Users\n119" in _chips(page, "Users")
        run.advance(1, 77, 120)
        fake_server.say("timeline", run.news(), whole=run.whole())
        eventually(lambda: "Users\n77" in _chips(page, "Users"))
        assert page.get_by_role("heading", name="Against concurrency").is_visible()
        assert "The knee is at 90 users" in page.locator("#concurrency").inner_text()
        assert page.get_by_text("✕ broken").is_visible() and page.get_by_text("✓ held").is_visible()
        assert page.locator(".phase-bars dt").count() == 11
        said = page.get_by_role("list", name="Annotations").locator("li")
        assert said.count() == 2 and "<img src=x onerror=alert(1)>" in said.nth(1).inner_text()


def test_all_charts_share_a_cursor_and_a_zoom(fake_server: FakePage, opened: Callable[..., Any]) -> None:
    _tell(fake_server)
    with opened() as page:
        place = _figure(page, "Requests per second").locator(".u-over").bounding_box()
        at = [place["x"] + place["width"] * share for share in (0.25, 0.5, 0.79)]
        middle = place["y"] + place["height"] / 2
        page.mouse.move(at[1], middle)
        assert "Users\n59" in _chips(page, "Users")
        assert "1 min in: “deploy v2”" in page.locator(".when").first.inner_text()
        page.mouse.move(at[2], middle)
        assert "generator saturated" in page.locator(".when").first.inner_text()
        back = page.get_by_role("button", name="Reset zoom")
        assert back.is_hidden()
        page.mouse.move(at[0], middle)
        page.mouse.down()
        page.mouse.move(at[1], middle, steps=5)
        page.mouse.up()
        back.wait_for()
        users = _figure(page, "Users").locator(".u-over").bounding_box()
        page.mouse.move(users["x"] + users["width"] * 0.99, middle)
        assert any(chip in _chips(page, "Users") for chip in ("Users\n58", "Users\n59"))
        back.click()
        page.mouse.move(users["x"] + users["width"] * 0.99, users["y"] + 20)
        assert "Users\n118" in _chips(page, "Users")
        assert back.is_hidden()


def test_an_entry_is_found_by_its_name_and_shown_against_all(fake_server: FakePage, opened: Callable[..., Any]) -> None:
    _tell(fake_server)
    with opened() as page:
        picker = page.get_by_role("combobox", name="Entry to show")
        picker.fill("0007")
        assert page.get_by_role("option").all_inner_texts() == ["GET /entry/0007"]
        picker.press("Enter")
        eventually(lambda: any(chip.startswith("Requests of all\n") for chip in _chips(page, "Requests per second")))
        assert any(chip.startswith("95th percentile of all\n") for chip in _chips(page, "Response times"))
        assert page.get_by_text("GET /entry/0007, against all requests").is_visible()
        assert page.locator(".phase-bars dt").all_inner_texts() == ["GET /entry/0007", "All requests"]
        page.get_by_role("button", name="Show all requests").click()
        eventually(lambda: len(_chips(page, "Requests per second")) == 2)


def test_runs_are_laid_over_each_other_or_shown_one_after_another(
    fake_server: FakePage, opened: Callable[..., Any]
) -> None:
    _tell(fake_server)
    with opened() as page:
        page.get_by_text("Compare runs").click()
        page.get_by_role("checkbox", name="Run 1 · baseline").check()
        eventually(lambda: len(_chips(page, "Users")) == 2)
        names = [chip.split(" · ")[:2] for chip in _chips(page, "Users")]
        assert names == [["Run 1", "baseline"], ["Run 2", "nightly"]]
        assert page.locator(".target-knob").is_hidden(), "the load is not changed among runs that are over"
        place = _figure(page, "Users").locator(".u-over").bounding_box()
        page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 20)
        assert "1:00 after the start" in page.locator(".when").first.inner_text()
        page.get_by_label("one after another").check()
        page.mouse.move(place["x"] + 2, place["y"] + 20)
        eventually(lambda: "after the start" not in page.locator(".when").first.inner_text())
        page.get_by_role("checkbox", name="Run 1 · baseline").uncheck()
        eventually(lambda: len(_chips(page, "Users")) == 2 and "Asked for" in _chips(page, "Users")[1])


def test_a_limit_of_the_generator_is_said_in_a_sentence(fake_server: FakePage, opened: Callable[..., Any]) -> None:
    run = _tell(fake_server)
    with opened() as page:
        assert page.locator(".limit").count() == 0
        run.advance(1, 120, 120, saturated=True)
        fake_server.say("timeline", run.news(), whole=run.whole())
        page.get_by_text("The generator is the limit right now").wait_for()


def test_a_chart_is_a_picture(fake_server: FakePage, opened: Callable[..., Any], tmp_path: Path) -> None:
    _tell(fake_server)
    with opened() as page:
        with page.expect_download() as download:
            page.get_by_role("button", name="PNG: download the chart “Response times”").click()
        assert download.value.suggested_filename == "response-times.png"
        download.value.save_as(tmp_path / "chart.png")
        picture = (tmp_path / "chart.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and int.from_bytes(picture[16:20]) > 1000


def test_the_load_is_changed_by_dragging_once_it_is_confirmed(
    fake_server: FakePage, opened: Callable[..., Any]
) -> None:
    _tell(fake_server)
    with opened() as page:
        knob = page.get_by_role("slider", name="Users to run")
        at = knob.bounding_box()
        page.mouse.move(at["x"] + 13, at["y"] + 13)
        page.mouse.down()
        page.mouse.move(at["x"] + 13, at["y"] - 20, steps=4)
        wanted = int(knob.get_attribute("aria-valuenow"))
        assert wanted > 130 and f"{wanted} users instead of 120, 10 per second" in page.locator(".target").inner_text()
        page.mouse.up()
        assert not fake_server.posted, "nothing is asked for before it is confirmed"
        page.get_by_role("button", name=f"Run {wanted} users").click()
        eventually(lambda: fake_server.posted)
        path, form = fake_server.posted[0]
        assert (path, form["user_count"], form["spawn_rate"]) == ("/swarm", str(wanted), "10")
        eventually(lambda: page.locator(".target-box").is_hidden())


def test_the_load_is_changed_with_the_keys_and_a_refusal_is_told(
    fake_server: FakePage, opened: Callable[..., Any]
) -> None:
    _tell(fake_server)
    fake_server.refusal = "Not now"
    with opened() as page:
        knob = page.get_by_role("slider", name="Users to run")
        knob.focus()
        for key in ("PageUp", "PageUp", "ArrowDown"):
            page.keyboard.press(key)
        assert "139 users instead of 120" in (knob.get_attribute("aria-valuetext") or "")
        page.keyboard.press("Enter")
        page.locator(".target-box").get_by_text("Not now").wait_for()
        assert fake_server.posted[0][1]["user_count"] == "139"
        page.keyboard.press("Escape")
        assert page.locator(".target-box").is_hidden() and knob.get_attribute("aria-valuenow") == "120"
        fake_server.say("state", state(None, 3, 3, shape="Stages"))
        eventually(lambda: knob.is_hidden())


def test_an_annotation_is_posted(fake_server: FakePage, opened: Callable[..., Any]) -> None:
    _tell(fake_server)
    with opened() as page:
        page.get_by_label("What happens now").fill("deploy v3")
        page.get_by_role("button", name="Annotate").click()
        eventually(lambda: ("/annotate", {"text": "deploy v3"}) in fake_server.posted)
        eventually(lambda: page.get_by_label("What happens now").input_value() == "")


@pytest.mark.parametrize(("theme", "viewport"), LOOKS)
def test_nothing_is_in_anybodys_way(
    fake_server: FakePage, opened: Callable[..., Any], theme: str, viewport: dict[str, int]
) -> None:
    """axe finds nothing, with the box open that asks whether to change the load, either."""
    _tell(fake_server)
    with opened(color_scheme=theme, viewport=viewport) as page:
        page.get_by_role("slider", name="Users to run").press("PageUp")
        assert problems(page) == []
        assert not sticks_out(page)
        keep(page, f"charts-{theme}-{'phone' if viewport is PHONE else 'desktop'}")


def test_eight_hours_of_a_thousand_entries_leave_the_page_as_it_was(
    fake_server: FakePage, opened: Callable[..., Any], record_property: Callable[[str, object], None]
) -> None:
    """Chromium's own figures: the heap after a collection does not grow, and no update holds the page up."""
    run = FakeRun(1, start=START)
    fake_server.say("state", state(run, 100, 100))
    with opened_at_once(opened, fake_server, run) as page:
        watched = page.context.new_cdp_session(page)
        watched.send("Performance.enable", {"timeDomain": "threadTicks"})  # of this thread alone, whoever else is busy
        page.evaluate(_WATCH_LONG_TASKS)
        heaps: list[float] = []
        each: list[float] = []
        while run.seconds < 8 * HOUR:
            if len(run.columns["ends_s"]) >= 300:
                run.halve()
            place, before = len(each), _metric(watched, "TaskDuration")
            run.advance(48, 100 + place % 7, 110, saturated=place % 50 == 0)
            fake_server.say("stats", {"run": 1, "whole": False, "rows": rows(1000, place), "total": total(1000, place)})
            fake_server.say("knee", run.knee())
            fake_server.say("timeline", run.news(), whole=run.whole())
            page.evaluate(_UNTIL_IT_IS_PAINTED, str(100 + place % 7))
            each.append(1000 * (_metric(watched, "TaskDuration") - before))
            if len(each) % 100 == 0:
                watched.send("HeapProfiler.collectGarbage")
                heaps.append(_metric(watched, "JSHeapUsedSize") / 1e6)
        each.sort()
        figures = {
            "updates": len(each),
            "median_ms": round(each[len(each) // 2], 1),
            "p99_ms": round(each[len(each) * 99 // 100], 1),
            "heaps_mb": [round(heap, 1) for heap in heaps],
            "long_tasks_ms": page.evaluate("window.longTasks"),
        }
        record_property("figures", figures)
        print(figures)
        assert heaps[-1] < heaps[1] + 2, heaps
        assert page.evaluate("document.querySelectorAll('*').length") < 1500


_UNTIL_IT_IS_PAINTED = """users => new Promise((painted) => {
    const shown = document.querySelectorAll(".board figure")[1].querySelector(".chip b");
    const look = () => shown.textContent === users ? requestAnimationFrame(painted) : requestAnimationFrame(look);
    look();
})"""

_WATCH_LONG_TASKS = """() => {
    window.longTasks = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.longTasks.push(Math.round(entry.duration));
    }).observe({ type: "longtask" });
}"""


@contextmanager
def opened_at_once(opened: Callable[..., Any], fake_server: FakePage, run: FakeRun) -> Iterator[Any]:
    """With the first two intervals, so that there are charts to wait for."""
    for _ in range(2):
        run.advance(48, 100, 100)
    fake_server.say("timeline", run.news(), whole=run.whole())
    with opened() as page:
        yield page


def _metric(watched: Any, name: str) -> float:
    metrics = watched.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == name))


REAL = """
from locust import HttpUser, constant, task

class Shopper(HttpUser):
    wait_time = constant(0.05)

    @task
    def products(self):
        self.client.get("/delay?ms=2", name="/products")

    @task
    def cart(self):
        self.client.get("/json", name="/cart")
"""


def test_two_runs_of_a_real_server(browser: Any, tmp_path: Path, target: Any) -> None:
    """The first is annotated and its load changed from the page; the second is compared with it."""
    options = ["-H", target.url, "--check", "fail_ratio < 1%", "--csv", "out"]
    with served(tmp_path, REAL, *options) as locust, watched(browser, f"{locust.url}?tab=charts") as page:
        page.start(users=2)
        page.state("Running")
        page.until(lambda: "Users\n2" in _chips(page.page, "Users"))
        page.page.get_by_label("What happens now").fill("deploy <v2>")
        page.button("Annotate").click()
        page.page.get_by_role("list", name="Annotations").get_by_text("deploy <v2>").wait_for()
        knob = page.page.get_by_role("slider", name="Users to run")
        for key in ("ArrowUp", "ArrowUp", "ArrowUp", "Enter"):
            knob.press(key)
        page.until(lambda: "Users\n5" in _chips(page.page, "Users"))
        page.page.get_by_text("✓ held").wait_for()
        page.page.get_by_role("combobox", name="Entry to show").fill("cart")
        page.page.keyboard.press("Enter")
        page.page.get_by_text("GET /cart, against all requests").wait_for()
        page.until(lambda: not _chips(page.page, "Requests per second")[0].endswith("\n"))
        page.button("Stop").click()
        page.state("Stopped")

        page.button("New").click()
        page.start(users=3)
        page.state("Running")
        page.until(lambda: "Users\n3" in _chips(page.page, "Users"))
        page.page.get_by_text("Compare runs").click()
        page.page.get_by_role("checkbox", name="Run 1").check()
        page.page.get_by_text("GET /cart, run by run").wait_for()
        page.until(lambda: [chip.split(" · ")[0] for chip in _chips(page.page, "Users")] == ["Run 1", "Run 2"])

        runs = json.loads(locust.ask("runs"))["runs"]
        assert [(run["run"], run["users"]) for run in runs] == [(1, 5), (2, 3)]
        first = json.loads(locust.ask("timeline?run=1"))["timeline"]
        assert sum(first["total"]["requests"]) == runs[0]["requests"] > 0
        entry = json.loads(locust.ask("timeline?run=1&method=GET&name=/cart"))
        assert 0 < sum(entry["requests"]) < runs[0]["requests"]
        assert locust.ask("stats/report").count(b"deploy") == 0, "a report is of the present test"
        assert page.complaints == []
        keep(page.page, "charts-real")
