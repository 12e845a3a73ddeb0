"""Adapters: mounted ones, with retries, of a locustfile's own, and pools."""

from __future__ import annotations

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.util import Retry

from ..probe import http


class Counting(HTTPAdapter):
    def __init__(self, say, **kwargs):
        super().__init__(**kwargs)
        self.say = say

    def send(self, request, **kwargs):
        self.say("send", request.method, request.path_url, sorted(kwargs))
        return super().send(request, **kwargs)


class Canned(BaseAdapter):
    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        response = requests.Response()
        response.status_code, response._content, response.url = 203, b"canned", request.url
        response.request, response.connection = request, self
        response.headers["X-Canned"] = str(timeout)
        return response

    def close(self):
        pass


@http
def plain_one(client, say):
    client.mount("http://", HTTPAdapter())
    say(client.get("/json").status_code)
    client.get("/json")


@http
def pool_sizes(client, say):
    client.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1))
    say(client.get("/json").status_code, client.get("/redirect/1").status_code)


@http
def retries_of_a_status(client, say, target):
    target.respond("/busy", status=503)
    client.mount("http://", HTTPAdapter(max_retries=Retry(total=2, backoff_factor=0, status_forcelist=[503])))
    r = client.get("/busy")
    say(r.status_code)


@http
def retries_that_end_well(client, say):
    client.mount("http://", HTTPAdapter(max_retries=Retry(total=3, backoff_factor=0, status_forcelist=[500])))
    client.get("/fail-every/2")
    say(client.get("/fail-every/2").status_code)


@http
def retries_that_give_the_last_response(client, say, target):
    target.respond("/busy", status=503, body="busy")
    retry = Retry(total=1, backoff_factor=0, status_forcelist=[503], raise_on_status=False)
    client.mount("http://", HTTPAdapter(max_retries=retry))
    r = client.get("/busy")
    say(r.status_code, r.text)


@http
def retries_not_of_a_post(client, say, target):
    target.respond("/busy", status=503)
    client.mount("http://", HTTPAdapter(max_retries=Retry(total=2, backoff_factor=0, status_forcelist=[503])))
    say(client.post("/busy", data="x").status_code)


@http
def retries_of_a_post(client, say, target):
    target.respond("/busy", status=503)
    retry = Retry(total=2, backoff_factor=0, status_forcelist=[503], allowed_methods=["POST"], raise_on_status=False)
    client.mount("http://", HTTPAdapter(max_retries=retry))
    say(client.post("/busy", data="x").status_code)


@http
def retries_of_a_connection(client, say):
    client.mount("http://", HTTPAdapter(max_retries=2))
    say(client.get("http://127.0.0.1:1/x").status_code)


@http
def retries_of_a_read(client, say):
    client.mount("http://", HTTPAdapter(max_retries=Retry(read=1, connect=0, backoff_factor=0)))
    say(client.get("/close").status_code)


@http
def retries_after_what_the_server_says(client, say, target):
    target.respond("/busy", status=429, headers={"retry-after": "0"})
    client.mount("http://", HTTPAdapter(max_retries=Retry(total=1, backoff_factor=0, status_forcelist=[429])))
    say(client.get("/busy").status_code)


@http
def of_its_own(client, say):
    client.mount("http://", Counting(say))
    client.get("/json?a=1", timeout=5)
    client.post("/echo", data="x", headers={"X-A": "1"})


@http
def of_its_own_sees_each_redirect(client, say):
    client.mount("http://", Counting(say))
    say(client.get("/redirect/2").status_code)


@http
def that_answers_itself(client, say):
    client.mount("http://", Canned())
    r = client.get("/json", timeout=3)
    say(r.status_code, r.text, r.headers["x-canned"], r.url, type(r).__name__)


@http
def that_answers_itself_and_is_judged(client, say):
    client.mount("http://", Canned())
    with client.get("/json", catch_response=True, name="canned") as r:
        r.failure("canned")


@http
def for_another_scheme(client, say):
    client.mount("own://", Canned())
    client.base_url = "own://here"
    say(client.get("/json").text)


@http
def for_a_path(client, host, say):
    client.mount(f"{host}/canned", Canned())
    say(client.get("/canned/x").text, client.get("/json").status_code, len(client.adapters))


@http
def that_raises(client, say):
    class Refusing(HTTPAdapter):
        def send(self, *args, **kwargs):
            raise requests.exceptions.ConnectTimeout("made up")

    client.mount("http://", Refusing())
    say(client.get("/json").status_code)


@http
def that_adds_headers(client):
    class Adding(HTTPAdapter):
        def add_headers(self, request, **kwargs):
            request.headers["X-Added"] = "1"

    client.mount("http://", Adding())
    client.get("/echo")


