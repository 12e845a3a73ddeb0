"""A request as the handlers see it, whoever received it, and their answers.

The engine's server hands requests over, and so does the Flask application where there is one. What a form says is read
here as Werkzeug reads it, without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, parse_qsl

Form = Mapping[str, Sequence[str]]
"""The values of each field, in the order in which the fields came."""

Headers = list[tuple[str, str]]

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """A request, its path without the base path of the page."""

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    read_form: Form | None = None
    """The form, where somebody else has read it already."""

    @property
    def kind(self) -> str:
        """The media type of the body."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def form(self) -> Form:
        """The fields of a form; none where the body is something else."""
        if self.read_form is not None:
            return self.read_form
        if self.kind == "application/x-www-form-urlencoded":
            return _grouped(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        if self.kind == "multipart/form-data":
            return _grouped(_parts(self.content_type, self.body))
        return {}

    @property
    def data(self) -> bytes:
        """The body; nothing where it is a form."""
        return b"" if self.kind in _FORMS else self.body

    def argument(self, name: str) -> str:
        """An argument of the query; empty where there is none."""
        return parse_qs(self.query, keep_blank_values=True).get(name, [""])[0]


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    body: bytes
    status: int = 200
    headers: Headers = field(default_factory=list)


def text(words: str, status: int = 200, kind: str = HTML, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """An answer that is a page, or words for one."""
    return Answer(words.encode(), status, [("Content-Type", kind), *headers])


def as_json(value: Any, status: int = 200) -> Answer:
    """An answer in JSON, written as Flask writes it in Locust."""
    return text(json.dumps(value, indent=2, sort_keys=True) + "\n", status, "application/json")


def _grouped(fields: Sequence[tuple[str, str]]) -> Form:
    form: dict[str, list[str]] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    return form


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form in parts. Files have no place in one of ours."""
    whole = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body
    message = BytesParser(policy=HTTP).parsebytes(whole)
    if not message.is_multipart():
        return []
    return [(name, _value(part)) for part in message.iter_parts() if (name := _name(part)) is not None]


def _name(part: Message[Any, Any]) -> str | None:
    name = part.get_param("name", header="content-disposition")
    is_file = part.get_param("filename", header="content-disposition") is not None
    return name if isinstance(name, str) and not is_file else None


def _value(part: Message[Any, Any]) -> str:
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
