"""Estimators of KL(π ‖ π_ref) from samples of π, and the gradient that each yields when it is differentiated.

    ℓ = log π(a) - log π_ref(a),   a ~ π                                          E_π ℓ = KL(π‖π_ref)

    k1 = ℓ               E k1 = KL                dk1/d log π = 1                 E = 0: no gradient at all
    k2 = ℓ²/2            E k2 = E ℓ²/2, biased    dk2/d log π = ℓ                 E = ∇KL(π‖π_ref)
    k3 = e^-ℓ - 1 + ℓ    E k3 = KL, k3 ≥ 0        dk3/d log π = 1 - e^-ℓ          E = ∇KL(π_ref‖π), the other way round

The last column is E_π[dk/d log π · ∇ log π], what autodiff of a loss finds on samples of π itself. As a term of the reward
(held fixed, multiplied by the score) k1 follows ∇KL(π‖π_ref), and k3 the same less ∇KL(π_ref‖π).
E k3 = KL needs π > 0 wherever π_ref > 0. Schulman (2020), "Approximating KL divergence".
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers


def k1(log_probs: Any, reference_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): the log-ratio, of either sign; its mean is KL. It runs on Fractions.

        k1 = log π - log π_ref

    Raises `InvalidBatch` for shapes that differ and NaN.
    Source: Schulman (2020), k1.

    >>> k1([-1.0], [-1e4])
    array([9999.])
    """
    log_p, log_ref = numbers(log_probs=log_probs, reference_log_probs=reference_log_probs)
    return np.asarray(log_p - log_ref)


def k2(log_probs: Any, reference_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): half the squared log-ratio, at least 0, biased. It runs on Fractions.

        k2 = (log π - log π_ref)² / 2

    Raises as `k1`.
    Source: Schulman (2020), k2.

    >>> k2([-1.0], [-3.0])
    array([2.])
    """
    ell = k1(log_probs, reference_log_probs)
    return np.asarray(ell * ell / 2)


def k3(log_probs: Any, reference_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): at least 0 sample by sample; its mean is KL.

        k3 = π_ref/π - 1 - log(π_ref/π)

    Raises as `k1`, where π_ref/π exceeds the largest float, and `NotExact` for Fractions.
    Source: Schulman (2020), k3.

    >>> k3([-1e4, 0.0], [-1e4, -1e4])
    array([   0., 9999.])
    """
    ell = k1(log_probs, reference_log_probs)
    return np.asarray(excess_ratio(ell) + ell)


def k1_gradient(log_probs: Any, reference_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): dk1 / d log π; times the score it has mean 0 under π.

        dk1/d log π = 1

    Source: Schulman (2020), k1, differentiated.

    >>> k1_gradient([-1.0], [-3.0])
    array([1.])
    """
    ell = k1(log_probs, reference_log_probs)
    return ar.ones(ell, ell.shape).astype(ell.dtype)


def k2_gradient(log_probs: Any, reference_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): dk2 / d log π; times the score its mean under π is ∇KL(π‖π_ref).

        dk2/d log π = log π - log π_ref

    Source: Schulman (2020), k2, differentiated.

    >>> k2_gradient([-1.0], [-3.0])
    array([2.])
    """
    return k1(log_probs, reference_log_probs)


def k3_gradient(log_probs: Any, reference_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): dk3 / d log π; times the score its mean under π is ∇KL(π_ref‖π).

        dk3/d log π = 1 - π_ref/π

    Raises as `k3`.
    Source: Schulman (2020), k3, differentiated.

    >>> k3_gradient([0.0], [-1e4])
    array([1.])
    """
    return -excess_ratio(k1(log_probs, reference_log_probs))


def excess_ratio(ell: Array) -> Array:
    """π_ref/π - 1 = expm1(-ℓ)."""
    if ell.dtype != object and (np.real(-ell) > np.log(np.finfo(ell.real.dtype).max)).any():
        raise InvalidBatch(f"log(π_ref/π) = {np.real(-ell).max():.6g}: its exponential exceeds the largest float")
    return np.asarray(ar.expm1(-ell))
