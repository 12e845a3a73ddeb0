"""Asks one of the files beside it, `python questions NAME ADDRESS`, and prints all answers as a JSON object."""

import importlib
import json
import sys

import signatures
from asking import answers

name, *where = sys.argv[1:]
importlib.import_module(f"about_{name}").questions(*where)
if name != "missing":
    signatures.questions(name)
print(json.dumps(answers))
