"""What was measured: the live statistics, the CSV files, the report."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")

def _some():
    for time in (10, 12.5, 20, 35, 210, 310, 900):
        _count("/cart", "POST", time, 512)
    _count("/cart", "POST", 40, 0, ValueError("out of <stock>"))
    _count("/cart", "POST", 40, 0, ValueError("out of <stock>"))
    _count("/", "GET", 3.2, 5)
    _count("/", "GET", 3.7, 5, KeyError("x"))
    _count("/", "GET", 3.7, 5, "only words")
    _count("/none", "GET", None, 0)
"""
ARGUMENTS = ["--csv", "FOLDER/out", "--csv-full-history", "--profile", "nightly", "-H", "http://shop.example/x y"]


def before_anything(web: Web) -> None:
    web.get("/stats/requests")
    web.get("/stats/requests/csv")
    web.get("/stats/failures/csv")


def rows_and_failures(web: Web) -> None:
    web.inside("_some()")
    web.get("/stats/requests")


def rows_are_sorted(web: Web) -> None:
    web.inside("[_count(name, method) for name in ('/b', '/a', '/B', '') for method in ('POST', 'GET')]")
    web.note("rows", [[row["name"], row["method"]] for row in web.quietly("GET", "/stats/requests").json["stats"]])


def failures_in_the_order_of_their_first(web: Web) -> None:
    web.inside("[_count(name, exception=ValueError(name)) for name in ('/b', '/a', '/b', '/c')]")
    web.note(
        "failures",
        [[each["name"], each["occurrences"]] for each in web.quietly("GET", "/stats/requests").json["errors"]],
    )


def five_hundred_rows(web: Web) -> None:
    web.inside("[_count(f'/{number:04}', exception=ValueError(f'{number}')) for number in range(600)]")
    found = web.quietly("GET", "/stats/requests").json
    web.note(
        "how many", [len(found["stats"]), len(found["errors"]), found["stats"][-2]["name"], found["errors"][-1]["name"]]
    )
    web.note("in the file", len(web.quietly("GET", "/stats/requests/csv").text.splitlines()))


def one_row(web: Web) -> None:
    web.inside("_count('/one', 'GET', 42, 7)")
    web.get("/stats/requests")


def times_are_rounded_half_up(web: Web) -> None:
    web.inside("[_count('/half', 'GET', time) for time in (2.5, 3.5)]")
    found = web.quietly("GET", "/stats/requests").json["stats"][0]
    web.note("rounded", [repr(found[f"{which}_response_time"]) for which in ("min", "max", "median", "avg")])


def times_of_more_than_a_second(web: Web) -> None:
    web.inside("[_count('/long', 'GET', time) for time in (1234, 1876)]")
    web.get("/stats/requests")


def no_time_at_all(web: Web) -> None:
    web.inside("_count('/none', 'GET', None)")
    web.get("/stats/requests")


def names_with_html(web: Web) -> None:
    web.inside("_count('/<script>alert(1)</script>&', 'G<b>', 1, 0, ValueError('</script>'))")
    web.get("/stats/requests")


def names_beyond_ascii(web: Web) -> None:
    web.inside("_count('/Zürich ✓', 'GET', 1, 0, ValueError('größer'))")
    web.get("/stats/requests")


def other_percentiles(web: Web) -> None:
    web.inside("_locust.stats.PERCENTILES_TO_STATISTICS[:] = [0.5, 0.999]")
    web.inside("_locust.stats.PERCENTILES_TO_CHART[:] = [0.25]")
    web.inside("_some()")
    web.inside("_gevent.sleep(0.7)")  # What was assigned to is read a moment later here.
    try:
        web.get("/stats/requests")
    finally:
        web.inside("_locust.stats.PERCENTILES_TO_STATISTICS[:] = [0.95, 0.99]")
        web.inside("_locust.stats.PERCENTILES_TO_CHART[:] = [0.5, 0.95]")


def the_requests_file(web: Web) -> None:
    web.inside("_some()")
    web.get("/stats/requests/csv")
    text = web.quietly("GET", "/stats/requests/csv").text
    web.note("header", text.partition("\r\n")[0])


def the_failures_file(web: Web) -> None:
    web.inside("_some()")
    web.get("/stats/failures/csv")


def the_exceptions_file(web: Web) -> None:
    web.inside("environment.runner.log_exception('local', 'no, \"none\"', 'File x\\n  line\\n')")
    web.get("/exceptions/csv")


def the_history_file(web: Web) -> None:
    answer = web.quietly("GET", "/stats/requests_full_history/csv")
    web.note("status", answer.status)
    web.note(
        "headers", [answer.headers["Content-Type"], bool(answer.headers["ETag"]), bool(answer.headers["Last-Modified"])]
    )
    web.note("name", answer.headers["Content-Disposition"].partition("=")[2].replace('"', "").rpartition("_http")[2])
    web.note("header", answer.text.splitlines()[:1])
    again = web.quietly("GET", "/stats/requests_full_history/csv", headers={"If-None-Match": answer.headers["ETag"]})
    web.note("again", again.status)


def a_report(web: Web) -> None:
    web.inside("_some()")
    answer = web.get("/stats/report")
    web.note("rows", [each["name"] for each in answer.args["requests_statistics"]])


def a_report_to_keep(web: Web) -> None:
    for query in ("download=1", "download", "download=", "download=0", "theme=dark", "theme=dark&download=1"):
        answer = web.quietly("GET", f"/stats/report?{query}")
        web.note(
            query,
            [
                answer.status,
                (answer.headers["Content-Disposition"] or "").rpartition("h")[2],
                answer.args["show_download_link"],
            ],
        )


def names_of_files(web: Web) -> None:
    for path in ("/stats/requests/csv", "/stats/report?download=1"):
        web.note(path, web.quietly("GET", path).headers["Content-Disposition"].partition("=")[2][:7])


def the_page_has_the_history(web: Web) -> None:
    web.inside("_some(); _locust.stats.update_stats_history(environment.runner)")
    history = web.quietly("GET", "/").args["history"]
    web.note("points", [sorted(point) for point in history])


def the_page_tells_of_files_and_profile(web: Web) -> None:
    args = web.quietly("GET", "/").args
    web.note("args", [args["stats_history_enabled"], args["profile"], args["host"], args["state"]])
