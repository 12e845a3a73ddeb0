"""Runs a command in a terminal of its own, as a person would, and reads what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEADLINE = 60


class Terminal:
    """A process whose input is a terminal, and its output too, unless `keyboard_only`: that then goes to a pipe."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, slave: int, output: int, modes: Any) -> None:
        self.process = process
        self.master = master
        self.slave = slave
        self.output = output
        self.modes = modes
        """How the terminal was when the process began."""
        self.said = b""

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def read_until(self, seen: Callable[[str], Any]) -> str:
        """All that it has said when `seen` of that is true for the first time."""
        end = time.monotonic() + DEADLINE
        while not seen(self.text()):
            # What is looked for may be something else than output, so it is looked for again soon.
            assert time.monotonic() < end and self._read(0.05), f"never seen in\n{self.text()[-2000:]}"
        return self.text()

    def read_to_the_end(self) -> str:
        end = time.monotonic() + DEADLINE
        while self._read(0.05):
            assert time.monotonic() < end, f"it does not end\n{self.text()[-2000:]}"
        self.process.wait(DEADLINE)
        return self.text()

    def text(self) -> str:
        return self.said.decode(errors="replace")

    def _read(self, seconds: float) -> bool:
        """Take what comes within a time; `False` when nothing will come any more."""
        if not select.select([self.output], [], [], seconds)[0]:
            # The test has the terminal open itself, so its end is not seen while the process has ended.
            return self.process.poll() is None
        try:
            chunk = os.read(self.output, 65536)
        except OSError:  # how Linux tells that nobody has the terminal open any more
            chunk = b""
        self.said += chunk
        return bool(chunk)


@contextmanager
def terminal(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    columns: int = 100,
    lines: int = 30,
    keyboard_only: bool = False,
) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    piped, pipe = os.pipe()

    def take_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    said = pipe if keyboard_only else slave
    modes = termios.tcgetattr(slave)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={"TERM": "xterm-256color", **environment},
        stdin=slave,
        stdout=said,
        stderr=said,
        preexec_fn=take_the_terminal,
    )
    os.close(pipe)
    running = Terminal(process, master, slave, piped if keyboard_only else master, modes)
    try:
        yield running
    finally:
        process.kill()
        process.wait()
        for descriptor in (master, slave, piped):
            os.close(descriptor)
