"""`FastHttpSession` and its responses: what geventhttpclient's users find in them, and reach to change."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Run, Target

PRELUDE = """
import json, sys
import locust
import gevent, io, time
from locust.contrib.fasthttp import FastHttpSession, FastHttpUser, HTTPClientPool
from locust.env import Environment

url = sys.argv[1]
environment = Environment()
told = []
found = []

@environment.events.request.add_listener
def listen(name, exception, response_length, **others):
    told.append([name, None if exception is None else type(exception).__name__, response_length])

def session(**settings):
    return FastHttpSession(url, environment.events.request, None, **{"max_retries": 0, **settings})

def kind(error):
    return type(error).__name__

client = session()
"""

Script = Callable[[str], Any]


@pytest.fixture
def script(python_script: Callable[..., Run], target: Target) -> Script:
    def run(code: str) -> Any:
        whole = PRELUDE + textwrap.dedent(code) + "\nprint(json.dumps([found, told]))"
        return python_script(whole, target.url).last_line

    return run


def test_headers_are_read_whatever_their_case_and_line_by_line(script: Script) -> None:
    found, _ = script(
        """
        headers = client.get("/headers?X-A=1&X-A=2&X-B=3").headers
        found += [headers["x-a"], headers.get("X-b"), headers.get("no"), headers.getlist("x-a"), headers.get_all("no")]
        found += ["X-A" in headers, isinstance(headers, dict), dict(headers)["x-b"], headers.compatible_dict()["X-A"]]
        headers.add("x-b", "4")
        headers["x-a"] = "0"
        found += [headers["x-b"], [value for name, value in headers.items() if name.lower() == "x-a"]]
        """
    )
    assert found == [["1", "2"], "3", None, ["1", "2"], None, True, True, "3", "1, 2", ["3", "4"], ["0"]]


def test_a_body_that_breaks_off_keeps_its_status_and_what_came(script: Script) -> None:
    found, told = script(
        """
        for path in ("/close-mid-body", "/reset-mid-body"):
            response = client.get(path)
            response.raise_for_status()
            found.append([response.status_code, len(response.content), response.isclosed(), response.ok])
        with client.get("/close-mid-body", catch_response=True) as response:
            found.append(response.headers["content-length"])
        with client.get("/close-mid-body", catch_response=True) as response:
            response.success()
        """
    )
    assert found == [[200, 100, False, True], [200, 100, False, True], "1000"]
    assert told == [
        ["/close-mid-body", "HTTPParseError", 0],
        ["/reset-mid-body", "ConnectionResetError", 0],
        ["/close-mid-body", "HTTPParseError", 0],
        ["/close-mid-body", None, 0],
    ]


def test_a_body_that_cannot_be_decoded_fails_again_when_it_is_read(script: Script) -> None:
    found, told = script(
        """
        response = client.get("/encoded/gzip-corrupt")
        found.append(response.status_code)
        try:
            response.text
        except Exception as error:
            found.append(kind(error))
        """
    )
    assert found == [200, "error"]
    assert told == [["/encoded/gzip-corrupt", "error", 0]]


def test_time_outs_are_tried_again_and_other_failures_are_not(script: Script, target: Target) -> None:
    target.respond("/busy", status=503)
    found, told = script(
        """
        hasty = session(network_timeout=0.1, max_retries=2)
        found += [str(hasty.get("/delay?ms=3000").error).replace(url, ""), kind(hasty.get("/close").error)]
        hasty.post("/delay?ms=3000")
        hasty.get("/busy")
        session(network_timeout=0.1).get("/delay?ms=3000", max_retries=1)
        """
    )
    assert found == ["URL /delay?ms=3000: 2, original=timed out", "HTTPConnectionClosed"]
    assert [kind for _, kind, _ in told] == [
        "RetriesExceeded",
        "HTTPConnectionClosed",
        "RetriesExceeded",
        "LocustBadStatusCode",
        "RetriesExceeded",
    ]
    counts = target.counts()["by"]
    assert counts["GET /delay"] == 3 + 2, "two more attempts, then one more"
    assert counts["POST /delay"] == 1, "what may have an effect is sent once"
    assert counts["GET /busy"] == 1 and counts["GET /close"] == 1


def test_what_is_set_on_the_agent_holds_from_the_next_request_on(script: Script) -> None:
    found, told = script(
        """
        agent = client.client
        agent.max_redirects = 1
        found.append(str(client.get("/redirect/3").error).replace(url, ""))
        found.append(client.get("/redirect/3", max_redirects=3).status_code)
        agent.redirect_response_codes = {301}
        found.append(client.get("/redirect/1").status_code)
        agent.valid_response_codes = {404}
        found += [hasattr(client.get("/status/404"), "error"), str(client.get("/json").error).replace(url, "")]
        agent.default_headers["X-New"] = "1"
        received = {name.lower(): value for name, value in client.get("/echo").json()["headers"]}
        found += [received["x-new"], received["user-agent"].split("/")[0]]
        agent.clientpool.close()
        found.append(client.get("/json").status_code)
        found.append(agent.urlopen(url + "/status/404").status_code)
        """
    )
    assert found == [
        "URL /redirect/3: Redirection limit reached (1)",
        200,
        302,
        False,
        "URL /json: code=200",
        "1",
        "python",
        200,
        404,
    ]
    assert "/status/404" in [name for name, *_ in told], "the counted one"
    assert len([name for name, *_ in told if name.endswith("/status/404")]) == 1, "urlopen does not count"


def test_cookies_are_a_jar_of_the_standard_library(script: Script) -> None:
    found, _ = script(
        """
        from http.cookiejar import CookieJar
        client.get("/cookies/set?a=1")
        client.get("/cookies/set?b=2")
        jar = client.cookiejar
        found += [isinstance(jar, CookieJar), jar is client.client.cookiejar, sorted((c.name, c.value) for c in jar)]
        jar.clear("127.0.0.1", "/", "a")
        found.append(client.get("/cookies").json())
        client.client.cookiejar = None
        client.get("/cookies/set?c=3")
        found.append(client.get("/cookies").json())
        """
    )
    assert found[:3] == [True, True, [["a", "1"], ["b", "2"]]]
    assert "b" in str(found[3]) and "a" not in found[3].get("cookies", found[3])
    assert "c" not in found[4].get("cookies", found[4])


def test_users_of_a_pool_share_its_connections_and_no_cookies(script: Script, target: Target) -> None:
    found, _ = script(
        """
        class U(FastHttpUser):
            host = url
            client_pool = HTTPClientPool(concurrency=2, network_timeout=10)

        users = [U(environment) for _ in range(8)]
        users[0].client.get("/cookies/set?mine=1")
        found.append("mine" in users[1].client.get("/cookies").text)
        gevent.joinall([gevent.spawn(user.client.get, "/delay?ms=20") for user in users])
        U.client_pool.close()
        found.append(users[0].client.get("/json").status_code)
        """
    )
    assert found == [False, 200]
    assert target.counts()["connections_opened"] <= 3 + 1, "two shared ones, one after they were closed, and the reader"


def test_users_of_a_pool_manager_share_its_connections(script: Script, target: Target) -> None:
    found, _ = script(
        """
        import urllib3

        class U(locust.HttpUser):
            host = url
            pool_manager = urllib3.PoolManager(maxsize=2, block=True)

        users = [U(environment) for _ in range(8)]
        gevent.joinall([gevent.spawn(user.client.get, "/delay?ms=20") for user in users])
        found.append(users[0].client.get("/json").status_code)
        U.pool_manager.clear()
        found.append(users[0].client.get("/json").status_code)
        """
    )
    assert found == [200, 200]
    assert target.counts()["connections_opened"] <= 3 + 1


def test_a_pool_that_does_not_block_opens_more_and_keeps_its_size(script: Script, target: Target) -> None:
    script(
        """
        import urllib3

        class U(locust.HttpUser):
            host = url
            pool_manager = urllib3.PoolManager(maxsize=1)

        users = [U(environment) for _ in range(6)]
        start = time.monotonic()
        gevent.joinall([gevent.spawn(user.client.get, "/delay?ms=300") for user in users])
        assert time.monotonic() - start < 1.5, "nobody waited for another"
        for _ in range(5):
            users[0].client.get("/json")
        """
    )
    assert 6 <= target.counts()["connections_opened"] <= 7 + 1


def test_files_and_streams_as_bodies(script: Script) -> None:
    found, _ = script(
        """
        def sent(**arguments):
            return client.post("/echo", **arguments).json()

        def header(saw, name):
            return [value for own, value in saw["headers"] if own.lower() == name]

        saw = sent(files={"f": ("n.txt", b"data", "text/x", {}, "BOUND")}, data={"a": 1})
        found += [saw["body"], header(saw, "content-type")]
        saw = sent(data=io.BytesIO(b"from a file"))
        found += [saw["body"], header(saw, "transfer-encoding"), header(saw, "content-type")]
        saw = sent(data=(piece for piece in ["a", "b"]))
        found += [saw["body"], header(saw, "content-length")]
        """
    )
    assert found == [
        '--BOUND\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        '--BOUND\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\nContent-Type: text/x\r\n\r\ndata\r\n'
        "--BOUND--\r\n",
        ["multipart/form-data; boundary=BOUND"],
        "from a file",
        ["chunked"],
        ["application/octet-stream"],
        "ab",
        [],
    ]


def test_a_stream_is_read_as_it_arrives(script: Script) -> None:
    found, told = script(
        """
        start = time.monotonic()
        response = client.get("/drip?bytes=5&ms=100", stream=True)
        found.append(time.monotonic() - start < 0.35)
        found += [len(response.read(2)), len(response.stream.read()), response.isclosed()]
        found.append([len(piece) for piece in client.get("/bytes/2500", stream=True).iter_content(1000)])
        found.append(list(client.iter_lines("/headers?a=1")) == client.get("/headers?a=1").text.splitlines())
        found.append(len(client.get("/encoded/gzip", stream=True).content) > 1000)
        broken = client.get("/close-mid-body", stream=True)
        try:
            broken.read()
        except Exception as error:
            found += [kind(error), len(broken.read())]
        """
    )
    assert found == [True, 2, 3, True, [1000, 1000, 500], True, True, "HTTPParseError", 100]
    assert ["/bytes/2500", None, 2500] in told, "the declared length"


def test_a_url_may_have_any_characters_anywhere(script: Script) -> None:
    found, told = script("""found.append(client.get("/echo/ü").json()["path"])""")
    assert found == ["/echo/%C3%BC"]
    assert told[0][:2] == ["/echo/ü", None]


def test_the_conversation_is_told(script: Script) -> None:
    found, _ = script(
        """
        stream = io.StringIO()
        error = client.post("/status/404", data="abc", debug_stream=stream).error
        found += [stream.getvalue().strip() == error.http_log.strip(), error.http_log.splitlines()[1]]
        found.append(error.request.body.decode())
        """
    )
    assert found == [True, "POST /status/404 HTTP/1.1", "abc"]
