"""The soft optimum against direct search over policies, closed forms in high precision, and certified enclosures."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.optimize

from rlexact.arithmetic import NotExact
from rlexact.exact.enclosure import soft_value_enclosure
from rlexact.exact.soft_iteration import soft_policy_iteration, soft_value_iteration
from rlexact.gallery.generators import garnet
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies, softmax, uniform
from rlexact.solution import NotConverged

FLOATS = [MDP.to_float, MDP.to_sparse]
SOLVERS = [soft_value_iteration, soft_policy_iteration]


def searched(model, tau, mu):
    """max over softmax policies of the mean soft value, by BFGS on a plain NumPy solve."""
    P, r, n = model.P, model.r, model.n_states

    def value(logits):
        x = logits.reshape(r.shape)
        pi = np.exp(x - x.max(axis=1, keepdims=True))
        pi /= pi.sum(axis=1, keepdims=True)
        paid = (pi * (r - tau * np.log(pi / mu))).sum(axis=1)
        return np.linalg.solve(np.eye(n) - model.gamma * np.einsum("sa,sat->st", pi, P), paid)

    found = scipy.optimize.minimize(lambda x: -value(x).mean(), np.zeros(r.size), method="BFGS", options={"gtol": 1e-9})
    return value(found.x)


@pytest.mark.filterwarnings("ignore")  # BFGS warns when it reaches the rounding of the objective
@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("seed", range(3))
def test_search_over_policies(solve, seed):
    model = garnet(3, 3, 2, seed, gamma=0.8)
    mu = softmax(model, np.random.default_rng(seed).normal(size=(3, 3)))
    for reference, weights in ((None, np.ones((3, 3))), (mu, mu)):
        answer = solve(model, 0.5, reference)
        assert answer.v == pytest.approx(
            searched(model, 0.5, weights), abs=1e-6
        )  # finite-difference gradients: 1e-8 / curvature


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("tau", [1e-3, 0.05, 1.0, 30.0, 1e3])
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e12])
def test_bandit_in_forty_digits(solve, tau, scale):
    """One state, γ = 7/8: V = 8 τ log Σ exp(r / τ)."""
    rewards = [scale, scale * 0.75, -2 * scale, scale - 0.25]
    model = MDP([[[1.0]] * 4], [rewards], 0.875)
    with mpmath.workdps(40):
        terms = [mpmath.exp((mpmath.mpf(x) - mpmath.mpf(rewards[0])) / mpmath.mpf(tau)) for x in rewards]
        truth = 8 * (mpmath.mpf(rewards[0]) + mpmath.mpf(tau) * mpmath.log(mpmath.fsum(terms)))
    tol = 1e-12 * (scale + tau)
    answer = solve(model, tau, tol=tol)
    assert abs(answer.v[0] - truth) <= answer.error_bound <= tol
    share = np.array([float(t / mpmath.fsum(terms)) for t in terms])
    # a share moves by its exponent's rounding: u |Q| / τ
    assert answer.policy[0] == pytest.approx(share, abs=1e-10 + 20 * scale * 2**-53 / tau)


@pytest.mark.parametrize("convert", FLOATS)
@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("tau", [1e-2, 1.0, 1e2])
def test_bound_against_an_enclosure(convert, solve, tau):
    exact = garnet(6, 3, 2, 8, exact=True, denominator=64, gamma=Fraction(29, 32))  # binary fractions: floats hold them
    answer = solve(convert(exact.to_float()), tau, tol=1e-7)
    truth = soft_value_enclosure(exact, Fraction(tau), digits=25).middle
    error = max(abs(Fraction(x) - y) for x, y in zip(answer.v, truth, strict=True))
    assert error <= answer.error_bound <= 1e-7


@pytest.mark.parametrize("gamma", [0.0, 0.99, 1 - 1e-6])
def test_slow_discounts(gamma):
    """A deterministic cycle of two states with one and two actions: V₀ = r₀ + γ V₁, V₁ = τ log(e^{1/τ} + e^{2/τ}) + γ V₀."""
    model = MDP(
        [[[0, 1.0], [0, 0]], [[1.0, 0], [1.0, 0]]],
        [[-1.0, 0], [1.0, 2.0]],
        gamma,
        available=[[True, False], [True, True]],
    )
    step = np.log(np.e + np.e**2)
    expected = [(-1 + gamma * step) / (1 - gamma**2), (step - gamma) / (1 - gamma**2)]
    assert soft_policy_iteration(model, 1, tol=1e-2 if gamma > 0.9999 else 1e-8).v == pytest.approx(
        expected, rel=1e-9
    )  # 1 - γ² itself loses 1e-10
    if gamma < 0.9999:
        assert soft_value_iteration(model, 1, tol=1e-9).v == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("convert", FLOATS)
def test_cold_limit_is_the_best_deterministic_policy(convert):
    dense = garnet(4, 3, 2, 3)
    values = []
    for policy in deterministic_policies(dense):
        P = np.einsum("sa,sat->st", policy, dense.P)
        values.append(np.linalg.solve(np.eye(4) - 0.9 * P, (policy * dense.r).sum(axis=1)))
    hard = np.max(values, axis=0)
    for tau in (1e-3, 1e-6):
        gap = soft_policy_iteration(convert(dense), tau).v - hard
        assert (gap >= -1e-8).all()
        assert (gap <= tau * np.log(3) / 0.1 + 1e-8).all()


@pytest.mark.parametrize("convert", FLOATS)
def test_hot_limit_is_the_reference(convert):
    dense = garnet(5, 3, 2, 3)
    model, mu = convert(dense), softmax(dense, np.arange(15.0).reshape(5, 3) / 9)
    answer = soft_policy_iteration(model, 1e6, mu, tol=1e-3)
    P = np.einsum("sa,sat->st", mu, dense.P)
    plain = np.linalg.solve(np.eye(5) - 0.9 * P, (mu * dense.r).sum(axis=1))
    assert answer.v == pytest.approx(plain, abs=1e-3)
    assert answer.policy == pytest.approx(mu, abs=1e-5)  # Q / τ is about 1e-5
    assert soft_policy_iteration(model, 1e6, tol=1e-3).policy == pytest.approx(uniform(dense), abs=1e-5)


def test_a_missed_tolerance_is_loud_and_keeps_its_answer():
    model = MDP([[[1.0]] * 2], [[1e12, 1e12 - 1]], 0.875)
    for solve in SOLVERS:
        with pytest.raises(NotConverged, match="rounding") as caught:
            solve(model, 1.0, tol=1e-9)
        best = caught.value.best
        assert 1e-9 < best.error_bound < 1
        assert abs(best.v[0] - 8 * (1e12 + np.log(1 + np.exp(-1)))) <= best.error_bound + 1e-3  # 8e12 has steps of 1e-3


def test_answers_agree_with_themselves():
    model = MDP([[[0, 1.0]] * 2, [[0, 0.0]] * 2], [[1.0, 2.0], [0, 0]], 0.5, terminal=[1])
    answer = soft_policy_iteration(model, 1)
    assert answer.v.tolist() == [pytest.approx(np.log(np.e + np.e**2)), 0]
    assert answer.optimal_actions.tolist() == [[True, True], [False, False]]
    assert answer.policy[1].tolist() == [1, 0]
    one = soft_policy_iteration(model, 1, np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert one.v.tolist() == [pytest.approx(2), 0]
    assert one.optimal_actions.tolist() == [[False, True], [False, False]]


def test_refusals():
    exact = garnet(3, 2, 2, 0, exact=True)
    for solve in SOLVERS:
        for model in (exact, exact.to_symbolic()):
            with pytest.raises(NotExact, match="enclosure"):
                solve(model, 1)
        with pytest.raises(ValueError, match="tol"):
            solve(exact.to_float(), 1, tol=0)
