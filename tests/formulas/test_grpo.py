from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.gradient import finite_horizon_gradient
from rlexact.exact.gradient_estimators import score_table
from rlexact.exact.parameterisation import softmax_at
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.grpo import (
    group_advantages,
    grpo_loss,
    grpo_loss_gradient,
    outcome_advantages,
    process_advantages,
)
from rlexact.formulas.rloo import leave_one_out_advantages
from rlexact.gallery import two_armed_bandit

STEP = 1e-30  # a complex step subtracts nothing: exact to rounding


def test_by_definition_in_fractions():
    r = [Fraction(x) for x in (1, 1, 7, 7)]
    assert list(group_advantages(r)) == [-1, -1, 1, 1]
    assert list(group_advantages(r, eps=Fraction(3))) == [Fraction(x, 2) for x in (-1, -1, 1, 1)]
    assert list(group_advantages(r, scale=False)) == [-3, -3, 3, 3]
    with pytest.raises(NotExact):
        group_advantages(r, ddof=1)  # σ² = 12


def test_groups_do_not_mix():
    r = np.random.default_rng(0).normal(size=(3, 5))
    found = group_advantages(r, ddof=1)
    for row, adv in zip(r, found, strict=True):
        np.testing.assert_allclose(adv, (row - row.mean()) / row.std(ddof=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(group_advantages(100 * r + 7), group_advantages(r), rtol=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e300, 0.0])
def test_equal_rewards_have_no_advantage(value):
    """0.1 + 0.1 + 0.1 is not 0.3 in floats: the deviation must not come from the mean's rounding."""
    assert not group_advantages([value] * 3).any()
    assert not group_advantages([value] * 3, eps=1e-4, ddof=1).any()


def test_unscaled_is_rloo_times_its_factor():
    r = np.array([Fraction(1), Fraction(5), Fraction(-2, 3)])
    assert (group_advantages(r, scale=False) == leave_one_out_advantages(r) * Fraction(2, 3)).all()


def expected_gradient(p, n, **options):
    """Over every group of n answers from a two-armed bandit, exactly."""
    model = two_armed_bandit()
    family = softmax_at(model, np.array([[p, 1 - p]]))
    scores, total = score_table(model, family)[0].reshape(2, 2), 0
    for group in map(list, product(range(2), repeat=n)):
        adv = group_advantages(model.r[0][group], **options)
        total = total + prod(family.policy[0][group]) * (adv @ scores[group]) / n
    return total, finite_horizon_gradient(model, family, 1).ravel()


def test_what_the_group_s_own_mean_and_deviation_do_to_the_gradient():
    """Unscaled: (n-1)/n of the policy gradient. Scaled, groups of 2: 1/2 E|sign| instead of a gap of rewards."""
    found, truth = expected_gradient(Fraction(1, 3), 3, scale=False)
    assert (found == Fraction(2, 3) * truth).all()
    for p in (Fraction(1, 3), Fraction(1, 10)):
        found, truth = expected_gradient(p, 2)
        assert (found == truth / 2).all()  # rewards 1 and 3: σ is 1 in a mixed group, so nothing changes here
    rare, truth = expected_gradient(Fraction(1, 2), 5, eps=Fraction(0), scale=False)
    assert (rare == Fraction(4, 5) * truth).all()


def test_outcome_and_process():
    mask = [[True, True, False], [True, True, True]]
    found = outcome_advantages([Fraction(4), Fraction(2)], mask)
    assert (found == [[1, 1, 0], [-1, -1, -1]]).all()
    ends = np.array([[False, True, False], [True, False, True]])
    r = np.array([[Fraction(0), Fraction(5), Fraction(0)], [Fraction(1), Fraction(99), Fraction(6)]])
    mean = Fraction(4)  # of 5, 1 and 6; the 99 ends no step
    found = process_advantages(r, ends, mask, scale=False)
    assert (found == [[5 - mean, 5 - mean, 0], [1 + 6 - 2 * mean, 6 - mean, 6 - mean]]).all()
    hidden = [[False, True, True], [True, True, True]]
    assert process_advantages(r, ends, hidden, scale=False)[0, 0] == 0
    scaled = process_advantages(r.astype(float), ends, mask)
    np.testing.assert_allclose(scaled, found.astype(float) / np.std([5, 1, 6]), rtol=1e-14)


def test_a_reward_at_the_last_token_alone_is_the_outcome():
    r, last = np.array([[0.0, 0.0, 3.0], [0.0, 1.0, 0.0], [2.0, 0.0, 0.0]]), np.array([2, 1, 0])
    ends, mask = np.arange(3) == last[:, None], np.arange(3) <= last[:, None]
    found = process_advantages(r, ends, mask, ddof=1)
    np.testing.assert_allclose(found, outcome_advantages([3.0, 1.0, 2.0], mask, ddof=1), atol=1e-15)


@pytest.mark.parametrize(
    "how", ["none", "token_mean", "seq_mean_token_mean", "seq_mean_token_sum", "seq_mean_token_sum_norm"]
)
def test_gradient_by_complex_step(how):
    log_p, log_old, log_ref, adv = np.random.default_rng(1).normal(size=(4, 2, 3))
    mask = np.array([[True, True, False], [True, True, True]])
    options = {"reduction": how, "mask": mask, "length": 4}
    found = grpo_loss_gradient(log_p, log_old, log_ref, adv, 0.2, 0.04, 0.3, **options)
    for index in np.ndindex(2, 3):
        moved = log_p + 0j
        moved[index] += 1j * STEP
        slope = np.sum(grpo_loss(moved, log_old, log_ref, adv, 0.2, 0.04, 0.3, **options)).imag / STEP
        assert found[index] == pytest.approx(slope, rel=1e-12, abs=1e-300)


def test_by_hand():
    """Ratio 2 clipped to 1.2 at Â = 1; π_ref/π = 1/2: k3 = 1/2 - 1 + log 2."""
    loss = grpo_loss([[np.log(2.0)]], [[0.0]], [[0.0]], [[1.0]], 0.2, 0.5)
    assert loss[0, 0] == pytest.approx(-1.2 + 0.5 * (np.log(2) - 0.5), rel=1e-15)


def test_padding_is_not_looked_at():
    log_p = np.array([[-1.0, 1e4]])
    zero, mask = np.array([[-1.0, -1e4]]), np.array([[True, False]])
    assert grpo_loss(log_p, zero, zero, [[2.0, -2.0]], 0.2, 0.1, reduction="token_mean", mask=mask) == -2
    with pytest.raises(InvalidBatch, match="largest float"):
        grpo_loss(log_p, zero, zero, [[2.0, -2.0]], 0.2, 0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: group_advantages(1.0), "rewards is a scalar"),
        (lambda: group_advantages([1.0], ddof=1), "a group of 1"),
        (lambda: group_advantages([1.0, 2.0], eps=-1.0), "eps"),
        (lambda: group_advantages([1e300, -1e300]), "variance"),
        (lambda: outcome_advantages([1.0, 2.0], [[True]]), r"\(n, T\)"),
        (lambda: process_advantages([[1.0]], [[False]]), "no step has a reward"),
        (lambda: process_advantages([1.0], [True]), r"\(n, T\)"),
        (lambda: grpo_loss([[0.0]], [[0.0]], [[0.0]], [[1.0]], 0.2, -1.0), "kl_coef"),
        (lambda: grpo_loss([[0.0]], [[0.0]], [[0.0]], [1.0], 0.2, 0.0), "shapes differ"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
