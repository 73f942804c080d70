"""Soft Q-learning: the log-sum-exp value, its Boltzmann policy and its Bellman target.

    V = τ log Σ_a e^{Q(a)/τ}              max Q ≤ V ≤ max Q + τ log A,  V → max Q as τ → 0
    π(a) = e^{(Q(a) - V)/τ}               the policy that attains V = Σ π Q + τ H(π)
    ∂V/∂Q = π,   ∂V/∂τ = H(π)             the envelope theorem
    y = r + γ (1 - terminated) V(s')      the soft Bellman target

Values of actions are (..., A); τ is one number above 0, in the units of the rewards per nat; the rewards are scaled by 1/τ in
texts that write τ = 1. Ziebart (2010), §6.2; Haarnoja, Tang, Abbeel and Levine (2017), Theorems 1 and 2.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import beside, of_shape, positive, read, vectors
from rlexact.formulas.categorical import categorical_entropy, log_softmax, softmax
from rlexact.formulas.dqn import one_step_targets


def heated(q_values: Any, temperature: Any) -> tuple[Array, Array]:
    """Q/τ (..., A) and τ > 0."""
    q, tau = read(q_values=q_values, temperature=temperature)
    vectors(q_values=q)
    of_shape((), temperature=tau)
    positive(temperature=tau)
    return q / tau, tau


def soft_value(q_values: Any, temperature: Any) -> Array:
    """(..., A), () -> (...): the largest Σ π Q + τ H(π) of any policy.

        V = τ log Σ_a e^{Q(a)/τ}

    Raises `InvalidBatch` for τ ≤ 0, `NotExact` for Fractions.
    Source: Haarnoja et al. (2017), (3).

    >>> soft_value([[0.0, 0.0], [1e4, 0.0]], 0.001) - [0.001 * np.log(2), 1e4]
    array([0., 0.])
    """
    x, tau = heated(q_values, temperature)
    return np.asarray(tau * ar.logsumexp(x))


def soft_value_gradient(q_values: Any, temperature: Any) -> Array:
    """(..., A), () -> (..., A): the derivative of the soft value in the action values, which is the Boltzmann policy.

        ∂V/∂Q(a) = e^{(Q(a) - V)/τ}

    Raises as `soft_value`.
    Source: Ziebart (2010), §6.2; the envelope theorem.

    >>> soft_value_gradient([0.0, np.log(3.0)], 1.0)
    array([0.25, 0.75])
    """
    return boltzmann(q_values, temperature)


def soft_value_slope_in_temperature(q_values: Any, temperature: Any) -> Array:
    """(..., A), () -> (...): the derivative of the soft value in τ, which is the entropy of the Boltzmann policy.

        ∂V/∂τ = H(π) ≥ 0

    Raises as `soft_value`.
    Source: the envelope theorem on Haarnoja et al. (2017), (3).

    >>> soft_value_slope_in_temperature([5.0, 5.0], 0.001) / np.log(2)
    np.float64(1.0)
    """
    return categorical_entropy(heated(q_values, temperature)[0])


def boltzmann(q_values: Any, temperature: Any) -> Array:
    """(..., A), () -> (..., A): the Boltzmann policy.

        π(a) = e^{Q(a)/τ} / Σ_b e^{Q(b)/τ} = e^{(Q(a) - V)/τ}

    Greedy as τ → 0 (ties shared evenly), uniform as τ → ∞. Raises as `soft_value`.
    Source: Haarnoja et al. (2017), Theorem 1.

    >>> boltzmann([[0.0, 2 * np.log(3.0)], [1.0, 0.0]], 2.0)[0]
    array([0.25, 0.75])
    """
    return softmax(heated(q_values, temperature)[0])


def boltzmann_log_probs(q_values: Any, temperature: Any) -> Array:
    """(..., A), () -> (..., A): log-probabilities of the Boltzmann policy, also where those underflow.

        log π(a) = (Q(a) - V)/τ

    Raises as `soft_value`.
    Source: Haarnoja et al. (2017), Theorem 1.

    >>> boltzmann_log_probs([10.0, 0.0], 0.001)
    array([     0., -10000.])
    """
    return log_softmax(heated(q_values, temperature)[0])


def soft_q_target(rewards: Any, next_q_values: Any, terminated: Any, gamma: Any, temperature: Any) -> Array:
    """(N,), (N, A), (N,) bool -> (N,): the target of soft Q-learning.

        y = r + γ (1 - terminated) τ log Σ_a e^{Q(s', a)/τ}

    A truncated step bootstraps: `next_q_values` belong to its true successor. Raises `InvalidBatch` for shapes that differ,
    flags that are not boolean, γ outside [0, 1] and τ ≤ 0; `NotExact` for Fractions.
    Source: Haarnoja et al. (2017), (7).

    >>> soft_q_target([1.0, 1.0], [[0.0, 0.0], [5.0, 5.0]], [False, True], 0.5, 2.0) - [np.log(2), 0.0]
    array([1., 1.])
    """
    r, q, tau = read(rewards=rewards, next_q_values=next_q_values, temperature=temperature)
    beside({"rewards": r}, next_q_values=q)
    return one_step_targets(r, soft_value(q, tau), terminated, gamma)
