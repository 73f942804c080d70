"""Generalised advantage estimation.

    δ_t = r_t + γ (1 - terminated_t) V(s_{t+1}) - V(s_t)                            the TD error
    Â_t = δ_t + γλ (1 - terminated_t)(1 - truncated_t) Â_{t+1}                      GAE(λ), from the last step back
        = Σ_l (γλ)^l δ_{t+l}                                                       up to the end of the episode

λ = 0 is the TD error, λ = 1 is the return to go minus V(s_t). `next_values[t]` is V of the true successor of step t, before
any reset: at a truncation it is bootstrapped from, at a termination nothing is. With both flags set, terminated wins.
Schulman, Moritz, Levine, Jordan and Abbeel (2016), (11) to (16). Time comes first: (T,) or (T, B).
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import flags, numbers, time_major, within


def td_errors(rewards: Any, values: Any, next_values: Any, terminated: Any, gamma: Any) -> Array:
    """(T, ...) each -> (T, ...): δ_t, the one-step temporal-difference error.

        δ_t = r_t + γ (1 - terminated_t) V(s_{t+1}) - V(s_t)

    Raises `InvalidBatch` for shapes that differ, flags that are not boolean, γ outside [0, 1], NaN or infinity.
    Source: Sutton and Barto (2018), (6.5).

    >>> td_errors([1, 1], [2, 3], [3, 9], [False, True], gamma=0.5)
    array([ 0.5, -2. ])
    """
    r, v_t, v_tp1, g = numbers(rewards=rewards, values=values, next_values=next_values, gamma=gamma)
    within(0, 1, gamma=g)
    (ended,) = flags(time_major(rewards=r, values=v_t, next_values=v_tp1), terminated=terminated)
    return np.asarray(r + g * np.where(ended, 0 * v_tp1, v_tp1) - v_t)


def gae(rewards: Any, values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any) -> Array:
    """(T, ...) each -> (T, ...): Â_t, the advantages of GAE(λ).

        Â_t = δ_t + γλ (1 - terminated_t)(1 - truncated_t) Â_{t+1}

    After the last step nothing is added: a batch that stops midway is a truncation there, flagged or not.
    Raises as `td_errors`, and for λ outside [0, 1].
    Source: Schulman et al. (2016), (16).

    >>> gae([1, 1], [2, 3], [3, 4], [False, False], [False, False], gamma=0.5, lam=0.5)
    array([0.5, 0. ])
    """
    delta = td_errors(rewards, values, next_values, terminated, gamma)
    d, g, trace = numbers(delta=delta, gamma=gamma, lam=lam)
    within(0, 1, lam=trace)
    ended, cut = flags(d.shape, terminated=terminated, truncated=truncated)
    return backward_sum(d, np.where(ended | cut, 0 * d, g * trace + 0 * d))


def backward_sum(terms: Array, carry: Array) -> Array:
    """(T, ...), (T, ...) -> (T, ...): x_t = terms_t + carry_t x_{t+1}, nothing behind the last step."""
    out = terms.copy()
    for t in reversed(range(len(out) - 1)):
        out[t] = terms[t] + carry[t] * out[t + 1]
    return out
