"""Where connections lead: addresses, names that a locustfile looks up itself, Unix sockets."""

from __future__ import annotations

import socket
import textwrap
from urllib.parse import quote

import pytest

from servers import server

CLIENTS = """
    import json
    import socket
    import sys
    import time
    import locust
    import gevent.socket
    from locust.clients import HttpSession
    from locust.contrib.fasthttp import FastHttpSession
    from locust.event import EventHook

    def sessions(base):
        plain = HttpSession(base, EventHook(), None)
        plain.trust_env = False  # as HttpUser has it
        return [plain, FastHttpSession(base, EventHook(), None, max_redirects=9)]

    def told(response):
        return [response.status_code, response.text if response.status_code else repr(innermost(response.error))]

    def innermost(error):
        while error.__context__ is not None or getattr(error, "args", ()) and isinstance(error.args[0], Exception):
            error = error.__context__ or error.args[0]
        return getattr(error, "reason", error)
"""


PINS = """
    own = socket.getaddrinfo
    asked = []

    def pin(answers):
        def pinned(host, port, *args, **kwargs):
            asked.append([host, port])
            found = answers(host, port)
            return own(host, port, *args, **kwargs) if found is None else found
        socket.getaddrinfo = gevent.socket.getaddrinfo = pinned

    def at(*places):
        kind = {False: socket.AF_INET, True: socket.AF_INET6}
        return [(kind[":" in host], socket.SOCK_STREAM, 6, "", (host, port)) for host, port in places]
"""
"""Answers given in the place of getaddrinfo."""


@pytest.fixture
def ask(python_script):
    """Runs `code` after the helpers above; what it prints last is returned."""

    def run(code, *arguments, **environment):
        script = "".join(textwrap.dedent(part) for part in (CLIENTS, PINS, code))
        return python_script(script, *(str(argument) for argument in arguments), **environment).last_line

    return run


@pytest.fixture(scope="module")
def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")


@pytest.mark.usefixtures("has_ipv6")
def test_an_address_of_ipv6_is_a_host_in_brackets(ask):
    with server("::1") as one:
        base = f"http://[::1]:{one.port}"
        found = ask("print(json.dumps([told(s.get('/')) for s in sessions(sys.argv[1])]))", base)
        assert found == [[200, f"[::1]:{one.port}"]] * 2


@pytest.mark.usefixtures("has_ipv6")
def test_an_address_that_refuses_costs_nothing(ask):
    with server("127.0.0.1") as one:
        found = ask(
            """
            port = int(sys.argv[1])
            pin(lambda host, port: at(("::1", port), ("127.0.0.1", port)))
            began = time.monotonic()
            answers = [told(session.get("/")) for session in sessions(f"http://shop.test:{port}")]
            print(json.dumps([answers, time.monotonic() - began]))
            """,
            one.port,
        )
        assert found[0] == [[200, f"shop.test:{one.port}"]] * 2
        assert found[1] < 5


def test_an_address_that_does_not_answer_costs_a_quarter_of_a_second(ask):
    # What listens and has as many waiting as it may answers no more.
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    try:
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        with server("127.0.0.1") as one:
            found = ask(
                """
                deaf, port = map(int, sys.argv[1:])
                pin(lambda host, _: at(("127.0.0.1", deaf), ("127.0.0.1", port)))
                began = time.monotonic()
                answers = [told(session.get("/")) for session in sessions("http://shop.test")]
                took = time.monotonic() - began
                pin(lambda host, _: at(("127.0.0.1", deaf)))
                session = sessions("http://shop.test")[0]
                print(json.dumps([answers, took, type(session.get("/", timeout=0.2).error).__name__]))
                """,
                deaf.getsockname()[1],
                one.port,
            )
    finally:
        for each in (deaf, *waiting):
            each.close()
    assert found[0] == [[200, "shop.test"]] * 2
    assert 0.5 <= found[1] < 10
    assert found[2] == "ConnectTimeout"


def test_a_replaced_getaddrinfo_is_asked_once_for_each_connection(ask):
    with server() as one:
        found = ask(
            """
            port = int(sys.argv[1])
            clients = sessions(f"http://shop.test:{port}")
            pin(lambda host, port: at(("127.0.0.1", port)) if host == "shop.test" else None)
            answers = [told(session.get(path)) for session in clients for path in ("/", "/close", "/", "/")]
            print(json.dumps([answers, asked]))
            """,
            one.port,
        )
        assert found[0] == [[200, f"shop.test:{one.port}"]] * 8
        # The second request closes the first connection.
        assert found[1] == [["shop.test", one.port]] * 4
        assert one.connections == 4


def test_a_replaced_getaddrinfo_is_asked_where_a_redirect_leads(ask):
    with server() as other, server(location=f"http://other.test:{other.port}/x") as one:
        found = ask(
            """
            pin(lambda host, port: at(("127.0.0.1", port)))
            base = f"http://shop.test:{sys.argv[1]}"
            print(json.dumps([[told(session.get("/away")) for session in sessions(base)], asked]))
            """,
            one.port,
        )
        assert found[0] == [[200, f"other.test:{other.port}"]] * 2
        assert found[1] == [["shop.test", one.port], ["other.test", other.port]] * 2
        assert [head[0] for head in one.heads] == ["GET /away HTTP/1.1"] * 2


