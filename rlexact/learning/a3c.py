"""Asynchronous advantage actor-critic (A3C), simulated in one process so that a seed repeats it.

    worker k mod W takes n steps of its own chain with π_θ̄, θ̄ = θ_{max(k-d, 0)}, v̄ = v_{max(k-d, 0)}
    Â_t = Σ_{i<m} γ^i r_{t+i} + γ^m v̄(s_{t+m}) - v̄(s_t)       up to the segment's last step, or an end            [A1]
    θ_{k+1} = θ_k + α Σ_t (Â_t ∂ log π_θ̄(a_t | s_t) + β ∂H_θ̄(s_t)),   v_{k+1}(s_t) += α_v Â_t                    [A2]

for k = 0, 1, ...: both gradients are taken at parameters d updates old and applied to those of now. In turn, a worker that
fetches after its push is d = W - 1 updates behind, the default. States are weighted as they come, without γ^t. Mnih et al.
(2016), Algorithm S3, with sums over the segment as there. `exact.asynchronous` knows what the delay adds: the bias
g(θ_{k-d}) - g(θ_k) in the mean, and the correlation of the n steps in a row in the variance.
"""

from collections import deque

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.learning.actor_critic import critic_advantages, entropy_slopes
from rlexact.learning.curve import Checkpoints, Learned, seeded
from rlexact.learning.episodes import Episodes, side_by_side
from rlexact.learning.replay import Experience
from rlexact.learning.schedule import Schedule, not_negative, step_sizes
from rlexact.learning.simulate import Rng, choosing
from rlexact.learning.softmax_actor import SoftmaxActor, logit_steps
from rlexact.mdp import MDP


def a3c(
    mdp: MDP,
    updates: int,
    rng: Rng | int,
    *,
    workers: int = 4,
    delay: int | None = None,
    n: int = 5,
    alpha: Schedule | float = 0.1,
    value_alpha: Schedule | float = 0.1,
    entropy: float = 0.0,
    theta: Array | None = None,
    v: Array | None = None,
    episode_steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[A2], `updates` pushes by `workers` in turn, each from `n` steps and `delay` updates old: -> policy, v, against J*.

    `delay` is workers - 1 unless given; `entropy` is β, in rewards. Step sizes count updates. `tables["theta"]`. Raises as
    `Experience` and `SoftmaxActor`, `InvalidSchedule`, `ValueError` for a number of workers or steps below 1.
    """
    actor, rng = SoftmaxActor(mdp, theta, v), seeded(rng)
    crew = [Experience(actor.model, rng, episode_steps=episode_steps) for _ in range(counted(workers, "workers"))]
    d = len(crew) - 1 if delay is None else counted(delay, "updates of delay", least=0)
    steps, bonus = counted(n, "steps of a segment"), not_negative("entropy", entropy)
    step, value_step = logit_steps("alpha", alpha), step_sizes(value_alpha)
    held: deque[SoftmaxActor] = deque(maxlen=d + 1)  # the last d + 1 parameters, oldest first
    run = actor.run(updates, checkpoints)
    for k in run:
        held.append(SoftmaxActor(actor.model, actor.theta, actor.v))
        old = held[0]
        lived = segment(crew[(k - 1) % len(crew)], old, steps, rng)
        for_theta, for_v = a3c_gradients(lived, old, bonus)
        actor.theta += step(k, k) * for_theta
        actor.v += value_step(k, k) * for_v
    return actor.learned(run)


def segment(agent: Experience, actor: SoftmaxActor, n: int, rng: Rng) -> Episodes:
    """The next n steps of one worker, over ends of episodes, as a batch of one."""
    act = choosing(actor.model, actor.policy, rng)
    return side_by_side([[agent.step(act(agent.state)) for _ in range(n)]])


def a3c_gradients(lived: Episodes, actor: SoftmaxActor, entropy: float = 0.0) -> tuple[Array, Array]:
    """What a worker pushes [A2]: -> (S, A) and (S,)."""
    credit = critic_advantages(1)(lived, actor)
    g = lived.scores(actor.policy, credit).sum(axis=0)
    counts, surprise = np.zeros(actor.v.shape), np.zeros(actor.v.shape)
    np.add.at(counts, lived.states[lived.taken], 1)
    np.add.at(surprise, lived.states[lived.taken], credit[lived.taken])
    return g + entropy * counts[:, None] * entropy_slopes(actor), surprise
