"""Soft control at γ = 1: finite totals against Todorov's linear equation, infinite ones against a spectral radius."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from rlexact.exact.enclosure import soft_value_enclosure
from rlexact.exact.soft_bellman import soft_control
from rlexact.exact.soft_bounds import by_steps, steps_left
from rlexact.exact.soft_bounds import verified as verifies
from rlexact.exact.soft_gain import soft_gains
from rlexact.exact.soft_iteration import soft_policy_iteration, soft_value_iteration
from rlexact.mdp import MDP
from rlexact.policy import uniform
from rlexact.solution import NotConverged, Unbounded

FLOATS = [MDP.to_float, MDP.to_sparse]
SOLVERS = [soft_value_iteration, soft_policy_iteration]


def routes(seed, cost, n=5):
    """Deterministic steps: two random edges per state at a cost, and an edge on to the next state, the last one an end."""
    rng = np.random.default_rng(seed)
    outcomes = {}
    for s in range(n):
        for a in range(2):
            outcomes[s, a] = [(1, int(rng.integers(n)), -cost * int(rng.integers(1, 4)), False)]
        outcomes[s, 2] = [(1, s + 1 if s + 1 < n else None, -cost, s + 1 == n)]
    return MDP.from_outcomes(outcomes, 1)


def linear(model, tau):
    """M[s, s'] = Σ_a exp(r / τ) over steps to s', b[s] the same over ends."""
    n = model.n_states
    M, b = np.zeros((n, n)), np.zeros(n)
    for s in range(n):
        for a in range(model.n_actions):
            for _, after, reward, ended in model.outcomes(s, a):
                if ended:
                    b[s] += np.exp(float(reward) / tau)
                else:
                    M[s, after] += np.exp(float(reward) / tau)
    return M, b


@pytest.mark.parametrize("seed", range(12))
def test_infinite_from_spectral_radius_one(seed):
    """V = τ log (I - M)⁻¹ b where the spectral radius is below 1, refused where it is above."""
    tau, seen = 1.0, set()
    for cost in (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(9, 10), Fraction(5, 4), Fraction(2)):
        model = routes(seed, cost)
        M, b = linear(model, tau)
        radius = max(abs(np.linalg.eigvals(M)))
        for convert in FLOATS:
            floats = convert(model.to_float())
            seen.add(radius < 1)
            if radius > 1:
                with pytest.raises(Unbounded, match="for ever"):
                    soft_policy_iteration(floats, tau)
                with pytest.raises(Unbounded, match="for ever"):
                    soft_value_enclosure(model, 1)
                continue
            expected = tau * np.log(np.linalg.solve(np.eye(5) - M, b))
            for solve in SOLVERS:
                answer = solve(floats, tau)
                assert answer.error_bound <= 1e-8
                assert answer.v == pytest.approx(expected, abs=2e-8)
    assert seen == {True, False}


@pytest.mark.parametrize("seed", range(4))
def test_gains_enclose_the_spectral_radius(seed):
    model = routes(seed, Fraction(1, 2)).to_float()
    M, _ = linear(model, 0.7)
    found = soft_gains(model, 0.7)
    assert max(x.lower for x in found) <= 0.7 * np.log(max(abs(np.linalg.eigvals(M)))) + 1e-12
    for x in found:
        rate = 0.7 * np.log(max(abs(np.linalg.eigvals(M[np.ix_(x.states, x.states)]))))
        assert x.lower - 1e-12 <= rate <= x.upper + 1e-12  # the eigenvalue is itself rounded


def test_enclosure_against_fifty_digits():
    model = routes(3, Fraction(2))
    found = soft_value_enclosure(model, "1/2", digits=40)
    with mpmath.workdps(60):
        A, b = mpmath.eye(5), mpmath.zeros(5, 1)
        for s in range(5):
            for a in range(3):
                [(_, after, reward, ended)] = model.outcomes(s, a)
                weight = mpmath.exp(2 * mpmath.mpf(reward.numerator) / reward.denominator)
                if ended:
                    b[s] += weight
                else:
                    A[s, after] -= weight
        truth = [mpmath.log(z) / 2 for z in mpmath.lu_solve(A, b)]
        for low, high, v in zip(found.lower, found.upper, truth, strict=True):
            assert mpmath.mpf(low.numerator) / low.denominator <= v <= mpmath.mpf(high.numerator) / high.denominator
    assert found.width <= Fraction(1, 10**40)


def loop(cost):
    """Two ways round and one way out, each at a cost: exp(V) = exp(-c) / (1 - 2 exp(-c))."""
    return MDP.from_outcomes(
        {(0, a): [(1.0, 0, -cost, False)] for a in (0, 1)} | {(0, 2): [(1.0, None, -cost, True)]}, 1
    )


@pytest.mark.parametrize("solve", SOLVERS)
def test_entropy_against_cost_at_its_edge(solve):
    edge = float(np.log(2))
    for over in (1e-3, 1e-6, 1e-9):
        answer = solve(loop(edge + over), 1.0, tol=1e-3)
        expected = -np.log(np.expm1(over)) - np.log(2)  # e^-c / (1 - 2 e^-c) = 1 / (2 (e^over - 1))
        assert abs(answer.v[0] - expected) <= answer.error_bound + 1e-6  # `over` beside log 2 is rounded
        with pytest.raises(Unbounded, match=r"\{0\}.*\+inf"):
            solve(loop(edge - over), 1.0)
    with pytest.raises(NotConverged, match="rounding hides"):
        solve(loop(edge), 1.0)


def test_an_edge_that_only_rationals_tell():
    """The cost is log 2 to thirty digits, and 1e-25 or 1e-12 to a side: V = -log(2 (e^over - 1))."""
    log_two = Fraction("0.693147180559945309417232121458")

    def exact(cost):
        ways = {(0, a): [(1, 0, -cost, False)] for a in (0, 1)} | {(0, 2): [(1, None, -cost, True)]}
        return MDP.from_outcomes(ways, Fraction(1))

    with pytest.raises(NotConverged, match="rounding hides"):
        soft_policy_iteration(exact(log_two - Fraction(1, 10**25)).to_float(), 1.0)
    with pytest.raises(Unbounded, match=r"\+inf"):
        soft_value_enclosure(exact(log_two - Fraction(1, 10**25)), 1)
    with pytest.raises(NotConverged, match="float64"):
        soft_value_enclosure(exact(log_two + Fraction(1, 10**25)), 1)  # finite, but floats point nowhere near
    found = soft_value_enclosure(exact(log_two + Fraction(1, 10**12)), 1, digits=15)
    assert float(found.middle[0]) == pytest.approx(-np.log(2 * np.expm1(1e-12)), rel=1e-12)


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("convert", FLOATS)
def test_traps(solve, convert):
    """State 1 goes round for ever; state 0 ends or falls into it."""

    def model(reward, ways):
        outcomes = {(1, a): [(1.0, 1, reward, False)] for a in range(ways)}
        return convert(
            MDP.from_outcomes(outcomes | {(0, 0): [(1.0, None, 1.0, True)], (0, 1): [(1.0, 1, 2.0, False)]}, 1)
        )

    nothing = solve(model(0.0, 1), 1.0)
    assert nothing.v.tolist() == [pytest.approx(np.log(np.e + np.e**2)), 0]
    followed = solve(model(0.0, 2), 1.0, uniform(model(0.0, 2)))
    assert followed.v[1] == 0
    assert followed.policy[1].tolist() == [0.5, 0.5]
    with pytest.raises(Unbounded, match=r"\{1\}.*\+inf"):
        solve(model(0.0, 2), 1.0)  # nothing but entropy, for ever
    with pytest.raises(Unbounded, match=r"\{1\}.*-inf"):
        solve(model(-1.0, 2), 1.0)
    with pytest.raises(Unbounded, match=r"\{1\}.*\+inf"):
        solve(model(0.5, 1), 1.0)


def test_bounds_around_guesses_are_verified_or_infinite():
    """From any v, near or far: [S3] claims nothing that the linear equation contradicts."""
    model, verified = routes(3, Fraction(2)), 0
    M, b = linear(model, 0.5)
    truth = 0.5 * np.log(np.linalg.solve(np.eye(5) - M, b))
    control, rng = soft_control(model.to_float(), 0.5), np.random.default_rng(0)
    for far in (1e-9, 1e-3, 1.0, 10.0):
        for _ in range(25):
            lower, upper = by_steps(control, truth + far * rng.normal(size=5))
            assert (lower <= truth + 1e-12).all()  # the linear solve rounds values near 10
            assert (upper >= truth - 1e-12).all()
            verified += np.isfinite(upper).all() and np.isfinite(lower).all()
    assert 50 <= verified < 100
    steps = steps_left(control, truth)
    for sign in (1, -1):
        assert verifies(control, truth - sign * 1e-6 * steps, sign)
        assert not verifies(control, truth + sign * 1e-6 * steps, sign)


@pytest.mark.parametrize("solve", SOLVERS)
def test_random_steps(solve):
    """Going on ends with probability 1/4 whatever is done: V = τ log A - c + 3/4 V has no end component to gain in."""
    model = MDP.from_outcomes({(0, a): [(0.75, 0, -0.1, False), (0.25, None, -0.1, True)] for a in range(3)}, 1)
    assert soft_gains(model, 2.0) == []
    assert solve(model, 2.0).v == pytest.approx([4 * (2 * np.log(3) - 0.1)], abs=1e-8)


def test_cold_walks_keep_their_bound():
    """Shares underflow at τ = 1/1000; a walk on six states that costs 1 per step is worth -(s + 1)."""
    outcomes = {(s, 0): [(1.0, s - 1 if s else None, -1.0, s == 0)] for s in range(6)}
    outcomes |= {(s, 1): [(1.0, min(s + 1, 5), -1.0, False)] for s in range(6)}
    for solve in SOLVERS:
        answer = solve(MDP.from_outcomes(outcomes, 1), 1e-3)
        assert answer.v == pytest.approx([-1.0, -2, -3, -4, -5, -6], abs=1e-8)
