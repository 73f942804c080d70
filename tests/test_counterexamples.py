"""The counterexamples against the numbers and the differential equations that their authors give."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import sympy

from rlexact.exact.linear_td import linear_td
from rlexact.exact.stationary import stationary
from rlexact.gallery import baird_star, doubling, three_ring
from rlexact.gallery.counterexamples import baird, spiral, tsitsiklis_van_roy, w_to_2w
from rlexact.policy import uniform


def td_of(example, lam=0):
    return linear_td(example.mdp, example.policy, example.features, example.weights, lam)


def test_baird_is_the_published_star():
    b = baird()
    assert b.features[:6].tolist() == [[2 * (i == j) for j in range(7)] + [1] for i in range(6)]
    assert b.features[6].tolist() == [0, 0, 0, 0, 0, 0, 1, 2]
    assert (b.features @ b.start).tolist() == [3] * 6 + [12]  # 2·1 + 1, and 10 + 2·1
    P = baird_star().P
    assert (P[:, 1, 6] == 1).all()
    assert (P[:, 0, :6] == Fraction(1, 6)).all()
    behaviour = np.array([[Fraction(6, 7), Fraction(1, 7)]] * 7)
    assert (stationary(baird_star(), behaviour) == b.weights).all()  # dashed with 6/7 visits all states alike
    assert not b.mdp.r.any()


def test_baird_is_saved_by_the_policy_by_no_discount_and_by_long_traces():
    b = baird()
    assert not td_of(b).stable()
    on_policy = linear_td(b.mdp, b.policy, b.features, stationary(b.mdp, b.policy))
    assert not (on_policy.A.to_array() != (1 - b.mdp.gamma) * np.outer(b.features[6], b.features[6])).any()
    assert td_of(baird(gamma="0")).stable()
    assert td_of(b, 1).stable()  # λ = 1 regresses on returns


def test_w_to_2w_diverges_beyond_one_half():
    for gamma, stable in (("49/100", True), ("1/2", False), ("51/100", False)):
        td = td_of(w_to_2w(gamma=gamma))
        assert td.A.to_array().tolist() == [[1 - 2 * Fraction(gamma)]]
        assert td.stable() is stable
        assert list(td.update("1/4")([1])) == [1 + Fraction(1, 4) * (2 * Fraction(gamma) - 1)]
    assert doubling("1/3").ends[1, 0] == Fraction(1, 3)


def test_both_states_alike_diverge_beyond_five_over_six_minus_four_epsilon():
    """A = ½(1 - 2γ) + ½·2(2 - 2γ(1 - ε)) = ½(5 - (6 - 4ε)γ)."""
    gamma, epsilon = sympy.symbols("gamma epsilon", positive=True)
    A = td_of(tsitsiklis_van_roy(epsilon, gamma)).A.to_array()[0, 0]
    assert sympy.expand(2 * A - (5 - (6 - 4 * epsilon) * gamma)) == 0


def test_the_ring_is_sampled_on_policy():
    assert list(stationary(three_ring(), uniform(three_ring()))) == [Fraction(1, 3)] * 3


@pytest.mark.parametrize(("epsilon", "gamma"), [("1/20", "99/100"), ("1/2", "1/3"), ("0", "1/2")])
def test_growth_is_one_number_on_the_plane(epsilon, gamma):
    s, e, g = spiral(epsilon, gamma), Fraction(epsilon), Fraction(gamma)
    assert s.growth == 3 * g / 8 - e * (1 - g / 4)
    for v in ([1, -1, 0], [1, 1, -2], [3, -5, 2]):
        v = np.array(v, dtype=object)
        assert v @ s.drift @ v == s.growth * (v @ v)
        assert v @ s.generator @ v == e * (v @ v)
        assert (s.generator @ v).sum() == 0  # the values stay in the plane


def test_the_spiral_leaves_the_true_values():
    """θ and V integrated together: θ rises, and ‖V‖ = e^(εθ) ‖V(0)‖ with it."""
    s = spiral()
    Q, P, gamma = s.generator.astype(float), three_ring().to_float().kernel, 0.99
    start = np.array([1.0, -1.0, 0.0])

    def velocity(_, state):
        v = state[1:]
        speed = (Q @ v) @ (gamma * P @ v - v) / 3
        return [speed, *(speed * (Q @ v))]

    run = scipy.integrate.solve_ivp(velocity, (0, 20), [0.0, *start], rtol=1e-10, atol=1e-12)
    theta, v = run.y[0], run.y[1:]
    assert (np.diff(theta) > 0).all()
    sizes = np.linalg.norm(v, axis=0)
    np.testing.assert_allclose(
        sizes, np.exp(0.05 * theta) * np.sqrt(2), rtol=1e-7
    )  # the integrator's 1e-10 over 20 units
    rate = 2 * float(s.growth) / 3  # θ' = ⅓ growth ‖V‖² = rate · e^(2εθ), so e^(-2εθ) = 1 - 2ε rate t
    np.testing.assert_allclose(np.exp(-0.1 * theta), 1 - 0.1 * rate * run.t, rtol=1e-6)


def test_the_spiral_needs_nonlinearity():
    """The same ring with any fixed features is on-policy and stable."""
    mdp = three_ring()
    for features in ([[1], [-1], [0]], [[1, 0], [0, 1], [1, 1]]):
        assert linear_td(mdp, uniform(mdp), features, ["1/3"] * 3).stable()
