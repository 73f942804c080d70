"""One trust-region step, solved exactly, and as the paper takes it.

    maximise Σ_s w(s) Σ_a π(a | s) A(s, a)   subject to   Σ_s w(s) D(s) ≤ δ

over all policies, A the old policy's advantages and w its share of the discounted visits to states where it acts, Σ w = 1.
With one multiplier λ for the budget and ν(s) for each state:

    D = KL(old ‖ π), the constraint of TRPO     π(a | s) = λ old(a | s) / (ν(s) - A(s, a))          [K1]  trpo_step
    D = KL(π ‖ old), its reverse                π(a | s) ∝ old(a | s) exp(A(s, a) / λ)              [K2]  reverse_kl_step

λ ↦ mean D is decreasing, and its root at δ is bracketed; ν(s) is the root of Σ_a π(a | s) = 1 above max_a A. In [K2] a
budget that admits the best actions outright has λ = 0. Schulman et al. (2015), (12), for the problem, which they solve to
second order in θ (`line_search`); Peters, Mülling and Altün (2010) for [K2]. Roots of transcendental equations: floats
only, `NotExact` elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.door import InvalidPolicy
from rlexact.exact.difference import mean_advantage, weighed
from rlexact.exact.evaluation import advantage, visits
from rlexact.exact.policy_distance import kl
from rlexact.mdp import MDP
from rlexact.solution import NotConverged

SMALLEST_BUDGET = 1e-12  # a mean KL is a sum of terms of size one: below this, rounding would decide

HALVINGS = 11 + 53
TINY = 2.0**-1000  # keeps square roots and quotients clear of underflow


class InvalidBudget(ValueError):
    """A KL budget that no step can keep: the message says which to give."""


@dataclass(frozen=True, eq=False)
class TrustRegionStep:
    """`policy` (S, A); `multiplier` λ; `gain` Σ w Ā in rewards; `divergence` Σ w D in nats; `kkt_residual`.

    The residual is the largest violation of the optimality conditions: Σ_a π = 1, mean D ≤ δ, λ (δ - mean D) = 0, and
    the derivative of the Lagrangian equal over the actions taken of each visited state. The problem is concave, so a
    policy with residual 0 is the optimum.
    """

    policy: Array
    multiplier: float
    gain: float
    divergence: float
    kkt_residual: float


def trpo_step(mdp: MDP, old: Array, budget: float) -> TrustRegionStep:
    """The best surrogate with mean KL(old ‖ new) ≤ budget [K1]: (S, A) -> `TrustRegionStep`.

    Raises `InvalidBudget`, `InvalidPolicy` unless old takes every available action, `NotExact`, `NotConverged`.
    """
    pi, A, w, delta = problem(mdp, old, budget)
    slack = np.where(mdp.available, ar.best(A, mdp.available)[0][:, None] - A, 0.0)

    def policy_at(lam: float) -> Array:
        return np.asarray(np.where(pi > 0, lam * pi / (excess(pi, slack, lam)[:, None] + slack), 0.0))

    def slope(new: Array, lam: float) -> Array:
        return A + lam * pi / np.where(new > 0, new, 1.0)

    if not (slack * pi)[w > 0].any():
        return answer(mdp, pi, pi, w, 0.0, 0.0, A, delta)
    lam = root(lambda x: w @ kl(mdp, pi, policy_at(x)), delta, first_guess(pi, A, w, delta))
    new = policy_at(lam)
    return answer(mdp, new, pi, w, lam, float(w @ kl(mdp, pi, new)), slope(new, lam), delta)


def reverse_kl_step(mdp: MDP, old: Array, budget: float) -> TrustRegionStep:
    """The best surrogate with mean KL(new ‖ old) ≤ budget [K2]: (S, A) -> `TrustRegionStep`.  Raises as `trpo_step`."""
    pi, A, w, delta = problem(mdp, old, budget)
    top, ties = ar.best(A, mdp.available)

    def policy_at(lam: float) -> Array:
        weight = pi * np.exp((A - top[:, None]) / lam)
        return np.asarray(np.where(mdp.available, weight / normaliser(weight), 0.0))

    def slope(new: Array, lam: float) -> Array:
        return A - lam * np.log(np.where(new > 0, new, 1.0) / np.where(pi > 0, pi, 1.0))

    greedy = np.where(ties, pi, 0.0) / normaliser(np.where(ties, pi, 0.0))
    if (most := float(w @ kl(mdp, greedy, pi))) <= delta:
        return answer(mdp, greedy, pi, w, 0.0, most, A, delta)
    lam = root(lambda x: w @ kl(mdp, policy_at(x), pi), delta, first_guess(pi, A, w, delta))
    new = policy_at(lam)
    return answer(mdp, new, pi, w, lam, float(w @ kl(mdp, new, pi)), slope(new, lam), delta)


def problem(mdp: MDP, old: Array, budget: float) -> tuple[Array, Array, Array, float]:
    """π_old, its advantages, its shares of visits to states where it acts, and the budget."""
    if ar.is_exact(mdp.r):
        raise NotExact("a trust-region step solves transcendental equations: take the model to_float()")
    delta = float(budget)
    if not SMALLEST_BUDGET <= delta < np.inf:
        raise InvalidBudget(
            f"budget = {budget}: give a finite mean KL of at least {SMALLEST_BUDGET:g} nats. At 0 the old policy is the only "
            "answer, below it there is none, and between the two float64 cannot tell"
        )
    pi = mdp.admit(old)
    if (never := mdp.available & (pi == 0)).any():
        s, a = np.argwhere(never)[0]
        raise InvalidPolicy(f"policy[{s}, {a}] = 0: a step within a KL budget needs every available action in use")
    w = np.where(mdp.terminal, 0.0, visits(mdp, pi))
    if not w.any():
        raise InvalidPolicy("the start is terminal: no state is visited in which the policy acts")
    return pi, advantage(mdp, pi), w / w.sum(), delta


def normaliser(weight: Array) -> Array:
    """Row sums as a column, 1 where a row is 0 (terminal states): (S, A) -> (S, 1)."""
    total = weight.sum(axis=1)[:, None]
    return np.asarray(np.where(total > 0, total, 1.0))


def excess(pi: Array, slack: Array, lam: float) -> Array:
    """u(s) = ν(s) - max_a A, the root of Σ_a λ π / (u + slack) = 1: (S, A), (S, A) -> (S,), 1 at terminal states.

    It lies between λ times the best actions' probability and λ, and is halved in on a logarithmic scale: that is at most
    2¹¹ wide, so that `HALVINGS` leave nothing but rounding, however rare the best action was.
    """
    live = pi.any(axis=1)
    low = np.where(live, np.maximum(lam * np.where(slack == 0, pi, 0.0).sum(axis=1), TINY), 1.0)
    high = np.where(live, max(lam, TINY), 1.0)
    for _ in range(HALVINGS):
        middle = np.sqrt(low) * np.sqrt(high)
        above = (pi / (middle[:, None] + slack)).sum(axis=1) > 1 / lam
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(high)


def first_guess(pi: Array, A: Array, w: Array, delta: float) -> float:
    """λ of the quadratic model, where both divergences are Var(A) / 2λ²."""
    return float(np.sqrt(w @ (pi * A * A).sum(axis=1) / (2 * delta)))


def root(divergence: Callable[[float], Any], delta: float, guess: float) -> float:
    """The multiplier at which the mean divergence, decreasing in it, is δ.

    The bracket is doubled on a logarithmic scale until it holds the root, and halved to machine precision.
    """
    below, above = guess, guess
    for _ in range(1000):
        if divergence(below) < delta:
            below /= 2
        elif divergence(above) > delta:
            above *= 2
        else:
            break
    else:
        raise NotConverged(
            f"no multiplier between {below:g} and {above:g} meets the budget {delta:g}: give another", guess
        )
    ends = np.log(below / 2), np.log(above * 2)  # clear of the rounding of the divergence
    found = scipy.optimize.brentq(lambda t: divergence(np.exp(t)) - delta, *ends, xtol=1e-15)
    return float(np.exp(found))


def answer(
    mdp: MDP, new: Array, old: Array, w: Array, lam: float, divergence: float, slope: Array, delta: float
) -> TrustRegionStep:
    """The step with what is left of its optimality conditions; `slope` is the Lagrangian's derivative by π."""
    taken = (new > 0) & (w > 0)[:, None]
    high, low = np.where(taken, slope, -np.inf).max(axis=1), np.where(taken, slope, np.inf).min(axis=1)
    uneven = (high - low)[w > 0].max()
    over = np.abs(new.sum(axis=1) - 1)[w > 0].max()
    residual = max(uneven, over, divergence - delta, lam * abs(delta - divergence))
    gain = float(weighed(w, mean_advantage(mdp, new, old)))
    return TrustRegionStep(new, lam, gain, divergence, float(residual))
