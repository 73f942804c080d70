"""Target networks against the loop of updates and copies, written out in fractions."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.exact.linear_td import linear_td
from rlexact.exact.stability import schur_stable
from rlexact.exact.target_network import fitted, hard_target, soft_target
from rlexact.gallery.counterexamples import tsitsiklis_van_roy, w_to_2w
from rlexact.mdp import MDP

ALPHA, TAU, GAMMA = Fraction(1, 5), Fraction(1, 7), Fraction(9, 10)
ROWS = [["1/2", "1/2", 0], [0, "1/3", "2/3"], ["3/4", 0, "1/4"]]
R = [Fraction(1), Fraction(-2), Fraction(5)]
PHI = np.array([[1, 0], [2, 1], [-1, 3]], dtype=object) * Fraction(1)
D = np.array([Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)])
START = np.array([Fraction(3), Fraction(-2)])


def learner(lam=0, phi=PHI, world=lambda m: m):
    mdp = world(MDP.chain(ROWS, R=R, gamma=GAMMA))
    return linear_td(mdp, np.array([[Fraction(1)]] * 3), phi, D, lam)


def floats(lam=0):
    mdp = MDP.chain(ROWS, R=R, gamma=GAMMA).to_float()
    return linear_td(mdp, np.ones((3, 1)), PHI.astype(float), D.astype(float), lam)


def step(theta, frozen):
    """θ + α Σ_s d(s) (r + γ Σ P φ'·θ⁻ - φ·θ) φ, state by state."""
    P = [[Fraction(x) for x in row] for row in ROWS]
    old = PHI @ frozen
    deltas = [R[s] + GAMMA * sum(P[s] * old) - sum(PHI[s] * theta) for s in range(3)]
    return theta + ALPHA * sum(D[s] * deltas[s] * PHI[s] for s in range(3))


@pytest.mark.parametrize("updates", [1, 2, 5])
def test_hard_target_is_the_loop(updates):
    period, frozen = hard_target(learner(), ALPHA, updates), START
    for periods in (1, 2):
        theta = frozen
        for _ in range(updates):
            theta = step(theta, frozen)
        frozen = theta
        assert list(period.after(periods)(START)) == list(frozen)


@pytest.mark.parametrize("world", [lambda m: m, lambda m: m.to_symbolic()])
def test_soft_target_is_the_loop(world):
    both = soft_target(learner(world=world), ALPHA, TAU)
    theta, frozen = START, -START
    for updates in (1, 2, 3):
        theta = step(theta, frozen)
        frozen = (1 - TAU) * frozen + TAU * theta
        assert list(both.after(updates)(np.concatenate([START, -START]))) == [*theta, *frozen]


@pytest.mark.parametrize("lam", [0, Fraction(1, 2)])
def test_every_target_network_stands_where_td_does(lam):
    td = learner(lam)
    theta = list(td.fixed_point())
    assert list(hard_target(td, ALPHA, 4).fixed_point()) == theta
    assert list(fitted(td).fixed_point()) == theta
    assert list(soft_target(td, ALPHA, TAU).fixed_point()) == theta + theta


def test_without_a_delay_it_is_td():
    td = learner(Fraction(1, 3))
    plain = td.update(ALPHA)
    assert hard_target(td, ALPHA, 1).matrix == plain.matrix
    soft = soft_target(td, ALPHA, 1).after(2)(np.concatenate([START, START]))
    assert list(soft) == 2 * list(plain.after(2)(START))


def test_fitted_minimises_and_is_the_limit_of_long_periods():
    td = learner()
    target = td.backup(td.values(START))
    theta = fitted(td)(START)

    def loss(t):
        return sum(D * (td.values(t) - target) ** 2)

    for e in ([1, 0], [0, 1]):
        assert loss(theta + np.array(e)) == loss(theta - np.array(e)) > loss(theta)  # a quadratic at its minimum
    long = hard_target(floats(), 0.2, 4000)
    np.testing.assert_allclose(long.matrix, fitted(floats()).matrix, atol=1e-12)  # (1 - α·λ_min)^4000 is below 1e-100


def test_fitted_with_dependent_features_has_the_values_of_independent_ones():
    doubled = fitted(learner(phi=PHI[:, [0, 1, 1]]))(np.array([START[0], START[1], Fraction(0)]))
    theta = fitted(learner())(START)
    assert list(doubled) == [theta[0], theta[1] / 2, theta[1] / 2]


def test_tsitsiklis_and_van_roy_diverge_by_the_published_factor():
    for epsilon in (Fraction(0), Fraction(1, 10), Fraction(1, 2)):
        t = tsitsiklis_van_roy(epsilon, Fraction(99, 100))
        period = fitted(linear_td(t.mdp, t.policy, t.features, t.weights))
        factor = (6 - 4 * epsilon) / 5 * Fraction(99, 100)
        assert list(period(t.start)) == [factor]
        assert schur_stable(period.matrix) == (factor < 1)


def test_a_target_network_does_not_save_w_to_2w():
    """θ⁻ ← (2γ + (1 - 2γ)(1 - α)^m) θ⁻: between 1 and 2γ, whatever the delay."""
    w = w_to_2w(gamma="3/4")
    td = linear_td(w.mdp, w.policy, w.features, w.weights)
    for m in (1, 3, 10):
        assert list(hard_target(td, ALPHA, m)(w.start)) == [Fraction(3, 2) - Fraction(1, 2) * (1 - ALPHA) ** m]
        assert not schur_stable(hard_target(td, ALPHA, m).matrix)
    assert not schur_stable(soft_target(td, ALPHA, TAU).matrix)


def test_spectral_radius_and_exact_verdict_agree():
    for lam in (0.0, 0.5):
        for alpha in (0.2, 0.7, 2.0):
            soft = soft_target(floats(lam), alpha, 0.25)
            exact = soft_target(learner(Fraction(lam)), Fraction(str(alpha)), Fraction(1, 4))
            assert (soft.spectral_radius() < 1) == schur_stable(soft.matrix) == schur_stable(exact.matrix)
    assert schur_stable(exact.matrix) is False
    assert schur_stable(hard_target(learner(), ALPHA, 3).matrix) is True


def test_symbolic_step_size():
    alpha = sympy.Symbol("alpha", positive=True)
    w = w_to_2w(gamma=sympy.Symbol("gamma", positive=True))
    td = linear_td(w.mdp, w.policy, w.features, w.weights)
    want = 2 * w.mdp.gamma + (1 - 2 * w.mdp.gamma) * (1 - alpha) ** 2
    assert sympy.expand(hard_target(td, alpha, 2).matrix.to_array()[0, 0] - want) == 0


def test_bad_input_is_refused_by_name():
    with pytest.raises(ValueError, match="0 updates between copies"):
        hard_target(learner(), ALPHA, 0)
    with pytest.raises(ValueError, match="tau = Fraction"):
        soft_target(learner(), ALPHA, Fraction(3, 2))
    with pytest.raises(ValueError, match="alpha"):
        soft_target(learner(), -1, TAU)
