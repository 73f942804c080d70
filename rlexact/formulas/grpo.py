"""Group relative policy optimisation: answers to one prompt judged against each other, and PPO's clip on their tokens.

    Â_i = (r_i - mean r) / (σ(r) + ε)                            outcome: one reward for each answer, for all its tokens
    Â_i,t = Σ_{u ≥ t} (r_i,u - mean r) / (σ(r) + ε)              process: rewards at the ends of steps, from t on
    loss = -min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â) + β k3        of each token,  k3 = π_ref/π - 1 - log(π_ref/π)

How tokens are summed is `reduction`: "seq_mean_token_mean" as in the paper (long answers count less for each token),
"token_mean" (DAPO), "seq_mean_token_sum_norm" (Dr. GRPO, which leaves σ out as well). With σ, easy and hard prompts count
alike; r_i is in its own mean, so the expected gradient is that of RLOO times (n-1)/n, up to what σ does. n answers to one
prompt lie on the last axis of rewards; tokens follow as (answers, tokens). Shao et al. (2024), "DeepSeekMath", §4.1.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, refuse_where, within
from rlexact.formulas.kl_estimators import k3, k3_gradient
from rlexact.formulas.ppo import ppo_clip_loss, ppo_clip_loss_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights


def group_advantages(rewards: Any, *, eps: Any = 0, scale: bool = True, ddof: int = 0) -> Array:
    """(..., n) -> (..., n): each answer's reward relative to its group of n; without units where scaled.

        Â_i = (r_i - mean r) / (σ(r) + ε),   σ² = Σ_i (r_i - mean r)² / (n - ddof);   scale=False: r_i - mean r

    A group of equal rewards has advantages 0, exactly, also with ε = 0. Raises `InvalidBatch` for n ≤ ddof, ε < 0 and
    squares beyond the largest float; `NotExact` where σ is irrational.
    Source: Shao et al. (2024), §4.1.2; scale=False: Liu et al. (2025), "Dr. GRPO", §3.2.

    >>> group_advantages([1.0, 0.0, 0.0, 1.0]), group_advantages([1.0, 0.0, 0.0, 1.0], scale=False)
    (array([ 1., -1., -1.,  1.]), array([ 0.5, -0.5, -0.5,  0.5]))
    """
    r, small = numbers(rewards=rewards, eps=eps)
    if r.ndim == 0:
        raise InvalidBatch("rewards is a scalar: give a group, shape (n,) or (prompts, n)")
    within(0, None, eps=small)
    n = r.shape[-1]
    if scale and n <= ddof:
        raise InvalidBatch(
            f"a group of {n} with ddof = {ddof}: the standard deviation does not exist. Give more answers"
        )
    off = r - r[..., :1]  # from the first: equal ones give 0 exactly, however means are rounded
    off = off - off.sum(axis=-1, keepdims=True) / n
    return scaled(off, n - ddof, small) if scale else np.asarray(off)


def scaled(off: Array, divisor: int, small: Array) -> Array:
    """off / (σ + ε) over the last axis, 0 where both are 0."""
    with np.errstate(over="ignore"):
        variance = np.asarray((off * off).sum(axis=-1, keepdims=True) / divisor)
    refuse_where(~np.asarray(ar.finite(variance)), "variance", variance, "whose squares are floats")
    spread = ar.square_root(variance) + small
    return np.asarray(off / np.where(ar.apart(spread, 0), spread, 1 + 0 * spread))


def outcome_advantages(rewards: Any, mask: Any, *, eps: Any = 0, scale: bool = True, ddof: int = 0) -> Array:
    """(n,), (n, T) bool -> (n, T): the answer's advantage at each of its tokens, 0 where the mask is False.

        Â_i,t = (r_i - mean r) / (σ(r) + ε)

    One group. Raises `InvalidBatch` as `group_advantages`, and unless the mask has a row for each reward.
    Source: Shao et al. (2024), §4.1.2, outcome supervision.

    >>> outcome_advantages([2.0, 0.0], [[True, True], [True, False]])
    array([[ 1.,  1.],
           [-1.,  0.]])
    """
    adv = group_advantages(rewards, eps=eps, scale=scale, ddof=ddof)
    (live,) = flags(np.shape(mask), mask=mask)
    if adv.ndim != 1 or live.ndim != 2 or len(live) != len(adv):
        raise InvalidBatch(f"rewards have shape {adv.shape}, the mask {live.shape}: give (n,) and (n, T)")
    return np.where(live, adv[:, None], ar.zeros(adv, (1, 1)))


def process_advantages(
    step_rewards: Any, step_ends: Any, mask: Any = None, *, eps: Any = 0, scale: bool = True, ddof: int = 0
) -> Array:
    """(n, T), (n, T) bool -> (n, T): the normalised rewards of the steps that end at a token or after it, summed.

        Â_i,t = Σ_{u ≥ t} (r_i,u - mean r) / (σ(r) + ε),   mean and σ over all steps of the group

    `step_ends` marks the tokens whose reward counts; `mask` the tokens that exist. One group. Raises `InvalidBatch` as
    `group_advantages`.
    Source: Shao et al. (2024), §4.1.3, process supervision.

    >>> process_advantages([[0.0, 3.0], [1.0, 0.0]], [[False, True], [True, False]])
    array([[ 1.,  1.],
           [-1.,  0.]])
    """
    r, small = numbers(rewards=step_rewards, eps=eps)
    if r.ndim != 2:
        raise InvalidBatch(f"step_rewards has shape {r.shape}: give (n, T)")
    ends, live = flags(r.shape, step_ends=step_ends, mask=np.ones(r.shape, dtype=bool) if mask is None else mask)
    if not ends.any():
        raise InvalidBatch("step_ends is False throughout: no step has a reward")
    off = 0 * r
    off[ends] = group_advantages(r[ends], eps=small, scale=scale, ddof=ddof)
    ahead = np.flip(np.cumsum(np.flip(off, axis=1), axis=1), axis=1)
    return np.where(live, ahead, 0 * ahead)


def grpo_loss(
    log_probs: Any,
    old_log_probs: Any,
    reference_log_probs: Any,
    advantages: Any,
    clip_eps: Any,
    kl_coef: Any,
    clip_eps_high: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
    length: int | None = None,
) -> Any:
    """(n, T) each -> (n, T), or one number: the loss of each token.

        loss = -min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â) + β (π_ref/π - 1 - log(π_ref/π)),   ρ = π/π_old

    `advantages` are those of tokens, from either `outcome_advantages` or `process_advantages`; tokens outside `mask` are not
    looked at, but must be finite. Raises `InvalidBatch` as `ppo_clip_loss`, and for β below 0.
    Source: Shao et al. (2024), (3) and (4), of the opposite sign.

    >>> grpo_loss([[-1.0]], [[-1.0]], [[-1.0]], [[2.0]], 0.2, 0.04)
    array([[-2.]])
    """
    log_p, log_old, log_ref, adv, beta = tokens(
        log_probs, old_log_probs, reference_log_probs, advantages, kl_coef, mask
    )
    loss = ppo_clip_loss(log_p, log_old, adv, clip_eps, clip_eps_high) + beta * k3(log_p, log_ref)
    return reduce(loss, reduction, mask, length)


def grpo_loss_gradient(
    log_probs: Any,
    old_log_probs: Any,
    reference_log_probs: Any,
    advantages: Any,
    clip_eps: Any,
    kl_coef: Any,
    clip_eps_high: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
    length: int | None = None,
) -> Array:
    """(n, T) each -> (n, T): d loss / d log π of each token, weighted as the reduction weighs it.

        d loss / d log π = -ρ Â · 1[active] + β (1 - π_ref/π)

    Source: differentiated from Shao et al. (2024), (3) and (4).

    >>> grpo_loss_gradient([[-1.0]], [[-1.0]], [[-1.0]], [[2.0]], 0.2, 0.04)
    array([[-2.]])
    """
    log_p, log_old, log_ref, adv, beta = tokens(
        log_probs, old_log_probs, reference_log_probs, advantages, kl_coef, mask
    )
    gradient = ppo_clip_loss_gradient(log_p, log_old, adv, clip_eps, clip_eps_high) + beta * k3_gradient(log_p, log_ref)
    return np.asarray(gradient * weights(gradient, reduction, mask, length))


def tokens(log_probs: Any, old: Any, reference: Any, advantages: Any, kl_coef: Any, mask: Any) -> tuple[Array, ...]:
    """log π, log π_old, log π_ref, Â and β, with log-probabilities 0 where the mask is False."""
    log_p, log_old, log_ref, adv, beta = numbers(
        log_probs=log_probs,
        old_log_probs=old,
        reference_log_probs=reference,
        advantages=advantages,
        kl_coef=kl_coef,
    )
    within(0, None, kl_coef=beta)
    (live,) = flags(log_p.shape, mask=np.ones(log_p.shape, dtype=bool) if mask is None else mask)
    return (*(np.where(live, x, 0 * x) for x in (log_p, log_old, log_ref)), adv, beta)
