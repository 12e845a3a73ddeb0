"""Asks all cases of an area, each in a process of its own that is forked from this one, where all is imported already.

`python -m conformance.cli.asking AREA` prints a line of JSON for each. It runs on Locust and here.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from locust import argument_parser, events, main

from ..harness import masked, without_foreign_frames, without_tables
from .case import Case

PATIENCE = 20
"""Seconds after which a case hangs."""


def command() -> None:
    """What the console script does."""
    if importlib.util.find_spec("gregaria") is None:
        main.main()
    sys.exit(importlib.import_module("gregaria.__main__").locust())


def options(case: Case) -> None:
    """Print every option, as a locustfile would see it."""

    def add(parser: Any, **_: Any) -> None:
        exec(case.add, {"parser": parser})

    events.init_command_line_parser.add_listener(add)
    first = argument_parser.parse_locustfile_option()
    parsed = vars(argument_parser.get_parser().parse_args())
    known = {name: [type(value).__name__, value] for name, value in parsed.items()}
    print(json.dumps({"options": known, "locustfile": first.locustfile}, default=repr))


def exit_code_of(ask: Callable[[], None]) -> int:
    """As the interpreter would exit."""
    try:
        ask()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 255
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def begin(case: Case, folder: Path) -> None:
    """Make the forked process one that was started there."""
    signal.alarm(PATIENCE)
    atexit._clear()
    for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        os.dup2(os.open(folder.parent / name, os.O_CREAT | os.O_WRONLY), stream.fileno())
    os.chdir(folder)
    os.environ.update({"HOME": str(folder / "home"), **case.env})
    sys.argv = ["locust", *(word.replace("SERVER", os.environ["SERVER"]) for word in case.arguments)]


def ask(case: Case) -> dict[str, Any]:
    """All that is to be compared of it."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(os.path.realpath(parent)) / "folder"
        folder.mkdir()
        for name, text in case.all_files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        process = os.fork()
        if process == 0:
            begin(case, folder)
            code = exit_code_of(command if case.runs else lambda: options(case))
            # What was registered since then for its end; the interpreter itself is not torn down.
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(process, 0)
        return answer(os.waitstatus_to_exitcode(status), folder)


def answer(exit_code: int, folder: Path) -> dict[str, Any]:
    printed, said = (without_places((folder.parent / name).read_text(), folder) for name in ("stdout", "stderr"))
    kept = {
        path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    kept = {path for path in kept if not path.name.endswith("_phases.csv")}  # ours
    return {
        "exit_code": "hangs" if exit_code == -signal.SIGALRM else exit_code,
        "printed": printed,
        "said": without_foreign_frames(without_tables(said)[0]),
        "files": sorted(map(str, kept)),
        "frames": sorted(set(re.findall(r'File "([^"]*)"', (folder.parent / "stderr").read_text()))),
    }


def without_places(text: str, folder: Path) -> list[str]:
    text = text.replace(str(folder), "FOLDER").replace(os.environ["SERVER"], "SERVER")
    text = text.replace(str(Path(main.__file__).parent), "PACKAGE")
    return re.sub(r"locust \S+ from PACKAGE", "locust VERSION from PACKAGE", masked(text)).splitlines()


def area(name: str) -> dict[str, Case]:
    cases: dict[str, Case] = importlib.import_module(f"{__package__}.cases.{name}").CASES
    return cases


if __name__ == "__main__":
    for name, case in area(sys.argv[1]).items():
        print(json.dumps([name, ask(case)]), flush=True)
