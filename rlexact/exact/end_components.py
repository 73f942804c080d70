"""End components: where a policy can stay for ever, and the way to a goal.

An *end component* is a set of states C with some of their actions, chosen such that every step stays in C and each
state of C can come to each other. Whatever a policy does, the pairs (s, a) that one run takes infinitely often form
an end component with probability 1 (de Alfaro 1997, Theorem 3.2). The maximal ones are disjoint; they are found by
striking out pairs that leave their strongly connected component until none does (Baier and Katoen 2008, Algorithm
47).

A graph here is `arithmetic.support(mdp.kernel)`, (S·A, S): which entries are not zero, whatever the numbers.
"""

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from rlexact.arithmetic import Array


def end_components(graph: Any, allowed: Array) -> tuple[Array, Array]:
    """The maximal end components of the allowed pairs, which must not end: (S, A) bool -> (S, A) bool, (S,) numbers.

    Marks the pairs that stay in a component; two such states belong to one component if their numbers agree.
    """
    n_states, n_actions = allowed.shape
    rows, cols = graph.tocoo().coords
    while True:
        kept = allowed.ravel()[rows]
        edges = edges_of(rows[kept] // n_actions, cols[kept], n_states)
        _, component = scipy.sparse.csgraph.connected_components(edges, connection="strong")
        out = rows[kept & (component[rows // n_actions] != component[cols])]
        if not out.size:
            return allowed, component
        allowed = allowed.copy()
        allowed.flat[out] = False


def toward(graph: Any, allowed: Array, goals: Array) -> tuple[Array, Array]:
    """Which states reach a goal by allowed pairs, and which pairs lead one step nearer: (S,) bool, (S, A) bool.

    One breadth-first search backwards from the goals, which have no nearer pairs themselves.
    """
    n_states, n_actions = allowed.shape
    rows, cols = graph.tocoo().coords
    kept = allowed.ravel()[rows]
    rows, cols = rows[kept], cols[kept]
    (ends,) = np.nonzero(goals)
    tails, heads = np.append(cols, np.full(ends.size, n_states)), np.append(rows // n_actions, ends)
    back = edges_of(tails, heads, n_states + 1)
    _, before = scipy.sparse.csgraph.breadth_first_order(back, n_states)
    nearer = np.zeros(allowed.shape, dtype=bool)
    nearer.flat[rows[cols == before[rows // n_actions]]] = True
    return before[:n_states] >= 0, nearer


def edges_of(tails: Array, heads: Array, size: int) -> Any:
    """A directed graph by its edges, as a (size, size) scipy.sparse array."""
    return scipy.sparse.csr_array((np.ones(tails.size, dtype=np.int32), (tails, heads)), shape=(size, size))
