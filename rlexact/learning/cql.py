"""Conservative Q-learning, CQL(H), in a table, from a fixed set of data.

    Q(s, ·) -= α_Q ∂/∂Q(s, ·) mean c (T log Σ_b e^{Q(s, b) / T} - Q(s, a)) + ½ (Q(s, a) - y)²,   y = r + γ max Q(s', ·)   [C1]
    argmin over Q(s, ·) of the same, y held:   Q = y - c (μ / β̂ - 1),   μ = softmax(Q / T)                                [C2]
    μ_a = ω(log k_a + (y_a + c) / T - z) / k_a,   k_a = c / (β̂_a T),   z the root of Σ_a μ_a = 1                          [C3]

Kumar, Zhou, Tucker and Levine (2020), (4) with the Bellman optimality target; c is their α, the `penalty`. [C2] is
`formulas.cql_bound.cql_minimiser` with its own softmax for μ; [C3] solves it, ω being Wright's function, ω + log ω = x.
The sum in [C3] is convex and falling in z, so Newton's method from its left goes straight to the root. In [C2] dQ/dy is
(c H + diag β̂)⁻¹ diag β̂ with H = (diag μ - μ μᵀ) / T: no entry is negative and rows sum to 1, so Q moves no further than y,
and Q → [C2] at r + γ P max Q contracts by γ: it has one fixed point, where [C1] rests, `cql_optimum`. A pair outside the data
has slope c μ > 0 and no minimiser: its Q falls for ever like -T log k, and its neighbours settle as fast as μ vanishes there.
"""

from typing import Any

import numpy as np
from scipy.special import wrightomega

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.formulas.batch import distributions, numbers, positive, within
from rlexact.formulas.cql import cql_loss_gradient
from rlexact.learning.curve import Checkpoints
from rlexact.learning.dataset import Dataset, OfflineLearned, OfflineRun, Rows, mean_by
from rlexact.learning.schedule import Schedule, step_sizes
from rlexact.learning.simulate import Rng
from rlexact.mdp import MDP
from rlexact.policy import first_best
from rlexact.solution import NotConverged

OUT_OF_REACH = -1e200  # the value of an action that cannot be taken: its softmax is 0 at any temperature


def cql_h_minimiser(targets: Any, behaviour: Any, penalty: float, temperature: float = 1.0) -> Array:
    """The minimiser [C2] of CQL(H) at held targets: (S, A), (S, A), c, T -> (S, A), 0 where the behaviour is 0.

    Exact up to rounding. Its mean under the behaviour is that of the targets. Raises `InvalidBatch` for c < 0, T ≤ 0 and rows
    that are no distribution.
    """
    y, beta, c, t = numbers(targets=targets, behaviour=behaviour, penalty=penalty, temperature=temperature)
    within(0, None, penalty=c)
    positive(temperature=t)
    distributions(behaviour=beta)
    held = beta > 0
    if c == 0:
        return np.where(held, y, 0.0)
    k = c / (np.where(held, beta, 1.0) * t)
    x = np.where(held, np.log(k) + (y + c) / t, -np.inf)
    z = np.max(np.where(held, (y + c) / t - k, -np.inf), axis=-1, keepdims=True)  # here one μ_a is 1
    while True:
        omega = wrightomega(x - z)
        over = (omega / k).sum(axis=-1, keepdims=True) - 1
        step = over / (omega / (1 + omega) / k).sum(axis=-1, keepdims=True)
        rising = step > 4 * np.finfo(float).eps * np.maximum(np.abs(z), 1)
        if not rising.any():
            return np.where(held, y + c - c / np.where(held, beta, 1.0) * omega / k, 0.0)
        z = z + np.where(rising, step, 0.0)


def cql_optimum(mdp: MDP, behaviour: Array, penalty: float, temperature: float = 1.0, tol: float = 1e-12) -> Array:
    """Where CQL(H) comes to rest on infinitely many transitions: (S, A), c, T -> q (S, A) within `tol`, in floats.

    Or as near as the rounding of numbers of the size of Q and c allows. 0 where the behaviour has no mass, which counts for
    no maximum. c = 0 is the optimum within the behaviour's support. Raises `ValueError` for γ = 1 or a tolerance not above 0,
    `NotConverged` where rounding keeps it from coming to rest, and as `cql_h_minimiser`.
    """
    model, live = mdp.to_float(), ~mdp.terminal
    beta, gamma = np.asarray(mdp.admit(behaviour), dtype=float), float(model.gamma)
    if gamma >= 1 or not tol > 0:
        raise ValueError(
            f"gamma = {gamma:.6g}, tol = {tol!r}: give gamma below 1, where CQL contracts, and tol above 0"
        )
    q, last = np.zeros(beta.shape), np.inf
    while True:
        best, _ = ar.best(q, beta > 0)
        moved = np.zeros(beta.shape)
        moved[live] = cql_h_minimiser(backup(model, best)[live], beta[live], penalty, temperature)
        change, q = float(np.abs(moved - q).max()), moved
        rounding = 64 * np.finfo(float).eps * (float(np.abs(q).max()) + float(penalty))
        if gamma * change <= max((1 - gamma) * tol, rounding):
            return q
        if change >= last:
            raise NotConverged(f"rounding holds CQL's changes at {change:.3g}: give a smaller penalty", q)
        last = change


class ConservativeQ:
    """The table `q` (S, A) that CQL changes in place."""

    def __init__(self, data: Dataset, penalty: float, temperature: float) -> None:
        self.data, self.penalty, self.temperature = data, float(penalty), float(temperature)
        self.model, self.q = data.mdp.to_float(), np.zeros(data.mdp.r.shape)
        self.curvature = 1 + self.penalty / (2 * self.temperature)

    def regress(self, rows: Rows, alpha: float) -> None:
        """[C1] for every state in the batch, targets taken before any entry moves."""
        best, _ = ar.best(self.q, self.model.available)
        ahead = np.where(rows.terminated, 0.0, best[rows.following])
        y = rows.rewards + float(self.model.gamma) * ahead
        reached = np.where(self.model.available, self.q, OUT_OF_REACH)[rows.states]
        slope = cql_loss_gradient(reached, rows.actions, y, self.penalty, self.temperature)
        for a in range(self.model.n_actions):
            self.q[:, a] -= alpha / self.curvature * mean_by(rows.states, rows.shares, slope[:, a], len(self.q))

    def policy(self) -> Array:
        """Greedy, even where there is no data: (S, A)."""
        return self.data.acting(first_best(self.model, self.q))


def cql(
    data: Dataset,
    updates: int,
    penalty: float,
    *,
    temperature: float = 1.0,
    alpha: Schedule | float = 1.0,
    batch: int | None = None,
    rng: Rng | int | None = None,
    checkpoints: Checkpoints = 30,
) -> OfflineLearned:
    """[C1], one update at a time: -> q (S, A), and the greedy policy, which may leave the data.

    `batch` rows drawn for each update by `rng`, or all of them. Step sizes count updates; α_Q is α / (1 + c / 2T), the inverse of
    the largest curvature, so that α ≤ 1 is stable. Raises as `cql_optimum`, `InvalidSchedule`, `InvalidMDP` without a start.
    """
    limit = cql_optimum(data.model, data.behaviour, penalty, temperature)
    kept, step, draw = ConservativeQ(data, penalty, temperature), step_sizes(alpha), data.batches(batch, rng)
    told = OfflineRun(data, updates, kept.q, limit, kept.policy, checkpoints)
    for k in told.run:
        kept.regress(draw(), step(k, k))
    return told.learned(q=kept.q, policy=kept.policy())
