"""What Locust's reports carry for scripts that read them, `window.templateArgs`, is in ours: same keys, types and rows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .harness import Pair, Run, same

TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
READER = re.compile(r"^\s*window\.templateArgs = (\{.*\})\s*$", re.MULTILINE)
"""As readers in the wild do it."""


def template_args(page: str) -> dict[str, Any]:
    found = READER.findall(page)
    assert len(found) == 1
    assert not re.search("[<>&']", found[0]), "it could end the script it stands in"
    args = json.loads(found[0])
    assert json.dumps(args, sort_keys=True) == re.sub(
        r"\\u00(3c|3e|26|27)", lambda code: chr(int(code[1], 16)), found[0]
    )
    return args


def the_same_args(pair: Pair, reports: tuple[Path, Path]) -> dict[str, Any]:
    """Both have the same keys and types, and rows of the same names; ours, to compare more of it."""
    ours, theirs = (template_args(path.read_text(encoding="utf-8")) for path in reports)
    same("types", shape_of(theirs), shape_of(ours))
    for rows in ("requests_statistics", "response_time_statistics", "failures_statistics"):
        same(rows, *([(row["method"], row["name"]) for row in args[rows]] for args in (theirs, ours)))
    return ours


def shape_of(value: Any, key: str = "") -> Any:
    """Keys and types. Rates are whole where nothing was counted yet, and of a list the first element stands for all."""
    match value:
        case dict():
            return {name: shape_of(item, name) for name, item in sorted(value.items())}
        case list():
            return [shape_of(item, key) for item in (value[:1] if key == "history" else value)]
        case bool() | None:
            return value
        case int() | float() if "current" in key or "time" in key or "ratio" in key:
            return "number"
        case str():
            return "time" if TIMES.fullmatch(value) else "text"
    return type(value).__name__


BY_HAND = """
import json, sys
import locust, locust.html, locust.stats
from locust import TaskSet, User, task
from locust.env import Environment
from locust.html import get_html_report

class Shopper(User):
    host = "http://one.example"
    @task(3)
    def browse(self): pass
    @task
    class Pay(TaskSet):
        @task
        def card(self): pass
        @task(2)
        def cash(self): pass

class Admin(User):
    host = sys.argv[1]
    @task
    def look(self): pass

environment = Environment(user_classes=[Shopper, Admin], locustfile=sys.argv[2] or None, profile=sys.argv[3] or None)
runner = environment.create_local_runner()
open("empty.html", "w").write(get_html_report(environment))

