"""The Markov chain that a policy makes: where it can go, where it is trapped.

A *closed class* is a set of states that reach each other, are never left, and never end. It is where a policy that never
ends stays. Levin, Peres and Wilmer (2017), §1.7; found as the bottom strongly connected components of the graph.
"""

import numpy as np
import scipy.sparse.csgraph

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.mdp import MDP


def closed_classes(mdp: MDP, policy: Array) -> list[list[int]]:
    """The closed classes of the policy's chain, each a sorted list of states: (S, A) -> [[s, ...], ...]."""
    pi = mdp.admit(policy)
    graph = ar.support(ar.mix(pi, mdp.kernel))
    leaks = ~mdp.available.any(axis=1) | ar.apart(ar.average(pi, mdp.ends), 0)
    return bottom_components(graph, leaks)


def bottom_components(graph: "scipy.sparse.csr_array", leaks: Array) -> list[list[int]]:
    """Strongly connected components that no edge leaves and none of whose states leaks mass, by their first states."""
    count, component = scipy.sparse.csgraph.connected_components(graph, connection="strong")
    left = np.zeros(count, dtype=bool)
    left[component[leaks]] = True
    rows, cols = graph.tocoo().coords
    left[component[rows[component[rows] != component[cols]]]] = True
    classes: dict[int, list[int]] = {}
    for s in np.flatnonzero(~left[component]):
        classes.setdefault(int(component[s]), []).append(int(s))
    return list(classes.values())


def reachable(mdp: MDP, policy: Array, start: Array) -> Array:
    """Which states the policy can visit from the marked states: (S, A), (S,) bool -> (S,) bool."""
    n = mdp.n_states
    rows, cols, _ = ar.entries(ar.mix(mdp.admit(policy), mdp.kernel))
    (sources,) = np.nonzero(start)
    tails, heads = np.append(rows, np.full(sources.size, n)), np.append(cols, sources)  # state n points at every start
    graph = scipy.sparse.csr_array((np.ones(tails.size), (tails, heads)), shape=(n + 1, n + 1))
    seen = np.zeros(n + 1, dtype=bool)
    seen[scipy.sparse.csgraph.breadth_first_order(graph, n, return_predecessors=False)] = True
    return seen[:n]


def named(mdp: MDP, states: list[int]) -> str:
    """States as a person would name them, for messages."""
    shown = [str(s) if mdp.states is None else f"{s} ({mdp.states[s]!r})" for s in states[:8]]
    return "{" + ", ".join(shown) + (", ..." if len(states) > 8 else "") + "}"
