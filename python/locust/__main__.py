"""`python -m locust`."""

import sys

from gregaria.__main__ import locust

sys.exit(locust())
