"""The importance-weighted surrogate: another policy's samples, each counted as often as ours would have drawn it.

    L = ρ Â,   ρ = π(a | s) / μ(a | s),   E_μ L = E_π Â            an objective, L^CPI; states stay those of μ
    dL / d log π = ρ Â                                            at π = μ the policy gradient's Â
    L_τ = sg(Π_t ρ_t) Σ_t log π(a_t | s_t) G_t                     whole trajectories; sg: held fixed
    E_μ ρ² = Σ_a π² / μ = 1 + χ²(π ‖ μ)                            what the weights cost; over T steps the product

The mean is right wherever μ takes all that π takes; the variance is that of the ratios, which multiply along a trajectory.
`importance.effective_sample_size` estimates it from a batch. Kakade and Langford (2002); Schulman et al. (2015), (14);
Precup, Sutton and Singh (2000).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, refuse_where, time_major, within
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.reduction import Reduction, reduce, weights


def importance_weighted_surrogate(ratios: Any, advantages: Any) -> Array:
    """(N,), (N,) -> (N,): the unclipped surrogate objective L^CPI of each sample; it runs on Fractions.

        L = ρ Â

    Raises `InvalidBatch` for a negative ratio, and where the product exceeds the largest float.
    Source: Schulman et al. (2015), (14); Schulman et al. (2017), (6).

    >>> importance_weighted_surrogate([1.5, 0.5], [2.0, -4.0])
    array([ 3., -2.])
    """
    rho, adv = numbers(ratios=ratios, advantages=advantages)
    within(0, None, ratios=rho)
    with np.errstate(over="ignore"):
        surrogate = np.asarray(rho * adv)
    refuse_where(~np.asarray(ar.finite(surrogate)), "ratio times advantage", surrogate, "whose product is a float")
    return surrogate


def importance_weighted_surrogate_gradient(ratios: Any, advantages: Any) -> Array:
    """(N,), (N,) -> (N,): dL/dρ of each sample.

        dL/dρ = Â

    Source: differentiated from Schulman et al. (2017), (6).

    >>> importance_weighted_surrogate_gradient([1.5, 0.5], [2.0, -4.0])
    array([ 2., -4.])
    """
    rho, adv = numbers(ratios=ratios, advantages=advantages)
    return np.asarray(adv + 0 * rho)


def importance_weighted_loss(
    log_probs: Any,
    behaviour_log_probs: Any,
    advantages: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) each -> (N,), or one number: minus the surrogate, of log-probabilities.

        loss = -ρ Â,   ρ = exp(log π - log μ)

    Raises `InvalidBatch` where a ratio exceeds the largest float and its advantage is not 0, `NotExact` for exact numbers.
    Source: Schulman et al. (2017), (6).

    >>> importance_weighted_loss([0.0, -1e4], [0.0, 0.0], [2.0, 3.0])
    array([-2., -0.])
    """
    rho, adv = ratios_that_count(log_probs, behaviour_log_probs, advantages)
    return reduce(-importance_weighted_surrogate(rho, adv), reduction, mask)


