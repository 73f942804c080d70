"""Howard's policy iteration: solve for the value of a policy, change it where a change is strictly better, repeat.

    V = (I - γ P_π)⁻¹ r_π                                               evaluate
    π'(s) = argmax_a Q(s, a)   where max_a Q(s, a) > Σ_a π(a | s) Q(s, a),   else π(s)           improve

Howard (1960); Puterman (1994), §6.4. Since the old action is kept on a tie, V^π' ≥ V^π with a strict gain somewhere, so
no policy is met twice and the iteration ends, without a cap, where TV = V.

In rationals every comparison is exact and so is the answer. In floats a change counts as better only if it is so by more
than Q can be wrong, which keeps the argument whole: with ρ ≥ |T^π v - v| counting rounding,

    |v - V^π| ≤ w   for any w ≥ ρ + γ P_π w,   and   |q - Q^π| ≤ γ P w + rounding.

The bound on the answer is then taken from its own residual. At γ = 1 the iteration runs in the `ending_model`.
"""

from itertools import count
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.bellman import backup
from rlexact.exact.certified import evaluate, optimal_bound
from rlexact.exact.chain import closed_classes, named
from rlexact.exact.contraction import enclosed, enclosed_backup, enclosed_step
from rlexact.exact.ending import Ending, ending_model, refuse_gain, refuse_tight_loops
from rlexact.exact.ending_bounds import ending_bounds
from rlexact.exact.evaluation import policy_value
from rlexact.mdp import MDP
from rlexact.policy import first_best
from rlexact.solution import NotConverged, Solution


def policy_iteration(mdp: MDP, *, policy: Array | None = None) -> Solution:
    """V*, Q* and an optimal policy, begun at `policy` (S, A) or at the best immediate reward.

    `iterations` counts the policies evaluated; `error_bound` is 0 in exact worlds. At γ = 1 `policy` ends, or stays where
    it is paid nothing, with probability 1; other choices among the optimal actions may not.
    Raises `Unbounded` at γ = 1 where V* is not finite, `InvalidPolicy` where the first policy never ends, `NotConverged`
    where floats cannot bound the answer, `NotExact` on undecided symbols.
    """
    if mdp.gamma == 1:
        return without_discount(mdp, policy)
    _, v, steps = howard(mdp, first_best(mdp, mdp.r) if policy is None else mdp.admit(policy))
    return solution(mdp, v, first_best(mdp, backup(mdp, v)), steps, optimal_bound(mdp, v))


def without_discount(mdp: MDP, policy: Array | None) -> Solution:
    ending = ending_model(mdp)
    last, v, steps = howard(ending.mdp, ending.start if policy is None else begun(mdp, ending, policy))
    q = backup(ending.mdp, v)
    refuse_tight_loops(ending, v, within(ending.mdp, q, q_error(ending.mdp, last, v)))
    first = first_best(ending.mdp, q)
    best = last if closed_classes(ending.mdp, first) else first
    lifted = ending.lift(v)
    return solution(mdp, lifted, ending.policy(mdp, best), steps, ending_bounds(mdp, ending, lifted, last))


def begun(mdp: MDP, ending: Ending, policy: Array) -> Array:
    """A first policy for the collapsed model: the given one where nothing was collapsed.  Raises `InvalidPolicy`."""
    given, width = mdp.admit(policy), ending.mdp.n_actions - mdp.n_actions
    padded = np.hstack([given, ar.zeros(given, (mdp.n_states, width))])
    first = np.where(ending.inside.any(axis=1)[:, None], ending.start, padded)
    if traps := closed_classes(ending.mdp, first):
        raise InvalidPolicy(f"policy never leaves {named(mdp, traps[0])}: at gamma = 1 begin with one that ends, or none")
    return first


def howard(mdp: MDP, policy: Array) -> tuple[Array, Array, int]:
    """The last policy (S, A), its value (S,) and how many were evaluated.  Raises `Unbounded` at γ = 1."""
    for steps in count(1):
        v = policy_value(mdp, policy)
        better = improved(mdp, policy, v)
        if better is policy:
            break
        if mdp.gamma == 1:
            refuse_gain(mdp, better)
        policy = better
    return policy, v, steps


def improved(mdp: MDP, policy: Array, v: Array) -> Array:
    """The policy with first maximisers of Q where that is surely better; itself where nothing is: (S, A), (S,) -> (S, A)."""
    q = backup(mdp, v)
    top, _ = ar.best(q, mdp.available)
    error, _ = ar.best(q_error(mdp, policy, v), mdp.available)
    better = mdp.available.any(axis=1) & ar.apart(top, ar.average(mdp.admit(policy), q), 2 * error)
    return np.where(better[:, None], first_best(mdp, q), policy) if better.any() else policy


def q_error(mdp: MDP, policy: Array, v: Array) -> Array:
    """A bound on |r + γ P v - Q^π| as computed, (S, A): 0 in exact worlds."""
    if ar.is_exact(mdp.r):
        return ar.zeros(mdp.r, mdp.r.shape)
    _, slop = enclosed_backup(mdp, v)
    spread, more = enclosed_step(mdp, value_error(mdp, policy, v))
    return slop + spread + more


def value_error(mdp: MDP, policy: Array, v: Array) -> Array:
    """A bound w on |v - V^π| state by state, (S,): twice a solve for the residual, once w ≥ ρ + γ P_π w is checked."""
    top, slop = enclosed(mdp, v, policy)
    rho = np.abs(top - v) + slop
    P, _ = mdp.under(policy)
    w = 2 * ar.solve(ar.eye(P) - mdp.gamma * P, rho)
    step, more = enclosed_step(mdp, w)
    if (w >= rho + ar.average(mdp.admit(policy), step + more)).all():
        return w
    return ar.zeros(v, v.shape) + evaluate(mdp, policy).error_bound


def within(mdp: MDP, q: Array, error: Array) -> Array:
    """The pairs that may be best when each entry of q can be wrong by `error`: (S, A), (S, A) -> (S, A) booleans."""
    surely, _ = ar.best(q - error, mdp.available)
    return mdp.available & (~ar.apart(q + error, surely[:, None]) | ar.negative(surely[:, None] - q - error))


def solution(mdp: MDP, v: Array, policy: Array, steps: int, bounds: tuple[Array, Array]) -> Solution:
    """The answer with its distance from the truth, and every action that may be best within it."""
    low, high = bounds
    bound = ar.largest(np.concatenate([high - v, v - low]))
    q, slop = enclosed_backup(mdp, v)
    near = within(mdp, q, slop + mdp.gamma * bound) 
    answer = Solution(v, q, policy, near, steps, bound)
    if not ar.finite(np.array([bound])).all():
        raise NotConverged("floats cannot bound V* at gamma = 1: a loop pays 0 up to rounding. Use to_rational()", answer)
    return answer
