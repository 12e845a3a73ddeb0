"""`http2 = True`: what the server sees of it, what the locustfile sees, and what becomes of connections."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from certificates import Authority, witness
from conftest import _environment, eventually

SETUP = """
    import json
    import sys
    import gevent
    import locust
    from locust import FastHttpUser, HttpUser
    from locust.env import Environment

    host, style, *arguments = sys.argv[1:]

    class User(HttpUser if style == "http" else FastHttpUser):
        http2 = True

    User.host = host
    environment = Environment(user_classes=[User])
    user = User(environment)
    client = user.client
    if style == "http":
        client.verify = False
"""


@pytest.fixture(params=["http", "fast"])
def ask(request, python_script):
    """Runs `code` behind a user with HTTP/2, once of each class; what it prints last is returned."""

    def run(host, code, *arguments):
        script = textwrap.dedent(SETUP) + textwrap.dedent(code)
        return python_script(script, host, request.param, *arguments).last_line

    return run


def test_requests_at_once_share_one_connection(ask, target):
    code = """
        greenlets = [gevent.spawn(client.get, f"/delay?ms=100&n={n}") for n in range(30)]
        gevent.joinall(greenlets)
        print(json.dumps([greenlet.value.status_code for greenlet in greenlets]))
    """
    assert ask(target.url, code) == [200] * 30
    counts = target.counts()
    assert counts["requests_finished"] == 30
    assert counts["connections_opened"] == 1


def test_over_tls_the_server_is_asked(ask, tls_target):
    target, url = tls_target
    target.reset()
    code = """
        greenlets = [gevent.spawn(client.get, "/delay?ms=50") for _ in range(5)]
        gevent.joinall(greenlets)
        print(json.dumps([greenlet.value.status_code for greenlet in greenlets]))
    """
    assert ask(url, code) == [200] * 5
    assert target.counts()["connections_opened"] == 1


def test_a_server_without_it_is_spoken_to_in_http_1(ask, tmp_path):
    authority = Authority(tmp_path)
    pair = authority.sign("server", "DNS:localhost", "IP:127.0.0.1")
    with witness(pair) as server:
        code = """
            print(json.dumps([client.get("/one").status_code, client.get("/two").status_code]))
        """
        assert ask(f"https://127.0.0.1:{server.port}", code) == [200, 200]


def test_what_arrives_is_what_was_sent(ask, target):
    code = """
        headers = {"X-Mixed-Case": "Yes", "Connection": "close"}
        response = client.post("/echo?a=1&b=%20", json={"k": ["ä", None]}, headers=headers)
        seen = response.json()
        print(json.dumps([seen["version"], seen["method"], seen["path"], seen["query"], seen["headers"], seen["body"]]))
    """
    version, *line, headers, body = ask(target.url, code)
    headers = dict(headers)
    assert version == "HTTP/2"
    assert line == ["POST", "/echo", "a=1&b=%20"]
    assert headers["x-mixed-case"] == "Yes"
    assert headers["content-type"] == "application/json"
    assert headers["host"] == target.url.removeprefix("http://")
    assert "connection" not in headers
    assert "null" in body


def test_cookies_redirects_and_codings_are_as_ever(ask, target):
    code = """
        client.get("/cookies/set?taste=good")
        eaten = client.get("/cookies").text
        led = client.get("/redirect/3")
        unpacked = client.get("/encoded/gzip").json()["coding"]
        print(json.dumps([eaten, led.status_code, len(led.history), unpacked]))
    """
    eaten, status, hops, coding = ask(target.url, code)
    assert "good" in eaten
    assert (status, coding) == (200, "gzip")
    assert target.counts()["by"]["GET /redirect/2"] == 1
    assert hops == 3 or hops == 0  # geventhttpclient keeps none
    assert target.counts()["connections_opened"] == 1


def test_bodies_of_any_size_and_kind(ask, target):
    code = """
        large = client.get("/bytes/5000000")
        chunks = client.get("/chunked/70000")
        dripped = client.get("/drip?bytes=5&ms=5")
        empty = client.get("/no-content")
        head = client.head("/bytes/1000")
        up = client.post("/status/201", data=b"x" * 3_000_000)
        print(json.dumps([len(large.content), len(chunks.content), dripped.text,
            empty.status_code, len(empty.content or b""), head.headers["content-length"], up.status_code]))
    """
    assert ask(target.url, code) == [5_000_000, 70_000, "01234", 204, 0, "1000", 201]


def test_a_stream_that_is_reset_is_a_failure_and_the_connection_goes_on(ask, target):
    code = """
        errors = []
        environment.events.request.add_listener(lambda exception, **_: errors.append(repr(exception)))
        broken = client.get("/reset")
        good = client.get("/json")
        print(json.dumps([broken.status_code, good.status_code, errors[0], errors[1]]))
    """
    broken, good, error, none = ask(target.url, code)
    assert (broken, good, none) == (0, 200, "None")
    assert "reset by the server" in error.lower() or "Connection" in error
    assert target.counts()["connections_opened"] == 1


def test_who_is_stopped_resets_his_stream_alone(ask, target):
    code = """
        slow = gevent.spawn(client.get, "/delay?ms=300")
        gevent.sleep(0.05)
        with gevent.Timeout(0.05, False):
            client.get("/delay?ms=60000")
        slow.join()
        print(json.dumps([slow.value.status_code, client.get("/json").status_code]))
    """
    assert ask(target.url, code) == [200, 200]
    counts = eventually(lambda: (counts := target.counts())["requests_aborted"] == 1 and counts)
    assert counts["connections_opened"] == 1


def test_silence_is_a_time_out(python_script, target):
    code = (
        SETUP
        + """
    response = client.get("/delay?ms=60000", timeout=0.1)
    after = client.get("/json")
    print(json.dumps([type(response.error).__name__, after.status_code]))
    """
    )
    assert python_script(code, target.url, "http").last_line == ["ReadTimeout", 200]
    assert target.counts()["connections_opened"] == 1


def test_a_server_that_speaks_none_is_told_apart(ask):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        code = """
            response = client.get("/")
            print(json.dumps([response.status_code, str(response.error)]))
        """
        status, error = ask(url, code)
        assert status == 0
        assert "HTTP/2" in error
    finally:
        server.shutdown()
        server.server_close()


def test_a_closed_client_opens_another_connection(python_script, target):
    code = (
        SETUP
        + """
    statuses = [client.get("/json").status_code]
    client.close()
    statuses.append(client.get("/json").status_code)
    print(json.dumps(statuses))
    """
    )
    assert python_script(code, target.url, "http").last_line == [200, 200]
    counts = target.counts()
    assert counts["connections_opened"] == 2


def test_bodies_are_handed_on_as_they_arrive(python_script, target):
    code = (
        SETUP
        + """
    response = client.get("/bytes/5000000", stream=True)
    length = sum(len(piece) for piece in response.iter_content(50000))
    dripping = client.get("/drip?bytes=6&ms=20", stream=True).iter_content(1)
    first = next(dripping)
    rest = b"".join(dripping)
    posted = client.post("/echo", data=iter([b"made ", b"in ", b"pieces"])).json()["body"]
    abandoned = client.get("/drip?bytes=1000&ms=100", stream=True)
    abandoned.close()
    good = client.get("/json").status_code
    print(json.dumps([length, first.decode(), rest.decode(), posted, good]))
    """
    )
    assert python_script(code, target.url, "http").last_line == [5_000_000, "0", "12345", "made in pieces", 200]
    counts = eventually(lambda: (counts := target.counts())["requests_aborted"] == 1 and counts)
    assert counts["connections_opened"] == 1


def test_the_version_is_told(python_script, target):
    code = (
        SETUP
        + """
    response = client.get("/json")
    print(json.dumps([response.raw.version, response.reason, response.elapsed.total_seconds() > 0]))
    """
    )
    version, reason, timed = python_script(code, target.url, "http").last_line
    assert (version, timed) == (20, True)
    assert reason == ""


def test_the_example_runs(target):
    example = Path(__file__).parent.parent / "locustfiles" / "http2.py"
    command = [sys.executable, "-m", "locust", "-f", str(example), "--headless", "-H", target.url]
    command += ["-u", "5", "-r", "5", "-t", "1s", "--only-summary"]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    counts = target.counts()
    assert counts["connections_opened"] == 5
    assert counts["by"]["GET /api/cart"] >= 5
