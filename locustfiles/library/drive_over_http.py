"""Drive a test over HTTP, as a pipeline may: start it, watch it, stop it, keep its files, and let it decide.

locust -f locustfiles/checkout.py &
python locustfiles/library/drive_over_http.py http://localhost:8089 http://localhost:8080
"""

import sys
import time
from pathlib import Path
from typing import Any

import requests

FILES = {
    "/stats/requests/csv": "requests.csv",
    "/stats/failures/csv": "failures.csv",
    "/exceptions/csv": "exceptions.csv",
    "/stats/report?download=1": "report.html",
}


class Page:
    """The web page of a running Locust."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def get(self, path: str) -> requests.Response:
        response = self.session.get(self.url + path, timeout=10)
        response.raise_for_status()
        return response

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        response = self.session.post(self.url + path, data=fields, timeout=60)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        if not answer["success"]:
            raise RuntimeError(answer["message"])
        return answer

    def statistics(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("/stats/requests").json()
        return answer

    def until(self, state: str) -> dict[str, Any]:
        end = time.monotonic() + 30
        while (found := self.statistics())["state"] != state:
            if time.monotonic() > end:
                raise TimeoutError(f"the test is {found['state']}, and not {state}")
            time.sleep(0.2)
        return found


def main(url: str, host: str) -> int:
    page = Page(url)
    print(page.post("/swarm", user_count=3, spawn_rate=10, host=host)["message"])
    page.until("running")
    print(page.post("/swarm", user_count=5, spawn_rate=10, host=host)["message"])
    time.sleep(2)
    print(page.post("/stop")["message"])
    found = page.until("stopped")
    for path, name in FILES.items():
        Path(name).write_bytes(page.get(path).content)
    total = found["stats"][-1]
    print(total["name"], total["num_requests"] > 0, found["user_count"])
    return 1 if found["fail_ratio"] > 0.01 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
