"""Certified values against closed forms and against exact rational solutions of the stored float numbers."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact import gallery
from rlexact.door import InvalidPolicy
from rlexact.exact.certified import by_steps, evaluate, value_bound
from rlexact.exact.evaluation import policy_value
from rlexact.exact.optimal_bound import optimal_bound
from rlexact.mdp import MDP
from rlexact.policy import deterministic, deterministic_policies, softmax, uniform
from rlexact.solution import NotConverged, Unbounded
from tests.strategies import WORLDS, in_world, law_model, model, policy, stored


def value_of_stored(mdp, pi):
    """V^π of stored numbers, π's rows read as they are; every policy here ends, or γ < 1."""
    exact, weights = stored(mdp), np.vectorize(Fraction, otypes=[object])(mdp.admit(pi))
    P, r = ar.mix(weights, exact.kernel), ar.average(weights, exact.r)
    return ar.solve(ar.eye(P) - exact.gamma * P, r)


def distance(v, truth):
    return max(abs(Fraction(float(x)) - y) for x, y in zip(v, truth, strict=True))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("world", WORLDS)
def test_the_bound_is_zero_exactly_where_arithmetic_is(seed, world):
    exact = model(seed) if seed % 2 else law_model(seed)
    pi = policy(seed, exact)
    mdp = in_world(exact, world)
    answer = evaluate(mdp, policy(seed, mdp))
    truth = policy_value(exact, pi)
    if ar.is_exact(mdp.r):
        assert answer.error_bound == 0
        assert all(
            x == sympy.Rational(t.numerator, t.denominator) or x == t for x, t in zip(answer.v, truth, strict=True)
        )
    else:
        assert distance(answer.v, truth) <= Fraction(answer.error_bound) < Fraction(1, 10**12)
    q = exact.r + exact.gamma * (exact.kernel @ truth).reshape(exact.r.shape)
    assert np.allclose(np.vectorize(float)(answer.q), np.vectorize(float)(q), atol=1e-12)  # numbers below 40


@pytest.mark.parametrize("seed", range(30))
def test_the_bound_holds_for_rounded_models_and_policies(seed):
    rng = np.random.default_rng(seed)
    mdp = gallery.garnet(6, 3, 4, seed, gamma=float(rng.choice([0.5, 0.9, 0.99, 0.999])), sparse=bool(seed % 2))
    pi = softmax(mdp, 10 * rng.standard_normal((6, 3)))
    answer, truth = evaluate(mdp, pi), value_of_stored(mdp, pi)
    assert distance(answer.v, truth) <= Fraction(answer.error_bound)
    assert distance(answer.v, truth) <= Fraction(value_bound(mdp, pi, answer.v))
    # at most some 40 units in the last place per step, over the 1 / (1 - γ) steps: never absurdly loose
    assert answer.error_bound <= 40 * 2.0**-52 * (1 + np.abs(answer.v).max()) / (1 - mdp.gamma)


@pytest.mark.parametrize("seed", range(20))
def test_without_discount_the_bound_counts_remaining_steps(seed):
    """γ = 1 and rows that sum to 1 only up to rounding: a walk that ends with probability 1/n per step on average."""
    rng = np.random.default_rng(seed)
    P = gallery.garnet(6, 2, 4, seed).P.copy()
    P[:, :, 5] += 10.0 ** -rng.integers(0, 4)
    P /= P.sum(axis=2, keepdims=True)
    R = rng.standard_normal((6, 2))
    P[5], R[5] = 0, 0
    mdp = MDP(P, R, 1.0, terminal=[5])
    pi = rng.dirichlet([1, 1], size=6)
    answer, truth = evaluate(mdp, pi), value_of_stored(mdp, pi)
    steps = float(max(value_of_stored(MDP(P, (R != 0) * 1.0, 1.0, terminal=[5]), pi)))
    assert distance(answer.v, truth) <= Fraction(answer.error_bound)
    assert answer.error_bound <= 40 * 2.0**-52 * (1 + np.abs(answer.v).max()) * steps


@pytest.mark.parametrize("ending", [0.5, 0.01, 1e-4])
def test_an_error_made_on_every_step_adds_up(ending):
    """v = V + 10⁻³ h has the residual 10⁻³ and the error 10⁻³ max h, however h is scaled."""
    mdp = MDP([[[0, 1 - ending, ending]], [[1 - ending, 0, ending]], [[0] * 3]], [[1], [2], [0]], 1.0, terminal=[2])
    steps, running = np.array([1, 1, 0]) / ending, ~mdp.terminal
    truth = value_of_stored(mdp, uniform(mdp))
    v = np.array([float(x) for x in truth]) + 1e-3 * steps
    for scale in (1.0, 7.0):
        bound = Fraction(by_steps(mdp, uniform(mdp), v, scale * steps, running))
        assert distance(v, truth) <= bound <= distance(v, truth) * (1 + Fraction(1, 10**6))
    assert by_steps(mdp, uniform(mdp), v, -steps, running) == np.inf


@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_steps_that_end_tighten_what_the_discount_would_say(gamma):
    """Half of every step ends: two steps remain, where 1 / (1 - γ) would be ten or infinitely many."""
    mdp = MDP([[[0.5, 0.5]], [[0, 0]]], [[1e6], [0]], gamma, terminal=[1])
    answer = evaluate(mdp, uniform(mdp))
    truth = 10**6 / (1 - Fraction(gamma) / 2)
    assert abs(Fraction(answer.v[0]) - truth) <= Fraction(answer.error_bound) < 40 * Fraction(1, 2**52) * truth * 2


