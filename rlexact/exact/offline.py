"""What two offline algorithms converge to, in a table and on infinitely many transitions drawn with actions from β.

    IQL    V(s) = argmin_v Σ_a β(a|s) |τ - 1{Q(s, a) < v}| (Q(s, a) - v)²,   Q = r + γ P V               [O1]
           0 = Σ_a w (Q - V),   w(a|s) = β(a|s) · (τ where Q > V, 1 - τ elsewhere)                       [O2]
    CQL    Q = r + γ P Π Q - α (π / β - 1),    V_π = Σ_a π Q                                             [O3]

[O1] is a fixed point of expectiles: Kostrikov, Nair and Levine (2022), (5) and (6). [O2] makes V the value of the policy
w / Σ w, and among all ways to give each pair τ or 1 - τ the one of the highest value (τ ≥ 1/2; the lowest below): so it is
found as Howard finds an optimal policy, in finitely many exact solves. τ = 1/2 is V^β, τ → 1 the best supported action.
[O3] is the minimiser of ½ E_β(Q - T^π Q⁻)² + α (E_π Q - E_β Q) at Q⁻ = Q: Kumar et al. (2020), (2) and Theorem 3.2. The law
of states in the data cancels wherever it is positive; sampling error is not in it.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import ending_chain, policy_value
from rlexact.exact.expected_updates import step_size
from rlexact.exact.stability import positive
from rlexact.mdp import MDP


def iql_value(mdp: MDP, behaviour: Array, expectile: Any) -> Array:
    """V of IQL [O1], exact in rationals: (S, A), τ in (0, 1) -> (S,).  `action_value`'s backup of it is Q.

    Raises `ValueError` for a τ outside (0, 1), `NotExact` where symbols leave a comparison open.
    """
    beta, tau = mdp.admit(behaviour), ar.number(mdp.r, expectile)
    if not (positive(tau) and positive(1 - tau)):
        raise ValueError(f"expectile = {expectile!r}: give a number above 0 and below 1")
    policy, seen = beta, set[bytes]()
    while True:
        v = policy_value(mdp, policy)
        above = np.vectorize(positive, otypes=[bool])(ar.tidy(backup(mdp, v) - v[:, None]))
        if above.tobytes() in seen:  # values rise (fall below 1/2) until the pattern stays; rounding may swap ties
            return v
        seen.add(above.tobytes())
        weights = beta * np.where(above, tau, 1 - tau)
        total = np.where(mdp.terminal, ar.ones(mdp.r, mdp.n_states), weights.sum(axis=1))
        policy = ar.tidy(weights / total[:, None])


def cql_action_value(mdp: MDP, policy: Array, behaviour: Array, alpha: Any) -> Array:
    """Q of CQL's policy evaluation [O3]: (S, A), (S, A), α ≥ 0 -> (S, A), 0 where no action is available.

    Σ_a π Q is at most V^π, with equality where π = β. Raises `InvalidPolicy` where β gives an available action no mass:
    nothing in the data then holds its Q.
    """
    beta, alpha = mdp.admit(behaviour), step_size(mdp, alpha)
    unseen = mdp.available & ~ar.apart(beta, 0)
    if unseen.any():
        s, a = np.argwhere(unseen)[0]
        raise InvalidPolicy(f"behaviour[{s}, {a}] = 0: CQL's penalty is unbounded there. Give every action some mass")
    pi = mdp.admit(policy)
    one = ar.ones(mdp.r, pi.shape)
    penalty = np.where(mdp.available, alpha * (pi / np.where(mdp.available, beta, one) - one), 0 * one)
    P, r = ending_chain(mdp, pi)
    v = ar.solve(ar.eye(P) - mdp.gamma * P, r - ar.average(pi, penalty))
    return ar.tidy(np.where(mdp.available, backup(mdp, v) - penalty, 0 * one))
