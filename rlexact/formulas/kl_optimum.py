"""The best distribution near a reference, KL(π ‖ μ) being the price: the closed form behind AWR, RLHF and DPO.

    maximise Σ_a π(a) f(a) - α KL(π ‖ μ)
    π*(a) = μ(a) exp(f(a) / α) / Z,   Z = Σ_a μ(a) exp(f(a) / α),   max = α log Z

f is an advantage (AWR), a reward (RLHF) or a Q-value (soft control); α, in the units of f, is `temperature`. α -> 0 is the
best action μ takes, α -> ∞ is μ. Actions that μ never takes stay out. `reps` finds the α that a budget for KL asks for.
Actions lie on the last axis; floats and symbols. Peng et al. (2019), (9); Rafailov et al. (2023), (4).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, distributions, numbers, positive
from rlexact.formulas.importance import importance_ratios


def kl_regularised_policy(reference_probs: Any, values: Any, temperature: Any) -> Array:
    """(..., A), (..., A) -> (..., A): the optimal policy of the penalised problem.

        π*(a) = μ(a) exp(f(a) / α) / Z

    Raises `InvalidBatch` for rows of μ that are no distribution and for α not above 0; `NotExact` for Fractions.
    Source: Peng et al. (2019), (9); Rafailov et al. (2023), (4).

    >>> kl_regularised_policy([0.5, 0.5, 0.0], [1e4, 0.0, 1e9], 0.001)
    array([1., 0., 0.])
    """
    return optimum(reference_probs, values, temperature)[1]


def kl_regularised_value(reference_probs: Any, values: Any, temperature: Any) -> Array:
    """(..., A), (..., A) -> (...): what the optimal policy of the penalised problem is worth, in the units of f.

        max_π Σ_a π(a) f(a) - α KL(π ‖ μ) = α log Z

    It lies between Σ_a μ f and the best f that μ takes. Raises as `kl_regularised_policy`.
    Source: Donsker and Varadhan (1975); Rafailov et al. (2023), appendix A.1.

    >>> float(kl_regularised_value([0.5, 0.5], [3.0, 3.0], 2.0))
    3.0
    """
    return optimum(reference_probs, values, temperature)[0]


def log_partition(reference_probs: Any, values: Any, temperature: Any) -> Array:
    """(..., A), (..., A) -> (...): log Z, which stays a float where Z does not.

        log Z = log Σ_a μ(a) exp(f(a) / α)

    Raises as `kl_regularised_policy`.
    Source: Rafailov et al. (2023), (4).

    >>> float(log_partition([0.25, 0.75], [1e4, 1e4], 0.001))
    10000000.0
    """
    *_, alpha = numbers(reference_probs=reference_probs, values=values, temperature=temperature)
    return np.asarray(kl_regularised_value(reference_probs, values, temperature) / alpha)


def partition(reference_probs: Any, values: Any, temperature: Any) -> Array:
    """(..., A), (..., A) -> (...): Z, where it is a float; the mean weight of AWR, at least 1 where f has mean 0 under μ.

        Z = Σ_a μ(a) exp(f(a) / α)

    Raises as `kl_regularised_policy`, and where log Z is above 709.78: take `log_partition`.
    Source: Rafailov et al. (2023), (4).

    >>> float(partition([0.5, 0.5], [0.0, 0.0], 1.0))
    1.0
    """
    return importance_ratios(log_partition(reference_probs, values, temperature), 0)


def optimum(reference_probs: Any, values: Any, temperature: Any) -> tuple[Array, Array]:
    """α log Z and π*."""
    mu, f, alpha = numbers(reference_probs=reference_probs, values=values, temperature=temperature)
    distributions(reference_probs=mu)
    if mu.shape != f.shape or alpha.ndim:
        raise InvalidBatch(
            f"shapes {mu.shape}, {f.shape} and {alpha.shape}: give (..., A), (..., A) and one temperature"
        )
    positive(temperature=alpha)
    value, shares = ar.soft_best(f.reshape(-1, f.shape[-1]), mu.reshape(-1, mu.shape[-1]), alpha[()])
    return np.asarray(value).reshape(f.shape[:-1]), shares.reshape(f.shape)
