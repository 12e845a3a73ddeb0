"""Proxies: what goes through them, what they and the server count, and what is said when they do not do it."""

from __future__ import annotations

import socket
import textwrap

import pytest

from proxies import http_proxy, socks_proxy

SETUP = """
    import json
    import sys
    import gevent
    import locust
    from locust import FastHttpUser, HttpUser
    from locust.env import Environment

    host, proxy, *arguments = sys.argv[1:]
    failures = []

    def note(exception, **_):
        if exception is not None:
            failures.append(repr(exception))

    environment = Environment()
    environment.events.request.add_listener(note)

    class Slow(HttpUser):
        pass

    class Fast(FastHttpUser):
        if proxy.startswith("http://"):
            proxy_host, proxy_port = "127.0.0.1", int(proxy.rpartition(":")[2])

    Slow.host = Fast.host = host

    def user():
        client = Slow(environment).client
        client.proxies = {"http": proxy, "https": proxy}
        client.verify = False
        return client
"""


@pytest.fixture
def ask(python_script):
    """Runs `code` behind users who go through `proxy`; what it prints last is returned."""

    def run(host, proxy, code, **environment):
        script = textwrap.dedent(SETUP) + textwrap.dedent(code)
        return python_script(script, host, proxy, **environment).last_line

    return run


@pytest.fixture
def secure(tls_target):
    """The URL of a target that serves TLS."""
    return tls_target[1]


def test_plain_urls_are_asked_for_in_the_absolute_form(ask, target):
    code = """
        client = user()
        client.get("/json?a=1")
        echoed = client.post("/echo", data="körper".encode(), headers={"X-Mine": "1"}).json()
        sent = {name.lower(): value for name, value in echoed["headers"]}
        fast = Fast(environment).client.get("/json")
        seen = [echoed["body"], sent["x-mine"], sent["host"], sent["user-agent"][:7]]
        print(json.dumps([*seen, fast.status_code, failures]))
    """
    with http_proxy() as proxy:
        found = ask(target.url, proxy.url("http"), code)
    assert found == ["körper", "1", target.url.removeprefix("http://"), "python-", 200, []]
    assert proxy.log == [f"GET {target.url}/json?a=1", f"POST {target.url}/echo", f"GET {target.url}/json"]
    assert proxy.accepted == 2
    assert target.counts()["requests_finished"] == 3


def test_connections_are_kept_one_for_each_user(ask, target):
    code = """
        clients = [user() for _ in range(5)]
        for _ in range(4):
            gevent.joinall([gevent.spawn(client.get, "/json") for client in clients])
        print(json.dumps(failures))
    """
    with http_proxy() as proxy:
        assert ask(target.url, proxy.url("http"), code) == []
    assert len(proxy.log) == 20
    assert proxy.accepted == 5
    assert target.counts()["connections_opened"] == 5


def test_others_through_a_tunnel(ask, secure):
    code = """
        statuses = [user().get("/json").status_code, Fast(environment).client.get("/json").status_code]
        print(json.dumps([statuses, failures]))
    """
    with http_proxy() as proxy:
        assert ask(secure, proxy.url("http"), code) == [[200, 200], []]
    assert proxy.log == [f"CONNECT {secure.removeprefix('https://')}"] * 2


def test_credentials_are_given(ask, target, secure):
    code = """
        print(json.dumps(user().get("/json").status_code))
    """
    with http_proxy("u", "p@ss") as proxy:
        assert ask(target.url, proxy.url("http", "u:p%40ss@"), code) == 200
        assert ask(secure, proxy.url("http", "u:p%40ss@"), code) == 200
    assert not any(line.startswith("407") for line in proxy.log)


def test_a_proxy_that_wants_others(ask, target, secure):
    code = """
        response = user().get("/json")
        print(json.dumps([response.status_code, type(response.error).__name__, failures]))
    """
    with http_proxy("u", "right") as proxy:
        plain = ask(target.url, proxy.url("http", "u:wrong@"), code)
        tunnel = ask(secure, proxy.url("http", "u:wrong@"), code)
    assert plain[0] == 407
    assert plain[2] == ["HTTPError('407 Client Error: Proxy Authentication Required for url: /json')"]
    assert tunnel == [0, "ProxyError", ["OSError('Tunnel connection failed: 407 Proxy Authentication Required')"]]


