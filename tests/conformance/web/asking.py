"""A process with a web page, and what a case does with it: ask, look inside, and have that compared."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from .. import door
from ..harness import Side, environment_of
from .inside import INSIDE

PATIENCE = 40
"""Seconds that anything may take."""

COMPARED = (
    "Content-Type",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Vary",
    "Location",
    "Cache-Control",
    "Content-Disposition",
)
"""The headers that matter to programs."""

VOLATILE = re.compile(
    "^(current_rps|current_fail_per_sec|total_rps|total_fail_per_sec|.*_seen|time|version|start_time|end_time|duration)$"
)
"""What differs from run to run, and has no more than a type to be compared."""

ARGS = re.compile(
    r"window\.(?:template|auth)Args = (.*?)$|"
    r"<script type=\"application/json\" id=\"(?:template|auth)-args\">(.*?)</script>",
    re.DOTALL | re.MULTILINE,
)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def args(self) -> Any:
        """The arguments that a page carries."""
        found = ARGS.search(self.text)
        return json.loads((found[1] or found[2]).rstrip(";")) if found else None

    def comparable(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "headers": {name: value for name in COMPARED if (value := self._header(name)) is not None},
            "allow": sorted(filter(None, self.headers.get("Allow", "").split(", "))),
            "cookies": [each.partition("=")[0] for each in self.headers.get_all("Set-Cookie", [])],
            "body": self._body(),
        }

    def _header(self, name: str) -> str | None:
        value = self.headers.get(name)
        if value is None:
            return None
        value = re.sub(r"\d{4}-\d\d-\d\d-\d\dh\d\d", "TIME", value)
        return re.sub(r"https?://127.0.0.1:\d+", "", value)

    def _body(self) -> Any:
        kind = (self.headers.get("Content-Type") or "").partition(";")[0]
        if kind == "application/json" and self.body:
            ordered = json.dumps(self.json, indent=2, sort_keys=True) + "\n"
            return {"as Flask writes it": self.text == ordered, "json": masked(self.json)}
        if kind == "text/csv":
            return [",".join(line.split(",")[:2]) for line in self.text.split("\r\n")] if self.text else ""
        if self.status // 100 == 3:
            return "look elsewhere"
        if kind == "text/html" and self.text.lower().startswith("<!doctype html"):
            # Whose page it is shows elsewhere. Errors are worded by the server, each by its own.
            return {"args": masked(self.args)} if self.args else "a page"
        if kind.endswith("javascript"):
            return "a program"
        return self.text


def masked(value: Any) -> Any:
    match value:
        case {"current_response_time_percentiles": dict() as percentiles, **others}:
            # Null or not depends on when the last snapshot was.
            return {**masked(others), "current_response_time_percentiles": sorted(percentiles)}
        case dict():
            return {key: _type(item) if VOLATILE.match(key) else masked(item) for key, item in value.items()}
        case list():
            return [masked(item) for item in value]
        case _:
            return value


def _type(value: Any) -> str:
    # Whole or not, it is a number; which of the two is chance.
    return "number" if isinstance(value, int | float) else type(value).__name__


@dataclass
class Web:
    """What a case is given."""

    page: int
    door: int
    base: str = ""
    tls: bool = False
    seen: list[Any] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(
        self, path: str, fields: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None, **headers: str
    ) -> Answer:
        """Post a form."""
        body = urlencode(fields or [], doseq=True)
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **headers})

    def post_json(self, path: str, value: Any, **headers: str) -> Answer:
        return self.ask("POST", path, json.dumps(value), {"Content-Type": "application/json", **headers})

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask, and have the answer compared. Names of headers may be written as arguments are."""
        answer = self.quietly(method, path, body, headers)
        self.seen.append({"asked": f"{method} {path}", **answer.comparable()})
        return answer

    def quietly(
        self, method: str, path: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask, and keep it to oneself."""
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = self._connection()
        try:
            connection.request(method, self.base + path, body, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for each in answer.headers.get_all("Set-Cookie", []):
            name, _, value = each.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    @contextmanager
    def opened(self, path: str, headers: Mapping[str, str] | None = None) -> Iterator[http.client.HTTPResponse]:
        """An answer while it comes in."""
        sent = {**(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with closing(self._connection()) as connection:
            connection.request("GET", self.base + path, headers=sent)
            with closing(connection.getresponse()) as response:
                yield response

    def _connection(self) -> http.client.HTTPConnection:
        if self.tls:
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection("127.0.0.1", self.page, timeout=PATIENCE, context=trusting)
        return http.client.HTTPConnection("127.0.0.1", self.page, timeout=PATIENCE)

    def inside(self, code: str) -> Any:
        """What this expression is in there; or do what it says."""
        return door.ask(self.door, code, PATIENCE)

    def see(self, *codes: str) -> None:
        """Have these compared."""
        self.seen += [{"inside": code, "is": masked(self.inside(code))} for code in codes]

    def note(self, what: str, value: Any) -> None:
        """Have this compared, too."""
        self.seen.append({what: value})

    def until(self, code: str) -> None:
        """Return when it holds."""
        self.wait(lambda: self.inside(code), code)

    def wait(self, condition: Callable[[], Any], what: str = "") -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}"
            time.sleep(0.02)

    def see_statistics(self) -> None:
        """Have compared what there is to read while a test runs: how much of it depends on the moment."""
        answer = self.quietly("GET", "/stats/requests")
        self.note("statistics", [answer.status, answer.json["state"], sorted(answer.json)])

    def see_log(self, of: str = "locust.web") -> None:
        """Have what these loggers said in this case compared."""
        lines: list[str] = self.inside("list(_Lines.lines)")
        self.seen.append({"logged": [line for line in lines if line.split(": ")[0].partition("/")[2].startswith(of)]})

    def start(self, users: int = 1, rate: float = 100, **fields: Any) -> None:
        """Start a test, and return when all users are there."""
        answer = self.quietly(
            "POST",
            "/swarm",
            urlencode({"user_count": users, "spawn_rate": rate, **fields}, doseq=True),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.json["success"], answer.text
        self.until("environment.runner.state == 'running'")


@contextmanager
def running(side: Side, area: ModuleType, folder: Path) -> Iterator[Web]:
    """A process for the cases of this area."""
    files: dict[str, str] = getattr(area, "FILES", {})
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**files, "locustfile.py": INSIDE + area.LOCUSTFILE}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    prepare: Callable[[Path], None] = getattr(area, "prepare", lambda _: None)
    prepare(folder)
    is_program = getattr(area, "IS_PROGRAM", False)
    options = ["--web-host", "127.0.0.1", "--web-port", "0", *getattr(area, "ARGUMENTS", [])]
    command = [side.python, *(["locustfile.py"] if is_program else ["-m", "locust", *options])]
    with (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            [each.replace("FOLDER", str(folder)) for each in command],
            cwd=folder,
            env=environment_of(side, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert process.stdout is not None
            doors = _first_line(process)
            assert doors, (folder / "errors").read_text()
            yield Web(**json.loads(doors), tls=getattr(area, "TLS", False))
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """The line that says where the doors are, or nothing."""
    assert process.stdout is not None
    read, end = b"", time.monotonic() + PATIENCE
    while not read.endswith(b"\n") and time.monotonic() < end:
        if select.select([process.stdout], [], [], 0.2)[0]:
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                break
            read += chunk
    lines = [line for line in read.splitlines() if line.startswith(b'{"page"')]
    return lines[0] if lines else b""