def test_traps_that_pay_nothing_are_worth_nothing():
    """From the middle, half the mass is trapped for nothing and half ends with 3."""
    P, R = np.zeros((4, 1, 4)), np.zeros((4, 1, 4))
    P[0, 0, [1, 3]], P[1, 0, 2], P[2, 0, 1] = 0.5, 1, 1
    R[0, 0, 3] = 3
    mdp = MDP(P, R, 1.0, terminal=[3])
    answer = evaluate(mdp, uniform(mdp))
    assert answer.v.tolist() == [1.5, 0, 0, 0]
    assert 0 < answer.error_bound < 1e-14
    paid = MDP(P, R + (np.arange(4) == 2)[:, None, None] * P, 1.0, terminal=[3])
    with pytest.raises(InvalidPolicy, match="never leaves"):
        evaluate(paid, uniform(paid))
    assert value_bound(mdp, uniform(mdp), np.array([1.5, 0, 2, 0])) == pytest.approx(
        2, abs=1e-13
    )  # the trap is worth 0


def test_what_float64_cannot_bound_is_refused_with_the_answer_and_exact_in_rationals():
    """A loop left with probability 2⁻⁵¹: 2⁵¹ steps remain, each of which rounds."""
    tiny = Fraction(1, 2**51)
    mdp = MDP([[[1 - tiny, tiny]], [[0, 0]]], [[1], [0]], 1, terminal=[1])
    with pytest.raises(NotConverged, match=r"2\.25e\+15 steps.*to_rational") as refusal:
        evaluate(mdp.to_float(), uniform(mdp.to_float()))
    assert refusal.value.best.v[0] == pytest.approx(2.0**51)
    assert refusal.value.best.error_bound == np.inf
    assert evaluate(mdp, uniform(mdp)).v[0] == 2**51


@pytest.mark.parametrize("world", WORLDS[:3])
def test_how_far_any_vector_is_from_the_value_of_a_policy(world):
    mdp = in_world(gallery.forest(), world)
    pi = uniform(mdp)
    truth = policy_value(gallery.forest(), uniform(gallery.forest()))
    off = truth + np.array([Fraction(1, 4), Fraction(-3), Fraction(1)])
    bound = value_bound(mdp, pi, off if world == "rational" else off.astype(float))
    assert bound == 3 if world == "rational" else 3 <= bound < 3 + 1e-12


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("world", WORLDS)
def test_the_optimum_is_enclosed_whatever_the_guess(seed, world):
    exact = model(seed) if seed % 2 else law_model(seed)
    best = np.max([policy_value(exact, pi) for pi in deterministic_policies(exact)], axis=0)
    mdp = in_world(exact, world)
    for guess in (0 * best, best, best + 1):
        lower, upper = optimal_bound(mdp, guess if ar.is_exact(mdp.r) else guess.astype(float))
        low, high = ([Fraction(str(x)) for x in side] for side in (lower, upper))
        assert all(a <= t <= b for a, t, b in zip(low, best, high, strict=True))
    lower, upper = optimal_bound(mdp, best if ar.is_exact(mdp.r) else best.astype(float))
    assert max(float(x) for x in upper - lower) < (1e-12 if "float" in mdp.world else 1e-300)


@pytest.mark.parametrize("world", WORLDS)
def test_the_optimum_at_gamma_1_is_enclosed_though_some_policies_never_end(world):
    """Example 4.1 of Sutton and Barto: V* is minus the distance to the nearer corner; walking into walls never ends."""
    mdp = in_world(gallery.sutton_barto_small_grid(), world)
    truth = [-min(i // 4 + i % 4, 6 - i // 4 - i % 4) for i in range(16)]
    for guess in (np.zeros(16, dtype=int), np.array(truth)):
        lower, upper = optimal_bound(mdp, guess)
        assert all(a <= t <= b for a, t, b in zip(lower, truth, upper, strict=True))
        assert max(upper - lower) < 1e-12
    assert not ar.is_exact(mdp.r) or (lower == upper).all()


@pytest.mark.parametrize("seed", range(10))
def test_the_optimum_of_rounded_numbers_at_gamma_1_is_enclosed(seed):
    P = gallery.garnet(4, 2, 4, seed).P.copy()
    R = np.random.default_rng(seed).standard_normal((4, 2))
    P[3], R[3] = 0, 0
    mdp = MDP(P, R, 1.0, terminal=[3])
    best = np.max([value_of_stored(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)
    loop = MDP(
        np.pad(P, ((0, 1), (0, 0), (0, 1))) + np.diag([0, 0, 0, 0, 1])[:, None],
        np.pad(R, ((0, 1), (0, 0))),
        1.0,
        terminal=[3],
    )
    for lower, upper, truth in (
        (*optimal_bound(mdp, np.zeros(4)), best),
        (*optimal_bound(loop, np.zeros(5)), [*best, Fraction(0)]),  # a fifth state idles: nothing contracts
    ):
        assert all(Fraction(a) <= t <= Fraction(b) for a, t, b in zip(lower, truth, upper, strict=True))


def test_an_optimum_that_is_not_finite_is_refused():
    mdp = MDP([[[1.0, 0], [0, 1]], [[0, 0], [0, 0]]], [[1.0, 0], [0, 0]], 1.0, terminal=[1])
    with pytest.raises(Unbounded, match=r"\+inf"):
        optimal_bound(mdp, np.zeros(2))


def test_a_symbolic_discount_is_no_obstacle_to_a_policy():
    gamma = sympy.Symbol("gamma")
    mdp = gallery.forest().to_symbolic(gamma=gamma)
    wait = deterministic(mdp, [0, 0, 0])
    answer = evaluate(mdp, wait)
    assert answer.error_bound == 0
    at = [x.subs(gamma, sympy.Rational(9, 10)) for x in answer.v]
    assert at == [sympy.Rational(26244, 1000), sympy.Rational(29484, 1000), sympy.Rational(33484, 1000)]
