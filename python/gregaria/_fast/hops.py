"""The responses before the last one."""

from __future__ import annotations

from typing import Any

from locust.contrib.fasthttp import FastResponse


class Hop(FastResponse):
    """A response that redirected. What is read of it comes from its own dictionary."""

    content: Any = None
    status_code: Any = None
    url: Any = None