stats = environment.stats
for time in (10, 20, 30, 40): stats.log_request("GET", "/<a>&'\\"\\u00e9", time, 100)
stats.log_request("POST", "/b", 7, 0)
stats.log_error("POST", "/b", ValueError("</script><!--"))
stats.log_error("POST", "/b", "text")
stats.log_request("GET", "/timeless", None, 5)
runner.log_exception("local", "it's <broken>", "  File x\\n    line\\n")
runner.log_exception("worker-1", "it's <broken>", "  File x\\n    line\\n")
locust.stats.update_stats_history(runner, "2000-01-01T00:00:00Z")
locust.html.PERCENTILES_FOR_HTML_REPORT.append(0.999)
open("full.html", "w").write(get_html_report(environment, show_download_link=False, theme="dark"))
"""

KEPT = ("exceptions_statistics", "host", "is_report", "locustfile", "percentiles_to_chart", "profile", "tasks")


def by_hand(both: Any, *arguments: str) -> tuple[Pair, dict[str, Any]]:
    pair = both.script(BY_HAND, lambda side: arguments)
    assert (pair.ours.exit_code, pair.theirs.exit_code) == (0, 0), pair.ours.stderr
    empty = the_same_args(pair, (pair.ours.folder / "empty.html", pair.theirs.folder / "empty.html"))
    assert empty["show_download_link"] is True and empty["history"] == []
    args = the_same_args(pair, (pair.ours.folder / "full.html", pair.theirs.folder / "full.html"))
    theirs = template_args((pair.theirs.folder / "full.html").read_text())
    for key in (*KEPT, "show_download_link", "response_time_statistics"):
        same(key, theirs[key], args[key])
    timeless = [
        [{k: v for k, v in row.items() if "rps" not in k and "per_sec" not in k} for row in rows]
        for rows in (theirs["requests_statistics"], args["requests_statistics"])
    ]
    same("requests_statistics", *timeless)
    same(
        "failures_statistics",
        *([{**row, "first_seen": 0, "last_seen": 0} for row in of["failures_statistics"]] for of in (theirs, args)),
    )
    same("history", *([[(*point,) for point in of["history"]] for of in (theirs, args)]))
    return pair, args


def test_a_report_of_a_script_carries_what_locusts_does(both: Any) -> None:
    pair, args = by_hand(both, "http://two.example", "", "")
    assert (args["host"], args["locustfile"], args["profile"]) == ("None", "None", None)
    assert [row["name"] for row in args["response_time_statistics"]][-1] == "Aggregated"
    assert len(args["history"]) == 2, "the last point is as late as the last request"
    for run in (pair.ours, pair.theirs):
        assert re.search(r'^\s*window\.theme = "dark"\s*$', (run.folder / "full.html").read_text(), re.MULTILINE)


def test_one_host_of_all_classes_is_the_reports(both: Any) -> None:
    _, args = by_hand(both, "http://one.example", "some/file.py", "nightly")
    assert (args["host"], args["locustfile"], args["profile"]) == ("http://one.example", "some/file.py", "nightly")


FILE = """
from pathlib import Path
from locust import HttpUser, constant, events, task

class U(HttpUser):
    wait_time = constant(0.02)

    @task
    def page(self):
        self.client.get("/json")

    @task
    def broken(self):
        self.client.get("/status/500", name="/broken")

    @task
    def raises(self):
        raise RuntimeError("a locustfile's own")

@events.quitting.add_listener
def look(**_):
    print("quitting", sorted(str(path) for path in Path().rglob("*.html")))

@events.quit.add_listener
def look_again(**_):
    print("quit", sorted(str(path) for path in Path().rglob("*.html")))
"""


def reports(run: Run) -> list[str]:
    return sorted(str(path.relative_to(run.folder)) for path in run.folder.rglob("*.html"))


def test_the_file_is_named_and_made_when_the_run_ends(both: Any) -> None:
    pair = both(FILE, "-u", "3", "-r", "1.5", "-t", "2s", "--html", "new/{u}-{r}-{t}-{x}.html", "--profile", "p")
    assert pair.ours.exit_code == pair.theirs.exit_code == 1
    same("seen by listeners", pair.theirs.printed, pair.ours.printed)
    same("files", reports(pair.theirs), reports(pair.ours))
    (name,) = reports(pair.ours)
    assert name == "new/3-1.5-2-{x}.html"
    args = the_same_args(pair, (pair.ours.folder / name, pair.theirs.folder / name))
    assert args["profile"] == "p" and args["tasks"]["per_class"]["U"]["ratio"] == 1.0
    counted = {(row["method"], row["name"]): row["num_requests"] for row in args["requests_statistics"]}
    console = {(method, name): requests for (method, name), (requests, _) in pair.ours.rows.items()}
    assert counted == console


SIGNALLED = (
    FILE
    + """
import gevent

@events.test_start.add_listener
def start(**_):
    gevent.spawn_later(1, print, "signal SIGNAL", flush=True)
"""
)


def test_ctrl_c_leaves_a_report(both: Any) -> None:
    pair = both(SIGNALLED.replace("SIGNAL", "SIGINT"), "-u", "2", "--html", "{u}-{t}.html")
    same("seen by listeners", pair.theirs.printed, pair.ours.printed)
    same("files", reports(pair.theirs), reports(pair.ours))
    assert reports(pair.ours) == ["2-{t}.html"]
    args = the_same_args(pair, (pair.ours.folder / "2-{t}.html", pair.theirs.folder / "2-{t}.html"))
    assert args["requests_statistics"][-1]["num_requests"] == pair.ours.rows["", "Aggregated"][0]


def test_a_terminated_run_leaves_none(both: Any) -> None:
    pair = both(SIGNALLED.replace("SIGNAL", "SIGTERM"), "-u", "2", "--html", "report.html")
    same("files", reports(pair.theirs), reports(pair.ours))
    assert reports(pair.ours) == []


TEMPLATES = """
import json, sys
from types import SimpleNamespace
from locust import html

for case in json.loads(sys.argv[1]):
    options = SimpleNamespace(html_file=case[0], num_users=case[1], spawn_rate=case[2], run_time=case[3])
    html.process_html_filename(options)
    print(options.html_file)

open("page.txt", "w").write("{{ greeting }}, {{ name }}")
print(html.render_template_from("page.txt", ".", greeting="Hello", name="x"))
page = html.render_template_from("report.html", template_args={"b": "<é>", "a": 1}, theme="light")
print([line.strip() for line in page.splitlines() if "window.templateArgs = " in line or "window.theme = " in line])
print(html.PERCENTILES_FOR_HTML_REPORT, type(html.DEFAULT_BUILD_PATH).__name__)
"""

NAMES = [
    ["{u}{u}-{r}-{t}", 10, 2.0, 90],
    ["{u}-{r}-{t}.html", 1, 0.25, None],
    ["{r}.{z}", None, None, 1.5],
    ["a/b.html", 1, 1, 1],
]


def test_names_of_files_and_templates_of_ones_own(both: Any) -> None:
    pytest.importorskip("jinja2", reason="templates of one's own are rendered by Jinja2")
    pair = both.script(TEMPLATES, lambda side: [json.dumps(NAMES)])
    same("pages and names", pair.theirs.printed, pair.ours.printed)
    assert pair.ours.printed[: len(NAMES)] == ["1010-2-90", "1-0.25-{t}.html", "{r}.{z}", "a/b.html"]


def test_a_report_that_cannot_be_written_is_told_and_fails_the_run(both: Any) -> None:
    run = both.alone(FILE, "-t", "1s", "--html", "locustfile.py/report.html", "--exit-code-on-error", "0")
    assert run.exit_code == 1
    assert [line for line in run.said if "`--html`" in line and "locustfile.py/report.html" in line]
