"""Faults, by seed: a fleet whose workers are killed, stopped, cut off and joined by others, and what has to hold after.

`python -m chaos.rounds 1-200` (in `tests/`, or `make chaos`) runs as many rounds; the test suite runs a few.
"""
