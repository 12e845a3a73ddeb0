"""`python -m locust`: the same as the command."""

import sys

from gregaria.__main__ import locust

sys.exit(locust())
