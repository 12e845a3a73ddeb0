"""Write every request to a CSV file: a row each, for those who want to look at single requests."""

from __future__ import annotations

import csv
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from locust.env import Environment

CSV_COLUMNS = (
    "timestamp",
    "request_type",
    "name",
    "response_time_ms",
    "response_length",
    "status_code",
    "exception",
)


class CsvRequestLogger:
    """`CsvRequestLogger("requests.csv").register(environment)`, in a listener of `init`."""

    def __init__(self, filepath: str, *, flush_interval: int = 1) -> None:
        self.filepath = filepath
        self.flush_interval = max(1, flush_interval)
        self._file: TextIO | None = None
        self._unflushed = 0

    def register(self, environment: Environment) -> None:
        """Start a new file, and write every request of this environment to it."""
        self.close()
        self._file = open(self.filepath, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = csv.writer(self._file)
        self._writer.writerow(CSV_COLUMNS)
        self._file.flush()
        environment.events.request.add_listener(self._on_request)
        environment.events.quitting.add_listener(self._on_quitting)

    def close(self) -> None:
        """Write what is left. Later requests are ignored."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _on_quitting(self, **_: Any) -> None:
        self.close()

    def _on_request(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int,
        response: object = None,
        exception: BaseException | None = None,
        start_time: float | None = None,
        **_: Any,
    ) -> None:
        if self._file is None:
            return
        self._writer.writerow(
            (
                round(time.time() if start_time is None else start_time, 6),
                request_type,
                name,
                "" if response_time is None else round(response_time, 2),
                response_length,
                _status_code(response),
                str(exception) if exception else "",
            )
        )
        self._unflushed += 1
        if self._unflushed >= self.flush_interval:
            self._file.flush()
            self._unflushed = 0


def _status_code(response: object) -> int:
    try:
        return int(response.status_code)  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError):
        return 0
