"""Values as a reader sees them: short, the same on every run."""

from fractions import Fraction
from typing import Any

import numpy as np

LONGEST = 60


def show(x: Any) -> str:
    """A value in at most a line: fractions as p/q, floats to six digits, long arrays shortened in the middle."""
    if isinstance(x, Fraction):
        text = str(x)
        return text if len(text) <= LONGEST else f"{float(x):.10g}"
    if isinstance(x, (float, np.floating)):
        return f"{float(x):.6g}"
    if isinstance(x, np.ndarray):
        return show(x.tolist()) if x.ndim else show(x.item())
    if isinstance(x, (list, tuple)):
        entries = [show(e) for e in x]
        entries = entries if len(entries) <= 12 else [*entries[:6], "…", *entries[-3:]]
        return ("[{}]" if isinstance(x, list) else "({})").format(", ".join(entries))
    if isinstance(x, (set, frozenset)):
        return "{" + ", ".join(sorted(map(show, x))) + "}"
    return str(x)
