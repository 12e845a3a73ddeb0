"""Containers of others' making: master and workers with the arguments, files and addresses that Kubernetes operators
give Locust's image. What the files in `deploy/` say is looked at by `make check-deploy`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from conftest import Target, _environment, eventually
from web_pages import free_port

LOCUSTFILE = """
from locust import HttpUser, constant, task
from words import PATH

class Visitor(HttpUser):
    wait_time = constant(0.1)

    @task
    def visit(self):
        self.client.get(PATH)
"""
START = "import sys; from gregaria.__main__ import locust; sys.argv[0] = 'locust'; sys.exit(locust())"
_direct = build_opener(ProxyHandler({}))


def config_map(folder: Path, files: dict[str, str]) -> Path:
    """A folder as Kubernetes mounts it: each file a link into a hidden folder, which is a link to one with a date."""
    dated = folder / "..2026_11_23_10_00_00.123"
    dated.mkdir(parents=True)
    (folder / "..data").symlink_to(dated.name)
    for name, text in files.items():
        (dated / name).write_text(text)
        (folder / name).symlink_to(Path("..data") / name)
    return folder


class Pod:
    """One container: `locust` is the entry point, all else are arguments and variables."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ends(self, within: float) -> tuple[int, str]:
        try:
            output = self._process.communicate(timeout=within)[0]
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            raise AssertionError(f"still there\n{self._process.communicate()[0]}") from None
        return self._process.returncode, output


@contextmanager
def pod(folder: Path, args: list[str], **variables: str) -> Iterator[Pod]:
    environment = _environment(HOME="/nonexistent", **variables)
    command = [sys.executable, "-c", START, *args]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Pod(process)
        finally:
            if process.poll() is None:
                process.kill()


def page(port: int, host: str) -> Any:
    """What the page says under this name; nothing while it is not there."""
    try:
        with _direct.open(
            Request(f"http://127.0.0.1:{port}/stats/requests", headers={"Host": host}), timeout=5
        ) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


def test_locusts_operator_runs_us(tmp_path: Path, target: Target) -> None:
    """The locustfile lies over the working folder and is not named; master and workers get the same arguments; the
    status comes from the page, under the service's name or that of the API server."""
    files = config_map(tmp_path / "home", {"locustfile.py": LOCUSTFILE, "words.py": "PATH = '/json'"})
    port, web = free_port(), free_port()
    args = [
        "-H",
        target.url,
        "-u",
        "4",
        "-r",
        "4",
        "-t",
        "4s",
        "--autostart",
        "--autoquit",
        "0",
        "--expect-workers",
        "2",
    ]
    variables = {
        "LOCUST_MASTER_BIND_PORT": str(port),
        "LOCUST_MASTER_NODE_PORT": str(port),
        "LOCUST_WEB_PORT": str(web),
        "LOCUST_WEB_ALLOWED_HOST": "api.cluster.example.com",
    }
    worker_args = ["--worker", "--master-host", "127.0.0.1", *args]
    with (
        pod(files, ["--master", *args], **variables) as master,
        pod(files, worker_args, **variables) as first,
        pod(files, worker_args, **variables) as second,
    ):
        status = eventually(lambda: running(page(web, "shop-webui:8089")), 20)
        assert {"state", "fail_ratio", "total_rps", "user_count", "worker_count"} <= status.keys()
        assert (status["state"], status["worker_count"], status["user_count"]) == ("running", 2, 4)
        assert page(web, "shop-webui.load.svc.cluster.local:8089") and page(web, "api.cluster.example.com")
        code, output = master.ends(30)
        assert code == 0, output
        assert [worker.ends(20)[0] for worker in (first, second)] == [0, 0]
    assert target.counts()["by"]["GET /json"] > 0


def running(status: Any) -> Any:
    return status if status and status["user_count"] == 4 else None


def test_the_other_operator_runs_us(tmp_path: Path, target: Target) -> None:
    """It names the locustfile, has a folder of libraries, and adds its own arguments behind the user's; an exporter
    asks the page from within the pod."""
    source = config_map(tmp_path / "lotest" / "src", {"test.py": LOCUSTFILE})
    libraries = config_map(tmp_path / "opt" / "locust" / "lib", {"words.py": "PATH = '/json'"})
    home = tmp_path / "home"
    home.mkdir()
    port, web = free_port(), free_port()
    seed = ["--locustfile", str(source / "test.py"), "--host", target.url]
    variables = {"PYTHONPATH": os.pathsep.join([str(libraries), *filter(None, [os.environ.get("PYTHONPATH")])])}
    master_args = [
        *[*seed, "--users", "4", "--spawn-rate", "4", "--run-time", "3s"],
        *["--master", f"--master-port={port}", "--expect-workers=2", "--autostart", "--autoquit", "1"],
        *["--enable-rebalancing", "--only-summary", f"--master-bind-port={port}", f"--web-port={web}"],
    ]
    worker_args = [*seed, "--worker", f"--master-port={port}", "--master-host=127.0.0.1"]
    with (
        pod(home, master_args, **variables) as master,
        pod(home, worker_args, **variables) as first,
        pod(home, worker_args, **variables) as second,
    ):
        assert eventually(lambda: running(page(web, f"localhost:{web}")), 20)["worker_count"] == 2
        code, output = master.ends(30)
        assert code == 0, output
        assert [worker.ends(20)[0] for worker in (first, second)] == [0, 0]


def test_workers_get_what_the_master_has_mounted(tmp_path: Path, target: Target) -> None:
    """As our manifests have it: `-f -`, and the modules beside the locustfile come along."""
    files = config_map(tmp_path / "mnt", {"locustfile.py": LOCUSTFILE, "words.py": "PATH = '/json'"})
    empty = tmp_path / "empty"
    empty.mkdir()
    port = free_port()
    master_args = [
        *["--locustfile", str(files / "locustfile.py"), "--master", "--master-bind-port", str(port), "--headless"],
        *["--expect-workers", "1", "-u", "2", "-r", "2", "-t", "2s", "--check", "fail_ratio < 1%"],
    ]
    variables = {"LOCUST_HOST": target.url, "LOCUST_CLUSTER_KEY": ""}
    worker_args = ["--locustfile=-", "--worker", "--master-host=127.0.0.1", f"--master-port={port}"]
    with pod(empty, master_args, **variables) as master, pod(empty, worker_args, **variables) as worker:
        code, output = master.ends(40)
        assert code == 0, output
        assert worker.ends(20)[0] == 0
    assert target.counts()["by"]["GET /json"] > 0
