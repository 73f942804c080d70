from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.paths import paths
from rlexact.exact.return_estimators import lambda_return
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.gae import gae, gae_forward, lambda_weights, td_errors
from rlexact.formulas.returns import (
    discounted_return,
    lambda_returns,
    lambda_returns_forward,
    monte_carlo_advantages,
    n_step_advantages,
    n_step_returns,
    normalise_advantages,
    returns_to_go,
)
from rlexact.gallery import random_walk
from rlexact.policy import uniform

GAMMA, LAM = Fraction(9, 10), Fraction(2, 3)


def batch(seed, steps=10):
    """Fractions; values of the same trajectory: next_values[t] = values[t + 1] wherever no flag is set."""
    rng = np.random.default_rng(seed)
    r, v, v_end = (np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, steps)]) for _ in range(3))
    ended, cut = rng.random(steps) < 0.2, rng.random(steps) < 0.2
    following = np.where(ended | cut, v_end, np.append(v[1:], v_end[-1:]))
    return r, v, following, ended, cut


def by_definition(r, following, ended, cut, gamma, t, n):
    """n rewards, fewer where a flag or the batch stops them, then the value: summed forward."""
    total, weight = Fraction(0), Fraction(1)
    for k in range(t, len(r)):
        total, weight = total + weight * r[k], weight * gamma
        if ended[k]:
            return total
        if cut[k] or k == len(r) - 1 or k - t + 1 == n:
            return total + weight * following[k]
    return None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 2, 3, 50])
def test_n_step_returns_by_definition(seed, n):
    r, _, following, ended, cut = batch(seed)
    found = n_step_returns(r, following, ended, cut, GAMMA, n)
    assert list(found) == [by_definition(r, following, ended, cut, GAMMA, t, n) for t in range(len(r))]


@pytest.mark.parametrize("seed", range(4))
def test_returns_to_go_by_definition(seed):
    r, v, following, ended, cut = batch(seed)
    expected = [by_definition(r, following, ended, cut, GAMMA, t, 99) for t in range(len(r))]
    assert list(returns_to_go(r, ended, cut, GAMMA, next_values=following)) == expected
    bare = [by_definition(r, 0 * r, ended, cut, GAMMA, t, 99) for t in range(len(r))]
    assert list(returns_to_go(r, ended, cut, GAMMA)) == bare
    assert (monte_carlo_advantages(r, v, ended, cut, GAMMA) == np.array(bare) - v).all()


@pytest.mark.parametrize("seed", range(4))
def test_forward_and_backward_views_and_gae_agree_in_fractions(seed):
    r, v, following, ended, cut = batch(seed)
    found = lambda_returns(r, following, ended, cut, GAMMA, LAM)
    assert (found == lambda_returns_forward(r, following, ended, cut, GAMMA, LAM)).all()
    assert (found == v + gae(r, v, following, ended, cut, GAMMA, LAM)).all()
    assert (found != lambda_returns(r, following, ended, cut, GAMMA, Fraction(1, 3))).any()


@pytest.mark.parametrize("seed", range(4))
def test_gae_is_the_mixture_of_k_step_advantages(seed):
    r, v, following, ended, cut = batch(seed)
    assert (gae_forward(r, v, v[::-1], ended, cut, GAMMA, LAM) == gae(r, v, v[::-1], ended, cut, GAMMA, LAM)).all()
    mixed = sum(
        w * n_step_advantages(r, v, following, ended, cut, GAMMA, k)
        for k, w in enumerate(lambda_weights(LAM, len(r)), start=1)
    )
    assert (mixed == gae(r, v, following, ended, cut, GAMMA, LAM)).all()


@pytest.mark.parametrize("lam", [Fraction(0), LAM, Fraction(1)])
def test_on_enumerated_paths_it_is_the_exact_room_s_estimator(lam):
    walk = random_walk(gamma=GAMMA)
    v = np.array([Fraction(k, 7) for k in range(walk.n_states)]) * ~walk.terminal
    estimator = lambda_return(walk, v, lam)
    for path in paths(walk, uniform(walk), 4):
        if steps := len(path.actions):
            following = [v[s] for s in path.states[1:]] + [Fraction(0)] * (steps + 1 - len(path.states))
            ended = np.zeros(steps, dtype=bool)
            ended[-1] = path.terminated
            found = lambda_returns(path.rewards, following, ended, None, walk.gamma, lam)
            assert list(found) == [estimator(path, t) for t in range(steps)]


def test_ends_of_the_lambda_axis():
    r, v, following, ended, cut = batch(7)
    delta = td_errors(r, v, following, ended, GAMMA)
    to_go = returns_to_go(r, ended, cut, GAMMA, next_values=following)
    assert (lambda_returns(r, following, ended, cut, GAMMA, 0) == v + delta).all()
    assert (n_step_advantages(r, v, following, ended, cut, GAMMA, 1) == delta).all()
    assert (lambda_returns(r, following, ended, cut, GAMMA, 1) == to_go).all()
    assert (n_step_returns(r, following, ended, cut, GAMMA, len(r)) == to_go).all()


