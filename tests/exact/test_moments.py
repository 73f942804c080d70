"""Moments of the return against path enumeration, named laws, binomial identities, and the other worlds."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.door import InvalidPolicy
from rlexact.exact.evaluation import policy_value
from rlexact.exact.moments import (
    action_return_moments,
    action_return_variance,
    central_moments,
    return_moments,
    return_variance,
)
from rlexact.exact.paths import paths
from rlexact.gallery import random_mdp, random_walk
from rlexact.mdp import MDP
from rlexact.policy import deterministic, uniform

WORLDS = [MDP.to_symbolic, MDP.to_float, MDP.to_sparse]


def ending(seed, gamma="9/10"):
    """Five states that only go up and then end: random rewards that depend on (s, a, s'), some steps with a law."""
    rng, n = np.random.default_rng(seed), 5
    table = {}
    for s in range(n):
        for a in range(1 + seed % 2, 3):
            ahead = [*range(s + 1, n), None]
            weights = rng.integers(1, 5, 2 * len(ahead))
            laws = [(Fraction(int(w), int(weights.sum())), t) for w, t in zip(weights, ahead * 2, strict=True)]
            table[s, a] = [(p, t, Fraction(int(rng.integers(-4, 5)), 2), t is None) for p, t in laws]
    return MDP.from_outcomes(table, gamma, 0)


MODELS = [ending(seed) for seed in range(4)] + [ending(4, 1)]


def return_of(mdp, path):
    return sum((mdp.gamma**t * r for t, r in enumerate(path.rewards)), start=Fraction(0))


@pytest.mark.parametrize("mdp", MODELS)
def test_moments_are_those_of_all_paths(mdp):
    pi = uniform(mdp)
    for s in (0, 2):
        every = [(p.probability, return_of(mdp, p), p.actions[0]) for p in paths(mdp, pi, 6, start=s)]
        mean = sum(p * g for p, g, _ in every)
        for k in range(5):
            assert return_moments(mdp, pi, 4)[k, s] == sum(p * g**k for p, g, _ in every)
            assert central_moments(mdp, pi, 4)[k, s] == sum(p * (g - mean) ** k for p, g, _ in every)
        assert return_variance(mdp, pi)[s] == sum(p * (g - mean) ** 2 for p, g, _ in every)
        for a in np.flatnonzero(mdp.available[s]):
            given = [(p / pi[s, a], g) for p, g, first in every if first == a]
            assert action_return_moments(mdp, pi, 3)[3, s, a] == sum(p * g**3 for p, g in given)
            spread = sum(p * g**2 for p, g in given) - sum(p * g for p, g in given) ** 2
            assert action_return_variance(mdp, pi)[s, a] == spread


@pytest.mark.parametrize("mdp", [random_mdp(seed, 4, 2, terminal=seed % 2) for seed in range(4)])
def test_raw_and_central_moments_are_binomial_transforms_without_end_too(mdp):
    pi = uniform(mdp)
    raw, central, v = return_moments(mdp, pi, 4), central_moments(mdp, pi, 4), policy_value(mdp, pi)
    assert np.array_equal(raw[1], v)
    for k in range(5):
        assert np.array_equal(central[k], sum(comb(k, j) * raw[j] * (-v) ** (k - j) for j in range(k + 1)))
    by_action = action_return_moments(mdp, pi, 2)
    assert np.array_equal(ar.average(mdp.admit(pi), by_action[2]), raw[2])
    gap = ar.average(mdp.admit(pi), (by_action[1] - v[:, None]) ** 2)
    assert np.array_equal(ar.average(mdp.admit(pi), action_return_variance(mdp, pi)) + gap, return_variance(mdp, pi))


def test_a_single_coin_is_bernoulli():
    walk = random_walk(5)
    for k in range(1, 4):
        assert return_moments(walk, uniform(walk), k)[k].tolist() == [Fraction(i, 6) for i in range(1, 6)]


def test_counting_steps_is_geometric():
    q = Fraction(1, 5)
    mdp = MDP.from_outcomes({(0, 0): [(q, None, 1, True), (1 - q, 0, 1, False)]}, 1)
    m = return_moments(mdp, uniform(mdp), 3)[:, 0]
    assert m.tolist() == [1, 1 / q, (2 - q) / q**2, (q**2 - 6 * q + 6) / q**3]
    assert return_variance(mdp, uniform(mdp))[0] == (1 - q) / q**2


def test_independent_steps_add_their_variances():
    """One state for ever, rewards ±1: Var G = Σ γ^2t = 1 / (1 - γ²), though every mean is 0."""
    mdp = MDP.from_outcomes({(0, 0): [("1/2", 0, 1, False), ("1/2", 0, -1, False)]}, "9/10")
    assert return_variance(mdp, uniform(mdp)).tolist() == [1 / (1 - Fraction(81, 100))]
    assert central_moments(mdp, uniform(mdp), 3)[3].tolist() == [0]
    fixed = MDP.chain([[1]], R=["0"], gamma="9/10")
    assert return_variance(fixed, uniform(fixed)).tolist() == [0]


def test_rewards_of_the_arrival_count_jointly_with_it():
    """R(s, a, s') = 1 exactly where the next state is worth 0: the two cancel, and nothing varies."""
    mdp = MDP(
        [[["0", "1/2", "1/2"]], [[0, 0, 0]], [[0, 0, 1]]], [[[0, 1, 0]], [[0, 0, 0]], [[0, 0, 1]]], "1/2", terminal=[1]
    )
    assert policy_value(mdp, uniform(mdp)).tolist() == [1, 0, 2]
    assert return_variance(mdp, uniform(mdp)).tolist() == [0, 0, 0]
    averaged = MDP(mdp.P, mdp.r, mdp.gamma, terminal=[1])
    assert return_variance(averaged, uniform(averaged)).tolist() == [Fraction(1, 4), 0, 0]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("mdp", [MODELS[0], MODELS[4], random_mdp(2, 4, 2, terminal=1, masked=True)])
def test_every_world_agrees(mdp, world):
    other = world(mdp)
    questions = (lambda m: central_moments(m, uniform(m), 4), lambda m: action_return_moments(m, uniform(m), 3))
    for question in questions:
        exact, found = question(mdp), question(other)
        if ar.is_exact(other.r):
            assert all(a == b for a, b in zip(exact.flat, found.flat, strict=True))
        else:
            assert found == pytest.approx(exact.astype(float), rel=1e-11, abs=1e-11)  # solves of 5 x 5, moments < 10³


def test_variance_survives_a_large_mean_in_floats():
    """Var G = 1 / (1 - γ²) around a mean of 10¹²: E[G²] - E[G]² would have lost every digit."""
    base = 10.0**10
    mdp = MDP.from_outcomes({(0, 0): [(0.5, 0, base + 1, False), (0.5, 0, base - 1, False)]}, 0.99)
    assert return_variance(mdp, uniform(mdp))[0] == pytest.approx(1 / (1 - 0.99**2), rel=1e-3)  # δ is known to 10¹² u


def test_sparse_rewards_are_read_in_place():
    mdp = random_mdp(1, 4, 2, exact=False)
    R = scipy.sparse.csr_array(mdp.R.reshape(8, 4))
    sparse = MDP(scipy.sparse.csr_array(mdp.kernel), R, mdp.gamma)
    assert return_variance(sparse, uniform(sparse)) == pytest.approx(return_variance(mdp, uniform(mdp)), rel=1e-12)


def test_undiscounted_traps():
    free = MDP([[["0", "1"]], [[0, 1]]], [[5], [0]], 1)
    assert return_moments(free, uniform(free), 2)[2].tolist() == [25, 0]
    fair = MDP.from_outcomes({(0, 0): [("1/2", 0, 1, False), ("1/2", 0, -1, False)]}, 1)
    with pytest.raises(InvalidPolicy, match="only on average"):
        return_variance(fair, uniform(fair))
    two = MDP([[["1"], ["1"]]], [[0, 7]], 1)
    assert return_variance(two, deterministic(two, [0])).tolist() == [0]
    with pytest.raises(InvalidPolicy, match="paid"):
        return_variance(two, deterministic(two, [1]))


@pytest.mark.parametrize("order", [-1, 1.5, True])
def test_orders_are_whole_numbers(order):
    with pytest.raises(ValueError, match="order"):
        return_moments(MODELS[0], uniform(MODELS[0]), order)
