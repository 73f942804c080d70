"""REINFORCE: the score-function gradient as a loss, and the baselines that quieten it.

    loss = -log π(a_t | s_t) (G_t - b_t)                       G whole returns or rewards to go, held fixed, as b is
    ĝ = 1/N Σ_i ψ_i (G_i - b_i),   ψ = ∂ log π                 what descent on the mean loss follows, upwards
    b_i = mean_j G_j                                           the batch's own mean: E ĝ = (1 - 1/n) ∇J
    b_i = mean_{j ≠ i} G_j                                     leave one out: E ĝ = ∇J
    b* = E[|ψ|² G] / E[|ψ|²]                                   the constant of least variance

A baseline that the action does not enter leaves the mean alone: E ψ b = 0. A batch's own mean holds the sample's own
return, which the action does enter. Batches lie on the last axis: (B,) returns, or (T, B) with a baseline at each time step.
Williams (1992); Greensmith, Bartlett and Baxter (2004); Kool, van Hoof and Welling (2019).
"""

from fractions import Fraction
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, read
from rlexact.formulas.reduction import Reduction, reduce, weights


def reinforce_loss(
    log_probs: Any, returns: Any, baselines: Any = 0, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N,), (N,), (N,) -> (N,), or one number: the surrogate whose gradient is REINFORCE's; a loss.

        loss = -log π (G - b)

    Its value says nothing: only its gradient, with returns and baselines held fixed, is that of -J. Returns are in rewards,
    either the whole R(τ) at every step of an episode or the rewards to go from it. Raises `InvalidBatch`.
    Source: Williams (1992), Theorem 1; Sutton and Barto (2018), (13.11).

    >>> reinforce_loss([-1.0, -2.0], [5.0, 3.0], 4.0)
    array([ 1., -2.])
    """
    log_p, gain, b = numbers(log_probs=log_probs, returns=returns, baselines=baselines)
    return reduce(-log_p * (gain - b), reduction, mask)


def reinforce_loss_gradient(
    log_probs: Any, returns: Any, baselines: Any = 0, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N,), (N,), (N,) -> (N,): d loss / d log π of each sample, weighted as the reduction weighs it.

        d loss / d log π = -(G - b)

    Source: differentiated from Sutton and Barto (2018), (13.11).

    >>> reinforce_loss_gradient([-1.0, -2.0], [5.0, 3.0], 4.0, reduction="mean")
    array([-0.5,  0.5])
    """
    log_p, gain, b = numbers(log_probs=log_probs, returns=returns, baselines=baselines)
    gradient = np.asarray(b - gain + 0 * log_p)
    return np.asarray(gradient * weights(gradient, reduction, mask))


def score_gradient(scores: Any, advantages: Any) -> Array:
    """(N, K), (N,) -> (K,): the estimate of the policy gradient, in rewards per unit of each parameter; ascend.

        ĝ = 1/N Σ_i ψ_i Â_i,   ψ_i = ∂ log π(a_i | s_i) / ∂θ

    Where the N samples are steps of M episodes, N/M ĝ estimates the gradient of an episode's return. Raises
    `InvalidBatch` unless there is one advantage for each row of scores.
    Source: Williams (1992), Theorem 1; Sutton et al. (2000), Theorem 1.

    >>> score_gradient([[1.0, -1.0], [-1.0, 1.0]], [3.0, 1.0])
    array([ 1., -1.])
    """
    psi, adv = score_rows(scores, advantages)
    return np.asarray((psi * adv[:, None]).sum(axis=0) / len(adv))


def score_rows(scores: Any, advantages: Any) -> tuple[Array, Array]:
    """(N, K) scores and their (N,) numbers, checked."""
    psi, adv = read(scores=scores, advantages=advantages)
    if psi.ndim != 2 or adv.shape != psi.shape[:1] or not psi.size:
        raise InvalidBatch(
            f"scores have shape {psi.shape}, advantages {adv.shape}: give (N, K) and (N,), N and K above 0"
        )
    return psi, adv


