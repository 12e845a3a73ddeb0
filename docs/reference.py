"""Writes the reference of the Python API, out of its docstrings and types: `make docs`.

It is HTML by pdoc, a page for each module, with a search. Any complaint of pdoc's (a type that cannot be read, a
module that cannot be imported) is an error, so that what is published is whole.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pdoc
import pdoc.render

NO_MATTER = (
    "Error importing locust.contrib.",  # what is left out
    "already been added",  # a package's page has led to it
    " for requests.",  # types of requests that only its own stubs know
    "Cannot determine where locust.stats.Stats",  # keys that a dict's type inherits
)


class Greenlet(gevent.Greenlet):  # type: ignore[type-arg]
    """gevent's. The types of its stubs take parameters, which the class itself does not."""

    __class_getitem__: Any = classmethod(types.GenericAlias)


def main(folder: Path) -> int:
    gevent.Greenlet = Greenlet  # type: ignore[misc]
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        pdoc.render.configure(docformat="markdown", show_source=False, footer_text="gregaria")
        pdoc.pdoc(*modules(), output_directory=folder)
    # Others warn, too, gevent of the order in which it is imported: that is no matter of documentation.
    said = [str(complaint.message) for complaint in complaints if "pdoc" in complaint.filename]
    said = [text for text in said if not any(known in text for known in NO_MATTER)]
    print(*said, sep="\n", file=sys.stderr, end="\n" if said else "")
    return 1 if said else 0


def modules() -> Iterator[str]:
    """All that a locustfile may import, but (`!`) for what needs a package that is not installed."""
    yield "gregaria.feeder"
    yield "gregaria.timings"
    yield "locust"
    locust = importlib.import_module("locust")
    for module in pkgutil.walk_packages(locust.__path__, "locust."):
        if module.name != "locust.__main__":
            yield module.name if _is_there(module.name) else f"!{module.name}"


def _is_there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError as error:
        print(f"{module} is left out: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
