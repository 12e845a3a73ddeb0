"""What locustfiles do beside a bare GET, a user class for each: the command names the one to run."""

import requests

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


class Http2HttpUser(HttpUser):
    """Ours alone: Locust takes no notice of `http2`."""

    http2 = True
    tasks = [get]

    def on_start(self) -> None:
        self.client.verify = False
