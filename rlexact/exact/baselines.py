"""Baselines found from the data, and the best there are: exact laws of batches of n independent paths.

With h_t = c^t ∂ log π(a_t | s_t), w_t the weights of a `ScoreSum`, m_t = E w_t, and 0 after the end of a path:

    leave-one-out     (1/n) Σ_i Σ_t h_it (w_it - mean_{j≠i} w_jt)                             [B1]  leave_one_out_law
    batch mean        (1/n) Σ_i Σ_t h_it (w_it - mean_j w_jt) = (1 - 1/n) · leave-one-out     [B2]  batch_mean_law

The right side of [B2] is an identity of samples, not only of means: the batch mean scales the gradient and its noise by
1 - 1/n, and is so biased by -∇J/n. Scores have mean 0 given the past, so the parts of [B1] are uncorrelated:

    E = E[Σ_t h_t w_t],   Cov = Cov(Σ_t h_t (w_t - m_t)) / n + (D + F) / (n (n - 1))          [B3]
    D = Σ_t E[h_t h_tᵀ] Var(w_t),   F = Σ_{t,u} E[h_t w_u] E[h_u w_t]ᵀ

The first part is what the mean itself would do as a baseline, the second the price of estimating it: a U-statistic of
order 2 (Hoeffding 1948, §5). Weights constant in t (REINFORCE) make [B1] the leave-one-out baseline of Kool, van Hoof and
Welling (2019). For baselines that depend on g(t, s), the Z_g = Σ_t h_t 1[g(t, s_t) = g] are uncorrelated, so

    b(g) = E[X · Z_g] / E[Z_g · Z_g],   X = Σ_t h_t w_t                                       [B4]  optimal_baseline

minimises the trace of the covariance of X - Σ_g b(g) Z_g, and componentwise each variance. Textbooks give
E[|h|² w] / E[|h|²], which leaves out the terms of other times in X: the best for each term alone (Greensmith, Bartlett and
Baxter 2004; Peters and Schaal 2008, for constants).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import EstimatorLaw, counted, law_of
from rlexact.exact.gradient_estimators import ScoreSum
from rlexact.exact.paths import paths
from rlexact.exact.return_estimators import critic
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class Baseline:
    """b(t, s) = `table`[`depends_on`(t, s)], 0 where no score is ever felt."""

    depends_on: Callable[[int, int], Hashable]
    table: dict[Hashable, Any]

    def __call__(self, t: int, s: int) -> Any:
        return self.table.get(self.depends_on(t, s), 0)


def constant(t: int, s: int) -> Hashable:
    """One number throughout."""
    return ()


def each_time(t: int, s: int) -> Hashable:
    """One number for each time."""
    return t


def each_state(t: int, s: int) -> Hashable:
    """One number for each state."""
    return s


def each_time_and_state(t: int, s: int) -> Hashable:
    """One number for each state at each time."""
    return t, s


def constant_baseline(mdp: MDP, b: Any) -> Baseline:
    """The same number at every time and in every state."""
    return Baseline(constant, {(): ar.number(mdp.r, b)})


def value_baseline(mdp: MDP, v: Array) -> Baseline:
    """b(t, s) = v(s): (S,) -> baseline.  Raises `ValueError` where v is not 0 at a terminal state."""
    return Baseline(each_state, dict(enumerate(critic(mdp, v))))


@dataclass(frozen=True, eq=False)
class Sample:
    """Every path: probabilities `p` (N,), slopes `h` (N, T, K), weights `w` (N, T), states where steps were taken."""

    p: Array
    h: Array
    w: Array
    visited: list[tuple[int, ...]]
    shape: tuple[int, ...]

    @property
    def x(self) -> Array:
        """Σ_t h_t w_t, (N, K)."""
        return ar.tidy((self.h * self.w[:, :, None]).sum(axis=1))


def leave_one_out_law(
    mdp: MDP, estimator: ScoreSum, steps: int, n: int, target: Any = None, *, limit: int = 100_000
) -> EstimatorLaw:
    """Mean and covariance of the mean of n paths, each less the others' mean weight at each time [B1, B3]: -> law.

    Raises `ValueError` for n below 2, `TooManyPaths` for more than `limit` paths (of one draw: pairs are never listed).
    """
    counted(n, "paths for leave-one-out", least=2)
    one = sample(mdp, estimator, steps, limit)
    p, h, w = one.p, one.h, ar.tidy(one.w - one.p @ one.w)
    known = law_of(p, ar.tidy((h * w[:, :, None]).sum(axis=1)))
    spread = p @ (w * w)
    size = h.shape[2]
    D = sum(
        (spread[t] * ((p[:, None] * h[:, t]).T @ h[:, t]) for t in range(steps)), start=ar.zeros(mdp.r, (size, size))
    )
    met = np.array([[p @ (h[:, t] * w[:, u, None]) for u in range(steps)] for t in range(steps)])
    pairs = [(t, u) for t in range(steps) for u in range(steps)]
    F = sum((np.outer(met[t, u], met[u, t]) for t, u in pairs), start=ar.zeros(mdp.r, (size, size)))
    first, price = (ar.number(mdp.r, Fraction(1, k)) for k in (n, n * (n - 1)))
    covariance = ar.tidy(first * known.covariance + price * (D + F))
    variance = covariance.diagonal().reshape(one.shape)
    return EstimatorLaw(known.mean.reshape(one.shape), variance, target, covariance)


def batch_mean_law(
    mdp: MDP, estimator: ScoreSum, steps: int, n: int, target: Any = None, *, limit: int = 100_000
) -> EstimatorLaw:
    """The same with the mean over all n paths, a path's own weight included [B2]: -> law.

    With n = 1 it is always 0. Raises `ValueError` for fewer than one path or step, `TooManyPaths` above `limit`.
    """
    kept = ar.number(mdp.r, Fraction(counted(n, "paths") - 1, n))
    law = leave_one_out_law(mdp, estimator, steps, max(n, 2), target, limit=limit)
    return law.scaled(kept, kept * kept)


def optimal_baseline(
    mdp: MDP,
    estimator: ScoreSum,
    steps: int,
    depends_on: Callable[[int, int], Hashable] = constant,
    *,
    componentwise: bool = False,
    limit: int = 100_000,
) -> Baseline:
    """The baseline of least variance among those that depend on t and s only through `depends_on` [B4].

    That is `constant`, `each_time`, `each_state`, `each_time_and_state`, or your own function of them. One number for
    each value it takes, or with `componentwise` one for each parameter (shape of θ). Raises as `batch_mean_law`.
    """
    one = sample(mdp, estimator, steps, limit)
    Z: defaultdict[Hashable, Array] = defaultdict(lambda: 0 * one.h[:, 0])
    for i, states in enumerate(one.visited):
        for t, s in enumerate(states):
            Z[depends_on(t, s)][i] = Z[depends_on(t, s)][i] + one.h[i, t]
    return Baseline(depends_on, {g: regressed(one, z, componentwise) for g, z in Z.items()})


def regressed(one: Sample, z: Array, componentwise: bool) -> Any:
    """E[X · Z] / E[Z · Z], 0 where Z is 0."""
    both, own = one.p @ (one.x * z), one.p @ (z * z)
    if not componentwise:
        both, own = both.sum(keepdims=True), own.sum(keepdims=True)
    felt = ar.apart(own, 0)
    b = ar.tidy(np.where(felt, both, 0 * both) / np.where(felt, own, 0 * own + 1))
    return b.reshape(one.shape) if componentwise else b[0]


def sample(mdp: MDP, estimator: ScoreSum, steps: int, limit: int) -> Sample:
    """Every path with its slopes and weights, as arrays."""
    counted(steps, "steps")
    listed = list(paths(mdp, estimator.policy, steps, limit=limit))
    shape = estimator.scores.shape[2:]
    h = ar.zeros(mdp.r, (len(listed), steps, int(np.prod(shape))))
    for i, path in enumerate(listed):
        for t, slope in enumerate(estimator.slopes(path)):
            h[i, t] = slope.ravel()
    w = np.array([[estimator.weight(path, t) for t in range(steps)] for path in listed])
    p = mdp.beside("probabilities", np.array([path.probability for path in listed]))
    visited = [path.states[: len(path.actions)] for path in listed]
    return Sample(p, h, mdp.beside("weights", w), visited, shape)
