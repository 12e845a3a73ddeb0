"""Asks one of the files beside it, `python questions NAME ADDRESS`, and prints all answers as a JSON object."""

import importlib
import json
import sys

from asking import answers

importlib.import_module(f"about_{sys.argv[1]}").questions(*sys.argv[2:])
print(json.dumps(answers))
