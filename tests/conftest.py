"""What all tests stand on: the target server as an outside witness, and scripts that run in interpreters of their own.

pytest's own process never imports `locust`: that would patch it. What is tested runs in another process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from browsers import chromium, missing
from fake_page_server import DIST, FakePage, fake_page

T = TypeVar("T")

for _name in [name for name in os.environ if name.startswith(("LOCUST_", "GEVENT_"))]:
    del os.environ[_name]  # they would make Locust behave otherwise than tests expect
_inherited = dict(os.environ)

_direct = build_opener(ProxyHandler({}))
"""Witnesses are asked directly, whatever proxy the environment names."""


def pytest_collection_finish() -> None:
    """A test file that leaves a variable behind would change what every later test's processes do."""
    assert os.environ == _inherited, "a test file changed the environment while it was imported"


@pytest.fixture(autouse=True)
def _environment_as_it_was() -> Iterator[None]:
    """So would a test."""
    before = _without_pytest()
    yield
    assert _without_pytest() == before, "the test left the environment changed"


def _without_pytest() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def eventually(check: Callable[[], T], deadline: float = 10.0) -> T:
    """Ask `check` until it gives something true, and return that; fail when `deadline` seconds are over.

    An AssertionError that it raises counts as not yet, and is the reason of the failure at the end.
    """
    end = time.monotonic() + deadline
    while True:
        failed: AssertionError | None = None
        try:
            if result := check():
                return result
        except AssertionError as error:
            failed = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s") from failed
        time.sleep(0.01)


class Target:
    """`gregaria target` in a process of its own: serves what tests ask for, and counts what arrived."""

    def __init__(self, url: str) -> None:
        self.url = url

    def counts(self) -> dict[str, Any]:
        """What arrived since the last reset, as `/witness/counts` tells it. The reader's own requests are not in it."""
        return json.loads(self._ask("GET", "/witness/counts"))

    def reset(self) -> None:
        """Forget the counts, the programmed routes and a stall."""
        self._ask("POST", "/witness/reset")

    def respond(self, path: str, **route: Any) -> None:
        """Answer `path` with `status`, `headers`, `body` after `delay_ms`, for one `method` or for all."""
        self._ask("POST", "/witness/routes", json.dumps({"path": path, **route}).encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = Request(self.url + path, method=method, data=body, headers={"Connection": "close"})
        with _direct.open(request, timeout=10) as response:
            return response.read()


@pytest.fixture(scope="session")
def target_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    ready = tmp_path_factory.mktemp("target") / "ready"
    start = "import sys; from gregaria.__main__ import gregaria; sys.exit(gregaria())"
    command = [sys.executable, "-c", start, "target", "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: ready.exists() or process.poll() is not None)
            assert process.poll() is None, "the target server could not start"
            yield Target(f"http://127.0.0.1:{int(ready.read_text())}")
        finally:
            ended = process.poll()
            process.terminate()
            process.wait(10)
            assert ended is None, f"the target server ended during the tests, with {ended}"


@pytest.fixture(scope="session")
def tls_target_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, str]]:
    ready = tmp_path_factory.mktemp("tls-target") / "ready"
    start = "import sys; from gregaria.__main__ import gregaria; sys.exit(gregaria())"
    command = [
        sys.executable,
        "-c",
        start,
        "target",
        "--port",
        "0",
        "--ready-file",
        str(ready),
        "--tls",
        "--tls-port",
        "0",
    ]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: ready.exists() or process.poll() is not None)
            assert process.poll() is None, "the target server could not start"
            plain, tls = ready.read_text().split()
            yield Target(f"http://127.0.0.1:{plain}"), f"https://127.0.0.1:{tls}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def tls_target(tls_target_server: tuple[Target, str]) -> tuple[Target, str]:
    """A target server with fresh counts, and its URL for TLS. Its certificate is nobody's."""
    tls_target_server[0].reset()
    return tls_target_server


@pytest.fixture
def target(target_server: Target) -> Target:
    """The target server, with fresh counts and nothing programmed."""
    target_server.reset()
    return target_server


@dataclass
class Run:
    """A process that has ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def last_line(self) -> Any:
        """The last line of the output, read as JSON: what a script found out."""
        assert self.exit_code == 0, f"exit code {self.exit_code}\n{self.stdout}\n{self.stderr}"
        return json.loads(self.stdout.splitlines()[-1])


@pytest.fixture
def python_script(tmp_path: Path) -> Callable[..., Run]:
    """Run Python code in a fresh interpreter. It may be indented; `arguments` are its `sys.argv[1:]`.

    One that does not end within `deadline` seconds is killed, and that fails the test, with all threads' stacks.
    """

    def run(code: str, *arguments: str, deadline: float = 30.0, **environment: str) -> Run:
        script = tmp_path / "script.py"
        script.write_text(textwrap.dedent(code))
        command = [sys.executable, str(script), *arguments]
        with subprocess.Popen(
            command,
            env=_environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=deadline)
            except subprocess.TimeoutExpired:
                # Python's fault handler writes the stacks; children of the script end with it.
                os.killpg(process.pid, signal.SIGABRT)
                stdout, stderr = process.communicate()
                pytest.fail(f"the script hung for {deadline} s\n{stdout}\n{stderr}")
        return Run(process.returncode, stdout, stderr)

    return run


def _environment(**more: str) -> dict[str, str]:
    """The tests' own, in which Python warns and tells of crashes."""
    return {**os.environ, "PYTHONWARNINGS": "default", "PYTHONFAULTHANDLER": "1", **more}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, for all tests that look at pages."""
    with chromium() as started:
        yield started


@pytest.fixture
def fake_server() -> Iterator[FakePage]:
    """The page as it is built, on a server that says what the test tells it to."""
    if not (DIST / "index.html").exists():
        missing("the page is not built: `npm run build` in webui")
    with fake_page() as page:
        yield page
