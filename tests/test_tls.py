"""TLS as locustfiles ask for it: whom they trust, whom they are, and what they cannot have."""

from __future__ import annotations

import socket
import ssl
import textwrap
import threading

import pytest

from certificates import Authority, witness


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server_pair(authority):
    return authority.sign("server", "DNS:localhost", "IP:127.0.0.1", "IP:::1")


SESSION = """
    import json
    import sys
    import locust
    from locust.clients import HttpSession
    from locust.event import EventHook

    def session(base):
        session = HttpSession(base, EventHook(), None)
        session.trust_env = False  # as HttpUser has it
        return session

    def told(response):
        return [response.status_code, response.text if response.status_code else type(response.error).__name__]

    def attempt(work):
        try:
            return told(work())
        except Exception as error:
            return [type(error).__name__, str(error)]
"""


@pytest.fixture
def ask(python_script):
    """Runs `code` after the helpers above; what it prints last is returned."""

    def run(code, *arguments, **environment):
        script = textwrap.dedent(SESSION) + textwrap.dedent(code)
        return python_script(script, *(str(argument) for argument in arguments), **environment).last_line

    return run


def test_authorities_come_from_a_file_or_a_hashed_folder(ask, authority, server_pair):
    with witness(server_pair) as server:
        found = ask(
            """
            base, file, folder = sys.argv[1:]
            whole = session(base)
            whole.verify = file
            print(json.dumps([
                attempt(lambda: session(base).get("/", verify=file)),
                attempt(lambda: session(base).get("/", verify=folder)),
                attempt(lambda: whole.get("/")),
                attempt(lambda: session(base).get("/", verify=False)),
                attempt(lambda: session(base).get("/")),
                attempt(lambda: whole.get("/", verify=True)),
            ]))
            """,
            f"https://localhost:{server.port}",
            authority.pem,
            authority.hashed_folder(),
        )
    assert found == [[200, "ok"]] * 4 + [[0, "SSLError"]] * 2


def test_the_certificate_must_be_for_the_host(ask, authority):
    pair = authority.sign("elsewhere", "DNS:elsewhere.test")
    with witness(pair) as server:
        found = ask(
            'print(json.dumps(attempt(lambda: session(sys.argv[1]).get("/", verify=sys.argv[2]))))',
            f"https://localhost:{server.port}",
            authority.pem,
        )
    assert found == [0, "SSLError"]


def test_a_server_may_show_the_very_certificate_that_is_trusted(ask, authority, tmp_path):
    own = Authority(tmp_path, "DNS:localhost")  # as `openssl req -x509` makes it: an authority's
    with witness((own.pem, own.key)) as server:
        found = ask(
            """
            named, address, own, other = sys.argv[1:]
            print(json.dumps([
                attempt(lambda: session(named).get("/", verify=own)),
                attempt(lambda: session(address).get("/", verify=own)),
                attempt(lambda: session(named).get("/", verify=other)),
            ]))
            """,
            f"https://localhost:{server.port}",
            f"https://127.0.0.1:{server.port}",
            own.pem,
            authority.pem,
        )
    assert found == [[200, "ok"], [0, "SSLError"], [0, "SSLError"]]


def test_server_name_is_the_host_of_the_url_and_none_for_an_address(ask, server_pair):
    with witness(server_pair) as server:
        ask(
            """
            port = sys.argv[1]
            session(f"https://localhost:{port}").get("/", verify=False, headers={"Host": "shop.test"})
            session(f"https://127.0.0.1:{port}").get("/", verify=False)
            print("null")
            """,
            server.port,
        )
        assert [connection["name"] for connection in server.connections] == ["localhost", None]


def test_a_client_certificate_is_one_file_or_two(ask, authority, server_pair):
    certificate, key = authority.sign("client")
    both = certificate.with_name("both.pem")
    both.write_text(certificate.read_text() + key.read_text())
    with witness(server_pair, client_authority=authority.pem) as server:
        found = ask(
            """
            base, certificate, key, both = sys.argv[1:]
            whole = session(base)
            whole.verify, whole.cert = False, both
            print(json.dumps([
                attempt(lambda: session(base).get("/", verify=False, cert=both)),
                attempt(lambda: session(base).get("/", verify=False, cert=(certificate, key))),
                attempt(lambda: whole.get("/")),
                attempt(lambda: session(base).get("/", verify=False)),
            ]))
            """,
            f"https://localhost:{server.port}",
            certificate,
            key,
            both,
        )
        assert found[:3] == [[200, "ok"]] * 3
        assert found[3][0] == 0
        assert [connection["client"] for connection in server.connections] == ["client"] * 3


