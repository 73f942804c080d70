from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.divergence import kl
from rlexact.formulas.kl_optimum import kl_regularised_policy, kl_regularised_value
from rlexact.formulas.rlhf import (
    best_of_n,
    best_of_n_kl_bound,
    greedy_limit,
    regularised_objective,
    regularised_objective_gradient,
    regularised_objective_logit_gradient,
    reward_of_policy,
)

RNG = np.random.default_rng(0)
REF, PI = RNG.dirichlet(np.ones(5), size=(2, 8))
R = RNG.normal(size=(8, 5))
BETA = 0.6
BEST = kl_regularised_policy(REF, R, BETA)
F = Fraction


def test_objective_falls_short_of_the_optimum_by_beta_kl():
    top = kl_regularised_value(REF, R, BETA)
    np.testing.assert_allclose(regularised_objective(BEST, R, REF, BETA), top, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(regularised_objective(PI, R, REF, BETA), top - BETA * kl(PI, BEST), rtol=1e-11)


def test_reward_comes_back_but_for_one_constant():
    constant = R - reward_of_policy(BEST, REF, BETA)
    np.testing.assert_allclose(
        constant, np.broadcast_to(kl_regularised_value(REF, R, BETA)[:, None], R.shape), rtol=1e-12
    )


@pytest.mark.parametrize("k", range(5))
def test_gradients_by_complex_step(k):
    step = 1e-30j * np.eye(5)[k]
    moved = np.exp(np.log(PI) + step)
    soft = moved / moved.sum(-1, keepdims=True)
    free = regularised_objective(PI + step, R, REF, BETA).imag / 1e-30
    logits = regularised_objective(soft, R, REF, BETA).imag / 1e-30
    np.testing.assert_allclose(regularised_objective_gradient(PI, R, REF, BETA)[:, k], free, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(
        regularised_objective_logit_gradient(PI, R, REF, BETA)[:, k], logits, rtol=1e-10, atol=1e-15
    )


def test_at_the_optimum_the_gradient_is_the_multiplier():
    """r - β log(π*/ref) - β is β log Z - β for every answer, not 0; along softmax logits it is 0."""
    slope = regularised_objective_gradient(BEST, R, REF, BETA)
    np.testing.assert_allclose(slope, (kl_regularised_value(REF, R, BETA) - BETA)[:, None] + 0 * R, atol=1e-14)
    np.testing.assert_allclose(regularised_objective_logit_gradient(BEST, R, REF, BETA), 0 * R, atol=1e-15)


def test_border():
    assert regularised_objective([0.5, 0.5], [1.0, 1.0], [1.0, 0.0], 1.0) == -np.inf
    assert list(reward_of_policy([1.0, 0.0], [0.5, 0.5], 2.0)) == [pytest.approx(2 * np.log(2)), -np.inf]
    assert list(regularised_objective_gradient([1.0, 0.0], [0.0, 0.0], [1.0, 0.0], 1.0)) == [-1, -np.inf]
    with pytest.raises(InvalidBatch, match=r"reference\[1\] = 0.0: give numbers above 0"):
        reward_of_policy([1.0, 0.0], [1.0, 0.0], 1.0)


def test_both_limits_of_beta():
    reference, rewards = np.array([0.1, 0.2, 0.3, 0.4, 0.0]), np.array([1.0, 3.0, 3.0, 0.0, 9.0])
    limit = greedy_limit(reference, rewards)
    np.testing.assert_allclose(limit, [0, 0.4, 0.6, 0, 0], rtol=1e-15)
    np.testing.assert_allclose(kl_regularised_policy(reference, rewards, 1e-3), limit, rtol=1e-12)
    np.testing.assert_allclose(kl_regularised_policy(reference, rewards, 1e9), reference, rtol=1e-8)  # 1 + r/β
    assert list(greedy_limit([F(1, 4), F(1, 4), F(1, 2)], [2, 2, 1])) == [F(1, 2), F(1, 2), 0]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_best_of_n_by_enumeration(n):
    reference, rewards = [F(1, 6), F(1, 3), F(1, 4), F(1, 4), F(0)], [F(2), F(0), F(2), F(1), F(9)]
    law = [F(0)] * 5
    for drawn in product(range(5), repeat=n):
        kept = max(drawn, key=lambda y: rewards[y])  # the first of the best
        law[kept] += np.prod([reference[y] for y in drawn])
    assert list(best_of_n(reference, rewards, n)) == law


def test_best_of_n_bound_is_reached_by_rare_answers():
    n, size = 4, 20_000
    reference, rewards = np.full(size, 1 / size), np.arange(size, dtype=float)[::-1]
    ranks = np.arange(size, 0, -1) / size  # all rewards differ: F at each answer, without the N × N comparison
    law = ranks**n - (ranks - 1 / size) ** n
    np.testing.assert_allclose(best_of_n(reference[:50] * 400, rewards[:50], n).sum(), 1, rtol=1e-12)
    assert kl(law, reference) == pytest.approx(best_of_n_kl_bound(n), abs=1e-3)  # O(n / size)
    for seed in range(5):
        few, r = np.random.default_rng(seed).dirichlet(np.ones(4)), np.arange(4.0)
        assert kl(best_of_n(few, r, n), few) < best_of_n_kl_bound(n)


def test_refusals():
    with pytest.raises(InvalidBatch, match="beta"):
        regularised_objective([0.5, 0.5], [0.0, 0.0], [0.5, 0.5], 0.0)
    with pytest.raises(InvalidBatch, match="one for each answer"):
        greedy_limit([0.5, 0.5], 1.0)
    for n in (0, 1.5):
        with pytest.raises(InvalidBatch, match="n = "):
            best_of_n([0.5, 0.5], [0.0, 0.0], n)
    sympy = pytest.importorskip("sympy")
    with pytest.raises(TypeError):  # which of two symbols is larger is not known
        best_of_n([F(1, 2), F(1, 2)], sympy.symbols("a b"), 2)