@http
def that_sets_a_timeout(client, say):
    class Impatient(HTTPAdapter):
        def send(self, request, **kwargs):
            kwargs["timeout"] = kwargs.get("timeout") or 0.1
            return super().send(request, **kwargs)

    client.mount("http://", Impatient())
    say(client.get("/delay?ms=3000").status_code)


@http
def that_builds_the_response(client, say):
    class Building(HTTPAdapter):
        def build_response(self, request, response):
            built = super().build_response(request, response)
            built.headers["X-Built"] = "1"
            return built

    client.mount("http://", Building())
    say(client.get("/json").headers["x-built"])


@http
def mounted_adapters_are_shown(client, say):
    adapter = HTTPAdapter()
    client.mount("http://", adapter)
    say(client.get_adapter("http://x") is adapter, client.adapters["http://"] is adapter, adapter.max_retries.total)


@http
def pool_manager_of_the_user(user, another, say):
    own = another(user, pool_manager=urllib3.PoolManager(maxsize=1))
    say(own.client.get("/json").status_code)


@http
def pool_manager_shared(user, another):
    pool = urllib3.PoolManager()
    another(user, pool_manager=pool).client.get("/json")
    another(user, pool_manager=pool).client.get("/json")


class Signing(HTTPAdapter):
    def add_headers(self, request, **kwargs):
        request.headers["X-Kwargs"] = ",".join(sorted(kwargs))

    def send(self, request, stream=False, timeout=None, **kwargs):
        request.headers["X-Sent"] = "by its own"
        response = super().send(request, stream=stream, timeout=timeout, **kwargs)
        response.headers["X-Seen"] = "1"
        return response


@http
def of_its_own_on_top_of_the_plain_one(client, say):
    adapter = Signing(max_retries=Retry(total=1, backoff_factor=0, status_forcelist=[500]))
    client.mount("http://", adapter)
    r = client.get("/json")
    say(r.headers["x-seen"], r.connection is adapter, type(r.connection).__name__, isinstance(adapter, Signing))
    client.get("/fail-every/2")
    say(client.get("/fail-every/2").status_code, client.get_adapter("http://x") is adapter)


@http
def of_its_own_for_two_users(client, user, another, say):
    adapter = Signing()
    other = another(user).client
    client.mount("http://", adapter)
    other.mount("http://", adapter)
    client.get("/cookies/set?a=1")
    say(client.get("/cookies").text, other.get("/cookies").text)


@http
def of_its_own_used_elsewhere(client, host, say):
    adapter = Signing()
    client.mount("http://", adapter)
    client.get("/json")
    plain = requests.Session()
    plain.trust_env = False
    plain.headers["Accept-Encoding"] = "gzip"
    plain.mount("http://", adapter)
    say(plain.get(host + "/json").status_code, type(plain.get(host + "/json")).__name__)


@http
def of_its_own_with_own_pools(client, say):
    class Pooled(HTTPAdapter):
        def init_poolmanager(self, *args, **kwargs):
            super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **kwargs)

    client.mount("http://", Pooled())
    say(client.get("/echo").status_code)


@http
def send_of_an_instance(client, say):
    adapter = HTTPAdapter()
    send = adapter.send
    adapter.send = lambda request, **kwargs: say("own", request.path_url) or send(request, **kwargs)
    client.mount("http://", adapter)
    say(client.get("/json").status_code)


@http
def assigned_to_the_adapters(client, say):
    client.get("/json")
    client.adapters["http://"] = Canned()
    say(client.get("/json").text)


@http
def pauses_of_retries_are_waited_for(client, user, target, say):
    times = []
    user.environment.events.request.add_listener(lambda response_time, **_: times.append(response_time))
    target.respond("/busy", status=503, body="busy")
    retry = Retry(total=2, backoff_factor=0.1, status_forcelist=[503], raise_on_status=False)
    client.mount("http://", HTTPAdapter(max_retries=retry))
    client.get("/busy")
    say(len(times), times[0] >= 200)


@http
def retries_send_a_file_again(client, target, folder, say):
    (folder / "file").write_bytes(b"content of a file")
    target.respond("/busy", status=503)
    retry = Retry(total=2, backoff_factor=0, status_forcelist=[503], allowed_methods=["POST"], raise_on_status=False)
    client.mount("http://", HTTPAdapter(max_retries=retry))
    with (folder / "file").open("rb") as file:
        say(client.post("/busy", data=file).status_code)


@http.each(2, 0, None, False)
def retries_set_as_a_number(client, say, value):
    adapter = HTTPAdapter()
    client.mount("http://", adapter)
    client.get("/json")
    adapter.max_retries = value
    say(client.get("/json").status_code, client.get("/close").status_code)
