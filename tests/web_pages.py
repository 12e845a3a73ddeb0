"""A real `locust` process with its web page, and that page in a browser."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from browsers import DESKTOP
from conftest import eventually

PATIENCE_MS = 30_000

SHOP = """
import logging
from locust import HttpUser, constant, task

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
        logging.warning("a <i>warning</i> of the locustfile")
        raise RuntimeError("a <b>locustfile's</b> own")
"""


def free_port() -> int:
    """A port that nobody listens on now. A process that comes back has to come back at the same one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Served:
    """A process, and the address of its page."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self.process = process
        self.log = log

    def kill(self) -> None:
        """As a crash: nothing is said."""
        self.process.kill()
        self.process.wait(10)

    def ask(self, path: str = "") -> bytes:
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        with build_opener(ProxyHandler({}), HTTPSHandler(context=trusting)).open(self.url + path, timeout=10) as answer:
            return bytes(answer.read())

    def _is_there(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            self.ask()
        except URLError as error:
            # A status is an answer, too.
            return hasattr(error, "status")
        return True


@contextmanager
def served(folder: Path, code: str, *options: str, port: int | None = None, base: str = "") -> Iterator[Served]:
    """`locust` with this locustfile, whose page answers."""
    (folder / "locustfile.py").write_text(code)
    port = port or free_port()
    scheme = "https" if "--tls-cert" in options else "http"
    command = [sys.executable, "-m", "locust", "--web-host", "127.0.0.1", "--web-port", str(port), *options]
    log = folder / "log.txt"
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    started = Served(f"{scheme}://127.0.0.1:{port}{base}/", process, log)
    try:
        eventually(started._is_there, 20)
        yield started
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGABRT)
            process.wait(10)
            raise AssertionError(f"locust did not end: {log.read_text()}") from None


class Watched:
    """The page in a browser, as a reader uses it, and what the browser complained of."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.posts: list[tuple[str, str]] = []
        self.strangers: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)

    def _hear(self, message: Any) -> None:
        # Below these are hints, such as to have a form of its own for every password.
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _note(self, request: Any) -> None:
        if request.method == "POST":
            self.posts.append((request.url, request.post_data or ""))
        if not request.url.startswith((self.url.rsplit("/", 1)[0], "data:", "blob:")):
            self.strangers.append(request.url)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def state(self, wanted: str) -> None:
        """Wait until the page says so."""
        self.page.locator(".top .state", has_text=wanted).wait_for()

    def shows(self, wanted: str) -> None:
        """Wait until this tab is the one that is shown."""
        self.page.get_by_role("tab", selected=True).filter(has_text=wanted).wait_for()

    def fact(self, name: str) -> str:
        """What the top of the page says, such as the number of users; empty where it does not."""
        found = self.page.locator(f'.monitor div:has(dt:text-is("{name}")) dd')
        return str(found.inner_text()) if found.count() else ""

    def until(self, check: Callable[[], Any]) -> Any:
        """As `eventually`, while the browser goes on."""

        def now() -> Any:
            self.page.wait_for_timeout(20)
            return check()

        return eventually(now, PATIENCE_MS / 1000)

    def names(self) -> list[str]:
        """The names in the table that is shown, as far as they are in sight."""
        return [str(name) for name in self.page.locator("#panel tbody td.name").all_inner_texts()]

    def cells(self) -> list[list[str]]:
        """The rows in the table that is shown, as far as they are in sight."""
        rows = self.page.locator("#panel tbody tr[data-row]").all()
        return [row.locator("td").all_inner_texts() for row in rows]

    def start(self, users: int = 1, rate: int = 100, host: str | None = None) -> None:
        """Fill in the form that is open, and have the test begin."""
        self.page.get_by_role("textbox", name="Number of users").fill(str(users))
        self.page.get_by_label("Ramp up").fill(str(rate))
        if host is not None:
            self.page.get_by_label("Host", exact=True).fill(host)
        self.button("Start").click()

    def end(self) -> None:
        self.button("Stop").click()
        self.state("Stopped")


@contextmanager
def watched(browser: Any, url: str, **settings: Any) -> Iterator[Watched]:
    """The page at `url`. What it complains of, or asks of others, fails the test."""
    context = browser.new_context(**{"viewport": DESKTOP, "ignore_https_errors": True, **settings})
    try:
        page = Watched(context.new_page(), url)
        page.page.goto(url)
        yield page
        assert page.complaints == [], page.complaints
        assert page.strangers == [], "a page asks nobody but its own server"
    finally:
        context.close()
