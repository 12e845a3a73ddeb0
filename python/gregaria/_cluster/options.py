"""Options that nodes of a cluster tell each other, and those that say how they talk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import locust
from locust import argument_parser

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.env import Environment

VERSION = locust.__version__.partition("+")[0]
"""As whose release this node speaks: Locust's nodes log what is not their own."""

_ALSO = ("expect_workers", "tags", "exclude_tags", "iteration_limit")
"""Built-in options that a worker takes from its master, the last from one of ours. Of all others it has its own."""


def adopt(environment: Environment, sent: dict[str, Any]) -> None:
    """Take over what the master's command line says of the locustfile's own arguments."""
    if environment.parsed_options is None:
        parser = argument_parser.get_empty_argument_parser()
        argument_parser.setup_parser_arguments(parser)
        environment.parsed_options = parser.parse_args([])
    known = argument_parser.default_args_dict()
    taken = {name: value for name, value in sent.items() if name not in known or name in _ALSO}
    vars(environment.parsed_options).update(taken)
    seed = sent.get("random_seed")
    if isinstance(seed, int) and seed != environment.seed:
        environment.seed = seed


def transport(options: Namespace | None) -> dict[str, Any]:
    """How messages travel, as the engine's arguments."""
    return {"key": key(getattr(options, "cluster_key", None))}


def key(given: str | None) -> str | None:
    """The key that is meant: an empty one is none, as compose files and charts pass variables through, set or not."""
    return (given or "").strip() or None