def importance_weighted_loss_gradient(
    log_probs: Any,
    behaviour_log_probs: Any,
    advantages: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,) each -> (N,): d loss / d log π of each sample; the loss itself, since ρ is an exponential.

        d loss / d log π = -ρ Â

    Source: differentiated from Schulman et al. (2017), (6).

    >>> importance_weighted_loss_gradient([0.0, 0.0], [0.0, 0.0], [2.0, -3.0])
    array([-2.,  3.])
    """
    rho, adv = ratios_that_count(log_probs, behaviour_log_probs, advantages)
    gradient = -importance_weighted_surrogate(rho, adv)
    return np.asarray(gradient * weights(gradient, reduction, mask))


def ratios_that_count(log_probs: Any, behaviour_log_probs: Any, advantages: Any) -> tuple[Array, Array]:
    """ρ and Â, with ρ = 1 where Â is 0: its size plays no part there."""
    log_p, log_mu, adv = numbers(log_probs=log_probs, behaviour_log_probs=behaviour_log_probs, advantages=advantages)
    log_rho = log_p - log_mu
    return importance_ratios(np.where(ar.apart(adv, 0), log_rho, 0 * log_rho), 0), adv


def trajectory_ratios(log_probs: Any, behaviour_log_probs: Any) -> Array:
    """(T, ...), (T, ...) -> (...): how much likelier the policy makes a whole trajectory's actions.

        Π_t ρ_t = exp(Σ_t (log π(a_t | s_t) - log μ(a_t | s_t)))

    The environment's probabilities cancel. Raises `InvalidBatch` for scalars and beyond the largest float.
    Source: Precup, Sutton and Singh (2000); Sutton and Barto (2018), (5.3).

    >>> trajectory_ratios([-1e4, 0.0], [0.0, -1e4])
    array(1.)
    """
    log_p, log_mu = numbers(log_probs=log_probs, behaviour_log_probs=behaviour_log_probs)
    time_major(log_probs=log_p + 0 * log_mu)
    return np.asarray(importance_ratios((log_p - log_mu).sum(axis=0), 0))


def trajectory_weighted_surrogate(log_probs: Any, behaviour_log_probs: Any, returns: Any) -> Array:
    """(T, ...) each -> (T, ...): the objective whose gradient is the off-policy REINFORCE estimate; Π ρ held fixed.

        L_t = sg(Π_u ρ_u) log π(a_t | s_t) G_t

    Source: Precup, Sutton and Singh (2000), with the score of Williams (1992).

    >>> trajectory_weighted_surrogate([-1.0, -2.0], [-1.0, -2.0], [3.0, 1.0])
    array([-3., -2.])
    """
    log_p, log_mu, gain = numbers(log_probs=log_probs, behaviour_log_probs=behaviour_log_probs, returns=returns)
    return np.asarray(trajectory_ratios(log_p, log_mu) * log_p * gain)


def trajectory_weighted_surrogate_gradient(log_probs: Any, behaviour_log_probs: Any, returns: Any) -> Array:
    """(T, ...) each -> (T, ...): what multiplies the score of each step, as the product is held fixed.

        dL_t / d log π = Π_u ρ_u G_t,   E_μ Σ_t Π_u ρ_u G_t ∂ log π = E_π Σ_t G_t ∂ log π

    Source: Precup, Sutton and Singh (2000), with the score of Williams (1992).

    >>> trajectory_weighted_surrogate_gradient([-1.0, -2.0], [-1.0, -2.0], [3.0, 1.0])
    array([3., 1.])
    """
    log_p, log_mu, gain = numbers(log_probs=log_probs, behaviour_log_probs=behaviour_log_probs, returns=returns)
    return np.asarray(trajectory_ratios(log_p, log_mu) * gain + 0 * log_p)


def weighted_variance(probs: Any, behaviour_probs: Any, values: Any = 1) -> Array:
    """(..., A) each -> (...): the variance of ρ f(a) for one action drawn from μ; of ρ alone it is χ²(π ‖ μ).

        Var_μ(ρ f) = Σ_a π(a)² f(a)² / μ(a) - (Σ_a π(a) f(a))²

    Raises `InvalidBatch` for negative probabilities, and where μ = 0 < π: no sample of μ tells of that action.
    Source: Owen (2013), "Monte Carlo theory, methods and examples", theorem 9.1.

    >>> float(weighted_variance([0.5, 0.5], [0.25, 0.75]).round(6))
    0.333333
    """
    pi, mu, f = numbers(probs=probs, behaviour_probs=behaviour_probs, values=values)
    within(0, None, probs=pi, behaviour_probs=mu)
    never = ~ar.apart(mu, 0)
    refuse_where(never & ar.apart(pi, 0), "behaviour_probs", mu, "above 0 wherever probs are")
    mean = pi * f
    return np.asarray((mean * mean / np.where(never, 1 + 0 * mu, mu)).sum(axis=-1) - mean.sum(axis=-1) ** 2)
