"""The Bradley-Terry fit: odds by hand, the population given back, exact covariances, flipped labels, what stays undetermined."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.estimator_law import EstimatorLaw
from rlexact.formulas.batch import InvalidBatch
from rlexact.learning.reward_model import (
    NoFiniteFit,
    expected_preferences,
    fit_covariance,
    fit_reward,
    flipped_gap,
    information,
    preference_probabilities,
    sample_preferences,
    without_flips,
)
from tests.learning.batches import assert_mean

R = np.array([0.0, 1.0, -0.5, 2.0])
STAR = np.array([[0, 3, 2, 1], [3, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]])
FULL = np.array([[0, 3, 2, 1], [3, 0, 5, 4], [2, 5, 0, 2], [1, 4, 2, 0]])


def centred(r):
    return r - r.mean()


def test_two_answers_have_the_odds_of_their_counts():
    fit = fit_reward([[0, 3], [1, 0]])
    assert np.allclose(fit.rewards, [np.log(3) / 2, -np.log(3) / 2], atol=1e-15)
    assert np.allclose(fit.information, 4 * 3 / 16 * np.array([[1, -1], [-1, 1]]), atol=1e-15)
    # Var of a log odds, 1/3 + 1/1
    assert np.isclose(np.array([1, -1]) @ fit.covariance @ [1, -1], 4 / 3, atol=1e-14)


def test_without_a_cycle_every_gap_is_that_of_its_pair():
    W = [[0, 5, 0], [2, 0, 7], [0, 1, 0]]
    r = fit_reward(W).rewards
    assert np.allclose([r[0] - r[1], r[1] - r[2]], np.log([5 / 2, 7]), atol=1e-14)


@pytest.mark.parametrize("scale", [1, 10])
@pytest.mark.parametrize("comparisons", [None, STAR, FULL, 1e6 * FULL])
def test_the_population_gives_the_rewards_back(comparisons, scale):
    fit = fit_reward(expected_preferences(scale * R, comparisons))
    # e^25 : 1 is the largest odds; the counts hold it to 1e-16 of the larger one, its logarithm to 1e-5
    assert np.allclose(fit.rewards, centred(scale * R), atol=1e-13 if scale == 1 else 1e-5)
    assert fit.determined.all()


def test_counts_are_matched_on_a_cycle():
    W = np.array([[0, 4, 1], [2, 0, 9], [6, 1, 0]])
    r = fit_reward(W).rewards
    p = 1 / (1 + np.exp(r - r[:, None]))
    assert np.allclose(((W + W.T) * p).sum(axis=1), W.sum(axis=1), atol=1e-13)
    assert np.isclose(r.sum(), 0, atol=1e-15)


@pytest.mark.parametrize("flip", [0.0, 0.2])
def test_a_sampled_fit_has_the_exact_covariance(flip):
    """The mean of many fits, and their spread, around the population's minimiser."""
    N, runs, rng = 20_000 * FULL, 60, np.random.default_rng(0)
    target = fit_reward(expected_preferences(R, N, flip)).rewards
    C = fit_covariance(R, N, flip)
    fits = np.array([fit_reward(sample_preferences(R, N, rng, flip)).rewards for _ in range(runs)])
    assert_mean(fits, EstimatorLaw(target, None, covariance=C))
    scores = np.einsum("ni,ij,nj->n", fits - target, np.linalg.pinv(C, hermitian=True), fits - target)
    assert abs(scores.sum() - 3 * runs) < 4.5 * np.sqrt(6 * runs)  # χ² with 3 degrees each
    if not flip:
        assert np.allclose(C, fit_reward(expected_preferences(R, N)).covariance, rtol=1e-9)
        assert np.allclose(C @ information(R, N) @ C, C, rtol=1e-9)
    else:
        assert not np.allclose(C, fit_reward(expected_preferences(R, N, flip)).covariance, rtol=1e-3)


