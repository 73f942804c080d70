"""Regularised improvement against SciPy's optimisers, a linear program, the exact trust-region step, and by hand."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import sympy

from rlexact.arithmetic import NotExact
from rlexact.door import InvalidPolicy
from rlexact.exact.regularised import near_kl, near_reverse_kl, near_variation
from rlexact.exact.trpo import InvalidBudget, reverse_kl_step, trpo_step
from rlexact.gallery import bandit

ALL = [near_kl, near_reverse_kl, near_variation]


def problem(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=4).round(3), rng.dirichlet(np.full(4, 2.0))


def objective(kind, pi, A, mu, lam):
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = {near_kl: np.sum(pi * np.log(pi / mu)), near_reverse_kl: np.sum(mu * np.log(mu / pi))}[kind]
    return pi @ A - lam * kl


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [near_kl, near_reverse_kl])
def test_penalised_against_a_general_optimiser(kind, seed):
    A, mu = problem(seed)
    found = kind(A, mu, multiplier=0.8)

    def loss(x):
        e = np.exp(x - x.max())
        return -objective(kind, e / e.sum(), A, mu, 0.8)

    best = scipy.optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    ours = objective(kind, found.policy, A, mu, 0.8)
    assert abs(ours + best.fun) < 1e-9
    assert ours >= -best.fun - 1e-12
    assert abs(found.policy.sum() - 1) < 1e-14
    assert found.gain == pytest.approx(found.policy @ A - mu @ A, abs=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_formulas_and_normalisers(seed):
    A, mu = problem(seed)
    near = near_kl(A, mu, multiplier=0.5)
    assert np.allclose(near.policy, mu * np.exp((A - near.normaliser) / 0.5), rtol=1e-14, atol=0)
    value = near.policy @ A - 0.5 * near.divergence
    assert near.normaliser == pytest.approx(value, abs=1e-14)  # ν is the optimum of the penalised problem
    reverse = near_reverse_kl(A, mu, multiplier=0.5)
    assert np.allclose(reverse.policy, 0.5 * mu / (reverse.normaliser - A), rtol=1e-12, atol=0)
    assert reverse.normaliser > A.max()


def arms(A):
    return bandit([str(x) for x in A]).to_float()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("budget", [1e-4, 0.05, 0.4])
@pytest.mark.parametrize(("kind", "step"), [(near_kl, reverse_kl_step), (near_reverse_kl, trpo_step)])
def test_constrained_against_the_trust_region_step(kind, step, seed, budget):
    A, mu = problem(seed)
    found, other = kind(A, mu, budget=budget), step(arms(A), [mu], budget)
    assert np.abs(found.policy - other.policy[0]).max() < 1e-9  # two root searches, each to about 1e-12 of λ
    assert found.multiplier == pytest.approx(other.multiplier, rel=1e-8)
    assert found.divergence == pytest.approx(budget, rel=1e-9)
    assert other.kkt_residual < 1e-8


@pytest.mark.parametrize("kind", [near_kl, near_reverse_kl])
def test_the_multiplier_is_the_price_of_the_budget(kind):
    A, mu = problem(7)
    h = 1e-5
    rise = (kind(A, mu, budget=0.1 + h).gain - kind(A, mu, budget=0.1 - h).gain) / (2 * h)
    assert rise == pytest.approx(kind(A, mu, budget=0.1).multiplier, rel=1e-6)  # central difference, h² / 0.1²


def variation_program(A, mu, lam=None, budget=None):
    """max π · A - λ Σ t / 2, or subject to Σ t ≤ 2 δ, with t ≥ |π - μ|: HiGHS."""
    n = len(A)
    eye = np.eye(n)
    rows = np.block([[eye, -eye], [-eye, -eye]])
    limits = np.concatenate([mu, -mu])
    cost = np.concatenate([-A, np.full(n, 0.0 if lam is None else lam / 2)])
    if budget is not None:
        rows, limits = np.vstack([rows, np.r_[np.zeros(n), np.ones(n)]]), np.append(limits, 2 * budget)
    total = np.r_[np.ones(n), np.zeros(n)][None, :]
    return -scipy.optimize.linprog(cost, rows, limits, total, [1.0]).fun


@pytest.mark.parametrize("seed", range(6))
def test_variation_against_a_linear_program(seed):
    A, mu = problem(seed)
    for lam in (0.1, 0.7, 2.0, 9.0):
        found = near_variation(A, mu, multiplier=lam)
        assert found.policy @ A - lam * found.divergence == pytest.approx(variation_program(A, mu, lam=lam), abs=1e-9)
    for budget in (0.01, 0.2, 0.5, 1.0):
        found = near_variation(A, mu, budget=budget)
        assert found.policy @ A == pytest.approx(variation_program(A, mu, budget=budget), abs=1e-9)  # HiGHS's tolerance
        assert found.divergence <= budget + 1e-15
        assert (found.policy >= 0).all()
        assert found.policy.sum() == pytest.approx(1, abs=1e-15)


def test_variation_by_hand_in_rationals():
    A, mu = ["3", 1, 0], ["1/4", "1/2", "1/4"]
    half = near_variation(A, mu, budget="1/2")
    assert list(half.policy) == [Fraction(3, 4), Fraction(1, 4), 0]
    assert half.multiplier == 2
    assert half.normaliser == 1
    assert half.gain == Fraction(3, 4) + Fraction(1, 2)
    edge = near_variation(A, mu, budget="1/4")  # the worst is just gone: one more unit would come from the next
    assert list(edge.policy) == [Fraction(1, 2), Fraction(1, 2), 0]
    assert edge.multiplier == 2
    all_of_it = near_variation(A, mu, budget="4/5")
    assert list(all_of_it.policy) == [1, 0, 0]
    assert all_of_it.multiplier == 0
    assert all_of_it.divergence == Fraction(3, 4)
    assert list(near_variation(A, mu, multiplier=2).policy) == [Fraction(1, 2), Fraction(1, 2), 0]
    assert list(near_variation(A, mu, multiplier="5/2").policy) == [Fraction(1, 2), Fraction(1, 2), 0]
    assert list(near_variation(A, mu, multiplier=3).policy) == [Fraction(x) for x in mu]


def test_an_action_that_the_reference_never_takes():
    """KL(π ‖ μ) forbids it; KL(μ ‖ π) does not, and gives it what the formula leaves over."""
    A, mu = [2.0, 1.0, 0.0], [0.0, 0.5, 0.5]
    assert near_kl(A, mu, multiplier=0.5).policy[0] == 0
    free = near_reverse_kl(A, mu, multiplier=0.5)
    assert free.normaliser == pytest.approx(2)
    assert np.allclose(free.policy, [0.625, 0.25, 0.125], rtol=0, atol=1e-14)
    bound = near_reverse_kl(A, mu, multiplier=5)
    assert bound.policy[0] == pytest.approx(0, abs=1e-14)
    assert bound.normaliser > 2
    kept = near_reverse_kl(A, mu, budget=0.5)
    assert kept.divergence == pytest.approx(0.5, rel=1e-9)
    assert kept.policy[0] > 0
    grid = np.linspace(0.01, 0.98, 400)
    x, y = np.meshgrid(grid, grid)
    inside = (x + y < 1) & (-0.5 * np.log(4 * x * y) <= 0.5)
    best = (2 * (1 - x - y) + x)[inside].max() - 0.5
    assert best <= kept.gain <= best + 0.02  # the grid is 0.0025 wide


def test_a_budget_that_admits_the_best():
    A, mu = [1.0, 1.0, 0.0], [0.25, 0.25, 0.5]
    free = near_kl(A, mu, budget=1.0)
    assert free.multiplier == 0
    assert list(free.policy) == [0.5, 0.5, 0]
    assert free.divergence == pytest.approx(np.log(2))
    level = near_reverse_kl([2.0, 2.0], [0.3, 0.7], budget=0.1)
    assert level.multiplier == 0
    assert list(level.policy) == [0.3, 0.7]


def test_extreme_numbers():
    """Advantages of 1e12 and prices of 1e-3: nothing overflows, and the limits come out."""
    A, mu = [1e12, 0.0, -1e12], [0.2, 0.3, 0.5]
    assert near_kl(A, mu, multiplier=1e-3).policy.tolist() == [1, 0, 0]
    assert np.allclose(near_kl(A, mu, multiplier=1e30).policy, mu, rtol=1e-12)
    assert np.allclose(near_reverse_kl(A, mu, multiplier=1e-3).policy, [1, 0, 0], atol=1e-12)
    assert np.allclose(near_reverse_kl(A, mu, multiplier=1e30).policy, mu, rtol=1e-12)


def test_symbols():
    a, lam = sympy.symbols("a lambda", positive=True)
    half = sympy.Rational(1, 2)
    found = near_kl([a, 0], [half, half], multiplier=lam)
    assert sympy.simplify(found.policy[0] - 1 / (1 + sympy.exp(-a / lam))) == 0
    assert sympy.simplify(found.normaliser - lam * sympy.log((sympy.exp(a / lam) + 1) / 2)) == 0


@pytest.mark.parametrize("kind", ALL)
def test_refusals(kind):
    with pytest.raises(InvalidPolicy, match="sum to 1"):
        kind([1.0, 2.0], [0.5, 0.6], multiplier=1.0)
    with pytest.raises(InvalidPolicy, match="sum to 1"):
        kind([1.0, 2.0], [-0.5, 1.5], multiplier=1.0)
    for bad in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(InvalidBudget, match="positive"):
            kind([1.0, 2.0], [0.5, 0.5], budget=bad)
    with pytest.raises(ValueError, match="not both"):
        kind([1.0, 2.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="shape"):
        kind([1.0], [0.5, 0.5], multiplier=1.0)
    if kind is not near_variation:
        with pytest.raises(NotExact):
            kind(["1", 2], ["1/2", "1/2"], multiplier=1)
        with pytest.raises(NotExact):
            kind(["1", 2], ["1/2", "1/2"], budget=1)
