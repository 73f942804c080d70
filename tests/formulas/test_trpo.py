from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse.linalg

from rlexact.exact.difference import mean_advantage, weighed
from rlexact.exact.fisher import fisher, fisher_product
from rlexact.exact.line_search import line_search_step
from rlexact.exact.parameterisation import softmax, softmax_at
from rlexact.exact.policy_distance import kl
from rlexact.exact.trpo import problem
from rlexact.exact.trpo import trpo_step as optimum
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.trpo import (
    accepts_step,
    conjugate_gradient,
    fisher_vector_product,
    line_search,
    parameter_fisher_product,
    trpo_step,
)
from rlexact.gallery import random_mdp
from rlexact.policy import uniform
from rlexact.solution import NotConverged


def fractions(rng, *shape):
    out = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        out[index] = Fraction(int(rng.integers(-9, 10)), int(rng.integers(1, 7)))
    return out


def positive_matrix(seed, n):
    half = fractions(np.random.default_rng(seed), n, n)
    return half @ half.T + np.diag([Fraction(1)] * n)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_conjugate_gradients_end_exactly_after_n_steps(n):
    F, b = positive_matrix(n, n), fractions(np.random.default_rng(n + 50), n)
    found = conjugate_gradient(lambda v: F @ v, b, n)
    assert (F @ found.x == b).all()
    assert not found.residual.any()
    if n > 1:
        assert conjugate_gradient(lambda v: F @ v, b, n - 1).residual.any()


def test_as_many_steps_as_different_eigenvalues():
    """F = I + u uᵀ has two: the second step is the last, of seven unknowns."""
    u, b = fractions(np.random.default_rng(1), 7), fractions(np.random.default_rng(2), 7)
    found = conjugate_gradient(lambda v: v + u * (u @ v), b, 7)
    assert found.iterations == 2
    assert (found.x + u * (u @ found.x) == b).all()


def test_steps_minimise_the_energy_error():
    """After k steps x is best in the Krylov space: the residual is orthogonal to b, Fb, ..."""
    F, b = positive_matrix(9, 5), fractions(np.random.default_rng(10), 5)
    for k in (1, 2, 3):
        left, power = conjugate_gradient(lambda v: F @ v, b, k).residual, b
        for _ in range(k):
            assert left @ power == 0
            power = F @ power


def test_in_floats_it_is_scipy_s():
    rng = np.random.default_rng(0)
    half = rng.normal(size=(30, 30))
    F, b = half @ half.T + np.eye(30), rng.normal(size=30)
    expected, _ = scipy.sparse.linalg.cg(F, b, rtol=1e-12, maxiter=1000)
    found = conjugate_gradient(lambda v: F @ v, b, 1000)
    np.testing.assert_allclose(found.x, expected, rtol=1e-8)  # both residuals, times a condition number of 10²
    assert found.iterations < 1000


def test_fisher_product_is_the_matrix_times_the_vector():
    p = np.array([[Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)], [Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)]])
    v = fractions(np.random.default_rng(3), 2, 3)
    for i in range(2):
        assert (fisher_vector_product(p, v)[i] == (np.diag(p[i]) - np.outer(p[i], p[i])) @ v[i]).all()
    assert not fisher_vector_product(p, np.ones((2, 3), dtype=int)).any()


def test_fisher_product_in_parameters_is_the_exact_room_s():
    mdp = random_mdp(4, 3, 2)
    family = softmax_at(mdp, uniform(mdp))
    one_hot = np.array([Fraction(int(i == j)) for i in range(6) for j in range(6)]).reshape(3, 2, 6)
    w, v = np.array([Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]), fractions(np.random.default_rng(5), 6)
    found = parameter_fisher_product(one_hot, family.policy, w, v)
    assert (found == fisher(mdp, family, w) @ v).all()


MODEL = random_mdp(11, 3, 3, exact=False)
START = np.zeros(9)
DELTA = 0.02


def ingredients(budget):
    """Gradient, Fisher product and evaluation of a table of logits, from the exact room's own measures."""
    here = softmax(MODEL, START.reshape(3, 3))
    old, A, w, _ = problem(MODEL, here.policy, budget)

    def evaluate(theta):
        new = softmax(MODEL, theta.reshape(3, 3)).policy
        return float(weighed(w, mean_advantage(MODEL, new, old))), float(w @ kl(MODEL, old, new))

    return here.pull(w[:, None] * A).ravel(), fisher_product(MODEL, here, w), evaluate


