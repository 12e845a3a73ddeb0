"""What a case is: a command line, and what surrounds it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOCUSTFILE = """
from locust import *
class A(User):
    wait_time = constant(9)
    @task
    def a(self): self.environment.runner.quit()
"""


@dataclass(frozen=True)
class Case:
    line: str = ""
    """The arguments, as a shell splits them."""
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """The files of the folder it runs in, by their paths; the home folder is `home`."""
    add: str = ""
    """What a locustfile does with the `parser` it is given. Of a case that only parses."""
    runs: bool = False
    """Whether the command itself is run, and not only its options parsed."""

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.line)

    @property
    def all_files(self) -> dict[str, str]:
        """With a locustfile, where a command needs one and has none of its own."""
        own = (
            {"locustfile.py": LOCUSTFILE} if self.runs and not any(name.endswith(".py") for name in self.files) else {}
        )
        return {**own, **self.files}


def run(line: str = "", locustfile: str | None = None, **files_and_env: Any) -> Case:
    """A case that runs the command, with the text of its locustfile."""
    files = dict(files_and_env.pop("files", {}))
    if locustfile is not None:
        files["locustfile.py"] = locustfile
    return Case(line, runs=True, files=files, **files_and_env)
