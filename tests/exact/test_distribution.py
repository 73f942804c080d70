"""Laws of the return against path enumeration and binomials; projections and distances against other formulas."""

from fractions import Fraction
from itertools import pairwise
from math import comb

import numpy as np
import pytest
import scipy.stats
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.distribution import (
    TooManyAtoms,
    bellman_law,
    categorical_backup,
    cramer,
    law_on,
    mean,
    project_categorical,
    project_quantiles,
    return_law,
    return_laws,
    wasserstein,
)
from rlexact.exact.evaluation import policy_value
from rlexact.exact.paths import paths
from rlexact.gallery import random_mdp, random_walk
from rlexact.mdp import MDP
from rlexact.policy import deterministic, uniform

HALF = Fraction(1, 2)
MODELS = [random_mdp(seed, 3, 2, terminal=seed % 2, masked=seed > 2) for seed in range(4)]
SUPPORT = [Fraction(-5), Fraction(-2), Fraction(-1, 2), Fraction(0), Fraction(3), Fraction(7, 2)]


def random_law(seed, n=6):
    rng = np.random.default_rng(seed)
    values = [Fraction(int(x), 3) for x in rng.choice(np.arange(-12, 13), n, replace=False)]
    weights = rng.integers(1, 9, n)
    return {x: Fraction(int(w), int(weights.sum())) for x, w in zip(values, weights, strict=True)}


@pytest.mark.parametrize("mdp", MODELS)
def test_the_law_is_that_of_all_paths(mdp):
    pi, expected = uniform(mdp), {}
    for path in paths(mdp, pi, 3):
        g = sum((mdp.gamma**t * r for t, r in enumerate(path.rewards)), start=Fraction(0))
        expected[g] = expected.get(g, 0) + path.probability
    law = return_law(mdp, pi, 3)
    assert law == expected
    assert sum(law.values()) == 1
    assert list(law) == sorted(law)
    assert return_laws(mdp, pi, 0) == [{0: 1}] * mdp.n_states


def test_ended_steps_and_starts():
    bet = MDP.from_outcomes({(0, 0): [(HALF, None, 1, True), (HALF, 0, -1, False)]}, HALF)
    law = return_law(bet, uniform(bet), 2, start=0)  # +1; or -1 + 1/2; or -1 - 1/2
    assert law == {Fraction(1): HALF, -HALF: Fraction(1, 4), Fraction(-3, 2): Fraction(1, 4)}
    walk = random_walk(3)
    assert return_law(walk, uniform(walk), 2, start=[HALF, 0, HALF]) == {0: Fraction(3, 4), 1: Fraction(1, 4)}


def test_many_steps_merge_into_a_binomial():
    coin = MDP.from_outcomes({(0, 0): [("1/3", 0, 1, False), ("2/3", 0, 0, False)]}, 1)
    law = return_laws(coin, uniform(coin), 20)[0]
    assert law == {k: comb(20, k) * Fraction(2) ** (20 - k) / 3**20 for k in range(21)}


@pytest.mark.parametrize("world", [MDP.to_symbolic, MDP.to_float, MDP.to_sparse])
def test_every_world_agrees(world):
    other = world(MODELS[1])
    exact, found = return_law(MODELS[1], uniform(MODELS[1]), 2), return_law(other, uniform(other), 2)
    assert sorted(map(float, found)) == pytest.approx(sorted(map(float, exact)), abs=1e-14)  # two roundings per value
    assert float(wasserstein(found, exact)) == pytest.approx(0, abs=1e-13)


def test_a_symbol_stays_a_symbol_until_an_order_is_needed():
    p = sympy.Symbol("p", positive=True)
    x = sympy.Symbol("x", real=True)
    mdp = MDP.from_outcomes({(0, 0): [(p, None, x, True), (1 - p, None, 0, True)]}, 1)
    law = return_law(mdp, uniform(mdp), 1, start=0)
    assert law == {x: p, 0: 1 - p}
    with pytest.raises(NotExact, match="symbols"):
        project_quantiles(law, 2)


def test_limits_are_stated():
    mdp = random_mdp(3, 4, 3)
    with pytest.raises(TooManyAtoms, match="of 30 steps a law has"):
        return_law(mdp, uniform(mdp), 30, limit=500)
    with pytest.raises(ValueError, match="steps = -1"):
        return_law(mdp, uniform(mdp), -1)


@pytest.mark.parametrize("seed", range(5))
def test_c51_is_the_hat_functions_of_the_paper(seed):
    """(7) of Bellemare et al. on an even support: Σ_x p(x) [1 - |clip(x) - z_j| / Δz] clipped to [0, 1]."""
    law, low, step = random_law(seed), Fraction(-2), Fraction(3, 4)
    z = [low + i * step for i in range(7)]
    hats = [sum(p * max(0, 1 - abs(min(max(x, z[0]), z[-1]) - zj) / step) for x, p in law.items()) for zj in z]
    assert project_categorical(law, z).tolist() == hats
    assert sum(hats) == 1


