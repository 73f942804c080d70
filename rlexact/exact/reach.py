"""Will a set of states ever be visited, and when?

    x = 1 on G,   x(s) = Σ_a π(a | s) Σ_s' p(s' | s, a) x(s') elsewhere      [R1]  reach_probability: the least x ≥ 0
    x(s) = max_a Σ_s' p(s' | s, a) x(s')                                     [R2]  max_reach_probability
    x(s) = min_a Σ_s' p(s' | s, a) x(s')                                     [R3]  min_reach_probability
    h = 0 on G,   h(s) = 1 + Σ_s' P_π(s, s') h(s')                           [R4]  hitting_time

Discount and rewards play no part. Terminal states may be targets; mass that ends on a step (`mdp.ends`) arrives
nowhere. Baier and Katoen (2008), §10.1.1 for [R1], §10.6.1 for [R2] and [R3]: where x is 0 or 1 is a property of the
graph, so those states are found first, without a number; on the rest [R1] has one solution. [R2] and [R3] are then
solved by policy iteration, which changes an action only for a strict gain: values of successive policies strictly
improve, so it ends, and where it ends the equation holds. For [R2] the value of each policy is 0 wherever it is
trapped, so what it ends on is at least the least solution (Puterman 1994, §7.2); for [R3] no policy is trapped
outside the zeros. In rationals every answer is exact; in floats a gain must exceed the rounding of a backup, and
zeros and ones are still exact.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.chain import named
from rlexact.mdp import MDP
from rlexact.policy import first_best, uniform
from rlexact.solution import Unbounded

Edges = tuple[Array, Array]  # from, to


def reach_probability(mdp: MDP, policy: Array, targets: Any) -> Array:
    """Probability that the policy ever visits a target [R1]: (S, A), states -> (S,).

    `targets` is a state, a list of states (by index or name) or a (S,) mask; being there already counts.
    """
    P, _ = mdp.under(policy)
    goal = marked(mdp, targets)
    never, surely = settled(mdp, policy, goal)
    return arrival(P, never, surely)


def max_reach_probability(mdp: MDP, targets: Any) -> Array:
    """The largest probability any policy has of ever visiting a target [R2]: states -> (S,).

    Raises `NotExact` where symbols leave the better action undecided.
    """
    goal = marked(mdp, targets)
    surely = can_be_sure(mdp, goal)
    return improve(mdp, never=~leads_to(pair_edges(mdp), goal), surely=surely, sign=1)


def min_reach_probability(mdp: MDP, targets: Any) -> Array:
    """The smallest probability any policy has of ever visiting a target [R3]: states -> (S,).  Raises `NotExact`."""
    goal = marked(mdp, targets)
    never = can_avoid(mdp, goal)
    lost = (never | ar.apart(mdp.ends, 0).any(axis=1)) & ~goal
    sources, ends = pair_edges(mdp)
    outside = ~goal[sources]
    return improve(mdp, never, surely=~leads_to((sources[outside], ends[outside]), lost), sign=-1)


def hitting_time(mdp: MDP, policy: Array, targets: Any, states: Any = None) -> Array:
    """Expected number of steps until a target is first visited [R4]: (S, A), states -> (S,), in steps.

    One rule for every kind of number: an expectation that is not finite is never returned. It is infinite exactly where
    the target is missed with positive probability, and then `Unbounded` names those states. To ask only for some, list
    them in `states`: the answer is (n,), in their order.
    """
    P, _ = mdp.under(policy)
    goal = marked(mdp, targets)
    _, surely = settled(mdp, policy, goal)
    asked = np.arange(mdp.n_states) if states is None else np.array([mdp.state(s) for s in listed(states)], dtype=int)
    if not surely[asked].all():
        raise Unbounded(
            f"from {named(mdp, [int(s) for s in asked[~surely[asked]]])} the policy may never visit the targets: the "
            "expected time is infinite there. Ask where it is finite (states=...), or see reach_probability"
        )
    walking = surely & ~goal
    times = ar.solve(ar.eye(P) - ar.keep_rows(P, walking), indicator(mdp, walking))
    return np.asarray(times[asked])


def marked(mdp: MDP, states: Any) -> Array:
    """States given as a (S,) mask, as one state, or as a list of them -> (S,) booleans.  Raises `InvalidMDP`."""
    mask = np.zeros(mdp.n_states, dtype=bool)
    if isinstance(states, np.ndarray) and states.dtype == bool:
        if states.shape != mask.shape:
            raise ValueError(f"the mask of states has shape {states.shape}, the model has {mdp.n_states} states")
        return states.copy()
    mask[[mdp.state(s) for s in listed(states)]] = True
    return mask


def listed(states: Any) -> list[Any]:
    """One state or several, as a list (a name may be a string or a tuple: give such names in a list)."""
    return list(states) if isinstance(states, Iterable) and not isinstance(states, str) else [states]


def indicator(mdp: MDP, mask: Array) -> Array:
    return np.where(mask, ar.ones(mdp.r, mask.shape), ar.zeros(mdp.r, mask.shape))


def arrival(P: Any, never: Array, surely: Array) -> Array:
    """[R1] once zeros and ones are known: (S, S) -> (S,).  States trapped under P count as zeros."""
    rest = ~never & ~surely
    inside = ar.keep_rows(P, rest)
    rest &= leads_to(edges_of(inside), surely)
    one = np.where(surely, ar.ones(P, surely.shape), ar.zeros(P, surely.shape))
    return ar.solve(ar.eye(P) - ar.keep_rows(P, rest), one)


def improve(mdp: MDP, never: Array, surely: Array, sign: int) -> Array:
    """Policy iteration on sign · x [R2], [R3] from the uniform policy.

    In floats a gain of the size of a rounding may be none: no policy is tried twice and no loss is kept, so it ends too.
    """
    choices = mdp.available & ~(never | surely)[:, None]

    def value(policy: Array) -> Array:
        return arrival(ar.mix(mdp.admit(policy), mdp.kernel), never, surely)

    policy = uniform(mdp)
    x, tried = value(policy), {chosen(policy)}
    while True:
        policy = better(mdp, policy, x, sign, choices)
        if chosen(policy) in tried:
            return x
        tried.add(chosen(policy))
        y = value(policy)
        if ar.negative(np.array([sign * (y.sum() - x.sum())])).any():
            return x
        x = y


def better(mdp: MDP, policy: Array, x: Array, sign: int, choices: Array) -> Array:
    """The policy with the first best action wherever it gains more than rounding can: (S, A), (S,) -> (S, A)."""
    q = sign * (mdp.kernel @ x).reshape(mdp.r.shape)
    top, _ = ar.best(q, choices)
    slop = 2 * ar.rounding(mdp.kernel, x).reshape(mdp.r.shape).max(axis=1)
    gains = choices.any(axis=1) & ar.apart(top, ar.average(mdp.admit(policy), q), slop)
    return np.where(gains[:, None], first_best(mdp, np.where(gains[:, None], q, 0 * q)), policy)


def chosen(policy: Array) -> bytes:
    """What tells the policies of one run apart: they mix all actions of a state or take one."""
    return ar.apart(policy, 0).tobytes()


# -- the graph ---------------------------------------------------------------------------------------------------------


def edges_of(P: Any) -> Edges:
    sources, ends, _ = ar.entries(P)
    return sources, ends


def pair_edges(mdp: MDP) -> Edges:
    """Every step that some available action can take."""
    pairs, ends = edges_of(mdp.kernel)
    return pairs // mdp.n_actions, ends


def leads_to(edges: Edges, goal: Array) -> Array:
    """States with a path along the edges into the goal, itself included: (S,) bool -> (S,) bool, in linear time."""
    n, (sources, ends) = goal.size, edges
    goals = np.flatnonzero(goal)
    rows, cols = np.append(ends, np.full(goals.size, n)), np.append(sources, goals)  # backwards, from one root
    backwards = scipy.sparse.csr_array((np.ones(rows.size), (rows, cols)), shape=(n + 1, n + 1))
    seen = np.zeros(n + 1, dtype=bool)
    seen[scipy.sparse.csgraph.breadth_first_order(backwards, n, return_predecessors=False)] = True
    return seen[:n]


def settled(mdp: MDP, policy: Array, goal: Array) -> tuple[Array, Array]:
    """Where the policy visits the goal with probability 0, and with probability 1: two (S,) masks."""
    P, _ = mdp.under(policy)
    sources, ends = edges_of(P)
    never = ~leads_to((sources, ends), goal)
    ending = ar.apart(ar.average(mdp.admit(policy), mdp.ends), 0) & ~goal
    outside = ~goal[sources]
    return never, ~leads_to((sources[outside], ends[outside]), never | ending)


def can_be_sure(mdp: MDP, goal: Array) -> Array:
    """Where some policy visits the goal with probability 1: a greatest fixed point around a least one."""
    pairs, ends = edges_of(mdp.kernel)
    ending = ar.apart(mdp.ends, 0).ravel()
    sure = np.ones(mdp.n_states, dtype=bool)
    while True:
        strays = ending.copy()
        strays[pairs[~sure[ends]]] = True
        safe = ~strays[pairs]
        grown = leads_to((pairs[safe] // mdp.n_actions, ends[safe]), goal)
        if (grown == sure).all():
            return sure
        sure = grown


def can_avoid(mdp: MDP, goal: Array) -> Array:
    """Where some policy never visits the goal: what is left once every state forced towards it is taken away."""
    pairs, ends = edges_of(mdp.kernel)
    forced = goal.copy()
    while True:
        hits = np.zeros(mdp.available.size, dtype=bool)
        hits[pairs[forced[ends]]] = True
        every = (hits.reshape(mdp.available.shape) | ~mdp.available).all(axis=1)
        grown = goal | (every & mdp.available.any(axis=1))
        if (grown == forced).all():
            return ~forced
        forced = grown
