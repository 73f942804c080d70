"""The closed forms meet enumerated estimates in test_nes.py; here they meet differentiation and moments."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.gaussian_smoothing import (
    antithetic_covariance,
    es_covariance,
    expected_quadratic,
    expected_quadratic_gradient,
)
from rlexact.symbolic.gaussian import expectation, noise

C, B = sympy.Rational(1, 3), sympy.Matrix([2, -1])
A, L = sympy.Matrix([[-3, 1], [1, 4]]), sympy.Matrix([[2, 0], [1, 3]])
MU = sympy.Matrix(sympy.symbols("mu1 mu2", real=True))


def array(matrix):
    return np.array(matrix.tolist()) if matrix.shape[1] > 1 else np.array(list(matrix))


def test_the_mean_is_that_of_the_moments():
    x = MU + L * sympy.Matrix(noise)
    by_moments = expectation(sympy.expand(C + (B.T * x)[0] + (x.T * A * x)[0] / 2), noise)
    found = expected_quadratic(C, array(B), array(A), array(MU), array(L * L.T))
    assert sympy.expand(found - by_moments) == 0


def test_gradient_is_the_derivative():
    S = sympy.Matrix(2, 2, sympy.symbols("s11 s12 s21 s22", real=True))
    value = expected_quadratic(C, array(B), array(A), array(MU), array(S))
    slope = expected_quadratic_gradient(C, array(B), array(A), array(MU), array(S))
    assert [sympy.expand(sympy.diff(value, m) - g) for m, g in zip(MU, slope.mean, strict=True)] == [0, 0]
    assert [sympy.diff(value, s) - g for s, g in zip(S, slope.spread.ravel(), strict=True)] == [0] * 4


def test_linear_fitness_is_left_as_it_is():
    zero, b = np.array([[Fraction(0)] * 2] * 2), np.array([Fraction(2), Fraction(-1)])
    spread, mean = (
        np.array([[Fraction(5), Fraction(1)], [Fraction(1), Fraction(9)]]),
        np.array([Fraction(3), Fraction(7)]),
    )
    assert expected_quadratic(Fraction(4), b, zero, mean, spread) == 4 + 6 - 7
    assert expected_quadratic_gradient(Fraction(4), b, zero, mean, spread).mean.tolist() == b.tolist()


def test_a_small_sigma_costs_the_plain_estimate_without_bound():
    b = [Fraction(3), Fraction(4)]
    for sigma in (Fraction(1), Fraction(1, 100)):
        excess = es_covariance(Fraction(2), b, sigma) - antithetic_covariance(b)
        assert excess.tolist() == [[4 / sigma**2, 0], [0, 4 / sigma**2]]
    assert np.trace(antithetic_covariance(b)) == 3 * 25  # (d + 1) ‖b‖²


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expected_quadratic(0.0, [1.0, 1.0], [[0.0, 1.0], [0.0, 0.0]], [0.0, 0.0], np.eye(2)), "not symmetric"),
        (lambda: expected_quadratic(0.0, [1.0], [[1.0]], [0.0, 0.0], [[1.0]]), "mean"),
        (lambda: es_covariance(1.0, [1.0], 0.0), "sigma = 0.0"),
        (lambda: es_covariance(1.0, [1.0], 1.0, samples=0), "samples 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