def test_flipped_labels_shrink_a_gap():
    """Δ = log 3: 3/4, with a quarter flipped 5/8, log 5/3."""
    quarter = Fraction(1, 4)
    assert quarter + (1 - 2 * quarter) * Fraction(3, 4) == Fraction(5, 8)
    assert np.isclose(flipped_gap(np.log(3), 0.25), np.log(5 / 3), atol=1e-15)
    assert np.isclose(flipped_gap(1e4, 0.25), np.log(3), atol=1e-15)
    assert flipped_gap([-2.0, 2.0], 0.0).tolist() == [-2, 2]
    assert flipped_gap([-2.0, 2.0], 1.0).tolist() == [2, -2]
    assert np.isclose(flipped_gap(3.0, 0.5), 0, atol=1e-15)


def test_flipped_labels_shrink_a_star_gap_by_gap_and_a_cycle_otherwise():
    star = fit_reward(expected_preferences(R, STAR, 0.2)).rewards
    assert np.allclose(star - star[0], flipped_gap(R - R[0], 0.2), atol=1e-13)
    W = expected_preferences(R, FULL, 0.2)
    full = fit_reward(W).rewards
    assert np.allclose((FULL * preference_probabilities(full)).sum(axis=1), W.sum(axis=1), atol=1e-13)
    gap, alone = full[3] - full[2], flipped_gap(R[3] - R[2], 0.2)
    assert abs(gap - alone) > 0.1  # shrunken gaps do not add up on a cycle
    assert np.allclose(fit_reward(without_flips(W, 0.2)).rewards, centred(R), atol=1e-12)


def test_answers_never_compared_are_not_determined():
    N = np.zeros((5, 5))
    for i, j in ((0, 1), (2, 3)):
        N[i, j] = N[j, i] = 2
    r = np.array([1.0, 3.0, -1.0, 0.0, 9.0])
    fit = fit_reward(expected_preferences(r, N))
    assert np.allclose(fit.rewards, [-1, 1, -0.5, 0.5, 0], atol=1e-14)
    assert fit.determined.astype(int).tolist() == [[1, 1, 0, 0, 0]] * 2 + [[0, 0, 1, 1, 0]] * 2 + [[0, 0, 0, 0, 1]]
    shifted = r + np.array([5, 5, 0, 0, -7])
    assert np.allclose(expected_preferences(shifted, N), expected_preferences(r, N), atol=1e-15)


def test_sampled_preferences():
    N = 500 * FULL
    W = sample_preferences(R, N, 0)
    assert (W + W.T == N).all()
    p = preference_probabilities(R)
    assert (np.abs(W - N * p) <= 4.5 * np.sqrt(N * p * (1 - p))).all()
    assert (sample_preferences(R, N, 0) == W).all()
    # labels all flipped: the same choices with the sides exchanged in law
    assert np.allclose(expected_preferences(R, N, 1.0), expected_preferences(R, N).T)
    flipped = sample_preferences(R, N, 0, 0.3)
    q = 0.3 + 0.4 * p
    assert (np.abs(flipped - N * q) <= 4.5 * np.sqrt(N * q * (1 - q))).all()


def test_one_sided_preferences_have_no_finite_fit():
    with pytest.raises(NoFiniteFit, match=r"\[0\]"):
        fit_reward([[0, 3], [0, 0]])
    with pytest.raises(NoFiniteFit, match=r"\[1, 2\]"):
        fit_reward([[0, 0, 0], [1, 0, 2], [1, 1, 0]])
    with pytest.raises(NoFiniteFit, match="rounding"):
        fit_reward([[0, 1], [1e-300, 0]])


def test_bad_input_is_refused_by_name():
    for bad in ([[0, 1], [2, 0]], [[1, 1], [1, 0]], [[0, -1], [-1, 0]], [[0, np.nan], [np.nan, 0]], [[0]]):
        with pytest.raises(InvalidBatch, match="comparisons"):
            expected_preferences([0.0, 1.0], bad)
    with pytest.raises(InvalidBatch, match="whole"):
        sample_preferences([0.0, 1.0], [[0, 0.5], [0.5, 0]], 0)
    with pytest.raises(InvalidBatch, match="flip"):
        expected_preferences(R, None, 1.5)
    with pytest.raises(InvalidBatch, match="independent"):
        without_flips(np.ones((2, 2)), 0.5)
    with pytest.raises(InvalidBatch, match="wins"):
        fit_reward([[0, -1], [3, 0]])
