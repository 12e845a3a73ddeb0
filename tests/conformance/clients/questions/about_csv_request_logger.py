"""`locust.contrib.csv_request_logger`, with requests that are fired by hand and with those of both HTTP users."""

from __future__ import annotations

import csv
import os
import time
from typing import Any

from asking import ask, environment

from locust import FastHttpUser, HttpUser
from locust.contrib.csv_request_logger import CSV_COLUMNS, CsvRequestLogger

FIRED: dict[str, dict[str, Any]] = {
    "plain": {"response_time": 12.3456, "response_length": 7},
    "a whole time": {"response_time": 12, "response_length": 7},
    "no time": {"response_time": None, "response_length": 0},
    "a long time": {"response_time": 1234567.891, "response_length": 2**40},
    "no length": {"response_time": 1.0, "response_length": None},
    "a start": {"response_time": 1.0, "response_length": 0, "start_time": 1234.56789012},
    "a start of nothing": {"response_time": 1.0, "response_length": 0, "start_time": 0},
    "an error": {"response_time": 1.0, "response_length": 0, "exception": ValueError('no, "never"\nagain')},
    "an error without words": {"response_time": 1.0, "response_length": 0, "exception": ValueError()},
    "an error that is text": {"response_time": 1.0, "response_length": 0, "exception": "failed"},
    "an error and a response": {
        "response_time": 1.0,
        "response_length": 0,
        "exception": OSError(5, "x"),
        "response": 404,
    },
    "more": {"response_time": 1.0, "response_length": 0, "context": {"a": 1}, "url": "/", "colour": "red"},
    "too little": {"response_time": 1.0},
}
STATUSES: dict[str, Any] = {
    "200": 200,
    "text": "201",
    "no number": "ok",
    "None": None,
    "0": 0,
    "float": 200.7,
    "true": True,
}


class Answer:
    def __init__(self, status_code: Any) -> None:
        self.status_code = status_code


def rows(path: str) -> list[list[str]]:
    """What was written so far; the time of a row, if it is now, is told so."""
    with open(path, newline="", encoding="utf-8") as file:
        found = list(csv.reader(file))
    return [["now" if _is_now(cell) else cell for cell in row] for row in found]


def _is_now(cell: str) -> bool:
    try:
        return abs(float(cell) - time.time()) < 60
    except ValueError:
        return False


def questions(address: str, folder: str) -> None:
    path = os.path.join(folder, "requests.csv")
    ask("columns", lambda: CSV_COLUMNS)
    writing(path)
    requests(address, path)
    files(folder)


def writing(path: str) -> None:
    made = environment()
    logger = CsvRequestLogger(path)
    ask("settings", lambda: [logger.filepath == path, logger.flush_interval])
    ask("before it is registered", lambda: os.path.exists(path))
    ask("registered", lambda: [logger.register(made), rows(path)])

    def written(**arguments: Any) -> Any:
        made.events.request.fire(request_type="SQL", name="order, please", **arguments)
        return rows(path)[-1]

    for name, arguments in FIRED.items():
        ask(name, lambda arguments=arguments: written(**arguments))
    for name, status in STATUSES.items():
        answer = Answer(status)
        ask(f"status {name}", lambda answer=answer: written(response_time=1, response_length=0, response=answer))
    ask("no response at all", lambda: written(response_time=1, response_length=0, response=None))
    ask("a response without a status", lambda: written(response_time=1, response_length=0, response=object()))
    with open(path, "rb") as file:
        ask("line ends", lambda: file.read().count(b"\r\n"))
    ask("quitting", lambda: made.events.quitting.fire(environment=made))
    ask("after the end", lambda: written(response_time=1, response_length=0))
    ask("close again", logger.close)
    ask("registered again", lambda: [logger.register(made), rows(path)])
    ask("how often it hears", lambda: [written(response_time=1, response_length=0), len(rows(path))])
    logger.close()


def requests(address: str, path: str) -> None:
    """What users' own requests leave behind, but for what took how long and what was how long."""
    for user_class in (HttpUser, FastHttpUser):
        made = environment()
        logger = CsvRequestLogger(path)
        logger.register(made)
        user = type("Shopper", (user_class,), {"host": address})(made)
        user.client.get("/")
        user.client.get("/status/404", name="missing")
        user.client.post("/status/503")
        with user.client.get("/", catch_response=True, name="judged") as response:
            response.failure("not good enough")
        lost = type("Lost", (user_class,), {"host": "http://127.0.0.1:1"})(made)
        lost.client.get("/lost")
        made.events.quitting.fire(environment=made)
        ask(f"{user_class.__name__}: rows", lambda: [row[:3] + row[5:6] for row in rows(path)])
        ask(f"{user_class.__name__}: failures", lambda: [bool(row[6]) for row in rows(path)])
        ask(f"{user_class.__name__}: times", lambda: [float(row[3]) > 0 for row in rows(path)[1:]])


def files(folder: str) -> None:
    path = os.path.join(folder, "few.csv")
    for interval in (3, 0, -1, 1):
        made = environment()
        logger = CsvRequestLogger(path, flush_interval=interval)
        logger.register(made)
        counts = []
        for number in range(7):
            made.events.request.fire(request_type="SQL", name=str(number), response_time=1, response_length=0)
            counts.append(len(rows(path)))
        ask(f"written in time with {interval}", lambda seen=counts, made_by=logger: [made_by.flush_interval, seen])
        ask(f"written in the end with {interval}", lambda made_by=logger: [made_by.close(), len(rows(path))])
    ask("no such folder", lambda: CsvRequestLogger("/nowhere/requests.csv").register(environment()))
    ask("no path", lambda: CsvRequestLogger())
    ask("an interval by position", lambda: CsvRequestLogger(path, 3))
    ask("close before it is registered", lambda: CsvRequestLogger(path).close())
