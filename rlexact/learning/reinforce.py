"""REINFORCE, with each of its baselines, on a tabular softmax policy.

    ĝ = (1/n) Σ_i Σ_t c^t (w_it - b_it) ∂ log π(a_it | s_it),   θ ← θ + α ĝ                        [R1]

    whole_return              w_t = Σ_u γ^u r_u                    c = 1      E ĝ = ∇J_T
    reward_to_go              w_t = G_t = Σ_{u≥t} γ^{u-t} r_u      c = γ      E ĝ = ∇J_T
    undiscounted_states       w_t = G_t                            c = 1      no gradient for γ < 1: what most code does

    no_baseline, constant(b)  b_t = 0, b                                      mean kept
    batch_mean                b_it = (1/n) Σ_j w_jt                           mean (1 - 1/n) ∇J_T
    leave_one_out             b_it = (1/(n-1)) Σ_{j≠i} w_jt                   mean kept
    state_value               b_it = v(s_it), v learned before this batch     mean kept
    optimal                   b_i = Σ_{j≠i} X_j·Z_j / Σ_{j≠i} Z_j·Z_j         mean kept, least variance as n → ∞

with X_i = Σ_t c^t w_it ∂ log π, Z_i = Σ_t c^t ∂ log π; after the end of an episode `whole_return` keeps its weight and the
others are 0. J_T is the return of the first T steps, J where T is not given. The exact laws are in
`exact.gradient_estimators` and `exact.baselines`. v moves by the mean of G_t - v(s) over the batch's visits. Williams (1992);
Sutton and Barto (2018), §13.3 and §13.4 (which has c = γ); Greensmith, Bartlett and Baxter (2004) for `optimal`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.reinforce import batch_mean_baseline, leave_one_out_baseline
from rlexact.formulas.returns import discounted_return, returns_to_go
from rlexact.learning.curve import Checkpoints, Learned, seeded
from rlexact.learning.episodes import Episodes, Sampler
from rlexact.learning.schedule import Schedule, step_sizes
from rlexact.learning.simulate import Rng
from rlexact.learning.softmax_actor import SoftmaxActor, logit_steps
from rlexact.mdp import MDP

Weighting = Callable[[Episodes, float], tuple[Array, float]]  # episodes, γ -> w (T, B), c


@dataclass(frozen=True, eq=False)
class Credit:
    """What a baseline may look at: the `episodes`, the `policy` that made them, `weights` w (T, B), `discount` c, `v` (S,)."""

    episodes: Episodes
    policy: Array
    weights: Array
    discount: float
    v: Array

    def scores(self, weights: Array) -> Array:
        """Σ_t c^t w_t ∂ log π of each episode: (T, B) -> (B, S, A)."""
        power = self.discount ** np.arange(len(weights))
        return self.episodes.scores(self.policy, power[:, None] * weights)


Baseline = Callable[[Credit], Array]  # -> b (T, B)


def reinforce(
    mdp: MDP,
    updates: int,
    rng: Rng | int,
    *,
    alpha: Schedule | float = 0.5,
    weighting: Weighting | None = None,
    baseline: Baseline | None = None,
    value_alpha: Schedule | float = 0.1,
    episodes: int = 16,
    steps: int | None = None,
    theta: Array | None = None,
    v: Array | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[R1], `updates` times, each from a fresh batch of `episodes`, cut after `steps` if given: -> policy, v, against J*.

    `weighting` is `reward_to_go` unless given, `baseline` is `no_baseline`; step sizes count updates. `tables["theta"]`.
    Raises as `Sampler` and `SoftmaxActor`, `InvalidSchedule`, and `InvalidBatch` for `leave_one_out` of one episode.
    """
    actor, sampler = SoftmaxActor(mdp, theta, v), Sampler(mdp.to_float(), seeded(rng), steps)
    step, value_step = logit_steps("alpha", alpha), step_sizes(value_alpha)
    run = actor.run(updates, checkpoints)
    for k in run:
        policy = actor.policy
        lived = sampler(policy, episodes)
        weights, c = (weighting or reward_to_go)(lived, actor.gamma)
        credit = Credit(lived, policy, weights, c, actor.v)
        actor.theta += step(k, k) * reinforce_gradient(credit, baseline or no_baseline)
        actor.v += value_step(k, k) * mean_gap(lived, reward_to_go(lived, actor.gamma)[0], actor.v)
    return actor.learned(run)


def reinforce_gradient(credit: Credit, baseline: Baseline) -> Array:
    """ĝ [R1]: -> (S, A)."""
    return np.asarray(credit.scores(credit.weights - baseline(credit)).mean(axis=0))


def mean_gap(lived: Episodes, targets: Array, v: Array) -> Array:
    """Mean of target - v(s) over the visits of each state, 0 where there was none: (T, B), (S,) -> (S,)."""
    total, visits = np.zeros(v.shape), np.zeros(v.shape)
    np.add.at(total, lived.states[lived.taken], targets[lived.taken])
    np.add.at(visits, lived.states[lived.taken], 1)
    return np.asarray(total / np.maximum(visits, 1) - np.where(visits > 0, v, 0.0))


# -- what an action is credited with ----------------------------------------------------------------------------------


def whole_return(lived: Episodes, gamma: float) -> tuple[Array, float]:
    """w_t = Σ_u γ^u r_u for every t, c = 1: -> (T, B), c."""
    return np.broadcast_to(discounted_return(lived.rewards, gamma), lived.shape), 1.0


def reward_to_go(lived: Episodes, gamma: float) -> tuple[Array, float]:
    """w_t = G_t, c = γ: the gradient of the discounted return: -> (T, B), c."""
    return returns_to_go(lived.rewards, lived.terminated, lived.truncated, gamma), gamma


def undiscounted_states(lived: Episodes, gamma: float) -> tuple[Array, float]:
    """w_t = G_t, c = 1: states are weighted as they come, which is the gradient of no function for γ < 1: -> (T, B), c."""
    return reward_to_go(lived, gamma)[0], 1.0


# -- baselines --------------------------------------------------------------------------------------------------------


def no_baseline(credit: Credit) -> Array:
    """b = 0."""
    return np.zeros(credit.weights.shape)


def constant(b: float) -> Baseline:
    """The same number everywhere."""
    return lambda credit: np.full(credit.weights.shape, float(b))


def batch_mean(credit: Credit) -> Array:
    """The mean weight at each time, an episode's own included: shrinks the gradient by 1 - 1/n."""
    return batch_mean_baseline(credit.weights)


def leave_one_out(credit: Credit) -> Array:
    """The mean weight of the other episodes at each time.  Raises `InvalidBatch` for a single episode."""
    return leave_one_out_baseline(credit.weights)


def state_value(credit: Credit) -> Array:
    """v(s_t), learned before this batch."""
    return credit.episodes.values(credit.v)[0]


def optimal(credit: Credit) -> Array:
    """The constant of least variance, as the other episodes tell it; 0 where they tell nothing, as a single one does.

    `formulas.reinforce.optimal_baseline` leaves out what the scores of one episode share, and looks at every episode.
    """
    Z = credit.scores(np.ones(credit.weights.shape))
    both, own = (credit.scores(credit.weights) * Z).sum(axis=(1, 2)), (Z * Z).sum(axis=(1, 2))
    rest = np.array([np.delete(own, i).sum() for i in range(len(own))])
    told = np.array([np.delete(both, i).sum() for i in range(len(own))]) / np.where(rest > 0, rest, 1.0)
    return np.broadcast_to(told, credit.weights.shape)
