"""Importance sampling: the value of π from paths of μ, exactly how wrong and how noisy.  ρ_t = π(a_t | s_t) / μ(a_t | s_t).

    trajectory      ρ_0 ρ_1 ⋯ ρ_{T-1} Σ_t γ^t r_t                               [I1]  trajectory_estimate
    per decision    Σ_t γ^t ρ_0 ⋯ ρ_t r_t                                       [I2]  per_decision_estimate
    weighted        Σ_i ρ^i G^i / Σ_i ρ^i  over n paths                         [I3]  weighted_law

[I1] and [I2] have mean V^π_T(s). With E_ω x = Σ_a (π² / μ)(a | s) E[x | s, a], their second moments by dynamic programming:

    [I1]  c_k = E_ω Σ_j (k choose j) r^{k-j} γ^j c_j(s'),  k = 0, 1, 2           [I4]  trajectory_law
    [I2]  m = E_ω [r² + 2 γ r V^π(s') + γ² m(s')]                               [I5]  per_decision_law

[I3] is biased: with n = 1 it is the return of μ, or 0 where π would not have acted so, as it is wherever no path has
weight. Its law is found from the joint law of (ρ, ρ G) of one path, convolved n times. Steps not taken after an end have
ratio 1. Precup, Sutton and Singh (2000); Sutton and Barto (2018), §5.5 and §5.9. Every number is rational. Variances of
[I4] and [I5] are differences of raw moments: floats carry their rounding.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from math import comb
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.distribution import TooManyAtoms
from rlexact.exact.estimator_law import EstimatorLaw, counted, law_of, settled
from rlexact.exact.moments import StepLaw
from rlexact.exact.paths import Path, checked_steps, paths
from rlexact.exact.return_estimators import mean_step, successor
from rlexact.mdp import MDP


def trajectory_estimate(mdp: MDP, target: Array, behaviour: Array) -> Callable[[Path], Any]:
    """path -> the return times every ratio [I1]."""
    ratio = ratios(mdp, target, behaviour)
    return lambda path: weight_of(mdp, ratio, path) * discounted_return(mdp, path)


def per_decision_estimate(mdp: MDP, target: Array, behaviour: Array) -> Callable[[Path], Any]:
    """path -> the return, each reward times the ratios up to its action [I2]."""
    ratio = ratios(mdp, target, behaviour)

    def estimate(path: Path) -> Any:
        total, weight = 0 * mdp.gamma, ar.number(mdp.r, 1)
        for t, reward in enumerate(path.rewards):
            weight = weight * ratio[path.states[t], path.actions[t]]
            total = total + mdp.gamma**t * weight * reward
        return total

    return estimate


def trajectory_law(mdp: MDP, target: Array, behaviour: Array, steps: int) -> EstimatorLaw:
    """Mean and variance of [I1] from each state [I4]: two (S, A) -> law of (S,), its target V^π_T.

    Raises `InvalidPolicy` where the behaviour never takes an action that the target takes.
    """
    pi, tilted, law = mdp.admit(target), tilt(mdp, target, behaviour), StepLaw(mdp)
    one, live = ar.ones(mdp.r, mdp.n_states), mdp.available.any(axis=1)
    c, v = [one, 0 * one, 0 * one], 0 * one
    for _ in range(checked_steps(steps)):
        c = [np.where(live | (k > 0), ar.average(tilted, raw_moment(mdp, law, c, k)), one) for k in range(3)]
        v = ar.average(pi, raw_moment(mdp, law, [one, v], 1))
    return EstimatorLaw(v, ar.tidy(c[2] - v * v), v)


def per_decision_law(mdp: MDP, target: Array, behaviour: Array, steps: int) -> EstimatorLaw:
    """Mean and variance of [I2] from each state [I5]: two (S, A) -> law of (S,), its target V^π_T.  Raises as [I1]."""
    pi, tilted, law = mdp.admit(target), tilt(mdp, target, behaviour), StepLaw(mdp)
    one = ar.ones(mdp.r, mdp.n_states)
    m = v = 0 * one
    for _ in range(checked_steps(steps)):
        m = ar.average(tilted, raw_moment(mdp, law, [one, v, m], 2))
        v = ar.average(pi, raw_moment(mdp, law, [one, v], 1))
    return EstimatorLaw(v, ar.tidy(m - v * v), v)


def weighted_law(
    mdp: MDP, target: Array, behaviour: Array, steps: int, n: int, *, limit: int = 100_000
) -> EstimatorLaw:
    """Mean, variance and bias of [I3] over n paths from `mdp.initial`: two (S, A) -> law of a number, its target J_T(π).

    Raises `TooManyPaths` and `TooManyAtoms` above `limit`, `InvalidPolicy` as `trajectory_law`.
    """
    ratio = ratios(mdp, target, behaviour)
    single: defaultdict[tuple[Any, Any], Any] = defaultdict(int)
    for path in paths(mdp, behaviour, steps, limit=limit):
        weight = weight_of(mdp, ratio, path)
        single[settled(weight), settled(weight * discounted_return(mdp, path))] += path.probability
    truth = sum(p * x for (_, x), p in single.items())
    law = dict(single)
    for _ in range(counted(n, "paths") - 1):
        law = convolved(law, single, limit)
    x = np.array([x / weight if weight != 0 else 0 * x for weight, x in law])
    return law_of(mdp.beside("p", np.array(list(law.values()))), mdp.beside("x", x), settled(truth))


# -- the pieces -------------------------------------------------------------------------------------------------------


def ratios(mdp: MDP, target: Array, behaviour: Array) -> Array:
    """π / μ, 0 where neither acts: two (S, A) -> (S, A).  Raises `InvalidPolicy` where μ = 0 < π."""
    pi, mu = mdp.admit(target), mdp.admit(behaviour)
    taken = ar.apart(mu, 0)
    if (lost := ar.apart(pi, 0) & ~taken).any():
        s, a = np.argwhere(lost)[0]
        raise InvalidPolicy(
            f"target[{s}, {a}] = {pi[s, a]} where the behaviour has 0: its paths say nothing about that action. Give a "
            "behaviour that takes every action of the target"
        )
    return ar.tidy(pi / np.where(taken, mu, ar.ones(mdp.r, mu.shape)))


def tilt(mdp: MDP, target: Array, behaviour: Array) -> Array:
    """π² / μ, the weights of second moments: two (S, A) -> (S, A)."""
    return ar.tidy(ratios(mdp, target, behaviour) * mdp.admit(target))


def raw_moment(mdp: MDP, law: StepLaw, c: list[Array], k: int) -> Array:
    """Σ_j (k choose j) γ^j E[r^{k-j} c_j(s') | s, a]; where a step ends, c_0 is 1 and the others 0: -> (S, A)."""
    over = law.following < 0
    ahead = [np.where(over, successor(law, x) + int(j == 0), successor(law, x)) for j, x in enumerate(c[: k + 1])]
    terms = (comb(k, j) * mdp.gamma**j * law.rewards ** (k - j) * ahead[j] for j in range(k + 1))
    return mean_step(mdp, law, np.asarray(sum(terms))).reshape(mdp.r.shape)


def weight_of(mdp: MDP, ratio: Array, path: Path) -> Any:
    weight = ar.number(mdp.r, 1)
    for s, a in zip(path.states, path.actions, strict=False):
        weight = weight * ratio[s, a]
    return weight


def discounted_return(mdp: MDP, path: Path) -> Any:
    return sum((mdp.gamma**t * r for t, r in enumerate(path.rewards)), start=0 * mdp.gamma)


def convolved(
    law: Mapping[tuple[Any, Any], Any], other: Mapping[tuple[Any, Any], Any], limit: int
) -> dict[tuple[Any, Any], Any]:
    """The law of the sum of two independent pairs."""
    total: defaultdict[tuple[Any, Any], Any] = defaultdict(int)
    for (weight, x), p in law.items():
        for (more, y), q in other.items():
            total[settled(weight + more), settled(x + y)] += p * q
        if len(total) > limit:
            raise TooManyAtoms(f"the sums of weights have more than {limit:,} values: fewer paths or steps, or limit=")
    return dict(total)
