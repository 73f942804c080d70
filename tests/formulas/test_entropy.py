from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.divergence import kl
from rlexact.formulas.entropy import (
    conditional_entropy,
    cross_entropy,
    entropy,
    entropy_gradient,
    entropy_logit_gradient,
    mutual_information,
)

RNG = np.random.default_rng(0)
P, Q = RNG.dirichlet(np.ones(5), size=(2, 4))
JOINT = RNG.dirichlet(np.ones(12)).reshape(3, 4)
X, Y = JOINT.sum(1), JOINT.sum(0)


def test_by_scipy_and_at_the_ends():
    stats = pytest.importorskip("scipy.stats")
    np.testing.assert_allclose(entropy(P), stats.entropy(P, axis=-1), rtol=1e-14)
    for n in (1, 2, 7):
        assert entropy(np.full(n, 1 / n)) == pytest.approx(np.log(n), abs=1e-15)
    assert entropy([0.0, 1.0, 0.0]) == 0


def test_cross_entropy_is_entropy_and_kl():
    np.testing.assert_allclose(cross_entropy(P, Q), entropy(P) + kl(P, Q), rtol=1e-13)
    assert cross_entropy([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert cross_entropy([1.0, 0.0], [1.0, 0.0]) == 0


@pytest.mark.parametrize("k", range(5))
def test_gradients_by_complex_step(k):
    z = np.log(P)
    moved = np.exp(z + 1e-30j * np.eye(5)[k])
    soft = moved / moved.sum(-1, keepdims=True)
    np.testing.assert_allclose(entropy_logit_gradient(P)[:, k], entropy(soft).imag / 1e-30, rtol=1e-11, atol=1e-16)
    free = entropy(P + 1e-30j * np.eye(5)[k]).imag / 1e-30
    np.testing.assert_allclose(entropy_gradient(P)[:, k], free, rtol=1e-12, atol=1e-16)


def test_gradient_of_certainty():
    assert list(entropy_gradient([1.0, 0.0])) == [-1, np.inf]
    assert list(entropy_logit_gradient([1.0, 0.0])) == [0, 0]


def test_the_four_forms_of_mutual_information():
    given_y = conditional_entropy(JOINT)
    given_x = conditional_entropy(JOINT, "x")
    forms = [
        entropy(X) - given_y,
        entropy(Y) - given_x,
        sum(p * np.log(p / (X[i] * Y[j])) for (i, j), p in np.ndenumerate(JOINT)),
        kl(JOINT.ravel(), np.outer(X, Y).ravel()),
        entropy(X) + entropy(Y) - entropy(JOINT.ravel()),
    ]
    np.testing.assert_allclose(forms, mutual_information(JOINT), rtol=1e-12)
    assert given_y == pytest.approx(sum(Y[j] * entropy(JOINT[:, j] / Y[j]) for j in range(4)))


def test_zeros_and_tiny_entries_in_a_table():
    assert mutual_information([[0.5, 0.0], [0.0, 0.5]]) == pytest.approx(np.log(2))
    assert mutual_information(np.outer([0.2, 0.8], [0.0, 1.0])) == pytest.approx(0, abs=1e-16)
    assert mutual_information([[1.0, 0.0], [0.0, 1e-300]]) == pytest.approx(1e-300 * np.log(1e300), rel=1e-12)


def test_symbols():
    sympy = pytest.importorskip("sympy")
    p = sympy.Symbol("p", positive=True)
    assert sympy.simplify(entropy([p, 1 - p]) - (-p * sympy.log(p) - (1 - p) * sympy.log(1 - p))) == 0


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 0.4], "the sum of p = 0.9: give numbers that sum to 1"),
        ([1.5, -0.5], r"p\[1\] = -0.5: give numbers at least 0"),
        ([np.nan, 1.0], "finite"),
        (1.0, "scalar"),
        ([Fraction(1, 3), Fraction(1, 2)], "the sum of p = 5/6"),
    ],
)
def test_refusals(p, message):
    with pytest.raises(InvalidBatch, match=message):
        entropy(p)


def test_more_refusals():
    with pytest.raises(NotExact):
        entropy([Fraction(1, 2), Fraction(1, 2)])
    with pytest.raises(InvalidBatch, match="joint has shape"):
        mutual_information([0.5, 0.5])
    with pytest.raises(InvalidBatch, match="given = 'z'"):
        conditional_entropy(JOINT, "z")


def test_float32_rows_are_taken_at_their_own_rounding():
    p = RNG.dirichlet(np.ones(7), size=50).astype(np.float32)
    assert entropy(p).dtype == np.float32
    with pytest.raises(InvalidBatch):
        entropy(p + np.float32(1e-4))
