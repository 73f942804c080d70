"""Hoeffding's inequality: how far a mean of n independent numbers in [a, b] strays from its expectation.

    P(|X̄ - μ| ≥ ε) ≤ 2 exp(-2 n ε² / (b - a)²)                                   both sides
    P(X̄ - μ ≥ ε) ≤ exp(-2 n ε² / (b - a)²)                                       one side
    ε(δ) = (b - a) √(log(2/δ) / (2n)),    n(ε, δ) = ⌈(b - a)² log(2/δ) / (2ε²)⌉     the two-sided bound at δ, solved

Independence and the bounded range are needed, a common law is not. Hoeffding (1963), Theorem 2.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive, within


def hoeffding_bound(samples: Any, deviation: Any, low: Any, high: Any) -> Array:
    """() or (N,) each -> the same: a bound on the probability that the mean is off by ε or more, on either side.

        P(|X̄ - μ| ≥ ε) ≤ 2 exp(-2 n ε² / (b - a)²)

    Above 1 it says nothing. Raises `InvalidBatch` for n < 1, ε < 0 and b ≤ a.
    Source: Hoeffding (1963), Theorem 2, on both sides.

    >>> float(hoeffding_bound(100, 0.1, 0, 1).round(4))
    0.2707
    """
    return np.asarray(2 * hoeffding_one_sided_bound(samples, deviation, low, high))


def hoeffding_one_sided_bound(samples: Any, deviation: Any, low: Any, high: Any) -> Array:
    """() or (N,) each -> the same: a bound on the probability that the mean exceeds its expectation by ε or more.

        P(X̄ - μ ≥ ε) ≤ exp(-2 n ε² / (b - a)²)

    Raises as `hoeffding_bound`.
    Source: Hoeffding (1963), Theorem 2.

    >>> float(hoeffding_one_sided_bound(100, 0.1, 0, 1).round(4))
    0.1353
    """
    n, eps, a, b = numbers(samples=samples, deviation=deviation, low=low, high=high)
    within(1, None, samples=n)
    within(0, None, deviation=eps)
    positive(**{"high - low": np.asarray(b - a)})
    return np.asarray(ar.exp(np.asarray(-2 * n * eps * eps / ((b - a) * (b - a)))))


def hoeffding_radius(samples: Any, failure: Any, low: Any, high: Any) -> Array:
    """() or (N,) each -> the same: how far the mean may be off, except with probability δ.

        ε = (b - a) √(log(2/δ) / (2n))

    Raises `InvalidBatch` for n < 1, δ outside (0, 1] and b ≤ a.
    Source: Hoeffding (1963), Theorem 2, solved for ε.

    >>> float(hoeffding_radius(100, 0.05, 0, 1).round(4))
    0.1358
    """
    n, delta, a, b = numbers(samples=samples, failure=failure, low=low, high=high)
    within(1, None, samples=n)
    within(None, 1, failure=delta)
    positive(failure=delta, **{"high - low": np.asarray(b - a)})
    return np.asarray((b - a) * ar.square_root(np.asarray(ar.log(np.asarray(2 / delta)) / (2 * n))))


def hoeffding_sample_size(deviation: Any, failure: Any, low: Any, high: Any) -> Array:
    """() or (N,) each -> the same: how many samples put the mean within ε, except with probability δ.

        n = ⌈(b - a)² log(2/δ) / (2ε²)⌉

    Raises `InvalidBatch` for ε ≤ 0, δ outside (0, 1] and b ≤ a.
    Source: Hoeffding (1963), Theorem 2, solved for n.

    >>> int(hoeffding_sample_size(0.1, 0.05, 0, 1))
    185
    """
    eps, delta, a, b = numbers(deviation=deviation, failure=failure, low=low, high=high)
    within(None, 1, failure=delta)
    positive(deviation=eps, failure=delta, **{"high - low": np.asarray(b - a)})
    return np.asarray(np.ceil((b - a) * (b - a) * ar.log(np.asarray(2 / delta)) / (2 * eps * eps)))
