"""What somebody says of a moment of a run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.env import Environment

LONGEST = 500
"""In characters: it is a label in charts."""

logger = logging.getLogger("locust.annotations")


def annotate(environment: Environment, text: object) -> None:
    """`Environment.annotate`."""
    if not isinstance(text, str):
        raise ValueError(f'an annotation is a text, as `annotate("deploy v2")`; this is of {type(text).__name__}')
    said = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if not said:
        raise ValueError("an annotation is a text that says something: this one is empty")
    if len(said) > LONGEST:
        raise ValueError(f"an annotation has at most {LONGEST} characters: this one has {len(said)}")
    if not environment.stats.table.annotate(said):
        raise ValueError("there are 10,000 annotations: no more are taken; for so many use a log")
    logger.info("Annotation: %s", said)
