"""The web page of a real `locust` process in a real browser: what it shows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browsers import DESKTOP, LOOKS, PHONE, ROOT, keep, problems, sticks_out
from web_pages import SHOP, Served, served, watched

BUNDLE_BYTES = 150_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, target_server: Any) -> Iterator[Served]:
    """A process with a test that runs, for all who only look."""
    folder = tmp_path_factory.mktemp("shop")
    options = ["-H", target_server.url, "-u", "4", "-r", "100", "--autostart", "--csv", "out", "--csv-full-history"]
    with served(folder, SHOP, *options) as started:
        yield started


def shop_page(browser: Any, shop: Served, tab: str = "stats", **settings: Any) -> Any:
    return watched(browser, f"{shop.url}?tab={tab}", **settings)


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
        page.page.locator(".line.warning", has_text="a <i>warning</i>").first.wait_for()
        assert page.page.locator("#panel img, #panel b, #panel i").count() == 0


def test_the_time_goes_on_while_a_test_runs(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        page.until(lambda: page.fact("Running for") != "")
        shown = page.fact("Running for")
        page.until(lambda: page.fact("Running for") != shown)


def test_the_address_says_which_tab_is_open(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        page.tab("Failures")
        page.until(lambda: "/broken" in page.names())
        assert page.page.url.endswith("?tab=failures")
        page.tab("Current Ratio")
        page.page.locator(".ratio", has_text="Shopper").first.wait_for()
        page.page.go_back()
        page.shows("Failures")
        page.page.reload()
        page.until(lambda: "/broken" in page.names())


def test_the_name_of_an_entry_leads_to_its_charts(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        page.page.get_by_role("link", name="/products").click()
        page.page.get_by_text("GET /products, against all requests").wait_for()
        assert page.page.url.endswith("?tab=charts&method=GET&name=%2Fproducts")
        page.page.go_back()
        page.until(lambda: "/products" in page.names())


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
        page.shows("Failures")
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
        page.shows("Exceptions")


def test_columns_are_chosen_and_stay_chosen(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop) as page:
        heads = page.page.locator("#panel thead th")
        page.until(lambda: heads.count() == 13)
        page.page.get_by_text("Columns", exact=True).click()
        page.page.get_by_label("99%ile (ms)").uncheck()
        page.page.get_by_label("90%ile (ms)").check()
        page.page.keyboard.press("Escape")
        page.page.reload()
        page.until(lambda: heads.count() == 13)
        shown = heads.all_inner_texts()
        assert "99%ile (ms)" not in shown
        assert shown.index("90%ile (ms)") + 1 == shown.index("95%ile (ms)")
        page.until(
            lambda: all(float(row[5].replace(",", "")) <= float(row[6].replace(",", "")) for row in page.cells())
        )


def test_the_log_is_narrowed_by_level_and_words(browser: Any, shop: Served) -> None:
    with shop_page(browser, shop, "logs") as page:
        lines = page.page.locator("#panel .line")
        page.until(lambda: lines.count() > 2)
        page.page.get_by_label("Level").select_option("WARNING")
        assert all("INFO" not in line for line in lines.all_inner_texts())
        page.page.get_by_label("Filter the log").fill("of the locustfile")
        shown = lines.all_inner_texts()
        assert shown and all("a <i>warning</i> of the locustfile" in line for line in shown)
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
            took = random.lognormvariate(3 + n % 5, 0.6)
            self.environment.events.request.fire(request_type=["GET", "POST"][n % 2], name=f"/v2/items/{n:04d}",
                response_time=took, response_length=1000 + n, exception=None, context={})
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


def test_a_tab_of_the_locustfiles_own_is_shown(browser: Any, tmp_path: Path, target: Any) -> None:
    pytest.importorskip("flask")
    code = (ROOT / "locustfiles" / "web" / "own_tab.py").read_text(encoding="utf-8")
    with (
        served(tmp_path, code, "-H", target.url, "-u", "2", "--autostart") as locust,
        watched(browser, f"{locust.url}sizes") as page,
    ):
        page.tab("Sizes")
        page.until(lambda: page.cells() == [["large", "10000", "10000"], ["small", "100", "100"]])
        page.button("Largest (bytes)").click()
        page.button("Largest (bytes)").click()
        page.until(lambda: [row[0] for row in page.cells()] == ["small", "large"])
        assert problems(page.page) == []
        keep(page.page, "page-own-tab")
        page.tab("Download Data")
        with page.page.expect_download() as download:
            page.page.get_by_role("link", name="Download sizes CSV").click()
        assert Path(download.value.path()).read_text(encoding="utf-8").startswith("name,largest,mean")


def test_a_worker_that_is_lost_is_shown_as_lost(browser: Any, shop: Served) -> None:
    """With a stream of our own: what a master would send, as this process is none."""
    state = {"state": "running", "host": None, "locustfile": "shop.py", "user_count": 20, "target_user_count": 20}
    more = {
        "spawn_rate": 1,
        "user_classes": {},
        "worker_count": 1,
        "is_distributed": True,
        "run": 1,
        "iterations": None,
    }
    rest = {
        "started": 1,
        "ended": None,
        "run_time_s": None,
        "profile": None,
        "shape": None,
        "seed": None,
        "version": "",
    }
    worker = {"user_count": 10, "cpu_usage": 97.2, "memory_usage": 61_865_984, "index": 0, "is_ours": False}
    worker |= {"requests": 7, "failures": 1, "rps": 3.5}
    worker |= dict.fromkeys(["last_report", "busy_s", "lag_ms", "clock"])
    unknown = {"cpu_usage": 0.0, "memory_usage": 0}
    workers = [
        {"id": "b_<2>", "state": "running", **worker},
        {"id": "a_1", "state": "missing", **worker, "index": 1},
        {"id": "c_3", "state": "ready", **worker, **unknown, "index": 2},
    ]
    sent = {"state": {**state, **more, **rest}, "workers": {"workers": workers}}
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in sent.items())
    with shop_page(browser, shop, "workers") as page:
        page.page.route("**/stream", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
        page.page.reload()
        page.until(lambda: page.fact("Workers") == "1")
        assert page.page.get_by_role("tab", selected=True).inner_text() == "Workers"
        assert page.cells() == [
            ["b_<2>", "running", "10", "7", "1", "3.5", "97 %", "61.9 MB", "\u2013", "\u2013"],
            ["a_1", "missing", "10", "7", "1", *["\u2013"] * 5],
            ["c_3", "ready", "10", "7", "1", "3.5", *["\u2013"] * 4],
        ]
        assert page.page.locator("td .state.missing").count() == 1
        assert problems(page.page) == []
        keep(page.page, "page-workers")