def batch_mean_baseline(returns: Any, mask: Any = None) -> Array:
    """(..., B) -> (..., B): the mean of the batch, the sample itself included, at each time step if there are any.

        b_i = 1/n Σ_j G_j

    `mask` marks the samples that exist (n of them at a time step; 0 where there is none). The gradient it leads to has
    mean (1 - 1/n) ∇J: `batch_mean_factor`. Raises `InvalidBatch` for scalars.
    Source: Greensmith, Bartlett and Baxter (2004), constant baselines.

    >>> batch_mean_baseline([10.0, 12.0, 11.0, 13.0])
    array([11.5, 11.5, 11.5, 11.5])
    """
    gains, total, count = totals(returns, mask)
    return np.asarray(total / np.maximum(count, 1) + 0 * gains)


def leave_one_out_baseline(returns: Any, mask: Any = None) -> Array:
    """(..., B) -> (..., B): the mean of the other samples, which leaves the gradient unbiased.

        b_i = 1/(n-1) Σ_{j≠i} G_j

    `mask` marks the samples that exist. Raises `InvalidBatch` where a sample is alone: it has no others.
    Source: Kool, van Hoof and Welling (2019), "Buy 4 REINFORCE samples, get a baseline for free!".

    >>> leave_one_out_baseline([1.0, 2.0, 6.0])
    array([4. , 3.5, 1.5])
    """
    gains, total, count = totals(returns, mask)
    if (count == 1).any():
        raise InvalidBatch("a sample is alone in its batch: leave-one-out needs 2 samples at least, at every time step")
    return np.asarray((total - gains) / np.maximum(count - 1, 1))


def totals(returns: Any, mask: Any) -> tuple[Array, Array, Array]:
    """Returns with 0 where the mask is False, their sums over the batch and how many they are, (..., 1) each."""
    (gains,) = numbers(returns=returns)
    if gains.ndim == 0:
        raise InvalidBatch("returns is a scalar: give a batch, shape (B,) or (T, B)")
    (live,) = flags(gains.shape, mask=np.ones(gains.shape, dtype=bool) if mask is None else mask)
    gains = np.where(live, gains, 0 * gains)
    return gains, gains.sum(axis=-1, keepdims=True), live.sum(axis=-1, keepdims=True)


def batch_mean_factor(samples: int) -> Fraction:
    """() -> (): what the batch's own mean as a baseline multiplies the expected gradient by; leave-one-out has factor 1.

        E[1/n Σ_i ψ_i (G_i - mean_j G_j)] = (1 - 1/n) ∇J,   G_i - mean_j G_j = (1 - 1/n) (G_i - mean_{j≠i} G_j)

    n independent samples; a single one is told nothing. Raises `InvalidBatch` below 1.
    Source: Kool, van Hoof and Welling (2019); by E ψ_i G_j = 0 for j ≠ i.

    >>> batch_mean_factor(4)
    Fraction(3, 4)
    """
    if samples < 1:
        raise InvalidBatch(f"samples = {samples}: give at least 1")
    return 1 - Fraction(1, samples)


def optimal_baseline(returns: Any, scores: Any) -> Any:
    """(N,), (N, K) -> (): the constant b of least total variance of ψ (G - b), from a batch; in rewards.

        b* = Σ_i |ψ_i|² G_i / Σ_i |ψ_i|²

    The mean return is it only where |ψ|² and G are uncorrelated. Raises `InvalidBatch` where every score is 0.
    Source: Greensmith, Bartlett and Baxter (2004), optimal constant baseline; Peters and Schaal (2008), §3.2.

    >>> float(optimal_baseline([1.0, 4.0], [[1.0], [2.0]]))
    3.4
    """
    psi, gains = score_rows(scores, returns)
    size = (psi * psi).sum(axis=1)
    if not ar.apart(size, 0).any():
        raise InvalidBatch("every score is 0: no baseline changes anything")
    return (size * gains).sum() / size.sum()
