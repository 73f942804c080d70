from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.regularised import near_kl
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.reps import reps_dual_loss, reps_dual_loss_gradient

MU = np.array([[0.5, 0.3, 0.2], [0.6, 0.0, 0.4]])
F = np.array([[0.4, -1.0, 1.5], [2.0, 9.0, 0.0]])


@pytest.mark.parametrize("delta", [0.01, 0.3])
def test_the_minimum_spends_the_budget(delta):
    """At the exact room's multiplier for this budget the slope is 0 and the minimum is the constrained optimum."""
    exact = near_kl(F[0], MU[0], budget=delta)
    alpha = exact.multiplier
    assert reps_dual_loss_gradient(MU[0], F[0], alpha, delta) == pytest.approx(0, abs=1e-12)  # brentq's root
    least = reps_dual_loss(MU[0], F[0], alpha, delta)
    assert least == pytest.approx(exact.policy @ F[0], rel=1e-12)
    assert least < min(reps_dual_loss(MU[0], F[0], alpha * k, delta) for k in (0.9, 1.1))


def test_gradient_by_complex_step():
    """Through the log-sum-exp written out, since the door takes one real temperature."""
    step = 1e-30  # no subtraction: exact to rounding
    alpha = 0.8 + 1j * step
    slope = (alpha * 0.2 + alpha * np.log((MU * np.exp(F / alpha)).sum(axis=1))).imag / step
    np.testing.assert_allclose(reps_dual_loss_gradient(MU, F, 0.8, 0.2), slope, rtol=1e-12)


def test_symbols_stay_symbols():
    sympy = pytest.importorskip("sympy")
    alpha, delta, r = sympy.symbols("alpha delta r", positive=True)
    third = sympy.Rational(1, 3)
    g = reps_dual_loss([third, 2 * third], [r, 0], alpha, delta)[()]
    slope = reps_dual_loss_gradient([third, 2 * third], [r, 0], alpha, delta)[()]
    assert sympy.simplify(sympy.diff(g, alpha) - slope) == 0


def test_extremes():
    """At a temperature of 1e-3 it is the best action, whose KL to μ is log 5."""
    assert reps_dual_loss_gradient(MU[0], 1e4 * F[0], 1e-3, 0.0) == pytest.approx(
        -np.log(5), abs=1e-5
    )  # 1.5e4 / 1e-3 eps
    assert reps_dual_loss(MU[0], 1e4 * F[0], 1e-3, 0.0) == pytest.approx(1.5e4, rel=1e-6)


def test_refusals():
    with pytest.raises(InvalidBatch, match="kl_budget = -0"):
        reps_dual_loss([0.5, 0.5], [1.0, 2.0], 1.0, -0.1)
    with pytest.raises(InvalidBatch, match="give numbers above 0"):
        reps_dual_loss_gradient([0.5, 0.5], [1.0, 2.0], 0.0, 0.1)
    with pytest.raises(InvalidBatch, match="sum"):
        reps_dual_loss([0.5, 0.6], [1.0, 2.0], 1.0, 0.1)
    with pytest.raises(NotExact):
        reps_dual_loss([Fraction(1, 2)] * 2, [Fraction(1)] * 2, Fraction(1), Fraction(1))
