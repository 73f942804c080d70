"""Answers with a proof of how near the truth they are.

Let N be the states where a policy still runs: not terminal and, at γ = 1, in no closed class (which pays nothing, so
V = 0 there). If h ≥ 0 and g = h - γ P_π h > 0 on N, then I - γ P_π has an inverse ≥ 0 there, and so

    |v - V^π| ≤ h · max_N |T^π v - v| / g                                                                    [D1]

(Berman and Plemmons 1994, ch. 6, condition I₂₇ of M-matrices). A good h is the expected number of remaining steps,
discounted, for which g = 1. Where γ · (row sums) is below 1 the residual bound [B2] of `contraction` holds as well. Both
are verified in the stored numbers, with rounding, so that nothing depends on how v and h were found.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup, checked_v
from rlexact.exact.chain import closed_classes
from rlexact.exact.contraction import averaged, enclosed_step, moduli, residual, residual_bound, up
from rlexact.exact.evaluation import ending_chain, policy_value
from rlexact.mdp import MDP
from rlexact.solution import Evaluation, NotConverged


def evaluate(mdp: MDP, policy: Array) -> Evaluation:
    """V^π and Q^π with ‖v - V^π‖∞ ≤ error_bound: (S, A) -> `Evaluation`.  The bound is 0 in exact worlds.

    Raises `InvalidPolicy` as `policy_value` does, and `NotConverged` where float64 cannot bound the error at all.
    """
    if ar.is_exact(mdp.kernel):
        v = policy_value(mdp, policy)
        return Evaluation(v, backup(mdp, v), ar.number(v, 0))
    pi = mdp.admit(policy)
    P, r = ending_chain(mdp, pi)
    running, h = still_running(mdp, pi), np.ones(r.size)
    ends = mdp.terminal.any() or ar.apart(mdp.ends, 0).any()  # if not, h = 1 is as good as any
    solved = ar.solve(ar.eye(P) - mdp.gamma * P, np.stack([r, h][: 1 + ends], axis=1))
    v, h = np.where(running, solved[:, 0], 0.0), np.where(running, solved[:, 1] if ends else h, 0.0)
    answer = Evaluation(v, backup(mdp, v), min(by_modulus(mdp, pi, v), by_steps(mdp, pi, v, h, running)))
    if not np.isfinite(answer.error_bound):
        raise NotConverged(
            f"the policy runs for up to {h.max():.3g} steps: float64 cannot bound the rounding error of its value. "
            "Evaluate it on to_rational(), or with a smaller gamma",
            answer,
        )
    return answer


def value_bound(mdp: MDP, policy: Array, v: Array) -> Any:
    """‖v - V^π‖∞ is at most this, for any v from anywhere: (S, A), (S,) -> a number; the distance itself in exact worlds.

    Raises what `evaluate` raises.
    """
    given, truth = checked_v(mdp, v), evaluate(mdp, policy)
    return up(ar.largest(np.abs(given - truth.v)) + truth.error_bound)


def still_running(mdp: MDP, policy: Array) -> Array:
    """States where the policy neither has ended nor, at γ = 1, is trapped: (S, A) -> (S,) booleans."""
    running = ~mdp.terminal
    for states in closed_classes(mdp, policy) if mdp.gamma == 1 else []:
        running[states] = False
    return running


def by_modulus(mdp: MDP, policy: Array, v: Array) -> Any:
    """[B2], infinite where it does not hold."""
    return residual_bound(mdp, v, policy) if moduli(mdp, policy).contracts else np.inf


def by_steps(mdp: MDP, policy: Array, v: Array, h: Array, running: Array) -> Any:
    """[D1], infinite where g > 0 cannot be verified; v and h are 0 where the policy does not run."""
    _, _, gap, slop = residual(mdp, v, policy)
    step, h_slop = averaged(mdp, policy, *enclosed_step(mdp, h))
    g = h - step - up(h_slop + 4 * ar.unit_roundoff(h) * (np.abs(h) + np.abs(step)))
    if (g[running] <= 0).any() or (h < 0).any():
        return np.inf
    return up(ar.largest((np.abs(gap) + slop)[running] / g[running]) * ar.largest(h))
