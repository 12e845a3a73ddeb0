"""What locustfiles do beside a bare GET, a user class for each: the command names the one to run."""

from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.util import Retry

from locust import FastHttpUser, HttpUser
from locust.contrib.fasthttp import FastResponse

ORDER = {"customer": 4711, "items": [{"sku": f"A-{n}", "quantity": n, "price": 9.99} for n in range(5)], "note": "soon"}
HEADERS = {f"X-Header-{n}": f"value {n} of a header" for n in range(20)}


def get(user: HttpUser) -> None:
    user.client.get("/")


def post_json(user: HttpUser | FastHttpUser) -> None:
    answer = user.client.post("/", json=ORDER).json()
    assert answer["ok"]


def download(user: HttpUser | FastHttpUser) -> None:
    response = user.client.get("/megabyte")
    assert response.content is not None and len(response.content) == 1 << 20


def judge(user: HttpUser | FastHttpUser) -> None:
    with user.client.get("/", catch_response=True) as response:
        if response.status_code == 200:
            response.success()
        else:
            response.failure("not 200")


def send_headers(user: HttpUser | FastHttpUser) -> requests.Response | FastResponse:
    return user.client.get("/", headers=HEADERS, name="with headers")


def signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers["X-Signature"] = f"{len(request.url or '')}"
    return request


def sign(user: HttpUser) -> None:
    user.client.get("/", auth=signed)


def see(response: requests.Response, **_: Any) -> None:
    """A hook."""
    assert response.ok


def pieces() -> Iterator[bytes]:
    yield b"a body "
    yield b"in two pieces"


def upload(user: HttpUser) -> None:
    user.client.post("/", data=pieces())


def send_prepared(user: HttpUser) -> None:
    client = user.client
    client.send(client.prepare_request(requests.Request("GET", f"{user.host}/")))


def send_jar(user: HttpUser) -> None:
    jar = RequestsCookieJar()
    jar.set("theme", "dark")
    user.client.get("/", cookies=jar)


def through_proxy(user: HttpUser) -> None:
    """The target answers for any host, as a proxy."""
    user.client.get("http://somewhere.example/", proxies={"http": str(user.host)})


def log_in(user: HttpUser | FastHttpUser) -> None:
    user.client.get("/login")


class JsonHttpUser(HttpUser):
    tasks = [post_json]


class JsonFastHttpUser(FastHttpUser):
    tasks = [post_json]


class DownloadHttpUser(HttpUser):
    tasks = [download]


class DownloadFastHttpUser(FastHttpUser):
    tasks = [download]


class CatchHttpUser(HttpUser):
    tasks = [judge]


class CatchFastHttpUser(FastHttpUser):
    tasks = [judge]


class HeadersHttpUser(HttpUser):
    tasks = [send_headers]
    on_start = log_in


class HeadersFastHttpUser(FastHttpUser):
    tasks = [send_headers]
    on_start = log_in


class SignHttpUser(HttpUser):
    tasks = [sign]


class HooksHttpUser(HttpUser):
    tasks = [get]

    def on_start(self) -> None:
        self.client.hooks["response"].append(see)


class RetryHttpUser(HttpUser):
    tasks = [get]

    def on_start(self) -> None:
        self.client.mount("http://", HTTPAdapter(max_retries=Retry(total=3, status_forcelist=[500, 502, 503])))


class ProxyHttpUser(HttpUser):
    tasks = [through_proxy]


class UploadHttpUser(HttpUser):
    tasks = [upload]


class PreparedHttpUser(HttpUser):
    tasks = [send_prepared]

    def on_start(self) -> None:
        self.client.get("/")  # Locust can prepare requests only after that


class JarHttpUser(HttpUser):
    tasks = [send_jar]


class Patient(HTTPAdapter):
    """What people write to have a time-out on all requests."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs["timeout"] = kwargs.get("timeout") or 10
        return super().send(request, **kwargs)


class AdapterHttpUser(HttpUser):
    tasks = [get]

    def on_start(self) -> None:
        self.client.mount("http://", Patient())


class ReplacedHttpUser(HttpUser):
    tasks = [get]

    def on_start(self) -> None:
        client, send = self.client, self.client.send

        def sending(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            request.headers["X-Sent"] = "1"
            return send(request, **kwargs)

        client.send = sending  # type: ignore[method-assign]


class Http2HttpUser(HttpUser):
    """Ours alone: Locust takes no notice of `http2`."""

    http2 = True
    tasks = [get]

    def on_start(self) -> None:
        self.client.verify = False
