"""One step of policy improvement, repeated: solve for the value of a policy, change it where that is strictly better.

    V = (I - γ P_π)⁻¹ r_π,   Q = r + γ P V                                                             [H1]
    π'(s) = argmax_a Q(s, a)   where max_a Q(s, a) > Σ_a π(a | s) Q(s, a),   π(s) elsewhere            [H2]

Howard (1960); Puterman (1994), §6.4. Since the old action is kept on a tie, V^π' ≥ V^π with a gain somewhere, so no
policy is met twice and the repetition ends, without a cap, where TV = V.

In rationals every comparison is exact. In floats a change counts as better only if it is so by more than Q can be
wrong, which keeps the argument whole: with ρ ≥ |T^π v - v|, rounding counted,

    |v - V^π| ≤ w   for any w ≥ ρ + γ P_π w,   and   |q - Q^π| ≤ γ P w + rounding of q                 [H3]

state by state, so that small values far from a reward are told apart as well as large ones.
"""

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.exact.certified import evaluate
from rlexact.exact.contraction import enclosed, enclosed_backup, enclosed_step
from rlexact.exact.ending import refuse_gain
from rlexact.exact.evaluation import policy_value
from rlexact.mdp import MDP
from rlexact.policy import first_best


def howard(mdp: MDP, policy: Array) -> tuple[Array, Array, int]:
    """The last policy (S, A), its value (S,) and how many were evaluated.  Raises `Unbounded` at γ = 1."""
    steps = 0
    while True:
        steps, v = steps + 1, policy_value(mdp, policy)
        better = improved(mdp, policy, v)
        if better is policy:
            return policy, v, steps
        if mdp.gamma == 1:
            refuse_gain(mdp, better)
        policy = better


def improved(mdp: MDP, policy: Array, v: Array) -> Array:
    """The policy with first maximisers of Q where that is surely better, or itself: (S, A), (S,) -> (S, A) [H2]."""
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
