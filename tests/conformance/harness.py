"""Runs one command on Locust and here, each against a target of its own, and makes the two runs comparable.

What may differ is masked here and nowhere else: times, response times, addresses, versions, and the frames of a
traceback that are not the locustfile's. Everything else a test compares as it stands.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import traceback
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Any

ORACLE = os.environ.get("GREGARIA_ORACLE")
LOCUSTFILES = Path(__file__).resolve().parents[2] / "locustfiles"
DEADLINE = 60
"""Seconds after which a run has hung: every case is written to end much sooner."""

COMPARED = ("exit_code", "printed", "said", "counts", "rows", "errors")


@dataclass(frozen=True)
class Target:
    """`gregaria target`, running."""

    host: str
    tls_host: str

    def ask(self, method: str, path: str) -> Any:
        request = urllib.request.Request(f"{self.host}{path}", method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as response:
            return json.load(response)


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    command = [sys.executable, "-m", "gregaria", "target", "--port", "0", "--fast", "--tls", "--tls-port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            plain, secure = (process.stdout.readline().removeprefix("listening on ").strip() for _ in range(2))
            yield Target(plain, secure)
        finally:
            process.kill()


@dataclass(frozen=True)
class Side:
    """One of the two: its Python and its target."""

    name: str
    python: str
    target: Target


@dataclass
class Run:
    """What is left of a run when it is over, masked."""

    exit_code: int
    printed: list[str]
    stderr: str
    said: list[str]
    """Standard error without its tables: log lines, and of tracebacks what concerns the locustfile."""
    counts: dict[str, int]
    """How many requests of each kind arrived at the target."""
    statuses: dict[str, int]
    rows: dict[tuple[str, str], tuple[int, int]]
    """The console's last table: requests and failures of each (method, name)."""
    errors: list[tuple[int, str]]
    folder: Path = field(compare=False)

    def csv(self, kind: str, prefix: str = "out") -> tuple[list[str], list[dict[str, str]]]:
        """The columns and the rows of one of the files that `--csv` writes."""
        with (self.folder / f"{prefix}_{kind}.csv").open(newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        return list(reader.fieldnames or ()), rows

    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.printed if line.startswith("{")]


@dataclass
class Pair:
    ours: Run
    theirs: Run

    def assert_same(self, *, but: Sequence[str] = ()) -> Run:
        """The runs agree in all that is compared, apart from the named; ours, for assertions that say what it is."""
        for what in COMPARED:
            if what not in but:
                same(what, getattr(self.theirs, what), getattr(self.ours, what))
        shows_no_frame_of_ours(self.ours)
        return self.ours


def same(what: str, theirs: Any, ours: Any) -> None:
    if theirs != ours:
        difference = unified_diff(_lines(theirs), _lines(ours), f"{what} (Locust)", f"{what} (here)", lineterm="", n=50)
        raise AssertionError("\n".join(difference))


def same_seen(theirs: Sequence[dict[str, Any]], ours: Sequence[dict[str, Any]]) -> None:
    """What a case saw on Locust it saw here, one thing after the other; and on Locust it came to its end."""
    assert not any("raised" in each for each in theirs), theirs[-1]["raised"]
    assert theirs, "a case that asks nothing"
    for our, their in zip(ours, theirs, strict=False):
        assert "raised" not in our, our["raised"]
        same(": ".join(map(str, next(iter(their.items()))))[:100], leaves(their), leaves(our))
    assert len(ours) == len(theirs), ours[len(theirs) :]


def raised(error: Exception) -> dict[str, Any]:
    """What is seen of a case that raises this."""
    return {"raised": "".join(traceback.format_exception(error)[-3:])}


def leaves(value: Any, at: str = "") -> dict[str, str]:
    """Every leaf by its path, with its type."""
    if isinstance(value, dict) and value:
        return {name: leaf for key, item in value.items() for name, leaf in leaves(item, f"{at}.{key}").items()}
    if isinstance(value, list) and value:
        return {name: leaf for at_, item in enumerate(value) for name, leaf in leaves(item, f"{at}[{at_:02}]").items()}
    return {at: repr(value)}