def test_missing_files_are_raised_in_the_words_of_requests(ask, authority):
    certificate, _ = authority.sign("client")
    found = ask(
        """
        nowhere, certificate = "https://127.0.0.1:1", sys.argv[1]
        broken = session(nowhere)
        broken.cert = "/no/such"
        print(json.dumps([
            attempt(lambda: session(nowhere).get("/", verify="/no/such")),
            attempt(lambda: session(nowhere).get("/", cert="/no/such")),
            attempt(lambda: session(nowhere).get("/", cert=(certificate, "/no/such"))),
            attempt(lambda: broken.get("/")),
            attempt(lambda: session("http://127.0.0.1:1").get("/", verify="/no/such")),
        ]))
        """,
        certificate,
    )
    assert found == [
        ["OSError", "Could not find a suitable TLS CA certificate bundle, invalid path: /no/such"],
        ["OSError", "Could not find the TLS certificate file, invalid path: /no/such"],
        ["OSError", "Could not find the TLS key file, invalid path: /no/such"],
        ["OSError", "Could not find the TLS certificate file, invalid path: /no/such"],
        [0, "ConnectionError"],
    ]


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(ask, authority, server_pair):
    certificate, key = authority.sign("client")
    with witness(server_pair) as server:
        found = ask(
            """
            response = session(sys.argv[1]).get("/", verify=False, cert=(sys.argv[2], sys.argv[3]))
            print(json.dumps([type(response.error).__name__, str(response.error)]))
            """,
            f"https://localhost:{server.port}",
            certificate,
            authority.encrypt(key, "secret"),
        )
    assert found[0] == "SSLError"
    assert "is encrypted and no password was given" in found[1]


def test_connections_of_one_user_are_kept_apart_by_their_options(ask, authority, server_pair):
    certificate, key = authority.sign("client")
    with witness(server_pair) as server:
        ask(
            """
            client = session(sys.argv[1])
            for options in ({}, {"cert": (sys.argv[2], sys.argv[3])}, {}):
                client.get("/", verify=False, headers={"Connection": "close"}, **options)
            print("null")
            """,
            f"https://localhost:{server.port}",
            certificate,
            key,
        )
        assert [connection["resumed"] for connection in server.connections] == [False] * 3


FAST = """
    import json
    import ssl
    import sys
    import gevent.ssl
    import locust
    from locust import FastHttpUser, task
    from locust.contrib.fasthttp import FastHttpSession, insecure_ssl_context_factory
    from locust.event import EventHook

    def session(base, factory, insecure=True):
        return FastHttpSession(base, EventHook(), None, insecure=insecure, ssl_context_factory=factory)

    def attempt(work):
        try:
            response = work()
            return [response.status_code, response.text if response.status_code else type(response.error).__name__]
        except Exception as error:
            return [type(error).__name__, str(error)]
"""


@pytest.fixture
def ask_fast(python_script):
    def run(code, *arguments, **environment):
        script = textwrap.dedent(FAST) + textwrap.dedent(code)
        return python_script(script, *(str(argument) for argument in arguments), **environment).last_line

    return run


def test_a_context_says_whom_to_trust(ask_fast, authority, server_pair):
    elsewhere = authority.sign("elsewhere", "DNS:elsewhere.test")
    with witness(server_pair) as server, witness(elsewhere) as other:
        found = ask_fast(
            """
            base, other, file, folder = sys.argv[1:]

            def in_file(cafile=None):
                context = gevent.ssl.create_default_context(cafile=cafile)
                context.load_verify_locations(file)
                return context

            def in_folder(cafile=None):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations(capath=folder)
                return context

            print(json.dumps([
                attempt(lambda: session(base, in_file).get("/")),
                attempt(lambda: session(base, in_folder).get("/")),
                attempt(lambda: session(base, insecure_ssl_context_factory).get("/")),
                attempt(lambda: session(base, ssl.create_default_context).get("/")),
                attempt(lambda: session(base, insecure_ssl_context_factory, insecure=False).get("/")),
                attempt(lambda: session(other, in_file).get("/")),
                attempt(lambda: session(other, in_file, insecure=False).get("/")),
            ]))
            """,
            f"https://localhost:{server.port}",
            f"https://localhost:{other.port}",
            authority.pem,
            authority.hashed_folder(),
        )
    refused = [0, "SSLCertVerificationError"]
    # `insecure` is on by default: the name is not looked at, but the context's own check of the signature stands.
    assert found == [[200, "ok"], [200, "ok"], [200, "ok"], refused, refused, [200, "ok"], refused]


