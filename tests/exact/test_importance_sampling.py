"""Importance sampling: recursions against sums over paths, weighted estimates against lists of pairs."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from rlexact.exact.distribution import TooManyAtoms
from rlexact.exact.estimator_law import estimator_law, from_start
from rlexact.exact.horizon import policy_values_over_horizon
from rlexact.exact.importance_sampling import (
    per_decision_estimate,
    per_decision_law,
    trajectory_estimate,
    trajectory_law,
    weighted_law,
)
from rlexact.exact.paths import TooManyPaths, expect, paths
from rlexact.gallery import two_armed_bandit
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, mixture, uniform
from tests.strategies import WORLDS, as_floats, in_world, law_model, policy

HALF = Fraction(1, 2)
SEEDS = range(3)


def model(seed, world="rational"):
    start = [HALF, Fraction(1, 4), Fraction(1, 4)]
    return in_world(law_model(seed, n_states=3).replace(initial=start), world)


def pair(mdp, seed):
    """A target with zeros, a behaviour without."""
    half = "1/2" if "float" not in mdp.world else 0.5
    return policy(seed, mdp), mixture(mdp, uniform(mdp), policy(seed + 50, mdp), half)


@pytest.mark.parametrize(
    ("law", "estimate"), [(trajectory_law, trajectory_estimate), (per_decision_law, per_decision_estimate)]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_recursion_is_the_sum_over_paths(seed, law, estimate):
    mdp = model(seed)
    pi, mu = pair(mdp, seed)
    found = law(mdp, pi, mu, 3)
    truth = policy_values_over_horizon(mdp, pi, 3).v[0]
    for s in range(3):
        listed = estimator_law(mdp, mu, 3, estimate(mdp, pi, mu), start=s)
        assert (found.mean[s], found.variance[s]) == (listed.mean, listed.variance)
    assert (found.mean == truth).all()
    assert (found.bias == 0).all()
    whole = estimator_law(mdp, mu, 3, estimate(mdp, pi, mu))
    assert (from_start(mdp, found).mean, from_start(mdp, found).variance) == (whole.mean, whole.variance)


def test_terminal_states_and_no_steps():
    mdp = MDP([[[0, 1], [HALF, HALF]], [[0, 0], [0, 0]]], [[1, -1], [0, 0]], HALF, 0, terminal=[1])
    pi, mu = np.array([["1/4", "3/4"], [1, 0]]), uniform(mdp)
    for law, estimate in ((trajectory_law, trajectory_estimate), (per_decision_law, per_decision_estimate)):
        found, listed = law(mdp, pi, mu, 3), estimator_law(mdp, mu, 3, estimate(mdp, pi, mu))
        assert (found.mean[0], found.variance[0], found.variance[1]) == (listed.mean, listed.variance, 0)
        assert not law(mdp, pi, mu, 0).variance.any()


def test_ratios_of_an_on_policy_target_change_nothing():
    mdp = model(0)
    _, mu = pair(mdp, 0)
    plain = estimator_law(mdp, mu, 3, lambda path: sum(mdp.gamma**t * r for t, r in enumerate(path.rewards)), start=0)
    for law in (trajectory_law, per_decision_law):
        assert law(mdp, mu, mu, 3).variance[0] == plain.variance


def test_variance_of_a_trajectory_weight_doubles_with_every_step():
    """Reward 1 on the last of T steps only, target one of two equal actions: E Z² = 2^T, so the variance is 2^T - 1."""
    T = 6
    steps = [[[(1, s + 1, 0, False)]] * 2 for s in range(T - 1)] + [[[(1, None, 1, True)]] * 2]
    mdp = MDP.from_outcomes(steps, Fraction(1), 0)
    pi = deterministic(mdp, [0] * T)
    for law in (trajectory_law, per_decision_law):
        assert law(mdp, pi, uniform(mdp), T).variance[0] == 2**T - 1
    first = MDP.from_outcomes(
        [
            [[(1, 1, 1, False)]] * 2,
            *([[[(1, s + 1, 0, False)]] * 2 for s in range(1, T - 1)]),
            [[(1, None, 0, True)]] * 2,
        ],
        Fraction(1),
        0,
    )
    assert trajectory_law(first, pi, uniform(first), T).variance[0] == 2**T - 1
    assert per_decision_law(first, pi, uniform(first), T).variance[0] == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_weighted_estimates_by_listing_pairs(seed):
    mdp = model(seed)
    pi, mu = pair(mdp, seed)
    estimate = trajectory_estimate(mdp, pi, mu)
    ratio = np.where(mdp.available, pi, 0) / np.where(mdp.available, mu, 1)

    def weight(path):
        return np.prod([ratio[s, a] for s, a in zip(path.states, path.actions, strict=False)])

    listed = [(path.probability, weight(path), estimate(path)) for path in paths(mdp, mu, 2)]
    pairs = [(p * q, (x + y) / (w + u) if w + u else Fraction(0)) for (p, w, x), (q, u, y) in product(listed, repeat=2)]
    mean = sum(p * z for p, z in pairs)
    law = weighted_law(mdp, pi, mu, 2, 2)
    assert (law.mean, law.variance) == (mean, sum(p * (z - mean) ** 2 for p, z in pairs))
    assert law.target == expect(mdp, pi, 2, lambda path: sum(mdp.gamma**t * r for t, r in enumerate(path.rewards)))


def test_one_path_estimates_the_behaviour():
    mdp = model(1)
    _, mu = pair(mdp, 1)
    target = mixture(mdp, uniform(mdp), mu, "1/3")
    law = weighted_law(mdp, target, mu, 2, 1)
    values = [policy_values_over_horizon(mdp, x, 2).v[0] @ mdp.initial for x in (mu, target)]
    assert (law.mean, law.target) == tuple(values)
    assert abs(weighted_law(mdp, target, mu, 1, 3).bias) < abs(weighted_law(mdp, target, mu, 1, 1).bias)


def test_symbols():
    """One step, target the first of two arms, behaviour p and 1 - p: E Z² = x² / p."""
    p, x, y = sympy.symbols("p x y", positive=True)
    mdp = MDP.from_outcomes([[[(1, None, x, True)], [(1, None, y, True)]]], 1, 0)
    law = trajectory_law(mdp, np.array([[1, 0]]), np.array([[p, 1 - p]]), 1)
    assert law.mean[0] == x
    assert sympy.cancel(law.variance[0] - (x**2 / p - x**2)) == 0
    weighted = weighted_law(mdp, np.array([[1, 0]]), np.array([[p, 1 - p]]), 1, 2)
    assert sympy.cancel(weighted.bias + x * (1 - p) ** 2) == 0


@pytest.mark.parametrize("world", WORLDS)
def test_worlds_agree(world):
    exact, mdp = model(0), model(0, world)
    for law in (trajectory_law, per_decision_law):
        found, truth = law(mdp, *pair(mdp, 0), 3), law(exact, *pair(exact, 0), 3)
        # weights below 1e3 after three steps
        np.testing.assert_allclose(as_floats(found.variance), as_floats(truth.variance), rtol=1e-11)
    found, truth = weighted_law(mdp, *pair(mdp, 0), 1, 2), weighted_law(exact, *pair(exact, 0), 1, 2)
    assert float(found.bias) == pytest.approx(float(truth.bias), abs=1e-13)
    assert float(found.variance) == pytest.approx(float(truth.variance), rel=1e-12)


def test_refusals():
    mdp = two_armed_bandit()
    first, second = (deterministic(mdp, [a] * mdp.n_states) for a in (0, 1))
    with pytest.raises(InvalidPolicy, match=r"target\[0, 0\] = 1(\.0)? where the behaviour has 0"):
        trajectory_law(mdp, first, second, 1)
    mdp = model(0)
    with pytest.raises(TooManyPaths):
        weighted_law(mdp, *pair(mdp, 0), 3, 2, limit=10)
    with pytest.raises(TooManyAtoms):
        weighted_law(mdp, *pair(mdp, 0), 1, 6, limit=30)
    with pytest.raises(ValueError, match="0 paths"):
        weighted_law(mdp, *pair(mdp, 0), 1, 0)