def _lines(value: Any) -> list[str]:
    match value:
        case dict():
            return [f"{key}: {item}" for key, item in sorted(value.items())]
        case list():
            return [str(item) for item in value]
        case _:
            return [str(value)]


def shows_no_frame_of_ours(run: Run) -> None:
    inner = [line for line in run.stderr.splitlines() if "gregaria" in line.replace("+gregaria", "")]
    assert not inner, "\n".join(inner)


class Both:
    """Runs a command on both sides at the same time."""

    def __init__(self, sides: tuple[Side, Side], folder: Path) -> None:
        self.sides = sides
        self.folder = folder

    def __call__(
        self,
        locustfile: str | Path | None,
        *arguments: str,
        host: bool = True,
        headless: bool = True,
        environment: dict[str, str] | Callable[[Side], dict[str, str]] | None = None,
        files: dict[str, str] | None = None,
    ) -> Pair:
        """Run `locustfile` (its text, or a file) with `arguments`, each side in an empty folder."""
        asked = environment if callable(environment) else lambda _: environment or {}

        def command(side: Side) -> list[str]:
            options = [*(["--headless"] if headless else []), *(["-H", side.target.host] if host else [])]
            return [side.python, "-m", "locust", *options, *arguments]

        return self._to_their_ends(
            _Started(side, self._new_folder(side), locustfile, command(side), asked(side), files or {})
            for side in self.sides
        )

    def alone(self, locustfile: str | Path, *arguments: str) -> Run:
        """Run what only we have."""
        ours = self.sides[0]
        command = [ours.python, "-m", "locust", "--headless", "-H", ours.target.host, *arguments]
        return _Started(ours, self._new_folder(ours), locustfile, command, {}, {}).to_its_end()

    def script(self, script: str | Path, arguments: Callable[[Side], Sequence[str]]) -> Pair:
        """Run a program that uses Locust as a library."""
        return self._to_their_ends(
            _Started(side, self._new_folder(side), script, [side.python, "locustfile.py", *arguments(side)], {}, {})
            for side in self.sides
        )

    @staticmethod
    def _to_their_ends(started: Iterable[_Started]) -> Pair:
        with ThreadPoolExecutor() as threads:
            ours, theirs = threads.map(_Started.to_its_end, list(started))
        return Pair(ours, theirs)

    def _new_folder(self, side: Side) -> Path:
        number = sum(1 for _ in self.folder.glob(f"{side.name}-*"))
        folder = self.folder / f"{side.name}-{number}"
        folder.mkdir(parents=True)
        return folder


