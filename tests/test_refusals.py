"""What a client does not honour yet it refuses by name: nothing is silently ignored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conftest import Run


@pytest.mark.parametrize("argument", ["max_retries=2", "max_redirects=1", "files={'a': b'x'}"])
def test_an_argument_of_the_fast_client_is_refused_by_name(python_script: Callable[..., Run], argument: str) -> None:
    run = python_script(f"""
        import json, locust
        from locust.contrib.fasthttp import FastHttpSession
        client = FastHttpSession("http://127.0.0.1:9", locust.events.request, None)
        try:
            client.get("/", {argument})
        except NotImplementedError as error:
            print(json.dumps(str(error)))
    """)
    assert argument.partition("=")[0] in run.last_line