def test_a_context_says_who_the_user_is(ask_fast, authority, server_pair):
    certificate, key = authority.sign("client")
    with witness(server_pair, client_authority=authority.pem) as server:
        found = ask_fast(
            """
            import os
            base, certificate, key, encrypted = sys.argv[1:]
            context = ssl._create_unverified_context()
            context.load_cert_chain(certificate, key)
            asked = []

            def password():
                asked.append(True)
                return b"secret"

            def from_an_encrypted_key():
                context = gevent.ssl._create_unverified_context()
                context.load_cert_chain(certificate, encrypted, password)
                os.unlink(encrypted)
                return context

            def without_password():
                context = ssl._create_unverified_context()
                context.load_cert_chain(certificate, key + ".copy")
                return context

            with open(encrypted) as original, open(key + ".copy", "w") as copy:
                copy.write(original.read())
            print(json.dumps([
                attempt(lambda: session(base, lambda: context).get("/")),
                attempt(lambda: session(base, from_an_encrypted_key).get("/")),
                attempt(lambda: session(base, None).get("/"))[0],
                attempt(lambda: session(base, without_password).get("/")),
                len(asked),
            ]))
            """,
            f"https://localhost:{server.port}",
            certificate,
            key,
            authority.encrypt(key, "secret"),
        )
        words = f"the private key in `{key}.copy` is encrypted and no password was given"
        assert found == [[200, "ok"], [200, "ok"], 0, ["ValueError", words], 1]
        assert [connection["client"] for connection in server.connections] == ["client"] * 2


def test_versions_and_ciphers_of_a_context_are_kept(ask_fast, server_pair):
    with witness(server_pair) as server:
        ask_fast(
            """
            def older():
                context = ssl._create_unverified_context()
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
                return context

            def newer():
                context = ssl._create_unverified_context()
                context.options |= ssl.OP_NO_TLSv1_2
                return context

            for factory in (older, newer):
                session(sys.argv[1], factory).get("/")
            print("null")
            """,
            f"https://localhost:{server.port}",
        )
        seen = [(connection["version"], connection["cipher"]) for connection in server.connections]
    assert seen[0] == ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305")
    assert seen[1][0] == "TLSv1.3"


def test_what_a_context_has_and_the_engine_has_not_is_refused(ask_fast):
    found = ask_fast(
        """
        def changed(change):
            context = ssl.create_default_context()
            change(context)
            return attempt(lambda: session("https://127.0.0.1:1", lambda: context).get("/"))

        class Own(ssl.SSLContext):
            def wrap_socket(self, *args, **kwargs):
                return super().wrap_socket(*args, **kwargs)

        print(json.dumps([
            changed(lambda context: setattr(context, "maximum_version", ssl.TLSVersion.TLSv1_1)),
            changed(lambda context: setattr(context, "verify_flags", ssl.VERIFY_CRL_CHECK_LEAF)),
            changed(lambda context: context.set_alpn_protocols(["h2"])),
            changed(lambda context: context.set_ecdh_curve("prime256v1")),
            changed(lambda context: context.set_alpn_protocols(["http/1.1"])),
            attempt(lambda: session("https://127.0.0.1:1", lambda: Own(ssl.PROTOCOL_TLS_CLIENT)).get("/")),
            attempt(lambda: session("https://127.0.0.1:1", lambda: "context").get("/")),
        ]))
        """
    )
    kinds = [kind for kind, _ in found]
    assert kinds == ["NotImplementedError"] * 4 + [0, "NotImplementedError", "TypeError"]
    assert "only TLS 1.2 and 1.3" in found[0][1]
    assert "revocation lists" in found[1][1]
    assert "ALPN" in found[2][1]
    assert "set_ecdh_curve" in found[3][1]
    assert "wrap_socket" in found[5][1]


def test_a_users_method_can_be_the_factory_and_users_differ(python_script, authority, server_pair):
    pairs = [authority.sign(f"user-{number}") for number in range(2)]
    with witness(server_pair, client_authority=authority.pem) as server:
        script = textwrap.dedent(FAST) + textwrap.dedent(
            """
            from locust.env import Environment

            class User(FastHttpUser):
                host = sys.argv[1]

                def ssl_context_factory(self):
                    context = ssl._create_unverified_context()
                    context.load_cert_chain(*self.pair)
                    return context

            environment = Environment(user_classes=[User])
            for pair in (sys.argv[2:4], sys.argv[4:6]):
                user = User(environment)
                user.pair = pair
                assert user.client.get("/").status_code == 200
                assert user.client.get("/").status_code == 200
            print("null")
            """
        )
        arguments = [f"https://localhost:{server.port}", *(str(path) for pair in pairs for path in pair)]
        assert python_script(script, *arguments).last_line is None
        assert [connection["client"] for connection in server.connections] == ["user-0", "user-1"]


def test_the_systems_authorities_are_trusted_by_a_secure_fast_client(ask_fast, authority, server_pair):
    with witness(server_pair) as server:
        found = ask_fast(
            'print(json.dumps(attempt(lambda: session(sys.argv[1], None, insecure=False).get("/"))))',
            f"https://localhost:{server.port}",
            SSL_CERT_FILE=str(authority.pem),
        )
    assert found == [200, "ok"]


def test_a_server_that_closes_without_a_word_of_tls_has_ended_its_body(ask, server_pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_pair)

    def serve(listener):
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\n\r\nup to the close")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        base = f"https://127.0.0.1:{listener.getsockname()[1]}"
        found = ask("print(json.dumps(attempt(lambda: session(sys.argv[1]).get('/', verify=False))))", base)
        thread.join(10)
    assert found == [200, "up to the close"]