def test_whole_returns_and_masks():
    """Two trajectories of lengths 4 and 2, padded with rubbish; and one with a step inside that pays nothing."""
    r = np.array([[1, 1], [2, 3], [4, 99], [8, 99]]) * Fraction(1)
    real = np.array([[True, True], [True, True], [True, False], [True, False]])
    half = Fraction(1, 2)
    assert list(discounted_return(r, half, real)) == [4, Fraction(5, 2)]
    assert list(returns_to_go(r, None, None, half, mask=real)[0]) == [4, Fraction(5, 2)]
    bootstrapped = returns_to_go(r, None, None, half, next_values=r, mask=real)
    assert list(bootstrapped[0]) == [4 + half**4 * 8, Fraction(5, 2) + half**2 * 3]
    assert (bootstrapped[2:, 1] == 0).all()
    inside = returns_to_go([1, 2, 4], None, None, half, mask=[True, False, True])
    assert list(inside) == [2, 0, 4]
    assert list(discounted_return([[1], [2]], 1)) == [3]


def test_the_mask_and_the_flags_are_left_as_they_were():
    cut, real = np.zeros(3, dtype=bool), np.array([True, True, False])
    returns_to_go([1.0, 1.0, 1.0], cut, cut, 0.5, mask=real)
    lambda_returns([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], cut, cut, 0.5, 0.5)
    assert not cut.any()
    assert list(real) == [True, True, False]


def test_narrow_floats_and_complex_steps_pass():
    r = np.ones((3, 2), dtype=np.float32)
    for found in (
        lambda_returns(r, r, None, None, 0.5, 0.5),
        lambda_returns_forward(r, r, None, None, 0.5, 0.5),
        n_step_returns(r, r, None, None, 0.5, 2),
        gae_forward(r, r, r, None, None, 0.5, 0.5),
        normalise_advantages(r, 1e-8),
    ):
        assert found.dtype == np.float32
    slope = lambda_returns([1.0, 1.0], [0.0, 1j * 1e-30], None, None, 0.5, 0.5).imag / 1e-30
    assert list(slope) == [0.125, 0.5]  # γλ γ and γ


def test_normalised_by_hand_and_to_mean_0_and_deviation_1():
    exact = normalise_advantages([Fraction(1), Fraction(3), Fraction(1), Fraction(3)], 0)
    assert list(exact) == [-1, 1, -1, 1]
    assert list(normalise_advantages([Fraction(0), Fraction(2)], 1, ddof=0)) == [Fraction(-1, 2), Fraction(1, 2)]
    x = np.random.default_rng(0).normal(5, 3, (6, 4))
    for ddof in (0, 1):
        found = normalise_advantages(x, 0, ddof=ddof)
        np.testing.assert_allclose([found.mean(), found.std(ddof=ddof)], [0, 1], atol=1e-14)  # 24 roundings
    masked = normalise_advantages(x, 1e-8, mask=x > 5)
    np.testing.assert_allclose(masked[x > 5], (x[x > 5] - x[x > 5].mean()) / (x[x > 5].std() + 1e-8), rtol=1e-13)
    assert (masked[x <= 5] == 0).all()


def test_normalisation_where_it_degenerates():
    assert list(normalise_advantages([0.1] * 3, 1e-8)) == [0, 0, 0]  # 0.1 + 0.1 + 0.1 is not 0.3
    assert list(normalise_advantages([0.1] * 3, 1e-300)) == [0, 0, 0]
    assert list(normalise_advantages([5.0], 1e-8)) == [0]
    for arguments, ddof, message in [
        (([5.0], 1e-8), 1, "1 sample.* ddof = 1"),
        (([5.0, 5.0], 0), 0, "eps = 0"),
        (([1e200, -1e200], 0), 0, "squares are floats"),
        (([1.0, 2.0], -1), 0, "eps = -1"),
        (([1.0, np.nan], 1), 0, "finite"),
        (([], 1), 0, "empty"),
    ]:
        with pytest.raises(InvalidBatch, match=message):
            normalise_advantages(*arguments, ddof=ddof)
    with pytest.raises(InvalidBatch, match="0 sample"):
        normalise_advantages([1.0], 1, mask=[False])
    with pytest.raises(NotExact):
        normalise_advantages([Fraction(0), Fraction(1), Fraction(3)], 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewards": [1.0]}, "shapes differ"),
        ({"terminated": [0, 1]}, "give booleans"),
        ({"gamma": 1.5}, "gamma = 1.5"),
        ({"lam": -0.5}, "lam = -0.5"),
        ({"rewards": [np.nan, 1.0]}, "finite"),
        ({"rewards": 1.0, "next_values": 1.0}, "time axis"),
        ({"rewards": [], "next_values": []}, "empty"),
    ],
)
@pytest.mark.parametrize("function", [lambda_returns, lambda_returns_forward])
def test_refusals(function, change, message):
    good = {"rewards": [1.0, 2.0], "next_values": [0.0, 0.0], "terminated": None, "truncated": None}
    with pytest.raises(InvalidBatch, match=message):
        function(**{**good, "gamma": 0.5, "lam": 0.5, **change})


def test_refusals_of_steps_and_weights():
    for n in (0, True, 1.0):
        with pytest.raises(InvalidBatch, match="n = "):
            n_step_returns([1.0], [1.0], None, None, 0.5, n)
    with pytest.raises(InvalidBatch, match="lam = 2"):
        lambda_weights(2, 3)
    with pytest.raises(InvalidBatch, match="gamma = 2"):
        discounted_return([1.0], 2)
    with pytest.raises(InvalidBatch, match="gamma = 2"):
        returns_to_go([1.0], None, None, 2)
    assert sum(lambda_weights(LAM, 6)) == 1
