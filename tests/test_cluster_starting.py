"""Fleets that cannot begin, and what `--processes` leaves to the one process that speaks for all."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Target

LOCUSTFILE = """
from locust import HttpUser, constant, runners, task

runners.CONNECT_TIMEOUT = 0.05
runners.CONNECT_RETRY_COUNT = 8


class Visitor(HttpUser):
    wait_time = constant(0.1)

    @task
    def look(self):
        self.client.get("/look")
"""


def locust(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    ended = subprocess.run(
        [sys.executable, "-m", "locust", *options],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


@pytest.mark.parametrize("option", ["--master-bind-port", "--master-port", "--web-port"])
@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none_is_an_option_that_cannot_be(tmp_path: Path, option: str, port: str) -> None:
    said = f"locust: error: argument {option}: {port} is no port, which is a number from 0 to 65535\n"
    kinds = {"--master-bind-port": [["--master"]], "--master-port": [["--worker"], ["-f", "-", "--worker"]]}
    for kind in kinds.get(option, [[]]):
        ended = locust(tmp_path, *kind, option, port)
        assert (ended.returncode, ended.stderr) == (2, said)


def test_children_that_cannot_have_a_master_are_not_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(taken.getsockname()[1])]
        ended = locust(tmp_path, "--processes", "2", "--headless", *address, "-L", "DEBUG")
        # They would have joined another test, if this were its master.
        taken.setblocking(False)
        with pytest.raises(BlockingIOError):
            taken.accept()
    assert ended.returncode == 1
    assert ended.stderr.count("was busy") == 1
    assert "Started child worker" not in ended.stderr


def test_a_key_that_is_none_is_said_once(tmp_path: Path) -> None:
    ended = locust(tmp_path, "--processes", "2", "--headless", LOCUST_CLUSTER_KEY="too short")
    assert ended.returncode == 255
    assert ended.stderr.count("Invalid --cluster-key: a cluster key has at least 16 characters") == 1
    assert len(ended.stderr.splitlines()) == 1


def test_a_host_that_is_not_known_is_said(tmp_path: Path) -> None:
    ended = locust(tmp_path, "--worker", "--master-host", "nowhere.invalid")
    assert ended.returncode == 255
    assert ended.stderr.count("The master's host `nowhere.invalid` cannot be found: ") == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_of_a_host_that_is_known_it_is_not_said(tmp_path: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        ended = locust(tmp_path, "--worker", "--master-host", host, "--master-port", str(deaf.getsockname()[1]))
    assert ended.returncode == 255
    assert "cannot be found" not in ended.stderr


def test_one_document_for_all_processes(tmp_path: Path, target: Target) -> None:
    """Any port will do: children know it all the same."""
    target.respond("/look", body="look")
    ended = locust(
        tmp_path,
        *("--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0", "--headless"),
        *("--host", target.url, "-u", "4", "-r", "4", "-t", "2s", "--only-summary", "--json"),
    )
    assert ended.returncode == 0, ended.stderr
    assert [entry["name"] for entry in json.loads(ended.stdout)] == ["/look"]