def test_a_replaced_getaddrinfo_may_wait_and_fail(ask):
    with server() as one:
        found = ask(
            """
            import gevent
            port = int(sys.argv[1])
            said = []

            def slow(host, port):
                if host == "nowhere.test":
                    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
                if host == "broken.test":
                    raise LookupError("no such pin")
                gevent.sleep(0.2)
                said.append("looked up")
                return at(("127.0.0.1", port))

            pin(slow)
            beside = gevent.spawn(said.append, "others run")
            answers = [told(sessions(f"http://shop.test:{port}")[0].get("/"))]
            answers += [told(session.get("/")) for session in sessions("http://nowhere.test")]
            raised = []
            for session in sessions("http://broken.test"):
                try:
                    session.get("/")
                except LookupError as error:
                    raised.append(str(error))
            print(json.dumps([answers, raised, said]))
            """,
            one.port,
        )
        answers, raised, said = found
        assert answers[0] == [200, f"shop.test:{one.port}"]
        assert [status for status, _ in answers[1:]] == [0, 0]
        assert all("Temporary failure in name resolution" in text for _, text in answers[1:])
        assert raised == ["no such pin"] * 2
        assert said == ["others run", "looked up"]


@pytest.mark.usefixtures("has_ipv6")
def test_ipv6_can_be_turned_off_as_with_urllib3(ask):
    with server("::1") as one:
        found = ask(
            """
            import urllib3.util.connection
            base = f"http://localhost:{sys.argv[1]}"
            before = told(sessions(base)[0].get("/"))[0]
            urllib3.util.connection.HAS_IPV6 = False
            print(json.dumps([before, told(sessions(base)[0].get("/"))]))
            """,
            one.port,
        )
    if found[0] == 0:
        pytest.skip("`localhost` has no address of IPv6 here")
    assert found[1][0] == 0
    assert "refused" in found[1][1]


def test_a_replaced_create_connection_is_refused(ask):
    found = ask(
        """
        import urllib3.util.connection
        own = urllib3.util.connection.create_connection
        urllib3.util.connection.create_connection = lambda address, *args, **kwargs: own(address, *args, **kwargs)
        try:
            sessions("http://127.0.0.1:1")[0].get("/")
        except NotImplementedError as error:
            print(json.dumps(str(error)))
        """
    )
    assert "socket.getaddrinfo" in found


def test_a_unix_socket_serves_both_clients(ask, tmp_path):
    path = tmp_path / "a server.sock"
    with server(path, location="/x") as one:
        found = ask(
            """
            base = sys.argv[1]
            paths = ("/a?b=1", "/away", "/close", "/c")
            answers = [told(session.get(path)) for session in sessions(base) for path in paths]
            answers += [told(session.get(base + "/d")) for session in sessions("http://other.test")]
            through_requests = sessions(base)[0]
            through_requests.trust_env = True
            answers += [told(through_requests.get("/away", hooks={})), told(through_requests.get(base + "/g"))]
            answers.append(sessions(base)[0].delete("/e").url)
            print(json.dumps(answers))
            """,
            f"http+unix://{quote(str(path), safe='')}",
        )
        assert found == [[200, "localhost"]] * 12 + [f"http+unix://{quote(str(path), safe='')}/e"]
        lines = [head[0] for head in one.heads]
        more = ["GET /away", "GET /x", "GET /g", "DELETE /e"]
        for_each = ["GET /a?b=1", "GET /away", "GET /x", "GET /close", "GET /c"]
        assert lines == [f"{line} HTTP/1.1" for line in [*for_each, *for_each, "GET /d", "GET /d", *more]]


def test_a_unix_socket_that_is_not_there_is_a_failed_request(ask):
    found = ask("print(json.dumps([told(s.get('/')) for s in sessions('http+unix://%2Fno%2Fsuch.sock')]))")
    assert [status for status, _ in found] == [0, 0]
    assert all("No such file" in text for _, text in found)


def test_a_locustfile_can_have_a_unix_socket_as_its_host(python_script, tmp_path):
    path = tmp_path / "server.sock"
    with server(path):
        script = """
            import sys
            from locust import HttpUser, constant, task
            from locust.env import Environment
            import gevent

            class Shopper(HttpUser):
                host = "http+unix://" + sys.argv[1].replace("/", "%2F")
                wait_time = constant(0)

                @task
                def browse(self):
                    self.client.get("/page")
                    self.environment.runner.quit()

            environment = Environment(user_classes=[Shopper])
            environment.create_local_runner().start(1, 1)
            environment.runner.greenlet.join(10)
            entry = environment.stats.get("/page", "GET")
            print([entry.num_requests, entry.num_failures])
        """
        assert python_script(script, str(path)).last_line == [1, 0]


def test_a_replaced_getaddrinfo_is_asked_for_what_requests_prepares(ask):
    with server() as one:
        found = ask(
            """
            port = int(sys.argv[1])
            pin(lambda host, port: at(("127.0.0.1", port)))
            session = sessions(f"http://shop.test:{port}")[0]
            print(json.dumps([told(session.get("/", hooks={"response": lambda *_, **__: None})), asked]))
            """,
            one.port,
        )
        assert found[0] == [200, f"shop.test:{one.port}"]
        assert ["shop.test", one.port] in found[1]
