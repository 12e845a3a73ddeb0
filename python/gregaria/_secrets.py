"""Which options hold what nobody is to read, where their author forgot to say so with `is_secret`."""

from __future__ import annotations

import re

_NAMES = re.compile("passw|secret|token|credential|(api|cluster)_?key", re.IGNORECASE)


def is_named_like_one(option: str) -> bool:
    """Whether an option of this name holds a secret."""
    return bool(_NAMES.search(option))
