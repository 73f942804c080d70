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

from collections.abc import Iterator

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.exact.certified import by_modulus, evaluate
from rlexact.exact.contraction import averaged, enclosed, enclosed_backup, enclosed_step, up
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
    held = ar.average(mdp.admit(policy), q)
    for error in q_errors(mdp, policy, v):
        better = mdp.available.any(axis=1) & ar.apart(top, held, 2 * ar.best(error, mdp.available)[0])
        if better.any():
            return np.where(better[:, None], first_best(mdp, q), policy)
    return policy


def q_errors(mdp: MDP, policy: Array, v: Array) -> Iterator[Array]:
    """Bounds on |q - Q^π| for the computed q = r + γ P v, (S, A), the quick one before the close one [H3]; 0 if exact."""
    if ar.is_exact(mdp.r):
        yield ar.zeros(mdp.r, mdp.r.shape)
        return
    _, slop = enclosed_backup(mdp, v)
    for bound in (by_modulus, value_error):
        w = bound(mdp, policy, v) + ar.zeros(v, v.shape)
        if ar.finite(w).all():
            spread, more = enclosed_step(mdp, w)
            yield up(slop + spread + more)


def value_error(mdp: MDP, policy: Array, v: Array) -> Array:
    """A bound w on |v - V^π| state by state, (S,): twice a solve for the residual, once w ≥ ρ + γ P_π w is checked."""
    top, slop = enclosed(mdp, v, policy)
    rho = np.abs(top - v) + slop + ar.unit_roundoff(v) ** 16  # far above what underflows
    P, _ = mdp.under(policy)
    w = 2 * ar.solve(ar.eye(P) - mdp.gamma * P, rho)
    step, more = averaged(mdp, policy, *enclosed_step(mdp, w))
    if (w >= rho + step + more).all():
        return np.asarray(w)
    return np.asarray(ar.zeros(v, v.shape) + evaluate(mdp, policy).error_bound)
