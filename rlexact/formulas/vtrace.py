"""V-trace: state values of (almost) the target policy from trajectories of an older one.

    ρ_t = min(ρ̄, π/μ),   c_t = λ min(c̄, π/μ)                                      truncated importance ratios of (s_t, a_t)
    δ_t = ρ_t (r_t + γ V(s_{t+1}) - V(s_t))
    v_t = V(s_t) + Σ_k γ^k c_t ... c_{t+k-1} δ_{t+k}
        = V(s_t) + δ_t + γ c_t (v_{t+1} - V(s_{t+1}))                              from the last step back
    Â_t = ρ_t (r_t + γ v_{t+1} - V(s_t))                                           its policy-gradient advantage

The expected operator has the fixed point V^{π_ρ̄}, π_ρ̄(a | s) ∝ min(ρ̄ μ(a | s), π(a | s)): ρ̄ decides what is learned,
c̄ and λ only how fast. On-policy with ρ̄, c̄ ≥ 1 the target is the λ-return. The trace c_t belongs to the action taken at t
and reaches from v_{t+1} back to v_t; in Retrace it is c_{t+1}. Espeholt et al. (2018), "IMPALA", §4. Flags as in `gae`.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, positive, within
from rlexact.formulas.gae import backward_sum, td_errors
from rlexact.formulas.importance import read_ratios


def truncated_ratios(ratios: Any, bound: Any) -> Array:
    """(N,) -> (N,): importance ratios cut from above; None cuts nothing.

        min(bound, π/μ)

    Raises `InvalidBatch` for negative ratios and a bound that is not above 0.
    Source: Espeholt et al. (2018), §4.1.

    >>> truncated_ratios([0.5, 3.0], 1)
    array([0.5, 1. ])
    """
    if bound is None:
        return np.asarray(read_ratios(ratios))
    rho, top = read_ratios(ratios, bound=bound)
    positive(bound=top)
    return np.asarray(np.where(ar.negative(np.real(top - rho)), top + 0 * rho, rho))


def vtrace_targets(
    ratios: Any,
    rewards: Any,
    values: Any,
    next_values: Any,
    terminated: Any,
    truncated: Any,
    gamma: Any,
    *,
    rho_bar: Any = 1,
    c_bar: Any = 1,
    lam: Any = 1,
) -> Array:
    """(T, ...) each -> (T, ...): v_t, the targets for V(s_t).

        v_t = V(s_t) + ρ_t (r_t + γ V(s_{t+1}) - V(s_t)) + γ c_t (v_{t+1} - V(s_{t+1}))

    `rho_bar`, `c_bar` None: no truncation. Raises `InvalidBatch` as `gae`, for negative ratios and bounds not above 0.
    Source: Espeholt et al. (2018), (1) and Remark 1; λ: Remark 2.

    >>> vtrace_targets([2.0, 0.5], [1.0, 1.0], [2.0, 4.0], [4.0, 2.0], None, None, gamma=0.5)
    array([2.5, 3. ])
    """
    errors = vtrace_errors(ratios, rewards, values, next_values, terminated, truncated, gamma, rho_bar, c_bar, lam)
    return np.asarray(errors + numbers(errors=errors, values=values)[1])


def vtrace_advantages(
    ratios: Any,
    rewards: Any,
    values: Any,
    next_values: Any,
    terminated: Any,
    truncated: Any,
    gamma: Any,
    *,
    rho_bar: Any = 1,
    c_bar: Any = 1,
    lam: Any = 1,
) -> Array:
    """(T, ...) each -> (T, ...): Â_t, what multiplies ∇ log π(a_t | s_t); the ratio ρ_t is in it.

        Â_t = ρ_t (r_t + γ v_{t+1} - V(s_t)),   v_{t+1} = V(s_{t+1}) at a truncation and where the batch stops

    Raises as `vtrace_targets`.
    Source: Espeholt et al. (2018), §4.2.

    >>> vtrace_advantages([2.0, 0.5], [1.0, 1.0], [2.0, 4.0], [4.0, 2.0], None, None, gamma=0.5)
    array([ 0.5, -1. ])
    """
    errors = vtrace_errors(ratios, rewards, values, next_values, terminated, truncated, gamma, rho_bar, c_bar, lam)
    delta, x, g = numbers(delta=td_errors(rewards, values, next_values, terminated, gamma), errors=errors, gamma=gamma)
    rho, _ = numbers(ratios=truncated_ratios(ratios, rho_bar), delta=delta)
    ended, cut = flags(delta.shape, terminated=terminated, truncated=truncated)
    behind = np.concatenate([x[1:], 0 * x[:1]])
    return np.asarray(rho * (delta + g * np.where(ended | cut, 0 * x, behind)))


def vtrace_policy(probs: Any, behaviour_probs: Any, rho_bar: Any) -> Array:
    """(N, A), (N, A) -> (N, A): π_ρ̄, the policy whose values V-trace learns, between μ (ρ̄ → 0) and π (ρ̄ large).

        π_ρ̄(a | s) = min(ρ̄ μ(a | s), π(a | s)) / Σ_b min(ρ̄ μ(b | s), π(b | s))

    Raises `InvalidBatch` for negative probabilities, ρ̄ not above 0, and a row where π and μ share no action.
    Source: Espeholt et al. (2018), (2).

    >>> vtrace_policy([[0.75, 0.25]], [[0.25, 0.75]], 1)
    array([[0.5, 0.5]])
    """
    p, mu, top = numbers(probs=probs, behaviour_probs=behaviour_probs, rho_bar=rho_bar)
    within(0, 1, probs=p, behaviour_probs=mu)
    positive(rho_bar=top)
    least = np.where(ar.negative(top * mu - p), top * mu, p)
    total = least.sum(axis=-1, keepdims=True)
    if not np.all(ar.apart(total, 0)):
        raise InvalidBatch(
            "a row of probs and behaviour_probs shares no action: V-trace has nothing to learn from there"
        )
    return np.asarray(least / total)


def vtrace_errors(
    ratios: Any,
    rewards: Any,
    values: Any,
    next_values: Any,
    terminated: Any,
    truncated: Any,
    gamma: Any,
    rho_bar: Any,
    c_bar: Any,
    lam: Any,
) -> Array:
    """v_t - V(s_t)."""
    rho, c, delta, g, trace = numbers(
        rho=truncated_ratios(ratios, rho_bar),
        c=truncated_ratios(ratios, c_bar),
        delta=td_errors(rewards, values, next_values, terminated, gamma),
        gamma=gamma,
        lam=lam,
    )
    within(0, 1, lam=trace)
    ended, cut = flags(delta.shape, terminated=terminated, truncated=truncated)
    return backward_sum(rho * delta, np.where(ended | cut, 0 * delta, g * trace * c + 0 * delta))
