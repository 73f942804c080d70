"""End components against the definition, tried on every set of states; the way to a goal against distances."""

import itertools
import random

import numpy as np
import pytest
import scipy.sparse

from rlexact.exact.end_components import end_components, toward


def random_pairs(seed, n_states=5, n_actions=2):
    """Successors of every pair as sets, and the pairs that are allowed."""
    draw = random.Random(seed)
    successors = {
        (s, a): set(draw.choices(range(n_states), k=draw.choice([1, 1, 2])))
        for s in range(n_states)
        for a in range(n_actions)
    }
    allowed = np.array([[draw.random() < 0.75 for _ in range(n_actions)] for _ in range(n_states)])
    return successors, allowed


def graph_of(successors, n_states, n_actions):
    graph = np.zeros((n_states * n_actions, n_states), dtype=bool)
    for (s, a), following in successors.items():
        graph[s * n_actions + a, list(following)] = True
    return scipy.sparse.csr_array(graph)


def joined(states, edges):
    """Whether each state reaches each other along the edges: walks of up to len(states) steps."""
    reach = {s: {s} for s in states}
    for _ in states:
        reach = {s: seen | {t for u in seen for t in edges[u]} for s, seen in reach.items()}
    return all(seen == set(states) for seen in reach.values())


def by_definition(successors, allowed):
    """Every maximal end component as (states, pairs)."""
    found = []
    for size in range(allowed.shape[0], 0, -1):
        for states in itertools.combinations(range(allowed.shape[0]), size):
            pairs = {(s, a) for s in states for a in np.flatnonzero(allowed[s]) if successors[s, a] <= set(states)}
            edges = {s: set().union(*(successors[t, a] for t, a in pairs if t == s)) for s in states}
            inside_another = any(set(states) <= other for other, _ in found)
            if all(edges.values()) and joined(states, edges) and not inside_another:
                found.append((set(states), pairs))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_maximal_end_components(seed):
    successors, allowed = random_pairs(seed)
    expected = by_definition(successors, allowed)
    kept, component = end_components(graph_of(successors, *allowed.shape), allowed)
    assert {(int(s), int(a)) for s, a in np.argwhere(kept)} == {
        (int(s), int(a)) for _, pairs in expected for s, a in pairs
    }
    members = kept.any(axis=1)
    for s, t in itertools.combinations(np.flatnonzero(members), 2):
        assert (component[s] == component[t]) == any({s, t} <= states for states, _ in expected)


def test_some_models_have_components_and_some_have_none():
    sizes = {len(by_definition(*random_pairs(seed))) for seed in range(60)}
    assert {0, 1, 2} <= sizes


@pytest.mark.parametrize("seed", range(30))
def test_each_nearer_pair_shortens_the_way(seed):
    successors, allowed = random_pairs(seed, n_states=7)
    goals = np.arange(7) == seed % 7
    distance = np.where(goals, 0.0, np.inf)
    for _ in range(7):
        for s, a in np.argwhere(allowed):
            distance[s] = min(distance[s], 1 + min(distance[t] for t in successors[s, a]))
    reached, nearer = toward(graph_of(successors, *allowed.shape), allowed, goals)
    assert (reached == np.isfinite(distance)).all()
    assert (nearer.any(axis=1) == (reached & ~goals)).all()
    for s, a in np.argwhere(nearer):
        assert allowed[s, a]
        assert min(distance[t] for t in successors[s, a]) == distance[s] - 1
