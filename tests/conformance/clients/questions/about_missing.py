"""What is raised where a package is missing that a module of `locust.contrib` needs: here, where an import of it fails."""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.abc import MetaPathFinder
from typing import Any

from asking import ask


class Blocker(MetaPathFinder):
    def __init__(self, names: list[str]) -> None:
        self.names = names

    def find_spec(self, name: str, *_: Any) -> None:
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def questions(needed: str) -> None:
    for module, names in json.loads(needed).items():
        for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] in names]:
            del sys.modules[loaded]
        blocker = Blocker(names)
        sys.meta_path.insert(0, blocker)
        ask(module, lambda module=module: importlib.import_module(f"locust.contrib.{module}") and "imported")
        sys.meta_path.remove(blocker)
    del os.environ["OPENAI_API_KEY"]
    ask("no key", lambda: importlib.import_module("locust.contrib.oai") and "imported")
