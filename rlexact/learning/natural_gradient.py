"""The natural policy gradient of a tabular softmax policy: exact, and from sampled episodes.

    θ ← θ + α x,   F x = g of least norm                                                               [N1]
    exact      F, g weighted with visits: x(s, a) = A(s, a) - mean_b A(s, b) at every visited s          [N2]
    sampled    F̂ = Σ_s ŵ(s) (diag π - ππᵀ),  ĝ = (1/N) Σ_{i,t} Â_it ∂ log π(a_it | s_it),  ŵ(s) = N(s) / N
               x(s, a) = Σ Â 1{s, a} / (N(s) π(a | s)), less its mean over the actions; 0 where N(s) = 0  [N3]

N counts the steps of the batch. For a softmax policy a step by [N2] is π(a | s) ∝ π(a | s) exp(α A(s, a)): with α = η / (1 - γ),
uniform start and rewards in [0, 1],

    J* - J(θ_k) ≤ (log |A| / η + 1 / (1 - γ)²) / k                                                      [N4]

and as α → ∞ it is a step of policy iteration. [N3] divides by π(a | s): where an action is rare its estimate is noisy. Kakade
(2001); Agarwal, Kakade, Lee and Mahajan (2021), Lemma 15 for [N2] and Theorem 16 for [N4].
"""

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.evaluation import advantage
from rlexact.learning.actor_critic import Advantages, critic_advantages, mean_scores, state_shares
from rlexact.learning.curve import Checkpoints, Learned, seeded, visited
from rlexact.learning.episodes import Episodes, Sampler
from rlexact.learning.reinforce import mean_gap
from rlexact.learning.schedule import Schedule, step_sizes
from rlexact.learning.simulate import Rng
from rlexact.learning.softmax_actor import SoftmaxActor, logit_steps
from rlexact.mdp import MDP
from rlexact.policy import uniform


def exact_natural_policy_gradient(
    mdp: MDP,
    updates: int,
    *,
    alpha: Schedule | float = 1.0,
    theta: Array | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[N1] with [N2], nothing sampled: -> policy, against J*.  `tables["theta"]`.

    Raises as `SoftmaxActor` and `policy_value`, `InvalidSchedule`.
    """
    actor, step = SoftmaxActor(mdp, theta), logit_steps("alpha", alpha)
    run = actor.run(updates, checkpoints)
    for k in run:
        actor.theta += step(k, k) * exact_direction(actor)
    return actor.learned(run)


def exact_direction(actor: SoftmaxActor) -> Array:
    """x of [N2], 0 where a state is never visited: -> (S, A).

    `exact.fisher.natural_gradient` solves F x = g for the same x, until an action is too rare for its matrix.
    """
    seen = visited(actor.mdp, actor.mdp.admit(uniform(actor.mdp)))
    return centred_rows(np.where(seen[:, None], advantage(actor.model, actor.policy), 0.0), actor.mdp.available)


def centred_rows(x: Array, available: Array) -> Array:
    """x less its mean over the available actions, 0 elsewhere: (S, A), (S, A) -> (S, A)."""
    kept = np.where(available, x, 0.0)
    return np.where(
        available, kept - kept.sum(axis=1, keepdims=True) / available.sum(axis=1, keepdims=True).clip(1), 0.0
    )


def natural_policy_gradient(
    mdp: MDP,
    updates: int,
    rng: Rng | int,
    *,
    alpha: Schedule | float = 0.5,
    value_alpha: Schedule | float = 0.5,
    advantages: Advantages | None = None,
    lam: float = 1.0,
    episodes: int = 32,
    steps: int | None = None,
    theta: Array | None = None,
    v: Array | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[N1] with [N3], each time from a fresh batch of `episodes`, cut after `steps` if given: -> policy, v, against J*.

    `advantages` is GAE(`lam`) of the critic unless given. Step sizes count updates. `tables["theta"]`. Raises as `a2c`.
    """
    actor, sampler = SoftmaxActor(mdp, theta, v), Sampler(mdp.to_float(), seeded(rng), steps)
    step, value_step = logit_steps("alpha", alpha), step_sizes(value_alpha)
    critic = critic_advantages(lam)
    run = actor.run(updates, checkpoints)
    for k in run:
        lived = sampler(actor.policy, episodes)
        targets = critic(lived, actor) + lived.values(actor.v)[0]
        actor.theta += step(k, k) * natural_direction(lived, actor, (advantages or critic)(lived, actor))
        actor.v += value_step(k, k) * mean_gap(lived, targets, actor.v)
    return actor.learned(run)


def natural_direction(lived: Episodes, actor: SoftmaxActor, credit: Array) -> Array:
    """x of [N3]: Â (T, B) -> (S, A), the least solution of F̂ x = ĝ."""
    available = actor.mdp.available
    g, w = mean_scores(lived, actor.policy, credit), state_shares(lived, actor)[:, None]
    known = (w > 0) & available & (actor.policy > 0)
    x = np.where(known, g, 0.0) / np.where(known, w * actor.policy, 1.0)
    return centred_rows(x, available)


def fisher_norm(x: Array, actor: SoftmaxActor, shares: Array) -> float:
    """xᵀ F̂ x = Σ_s ŵ(s) Var_π x(s, ·): twice the KL of a small step: (S, A), (S,) -> a number."""
    pi = actor.policy
    off = x - (pi * x).sum(axis=1, keepdims=True)
    return float(shares @ (pi * off * off).sum(axis=1))
