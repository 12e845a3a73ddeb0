"""The session itself: its attributes, its life, and what subclasses do with it."""

from __future__ import annotations

import copy
import os
import pickle

import gevent
import requests

from ..probe import both, fast, http


@http
def defaults(client, say):
    say(client.max_redirects, client.verify, client.cert, client.trust_env, client.stream, client.auth, client.proxies)
    say(client.hooks, client.params, sorted(client.headers), list(client.adapters), client.request_name)


@http
def kinds(client, say):
    say(isinstance(client, requests.Session), type(client).__name__)
    say(client.base_url == client.user.host, client.request_event is client.user.environment.events.request)


@http
def attributes_of_a_locustfiles_own(client, say):
    client.timeout = 5
    client.token = "x"
    say(client.timeout, client.token, hasattr(client, "missing"))
    client.missing


@http
def verify_false_and_true(client, tls, say):
    client.verify = False
    say(client.get(tls + "/json").status_code)
    client.verify = True
    say(client.get(tls + "/json").status_code)


@http
def verify_by_request(client, tls, say):
    say(client.get(tls + "/json", verify=False).status_code, client.get(tls + "/json", verify=True).status_code)


@http
def verify_a_missing_file(client, tls, say):
    client.get(tls + "/json", verify="/nowhere/ca.pem")


@http
def verify_a_file_that_is_not_its_authority(client, tls, say):
    say(client.get(tls + "/json", verify=requests.certs.where()).status_code)


@http.each("/nowhere/cert.pem", ("/nowhere/cert.pem", "/nowhere/key.pem"))
def cert_that_is_missing(client, tls, value):
    client.get(tls + "/json", verify=False, cert=value)


@http
def cert_of_the_session_that_is_missing(client, tls):
    client.verify = False
    client.cert = "/nowhere/cert.pem"
    client.get(tls + "/json")


@http
def environment_names_an_authority(client, tls, say, folder):
    client.trust_env = True
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ[name] = str(folder / "missing.pem")
        try:
            client.get(tls + "/json")
        except OSError as error:
            say(type(error).__name__, str(error).replace(str(folder), ""))
        finally:
            del os.environ[name]


@http
def environment_is_not_trusted_by_default(client, tls, say, folder):
    os.environ["REQUESTS_CA_BUNDLE"] = str(folder / "missing.pem")
    try:
        say(client.get(tls + "/json", verify=False).status_code, client.trust_env)
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]


@http
def context_manager(client, say):
    with client as same:
        say(same is client, same.get("/json").status_code)
    say(client.get("/json").status_code)


@both
def close(client, say):
    say(client.get("/json").status_code)
    client.close() if hasattr(client, "close") else client.client.close()
    say(client.get("/json").status_code)


@http
def another_session_of_the_class(client, user, locust, say):
    other = locust.clients.HttpSession(client.base_url, client.request_event, user)
    other.get("/json", name="of another")
    say(other.trust_env, other.user is user)


@http
def session_without_a_user(client, locust, say):
    other = locust.clients.HttpSession(client.base_url, client.request_event, None)
    other.get("/json")
    other.get("/json", context={"own": 1})
    say(other.user)


@http
def event_of_its_own(client, locust, user, say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: say(sorted(kw), kw["name"]))
    locust.clients.HttpSession(client.base_url, hook, user).get("/json")


@http
def subclass_of_the_session(client, user, locust, say):
    class Own(locust.clients.HttpSession):
        def request(self, method, url, *args, **kwargs):
            kwargs.setdefault("headers", {})["X-Own"] = method
            return super().request(method, url + "?own", *args, **kwargs)

    other = Own(client.base_url, client.request_event, user)
    other.get("/echo")
    other.post("/echo", data="x", name="named")


@http
def subclass_that_overrides_get(client, user, locust):
    class Own(locust.clients.HttpSession):
        def get(self, url, **kwargs):
            return super().get(f"/echo?of={url}", **kwargs)

    Own(client.base_url, client.request_event, user).get("it")


@http
def subclass_that_overrides_send(client, user, locust, say):
    class Own(locust.clients.HttpSession):
        def send(self, request, **kwargs):
            say(request.method, request.url.endswith("/echo"), sorted(kwargs))
            request.headers["X-Sent"] = "1"
            return super().send(request, **kwargs)

    say(Own(client.base_url, client.request_event, user).get("/echo").status_code)


@http
def request_replaced_on_the_instance(client, say):
    original = client.request

    def request(method, url, **kwargs):
        say(method, url)
        return original(method, url, **kwargs)

    client.request = request
    client.get("/json")


@http
def class_attribute_client(user, another, locust, say):
    class Own(locust.clients.HttpSession):
        pass

    own = another(user)
    own.client = Own(own.host, own.environment.events.request, own)
    say(own.client.get("/json").status_code)


@http
def requests_of_its_own(host, say):
    r = requests.get(host + "/json", headers={"Accept-Encoding": "identity"})
    say(r.status_code, type(r).__name__)
    requests.get("http://127.0.0.1:1/", timeout=1)


@http
def plain_session(host, say):
    with requests.Session() as session:
        say(session.get(host + "/json", headers={"Accept-Encoding": "identity"}).status_code)


@http
def plain_response_has_success_and_failure(host):
    requests.get(host + "/json", headers={"Accept-Encoding": "identity"}).success()


@http
def get_adapter(client, say):
    say(isinstance(client.get_adapter("http://x/"), requests.adapters.HTTPAdapter), sorted(client.adapters))
    client.get_adapter("ftp://x/")


@http
def merge_environment_settings(client, say):
    settings = client.merge_environment_settings("http://x/", {}, None, None, None)
    say(sorted(settings), settings["verify"], settings["stream"], settings["cert"], dict(settings["proxies"]))


@http
def pickled(client):
    pickle.dumps(client)


@http
def copied(client, say):
    other = copy.copy(client)
    say(type(other).__name__)


@both
def shared_by_greenlets(client, say):
    found = gevent.joinall([gevent.spawn(client.get, "/delay?ms=50") for _ in range(9)])
    say([each.value.status_code for each in found])


@both
def method_of_a_library_that_takes_it(client, say):
    def library(session):
        return session.request("GET", "/json").status_code

    say(library(client))


@http
def verb_in_any_case(client):
    client.request("Get", "/echo")
    client.request("PURGE", "/echo")
    client.request("a-b", "/echo")


@http.each("", "GET /x", "ü", None, 5, b"GET")
def verb_that_is_none(client, value):
    client.request(value, "/echo")


@both
def positional_name(client):
    client.request("GET", "/json", "named")


@both
def unknown_argument(client):
    client.get("/echo", nonsense="1")


@http
def too_many_arguments(client):
    client.get("/json", "name")


@http
def missing_url(client):
    client.get()


@both
def repr_of_it(client, say):
    say(type(client).__name__, repr(client).partition(" ")[0])


@fast
def fast_attributes(client, user, say):
    say(
        client.base_url == user.host,
        client.user is user,
        client.auth_header,
        len(client.cookiejar),
        client.request_name,
    )


@fast
def fast_without_a_user(client, locust):
    other = locust.contrib.fasthttp.FastHttpSession(client.base_url, client.request_event, None)
    other.get("/json")