@pytest.mark.parametrize("seed", range(5))
def test_c51_keeps_mass_and_inside_the_support_the_mean(seed):
    law = {x / 3: p for x, p in random_law(seed).items() if abs(x) <= 4}
    law = {x: p / sum(law.values()) for x, p in law.items()}
    z = [-3, -1, Fraction(1, 7), 2, 3]
    masses = project_categorical(law, z)
    assert masses.sum() == 1
    assert mean(law_on(z, masses)) == mean(law)
    assert project_categorical(law_on(z, masses), z).tolist() == masses.tolist()
    assert project_categorical({Fraction(99): Fraction(1)}, z).tolist() == [0, 0, 0, 0, 1]
    with pytest.raises(ValueError, match="ascending"):
        project_categorical(law, [1, 0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_no_equal_masses_are_nearer_than_the_quantiles(seed, n):
    law = random_law(seed)
    chosen = project_quantiles(law, n)
    assert list(chosen) == sorted(chosen)

    def distance(values):
        return wasserstein(law, law_on(values, [Fraction(1, n)] * n))

    rng, values = np.random.default_rng(seed), sorted(law)
    best = distance(list(chosen))
    others = [[values[i] for i in rng.integers(0, len(values), n)] for _ in range(200)]
    nudged = [
        [x + d * (k == i) for k, x in enumerate(chosen)] for i in range(n) for d in (Fraction(1, 9), Fraction(-1, 9))
    ]
    assert best <= min(map(distance, others + nudged))


@pytest.mark.parametrize("seed", range(5))
def test_distances_are_those_of_scipy_and_of_the_cumulative_functions(seed):
    one, other = random_law(seed), random_law(seed + 100, 4)
    floats = [[float(x) for x in part] for law in (one, other) for part in (law.keys(), law.values())]
    values = (floats[0], floats[2], floats[1], floats[3])
    assert float(wasserstein(one, other)) == pytest.approx(scipy.stats.wasserstein_distance(*values), rel=1e-12)
    assert float(2 * cramer(one, other)) == pytest.approx(scipy.stats.energy_distance(*values) ** 2, rel=1e-12)
    grid = sorted({*one, *other})

    def below(law, x):
        return sum(p for y, p in law.items() if y <= x)

    gaps = [(below(one, a) - below(other, a), b - a) for a, b in pairwise(grid)]
    assert wasserstein(one, other) == sum(abs(gap) * width for gap, width in gaps)
    assert cramer(one, other) == sum(gap**2 * width for gap, width in gaps)
    assert wasserstein(one, one, 3) == cramer(one, one) == 0
    shifted = {x + 2: p for x, p in one.items()}
    assert wasserstein(one, shifted, 3) == 8
    assert wasserstein(one, {Fraction(0): Fraction(1)}, 2) == sum(p * x**2 for x, p in one.items())


def test_a_quantile_is_the_least_value_that_reaches_its_mass():
    fair = {Fraction(0): HALF, Fraction(1): HALF}
    assert project_quantiles(fair, 1).tolist() == [0]  # F(0) = 1/2 already
    assert project_quantiles(fair, 3).tolist() == [0, 0, 1]


def test_one_backup_of_laws_and_of_masses():
    mdp = MODELS[1]
    pi, rows = uniform(mdp), np.array([[Fraction(1, 6)] * 6] * 3, dtype=object)
    after = categorical_backup(mdp, pi, rows, SUPPORT)
    assert after.sum(axis=1).tolist() == [1, 1, 1]
    assert after[2].tolist() == [0, 0, 0, 1, 0, 0]  # terminal: the point mass at 0
    wide = [Fraction(k) for k in (-40, -3, 0, 5, 40)]  # holds every backup, so means obey the Bellman equation
    masses = np.array([project_categorical({x: Fraction(1)}, wide) for x in (Fraction(2), Fraction(-7), Fraction(0))])
    v = np.array([2, -7, 0], dtype=object)
    expected = (pi * (mdp.r + mdp.gamma * (mdp.kernel @ v).reshape(mdp.r.shape))).sum(axis=1)
    backed = categorical_backup(mdp, pi, masses, wide)
    assert [mean(law_on(wide, row)) for row in backed] == expected.tolist()


def test_backups_contract_to_the_value():
    mdp = random_mdp(1, 3, 2, gamma=Fraction(1, 4))
    pi = deterministic(mdp, [0, 1, 0])
    laws, v = return_laws(mdp, pi, 4), policy_value(mdp, pi)
    means = [mean(law) for law in laws]
    assert max(abs(m - x) for m, x in zip(means, v, strict=True)) <= Fraction(1, 4) ** 4 * max(map(abs, v))
    once = bellman_law(mdp, pi, laws)
    far = max(wasserstein(a, b) for a, b in zip(once, laws, strict=True))
    twice = bellman_law(mdp, pi, once)
    assert 0 < max(wasserstein(a, b) for a, b in zip(twice, once, strict=True)) <= far / 4
