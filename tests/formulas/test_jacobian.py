from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact, SingularSystem
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.jacobian import (
    chain_rule,
    check_jacobian,
    elementwise_jacobian,
    jacobian,
    layer_norm_jacobian,
    linear_weight_jacobian,
    log_det_jacobian,
    log_softmax_jacobian,
    quadratic_form_jacobian,
    softmax_jacobian,
    trace_jacobian,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=4)
A = RNG.normal(size=(4, 4))


def soft(z):
    return np.exp(z) / np.exp(z).sum()


def layer_norm(x, eps=0.25):
    centred = x - x.mean()
    return centred / np.sqrt((centred**2).mean() + eps)


CLOSED = [
    (soft, X, softmax_jacobian(soft(X))),
    (lambda z: np.log(soft(z)), X, log_softmax_jacobian(soft(X))),
    (lambda x: x @ A @ x, X, quadratic_form_jacobian(A, X)),
    (np.tanh, X, elementwise_jacobian(1 - np.tanh(X) ** 2)),
    (lambda w: w @ X, A[:3], linear_weight_jacobian(X, 3)),
    (lambda m: np.trace(A[:3] @ m), A[:, :3], trace_jacobian(A[:3])),
    (lambda m: np.log(np.linalg.det(m)), A @ A.T, log_det_jacobian(A @ A.T)),
    (layer_norm, X, layer_norm_jacobian(X, 0.25)),
]


@pytest.mark.parametrize(("f", "x", "closed"), CLOSED)
def test_closed_forms_by_complex_step(f, x, closed):
    verdict = check_jacobian(f, x, closed, 1e-12)
    assert verdict.agrees, verdict


def test_the_complex_step_by_hand():
    found = jacobian(lambda x: np.stack([x[0] * x[1], np.exp(x[0]), x[1] ** 3]), [0.0, 2.0])
    np.testing.assert_allclose(found, [[2, 0], [1, 0], [0, 12]], rtol=1e-15)
    assert jacobian(lambda t: np.stack([t, t * t]), 3.0).tolist() == [1, 6]  # a scalar x: a column
    assert jacobian(lambda x: (x * x).sum(), [1.0, 3.0]).tolist() == [2, 6]  # a scalar y: a row


def test_chain_rule_through_two_layers():
    """∂L/∂W₁ = (∂L/∂h₂)(∂h₂/∂h₁)(∂h₁/∂W₁), against the loss differentiated whole."""
    w_1, w_2, target = RNG.normal(size=(3, 4)), RNG.normal(size=(2, 3)), np.array([0.5, -0.5])

    def loss(first):
        return ((w_2 @ np.tanh(first @ X) - target) ** 2).sum() / 2

    hidden = np.tanh(w_1 @ X)
    factors = (
        w_2 @ hidden - target,
        w_2,
        elementwise_jacobian(1 - hidden**2),
        linear_weight_jacobian(X, 3),
    )
    np.testing.assert_allclose(chain_rule(*factors), jacobian(loss, w_1), rtol=1e-12)
    left = chain_rule(chain_rule(*factors[:2]), chain_rule(*factors[2:]))
    np.testing.assert_allclose(left, chain_rule(*factors), rtol=1e-13)


def test_exact_in_fractions():
    half = Fraction(1, 2)
    matrix = [[half, Fraction(1)], [Fraction(0), Fraction(3)]]
    assert log_det_jacobian(matrix).tolist() == [[2, 0], [Fraction(-2, 3), Fraction(1, 3)]]
    assert softmax_jacobian([half, half]).tolist() == [[half / 2, -half / 2], [-half / 2, half / 2]]
    assert quadratic_form_jacobian(matrix, [Fraction(1), Fraction(2)]).tolist() == [3, 13]
    assert chain_rule([half, half], matrix).tolist() == [half / 2, 2]


def test_rows_of_the_softmax_sum_to_zero_and_the_score_has_mean_zero():
    p = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    assert (softmax_jacobian(p).sum(axis=1) == 0).all()
    assert (np.array(p) @ log_softmax_jacobian(p) == 0).all()


def test_the_checker_names_the_first_wrong_entry():
    wrong = softmax_jacobian(soft(X))
    wrong[1, 2] *= -1
    wrong[3, 0] = 9
    verdict = check_jacobian(soft, X, wrong, 1e-12)
    assert (verdict.agrees, verdict.entry) == (False, (1, 2))
    assert -verdict.claimed == pytest.approx(verdict.found)
    assert verdict.largest_gap == pytest.approx(9 + soft(X)[3] * soft(X)[0])


def test_a_transposed_claim_is_caught():
    with pytest.raises(InvalidBatch, match="outputs first, then inputs"):
        check_jacobian(lambda x: A[:3] @ x, X, A[:3].T, 1e-12)
    assert check_jacobian(lambda x: A @ x, X, A.T, 1e-12).entry == (0, 1)


def test_refusals():
    with pytest.raises(InvalidBatch, match="drops the step"):
        jacobian(np.abs, X)
    with pytest.raises(NotExact):
        jacobian(lambda x: x, [Fraction(1)])
    with pytest.raises(InvalidBatch, match="last axis of a factor"):
        chain_rule(A[:3], A[:3])
    with pytest.raises(InvalidBatch, match="at least one"):
        chain_rule()
    with pytest.raises(InvalidBatch, match=r"give \(n, n\)"):
        quadratic_form_jacobian(A[:3], X)
    with pytest.raises(InvalidBatch, match=r"give \(n, n\)"):
        log_det_jacobian(A[:3])
    with pytest.raises(SingularSystem):
        log_det_jacobian(np.ones((2, 2)))
    with pytest.raises(InvalidBatch, match="variance"):
        layer_norm_jacobian([1.0, 1.0], 0.0)
    with pytest.raises(InvalidBatch, match="two axes"):
        trace_jacobian([1.0])
