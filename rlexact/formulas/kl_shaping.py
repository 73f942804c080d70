"""Rewards with a KL penalty towards a reference, and the controller of its coefficient.

    r'_t = r_t - β (log π(a_t | s_t) - log π_ref(a_t | s_t))                          per token
    R = r(x, y) - β Σ_t (log π - log π_ref)                                          per answer: E R = E r - β KL(π‖π_ref)
    e = clip(KL/target - 1, -c, c),   β ← β (1 + K e)                                 the adaptive controller

The penalty is the estimator k1 of KL, put into the reward: numbers to be maximised, held fixed when the policy's loss is
differentiated. Time comes first, (T,) or (T, B). All of it runs on Fractions.
Ziegler et al. (2019), "Fine-tuning language models from human preferences", (2) and §2.2; Ouyang et al. (2022).
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, positive, read, time_major, within


def kl_shaped_rewards(rewards: Any, log_probs: Any, reference_log_probs: Any, beta: Any) -> Array:
    """(T, ...) each -> (T, ...): each token's reward less β times its log-ratio.

        r'_t = r_t - β (log π(a_t) - log π_ref(a_t))

    An objective. Raises `InvalidBatch` for shapes that differ, β < 0 and NaN.
    Source: Ziegler et al. (2019), (2), token by token.

    >>> kl_shaped_rewards([0.0, 1.0], [-1.0, -1.0], [-1.0, -3.0], 0.5)
    array([0., 0.])
    """
    r, log_p, log_ref, b = numbers(
        rewards=rewards, log_probs=log_probs, reference_log_probs=reference_log_probs, beta=beta
    )
    within(0, None, beta=b)
    return np.asarray(r - b * (log_p - log_ref))


def token_rewards(scores: Any, log_probs: Any, reference_log_probs: Any, beta: Any, mask: Any = None) -> Array:
    """(B,), (T, B), (T, B) -> (T, B): the penalty on every token, the answer's score on its last one.

        r'_t = -β (log π_t - log π_ref,t) + 1[t is the last token] r(x, y)

    `mask` tells which tokens are the answer's; outside it the reward is 0. Raises `InvalidBatch` as `kl_shaped_rewards`,
    and for an answer without a token.
    Source: Ouyang et al. (2022), "InstructGPT", §3.5; Stiennon et al. (2020), §3.4.

    >>> token_rewards(2.0, [-1.0, -1.0], [-1.0, -3.0], 0.5)
    array([0., 1.])
    """
    r, log_p, log_ref, b, counts = answers(scores, log_probs, reference_log_probs, beta, mask)
    last = counts & (np.flip(np.cumsum(np.flip(counts, 0), axis=0), 0) == 1)
    return np.where(counts, kl_shaped_rewards(np.where(last, r, 0 * r), log_p, log_ref, b), 0 * r)


def sequence_reward(scores: Any, log_probs: Any, reference_log_probs: Any, beta: Any, mask: Any = None) -> Array:
    """(B,), (T, B), (T, B) -> (B,): the shaped reward of a whole answer, the sum of its `token_rewards`.

        R(x, y) = r(x, y) - β log(π(y | x) / π_ref(y | x))

    Raises as `token_rewards`.
    Source: Ziegler et al. (2019), (2).

    >>> float(sequence_reward(2.0, [-1.0, -1.0], [-1.0, -3.0], 0.5))
    1.0
    """
    r, log_p, log_ref, b, counts = answers(scores, log_probs, reference_log_probs, beta, mask)
    return np.asarray(r - b * np.where(counts, log_p - log_ref, 0 * log_p).sum(axis=0))


def answers(scores: Any, log_probs: Any, reference: Any, beta: Any, mask: Any) -> tuple[Array, ...]:
    """The batch read in one world, one score for each answer and at least one token in each."""
    r, log_p, log_ref, b = read(scores=scores, log_probs=log_probs, reference_log_probs=reference, beta=beta)
    shape = time_major(log_probs=log_p, reference_log_probs=log_ref)
    within(0, None, beta=b)
    if r.shape != shape[1:]:
        raise InvalidBatch(f"scores have shape {r.shape}, the answers {shape[1:]}: give one score for each answer")
    (counts,) = flags(shape, mask=np.ones(shape, dtype=bool) if mask is None else mask)
    if not counts.any(axis=0).all():
        raise InvalidBatch(f"answer {int(np.argmin(counts.any(axis=0)))} has no token under the mask")
    return r, log_p, log_ref, b, counts


def adaptive_kl_coefficient(beta: Any, kl: Any, target: Any, gain: Any, clip: Any) -> Array:
    """() each -> (): the coefficient of the next iteration, larger where KL exceeds its target.

        β' = β (1 + K clip(KL/target - 1, -c, c))

    K is `gain`, c is `clip`; the paper takes 0.1 and 0.2. Raises `InvalidBatch` for β, target, gain or clip not above 0, and
    where K c ≥ 1, which could end at or below 0. KL is an estimate, and may be negative.
    Source: Ziegler et al. (2019), §2.2.

    >>> float(adaptive_kl_coefficient(1.0, 9.0, 6.0, 0.5, 0.25))
    1.125
    """
    b, found, aim, k, c = numbers(beta=beta, kl=kl, target=target, gain=gain, clip=clip)
    positive(beta=b, target=aim, gain=k, clip=c, **{"1 - gain * clip": np.asarray(1 - k * c)})
    return np.asarray(b * (1 + k * np.clip(found / aim - 1, -c, c)))
