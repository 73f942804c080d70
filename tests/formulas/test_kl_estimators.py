import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.kl_estimators import K1, K2, K3, kl_law, loss_gradient
from rlexact.exact.parameterisation import softmax
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.divergence import kl, kl_logit_gradient
from rlexact.formulas.kl_estimators import k1, k1_gradient, k2, k2_gradient, k3, k3_gradient
from rlexact.gallery import bandit

Z, REF = np.array([0.4, -1.0, 1.2]), np.array([0.2, 0.5, 0.3])
PI = np.exp(Z) / np.exp(Z).sum()
ALL = [(k1, k1_gradient, K1), (k2, k2_gradient, K2), (k3, k3_gradient, K3)]
SCORES = np.eye(3) - PI  # row a is ∇ log π(a) in the logits


@pytest.mark.parametrize(("value", "gradient", "exact"), ALL)
def test_means_over_all_actions_are_the_exact_room_s(value, gradient, exact):
    model = bandit([0, 0, 0]).to_float()
    family = softmax(model, np.vstack([Z, Z])[: model.n_states])
    ref = np.vstack([REF] * model.n_states)
    law = kl_law(model, family.policy, ref, exact)
    assert PI @ value(np.log(PI), np.log(REF)) == pytest.approx(law.mean[0], rel=1e-13)
    weights = np.eye(model.n_states)[0]
    found = (PI * gradient(np.log(PI), np.log(REF))) @ SCORES
    np.testing.assert_allclose(found, loss_gradient(model, family, ref, weights, exact)[0], atol=1e-16)


def test_what_each_follows_when_differentiated():
    """k1 nothing, k2 KL(π‖ref), k3 KL(ref‖π)."""
    follows = [np.zeros(3), kl_logit_gradient(PI, REF).p, kl_logit_gradient(REF, PI).q]
    for (_, gradient, _), slope in zip(ALL, follows, strict=True):
        np.testing.assert_allclose((PI * gradient(np.log(PI), np.log(REF))) @ SCORES, slope, atol=1e-16)


def test_what_each_follows_in_the_reward():
    forward, backward = kl_logit_gradient(PI, REF).p, kl_logit_gradient(REF, PI).q
    logs = np.log(PI), np.log(REF)
    np.testing.assert_allclose((PI * k1(*logs)) @ SCORES, forward, atol=1e-16)
    np.testing.assert_allclose((PI * k3(*logs)) @ SCORES, forward - backward, atol=1e-15)


def test_k1_and_k3_are_unbiased():
    for value in (k1, k3):
        assert PI @ value(np.log(PI), np.log(REF)) == pytest.approx(kl(PI, REF), rel=1e-13)


@pytest.mark.parametrize(("value", "gradient", "exact"), ALL)
def test_gradients_by_complex_step(value, gradient, exact):
    ell = np.linspace(-3, 3, 13)
    slope = value(ell + 1e-30j, 0 * ell).imag / 1e-30
    np.testing.assert_allclose(gradient(ell, 0 * ell), slope, rtol=1e-13, atol=1e-17)


def test_digits_where_policies_are_close():
    """ℓ²/2 - ℓ³/6 to eight digits at ℓ = 1e-8, where e^-ℓ - 1 + ℓ written out has none; never below 0."""
    assert k3([1e-8], [0.0])[0] == pytest.approx(0.5e-16, rel=1e-7)  # expm1's rounding of 1e-8 is 1e-24
    assert (k3(np.logspace(-20, 2, 99), np.zeros(99)) >= 0).all()
    assert (k3(-np.logspace(-20, 2, 99), np.zeros(99)) >= 0).all()


def test_extremes():
    assert k3([0.0], [-1e4]) == 9999
    assert k3([-700.0], [0.0])[0] == pytest.approx(math.exp(700), rel=1e-13)
    assert k2([-1e4], [0.0]) == 5e7
    for function in (k3, k3_gradient):
        with pytest.raises(InvalidBatch, match="largest float"):
            function([-1e4], [0.0])
        with pytest.raises(InvalidBatch, match="largest float"):
            function(np.array([-100.0], dtype=np.float32), np.array([0.0], dtype=np.float32))


def test_worlds():
    half = [Fraction(1, 2)]
    assert k1(half, [Fraction(0)])[0] == Fraction(1, 2)
    assert k2(half, [Fraction(0)])[0] == Fraction(1, 8)
    with pytest.raises(NotExact):
        k3(half, [Fraction(0)])
