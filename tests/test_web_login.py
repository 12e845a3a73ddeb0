"""`--web-login` beyond what Locust has: safe cookies, few attempts, answers that programs understand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.harness import Side, Target
from conformance.web.asking import Web, running
from conformance.web.cases import tls

LOCUSTFILE = """
from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user
from locust import User, task

class Idler(User):
    @task
    def wait_for_it(self):
        _gevent.sleep(1)

class Somebody(UserMixin):
    id = "me"

@_events.init.add_listener
def _protect(environment, web_ui, **_):
    web_ui.app.secret_key = "for the tests"
    web_ui.login_manager.user_loader(lambda name: Somebody())
    web_ui.auth_args = {"username_password_callback": "/in", "auth_providers": [
        {"label": "Other", "callback_url": "/other", "icon_url": "https://icons.example:8443/a.svg"},
        {"label": "Odd", "callback_url": "/odd", "icon_url": "https://x;script-src *"},
    ]}

    @web_ui.app.route("/in", methods=["POST"])
    def come_in():
        if request.form.get("password") == "right":
            login_user(Somebody(), remember=True)
            return redirect(url_for("locust.index"))
        session["auth_error"] = "</script><b>wrong</b>"
        return redirect(url_for("locust.login"))

    @web_ui.app.route("/broken")
    @web_ui.auth_required_if_enabled
    def broken():
        raise ValueError("<script>alert(1)</script>")
"""

ARGUMENTS = ["--web-login"]
SIDE = Side("ours", sys.executable, Target("http://127.0.0.1:9", "https://127.0.0.1:9"))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with running(SIDE, SimpleNamespace(LOCUSTFILE=LOCUSTFILE, ARGUMENTS=ARGUMENTS), tmp_path) as web:
        yield web


def come_in(web: Web, password: str = "right") -> Any:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return web.quietly("POST", "/in", f"username=me&password={password}", form)


def cookies(answer: Any) -> dict[str, list[str]]:
    each = (cookie.split("; ") for cookie in answer.headers.get_all("Set-Cookie", []))
    return {parts[0].partition("=")[0]: parts[1:] for parts in each}


def test_no_script_reads_a_cookie_and_no_other_site_sends_it(web: Web) -> None:
    found = cookies(come_in(web))
    assert set(found) == {"session", "remember_token"}
    for attributes in found.values():
        assert {"HttpOnly", "SameSite=Lax"} <= set(attributes)
        assert "Secure" not in attributes, "over plain HTTP a browser would not keep it"


def test_under_tls_a_cookie_is_sent_over_tls_alone(tmp_path: Path) -> None:
    arguments = [*ARGUMENTS, *tls.ARGUMENTS]
    area = SimpleNamespace(LOCUSTFILE=LOCUSTFILE, ARGUMENTS=arguments, TLS=True, prepare=tls.prepare)
    with running(SIDE, area, tmp_path) as web:
        found = cookies(come_in(web))
        assert found and all("Secure" in attributes for attributes in found.values())


def test_who_is_wrong_too_often_waits(web: Web) -> None:
    for _ in range(10):
        assert come_in(web, "guess").status == 302
    refused = come_in(web)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert "wait a minute" in refused.text
    assert web.quietly("GET", "/login").status == 200


@pytest.mark.parametrize("path", ["/%69n", "//in", "/in?next=/", "/./in"])
def test_however_the_address_is_written_attempts_are_counted(web: Web, path: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    statuses = {web.quietly("POST", path, "username=me&password=guess", form).status for _ in range(12)}
    assert 429 in statuses or not statuses & {302}, statuses


def test_who_gets_in_may_have_been_wrong_before(web: Web) -> None:
    for _ in range(3):
        for _ in range(9):
            come_in(web, "guess")
        assert come_in(web).headers["Location"] == "/"


EVERYTHING = [
    *(
        "/",
        "/stats/requests",
        "/stats/requests/csv",
        "/stats/failures/csv",
        "/stats/requests_full_history/csv",
        "/tasks",
    ),
    *(
        "/exceptions",
        "/exceptions/csv",
        "/logs",
        "/worker-count",
        "/stats/report",
        "/stream",
        "/metrics",
        "/openapi.json",
    ),
    *("/runs", "/timeline", "/timeline?run=1", "/stats%2Frequests", "/%6Cogs", "/stats/requests?x=1", "//logs"),
]


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_nobody_gets_anything_without_a_login(web: Web, accept: str) -> None:
    for path in EVERYTHING:
        for method in ("GET", "HEAD"):
            web.cookies.clear()
            answer = web.quietly(method, path, headers={"Accept": accept})
            assert answer.status in (302, 308, 401), (method, path, answer.status)
            assert "Redirecting" in answer.text or answer.text in ("", "Log in first.\n"), (path, answer.text)
    for path in ("/swarm", "/stop", "/stats/reset", "/user", "/annotate", "/%73top"):
        web.cookies.clear()
        assert web.quietly("POST", path, "user_count=1&spawn_rate=1").status == 302
    for path in ("/stop", "/stats/reset"):
        assert web.quietly("GET", path).status == 302
    assert web.inside("environment.runner.state") == "ready"


@pytest.mark.parametrize("path", ["/stream", "/metrics", "/timeline", "/runs", "/openapi.json"])
def test_a_program_is_told_that_it_is_to_log_in(web: Web, path: str) -> None:
    refused = web.quietly("GET", path, headers={"Accept": "text/event-stream"})
    assert (refused.status, refused.headers["Content-Type"].partition(";")[0]) == (401, "text/plain")


def test_who_is_logged_in_has_the_stream(web: Web) -> None:
    come_in(web)
    assert web.quietly("GET", "/metrics").status == 200
    with web.opened("/stream", {"Accept": "text/event-stream"}) as stream:
        assert stream.status == 200
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.readline()


def test_what_is_told_holds_no_html(web: Web) -> None:
    come_in(web, "guess")
    page = web.quietly("GET", "/login")
    assert page.args["error"] == "</script><b>wrong</b>"
    assert "</script><b>" not in page.text
    come_in(web)
    told = web.quietly("GET", "/broken")
    assert told.text.startswith("Locust auth exception: &lt;script&gt;")


def test_the_login_page_takes_nothing_from_elsewhere_but_icons(web: Web) -> None:
    policy = web.quietly("GET", "/login").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "img-src 'self' https://icons.example:8443 data:" in policy
    assert "script-src" not in policy and "unsafe" not in policy
