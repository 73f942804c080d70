"""Proximal policy optimisation on a tabular softmax policy.

    each update    N steps from a fresh batch of episodes of π_old, their Â and log π_old
    each epoch     the N steps in random order, cut into minibatches; for each minibatch M
                   θ ← θ + α (1/|M|) Σ_M [∂L/∂log π ∂ log π_θ(a | s) + β ∂H_θ(s)]                       [P1]
                   L = min(ρ Â, clip(ρ, 1 - ε, 1 + ε) Â),   ρ = exp(log π_θ - log π_old)
    in the end     v(s) ← v(s) + α_v mean(Â + v(s) - v(s))  over visits of s

The first minibatch of the first epoch sees ρ = 1, where [P1] is the actor-critic step; with one epoch and one minibatch PPO is
A2C with a mean over steps, and ε is never felt. Â is GAE(λ) of the critic (λ-returns regress it), or `true_advantages`, made
once per batch. States are weighted as they come, without γ^t. The clip takes the gradient away and does not bound ρ: a step
may leave [1 - ε, 1 + ε], and shared logits carry samples further that have no gradient of their own. Schulman, Wolski,
Dhariwal, Radford and Klimov (2017), Algorithm 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.formulas.ppo import ppo_clip_loss_gradient
from rlexact.learning.actor_critic import Advantages, critic_advantages, entropy_slopes
from rlexact.learning.curve import Checkpoints, Learned, seeded
from rlexact.learning.episodes import Episodes, Sampler, centred
from rlexact.learning.reinforce import mean_gap
from rlexact.learning.schedule import Schedule, not_negative, step_sizes
from rlexact.learning.simulate import Rng
from rlexact.learning.softmax_actor import SoftmaxActor, logit_steps
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class Steps:
    """Single steps out of a batch: `states`, `actions`, `old_log_probs`, `advantages`, (N,) each."""

    states: Array
    actions: Array
    old_log_probs: Array
    advantages: Array

    def at(self, index: Array) -> "Steps":
        return Steps(self.states[index], self.actions[index], self.old_log_probs[index], self.advantages[index])

    def minibatches(self, rng: Rng, parts: int) -> Iterator["Steps"]:
        """All steps in random order, in `parts` equal parts (as far as N allows, and at most N)."""
        order = rng.permutation(len(self.states))
        return (self.at(index) for index in np.array_split(order, max(1, min(parts, len(order)))) if index.size)


def ppo(
    mdp: MDP,
    updates: int,
    rng: Rng | int,
    *,
    alpha: Schedule | float = 1.0,
    value_alpha: Schedule | float = 0.5,
    advantages: Advantages | None = None,
    lam: float = 0.95,
    clip_eps: float = 0.2,
    entropy: float = 0.0,
    epochs: int = 4,
    minibatches: int = 4,
    episodes: int = 16,
    steps: int | None = None,
    theta: Array | None = None,
    v: Array | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[P1], `updates` batches of `episodes`, cut after `steps` if given, used `epochs` times: -> policy, v, against J*.

    `advantages` is GAE(`lam`) of the critic unless given; `entropy` is β, in rewards. Step sizes count updates.
    `tables["theta"]`. Raises as `a2c`, and `InvalidBatch` for ε outside [0, 1].
    """
    actor, rng = SoftmaxActor(mdp, theta, v), seeded(rng)
    sampler, critic = Sampler(mdp.to_float(), rng, steps), critic_advantages(lam)
    step, value_step = logit_steps("alpha", alpha), step_sizes(value_alpha)
    passes, parts = counted(epochs, "epochs"), counted(minibatches, "minibatches")
    bonus, run = not_negative("entropy", entropy), actor.run(updates, checkpoints)
    for k in run:
        lived = sampler(actor.policy, episodes)
        targets = critic(lived, actor) + lived.values(actor.v)[0]
        data = taken_steps(lived, actor, (advantages or critic)(lived, actor))
        for _ in range(passes):
            for some in data.minibatches(rng, parts):
                actor.theta += step(k, k) * ppo_gradient(some, actor, clip_eps, bonus)
        actor.v += value_step(k, k) * mean_gap(lived, targets, actor.v)
    return actor.learned(run)


def ppo_gradient(some: Steps, actor: SoftmaxActor, clip_eps: float, entropy: float = 0.0) -> Array:
    """The direction of [P1]: N steps -> (S, A)."""
    s, a = some.states, some.actions
    slopes = -ppo_clip_loss_gradient(
        actor.log_policy[s, a], some.old_log_probs, some.advantages, clip_eps, reduction="mean"
    )
    W = np.zeros(actor.theta.shape)
    np.add.at(W, (s, a), slopes)
    shares = np.bincount(s, minlength=len(W)) / len(s)
    return np.asarray(centred(actor.policy, W) + entropy * shares[:, None] * entropy_slopes(actor))


def taken_steps(lived: Episodes, actor: SoftmaxActor, credit: Array) -> Steps:
    """The steps that were taken, with log π of the actor of now: Â (T, B) -> N steps."""
    s, a = lived.states[lived.taken], lived.actions[lived.taken]
    return Steps(s, a, actor.log_policy[s, a], credit[lived.taken])
