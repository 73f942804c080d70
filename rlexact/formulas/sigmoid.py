"""The logistic function and its logarithm.

    σ(u) = 1 / (1 + e⁻ᵘ),    σ(-u) = 1 - σ(u)
    log σ(u) = min(u, 0) - log(1 + e^-|u|)                                          -log σ(-u) is the softplus of u
    (log σ)'(u) = σ(-u),     σ'(u) = σ(u) σ(-u)

Only e^-|u| is ever taken, so nothing overflows, and log1p keeps all digits of log σ(u) where σ(u) is close to 1.
Cox (1958), "The regression analysis of binary sequences".
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers


def sigmoid(logits: Any) -> Array:
    """(...) -> (...): σ(u), in [0, 1].

        σ(u) = 1 / (1 + e⁻ᵘ)

    Raises `NotExact` for Fractions.
    Source: Cox (1958), §2.

    >>> sigmoid([-1e4, 0.0, 1e4])
    array([0. , 0.5, 1. ])
    """
    (u,) = numbers(logits=logits)
    below, small = falling_exponential(u)
    return np.asarray(np.where(below, small, 1 + 0 * small) / (1 + small))


def log_sigmoid(logits: Any) -> Array:
    """(...) -> (...): log σ(u), at most 0; minus it is the logistic loss.

        log σ(u) = min(u, 0) - log(1 + e^-|u|)

    Raises `NotExact` for Fractions.
    Source: Cox (1958), §2.

    >>> log_sigmoid([-1e4, 0.0]).round(4)
    array([-1.000e+04, -6.931e-01])
    """
    (u,) = numbers(logits=logits)
    below, small = falling_exponential(u)
    return np.asarray(np.where(below, u, 0 * u) - ar.log1p(small))


def falling_exponential(u: Array) -> tuple[Array, Array]:
    """Where u < 0, and e^-|u|."""
    below = ar.negative(np.real(u))
    return below, ar.exp(np.where(below, u, -u))
