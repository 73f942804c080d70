"""Jensen's and Cauchy and Schwarz's inequality, as the gap that they say is not negative.

    E f(X) - f(E X) ≥ 0                      for convex f; ≤ 0 for concave f; 0 where f is affine on the values taken
    E X² E Y² - (E XY)² ≥ 0                  0 where one is a multiple of the other

Jensen (1906); Schwarz (1888); Cover and Thomas (2006), Theorem 2.6.2. Both run on Fractions.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, distributions, numbers


def jensen_gap(p: Any, values: Any, f: Callable[[Array], Array]) -> Array:
    """(..., N), (..., N) -> (...): by how much the mean of f exceeds f of the mean.

        E f(X) - f(E X)

    X takes `values` with probabilities p; f takes an array. Raises `InvalidBatch` for a p that is no distribution.
    Source: Jensen (1906); Cover and Thomas (2006), Theorem 2.6.2.

    >>> float(jensen_gap([0.5, 0.5], [0.0, 2.0], np.square))
    1.0
    """
    p_x, x = weighed(p=p, values=values)
    return np.asarray((p_x * f(x)).sum(axis=-1) - f(np.asarray((p_x * x).sum(axis=-1))))


def cauchy_schwarz_gap(p: Any, x: Any, y: Any) -> Array:
    """(..., N) three times -> (...): by how much the product of second moments exceeds the squared mixed one.

        E X² E Y² - (E XY)²

    Raises as `jensen_gap`.
    Source: Schwarz (1888); Hardy, Littlewood and Pólya (1934), Theorem 7.

    >>> float(cauchy_schwarz_gap([0.5, 0.5], [1.0, 1.0], [1.0, -1.0]))
    1.0
    """
    p_i, x_i, y_i = weighed(p=p, x=x, y=y)
    mixed = (p_i * x_i * y_i).sum(axis=-1)
    return np.asarray((p_i * x_i * x_i).sum(axis=-1) * (p_i * y_i * y_i).sum(axis=-1) - mixed * mixed)


def weighed(**given: Any) -> list[Array]:
    """Probabilities first, then a value for each."""
    p, *values = numbers(**given)
    distributions(p=p)
    if any(x.shape != p.shape for x in values):
        raise InvalidBatch(f"p has shape {p.shape}: give one value for each probability")
    return [p, *values]
