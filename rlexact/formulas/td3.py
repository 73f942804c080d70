"""TD3: twin delayed deterministic policy gradient.

    a' = clip(μ'(s') + clip(σ z, -c, c), low, high)              target policy smoothing, z ~ N(0, 1)
    y  = r + γ (1 - terminated) min(Q₁'(s', a'), Q₂'(s', a'))    clipped double Q-learning
    L  = (Q₁ - y)² + (Q₂ - y)²                                   `twin_critics.twin_critic_loss`
    L  = -Q₁(s, μ_θ(s))                                          `ddpg.ddpg_actor_loss`, on the first critic, every d-th step

The actor and the target networks move once in d critic steps. Fujimoto, van Hoof and Meger (2018), §4 and §5, algorithm 1.
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, within
from rlexact.formulas.ddpg import clipped
from rlexact.formulas.dqn import one_step_targets
from rlexact.formulas.twin_critics import twin_minimum


def smoothed_target_actions(
    next_actions: Any, std: Any, noise: Any, noise_clip: Any = None, low: Any = None, high: Any = None
) -> Array:
    """(N, ...) each -> (N, ...): the target actor's actions with clipped noise, inside the bounds; it runs on Fractions.

        a' = clip(μ'(s') + clip(σ z, -c, c), low, high)

    Without `noise_clip` or bounds nothing is clipped there. Raises `InvalidBatch` for σ < 0, c < 0 and low > high.
    Source: Fujimoto et al. (2018), (14), algorithm 1.

    >>> smoothed_target_actions([0.0, 0.9], 1.0, [0.25, 3.0], 0.5, -1, 1)
    array([0.25, 1.  ])
    """
    a, sigma, z, c, lowest, highest = numbers(
        next_actions=next_actions,
        std=std,
        noise=noise,
        noise_clip=noise_clip,
        low=low,
        high=high,
        optional=("noise_clip", "low", "high"),
    )
    within(0, None, std=sigma)
    shift = sigma * z
    if c is not None:
        within(0, None, noise_clip=c)
        shift = clipped(np.asarray(shift), -c, c)
    return clipped(np.asarray(a + shift), lowest, highest)


def td3_target(rewards: Any, next_q1: Any, next_q2: Any, terminated: Any, gamma: Any) -> Array:
    """(N,) each -> (N,): the one target of both critics, at the smoothed target actions; it runs on Fractions.

        y = r + γ (1 - terminated) min(Q₁'(s', a'), Q₂'(s', a'))

    A truncated step bootstraps. Raises `InvalidBatch` for shapes that differ, flags that are not boolean, γ outside [0, 1].
    Source: Fujimoto et al. (2018), (10).

    >>> td3_target([1.0, 1.0], [4.0, 4.0], [2.0, 6.0], [False, True], 0.5)
    array([2., 1.])
    """
    return one_step_targets(rewards, twin_minimum(next_q1, next_q2), terminated, gamma)


def delayed_updates(steps: int, delay: int) -> Array:
    """() integers -> (T,) booleans: which of T critic steps, counted from 1, an actor step and the targets' step follow.

        update after step t  ⇔  d divides t

    ⌊T/d⌋ of T in all. Raises `InvalidBatch` for a delay below 1 and negative T.
    Source: Fujimoto et al. (2018), §5.2, algorithm 1.

    >>> delayed_updates(5, 2)
    array([False,  True, False,  True, False])
    """
    if delay < 1 or steps < 0:
        raise InvalidBatch(f"steps = {steps}, delay = {delay}: give at least 0 steps and a delay of at least 1")
    return np.asarray(np.arange(1, steps + 1) % delay == 0)
