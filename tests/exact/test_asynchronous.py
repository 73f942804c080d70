"""Stale gradients against polynomials by hand; correlated samples against closed forms and enumerated paths."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.exact import parameterisation as pm
from rlexact.exact.asynchronous import (
    asymptotic_variance,
    autocovariance,
    delay_companion,
    delayed_ascent,
    effective_sample_size,
    mean_variance,
    stale_gradient,
)
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.stability import schur_stable
from rlexact.exact.stationary import stationary
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import uniform
from tests.strategies import WORLDS, as_floats, in_world

HALF, QUARTER, TENTH = Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)


def in_a_row(length, world="rational"):
    """`length` choices to get through by the first action, then one of the second pays 1: J = x^length (1 - x) at γ = 1."""
    rows = [[[(1, s + 1, 0, False)], [(1, None, 0, True)]] for s in range(length)]
    return in_world(MDP.from_outcomes([*rows, [[(1, None, 0, True)], [(1, None, 1, True)]]], Fraction(1), 0), world)


def same_everywhere(mdp):
    """The first action with probability x in every state: θ = (x,)."""

    def at(theta):
        x, n = theta[0], mdp.n_states
        policy, slopes = np.array([[x, 1 - x]] * n), np.array([[[1], [-1]]] * n)
        return pm.with_jacobian(mdp, policy, slopes, np.zeros((n, 2, 1, 1), dtype=int))

    return at


def number(mdp, x):
    return mdp.beside("x", [x if mdp.world in ("rational", "symbolic") else float(x)])


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a_quadratic_by_hand(world, delay):
    """J = x (1 - x), e = x - 1/2: g = -2 e, e ← (1 - 2α) e without delay, so the bias is 2 e_0 ((1 - 2α)^d - 1)."""
    mdp = in_a_row(1, world)
    alpha, e = TENTH, QUARTER
    stale = stale_gradient(mdp, same_everywhere(mdp), number(mdp, HALF + e), "1/10" if "f" not in world else 0.1, delay)
    late = e * (1 - 2 * alpha) ** delay
    for found, truth in (
        (stale.theta, HALF + late),
        (stale.fresh, -2 * late),
        (stale.stale, -2 * e),
        (stale.bias, 2 * late - 2 * e),
        (stale.first_order, -4 * delay * alpha * late),
    ):
        assert abs(as_floats(found)[0] - float(truth)) < 1e-14
        assert "float" in world or found[0] == sympy.Rational(truth) or found[0] == truth


def test_the_first_order_is_what_is_left_as_steps_shrink():
    """J = x² (1 - x): the error of [A3] falls like α², to a quarter when α is halved."""
    mdp = in_a_row(2)
    left = []
    for alpha in (Fraction(1, 10**6), Fraction(1, 2 * 10**6)):
        stale = stale_gradient(mdp, same_everywhere(mdp), np.array([HALF]), alpha, 3)
        x = stale.theta[0]
        assert stale.fresh[0] == 2 * x - 3 * x**2
        assert stale.first_order[0] == -3 * alpha * (2 - 6 * x) * (2 * x - 3 * x**2)
        left.append(stale.bias[0] - stale.first_order[0])
    assert left[0] != 0
    assert abs(left[0] / left[1] - 4) < Fraction(1, 1000)  # the next order: α times a few hundred here


@pytest.mark.parametrize("world", WORLDS)
def test_delayed_ascent_is_the_recursion(world):
    mdp, n, d = in_a_row(1, world), 9, 2
    alpha = "1/10" if "f" not in world else 0.1
    passed = as_floats(delayed_ascent(mdp, same_everywhere(mdp), number(mdp, Fraction(3, 4)), alpha, d, n))
    e = [QUARTER]
    for k in range(n):
        e.append(e[k] - 2 * TENTH * e[max(k - d, 0)])
    assert passed.shape == (n + 1, 1)
    assert np.allclose(passed[:, 0], [float(HALF + x) for x in e], rtol=0, atol=1e-14)


@pytest.mark.parametrize("delay", [0, 1, 2, 5])
def test_the_largest_stable_step(delay):
    """αh < 2 sin(π / (4d + 2)), decided exactly on either side of it, and what delayed ascent then does."""
    edge = 2 * np.sin(np.pi / (4 * delay + 2))
    below, above = (Fraction(round(1000 * edge * s), 1000) for s in (0.98, 1.02))
    H = np.array([[Fraction(-1)]])
    assert schur_stable(delay_companion(H, below, delay))
    assert not schur_stable(delay_companion(H, above, delay))
    M = np.linalg.matrix_power(ar.dense_array(delay_companion(H.astype(float), float(below), delay)), 3000)
    assert np.abs(M).max() < 1e-3


def test_the_companion_of_two_parameters():
    H = np.array([[Fraction(-2), Fraction(1)], [Fraction(1), Fraction(-3)]])
    M = ar.dense_array(delay_companion(H, TENTH, 1))
    x, before = np.array([Fraction(1), Fraction(2)]), np.array([Fraction(-1), Fraction(4)])
    after = M @ np.concatenate([x, before])
    assert (after == np.concatenate([x + TENTH * (H @ before), x])).all()
    assert (
        ar.dense_array(delay_companion(H, TENTH, 0)) == np.array([[Fraction(8, 10), TENTH], [TENTH, Fraction(7, 10)]])
    ).all()


# -- samples ----------------------------------------------------------------------------------------------------------


def two_states(p, q, world="rational"):
    """0 → 1 with probability p, 1 → 0 with q: stationary (q, p) / (p + q), second eigenvalue 1 - p - q."""
    return in_world(MDP.chain([[1 - p, p], [q, 1 - q]], gamma=HALF), world)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("p", "q"), [(QUARTER, Fraction(1, 8)), (Fraction(3, 4), Fraction(7, 8))])
def test_two_states_in_closed_form(world, p, q):
    """C_k = 9 d₀ d₁ λ^k for f = (1, 4); lim n Var = C_0 (1 + λ) / (1 - λ); sticky chains cost samples, alternating ones save."""
    mdp = two_states(p, q, world)
    pi, f, n = uniform(mdp), np.array([1, 4]), 5
    lam, C0 = 1 - p - q, 9 * p * q / (p + q) ** 2
    spread = sum(lam ** abs(i - j) for i in range(n) for j in range(n)) * C0 / n**2
    for found, truth in (
        (autocovariance(mdp, pi, f, 3), [C0 * lam**k for k in range(4)]),
        ([mean_variance(mdp, pi, f, n)], [spread]),
        ([mean_variance(mdp, pi, f, n, workers=3)], [spread / 3]),
        ([mean_variance(mdp, pi, f, 1, workers=n)], [C0 / n]),
        ([asymptotic_variance(mdp, pi, f)], [C0 * (1 + lam) / (1 - lam)]),
        ([effective_sample_size(mdp, pi, f, n, workers=2)], [2 * C0 / spread]),
    ):
        assert np.allclose(as_floats(found), [float(x) for x in truth], rtol=1e-12)  # a few roundings
        assert "float" in world or all(x == y or x == sympy.Rational(y) for x, y in zip(found, truth, strict=True))
    assert (C0 / spread < n) == (lam > 0)


def wandering(world="rational"):
    """Two actions, a transient start, three states that are visited for ever."""
    table = {
        (0, 0): [(1, 1, 0, False)],
        (0, 1): [(HALF, 0, 0, False), (HALF, 2, 0, False)],
        (1, 0): [(HALF, 2, 0, False), (HALF, 1, 0, False)],
        (1, 1): [(1, 3, 0, False)],
        (2, 0): [(QUARTER, 1, 0, False), (3 * QUARTER, 3, 0, False)],
        (3, 0): [(1, 1, 0, False)],
        (3, 1): [(HALF, 3, 0, False), (HALF, 2, 0, False)],
    }
    return in_world(MDP.from_outcomes(table, HALF, 0), world)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("of_pairs", [False, True])
def test_means_of_n_steps_over_every_path(world, of_pairs):
    exact, n = wandering(), 4
    pi, law = uniform(exact), stationary(exact, uniform(exact))
    f = np.array([[3, -1], [2, 5], [-4, 0], [1, 7]]) if of_pairs else np.array([9, 2, -4, 1])

    def mean(path):
        steps = zip(path.states, path.actions, strict=False)
        return Fraction(int(sum(f[s, b] if of_pairs else f[s] for s, b in steps)), n)

    truth = estimator_law(exact, pi, n, mean, start=law).variance
    mdp = wandering(world)
    found = mean_variance(mdp, uniform(mdp), f, n)
    assert abs(float(found) - float(truth)) < 1e-12
    assert "float" in world or found == truth or found == sympy.Rational(truth)


@pytest.mark.parametrize("of_pairs", [False, True])
def test_the_asymptotic_variance_is_the_limit(of_pairs):
    """n Var = σ² - c / n with geometric corrections: extrapolated from two n."""
    mdp = wandering("sparse float64")
    pi, f = uniform(mdp), np.arange(8.0).reshape(4, 2) ** 2 if of_pairs else np.arange(4.0) ** 2
    at = {n: n * mean_variance(mdp, pi, f, n) for n in (100, 200)}
    assert abs(2 * at[200] - at[100] - asymptotic_variance(mdp, pi, f)) < 1e-9 * at[200]


def test_a_chain_that_alternates_has_a_mean_without_variance():
    mdp = two_states(Fraction(1), Fraction(1))
    pi, f = uniform(mdp), np.array([1, 4])
    assert asymptotic_variance(mdp, pi, f) == 0
    assert mean_variance(mdp, pi, f, 3) == Fraction(1, 4)
    with pytest.raises(ValueError, match="does not vary"):
        effective_sample_size(mdp, pi, f, 2)


def test_refusals():
    mdp = two_states(HALF, HALF)
    with pytest.raises(ValueError, match="shape"):
        autocovariance(mdp, uniform(mdp), np.array([1, 2, 3]), 1)
    with pytest.raises(ValueError, match="lags"):
        autocovariance(mdp, uniform(mdp), np.array([1, 2]), -1)
    with pytest.raises(ValueError, match="workers"):
        mean_variance(mdp, uniform(mdp), np.array([1, 2]), 2, workers=0)
    with pytest.raises(InvalidPolicy, match="closed classes"):
        asymptotic_variance(two_states(Fraction(0), Fraction(0)), uniform(mdp), np.array([1, 2]))
    row = in_a_row(1)
    with pytest.raises(ValueError, match="delay"):
        stale_gradient(row, same_everywhere(row), np.array([HALF]), TENTH, -1)
    with pytest.raises(InvalidPolicy, match="negative"):
        delayed_ascent(row, same_everywhere(row), np.array([Fraction(9, 10)]), 3, 0, 2)
