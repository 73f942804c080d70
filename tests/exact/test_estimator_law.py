"""The law of an estimator against the law of the return, sums over pairs of paths, and hand-made conditions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact.arithmetic import MixedNumbers
from rlexact.exact.distribution import return_law
from rlexact.exact.estimator_law import EstimatorLaw, estimator_law, from_start
from rlexact.exact.paths import TooManyPaths, expect, paths
from rlexact.policy import mixture, uniform
from tests.strategies import WORLDS, as_floats, in_world, law_model, policy

SEEDS = range(3)


def full(mdp, seed):
    return mixture(mdp, uniform(mdp), policy(seed, mdp), "1/2" if "float" not in mdp.world else 0.5)


def model(seed, world="rational"):
    """Three states, a start law, random rewards, steps that end."""
    start = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
    return in_world(law_model(seed, n_states=3).replace(initial=start), world)


def discounted(mdp):
    return lambda path: sum((mdp.gamma**t * r for t, r in enumerate(path.rewards)), start=0 * mdp.gamma)


@pytest.mark.parametrize("seed", SEEDS)
def test_moments_are_those_of_the_return_law(seed):
    mdp = model(seed)
    pi = full(mdp, seed)
    values = return_law(mdp, pi, 3)
    mean = sum(p * x for x, p in values.items())
    law = estimator_law(mdp, pi, 3, discounted(mdp), target=5)
    assert (law.mean, law.variance) == (mean, sum(p * (x - mean) ** 2 for x, p in values.items()))
    assert law.bias == mean - 5
    assert law.mean_squared_error == sum(p * (x - 5) ** 2 for x, p in values.items())
    assert law.covariance.tolist() == [[law.variance]]


@pytest.mark.parametrize("world", WORLDS)
def test_covariance_of_a_vector_in_every_world(world):
    exact, mdp = model(1), model(1, world)

    def where_and_what(path):
        return np.array([path.states[-1] - path.states[0], len(path.actions)])

    law = estimator_law(mdp, full(mdp, 1), 2, where_and_what)
    m = expect(exact, full(exact, 1), 2, where_and_what)
    square = expect(exact, full(exact, 1), 2, lambda path: np.outer(where_and_what(path), where_and_what(path)))
    # about 60 terms of size below 10: rounding stays below 1e-13
    np.testing.assert_allclose(as_floats(law.covariance), as_floats(square - np.outer(m, m)), atol=1e-13)
    np.testing.assert_allclose(as_floats(law.mean), as_floats(m), atol=1e-13)
    assert (law.variance == law.covariance.diagonal()).all()


def test_given_conditions_on_what_a_path_does():
    mdp = model(2)
    for a in np.flatnonzero(mdp.available[0]):
        law = estimator_law(
            mdp, full(mdp, 2), 3, lambda path: path.rewards[0], start=0, given=lambda path, a=a: path.actions[0] == a
        )
        first = [(p, r) for p, _, r, _ in mdp.outcomes(0, int(a))]
        assert law.mean == mdp.r[0, a] == sum(p * r for p, r in first)
        assert law.variance == sum(p * (r - law.mean) ** 2 for p, r in first)


@pytest.mark.parametrize("seed", SEEDS)
def test_from_start_mixes_the_laws_of_the_states(seed):
    mdp = model(seed)
    each = [estimator_law(mdp, full(mdp, seed), 2, discounted(mdp), start=s) for s in range(3)]
    mean, variance = (np.array([getattr(law, name) for law in each]) for name in ("mean", "variance"))
    whole = estimator_law(mdp, full(mdp, seed), 2, discounted(mdp))
    mixed = from_start(mdp, EstimatorLaw(mean, variance, mean + 1))
    assert (mixed.mean, mixed.variance, mixed.bias) == (whole.mean, whole.variance, -1)


def test_the_mean_of_two_copies_by_listing_pairs():
    mdp = model(0)
    listed = [(path.probability, discounted(mdp)(path)) for path in paths(mdp, full(mdp, 0), 2)]
    pairs = [(p * q, (x + y) / 2) for (p, x), (q, y) in product(listed, repeat=2)]
    mean = sum(p * x for p, x in pairs)
    law = estimator_law(mdp, full(mdp, 0), 2, discounted(mdp)).averaged(2)
    assert (law.mean, law.variance) == (mean, sum(p * (x - mean) ** 2 for p, x in pairs))


def test_refusals():
    mdp = model(0)
    pi = full(mdp, 0)
    with pytest.raises(MixedNumbers, match="the estimator"):
        estimator_law(mdp, pi, 2, lambda path: 0.5)
    with pytest.raises(MixedNumbers, match="the estimator"):
        estimator_law(mdp, pi, 2, lambda path: np.array([0.5, 1.0]))
    floats = mdp.to_float()
    with pytest.raises(ValueError, match=r"gives inf on Path"):
        estimator_law(floats, full(floats, 0), 1, lambda path: float("inf"))
    with pytest.raises(ValueError, match="no path of positive probability"):
        estimator_law(mdp, pi, 2, lambda path: 1, given=lambda path: len(path.actions) > 2)
    with pytest.raises(TooManyPaths):
        estimator_law(mdp, pi, 3, lambda path: 1, limit=10)
    law = estimator_law(mdp, pi, 1, lambda path: 1)
    with pytest.raises(ValueError, match="give target="):
        _ = law.bias
    with pytest.raises(ValueError, match="0 copies"):
        law.averaged(0)
