"""Prioritised experience replay: chances by the size of the TD error, and the weights that make up for them.

    p_i = |δ_i| + ε  (proportional),   1 / rank(i)  (rank-based)
    Pr(i) = p_i^ω / Σ_j p_j^ω
    w_i = (N Pr(i))^-β,   divided by the largest

ω is the paper's α. β = 1 without the division restores the uniform mean; with it, its direction. Schaul, Quan, Antonoglou
and Silver (2016), (1), §3.3 and §3.4.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive, sum_to_one, time_major, within


def proportional_priorities(td_errors: Any, offset: Any) -> Array:
    """(N,), ε -> (N,): priorities by the size of the TD error.

        p_i = |δ_i| + ε

    ε > 0 keeps transitions without error in the draw. Raises `InvalidBatch` for ε below 0.
    Source: Schaul et al. (2016), §3.3, proportional variant.

    >>> proportional_priorities([-3.0, 0.0], 1.0)
    array([4., 1.])
    """
    delta, epsilon = numbers(td_errors=td_errors, offset=offset)
    within(0, None, offset=epsilon)
    return np.asarray(np.where(delta < 0, -delta, delta) + epsilon)


def rank_priorities(td_errors: Any) -> Array:
    """(N,) -> (N,): priorities by the place of the TD error among all, the largest first; ties in the order given.

        p_i = 1 / rank(i)

    An outlier counts no more than the next largest would in its place. Raises `InvalidBatch`.
    Source: Schaul et al. (2016), §3.3, rank-based variant.

    >>> rank_priorities([0.5, -30.0])
    array([0.5, 1. ])
    """
    (delta,) = numbers(td_errors=td_errors)
    sizes = proportional_priorities(delta, 0)
    time_major(td_errors=sizes)
    out = ar.ones(sizes, sizes.shape)
    out[np.argsort(-sizes, kind="stable")] /= np.cumsum(ar.ones(sizes, sizes.size))
    return out


def prioritised_probabilities(priorities: Any, omega: Any) -> Array:
    """(N,), ω -> (N,): the chance of each transition to be drawn.

        Pr(i) = p_i^ω / Σ_j p_j^ω

    ω = 0 is uniform, ω = 1 proportional. Exact for whole ω, `NotExact` where a power of a rational is not rational. Raises
    `InvalidBatch` for negative priorities, for all of them 0, and for ω below 0.
    Source: Schaul et al. (2016), (1).

    >>> prioritised_probabilities([4.0, 1.0], 0.5)
    array([0.66666667, 0.33333333])
    """
    p, w = numbers(priorities=priorities, omega=omega)
    within(0, None, priorities=p, omega=w)
    top = ar.largest(p)
    positive(largest_priority=np.asarray(top))
    shares = power(p / top, w)
    return np.asarray(shares / shares.sum())


def prioritised_correction(probabilities: Any, size: Any, beta: Any) -> Array:
    """(N,), N, β -> (N,): what a drawn transition counts, without a normalisation.

        w_i = (1 / (N Pr(i)))^β

    At β = 1 the weighted mean of a draw is the uniform mean: Σ_i Pr(i) w_i x_i = Σ x_i / N. `probabilities` may be those of
    a minibatch alone. Raises `InvalidBatch` for a probability that is not above 0 and for β outside [0, 1].
    Source: Schaul et al. (2016), §3.4.

    >>> prioritised_correction([0.75, 0.25], 2, 1)
    array([0.66666667, 2.        ])
    """
    p, N, b = numbers(probabilities=probabilities, size=size, beta=beta)
    positive(probabilities=p)
    within(0, 1, beta=b)
    return power(1 / (N * p), b)


def prioritised_weights(probabilities: Any, beta: Any) -> Array:
    """(B,), β -> (B,): importance weights, divided by their largest so that they only ever shrink a step.

        w_i = (N Pr(i))^-β / max_j (N Pr(j))^-β = (min_j Pr(j) / Pr(i))^β

    N cancels. The maximum is over what is given: the whole buffer, or the minibatch drawn, and the two differ by a factor
    that changes from one minibatch to the next. Raises as `prioritised_correction`.
    Source: Schaul et al. (2016), §3.4.

    >>> prioritised_weights([0.75, 0.25], 1)
    array([0.33333333, 1.        ])
    """
    p, b = numbers(probabilities=probabilities, beta=beta)
    positive(probabilities=p)
    within(0, 1, beta=b)
    return power(-ar.largest(-p) / p, b)


def prioritised_mean(values: Any, probabilities: Any, beta: Any) -> Any:
    """(N,), (N,), β -> one number: what a weighted draw averages to, each weight divided by the largest in the buffer.

        Σ_i Pr(i) w_i x_i   =   min_j Pr(j) · Σ_i x_i   at β = 1

    At β = 1 the uniform mean, times N min Pr ≤ 1: the direction is without bias, the length is not. Raises as
    `prioritised_correction`, and where the probabilities do not sum to 1.
    Source: Schaul et al. (2016), §3.4.

    >>> float(prioritised_mean([1.0, 3.0], [0.75, 0.25], 1))
    1.0
    """
    x, p = numbers(values=values, probabilities=probabilities)
    sum_to_one("probabilities", p, -1)
    return np.asarray((p * prioritised_weights(p, beta) * x).sum())[()]


def power(x: Array, exponent: Array) -> Array:
    """x^exponent, entry by entry.  Raises `NotExact` where the power of a rational is not rational."""
    out = np.asarray(x**exponent)
    if ar.is_exact(x) and not ar.is_exact(out):
        raise ar.NotExact(f"a power {exponent} of rationals is not rational: give floats")
    return out
