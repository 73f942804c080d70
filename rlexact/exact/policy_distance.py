"""How far apart two policies of a model are, state by state.

    TV(s) = ½ Σ_a |π(a | s) - μ(a | s)|                                     [T1]  total_variation
    KL(s) = Σ_a π(a | s) log (π(a | s) / μ(a | s))                          [T2]  kl
    χ²(s) = Σ_a (π(a | s) - μ(a | s))² / μ(a | s)                           [T3]  chi_square
    Pr(a, b) with margins π and μ and Pr(a ≠ b) = TV                        [T4]  maximal_coupling

    TV² ≤ KL / 2                       Pinsker (1964), Csiszár (1967)       [T5]  pinsker
    TV² ≤ 1 - exp(-KL)                 Bretagnolle and Huber (1979)         [T6]  bretagnolle_huber
    KL ≤ log (1 + χ²)                  Jensen; Gibbs and Su (2002), Thm 5   [T7]  kl_below_chi_square

[T5] is attained in the limit of equal policies that move mass between actions of probability ½ each, [T7] by a
deterministic π. [T6] is the better bound once KL exceeds about 1.6; [T5] says nothing beyond KL = 2. Terminal states have
distance 0. [T1], [T3] and [T4] are rational; logarithms are for floats and symbols, and `NotExact` in rationals.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.bound import Bound
from rlexact.mdp import MDP


def total_variation(mdp: MDP, policy: Array, other: Array) -> Array:
    """[T1]: two (S, A) -> (S,), in [0, 1]."""
    return ar.tidy(np.abs(mdp.admit(policy) - mdp.admit(other)).sum(axis=1) / 2)


def kl(mdp: MDP, policy: Array, other: Array) -> Array:
    """KL(policy ‖ other) [T2]: two (S, A) -> (S,), in nats.

    Raises `InvalidPolicy` where it is infinite, naming the action; `NotExact` in rationals.
    """
    pi, mu = both(mdp, policy, other)
    return ar.average(pi, ar.surprise(pi, mu))


def chi_square(mdp: MDP, policy: Array, other: Array) -> Array:
    """χ²(policy ‖ other) [T3]: two (S, A) -> (S,).  Raises `InvalidPolicy` where it is infinite."""
    pi, mu = both(mdp, policy, other)
    divisor = np.where(ar.apart(mu, 0), mu, ar.ones(mdp.r, mu.shape))
    return ar.tidy(((pi - mu) * (pi - mu) / divisor).sum(axis=1))


def maximal_coupling(mdp: MDP, policy: Array, other: Array) -> Array:
    """Pr(a, b | s) with a ~ policy, b ~ other, that differ as rarely as possible [T4]: two (S, A) -> (S, A, A).

    They agree on min(π, μ); what is left over of each is drawn independently. Levin, Peres and Wilmer (2017), Prop. 4.7.
    """
    pi, mu = mdp.admit(policy), mdp.admit(other)
    shared = ar.tidy((pi + mu - np.abs(pi - mu)) / 2)
    left = total_variation(mdp, pi, mu)
    divisor = np.where(ar.apart(left, 0), left, ar.ones(mdp.r, left.shape))
    apart = (pi - shared)[:, :, None] * (mu - shared)[:, None, :] / divisor[:, None, None]
    same = np.arange(mdp.n_actions)
    apart[:, same, same] = apart[:, same, same] + shared
    return ar.tidy(apart)


def pinsker(mdp: MDP, policy: Array, other: Array) -> Bound:
    """TV² ≤ KL(policy ‖ other) / 2 in every state [T5]: two (S, A) -> `Bound` of (S,)."""
    return Bound(squared(total_variation(mdp, policy, other)), kl(mdp, policy, other) / 2, size=1)


def bretagnolle_huber(mdp: MDP, policy: Array, other: Array) -> Bound:
    """TV² ≤ 1 - exp(-KL(policy ‖ other)) in every state [T6]: two (S, A) -> `Bound` of (S,)."""
    return Bound(squared(total_variation(mdp, policy, other)), 1 - ar.exp(-kl(mdp, policy, other)), size=1)


def kl_below_chi_square(mdp: MDP, policy: Array, other: Array) -> Bound:
    """KL(policy ‖ other) ≤ log (1 + χ²) in every state [T7]: two (S, A) -> `Bound` of (S,)."""
    return Bound(kl(mdp, policy, other), ar.log(1 + chi_square(mdp, policy, other)), size=1)


def both(mdp: MDP, policy: Array, other: Array) -> tuple[Array, Array]:
    """The two policies, the first absolutely continuous with respect to the second."""
    pi, mu = mdp.admit(policy), mdp.admit(other)
    if (lost := ar.apart(pi, 0) & ~ar.apart(mu, 0)).any():
        s, a = np.argwhere(lost)[0]
        raise InvalidPolicy(
            f"policy[{s}, {a}] = {pi[s, a]} where the other policy has 0: the divergence is infinite. Total variation is "
            "finite for any two policies"
        )
    return pi, mu


def squared(x: Any) -> Any:
    return x * x
