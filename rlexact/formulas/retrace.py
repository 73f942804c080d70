"""Retrace(λ) and its family: action values of π from trajectories of μ, each with its trace coefficient.

    δ_t = r_t + γ Σ_a π(a | s_{t+1}) Q(s_{t+1}, a) - Q(s_t, a_t)
    G_t = Q(s_t, a_t) + Σ_k γ^k c_{t+1} ... c_{t+k} δ_{t+k}
        = Q(s_t, a_t) + δ_t + γ c_{t+1} (G_{t+1} - Q(s_{t+1}, a_{t+1}))             from the last step back

    Retrace(λ)          c_t = λ min(1, π/μ)        any μ: a contraction to Q^π
    Q^π(λ)              c_t = λ                    where π and μ are close: λ < (1 - γ) / (γ max_s ‖π - μ‖₁)
    tree backup         c_t = λ π(a_t | s_t)       any μ, unknown too (`tree_backup`)
    importance sampling c_t = λ π/μ                any μ, of any variance
    Watkins's Q(λ)      c_t = λ 1[a_t greedy]      with the maximum in the place of the sum

`next_values[t]` is Σ_a π(a | s_{t+1}) Q(s_{t+1}, a) of the true successor (`sarsa.expected_values`), `q_values[t]` is
Q(s_t, a_t). The trace that joins step t to step t + 1 is that of a_{t+1}: a_t itself needs no correction. Munos, Stepleton,
Harutyunyan and Bellemare (2016), Table 1. Flags as in `gae`.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import flags, numbers, time_major, within
from rlexact.formulas.gae import backward_sum, td_errors
from rlexact.formulas.importance import read_ratios


def retrace_coefficients(ratios: Any, lam: Any) -> Array:
    """(T, ...), λ -> (T, ...): c_t, the traces of Retrace.

        c_t = λ min(1, π(a_t | s_t) / μ(a_t | s_t))

    Raises `InvalidBatch` for negative ratios and λ outside [0, 1].
    Source: Munos et al. (2016), Table 1.

    >>> retrace_coefficients([0.5, 3.0], 0.5)
    array([0.25, 0.5 ])
    """
    rho, trace = read_ratios(ratios, lam=lam)
    within(0, 1, lam=trace)
    return np.asarray(trace * np.where(ar.negative(np.real(1 - rho)), 1 + 0 * rho, rho))


def traced_targets(
    traces: Any, rewards: Any, q_values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any
) -> Array:
    """(T, ...) each -> (T, ...): G_t, the targets for Q(s_t, a_t) under any trace coefficients c_t of (s_t, a_t).

        G_t = Q(s_t, a_t) + δ_t + γ c_{t+1} (G_{t+1} - Q(s_{t+1}, a_{t+1}))

    Raises `InvalidBatch` as `td_errors`, and for negative traces.
    Source: Munos et al. (2016), Table 1.

    >>> traced_targets([0.5, 0.5], [1, 1], [2, 4], [4, 0], [False, True], None, gamma=0.5)
    array([2.25, 1.  ])
    """
    c, delta, q = numbers(
        traces=traces, delta=td_errors(rewards, q_values, next_values, terminated, gamma), q_values=q_values
    )
    g = numbers(delta=delta, gamma=gamma)[1]
    within(0, None, traces=c)
    ended, cut = flags(time_major(traces=c, delta=delta), terminated=terminated, truncated=truncated)
    ahead = np.concatenate([c[1:], 0 * c[:1]])
    return np.asarray(q + backward_sum(delta, np.where(ended | cut, 0 * delta, g * ahead)))


def retrace_targets(
    ratios: Any, rewards: Any, q_values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any
) -> Array:
    """(T, ...) each -> (T, ...): the targets of Retrace(λ) for Q(s_t, a_t).

        G_t = Q(s_t, a_t) + Σ_k γ^k (Π_{1≤j≤k} λ min(1, ρ_{t+j})) δ_{t+k}

    Raises as `traced_targets` and `retrace_coefficients`.
    Source: Munos et al. (2016), Table 1.

    >>> retrace_targets([9.0, 0.5], [1, 1], [2, 4], [4, 0], [False, True], None, gamma=0.5, lam=1)
    array([2.25, 1.  ])
    """
    traces = retrace_coefficients(ratios, lam)
    return traced_targets(traces, rewards, q_values, next_values, terminated, truncated, gamma)


def q_lambda_targets(
    rewards: Any, q_values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any
) -> Array:
    """(T, ...) each -> (T, ...): the targets of Q^π(λ): nothing of μ is asked, c_t = λ.

        G_t = Q(s_t, a_t) + Σ_k (γλ)^k δ_{t+k}

    On-policy it is expected SARSA(λ). Raises as `gae`.
    Source: Harutyunyan, Bellemare, Stepleton and Munos (2016), "Q(λ) with Off-Policy Corrections".

    >>> q_lambda_targets([1, 1], [2, 4], [4, 0], [False, True], None, gamma=0.5, lam=0.5)
    array([2.25, 1.  ])
    """
    r, trace = numbers(rewards=rewards, lam=lam)
    within(0, 1, lam=trace)
    return traced_targets(trace + 0 * r, r, q_values, next_values, terminated, truncated, gamma)


def watkins_q_lambda_targets(
    greedy: Any, rewards: Any, q_values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any
) -> Array:
    """(T, ...) each -> (T, ...): the targets of Watkins's Q(λ); `greedy[t]` says that a_t maximises Q(s_t, ·).

        G_t = Q(s_t, a_t) + Σ_k (γλ)^k 1[a_{t+1}, ..., a_{t+k} greedy] δ_{t+k},   next_values[t] = max_a Q(s_{t+1}, a)

    Raises as `q_lambda_targets`.
    Source: Sutton and Barto (2018), §12.10; Watkins (1989), §7.

    >>> watkins_q_lambda_targets([True, False], [1, 1], [2, 4], [4, 0], [False, True], None, gamma=0.5, lam=0.5)
    array([3., 1.])
    """
    r, trace = numbers(rewards=rewards, lam=lam)
    within(0, 1, lam=trace)
    (kept,) = flags(time_major(rewards=r), greedy=greedy)
    return traced_targets(np.where(kept, trace + 0 * r, 0 * r), r, q_values, next_values, terminated, truncated, gamma)
