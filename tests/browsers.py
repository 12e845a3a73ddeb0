"""A real browser: Debian's Chromium through Playwright, and what is asked of every page in it.

Screenshots are written into the folder that `GREGARIA_SCREENSHOTS` names, and nowhere without it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]
AXE = ROOT / "webui" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
LOOKS = [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]


def missing(what: str) -> NoReturn:
    """Skip the test where `what` is not there, and fail it on CI."""
    pytest.fail(what) if os.environ.get("CI") else pytest.skip(what)
    raise AssertionError


@contextmanager
def chromium() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("the Python package playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def problems(page: Any, options: str = "{}") -> list[Any]:
    """What axe finds: obstacles to people with disabilities."""
    if not AXE.exists():
        missing("axe-core is not installed: run `npm ci` in webui/")
    found = page.evaluate(f"(() => {{ {AXE.read_text(encoding='utf-8')}; return axe.run({options}) }})()")
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]][:3]) for rule in found["violations"]]


def sticks_out(page: Any) -> bool:
    """Whether a page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def keep(page: Any, name: str, **settings: Any) -> None:
    if folder := os.environ.get("GREGARIA_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", **settings)
