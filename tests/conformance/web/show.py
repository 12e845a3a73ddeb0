"""Print what an area's cases see on one side: `python -m conformance.web.show AREA PYTHON [WORD]`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..harness import Side, Target
from .test_web import asked


def _short(seen: dict[str, Any]) -> str:
    if "asked" not in seen:
        return json.dumps(seen)
    usual = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"}.items()
    headers = {name: value for name, value in seen["headers"].items() if (name, value) not in usual}
    body = seen["body"]["json"] if isinstance(seen["body"], dict) and "json" in seen["body"] else seen["body"]
    marks = [*(seen["allow"] and [seen["allow"]]), *seen["cookies"]]
    return f"{seen['asked']} -> {seen['status']} {headers or ''} {marks or ''} {json.dumps(body)}"


area, python, *words = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    side = Side("shown", python, Target("http://127.0.0.1:9", "https://127.0.0.1:9"))
    for name, seen in asked(side, area, Path(folder)).items():
        if all(word in name for word in words):
            print(f"=== {name}")
            for each in seen:
                print(each["raised"] if "raised" in each else _short(each))