def environment_of(side: Side, home: Path) -> dict[str, str]:
    """The caller's, without what would lead the oracle to our modules, or either to somebody's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LOCUST_", "PYTEST"))}
    if side.python != sys.executable:
        kept.pop("PYTHONPATH", None)
    return {
        **kept,
        "HOME": str(home),
        "NO_PROXY": "*",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "TARGET": side.target.host,
        "TLS_TARGET": side.target.tls_host,
    }


class _Started:
    def __init__(
        self,
        side: Side,
        folder: Path,
        locustfile: str | Path | None,
        command: Sequence[str],
        environment: dict[str, str],
        files: dict[str, str],
    ) -> None:
        self.side = side
        self.folder = folder
        if isinstance(locustfile, Path):
            shutil.copy(locustfile, folder / "locustfile.py")
        elif locustfile is not None:
            (folder / "locustfile.py").write_text(locustfile)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        side.target.ask("POST", "/witness/reset")
        self.errors = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment_of(self.side, self.folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.printed: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        """A line `signal SIGINT` is the locustfile's wish to get that signal from outside.

        A moment later, when who wished it waits again: a signal interrupts whatever runs, and that would differ.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("signal "):
                threading.Timer(0.2, self.process.send_signal, [getattr(signal, line.split()[1])]).start()
            self.printed.append(line.rstrip("\n"))

    def to_its_end(self) -> Run:
        try:
            exit_code: int | None = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            exit_code = None
            self.process.kill()
            self.process.wait()
        self.reader.join(DEADLINE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        with self.errors:
            self.errors.seek(0)
            stderr = self._mask(self.errors.read())
        assert exit_code is not None, "\n".join([f"{self.side.name} hangs", *self.printed[-20:], stderr])
        counts = self.side.target.ask("GET", "/witness/counts")
        said, tables = without_tables(stderr.splitlines())
        return Run(
            exit_code=exit_code,
            printed=self._mask("\n".join(self.printed)).splitlines(),
            stderr=stderr,
            said=without_foreign_frames(said),
            counts=counts["by"],
            statuses=counts["statuses"],
            rows=_requests(tables),
            errors=_errors(tables),
            folder=self.folder,
        )

    def _mask(self, text: str) -> str:
        for address, mask in ((self.side.target.host, "TARGET"), (self.side.target.tls_host, "TLS-TARGET")):
            text = text.replace(address, mask).replace(address.split("//")[1], mask)
            text = re.sub(rf"(?<!\d){address.rsplit(':', 1)[1]}(?!\d)", "PORT", text)
        text = text.replace(str(self.folder), "FOLDER")
        return masked(text)


def masked(text: str) -> str:
    """Without times, hosts, versions and addresses in memory."""
    text = re.sub(r"\[\d{4}-[^]]*\] [^/\s]*/", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"Starting Locust \S+", "Starting Locust", text)
    text = re.sub(r"^(__main__.py|python\S* -m locust): error", "locust: error", text, flags=re.MULTILINE)
    text = re.sub(r"(python-requests/|python-urllib3/|gevent-http-client-)[\d.]+", r"\1VERSION", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text)


TABLES = (
    "Type     Name",
    "Response time percentiles",
    "Error report",
    "Where the time goes",
    "Generator lag",
    "Checks",
    "In words",
)


def without_tables(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    """A table begins with a title and ends with an empty line."""
    said: list[str] = []
    tables: list[list[str]] = []
    inside = False
    for line in lines:
        if not inside and line.startswith(TABLES):
            tables.append([])
            inside = True
        if inside:
            tables[-1].append(line)
            inside = bool(line.strip())
        elif line.strip():
            said.append(line.rstrip())
    return said, tables


def without_foreign_frames(lines: list[str]) -> list[str]:
    """Of a traceback, the frames of the locustfile, and of those not the source line and its underlining."""
    return [
        re.sub(r"<Greenlet at 0x\.\.\.: .*> failed with", "<Greenlet> failed with", line)
        for line in lines
        if not re.match(r'(  [|] )?(    |  File "(?!FOLDER)|  \[Previous line)', line)
        # Only we say these.
        and not re.search("responses waited more than|^Not counted: ", line)
        # Only Locust does, of a user that ends just while it is being stopped.
        and "a user that didn't have proper args" not in line
    ]


def _requests(tables: list[list[str]]) -> dict[tuple[str, str], tuple[int, int]]:
    found = [table for table in tables if table[0].startswith("Type ")]
    rows = {}
    for line in found[-1][2:] if found else []:
        if match := re.match(r"(\S*) +(.*?) +(\d+) +(\d+)\([\d.]+%\) \|", line):
            rows[match[1], match[2]] = int(match[3]), int(match[4])
    return rows


def _errors(tables: list[list[str]]) -> list[tuple[int, str]]:
    found = [table for table in tables if table[0] == "Error report"]
    rows = [line for line in (found[-1][3:] if found else []) if line[:1].isdigit()]
    return sorted((int(line.split(maxsplit=1)[0]), line.split(maxsplit=1)[1].strip()) for line in rows)
