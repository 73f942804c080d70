from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact, SingularSystem
from rlexact.exact.evaluation import advantage, visits
from rlexact.exact.fisher import fisher
from rlexact.exact.fisher import natural_gradient as exact_natural_gradient
from rlexact.exact.gradient_estimators import score_table
from rlexact.exact.parameterisation import log_linear_at, softmax_at
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.natural_gradient import (
    empirical_fisher,
    fisher_matrix,
    kl_quadratic,
    kl_step_size,
    natural_gradient,
    natural_gradient_step,
)
from rlexact.formulas.reinforce import score_gradient
from rlexact.gallery import random_mdp
from rlexact.policy import uniform

MODEL = random_mdp(2, 3, 2)
PI = uniform(MODEL)
FEATURES = np.array([[[s, a], [a * s * s, 1 - a]] for s in (1, 2, 3) for a in (0, 1)][::2], dtype=object)
FAMILY = log_linear_at(MODEL, PI, np.array([[[Fraction(int(x)) for x in row] for row in block] for block in FEATURES]))
SCORES = score_table(MODEL, FAMILY).reshape(6, -1)
SHARES = (visits(MODEL, PI)[:, None] * PI).ravel()


def test_fisher_of_every_pair_is_the_exact_room_s():
    assert (fisher_matrix(SCORES, SHARES) == fisher(MODEL, FAMILY)).all()


def test_natural_gradient_of_every_pair_is_the_exact_room_s():
    F, A = fisher_matrix(SCORES, SHARES), advantage(MODEL, PI).ravel()
    g = SCORES.T @ (SHARES * A)
    found, exact = natural_gradient(F, g), exact_natural_gradient(MODEL, FAMILY)
    assert (found == exact.direction).all()
    assert (F @ found == g).all()
    assert found.any()


def test_empirical_fisher_is_unbiased_under_the_policy():
    """Every batch of two draws from a softmax policy, weighted by its probability."""
    p = np.array([Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)])
    scores = np.array([[Fraction(int(i == a)) - p[i] for i in range(3)] for a in range(3)])
    mean = sum(p[a] * p[b] * empirical_fisher(scores[[a, b]]) for a in range(3) for b in range(3))
    assert (mean == np.diag(p) - np.outer(p, p)).all()
    other = sum(q * empirical_fisher(scores[[a]]) for a, q in enumerate([Fraction(1, 3)] * 3))
    assert (other != mean).any()  # actions of another policy: another matrix


def test_damping_makes_a_singular_matrix_regular():
    p = np.array([Fraction(1, 4), Fraction(3, 4)])
    F, g = np.diag(p) - np.outer(p, p), np.array([Fraction(-1), Fraction(1)])
    with pytest.raises(SingularSystem):
        natural_gradient(F, g)
    lam = Fraction(1, 100)
    found = natural_gradient(F, g, lam)
    assert (F @ found + lam * found == g).all()
    assert (natural_gradient_step([5, 5], F, g, Fraction(1, 2), lam) == 5 + found / 2).all()


def test_direction_does_not_depend_on_the_parameters():
    """θ = M φ: scores become Mᵀψ, and the step in θ is M times that in φ."""
    M = np.array([[Fraction(2), Fraction(1)], [Fraction(0), Fraction(3)]])
    A = advantage(MODEL, PI).ravel()

    def step(scores):
        return natural_gradient(fisher_matrix(scores, SHARES), scores.T @ (SHARES * A))

    assert (M @ step(SCORES @ M) == step(SCORES)).all()


def test_step_size_spends_the_budget_exactly():
    F, g = np.array([[Fraction(2), 0], [0, Fraction(1, 2)]]), np.array([Fraction(1), Fraction(1)])
    x = natural_gradient(F, g)
    delta = Fraction(5, 16)  # 2δ / gᵀx = 1/4, whose root is rational
    beta = kl_step_size(g, x, delta)
    assert beta == Fraction(1, 2)
    assert kl_quadratic(F, beta * x) == delta
    with pytest.raises(NotExact):
        kl_step_size(g, x, Fraction(1))


def test_quadratic_model_is_the_divergence_to_second_order():
    """Along h the exact KL of a softmax leaves a third-order remainder: halving h divides the gap by 8."""
    p, d = np.array([0.2, 0.3, 0.5]), np.array([1.0, -0.5, 0.5])
    F = np.diag(p) - np.outer(p, p)

    def gap(h):
        moved = p * np.exp(h * d)
        return p @ np.log(p / (moved / moved.sum())) - kl_quadratic(F, h * d)

    assert gap(0.01) / gap(0.005) == pytest.approx(8, rel=0.02)  # the fourth order is h smaller


def test_sample_estimate_meets_the_definition():
    """Four samples in equal parts are the uniform distribution over them."""
    scores = np.array([[Fraction(int(x)) for x in row] for row in np.random.default_rng(0).integers(-3, 4, (4, 2))])
    quarter = np.full(4, Fraction(1, 4))
    assert (empirical_fisher(scores) == fisher_matrix(scores, quarter)).all()
    assert (score_gradient(scores, 4 * quarter) == scores.sum(axis=0) / 4).all()


def test_softmax_natural_gradient_adds_advantages():
    family = softmax_at(MODEL, PI)
    found = exact_natural_gradient(MODEL, family).direction
    F = fisher(MODEL, family)
    lam = Fraction(1, 10**12)
    g = (visits(MODEL, PI)[:, None] * PI * advantage(MODEL, PI)).ravel()
    gap = natural_gradient(F, g, lam).reshape(found.shape) - found
    assert abs(gap).max() < Fraction(1, 10**9)  # damping λ bends the direction by O(λ)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: natural_gradient([[1.0, 0.0]], [1.0]), r"\(K, K\)"),
        (lambda: natural_gradient([[1.0, 2.0], [0.0, 1.0]], [1.0, 1.0]), "symmetric"),
        (lambda: natural_gradient([[1.0]], [1.0], -1.0), "damping"),
        (lambda: natural_gradient_step([1.0], [[1.0]], [1.0], -1.0), "step_size"),
        (lambda: kl_step_size([1.0], [-1.0], 0.1), "gradient @ direction"),
        (lambda: kl_step_size([1.0], [1.0], 0.0), "kl_budget"),
        (lambda: empirical_fisher([]), r"\(N, K\)"),
        (lambda: fisher_matrix([[1.0]], [-1.0]), "probs"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
