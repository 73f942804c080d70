from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest

from rlexact.exact.baselines import batch_mean_law
from rlexact.exact.gradient import finite_horizon_gradient
from rlexact.exact.gradient_estimators import reinforce as exact_reinforce
from rlexact.exact.gradient_estimators import score_table
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect, paths
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.reinforce import (
    batch_mean_baseline,
    batch_mean_factor,
    leave_one_out_baseline,
    optimal_baseline,
    reinforce_loss,
    reinforce_loss_gradient,
    score_gradient,
)
from rlexact.gallery import random_mdp, two_armed_bandit
from rlexact.policy import uniform

MODEL = random_mdp(3, 2, 2, terminal=0)
FAMILY = softmax_at(MODEL, uniform(MODEL))
SCORES = score_table(MODEL, FAMILY)


def scores_of(path):
    return np.array([SCORES[s, a] for s, a in zip(path.states, path.actions, strict=False)])


def to_go(path):
    """γ^t G_t at each step, summed forward."""
    later = [MODEL.gamma**t * r for t, r in enumerate(path.rewards)]
    return np.array([sum(later[t:]) for t in range(len(later))])


@pytest.mark.parametrize("weights", [to_go, lambda path: np.full(2, to_go(path)[0])], ids=["to go", "whole"])
@pytest.mark.parametrize("b", [0, Fraction(7, 3)])
def test_expected_gradient_over_every_path_is_the_policy_gradient(weights, b):
    def estimate(path):
        slope = reinforce_loss_gradient([Fraction(-1)] * 2, weights(path), b)
        return -(scores_of(path) * slope[:, None, None]).sum(axis=0)

    found = expect(MODEL, FAMILY.policy, 2, estimate)
    assert (found == finite_horizon_gradient(MODEL, FAMILY, 2)).all()


def test_score_gradient_is_what_descent_on_the_mean_loss_follows():
    rng = np.random.default_rng(1)
    log_p, returns, b = rng.normal(size=(3, 7))
    scores = rng.normal(size=(7, 3))
    slope = reinforce_loss_gradient(log_p, returns, b, reduction="mean")
    np.testing.assert_allclose(score_gradient(scores, returns - b), -scores.T @ slope, rtol=1e-12)


def test_gradient_by_exact_difference_quotient():
    """Linear in log π: any difference is exact."""
    log_p, returns = np.array([Fraction(-1, 3), Fraction(-2)]), np.array([Fraction(5), Fraction(-1, 2)])
    h = Fraction(1, 10)
    for how in ("none", "mean", "sum"):
        there = reinforce_loss(log_p + h, returns, Fraction(1), reduction=how)
        quotient = (there - reinforce_loss(log_p, returns, Fraction(1), reduction=how)) / h
        found = reinforce_loss_gradient(log_p, returns, Fraction(1), reduction=how)
        assert np.all(quotient == (found if how == "none" else found.sum()))


BANDIT = two_armed_bandit()
ARMS = softmax_at(BANDIT, np.array([[Fraction(1, 3), Fraction(2, 3)]]))


def mean_over_batches(baseline, n):
    """E of the estimate over every batch of n independent pulls, exactly."""
    scores, rewards = score_table(BANDIT, ARMS)[0].reshape(2, 2), BANDIT.r[0]
    total = 0
    for batch in product(range(2), repeat=n):
        picked = list(batch)
        estimate = score_gradient(scores[picked], rewards[picked] - baseline(rewards[picked]))
        total = total + prod(ARMS.policy[0][picked]) * estimate
    return total


@pytest.mark.parametrize("n", [2, 3, 5])
def test_batch_mean_shrinks_and_leave_one_out_does_not(n):
    truth = finite_horizon_gradient(BANDIT, ARMS, 1).ravel()
    assert truth.any()
    assert (mean_over_batches(batch_mean_baseline, n) == batch_mean_factor(n) * truth).all()
    assert (mean_over_batches(leave_one_out_baseline, n) == truth).all()


def test_factor_is_the_exact_room_s():
    law = batch_mean_law(MODEL, exact_reinforce(MODEL, FAMILY), 2, 4)
    assert (law.mean == batch_mean_factor(4) * finite_horizon_gradient(MODEL, FAMILY, 2)).all()
    assert batch_mean_factor(1) == 0


def test_baselines_at_each_time_step():
    returns = np.array([[Fraction(9), Fraction(3)], [Fraction(4), Fraction(100)]])  # (T, B)
    mask = np.array([[True, True], [True, False]])
    assert (batch_mean_baseline(returns) == [[6, 6], [52, 52]]).all()
    assert (batch_mean_baseline(returns, mask) == [[6, 6], [4, 4]]).all()
    assert (leave_one_out_baseline(returns) == [[3, 9], [100, 4]]).all()
    with pytest.raises(InvalidBatch, match="alone in its batch"):
        leave_one_out_baseline(returns, mask)


def test_leave_one_out_by_lists():
    g = [Fraction(1), Fraction(5), Fraction(-2), Fraction(7, 3)]
    expected = [sum(g[:i] + g[i + 1 :]) / 3 for i in range(4)]
    assert list(leave_one_out_baseline(g)) == expected


def test_optimal_baseline_minimises_the_variance():
    """The variance is a parabola in b: equal at b* ± h, and smaller at b*."""
    every = list(paths(MODEL, FAMILY.policy, 1))
    scores = np.array([path.probability * scores_of(path)[0].ravel() for path in every])  # any scores will do
    returns = np.array([path.rewards[0] for path in every])
    centred = scores - scores.sum(axis=0) / len(scores)  # mean 0: then b leaves the mean alone
    best = optimal_baseline(returns, centred)

    def variance(b):
        g = centred * (returns - b)[:, None]
        return ((g * g).sum() / len(g)) - (score_gradient(centred, returns) ** 2).sum()

    assert variance(best - 1) == variance(best + 1) > variance(best)


def test_extremes():
    assert reinforce_loss([-1e4], [2.0]) == 2e4
    assert reinforce_loss_gradient([-1e4], [2.0]) == -2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reinforce_loss([np.nan], [1.0]), "log_probs"),
        (lambda: reinforce_loss([0.0, 0.0], [1.0]), "shapes differ"),
        (lambda: batch_mean_baseline(3.0), "returns is a scalar"),
        (lambda: batch_mean_baseline([]), "empty batch"),
        (lambda: leave_one_out_baseline([3.0]), "alone in its batch"),
        (lambda: batch_mean_factor(0), "at least 1"),
        (lambda: score_gradient([1.0], [1.0]), r"\(N, K\)"),
        (lambda: optimal_baseline([1.0], [[0.0]]), "every score is 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
