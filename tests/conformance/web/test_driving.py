"""`locustfiles/library/drive_over_http.py`, an ordinary client of the API, drives Locust and ours."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from ..harness import LOCUSTFILES, Side, same
from .asking import running

PROGRAM = LOCUSTFILES / "library" / "drive_over_http.py"
DRIVEN = SimpleNamespace(
    LOCUSTFILE=(LOCUSTFILES / "checkout.py").read_text().replace("from __future__ import annotations", "")
)


def _driven(side: Side, folder: Path) -> dict[str, object]:
    (kept := folder / f"{side.name}-kept").mkdir(parents=True)
    with running(side, DRIVEN, folder / side.name) as web:  # type: ignore[arg-type]
        command = [sys.executable, str(PROGRAM), f"http://127.0.0.1:{web.page}", side.target.host]
        done = subprocess.run(command, cwd=kept, capture_output=True, text=True, timeout=60)
    files = {path.name: path.read_text().partition("\n")[0][:40] for path in sorted(kept.iterdir())}
    files["report.html"] = files["report.html"].lower()
    return {"exit code": done.returncode, "printed": done.stdout.splitlines(), "told": done.stderr, "files": files}


def test_a_client_of_the_api_drives_both(sides: tuple[Side, Side], tmp_path: Path) -> None:
    with ThreadPoolExecutor() as threads:
        ours, theirs = threads.map(lambda side: _driven(side, tmp_path), sides)
    same("a driven run", theirs, ours)
    assert (ours["exit code"], ours["told"]) == (0, "")
