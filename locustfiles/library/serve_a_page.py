"""Locust as a library, with its web page: a program that starts a test, serves the page meanwhile, and adds to it.

python locustfiles/library/serve_a_page.py http://localhost:8080
"""

import sys

import gevent

from locust import HttpUser, constant, task
from locust.env import Environment
from locust.log import setup_logging
from locust.stats import stats_history

# isort: split
import requests  # after Locust, which makes its waits gevent's


class Visitor(HttpUser):
    wait_time = constant(0.1)

    @task
    def look(self) -> None:
        self.client.get("/json")


def main(host: str) -> int:
    setup_logging("WARNING")
    environment = Environment(user_classes=[Visitor], host=host, stop_timeout=5)
    runner = environment.create_local_runner()
    web_ui = environment.create_web_ui("127.0.0.1", 0)  # port 0: any that is free
    gevent.spawn(stats_history, runner)
    gevent.sleep(0.2)
    assert web_ui.server is not None
    page = f"http://127.0.0.1:{web_ui.server.server_port}"

    @web_ui.app.route("/state")
    def state() -> dict[str, str]:
        return {"state": runner.state}

    runner.start(user_count=3, spawn_rate=10)
    gevent.sleep(1.5)
    # Whoever opens the page sees this test; a program may, too.
    print(requests.get(f"{page}/state", timeout=5).json())
    seen = requests.get(f"{page}/stats/requests", timeout=5).json()
    print(seen["state"], seen["user_count"], [row["name"] for row in seen["stats"]])
    print(requests.post(f"{page}/stop", timeout=5).json())

    runner.quit()
    web_ui.stop()
    return 0 if seen["fail_ratio"] == 0 and not environment.stats.errors else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
