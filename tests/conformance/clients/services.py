"""Programs that serve: PostgreSQL, Redis, mosquitto, and MongoDB's protocol; each in a folder of its own, on a free port.

What is not installed is a reason to skip a test, except where `CI` is set: there it is a failure.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

CLIENTS = os.environ.get("GREGARIA_CLIENTS", "")
"""A folder with the libraries that only these tests need, if they are not where Python looks anyway."""
if CLIENTS:
    sys.path.append(CLIENTS)

DEADLINE = 30
"""Seconds within which a server has to be up."""


def needed(what: str, found: object, how: str) -> None:
    """Skip the test where `what` is not there, and fail it on CI."""
    if not found:
        reason = f"{what} is not here: {how}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def needed_modules(*names: str) -> None:
    for name in names:
        needed(f"the Python module `{name}`", _importable(name), "run `make test-python` once")


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what it would be in is not there
        return False


def environment_of(python: str) -> dict[str, str]:
    """What lets a Python find the libraries; of what leads to our modules, only ours is told."""
    inherited = os.environ.get("PYTHONPATH", "") if python == sys.executable else ""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (inherited, CLIENTS)))}


def needed_program(name: str, package: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *_postgres_folders()]))
    needed(f"`{name}`", found, f"apt-get install {package}")
    assert found is not None
    return found


def _postgres_folders() -> list[str]:
    return sorted(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def _folder() -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder, and as whom to run: some servers will not run as root, and not in a folder of root's."""
    with tempfile.TemporaryDirectory(prefix="gregaria-", dir="/tmp") as name:
        who: dict[str, Any] = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(name, nobody.pw_uid, nobody.pw_gid)
            who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        yield Path(name), who


@contextmanager
def _running(command: list[str], folder: Path, who: dict[str, Any], ready: Callable[[], object]) -> Iterator[None]:
    log = folder / "log"
    environment = {**os.environ, **environment_of(sys.executable)}
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, **who
        ) as process,
    ):
        try:
            end = time.monotonic() + DEADLINE
            while not ready():
                assert process.poll() is None and time.monotonic() < end, f"{command[0]}: {log.read_text()}"
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    """A port nobody has: the system deals them out in turns, so that nobody else gets it before the server has it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh cluster; gives its connection string. Its user has no password."""
    initdb, server = (needed_program(name, "postgresql") for name in ("initdb", "postgres"))
    with _folder() as (folder, who), ExitStack() as stack:
        data, port = str(folder / "data"), _free_port()
        make = [initdb, "--pgdata", data, "--username", "shop", "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        subprocess.run([*make, "--no-instructions"], cwd=folder, check=True, capture_output=True, **who)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "log_statement": "none",
            "log_min_messages": "fatal",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [server, "-D", data, "-p", str(port), *options]
        pid = folder / "data" / "postmaster.pid"
        stack.enter_context(_running(command, folder, who, lambda: _line(pid, 7).startswith("ready")))
        yield f"host=127.0.0.1 port={port} user=shop dbname=postgres"


def _line(path: Path, number: int) -> str:
    lines = path.read_text().splitlines() if path.exists() else []
    return lines[number] if len(lines) > number else ""


class Redis:
    """A Redis server, and what it says about itself."""

    def __init__(self, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self.most_at_once = 0
        """How many clients waited for something at the same time, as far as `watching` saw it."""
        self._port = port

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again, while the block runs, how many clients wait."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.01):
                found = re.search(r"blocked_clients:(\d+)", self.ask("INFO", "clients"))
                self.most_at_once = max(self.most_at_once, int(found[1]) if found else 0)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def ask(self, *words: str) -> str:
        """The answer to one command that is answered with a text: Redis's protocol is simple enough."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=DEADLINE) as connection:
            connection.sendall((" ".join(words) + "\r\n").encode())
            with connection.makefile("rb") as answer:
                head = answer.readline().decode().strip()
                return answer.read(int(head[1:])).decode() if head.startswith("$") else head

    def calls(self) -> dict[str, int]:
        """How often each command came."""
        return {name: int(calls) for name, calls in re.findall(r"cmdstat_(\S+):calls=(\d+)", self.ask("INFO", "all"))}


@contextmanager
def redis() -> Iterator[Redis]:
    program = needed_program("redis-server", "redis-server")
    with _folder() as (folder, who):
        port = _free_port()
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        with _running(command, folder, who, lambda: _accepts(port)):
            yield Redis(port)


RIGHTS = {
    "defaultACLAccess": dict.fromkeys(("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"), True),
    "roles": [{"rolename": "all", "acls": [{"acltype": "subscribePattern", "topic": "forbidden", "allow": False}]}],
    "groups": [{"groupname": "everybody", "roles": [{"rolename": "all"}]}],
    "anonymousGroup": "everybody",
}


class Mosquitto:
    """An MQTT broker; its log tells what it received."""

    def __init__(self, port: int, websockets: int, log: Path) -> None:
        self.port = port
        self.websockets = websockets
        self._log = log

    def received(self, kind: str) -> list[str]:
        """The clients from which a packet of a kind (`PUBLISH`, `SUBSCRIBE`) came, in order."""
        return re.findall(rf"Received {kind} from (\S+)", self._log.read_text())

    def connections(self) -> int:
        """How many times a client was let in."""
        return self._log.read_text().count("New client connected")

    def most_at_once(self) -> int:
        """How many clients were connected at the same time."""
        now = most = 0
        for line in self._log.read_text().splitlines():
            now += ("New client connected" in line) - bool(re.search(r"Client [^<]\S* (disconnected|closed)", line))
            most = max(most, now)
        return most


@contextmanager
def mosquitto() -> Iterator[Mosquitto]:
    """A broker for everybody. Nobody may subscribe to `forbidden`, and a wrong password is refused."""
    program = needed_program("mosquitto", "mosquitto")
    plugin = next(Path("/usr/lib").rglob("mosquitto_dynamic_security.so"), None)
    needed("mosquitto's plugin for rights", plugin, "apt-get install mosquitto")
    with _folder() as (folder, who):
        port, websockets = _free_port(), _free_port()
        (folder / "rights").write_text(json.dumps(RIGHTS))
        (folder / "configuration").write_text(
            f"listener {port} 127.0.0.1\nlistener {websockets} 127.0.0.1\nprotocol websockets\n"
            f"allow_anonymous true\nplugin {plugin}\nplugin_opt_config_file {folder}/rights\n"
            "log_type all\nlog_dest stdout\nset_tcp_nodelay true\n"
        )
        # Line by line: what it wrote is what it received, at any time.
        command = ["stdbuf", "-oL", program, "-c", str(folder / "configuration")]
        with _running(command, folder, who, lambda: _accepts(port) and _accepts(websockets)):
            yield Mosquitto(port, websockets, folder / "log")


@contextmanager
def mongodb() -> Iterator[str]:
    """A server that speaks MongoDB's protocol and keeps what it is given in SQLite: MongoDB itself is in no registry."""
    needed_modules("nx_27017")
    # As ourselves: another user may not be able to read this Python.
    with tempfile.TemporaryDirectory(prefix="gregaria-") as name:
        port = _free_port()
        start = [sys.executable, "-c", "from nx_27017.nx_27017 import main; main()"]
        options = {"--db": "memory", "--host": "127.0.0.1", "-p": str(port), "--pid-file": f"{name}/pid"}
        command = [*start, *(word for option in options.items() for word in option)]
        with _running(command, Path(name), {}, lambda: _accepts(port)):
            yield f"mongodb://127.0.0.1:{port}"
