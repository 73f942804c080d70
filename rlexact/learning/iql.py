"""Implicit Q-learning (IQL) in a table, from a fixed set of data.

    value      V(s) -= α ½ ∂/∂V mean |τ - 1{u < 0}| u²,   u = Q(s, a) - V(s)                     [I1]
    critic     Q(s, a) -= α ½ ∂/∂Q mean (r + γ V(s') - Q(s, a))²                                  [I2]
    policy     π(a | s) ∝ β̂(a | s) w,   w = min(e^{B (Q - V)}, w_max)                             [I3]
               or θ(s, ·) += α_θ mean w (1{a} - π(· | s)), which is at rest there                 [I4]

Means are over the rows of a state [I1, I4] or of a pair [I2] in the batch. With everything in it, Q rests at r + γ P V where V is
the expectile that `exact.offline.iql_value` finds for the counted model and β̂: the law of the states cancels. τ = 1/2 is the
value of β̂; τ → 1 is the optimum of the counted model, and B → ∞ then takes its actions. Kostrikov, Nair and Levine (2022),
(5) to (7), whose β is B here (`inverse_temperature`); [I3] is the maximiser of (7) over all tables. The three losses and
their slopes are those of `formulas.iql`.
"""

from collections.abc import Callable

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.exact.offline import iql_value
from rlexact.formulas.batch import numbers, positive, within
from rlexact.formulas.iql import iql_policy_loss_gradient, iql_q_loss_gradient, iql_value_loss_gradient
from rlexact.formulas.kl_optimum import kl_regularised_policy
from rlexact.learning.curve import Checkpoints
from rlexact.learning.dataset import Dataset, OfflineLearned, OfflineRun, Rows, mean_by
from rlexact.learning.schedule import Schedule, step_sizes
from rlexact.learning.simulate import Rng
from rlexact.learning.softmax_actor import SoftmaxActor, logit_steps
from rlexact.policy import softmax


class ImplicitQ:
    """The tables `v` (S,) and `q` (S, A) that IQL changes in place, and the policy they stand for."""

    def __init__(self, data: Dataset, expectile: float, inverse_temperature: float, max_weight: float | None) -> None:
        inverse, most = numbers(inverse_temperature=inverse_temperature, max_weight=max_weight, optional=["max_weight"])
        within(0, None, inverse_temperature=inverse)
        positive(max_weight=1 if most is None else most)
        self.data, self.tau, self.inverse, self.most = data, float(expectile), float(inverse), max_weight
        self.gamma, self.shape = float(data.mdp.gamma), data.mdp.r.shape
        self.v, self.q = np.zeros(self.shape[0]), np.zeros(self.shape)
        self.behaviour = np.asarray(data.behaviour, dtype=float)

    def evaluate(self, rows: Rows, alpha: float) -> None:
        """[I1], then [I2] with the new V."""
        states, (n, width) = rows.states, self.shape
        slope = iql_value_loss_gradient(self.v[states], self.q[states, rows.actions], self.tau)
        self.v -= alpha / 2 * mean_by(states, rows.shares, slope, n)
        ahead, taken = self.v[rows.following], self.q[states, rows.actions]
        slope = iql_q_loss_gradient(taken, rows.rewards, ahead, rows.terminated, self.gamma)
        pairs = mean_by(states * width + rows.actions, rows.shares, slope, n * width)
        self.q -= alpha / 2 * pairs.reshape(self.shape)

    def policy(self) -> Array:
        """[I3], even where there is no data: (S, A)."""
        exponents, left, pi = self.inverse * (self.q - self.v[:, None]), self.data.left, np.zeros(self.shape)
        if self.most is not None:
            exponents = np.minimum(exponents, np.log(self.most))
        pi[left] = kl_regularised_policy(self.behaviour[left], exponents[left], 1)
        return self.data.acting(pi)

    def imitate(self, actor: SoftmaxActor, rows: Rows, alpha: float) -> None:
        """[I4]."""
        at, (n, width) = (rows.states, rows.actions), self.shape
        log_pi, v = actor.log_policy[at], self.v[rows.states]
        weights = -iql_policy_loss_gradient(log_pi, self.q[at], v, self.inverse, self.most)
        pi = actor.policy[rows.states]
        for a in range(width):
            slope = weights * ((rows.actions == a) - pi[:, a])
            actor.theta[:, a] += alpha * mean_by(rows.states, rows.shares, slope, n)


def iql(
    data: Dataset,
    updates: int,
    expectile: float,
    inverse_temperature: float = 3.0,
    *,
    max_weight: float | None = 100.0,
    alpha: Schedule | float = 1.0,
    policy_alpha: Schedule | float | None = None,
    batch: int | None = None,
    rng: Rng | int | None = None,
    checkpoints: Checkpoints = 30,
) -> OfflineLearned:
    """[I1-I3], one update at a time: -> v (S,), q (S, A), policy (S, A).  With `policy_alpha` [I4] in place of [I3].

    `batch` rows drawn for each update by `rng`, or all of them. Step sizes count updates. By [I3] π never leaves the data;
    by [I4] it starts even. Raises `ValueError` for τ outside (0, 1), `InvalidBatch` for B < 0, w_max ≤ 0 and, with
    `policy_alpha`, a weight beyond the largest float; `InvalidSchedule`, `InvalidMDP` without a start.
    """
    kept, actor = ImplicitQ(data, expectile, inverse_temperature, max_weight), SoftmaxActor(data.mdp)
    model = data.model.to_float()
    limit = np.where(data.seen, backup(model, iql_value(model, kept.behaviour, kept.tau)), 0.0)
    step, draw = step_sizes(alpha), data.batches(batch, rng)
    policy_step = None if policy_alpha is None else logit_steps("policy_alpha", policy_alpha)
    policy: Callable[[], Array] = kept.policy if policy_step is None else lambda: softmax(actor.model, actor.theta)
    told = OfflineRun(data, updates, kept.q, limit, policy, checkpoints)
    for k in told.run:
        seen = draw()
        kept.evaluate(seen, step(k, k))
        if policy_step is not None:
            kept.imitate(actor, seen, policy_step(k, k))
    return told.learned(v=kept.v, q=kept.q, policy=policy())
