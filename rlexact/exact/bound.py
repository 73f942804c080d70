"""An inequality with both sides kept: left ≤ right.

In exact worlds it is decided; in floats each side may have lost about 10⁻¹² of the numbers it was made of, and `holds`
forgives that much and no more.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar

ROUNDINGS = 2**13  # units of roundoff forgiven: a solve and a few sums on well-conditioned models commit fewer


@dataclass(frozen=True, eq=False)
class Bound:
    """left ≤ right, two numbers or two arrays of one shape, in the same units.

    `size` is the magnitude of the numbers whose difference `left` is (floats only: |J - L| loses digits of J).
    """

    left: Any
    right: Any
    size: Any = 0

    @property
    def slack(self) -> Any:
        """right - left: 0 where the bound is attained."""
        return ar.tidy(np.asarray(self.right - self.left))[()]

    @property
    def holds(self) -> bool:
        """Whether left ≤ right, throughout.  Raises `NotExact` where symbols leave it open."""
        slack = np.ravel(self.slack)
        forgiven = ROUNDINGS * ar.unit_roundoff(slack) * np.ravel(abs(self.left) + abs(self.right) + abs(self.size))
        excess = ar.largest(-(slack + forgiven))
        nothing = 0 * excess
        return bool(ar.largest(np.array([excess, nothing])) == nothing)

    def __repr__(self) -> str:
        return f"Bound({self.left} <= {self.right}, slack={self.slack})"
