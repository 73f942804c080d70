import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.sigmoid import log_sigmoid, sigmoid

U = np.linspace(-30, 30, 41)


def test_against_tanh_and_logaddexp():
    np.testing.assert_allclose(
        sigmoid(U), (1 + np.tanh(U / 2)) / 2, atol=1e-16
    )  # tanh loses what is below one rounding
    np.testing.assert_allclose(log_sigmoid(U), -np.logaddexp(0, -U), rtol=1e-15)


def test_digits_survive_in_both_tails():
    assert log_sigmoid([100.0])[0] == pytest.approx(-math.exp(-100), rel=1e-14)  # log1p's rounding
    assert sigmoid([-700.0])[0] == pytest.approx(math.exp(-700), rel=1e-14)
    assert list(log_sigmoid([-1e4, 1e4])) == [-1e4, 0]


def test_slope_by_complex_step():
    np.testing.assert_allclose(log_sigmoid(U + 1e-30j).imag / 1e-30, sigmoid(-U), rtol=1e-14)


def test_symbols_and_refusals():
    sympy = pytest.importorskip("sympy")
    u = sympy.Symbol("u", real=True)
    assert sympy.simplify(sympy.diff(log_sigmoid([u])[0], u) - sigmoid([-u])[0]) == 0
    with pytest.raises(NotExact):
        sigmoid([Fraction(1)])
    with pytest.raises(InvalidBatch, match="finite"):
        log_sigmoid([np.nan])
