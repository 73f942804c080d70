"""Importance ratios: what a sample of one policy counts under another.

    ρ = π(a | s) / μ(a | s) = exp(log π - log μ),    E_μ[ρ f] = E_π[f]  where μ > 0 wherever π > 0

Kahn and Marshall (1953); Sutton and Barto (2018), §5.5.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers

LARGEST_LOG = np.log(np.finfo(np.float64).max)  # 709.78...: exp of anything more is no float


def importance_ratios(log_probs: Any, behaviour_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): ρ of each sample, from log-probabilities, target policy first.

        ρ = exp(log π - log μ)

    The difference is taken first: log-probabilities of -1e4 are no trouble. Raises `InvalidBatch` where the ratio exceeds
    the largest float, `NotExact` for exact numbers (divide the probabilities instead).
    Source: Sutton and Barto (2018), (5.3).

    >>> importance_ratios([-1e4], [-1e4])
    array([1.])
    """
    log_p, log_mu = numbers(log_probs=log_probs, behaviour_log_probs=behaviour_log_probs)
    log_rho = np.asarray(log_p - log_mu)
    if log_rho.dtype != object and (np.real(log_rho) > LARGEST_LOG).any():
        raise InvalidBatch(f"log ratio {np.real(log_rho).max():.6g}: its exponential exceeds the largest float")
    return ar.exp(log_rho)
