"""What a policy is worth: each quantity one linear solve.

    V = (I - γ P_π)⁻¹ r_π                    [E1]  policy_value
    Q = r + γ P V,   A = Q - V               [E2]  action_value, advantage
    η = (I - γ P_π)⁻ᵀ ρ = Σ_t γ^t Pr(s_t)    [E3]  visits
    d = (1 - γ) η                            [E4]  occupancy
    M = (I - γ P_π)⁻¹                        [E5]  successor_representation
    J = ρ · V = η · r_π                      [E6]  expected_return

At γ = 1 a policy has a value wherever it ends with probability 1 or is trapped where it earns nothing; a trap that pays is
refused by name. Puterman (1994), §6.1 and §7.1; Dayan (1993) for [E5].
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP, InvalidPolicy
from rlexact.exact.bellman import backup
from rlexact.exact.chain import closed_classes, named, reachable
from rlexact.mdp import MDP


def policy_value(mdp: MDP, policy: Array) -> Array:
    """State values V^π [E1]: (S, A) -> (S,).

    Raises `InvalidPolicy` at γ = 1 if the policy is trapped in states that pay.
    `rlexact.exact.certified.evaluate` gives the same numbers with a guaranteed error bound.
    """
    P, r = ending_chain(mdp, policy)
    return ar.solve(ar.eye(P) - mdp.gamma * P, r)


def action_value(mdp: MDP, policy: Array) -> Array:
    """Action values Q^π [E2]: (S, A) -> (S, A).  Rows of terminal states and unavailable actions are zero."""
    return backup(mdp, policy_value(mdp, policy))


def advantage(mdp: MDP, policy: Array) -> Array:
    """A^π = Q^π - V^π over available actions, 0 elsewhere [E2]: (S, A) -> (S, A)."""
    v = policy_value(mdp, policy)
    gap = backup(mdp, v) - v[:, None]
    return ar.tidy(np.where(mdp.available, gap, ar.zeros(mdp.r, gap.shape)))


def expected_return(mdp: MDP, policy: Array) -> Any:
    """J(π) = Σ_s ρ(s) V^π(s) [E6].  Needs `mdp.initial`."""
    return ar.average(mdp.initial[None, :], policy_value(mdp, policy)[None, :])[0]


def visits(mdp: MDP, policy: Array) -> Array:
    """Expected discounted visits η(s) = Σ_t γ^t Pr(s_t = s) from `mdp.initial` [E3]: (S, A) -> (S,).

    A terminal state counts once, when it is entered. Raises `InvalidPolicy` at γ = 1 if a state is visited for ever.
    """
    P, _ = mdp.under(policy)
    if mdp.gamma == 1:
        P = ar.keep_rows(P, visited_finitely(mdp, policy))
    return ar.solve((ar.eye(P) - mdp.gamma * P).T, mdp.initial)


def occupancy(mdp: MDP, policy: Array) -> Array:
    """Discounted state occupancy d = (1 - γ) η [E4]: (S, A) -> (S,).

    Sums to 1 when nothing ends, and to less when episodes end: a terminal state counts once. Documents that draw terminal
    states as absorbing loops mean `absorbing_occupancy`. Raises `InvalidMDP` at γ = 1, where `visits` is the answer.
    """
    refuse_undiscounted(mdp, "occupancy")
    return ar.tidy((1 - mdp.gamma) * visits(mdp, policy))


def occupancy_pairs(mdp: MDP, policy: Array) -> Array:
    """Discounted occupancy of state-action pairs d(s) π(a | s), 0 at terminal states: (S, A) -> (S, A)."""
    return ar.tidy(occupancy(mdp, policy)[:, None] * mdp.admit(policy))


def absorbing_occupancy(mdp: MDP, policy: Array) -> Array:
    """Occupancy where terminal states are drawn as loops that keep the agent: (S, A) -> (S,), sums to 1.

    The one conversion: an entry at time t counts γ^t + γ^(t+1) + … = γ^t / (1 - γ) times. Raises `InvalidMDP` where a step
    ends without a successor, since that mass has no state to stay in.
    """
    if ar.apart(mdp.ends, 0).any():
        raise InvalidMDP("some steps end without a successor: their mass has no absorbing state to stay in")
    d = occupancy(mdp, policy)
    return ar.tidy(np.where(mdp.terminal, d / (1 - mdp.gamma), d))


def successor_representation(mdp: MDP, policy: Array) -> Array:
    """M[s, s'] = Σ_t γ^t Pr(s_t = s' | s_0 = s) [E5]: (S, A) -> (S, S).  Raises `InvalidPolicy` where it is infinite."""
    P, _ = mdp.under(policy)
    if mdp.gamma == 1 and (traps := closed_classes(mdp, policy)):
        raise InvalidPolicy(
            f"at gamma = 1 the policy visits {named(mdp, traps[0])} for ever: visits are infinite there"
        )
    return ar.solve(ar.eye(P) - mdp.gamma * P, ar.dense_array(ar.eye(P)))


def ending_chain(mdp: MDP, policy: Array) -> tuple[Any, Array]:
    """(P_π, r_π) with I - γ P_π invertible: at γ = 1, traps that pay nothing are cut, and others refused."""
    P, r = mdp.under(policy)
    if mdp.gamma != 1:
        return P, r
    trapped = np.zeros(mdp.n_states, dtype=bool)
    for states in closed_classes(mdp, policy):
        if ar.apart(r[states], 0).any():
            raise InvalidPolicy(
                f"at gamma = 1 the policy never leaves {named(mdp, states)} and is paid there: its value is not finite. "
                "Give a gamma below 1, or a policy that ends"
            )
        trapped[states] = True
    return ar.keep_rows(P, ~trapped), r


def visited_finitely(mdp: MDP, policy: Array) -> Array:
    """At γ = 1, the states reachable from the start; refused if one of them is never left."""
    seen = reachable(mdp, policy, ar.apart(mdp.initial, 0))
    for states in closed_classes(mdp, policy):
        if seen[states].any():
            raise InvalidPolicy(
                f"at gamma = 1 the policy visits {named(mdp, states)} for ever: visits are infinite there"
            )
    return seen


def refuse_undiscounted(mdp: MDP, what: str) -> None:
    if mdp.gamma == 1:
        raise InvalidMDP(f"{what} is (1 - gamma) times the visits and vanishes at gamma = 1: use visits")