@pytest.mark.parametrize("budget", [1e-4, DELTA, 0.5])
def test_the_whole_step_is_the_exact_room_s(budget):
    expected = line_search_step(MODEL, lambda z: softmax(MODEL, z), START.reshape(3, 3), budget)
    found = trpo_step(START, *ingredients(budget), budget, iterations=10, shrink=0.5, backtracks=30)
    np.testing.assert_allclose(found.theta, expected.theta.ravel(), atol=1e-9)  # two CGs, each to 10⁻¹³ of a singular F
    assert found.backtracks == expected.backtracks
    assert 0 < found.divergence <= budget


def test_no_step_beats_the_exact_optimum():
    found = trpo_step(START, *ingredients(DELTA), DELTA, iterations=10, shrink=0.5, backtracks=30)
    best = optimum(MODEL, softmax(MODEL, START.reshape(3, 3)).policy, DELTA)
    assert 0.5 * best.gain < found.improvement <= best.gain


def test_acceptance_needs_both():
    assert accepts_step(Fraction(1), Fraction(1), Fraction(1))
    assert not accepts_step(Fraction(0), Fraction(0), Fraction(1))
    assert not accepts_step(Fraction(1), Fraction(101, 100), Fraction(1))
    assert not accepts_step(Fraction(1), Fraction(0), Fraction(1), least=Fraction(1))


def test_line_search_takes_the_first_good_step():
    """On x (3 - x) within x² ≤ 1 from a step of 4: 4 and 2 are too far, 1 is taken."""
    found = line_search(
        [Fraction(0)], [Fraction(4)], lambda x: (x[0] * (3 - x[0]), x[0] ** 2), 1, shrink=Fraction(1, 2), backtracks=9
    )
    assert (found.backtracks, found.theta[0], found.improvement, found.divergence) == (2, 1, 2, 1)
    last = line_search([0.0], [4.0], lambda x: (x[0] * (3 - x[0]), x[0] ** 2), 1.0, shrink=0.5, backtracks=2)
    assert last.backtracks == 2
    with pytest.raises(NotConverged, match="none of 2 steps") as told:
        line_search([0.0], [4.0], lambda x: (-1.0, 0.0), 1.0, shrink=0.5, backtracks=1)
    assert told.value.best == 0


def test_no_gradient_no_step():
    found = trpo_step(
        [1.0, 2.0], [0.0, 0.0], lambda v: v, lambda x: (0.0, 0.0), 0.1, iterations=3, shrink=0.5, backtracks=0
    )
    assert list(found.theta) == [1, 2]
    assert (found.improvement, found.divergence, found.backtracks, *found.step) == (0, 0, 0, 0, 0)


def test_damping_shortens_the_step():
    gradient, product, evaluate = ingredients(DELTA)
    options = {"iterations": 10, "shrink": 0.5, "backtracks": 30}
    plain = trpo_step(START, gradient, product, evaluate, DELTA, **options)
    damped = trpo_step(START, gradient, product, evaluate, DELTA, damping=1.0, **options)
    assert damped.step @ product(damped.step) < plain.step @ product(plain.step)
    assert damped.step @ (product(damped.step) + damped.step) == pytest.approx(2 * DELTA, rel=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conjugate_gradient(lambda v: -v, [1.0], 1), "p @ A @ p"),
        (lambda: conjugate_gradient(lambda v: v, [1.0], 0), "at least 1"),
        (lambda: conjugate_gradient(lambda v: v, 1.0, 1), "b has shape"),
        (lambda: fisher_vector_product([-0.5, 1.5], [1.0, 1.0]), "probs"),
        (lambda: parameter_fisher_product([[[1.0]]], [[1.0]], [1.0], [1.0, 2.0]), r"\(N, A, K\)"),
        (lambda: trpo_step([0.0], [1.0], lambda v: v, None, 0.0, iterations=1, shrink=0.5, backtracks=0), "kl_budget"),
        (lambda: line_search([0.0], [1.0], None, 1.0, shrink=2.0, backtracks=0), "shrink"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
