from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.policy_distance import kl
from rlexact.exact.regularised import near_reverse_kl
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.ppo_penalty import (
    adaptive_kl_coefficient,
    penalised_surrogate,
    penalised_surrogate_gradient,
    ppo_penalty_loss,
    ppo_penalty_loss_gradient,
)
from rlexact.gallery import fork

OLD = np.array([0.5, 0.3, 0.2])
NEW = np.array([0.2, 0.2, 0.6])
A = np.array([1.0, -2.0, 0.5])


def test_mean_over_the_old_policy_is_the_penalised_objective():
    """KL by the exact room, of the old policy first."""
    divergence = kl(fork().to_float(), OLD[None], NEW[None])[0]
    expected = NEW @ A - 3 * divergence
    assert -(OLD @ ppo_penalty_loss(np.log(NEW), np.log(OLD), A, 3.0)) == pytest.approx(expected, rel=1e-13)
    given = penalised_surrogate(NEW / OLD, A, np.full(3, divergence), 3.0)
    assert OLD @ given == pytest.approx(expected, rel=1e-13)


def test_mean_gradient_vanishes_at_the_exact_optimum():
    """The best policy for this penalty, found by another room: its logit gradient is 0."""
    beta = 1.7
    best = near_reverse_kl(A, OLD, multiplier=beta).policy
    slope = ppo_penalty_loss_gradient(np.log(best), np.log(OLD), A, beta)
    np.testing.assert_allclose((OLD * slope) @ (np.eye(3) - best), 0, atol=1e-13)  # sums of numbers of size one
    assert abs((OLD * ppo_penalty_loss_gradient(np.log(NEW), np.log(OLD), A, beta)) @ (np.eye(3) - NEW)).max() > 0.1


def test_gradient_by_complex_step():
    log_p, log_old, adv = np.random.default_rng(0).normal(size=(3, 20))
    step = 1e-30  # no subtraction: exact to rounding
    slope = ppo_penalty_loss(log_p + 1j * step, log_old, adv, 0.4).imag / step
    np.testing.assert_allclose(ppo_penalty_loss_gradient(log_p, log_old, adv, 0.4), slope, rtol=1e-13)


def test_gradient_of_the_exact_form_by_difference():
    rho, adv, d, h = np.array([Fraction(3, 2)]), Fraction(2), np.array([Fraction(1, 3)]), Fraction(1, 7)
    found, here = penalised_surrogate_gradient(rho, adv, d, 5), penalised_surrogate(rho, adv, d, 5)
    assert found.ratios == (penalised_surrogate(rho + h, adv, d, 5) - here) / h
    assert found.divergences == (penalised_surrogate(rho, adv, d + h, 5) - here) / h


@pytest.mark.parametrize(
    ("d", "factor"),
    [
        (Fraction(0), Fraction(1, 2)),
        (Fraction(199, 300), Fraction(1, 2)),
        (Fraction(2, 3), 1),  # d_target / 1.5 itself
        (Fraction(3, 2), 1),
        (Fraction(151, 100), 2),
    ],
)
def test_adaptive_rule_at_its_edges(d, factor):
    assert adaptive_kl_coefficient(Fraction(3), d, Fraction(1)) == 3 * factor


def test_extremes_and_refusals():
    assert ppo_penalty_loss([-1e4], [0.0], [1.0], 2.0) == 2e4
    with pytest.raises(InvalidBatch, match="largest float"):
        ppo_penalty_loss([0.0], [-1e4], [1.0], 2.0)
    with pytest.raises(InvalidBatch, match="kl_coef = -1"):
        ppo_penalty_loss([0.0], [0.0], [1.0], -1.0)
    with pytest.raises(InvalidBatch, match="target = 0"):
        adaptive_kl_coefficient(1.0, 0.1, 0.0)
    with pytest.raises(InvalidBatch, match="divergence = -1"):
        adaptive_kl_coefficient(1.0, -1.0, 0.1)
    with pytest.raises(InvalidBatch, match="divergences"):
        penalised_surrogate([1.0], [1.0], [-0.1], 1.0)
