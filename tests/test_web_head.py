"""What is always in sight: of the figures in the page's head none is cut, whatever else is said there."""

from __future__ import annotations

from typing import Any

import pytest

from browsers import keep, problems, sticks_out
from conftest import eventually
from fake_page_server import START, FakePage, FakeRun, rows, state, total

HOST = "https://shop.staging.example.com:8443"
LAG = {"median_ms": 9.0, "p95_ms": 80.0, "p99_ms": 170.0, "max_ms": 300.0, "share": 0.6, "warning": "too busy"}

SPOILT = """() => {
    const shown = [...document.querySelectorAll(".top > :not(.monitor), .monitor > :not(.host)")]
    const boxes = shown.map((part) => [part.innerText, part.getBoundingClientRect()])
    const spoilt = []
    for (const [text, box] of boxes) {
        if (box.left < 0 || box.right > innerWidth) spoilt.push(`sticks out: ${text}`)
        for (const [other, its] of boxes) {
            const isBeside = box.left < its.right - 1 && its.left < box.right - 1
            if (other < text && isBeside && box.top < its.bottom - 1 && its.top < box.bottom - 1)
                spoilt.push(`${text} over ${other}`)
        }
    }
    for (const figure of document.querySelectorAll(".monitor > :not(.host) dd"))
        if (figure.scrollWidth > figure.clientWidth) spoilt.push(`cut: ${figure.innerText}`)
    return spoilt
}"""


def _tell(fake_server: FakePage, *, workers: int, users: int, rps: float, failures: int) -> None:
    figures = {"worker_count": workers, "is_distributed": True, "host": HOST, "run_time_s": 36_000}
    fake_server.say("state", state(FakeRun(1, None, START), users, 2 * users, "spawning", **figures))
    whole = {**total(1), "num_requests": 10_000, "num_failures": failures, "current_rps": rps}
    fake_server.say("stats", {"run": 1, "whole": True, "rows": rows(1), "total": whole})
    fake_server.say("lag", LAG)


@pytest.mark.parametrize("width", [390, 600, 800, 1000, 1220, 1280, 1920])
@pytest.mark.parametrize("is_large", [False, True])
def test_no_figure_is_cut(browser: Any, fake_server: FakePage, width: int, is_large: bool) -> None:
    shown = "112,000" if is_large else "12.40"
    if is_large:
        _tell(fake_server, workers=1_200, users=10_000, rps=112_000, failures=1_234)
    else:
        _tell(fake_server, workers=3, users=30, rps=12.4, failures=0)
    page = browser.new_page(viewport={"width": width, "height": 900})
    try:
        page.goto(fake_server.url)
        page.locator(".at-limit").wait_for()
        page.locator(".monitor dd", has_text=shown).wait_for()
        assert page.evaluate(SPOILT) == []
        assert not sticks_out(page)
        assert problems(page) == []
        keep(page, f"head-{width}-{'large' if is_large else 'small'}")
    finally:
        page.close()


def test_the_host_is_shown_where_there_is_room(browser: Any, fake_server: FakePage) -> None:
    _tell(fake_server, workers=3, users=30, rps=12.4, failures=0)
    page = browser.new_page(viewport={"width": 1920, "height": 900})
    try:
        page.goto(fake_server.url)
        host = page.locator(".monitor .host dd")
        assert host.inner_text() == HOST
        assert host.evaluate("host => host.scrollWidth <= host.clientWidth")
        # A letter or two of it would only look like a mistake.
        page.set_viewport_size({"width": 1280, "height": 900})
        _tell(fake_server, workers=1_200, users=10_000, rps=112_000, failures=1_234)
        eventually(lambda: not host.is_visible())
    finally:
        page.close()
