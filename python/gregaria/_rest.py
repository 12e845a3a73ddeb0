"""How `rest` words what went wrong in its block."""

from __future__ import annotations

import re
import traceback
from json import JSONDecodeError
from typing import Any

HOME = re.compile(r"/(?:home|Users)/\w*/")
ACCEPTED = {"Content-Type": "application/json", "Accept": "application/json"}
SHOWN_OF_NO_JSON = 250
SHOWN_OF_RESPONSE = 200


def headers(given: Any) -> dict[str, Any]:
    """The caller's headers, and JSON's where these say nothing. As in Locust, two spellings of each are looked for."""
    own = dict(given) if given else {}
    return {
        **own,
        **{name: value for name, value in ACCEPTED.items() if name not in own and name.lower() not in own},
    }


def read(response: Any) -> Any:
    """The JSON of a response; without any the response has failed, but for an empty one."""
    if response.content is None:
        response.failure(str(response.error))
        return None
    text = response.text
    if not text:
        return None
    try:
        return response.json()
    except JSONDecodeError as error:
        response.failure(
            f"Could not parse response as JSON. {text[:SHOWN_OF_NO_JSON]}, "
            f"response code {response.status_code}, error {error}"
        )
        return None


def assertion_words(error: AssertionError, text: str | None) -> object:
    """What an assertion says; behind a comma at its end comes the response."""
    if not error.args:
        return "Assertion failed"
    said = error.args[0]
    if isinstance(said, str) and said.endswith(","):
        return f"{said[:-1]}, response was {_beginning(text)}"
    return said


def exception_words(error: Exception, text: str | None, frame: re.Pattern[str]) -> str:
    """An exception, where it came from, and the response it was about. `frame` finds file, line and function."""
    found = filter(None, map(frame.match, traceback.format_exc().split("\n")))
    places = ", ".join(f"{HOME.sub('~/', match[1])}:{match[2]}{match[3]}" for match in found)
    return f"{type(error).__name__}: {error} at {places}. Response was {_beginning(text)}"


def _beginning(text: str | None) -> str | None:
    return text[:SHOWN_OF_RESPONSE] if text else text