def test_a_tunnel_to_nowhere(ask):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"https://127.0.0.1:{closed.getsockname()[1]}"
    code = """
        response = user().get("/")
        fast = Fast(environment).client.get("/")
        print(json.dumps([response.status_code, type(response.error).__name__, fast.status_code, len(failures)]))
    """
    with http_proxy() as proxy:
        assert ask(nowhere, proxy.url("http"), code) == [0, "ProxyError", 0, 2]


def test_no_proxy_there(ask, target):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
    code = """
        response = user().get("/json")
        fast = Fast(environment).client.get("/json")
        print(json.dumps([type(response.error).__name__, str(response.error), type(fast.error).__name__, failures]))
    """
    kind, text, fast, failures = ask(target.url, dead, code)
    assert (kind, fast) == ("ProxyError", "ConnectionRefusedError")
    assert "Unable to connect to proxy" in text
    assert failures == ["ConnectionRefusedError(111, 'Connection refused')"] * 2
    kind, _, _, failures = ask(target.url, "http://no.invalid:80", code)
    assert kind == "ProxyError"
    assert "gaierror" in failures[0]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks(ask, target, secure, scheme):
    code = """
        client = user()
        statuses = [client.get("/json").status_code, client.get("/json").status_code]
        print(json.dumps([statuses, failures]))
    """
    with socks_proxy("u", "p") as proxy:
        plain = target.url.replace("127.0.0.1", "localhost")
        assert ask(plain, proxy.url(scheme, "u:p@"), code) == [[200, 200], []]
        tls = secure.replace("127.0.0.1", "localhost")
        assert ask(tls, proxy.url(scheme, "u:p@"), code) == [[200, 200], []]
    kind, host = ("name", "localhost") if scheme == "socks5h" else ("address", "")
    assert [line.split(":")[0].startswith(f"{kind} {host}") for line in proxy.log] == [True, True]


def test_socks_with_a_wrong_password(ask, target):
    code = """
        response = user().get("/json")
        print(json.dumps([response.status_code, type(response.error).__name__, len(failures)]))
    """
    with socks_proxy("u", "right") as proxy:
        assert ask(target.url, proxy.url("socks5", "u:wrong@"), code) == [0, "ProxyError", 1]
    assert proxy.log == ["wrong password"]


def test_what_is_no_proxy_is_said(ask, target):
    code = """
        kinds = []
        for proxy in ["http://", "ftp://a:1", "http://a:b@:80"]:
            try:
                user().get("/json")
            except Exception as error:
                kinds.append([type(error).__name__, str(error)])
        print(json.dumps(kinds))
    """
    kinds = ask(target.url, "http://unused:1", code)
    malformed = "Please check proxy URL. It is malformed and could be missing the host."
    assert kinds[0] == kinds[2] == ["InvalidProxyURL", malformed]
    assert kinds[1][0] == "InvalidURL"
    assert target.counts()["requests"] == 0


def test_the_environment_names_one(ask, target):
    code = """
        client = Slow(environment).client
        before = client.get("/json?heeded=no").status_code
        client.trust_env = True
        after = client.get("/json?heeded=yes").status_code
        print(json.dumps([before, after]))
    """
    with http_proxy() as proxy:
        assert ask(target.url, "http://unused:1", code, http_proxy=proxy.url("http"), no_proxy="") == [200, 200]
    assert proxy.log == [f"GET {target.url}/json?heeded=yes"]


def test_silence_behind_a_proxy_is_a_time_out(ask, target):
    code = """
        response = user().get("/delay?ms=60000", timeout=0.2)
        print(json.dumps([type(response.error).__name__, failures]))
    """
    with http_proxy() as proxy:
        kind, failures = ask(target.url, proxy.url("http"), code)
    assert kind == "ReadTimeout"
    assert len(failures) == 1


def test_a_proxy_that_takes_no_connection_is_a_connect_time_out(ask, secure):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code = """
            response = user().get("/", timeout=(0.2, 30))
            print(json.dumps([type(response.error).__name__]))
        """
        assert ask(secure, f"http://127.0.0.1:{silent.getsockname()[1]}", code) == ["ConnectTimeout"]


def test_bodies_stream_through(ask, target):
    code = """
        response = user().get("/bytes/3000000", stream=True)
        length = sum(len(piece) for piece in response.iter_content(10000))
        gzip = user().get("/encoded/gzip").json()["coding"]
        print(json.dumps([response.status_code, length, gzip]))
    """
    with http_proxy() as proxy:
        assert ask(target.url, proxy.url("http"), code) == [200, 3_000_000, "gzip"]
