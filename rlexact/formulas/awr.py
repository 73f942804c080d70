"""Advantage-weighted regression: fit the policy to data, good actions counting exponentially more.

    π*(a | s) = μ(a | s) exp(A(s, a) / α) / Z(s)               the best policy near μ: `kl_optimum`
    min KL(π* ‖ π) = max E_μ[w log π] / Z + const,   w = exp(A / α)
    loss = -w log π(a | s),   a ~ μ                            the projection of π* onto a family of policies

Z depends on the state: leaving it out of w weighs each state by Z(s), which changes nothing for a table and something for a
network. In practice w is clipped, and advantages are normalised first. α is `temperature`, in rewards; IQL's β is 1 / α.
Peng, Kumar, Zhang and Levine (2019), (9) to (11); Peters and Schaal (2007).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, positive, refuse_where, within
from rlexact.formulas.importance import LARGEST_LOG
from rlexact.formulas.reduction import Reduction, reduce, weights


def advantage_weights(advantages: Any, temperature: Any, clip: Any = None) -> Array:
    """(N,) -> (N,): what each sample counts in the regression; above 0.

        w = exp(Â / α),   or min(exp(Â / α), w_max)

    `clip` is w_max. Raises `InvalidBatch` for α or w_max not above 0, and where an unclipped weight exceeds the largest
    float (clip it, or take `normalised_advantage_weights`); `NotExact` for exact numbers.
    Source: Peng et al. (2019), (11); the clip: §4.

    >>> advantage_weights([0.0, 1e4, -1e4], 0.001, clip=20.0)
    array([ 1., 20.,  0.])
    """
    adv, alpha, top = numbers(advantages=advantages, temperature=temperature, clip=clip, optional=["clip"])
    positive(temperature=alpha)
    exponents = np.asarray(adv / alpha)
    if clip is None:
        if exponents.dtype != object:
            refuse_where(
                np.real(exponents) > LARGEST_LOG, "advantages / temperature", exponents, "below 709.78, or a clip"
            )
        return ar.exp(exponents)
    positive(clip=top)
    limit = ar.log(top)
    return np.where(ar.negative(np.real(limit - exponents)), top + 0 * exponents, ar.exp(np.minimum(exponents, limit)))


def normalised_advantage_weights(advantages: Any, temperature: Any) -> Array:
    """(..., N) -> (..., N): weights that sum to 1 over the last axis, a softmax; no overflow at any temperature.

        w_i = exp(Â_i / α) / Σ_j exp(Â_j / α)

    A constant added to the advantages drops out. Raises `InvalidBatch` for α not above 0 and for scalars.
    Source: Peng et al. (2019), (11), self-normalised as in Peters and Schaal (2007).

    >>> normalised_advantage_weights([1e4, 1e4, -1e4], 0.001)
    array([0.5, 0.5, 0. ])
    """
    adv, alpha = numbers(advantages=advantages, temperature=temperature)
    positive(temperature=alpha)
    if adv.ndim == 0:
        raise InvalidBatch("advantages is a scalar: give a batch, shape (N,)")
    exponents = np.asarray(adv / alpha)
    return ar.exp(exponents - ar.logsumexp(exponents, axis=-1)[..., None])


def awr_loss(
    log_probs: Any,
    advantages: Any,
    temperature: Any,
    clip: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,), (N,) -> (N,), or one number: weighted negative log-likelihood; weights held fixed.

        loss = -min(exp(Â / α), w_max) log π

    Raises as `advantage_weights`.
    Source: Peng et al. (2019), (11).

    >>> awr_loss([-1.0, -3.0], [0.0, 5.0], 1.0, clip=20.0)
    array([ 1., 60.])
    """
    return weighted_regression_loss(
        log_probs, advantage_weights(advantages, temperature, clip), reduction=reduction, mask=mask
    )


def awr_loss_gradient(
    log_probs: Any,
    advantages: Any,
    temperature: Any,
    clip: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,), (N,) -> (N,): d loss / d log π of each sample: never positive, every action of the data is pulled up.

        d loss / d log π = -min(exp(Â / α), w_max)

    Source: differentiated from Peng et al. (2019), (11).

    >>> awr_loss_gradient([-1.0, -3.0], [0.0, 5.0], 1.0, clip=20.0)
    array([ -1., -20.])
    """
    return weighted_regression_loss_gradient(
        log_probs, advantage_weights(advantages, temperature, clip), reduction=reduction, mask=mask
    )


def weighted_regression_loss(
    log_probs: Any, sample_weights: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N,), (N,) -> (N,), or one number: negative log-likelihood under given weights; it runs on Fractions.

        loss = -w log π

    Raises `InvalidBatch` for a weight below 0.
    Source: Peters and Schaal (2007), reward-weighted regression.

    >>> weighted_regression_loss([-1.0, -3.0], [2.0, 1.0])
    array([2., 3.])
    """
    log_p, w = numbers(log_probs=log_probs, sample_weights=sample_weights)
    within(0, None, sample_weights=w)
    return reduce(-w * log_p, reduction, mask)


def weighted_regression_loss_gradient(
    log_probs: Any, sample_weights: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N,), (N,) -> (N,): d loss / d log π of each sample.

        d loss / d log π = -w

    Source: differentiated from Peters and Schaal (2007).

    >>> weighted_regression_loss_gradient([-1.0, -3.0], [2.0, 1.0])
    array([-2., -1.])
    """
    log_p, w = numbers(log_probs=log_probs, sample_weights=sample_weights)
    within(0, None, sample_weights=w)
    gradient = np.asarray(-w + 0 * log_p)
    return np.asarray(gradient * weights(gradient, reduction, mask))
