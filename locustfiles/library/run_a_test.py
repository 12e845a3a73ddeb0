"""Locust as a library: run a test from a program, print and write its statistics, and let the result decide.

python locustfiles/library/run_a_test.py http://localhost:8080
"""

import sys
from typing import Any

import gevent

from locust import HttpUser, constant, events, task
from locust.env import Environment
from locust.log import setup_logging
from locust.runners import Runner
from locust.stats import (
    PERCENTILES_TO_REPORT,
    StatsCSVFileWriter,
    print_error_report,
    print_percentile_stats,
    print_stats,
    stats_history,
    stats_printer,
)


class Visitor(HttpUser):
    wait_time = constant(0.2)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ada", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task(3)
    def look(self) -> None:
        self.client.get("/api/cart")

    @task
    def search(self) -> None:
        self.client.get("/api/search?q=tea", name="/api/search")


@events.init.add_listener
def on_init(environment: Environment, runner: Runner, **kwargs: Any) -> None:
    print("listeners of the module hear", type(runner).__name__)


def main(host: str) -> int:
    setup_logging("INFO")
    # `events` are those of the module, so that the listeners above are called; left out, the environment has its own.
    environment = Environment(user_classes=[Visitor], events=events, host=host, stop_timeout=5)
    runner = environment.create_local_runner()
    environment.events.init.fire(environment=environment, runner=runner, web_ui=None)

    printer = gevent.spawn(stats_printer(environment.stats))
    gevent.spawn(stats_history, runner)
    files = StatsCSVFileWriter(environment, PERCENTILES_TO_REPORT, "out")
    writer = gevent.spawn(files.stats_writer)

    runner.start(user_count=5, spawn_rate=10)
    gevent.spawn_later(3, runner.quit)
    runner.greenlet.join()  # until the runner has quit

    gevent.sleep(1.1)  # the files are written once a second
    writer.kill()
    files.close_files()
    printer.kill()
    print_stats(environment.stats, current=False)
    print_percentile_stats(environment.stats)
    print_error_report(environment.stats)
    total = environment.stats.total
    print("users:", runner.final_user_classes_count, "failures:", total.num_failures)
    return 1 if total.fail_ratio > 0.01 or total.get_response_time_percentile(0.95) > 2_000 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
