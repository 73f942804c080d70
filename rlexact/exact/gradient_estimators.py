"""Policy-gradient estimators as functions of a path, each of the one form

    g(τ) = Σ_t c^t w_t(τ) ∂ log π(a_t | s_t)                                                   [P1]  ScoreSum

    REINFORCE            w_t = Σ_u γ^u r_u                       c = 1                         [P2]  reinforce
    reward-to-go         w_t = G_t = Σ_{u≥t} γ^{u-t} r_u         c = γ                         [P3]  reward_to_go
    with a baseline      w_t - b(t, s_t)                                                       [P4]  ScoreSum.minus
    actor-critic         w_t = Σ_l (γλ)^l δ_{t+l},  δ of a critic v,  c = γ                    [P5]  actor_critic

[P2-P4] have mean ∇J_T of `finite_horizon_gradient`; c = 1 in [P3] is what most code does, and follows another direction
for γ < 1. [P5] is biased by whatever v is wrong by, but for λ = 1 only what stands behind the horizon matters:

    E g = Σ_t γ^t Σ_s Pr(s_t = s) Σ_a ∂π(a | s) E[Â_{T-t} | s, a]                              [P6]  actor_critic_mean

The law of [P3], with a baseline of states, needs no path. With G = r + γ G', X = σ (G - b(s)) + γ X', σ the score:

    E XXᵀ = σσᵀ E(G - b)² + γ (σ cᵀ + c σᵀ) + γ² E X'X'ᵀ,   c = E[(G - b) X']                  [P7]  reward_to_go_law

Williams (1992) for [P2]; Sutton and Barto (2018), §13.3-13.5; Schulman et al. (2016), (16) for [P5].
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import EstimatorLaw
from rlexact.exact.evaluation import visits
from rlexact.exact.gradient import (
    finite_horizon_gradient,
    policy_gradient,
    refuse_traps,
    refuse_unbalanced,
)
from rlexact.exact.moments import StepLaw
from rlexact.exact.parameterisation import ParameterisedPolicy
from rlexact.exact.paths import Path, checked_steps
from rlexact.exact.return_estimators import advantage_laws, lambda_advantage, lambda_advantage_law, mean_step, successor
from rlexact.mdp import MDP

Weight = Callable[[Path, int], Any]  # (path, t) -> w_t, for every t ≥ 0


@dataclass(frozen=True, eq=False)
class ScoreSum:
    """Σ_t discount^t w_t ∂ log π(a_t | s_t) [P1], a function of a path: `scores` (S, A, *shape of θ) at `policy`."""

    policy: Array
    scores: Array
    weight: Weight
    discount: Any

    def __call__(self, path: Path) -> Array:
        terms = (self.weight(path, t) * h for t, h in enumerate(self.slopes(path)))
        return np.asarray(sum(terms, start=0 * self.scores[0, 0]))

    def slopes(self, path: Path) -> list[Array]:
        """discount^t ∂ log π(a_t | s_t), one for each step of the path."""
        steps = zip(path.states, path.actions, strict=False)
        return [np.asarray(self.discount**t * self.scores[s, a]) for t, (s, a) in enumerate(steps)]

    def minus(self, baseline: Callable[[int, int], Any]) -> "ScoreSum":
        """w_t - b(t, s_t) for w_t [P4]; b gives a number, or one for each parameter."""

        def weight(path: Path, t: int) -> Any:
            w = self.weight(path, t)
            return w - baseline(t, path.states[t]) if t < len(path.actions) else w

        return replace(self, weight=weight)


def reinforce(mdp: MDP, family: ParameterisedPolicy) -> ScoreSum:
    """The whole return times every score [P2].  Raises `InvalidPolicy` as `trajectory_gradient` does."""
    return ScoreSum(
        family.policy, score_table(mdp, family), lambda path, t: tail_return(mdp, path, 0), ar.number(mdp.r, 1)
    )


def reward_to_go(mdp: MDP, family: ParameterisedPolicy, *, discount: Any = None) -> ScoreSum:
    """What follows an action times its score [P3]; `discount` is c, γ if not given.  Raises as `reinforce`."""
    return ScoreSum(
        family.policy, score_table(mdp, family), lambda path, t: tail_return(mdp, path, t), chosen(mdp, discount)
    )


def actor_critic(mdp: MDP, family: ParameterisedPolicy, v: Array, lam: Any = 0, *, discount: Any = None) -> ScoreSum:
    """GAE(λ) of a critic v (S,) times the score [P5]; the cut path bootstraps from v.  Raises as `reinforce`."""
    return ScoreSum(family.policy, score_table(mdp, family), lambda_advantage(mdp, v, lam), chosen(mdp, discount))


def actor_critic_mean(
    mdp: MDP, family: ParameterisedPolicy, v: Array, lam: Any = 0, steps: int | None = None
) -> EstimatorLaw:
    """Mean of [P5] by dynamic programming [P6], its target ∇J_T, or ∇J without `steps`: -> law without variance.

    Raises `InvalidPolicy` at γ = 1 without `steps` if the policy can be trapped.
    """
    if steps is None:
        refuse_traps(mdp, family.policy)
        each = lambda_advantage_law(mdp, family.policy, v, lam).mean
        mean = family.pull(visits(mdp, family.policy)[:, None] * each)
        return EstimatorLaw(mean, None, policy_gradient(mdp, family))
    P, _ = mdp.under(family.policy)
    w, here = ar.zeros(mdp.r, mdp.r.shape), mdp.initial
    ahead = [mean for mean, _ in advantage_laws(mdp, family.policy, v, lam, checked_steps(steps))[1:]]
    for mean in reversed(ahead):
        w, here = w + here[:, None] * mean, mdp.gamma * (P.T @ here)
    return EstimatorLaw(family.pull(ar.tidy(w)), None, finite_horizon_gradient(mdp, family, steps))


def reward_to_go_law(mdp: MDP, family: ParameterisedPolicy, steps: int, baseline: Array | None = None) -> EstimatorLaw:
    """Mean and covariance of [P3] less a baseline b (S,), without paths [P7]: -> law, its target ∇J_T.

    Work and memory grow as S · A · K². Covariances are differences of raw moments: in floats they carry their rounding.
    """
    sigma = score_table(mdp, family).reshape(mdp.r.size, -1)
    n, size = mdp.n_states, sigma.shape[1]
    b = ar.zeros(mdp.r, n) if baseline is None else mdp.beside("baseline", baseline)
    m = [ar.zeros(mdp.r, (n, *shape)) for shape in ((), (), (size,), (size,), (size, size))]
    for _ in range(checked_steps(steps)):
        stepped = joint_moments(mdp, m, sigma, np.repeat(b, mdp.n_actions))
        m = [over_actions(family.policy, x) for x in stepped]
    _, _, x, _, xx = (ar.tidy(np.tensordot(mdp.initial, part, 1)) for part in m)
    covariance = ar.tidy(xx - np.outer(x, x))
    target = finite_horizon_gradient(mdp, family, steps)
    return EstimatorLaw(x.reshape(family.shape), covariance.diagonal().reshape(family.shape), target, covariance)


def joint_moments(mdp: MDP, m: list[Array], sigma: Array, b: Array) -> list[Array]:
    """E of G, G², X, GX and XXᵀ one step earlier [P7]: five of (S, ...) -> five of (S·A, ...)."""
    law, g = StepLaw(mdp), mdp.gamma
    G, GG, X, GX, XX = (successor(law, part) for part in m)
    r, r_ = law.rewards, law.rewards[:, None]
    G, GG, X, GX, c, XX = (
        mean_step(mdp, law, part)
        for part in (r + g * G, r * r + 2 * g * r * G + g * g * GG, X, GX, r_ * X + g * GX, XX)
    )
    G_, GG_, b_ = G[:, None], GG[:, None], b[:, None]
    c_b = c - b_ * X
    cross = sigma[:, :, None] * c_b[:, None, :]
    square = (GG - 2 * b * G + b * b)[:, None, None] * sigma[:, :, None] * sigma[:, None, :]
    return [
        G,
        GG,
        sigma * (G_ - b_) + g * X,
        sigma * (GG_ - b_ * G_) + g * c,
        square + g * (cross + cross.swapaxes(1, 2)) + g * g * XX,
    ]


def over_actions(policy: Array, x: Array) -> Array:
    """Σ_a π(a | s) x(s, a, ...): (S, A), (S·A, ...) -> (S, ...)."""
    weights = policy.reshape(*policy.shape, *[1] * (x.ndim - 1))
    return ar.tidy((weights * x.reshape(*policy.shape, *x.shape[1:])).sum(axis=1))


def score_table(mdp: MDP, family: ParameterisedPolicy) -> Array:
    """∂ log π(a | s) written out: (S, A, *shape of θ)."""
    refuse_unbalanced(mdp, family)
    return np.asarray(ar.dense_array(family.scores()).reshape(*family.policy.shape, *family.shape))


def tail_return(mdp: MDP, path: Path, t: int) -> Any:
    """Σ_{u≥t} γ^{u-t} r_u, 0 after the end."""
    return sum((mdp.gamma**k * r for k, r in enumerate(path.rewards[t:])), start=0 * mdp.gamma)


def chosen(mdp: MDP, discount: Any) -> Any:
    return mdp.gamma if discount is None else ar.number(mdp.r, discount)
