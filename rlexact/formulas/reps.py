"""Relative entropy policy search: the temperature that a KL budget asks for, by a dual in one variable.

    maximise Σ_a π(a) f(a)   subject to   KL(π ‖ μ) ≤ δ
    π*(a) = μ(a) exp(f(a) / α) / Z(α),   α the minimiser over α > 0 of
    g(α) = α δ + α log Z(α),   g'(α) = δ - KL(π* ‖ μ),   Z(α) = Σ_a μ(a) exp(f(a) / α)

g is convex; its minimum is the constrained optimum. Where the best action that μ takes costs less than δ, g falls towards
α = 0 and there is no minimiser. A batch of N samples is μ = 1/N. α is in the units of f, δ in nats. Actions lie on the last axis;
floats and symbols. Peters, Mülling and Altün (2010).
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, within
from rlexact.formulas.kl_optimum import kl_regularised_policy, kl_regularised_value


def reps_dual_loss(behaviour_probs: Any, values: Any, temperature: Any, kl_budget: Any) -> Array:
    """(..., A), (..., A), (), () -> (...): the dual function of the constrained problem; minimised over α > 0.

        g(α) = α δ + α log Σ_a μ(a) exp(f(a) / α)

    Never below what any policy within the budget earns. Raises `InvalidBatch` for α not above 0, δ below 0 and rows of μ
    that are no distribution; `NotExact` for Fractions.
    Source: Peters, Mülling and Altün (2010), dual function, in one state.

    >>> float(reps_dual_loss([0.5, 0.5], [3.0, 3.0], 2.0, 0.5))
    4.0
    """
    alpha, delta = numbers(temperature=temperature, kl_budget=kl_budget)
    within(0, None, kl_budget=delta)
    return np.asarray(alpha * delta + kl_regularised_value(behaviour_probs, values, alpha))


def reps_dual_loss_gradient(behaviour_probs: Any, values: Any, temperature: Any, kl_budget: Any) -> Array:
    """(..., A), (..., A), (), () -> (...): dg/dα; 0 where the optimal policy spends the budget exactly.

        dg/dα = δ + log Z - E_π*[f] / α = δ - KL(π* ‖ μ)

    Raises as `reps_dual_loss`.
    Source: differentiated from Peters, Mülling and Altün (2010).

    >>> float(reps_dual_loss_gradient([0.5, 0.5], [3.0, 3.0], 2.0, 0.5))
    0.5
    """
    mu, f, alpha, delta = numbers(
        behaviour_probs=behaviour_probs, values=values, temperature=temperature, kl_budget=kl_budget
    )
    within(0, None, kl_budget=delta)
    pi, value = kl_regularised_policy(mu, f, alpha), kl_regularised_value(mu, f, alpha)
    return np.asarray(delta + (pi * (value[..., None] - f)).sum(axis=-1) / alpha)  # close numbers, before α divides
