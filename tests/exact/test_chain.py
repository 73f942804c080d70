"""Closed classes and reachability, against the transitive closure of the graph."""

import time

import numpy as np
import pytest
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.exact.chain import closed_classes, named, reachable
from rlexact.mdp import MDP
from rlexact.policy import deterministic, first_best
from tests.strategies import as_floats, law_model, model, policy


def closure(mdp, pi):
    """Which states lead to which, in any number of steps (Warshall)."""
    P, _ = mdp.under(pi)
    leads = as_floats(ar.dense_array(P)) > 0
    leads |= np.eye(mdp.n_states, dtype=bool)
    for k in range(mdp.n_states):
        leads |= leads[:, [k]] & leads[[k], :]
    return leads


def by_closure(mdp, pi):
    leads = closure(mdp, pi)
    leaks = mdp.terminal | (as_floats(mdp.admit(pi) * mdp.ends).sum(axis=1) > 0)
    classes = {
        tuple(np.flatnonzero(leads[s])) for s in range(mdp.n_states) if (leads[s] == (leads[s] & leads[:, s])).all()
    }
    return sorted([int(s) for s in states] for states in classes if not leaks[list(states)].any())


@pytest.mark.parametrize("world", ["float64", "sparse float64", "rational", "symbolic"])
@pytest.mark.parametrize("seed", range(8))
def test_against_the_closure(seed, world):
    for mdp in (model(seed, world, n_states=7, n_actions=2), law_model(seed, 6)):
        for pi in (policy(seed, mdp), first_best(mdp, np.zeros((mdp.n_states, mdp.n_actions), dtype=int))):
            assert closed_classes(mdp, pi) == by_closure(mdp, pi)
            start = np.zeros(mdp.n_states, dtype=bool)
            start[[seed % mdp.n_states, 0]] = True
            assert (reachable(mdp, pi, start) == closure(mdp, pi)[start].any(axis=0)).all()


def test_islands():
    """Two rings, a way into the second, a terminal state, and a state that leaks."""
    moves = [1, 0, 3, 4, 3, 5, 6]
    P = np.zeros((7, 1, 7))
    P[np.arange(7), 0, moves] = 1
    mdp = MDP(P, np.zeros(7), 1.0, terminal=[5])
    pi = np.ones((7, 1))
    assert closed_classes(mdp, pi) == [[0, 1], [3, 4], [6]]
    assert reachable(mdp, pi, np.arange(7) == 2).tolist() == [False, False, True, True, True, False, False]
    assert reachable(mdp, pi, np.zeros(7, dtype=bool)).tolist() == [False] * 7
    leaky = MDP.from_outcomes([[[(0.5, 1, 0.0, False), (0.5, 0, 0.0, True)]], [[(1, 0, 0.0, False)]]], 1.0)
    assert closed_classes(leaky, np.ones((2, 1))) == []


def test_only_what_the_policy_does_counts():
    """An exit that is never taken does not open a class."""
    mdp = MDP([[[1, 0], [0, 1]], [[0, 0], [0, 0]]], [0, 0], 1.0, terminal=[1])
    assert closed_classes(mdp, deterministic(mdp, [0, 0])) == [[0]]
    assert closed_classes(mdp, deterministic(mdp, [1, 0])) == []


def test_names():
    P = np.eye(12)[:, None, :]
    assert named(MDP(P, np.zeros(12), 1.0), [3, 5]) == "{3, 5}"
    assert named(MDP(P, np.zeros(12), 1.0, states="abcdefghijkl"), [0, 2]) == "{0 ('a'), 2 ('c')}"
    assert named(MDP(P, np.zeros(12), 1.0), list(range(12))) == "{0, 1, 2, 3, 4, 5, 6, 7, ...}"


def test_long_chains_and_many_classes_take_linear_time():
    """Step by step, or class by class, either would take minutes at this size."""
    n = 100_000
    line = scipy.sparse.csr_array((np.ones(n), (np.arange(n), np.minimum(np.arange(n) + 1, n - 1))), shape=(n, n))
    started = time.perf_counter()
    mdp = MDP(line, np.zeros(n), 1.0)
    assert reachable(mdp, np.ones((n, 1)), np.arange(n) == 0).all()
    assert len(closed_classes(MDP(scipy.sparse.eye_array(n), np.zeros(n), 1.0), np.ones((n, 1)))) == n
    assert time.perf_counter() - started < 10  # a second where nothing else runs
