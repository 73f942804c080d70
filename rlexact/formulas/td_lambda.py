"""TD(λ): the λ-return's update spread backwards over what was visited, one step at a time.

    δ_t = r_t + γ w·x_{t+1} - w·x_t
    accumulating   e_t = γλ e_{t-1} + x_t                                          w ← w + α δ_t e_t
    replacing      e_t = 1 where x_t = 1, γλ e_{t-1} elsewhere                      the same update
    dutch          e_t = γλ e_{t-1} + (1 - αγλ e_{t-1}·x_t) x_t                     w ← w + α (δ_t + w·x_t - w_{t-1}·x_t) e_t
                                                                                       - α (w·x_t - w_{t-1}·x_t) x_t

A table is the case x_t = the unit vector of s_t. The trace is 0 before an episode's first step. With w held fixed, the sum of
the accumulating updates over an episode is Σ_t α (G_t^λ - w·x_t) x_t, that of the λ-returns: forward and backward view agree.
While w moves they do not, but the last line (true online TD(λ)) equals the online λ-return algorithm at every step. Sutton
(1988); Singh and Sutton (1996); van Seijen et al. (2016); Sutton and Barto (2018), §12.2 to §12.5.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, refuse_where, vectors, within


def accumulating_trace(trace: Any, features: Any, gamma: Any, lam: Any) -> Array:
    """(..., d), (..., d) -> (..., d): the trace after a step, each visit added.

        e_t = γλ e_{t-1} + x_t

    Raises `InvalidBatch` for γ or λ outside [0, 1] and for shapes that differ.
    Source: Sutton and Barto (2018), (12.5).

    >>> accumulating_trace([1.0, 2.0], [0.0, 1.0], 0.5, 0.5)
    array([0.25, 1.5 ])
    """
    e, x, decay = read_trace(trace, features, gamma, lam)
    return np.asarray(decay * e + x)


def replacing_trace(trace: Any, features: Any, gamma: Any, lam: Any) -> Array:
    """(..., d), (..., d) -> (..., d): the trace after a step, set to 1 by a visit; for features that are 0 or 1.

        e_t = 1 where x_t = 1, γλ e_{t-1} elsewhere

    Raises as `accumulating_trace`, and for features other than 0 and 1.
    Source: Singh and Sutton (1996), (3); Sutton and Barto (2018), (12.12).

    >>> replacing_trace([1.0, 2.0], [0.0, 1.0], 0.5, 0.5)
    array([0.25, 1.  ])
    """
    e, x, decay = read_trace(trace, features, gamma, lam)
    refuse_where(ar.apart(x, 0) & ar.apart(x, 1), "features", x, "that are 0 or 1, or take the dutch trace")
    return np.where(ar.apart(x, 0), x, decay * e)


def dutch_trace(trace: Any, features: Any, gamma: Any, lam: Any, alpha: Any) -> Array:
    """(..., d), (..., d) -> (..., d): the trace of true online TD(λ), which knows the step size.

        e_t = γλ e_{t-1} + (1 - αγλ e_{t-1}·x_t) x_t

    In a table: accumulating for α → 0, replacing for α = 1. Raises as `accumulating_trace`, and for α < 0.
    Source: Sutton and Barto (2018), (12.11).

    >>> dutch_trace([1.0, 2.0], [0.0, 1.0], 0.5, 0.5, 1)
    array([0.25, 1.  ])
    """
    e, x, decay = read_trace(trace, features, gamma, lam)
    a = numbers(features=x, alpha=alpha)[1]
    within(0, None, alpha=a)
    return np.asarray(decay * e + (1 - a * decay * (e * x).sum(axis=-1, keepdims=True)) * x)


def td_lambda_update(weights: Any, trace: Any, td_error: Any, alpha: Any) -> Array:
    """(d,), (d,) -> (d,): the weights, or the table, after a step; `trace` is e_t, the step's own visit in it.

        w ← w + α δ_t e_t

    λ = 0 is TD(0). Raises `InvalidBatch` for α < 0 and shapes that differ.
    Source: Sutton and Barto (2018), (12.7).

    >>> td_lambda_update([1.0, 1.0], [0.25, 1.0], 2.0, 0.5)
    array([1.25, 2.  ])
    """
    w, e, delta, a = one_vector(weights=weights, trace=trace, td_error=td_error, alpha=alpha)
    within(0, None, alpha=a)
    return np.asarray(w + a * delta * e)


def true_online_td_lambda_update(
    weights: Any, old_weights: Any, trace: Any, features: Any, td_error: Any, alpha: Any
) -> Array:
    """(d,) each -> (d,): the weights after a step of true online TD(λ); `trace` is the dutch e_t.

        w_{t+1} = w_t + α δ_t e_t + α (w_t·x_t - w_{t-1}·x_t)(e_t - x_t)

    `old_weights` is w_{t-1}, the weights one update ago (w_0 itself at the first step). Raises as `td_lambda_update`.
    Source: van Seijen et al. (2016), Algorithm 1; Sutton and Barto (2018), §12.5.

    >>> true_online_td_lambda_update([2.0, 0.0], [1.0, 0.0], [1.5, 0.0], [1.0, 0.0], 2.0, 0.5)
    array([3.75, 0.  ])
    """
    w, old, e, x, delta, a = one_vector(
        weights=weights, old_weights=old_weights, trace=trace, features=features, td_error=td_error, alpha=alpha
    )
    within(0, None, alpha=a)
    return np.asarray(w + a * delta * e + a * ((w - old) * x).sum() * (e - x))


def read_trace(trace: Any, features: Any, gamma: Any, lam: Any) -> tuple[Array, Array, Array]:
    """e, x and γλ."""
    e, x, g, decay = numbers(trace=trace, features=features, gamma=gamma, lam=lam)
    vectors(trace=e, features=x)
    within(0, 1, gamma=g, lam=decay)
    return e, x, np.asarray(g * decay)


def one_vector(td_error: Any, alpha: Any, **vectors_given: Any) -> list[Array]:
    """Vectors of one length, and two numbers.  Raises `InvalidBatch`."""
    *given, delta, a = numbers(**vectors_given, td_error=td_error, alpha=alpha)
    if any(x.ndim != 1 for x in given) or delta.ndim or a.ndim:
        raise InvalidBatch("give vectors of one length d, and one number each for td_error and alpha")
    return [*given, delta, a]
