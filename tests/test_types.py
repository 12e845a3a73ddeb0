"""Types as whoever installs the package has them: for locustfiles, and of the extension."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed: it comes with the extra `test`")

ROOT = Path(__file__).resolve().parents[1]
TYPED = [*sorted((ROOT / "locustfiles").rglob("*.py")), ROOT / "tests" / "typed_locustfile.py"]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder that `locust` and `gregaria` are imported from, without importing them."""
    found = importlib.util.find_spec("gregaria")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]


def mypy(folder: Path, packages: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MYPY_CACHE_DIR": str(folder / "cache")}
    if packages.name != "site-packages":
        environment["MYPYPATH"] = str(packages)
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_the_packages_say_that_they_are_typed(packages: Path) -> None:
    for name in ("gregaria", "locust", "pytest_locust"):
        assert (packages / name / "py.typed").is_file(), name


def test_a_locustfile_can_be_typed_strictly(tmp_path: Path, packages: Path) -> None:
    """All examples, and one that uses most of what there is. In it stand mistakes, too, and mypy has to find each."""
    # Next to nothing else, as a user's.
    copies = [tmp_path / file.name for file in TYPED]
    for file, copy in zip(TYPED, copies, strict=True):
        copy.write_text(file.read_text())
    # The project's settings know which libraries of other protocols may be missing.
    done = mypy(tmp_path, packages, "mypy", "--config-file", ROOT / "pyproject.toml", *copies)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_extension_is_as_its_types_say(tmp_path: Path, packages: Path) -> None:
    allowed = ROOT / "tests" / "stubtest.allow"
    done = mypy(
        tmp_path,
        packages,
        "mypy.stubtest",
        "gregaria._engine",
        "--ignore-disjoint-bases",
        "--allowlist",
        allowed,
        "--mypy-config-file",
        ROOT / "pyproject.toml",
    )
    assert done.returncode == 0, done.stdout + done.stderr
