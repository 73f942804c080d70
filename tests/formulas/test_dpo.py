from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dpo import dpo_loss, dpo_loss_gradient, dpo_margin, dpo_weight, implicit_rewards
from rlexact.formulas.kl_optimum import kl_regularised_policy
from rlexact.formulas.preference import bradley_terry_probability
from rlexact.symbolic.preference import dpo_gradient, margin, pi, reference

STEP = 1e-30
NAMES = ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")
BATCH = list(np.random.default_rng(0).normal(-3, 1, size=(4, 20)))


def test_the_documents_example():
    """Log-ratios 0.3 and 0.5 at β = 0.1: the argument -0.02, σ 0.495, the loss 0.703."""
    pair = ([0.3], [0.5], [0.0], [0.0], 0.1)
    assert dpo_margin(*pair)[0] == pytest.approx(-0.02)
    assert round(float(1 - dpo_weight(*pair)[0]), 3) == 0.495
    assert round(float(dpo_loss(*pair)[0]), 3) == 0.703


def test_at_the_regularised_optimum_it_ranks_as_bradley_terry_does():
    """The derivation backwards: e^-L with π* in the policy's place is P(w ≻ l) of the true rewards, Z having cancelled."""
    ref, r, beta = np.array([0.2, 0.5, 0.3]), np.array([1.0, -2.0, 0.5]), 0.7
    best = kl_regularised_policy(ref, r, beta)
    for w in range(3):
        for l in range(3):  # noqa: E741
            loss = dpo_loss(*np.log([best[w], best[l], ref[w], ref[l]])[:, None], beta)
            assert np.exp(-loss[0]) == pytest.approx(bradley_terry_probability(r[w], r[l]), rel=1e-13)


@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize("how", ["none", "mean"])
def test_gradient_by_complex_step(k, how):
    moved = [x + 1j * STEP if i == k else x for i, x in enumerate(BATCH)]
    slope = dpo_loss(*moved, 0.3).imag / STEP / (20 if how == "mean" else 1)
    np.testing.assert_allclose(getattr(dpo_loss_gradient(*BATCH, 0.3, reduction=how), NAMES[k]), slope, rtol=1e-12)


def test_gradient_in_logits_is_the_proved_one():
    sympy = pytest.importorskip("sympy")
    from rlexact.symbolic.notation import beta, gradient
    from rlexact.symbolic.preference import z

    logs = [[sympy.log(p)] for p in (pi[0], pi[1], reference[0], reference[1])]
    found = dpo_loss_gradient(*logs, beta)
    chained = found.policy_chosen[0] * gradient(logs[0][0], z) + found.policy_rejected[0] * gradient(logs[1][0], z)
    point = {symbol: sympy.Rational(k, 7) for k, symbol in enumerate(sorted(chained.free_symbols, key=str), 1)}
    gap = (chained - dpo_gradient().right).subs(point)
    assert max(abs(sympy.N(x, 40)) for x in gap) < 1e-35  # 40 digits carried
    assert sympy.simplify(dpo_margin(*logs, beta)[0] - margin(pi)) == 0


def test_margins_are_exact_in_fractions():
    third = Fraction(1, 3)
    rewards = implicit_rewards([third], [Fraction(0)], [Fraction(1)], [Fraction(1)], third)
    assert (rewards.chosen[0], rewards.rejected[0]) == (Fraction(-2, 9), -third)
    assert dpo_margin([third], [Fraction(0)], [Fraction(1)], [Fraction(1)], third)[0] == Fraction(1, 9)


def test_extremes():
    assert dpo_loss([-1e4], [0.0], [0.0], [-1e4], 1.0) == 2e4
    assert dpo_loss([0.0], [-1e4], [-1e4], [0.0], 1.0) == 0
    assert dpo_loss_gradient([-1e4], [0.0], [0.0], [-1e4], 1.0).policy_chosen == -1
    assert dpo_loss_gradient([0.0], [-1e4], [-1e4], [0.0], 1.0).policy_chosen == 0


@pytest.mark.parametrize("beta", [0.0, -0.1])
def test_beta_is_above_zero(beta):
    with pytest.raises(InvalidBatch, match=r"beta = .*: give numbers above 0"):
        dpo_loss([0.0], [0.0], [0.0], [0.0], beta)


def test_refusals():
    with pytest.raises(InvalidBatch, match="finite"):
        dpo_loss([-np.inf], [0.0], [0.0], [0.0], 1.0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        dpo_loss([0.0], [0.0, 0.0], [0.0], [0.0], 1.0)
