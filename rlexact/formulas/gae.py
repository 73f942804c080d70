"""Generalised advantage estimation.

    δ_t = r_t + γ (1 - terminated_t) V(s_{t+1}) - V(s_t)                            the TD error
    Â_t = δ_t + γλ (1 - terminated_t)(1 - truncated_t) Â_{t+1}                      GAE(λ), from the last step back
        = Σ_l (γλ)^l δ_{t+l}                                                       up to the end of the episode
        = Σ_k w_k Σ_{l<k} γ^l δ_{t+l},   w_k = (1 - λ) λ^{k-1}                       the definition, k-step advantages mixed

λ = 0 is the TD error, λ = 1 is the return to go minus V(s_t). `next_values[t]` is V of the true successor of step t, before
any reset: at a truncation it is bootstrapped from, at a termination nothing is. With both flags set, terminated wins.
Where next_values[t] = values[t + 1] within an episode, values + Â is the λ-return (`returns.lambda_returns`).
Schulman, Moritz, Levine, Jordan and Abbeel (2016), (11) to (16). Time comes first: (T,) or (T, B).
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, time_major, within


def td_errors(rewards: Any, values: Any, next_values: Any, terminated: Any, gamma: Any) -> Array:
    """(T, ...) each -> (T, ...): δ_t, the one-step temporal-difference error; as an estimate of A(s_t, a_t), the TD advantage.

        δ_t = r_t + γ (1 - terminated_t) V(s_{t+1}) - V(s_t)

    With Q(s_t, a_t) and Q(s_{t+1}, a_{t+1}) in the places of the values it is the error of SARSA.
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


def gae_forward(
    rewards: Any, values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any
) -> Array:
    """(T, ...) each -> (T, ...): the same advantages by definition, k-step advantages mixed; T² work, for checking.

        Â_t = (1 - λ) Σ_{k<N} λ^{k-1} Â_t^{(k)} + λ^{N-1} Â_t^{(N)},   Â_t^{(k)} = Σ_{l<k} γ^l δ_{t+l}

    N is the steps left until a flag or the end of the batch. Raises as `gae`.
    Source: Schulman et al. (2016), (14) and (16).

    >>> gae_forward([1, 1], [2, 3], [3, 4], [False, False], [False, False], gamma=0.5, lam=0.5)
    array([0.5, 0. ])
    """
    delta = td_errors(rewards, values, next_values, terminated, gamma)
    d, g, trace = numbers(delta=delta, gamma=gamma, lam=lam)
    ended, cut = flags(d.shape, terminated=terminated, truncated=truncated)
    carry = np.where(ended | cut, 0 * d, g + 0 * d)
    return np.asarray(sum(w * window_sum(d, carry, k) for k, w in enumerate(mixture(trace, len(d)), start=1)))


def lambda_weights(lam: Any, steps: int) -> Array:
    """λ, N -> (N,): what the k-step estimate counts in the λ-mixture, for k = 1, ..., N; they sum to 1.

        w_k = (1 - λ) λ^{k-1} for k < N,   w_N = λ^{N-1}

    Raises `InvalidBatch` for λ outside [0, 1] and for fewer than one step.
    Source: Sutton and Barto (2018), (12.3); Schulman et al. (2016), (16), where N is infinite.

    >>> lambda_weights(0.5, 3)
    array([0.5 , 0.25, 0.25])
    """
    (trace,) = numbers(lam=lam)
    within(0, 1, lam=trace)
    if trace.ndim:
        raise InvalidBatch(f"lam has shape {trace.shape}: give one number")
    whole_steps(steps=steps)
    return np.array(mixture(trace, steps))


def mixture(trace: Array, steps: int) -> list[Any]:
    return [(1 - trace) * trace ** (k - 1) for k in range(1, steps)] + [trace ** (steps - 1)]


def backward_sum(terms: Array, carry: Array) -> Array:
    """(T, ...), (T, ...) -> (T, ...): x_t = terms_t + carry_t x_{t+1}, nothing behind the last step."""
    out = terms.copy()
    for t in reversed(range(len(out) - 1)):
        out[t] = terms[t] + carry[t] * out[t + 1]
    return out


def window_sum(terms: Array, carry: Array, n: int) -> Array:
    """(T, ...), (T, ...) -> (T, ...): the first n terms of `backward_sum`, terms_t + carry_t (terms_{t+1} + ...)."""
    return bootstrapped(terms, terms, carry, n)


def bootstrapped(terms: Array, last: Array, carry: Array, n: int) -> Array:
    """x^{(1)}_t = last_t, x^{(n)}_t = terms_t + carry_t x^{(n-1)}_{t+1}, and last_T at the end of the batch."""
    out = last.copy()
    for _ in range(min(n, len(out)) - 1):
        out[:-1] = terms[:-1] + carry[:-1] * out[1:]
    return out


def whole_steps(**given: Any) -> None:
    """Each a whole number of at least 1.  Raises `InvalidBatch`."""
    for name, n in given.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise InvalidBatch(f"{name} = {n!r}: give a whole number of steps, 1 or more")
