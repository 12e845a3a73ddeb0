"""Rounding as people do it: .5 goes up, away from zero."""

from decimal import ROUND_HALF_UP, Decimal


def proper_round(val: float, digits: int = 0) -> float:
    """Round `val`, taken as it is printed, to `digits` decimals: 0.5 → 1.0, 2.675 → 2.68 (at two digits)."""
    return float(Decimal(repr(val)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
