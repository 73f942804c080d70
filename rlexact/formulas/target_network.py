"""Target networks: how frozen parameters θ⁻ follow the online ones θ.

    hard     θ⁻ ← θ every K steps
    soft     θ⁻ ← (1 - τ) θ⁻ + τ θ                                              Polyak averaging
    so       θ⁻_n = (1 - τ)^n θ⁻_0 + Σ_{t<n} τ (1 - τ)^{n-1-t} θ_t              weights that sum to 1

What a target lags behind, in updates: on average (1 - τ)/τ for a soft one and (K - 1)/2 for a hard one, alike at K = 2/τ - 1.
τ = 1 and K = 1 are no target network at all. Mnih et al. (2015); Lillicrap et al. (2016), Algorithm 1.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, positive, read, refuse_where, within


def hard_update(target: Any, online: Any, step: int, every: int) -> Array:
    """(...), (...) -> (...): the target after step `step` of a network that copies every K = `every` steps.

        θ⁻ ← θ if K divides step, θ⁻ otherwise

    Steps count from 1. Raises `InvalidBatch` for K < 1 or a step below 0.
    Source: Mnih et al. (2015), Algorithm 1 (their C is K).

    >>> [float(hard_update(0.0, 5.0, step, 3)) for step in (1, 2, 3)]
    [0.0, 0.0, 5.0]
    """
    old, new = numbers(target=target, online=online)
    if every < 1 or step < 0:
        raise InvalidBatch(f"step = {step}, every = {every}: give a step of 0 or more, and a period of at least 1")
    return old if step % every else new


def soft_update(target: Any, online: Any, tau: Any) -> Array:
    """(...), (...), τ -> (...): the target after one soft update.

        θ⁻ ← (1 - τ) θ⁻ + τ θ

    Raises `InvalidBatch` for τ outside [0, 1] and for shapes that differ.
    Source: Lillicrap et al. (2016), Algorithm 1.

    >>> soft_update([0.0, 4.0], [8.0, 4.0], 0.25)
    array([2., 4.])
    """
    old, new, t = numbers(target=target, online=online, tau=tau)
    within(0, 1, tau=t)
    return np.asarray((1 - t) * old + t * new)


def soft_update_after(target: Any, online: Any, tau: Any, updates: int) -> Array:
    """(...), (...), τ -> (...): the target after n soft updates towards parameters that stand still.

        θ⁻_n = θ + (1 - τ)^n (θ⁻_0 - θ)

    Raises as `soft_update`, and for n below 0.
    Source: Lillicrap et al. (2016), Algorithm 1, solved.

    >>> float(soft_update_after(0.0, 8.0, 0.5, 3))
    7.0
    """
    old, new, t = numbers(target=target, online=online, tau=tau)
    within(0, 1, tau=t)
    if updates < 0:
        raise InvalidBatch(f"updates = {updates}: give 0 or more")
    return np.asarray(new + (1 - t) ** updates * (old - new))


def soft_update_weights(tau: Any, updates: int) -> Array:
    """τ, n -> (n + 1,): what the initial target and then each of n online parameters, oldest first, count in the n-th target.

        w = (1 - τ)^n, τ (1 - τ)^{n-1}, ..., τ (1 - τ), τ

    They sum to 1: the target is a mean of the past. Raises `InvalidBatch` for τ outside [0, 1] and n below 1.
    Source: Lillicrap et al. (2016), Algorithm 1, solved.

    >>> soft_update_weights(0.5, 2)
    array([0.25, 0.25, 0.5 ])
    """
    (t,) = numbers(tau=tau)
    within(0, 1, tau=t)
    if updates < 1:
        raise InvalidBatch(f"updates = {updates}: give 1 or more")
    powers = np.cumprod(np.append(ar.ones(t, 1), np.full(updates, 1 - t)))
    return np.append(powers[-1], t * powers[-2::-1])


def soft_update_of_path(target: Any, online: Any, tau: Any) -> Array:
    """(...), (n, ...), τ -> (...): the target after n soft updates, towards online parameters that move.

        θ⁻_n = (1 - τ)^n θ⁻_0 + Σ_{t<n} τ (1 - τ)^{n-1-t} θ_t

    Raises as `soft_update`.
    Source: Lillicrap et al. (2016), Algorithm 1, solved.

    >>> float(soft_update_of_path(8.0, [4.0, 6.0], 0.5))
    6.0
    """
    old, path, t = read(target=target, online=online, tau=tau)
    if path.ndim == 0 or path.shape[1:] != old.shape:
        raise InvalidBatch(f"online has shape {path.shape}: give (updates, *{old.shape}), one entry for each update")
    weights = soft_update_weights(t, len(path))
    return np.asarray(np.tensordot(weights, np.concatenate([old[None], path]), axes=1))


def soft_update_lag(tau: Any) -> Any:
    """τ -> updates: how far a soft target lags, the mean age of what it averages; a θ that moves steadily is met this late.

        Σ_k k τ (1 - τ)^k = (1 - τ) / τ

    Raises `InvalidBatch` for τ outside (0, 1].
    Source: Lillicrap et al. (2016), Algorithm 1: the mean of its geometric law.

    >>> float(soft_update_lag(0.25))
    3.0
    """
    (t,) = numbers(tau=tau)
    positive(tau=t)
    within(0, 1, tau=t)
    return np.asarray((1 - t) / t)[()]


def soft_update_half_life(tau: Any) -> Any:
    """τ -> updates: after how many the initial target counts one half.

        (1 - τ)^n = 1/2   at   n = log(1/2) / log(1 - τ)

    About 0.69/τ for small τ. Raises `InvalidBatch` for τ outside (0, 1), `NotExact` for rationals.
    Source: Lillicrap et al. (2016), Algorithm 1, solved.

    >>> float(soft_update_half_life(0.5))
    1.0
    """
    (t,) = numbers(tau=tau)
    positive(tau=t)
    refuse_where(~ar.negative(t - 1), "tau", t, "below 1")
    return np.asarray(-ar.log(ar.number(t, 2)) / ar.log1p(-t))[()]


def hard_update_lag(every: Any) -> Any:
    """K -> updates: the mean age of a hard target, over a period in which it is 0, 1, ..., K - 1 updates old.

        (K - 1) / 2

    Raises `InvalidBatch` for K below 1.
    Source: Mnih et al. (2015), Algorithm 1 (their C is K).

    >>> float(hard_update_lag(10_000))
    4999.5
    """
    (K,) = numbers(every=every)
    within(1, None, every=K)
    return np.asarray((K - 1) / 2)[()]


def matching_period(tau: Any) -> Any:
    """τ -> K: the hard period whose mean lag is that of a soft update.

        (K - 1)/2 = (1 - τ)/τ   at   K = 2/τ - 1

    Raises as `soft_update_lag`.
    Source: Mnih et al. (2015) and Lillicrap et al. (2016), the two lags set equal.

    >>> float(matching_period(0.005))
    399.0
    """
    return np.asarray(2 * soft_update_lag(tau) + 1)[()]
