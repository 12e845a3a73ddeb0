"""Values in messages: what Locust's become, ours become, to the byte; and what it refuses, we refuse in its words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ORACLE = os.environ.get("GREGARIA_ORACLE")
SCRIPT = Path(__file__).parent / "messages.py"

pytestmark = pytest.mark.skipif(not ORACLE, reason="needs Locust's environment")


def said(python: str, script: Path = SCRIPT) -> list[str]:
    ran = subprocess.run([python, script], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    # Whether a type is told with its module depends on whether it was written in C.
    return [re.sub(r"serialize '(\w+\.)+", "serialize '", line) for line in ran.stdout.splitlines()]


def test_values_become_what_they_become_on_locust() -> None:
    theirs = said(str(ORACLE))
    ours = said(sys.executable)
    assert len(theirs) > 150
    assert ours == theirs


def test_sockets_for_programs_are_locusts() -> None:
    script = SCRIPT.with_name("sockets.py")
    ours = said(sys.executable, script)
    assert ours == said(str(ORACLE), script)
    assert ours[-1] == "closed"


HOSTILE = {
    "cut off": b"\x93\xa1t\xc0",
    "cut in a text": b"\x93\xa1t\xc0\xa5n",
    "two parts": b"\x92\xa1t\xc0",
    "four parts": b"\x94\xa1t\xc0\xa1n\xc0",
    "a map": b"\x83\xa1a\x01\xa1b\x02\xa1c\x03",
    "something follows": b"\x93\xa1t\xc0\xa1n\x00",
    "no text": b"\x93\xa1t\xa1\xff\xa1n",
    "a reserved byte": b"\x93\xa1t\xc1\xa1n",
    "nothing": b"",
    "an unhashable key": b"\x93\xa1t\x81\x90\x01\xa1n",
    "a moment without text": b"\x93\xa1t\x81\xac__datetime__\xc3\xa1n",
    "deep": b"\x93\xa1t" + b"\x91" * 100_000 + b"\xc0\xa1n",
    "announced": b"\x93\xa1t\xdd\xff\xff\xff\xff\xa1n",
}


def test_what_is_no_message_is_an_error_and_nothing_worse() -> None:
    program = (
        "import sys; from locust.rpc import Message\n"
        "for line in sys.stdin:\n"
        "    try: print(Message.unserialize(bytes.fromhex(line)))\n"
        "    except Exception as e: print(type(e).__name__)\n"
    )
    lines = "".join(f"{message.hex()}\n" for message in HOSTILE.values())
    ran = subprocess.run([sys.executable, "-c", program], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    expected = ["ValueError"] * 9 + ["TypeError", "KeyError"] + ["ValueError"] * 2
    assert dict(zip(HOSTILE, ran.stdout.split(), strict=True)) == dict(zip(HOSTILE, expected, strict=True))
