"""Every route with every method, and what a program sees of it before it reads the body."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")
"""

METHODS = ("OPTIONS", "HEAD", "PUT", "DELETE", "PATCH")


def _others(web: Web, path: str) -> None:
    for method in METHODS:
        web.ask(method, path)


def the_page(web: Web) -> None:
    web.get("/")
    web.post("/")
    _others(web, "/")


def stop_and_reset_by_get(web: Web) -> None:
    for path in ("/stop", "/stats/reset"):
        web.get(path, User_Agent="Mozilla/5.0")


def stop_and_reset_as_before_2_47(web: Web) -> None:
    for path in ("/stop", "/stats/reset"):
        web.get(path)


def swarm(web: Web) -> None:
    web.get("/swarm")
    _others(web, "/swarm")


def stop(web: Web) -> None:
    web.post("/stop")
    _others(web, "/stop")


def reset(web: Web) -> None:
    web.post("/stats/reset")
    _others(web, "/stats/reset")


def requests(web: Web) -> None:
    web.get("/stats/requests")
    web.post("/stats/requests")
    _others(web, "/stats/requests")


def report(web: Web) -> None:
    web.get("/stats/report")
    web.post("/stats/report")
    _others(web, "/stats/report")


def requests_csv(web: Web) -> None:
    web.get("/stats/requests/csv")
    web.post("/stats/requests/csv")
    _others(web, "/stats/requests/csv")


def full_history(web: Web) -> None:
    web.get("/stats/requests_full_history/csv")
    web.post("/stats/requests_full_history/csv")
    _others(web, "/stats/requests_full_history/csv")


def failures_csv(web: Web) -> None:
    web.get("/stats/failures/csv")
    web.post("/stats/failures/csv")
    _others(web, "/stats/failures/csv")


def exceptions(web: Web) -> None:
    web.get("/exceptions")
    web.post("/exceptions")
    _others(web, "/exceptions")


def exceptions_csv(web: Web) -> None:
    web.get("/exceptions/csv")
    web.post("/exceptions/csv")
    _others(web, "/exceptions/csv")


def tasks(web: Web) -> None:
    web.get("/tasks")
    web.post("/tasks")
    _others(web, "/tasks")


def logs(web: Web) -> None:
    web.note("keys", sorted(web.quietly("GET", "/logs").json))
    web.post("/logs")
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH"):
        web.ask(method, "/logs")


def worker_count(web: Web) -> None:
    web.get("/worker-count")
    web.post("/worker-count")
    _others(web, "/worker-count")


def user(web: Web) -> None:
    web.get("/user")
    _others(web, "/user")


def login_where_there_is_none(web: Web) -> None:
    web.get("/login")
    web.post("/login")
    _others(web, "/login")


def a_path_that_there_is_not(web: Web) -> None:
    for path in ("/nope", "/stats", "/stats/", "/stats/nope", "/assets", "/x/y/z"):
        web.get(path)
        web.post(path)


def a_slash_too_many(web: Web) -> None:
    for path in (
        "/stats/requests/",
        "/exceptions/",
        "/tasks/",
        "/logs/",
        "/login/",
        "/worker-count/",
        "/stats/requests/csv/",
    ):
        web.get(path)
    for path in ("/swarm/", "/stop/", "/user/", "/stats/reset/"):
        web.post(path)


def capitals(web: Web) -> None:
    web.get("/TASKS")


def a_query_where_none_is_expected(web: Web) -> None:
    web.get("/tasks?x=1&y")
    web.get("/worker-count?_=1767225600")
    web.get("/exceptions?" + "x" * 2000)


def a_path_with_escapes(web: Web) -> None:
    web.get("/%74asks")
    web.get("/stats%2Frequests")


def another_origin_reads(web: Web) -> None:
    for path in ("/stats/requests", "/worker-count", "/tasks", "/exceptions", "/", "/nope"):
        web.get(path, Origin="https://other.example")


def a_preflight(web: Web) -> None:
    asks = {"Origin": "https://other.example", "Access_Control_Request_Method": "POST"}
    for path in ("/swarm", "/stats/requests", "/stop"):
        web.ask("OPTIONS", path, headers=asks)
        web.ask("OPTIONS", path, headers={**asks, "Access_Control_Request_Headers": "content-type, x-own"})


def an_asset(web: Web) -> None:
    page = web.quietly("GET", "/").text
    name = page.split('type="module"')[1].split('src="./')[1].split('"')[0]
    answer = web.quietly("GET", f"/{name}")
    web.note("kind", [answer.status, answer.headers["Content-Type"].partition(";")[0], bool(answer.headers["ETag"])])
    again = web.quietly("GET", f"/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    web.note("again", [again.status, again.body == b""])
    part = web.quietly("GET", f"/{name}", headers={"Range": "bytes=0-9"})
    web.note("part", [part.status, part.body == answer.body[:10], part.headers["Content-Range"] is not None])
    head = web.quietly("HEAD", f"/{name}")
    web.note("head", [head.status, head.headers["Content-Length"] == str(len(answer.body))])


def an_asset_that_there_is_not(web: Web) -> None:
    for path in ("/assets/nope.js", "/assets/../locustfile.py", "/assets/%2e%2e/locustfile.py", "/assets/%00"):
        web.note(path, web.quietly("GET", path).status)


def one_connection_for_many_requests(web: Web) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", web.page, timeout=10)
    statuses = []
    for path in ("/worker-count", "/nope", "/tasks", "/"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    web.note("statuses", statuses)


def exceptions_of_tasks(web: Web) -> None:
    web.inside("environment.runner.log_exception('local', 'card <declined>', 'File x, line 1\\n')")
    web.inside("environment.runner.log_exception('local', 'card <declined>', 'File x, line 1\\n')")
    web.inside("environment.runner.log_exception('local', 'other', 'File y, line 2\\n')")
    web.get("/exceptions")
    web.get("/exceptions/csv")


def exceptions_of_several_nodes(web: Web) -> None:
    web.inside("environment.runner.log_exception('node', 'other', 'File y, line 2\\n')")
    web.get("/exceptions")


def lines_of_the_log(web: Web) -> None:
    web.inside("_logging.getLogger('mine').warning('<b>seen %s</b>', 'here')")
    lines = web.quietly("GET", "/logs").json["master"]
    web.note("line", [line.partition("/")[2] for line in lines if "seen here" in line])
    web.note("workers", web.quietly("GET", "/logs").json["workers"])


def lines_of_workers(web: Web) -> None:
    web.inside("environment.update_worker_logs({'worker_id': 'w_1', 'logs': ['a', 'b']})")
    web.note("workers", web.quietly("GET", "/logs").json["workers"])
    web.inside("environment.worker_logs.clear()")


def five_hundred_lines(web: Web) -> None:
    web.inside("[_logging.getLogger('mine').warning('number %d', number) for number in range(600)]")
    lines = web.quietly("GET", "/logs").json["master"]
    web.note("lines", [len(lines), lines[0].partition("/")[2], lines[-1].partition("/")[2]])


def an_answer_to_an_old_protocol(web: Web) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", web.page), timeout=10) as connection:
        connection.sendall(b"GET /worker-count HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    web.note("answer", [answer.split()[1].decode(), answer.partition(b"\r\n\r\n")[2].decode()])
