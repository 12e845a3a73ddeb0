"""What is said of a moment of a run, and where it is found afterwards."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCUSTFILE = """
from locust import HttpUser, constant, events, task

@events.test_start.add_listener
def begun(environment, **_):
    environment.annotate("from\\na listener of <test_start>")

class Visitor(HttpUser):
    wait_time = constant(0.05)
    count = 0

    @task
    def visit(self):
        self.client.get("/json")
        Visitor.count += 1
        if Visitor.count == 20:
            self.environment.annotate("deploy v2")
"""


def _ended(folder: Path, url: str, locustfile: str) -> subprocess.CompletedProcess[str]:
    (folder / "locustfile.py").write_text(locustfile)
    options = ["--headless", "-H", url, "-u", "2", "-r", "2", "-t", "3s", "--only-summary"]
    files = ["--csv", "out", "--html", "report.html", "--json-file", "out"]
    command = [sys.executable, "-m", "locust", *options, *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_an_annotation_is_in_the_report_and_in_the_files(tmp_path: Path, target: Any) -> None:
    ended = _ended(tmp_path, target.url, LOCUSTFILE)
    assert ended.returncode == 0, ended.stderr
    assert "Annotation: deploy v2" in ended.stderr
    with (tmp_path / "out_annotations.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["Timestamp", "User Count", "Annotation"]
    texts = ["from a listener of <test_start>", "deploy v2"]
    assert [row[2] for row in rows] == texts
    assert [int(row[1]) for row in rows] == [0, 2]

    page = (tmp_path / "report.html").read_text()
    found = re.search(r"^window\.gregaria = (.*)$", page, re.MULTILINE)
    assert found
    run = json.loads(found[1])
    assert [said["text"] for said in run["annotations"]] == texts
    start, last = run["timeline"]["start"], run["timeline"]["ends_s"][-1]
    assert all(start - 0.1 <= said["time"] <= start + last for said in run["annotations"])
    assert max(run["timeline"]["target_users"]) == 2

    entries = json.loads((tmp_path / "out.json").read_text())
    assert [said["text"] for said in entries[0]["annotations"]] == texts
    assert entries[0]["slices"]["requests"]


def test_a_run_without_one_has_no_file_and_none_of_an_earlier_run(tmp_path: Path, target: Any) -> None:
    (tmp_path / "out_annotations.csv").write_text("of yesterday")
    ended = _ended(tmp_path, target.url, "from locust import *\nclass V(HttpUser):\n @task\n def t(self): pass\n")
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "out_annotations.csv").exists()
    assert (tmp_path / "out_stats.csv").exists()
    assert "annotations" not in json.dumps(json.loads((tmp_path / "out.json").read_text()))


def test_what_is_no_annotation_is_refused_in_a_sentence(python_script: Any) -> None:
    run = python_script(
        """
        import json
        from locust.env import Environment
        environment, refused = Environment(), []
        for text in [7, None, "", " \\n ", "x" * 501, "fine \\0 text"]:
            try:
                environment.annotate(text)
            except ValueError as error:
                refused.append(str(error))
        kept = [said["text"] for said in json.loads(environment.stats.table.annotations())]
        print(json.dumps([refused, kept]))
        """
    )
    refused, kept = run.last_line
    assert len(refused) == 5
    assert "of int" in refused[0] and "empty" in refused[2] and "501" in refused[4]
    assert kept == ["fine text"]
