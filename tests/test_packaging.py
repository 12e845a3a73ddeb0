"""What the wheel says of itself to pip, pytest and plugins."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from gregaria import _engine

ROOT = Path(__file__).resolve().parents[1]
VERSION = f"2.47.0+gregaria.{_engine.__version__}"


def test_what_stands_for_the_distribution_locust_has_our_version() -> None:
    (folder,) = (ROOT / "packaging" / "purelib").iterdir()
    assert folder.name == f"locust-{VERSION}.dist-info"
    stands_in = metadata.PathDistribution(folder)
    assert (stands_in.metadata["Name"], stands_in.version) == ("locust", VERSION)
    # Without a RECORD pip installs nothing over it, and says whose it is.
    assert not (folder / "RECORD").exists() and stands_in.read_text("INSTALLER") == "gregaria\n"


def test_the_installed_wheel_stands_for_locust_and_brings_the_pytest_plugin() -> None:
    try:
        ours = metadata.distribution("gregaria")
    except metadata.PackageNotFoundError:
        pytest.skip("gregaria is not installed here: its files are used where they lie")
    assert metadata.version("locust") == VERSION
    assert {"locust", "gregaria", "pytest_locust"} <= {path.parts[0] for path in ours.files or ()}
    (plugin,) = metadata.entry_points(group="pytest11", name="locust")
    assert plugin.value == "pytest_locust.plugin" and plugin.dist is not None and plugin.dist.name == "gregaria"


@pytest.mark.parametrize(("distribution", "warns"), [("locust-2.46.0", True), (f"locust-{VERSION}", False)])
def test_locust_itself_beside_us_is_told(tmp_path: Path, distribution: str, warns: bool) -> None:
    packages = Path(_engine.__file__ or "").parents[1]
    for package in ("locust", "gregaria", "pytest_locust"):
        (tmp_path / package).symlink_to(packages / package)
    (tmp_path / f"{distribution}.dist-info").mkdir()
    (tmp_path / "file.py").write_text(
        "from locust import User, task\nclass A(User):\n    @task\n    def t(self): pass\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "file.py", "--list"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert ("pip uninstall -y locust" in ended.stderr) is warns
