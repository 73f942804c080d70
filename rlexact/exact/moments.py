"""Moments of the discounted return G = Σ_t γ^t r_t under a policy: its variance, and higher ones by recursion.

    c_k(s) = E[(G - v(s))^k | s_0 = s],   G - v(s) = δ + γ (G' - v(s')),   δ = r + γ v(s') - v(s)
    c_k = b_k + γ^k P_π c_k                                                                            [M1]
    b_k(s) = Σ_{j<k} (k choose j) γ^j E[δ^{k-j} c_j(s') | s]                                           [M2]
    Var G = E[δ²] + γ² P_π Var G,   δ = r + γ V^π(s') - V^π(s)                                         [M3]

for any v: v = 0 gives the raw moments, v = V^π the central ones, and [M3] is [M1] for k = 2. Sobel (1982), Theorem 1 for
[M3]; the step's reward is drawn from its law, jointly with s', so rewards R(s, a, s') and random rewards count in full:
the mean reward r(s, a) does not decide the variance. From the start law, raw moments average: `return_moments(...) @
mdp.initial`. At γ = 1 they are finite where the policy ends or is trapped without being paid at all.
"""

from math import comb
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.chain import closed_classes, named
from rlexact.exact.evaluation import advantage, ending_chain, policy_value
from rlexact.mdp import MDP


def return_moments(mdp: MDP, policy: Array, order: int) -> Array:
    """Raw moments E[G^k | s], k = 0 ... order [M1]: (S, A) -> (order + 1, S), the k-th in rewards^k.

    Raises `InvalidPolicy` at γ = 1 if the policy is trapped in states that pay, be it 0 on average.
    """
    return moments_about(mdp, policy, order, ar.zeros(mdp.r, mdp.n_states))


def central_moments(mdp: MDP, policy: Array, order: int) -> Array:
    """Central moments E[(G - V^π(s))^k | s], k = 0 ... order [M1]: (S, A) -> (order + 1, S).  Raises as `return_moments`."""
    return moments_about(mdp, policy, order, policy_value(mdp, policy))


def return_variance(mdp: MDP, policy: Array) -> Array:
    """Var(G | s) [M3]: (S, A) -> (S,), in squared rewards; no difference of large numbers.  Raises as `return_moments`."""
    _, _, variance = central_moments(mdp, policy, 2)
    return np.asarray(variance)


def action_return_moments(mdp: MDP, policy: Array, order: int) -> Array:
    """Raw moments E[G^k | s, a] with the first action given: (S, A) -> (order + 1, S, A); where none can be taken, G = 0."""
    m = return_moments(mdp, policy, order)
    law, nothing = StepLaw(mdp), ar.zeros(mdp.r, mdp.n_states)
    moments = [binomial_backup(mdp, law, m[: k + 1], k, nothing) for k in range(1, order + 1)]
    return np.array([ar.ones(mdp.r, mdp.r.shape), *moments])


def action_return_variance(mdp: MDP, policy: Array) -> Array:
    """Var(G | s, a) = E[(G - V^π(s))² | s, a] - A^π(s, a)², the first action given: (S, A) -> (S, A)."""
    v, gap = policy_value(mdp, policy), advantage(mdp, policy)
    about_v = binomial_backup(mdp, StepLaw(mdp), moments_about(mdp, policy, 2, v), 2, v)
    return ar.tidy(about_v - gap * gap)


def moments_about(mdp: MDP, policy: Array, order: int, v: Array) -> Array:
    """E[(G - v(s))^k | s], k = 0 ... order [M1], v being 0 where nothing follows: (S, A), (S,) -> (order + 1, S)."""
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 0:
        raise ValueError(f"order = {order!r}: give a whole number, 0 or more")
    pi, law = mdp.admit(policy), StepLaw(mdp)
    P, _ = ending_chain(mdp, pi)
    refuse_paid_traps(mdp, pi, law)
    c = [ar.ones(mdp.r, mdp.n_states)]
    for k in range(1, order + 1):
        b = ar.average(pi, binomial_backup(mdp, law, c, k, v))
        c.append(ar.solve(ar.eye(P) - mdp.gamma**k * P, b))
    return np.array(c)


def binomial_backup(mdp: MDP, law: "StepLaw", c: Any, k: int, v: Array) -> Array:
    """Σ_j (k choose j) γ^j E[δ^{k-j} c_j(s') | s, a] over the c_j given, j ≤ k [M2]: (j, S), (S,) -> (S, A)."""
    nothing, one = 0 * law.p, 0 * law.p + 1
    delta = law.rewards + mdp.gamma * law.ahead(v, nothing) - v[law.rows // mdp.n_actions]
    terms = (
        comb(k, j) * mdp.gamma**j * delta ** (k - j) * law.ahead(c[j], nothing if j else one) for j in range(len(c))
    )
    total = ar.zeros(mdp.r, mdp.r.size)
    np.add.at(total, law.rows, law.p * sum(terms))
    return ar.tidy(total.reshape(mdp.r.shape))


class StepLaw:
    """Every outcome of every step: `rows` s·A + a, `following` states (-1: ended), probabilities `p`, `rewards`."""

    def __init__(self, mdp: MDP) -> None:
        if mdp._parts.law is not None:
            self.rows, self.following, self.p, self.rewards = mdp._parts.law
            return
        rows, cols, p = ar.entries(mdp.kernel)
        ending = np.flatnonzero(ar.apart(mdp.ends, 0))
        given = mdp.R if scipy.sparse.issparse(mdp.R) or np.ndim(mdp.R) == 3 else None
        paid = mdp.r.ravel()[rows] if given is None else given.reshape(mdp.kernel.shape)[rows, cols]
        last = mdp.r.ravel()[ending] if given is None else ar.zeros(mdp.r, ending.size)
        self.rows, self.following = np.append(rows, ending), np.append(cols, np.full(ending.size, -1))
        self.p, self.rewards = np.append(p, mdp.ends.ravel()[ending]), np.append(np.asarray(paid), last)

    def ahead(self, x: Array, ended: Array) -> Array:
        """x(s') of every outcome, or `ended` where the episode is over: (S,) -> one per outcome."""
        return np.where(self.following < 0, ended, x[self.following])


def refuse_paid_traps(mdp: MDP, policy: Array, law: StepLaw) -> None:
    """At γ = 1 a trap must pay nothing at all: rewards that cancel on average have no finite variance."""
    if mdp.gamma != 1:
        return
    paid = np.zeros(mdp.r.size, dtype=bool)
    paid[law.rows[ar.apart(law.rewards, 0)]] = True
    taken = np.any(paid.reshape(mdp.r.shape) & ar.apart(policy, 0), axis=1, keepdims=True)
    for states in closed_classes(mdp, policy):
        if taken[states].any():
            raise InvalidPolicy(
                f"at gamma = 1 the policy never leaves {named(mdp, states)}, where rewards are 0 only on average: its "
                "return has no finite variance. Give a gamma below 1, or a policy that ends"
            )
