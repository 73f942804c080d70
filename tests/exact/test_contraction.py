"""Moduli and bounds against closed forms, and against exact rational solutions of the stored float numbers."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact import arithmetic as ar
from rlexact import gallery
from rlexact.arithmetic import MixedNumbers, NotExact
from rlexact.door import InvalidMDP
from rlexact.exact.contraction import (
    contraction_modulus,
    enclosed,
    enclosed_backup,
    residual,
    residual_bound,
    reward_slop,
    span_bounds,
)
from rlexact.exact.evaluation import policy_value
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies, uniform
from tests.strategies import WORLDS, in_world, law_model, model, policy, stored

TENTH = Fraction(1, 10)


def best_by_brute_force(mdp):
    return np.max([policy_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)


def value_of_stored(mdp, pi):
    """V^π of stored numbers, π's rows read as they are."""
    exact, weights = stored(mdp), np.vectorize(Fraction, otypes=[object])(pi)
    P, r = ar.mix(weights, exact.kernel), ar.average(weights, exact.r)
    return ar.solve(ar.eye(P) - exact.gamma * P, r)


def float_models(seed):
    """Models whose rows are rounded: rewards of every rank and as a law, dense and sparse, with ends, γ up to 0.999."""
    rng = np.random.default_rng(seed)
    gamma = float(rng.choice([0.5, 0.9, 0.99, 0.999]))
    P = gallery.garnet(4, 2, 3, seed).P
    scale = 10.0 ** rng.integers(-3, 6)
    R = scale * rng.standard_normal((4, 2, 4)[: 2 + seed % 2])
    if seed % 3 == 0:
        P, R = P.copy(), R.copy()
        P[3], R[3] = 0, 0
    plain = MDP(P, R, gamma, terminal=[3] if seed % 3 == 0 else [])
    table = {
        (s, a): [(p / 2, j, scale * rng.standard_normal(), False) for j, p in enumerate(P[s, a]) for _ in "ab" if p]
        or [(1.0, s, 0.0, True)]
        for s in range(4)
        for a in range(2)
    }
    return plain, plain.to_sparse(), MDP.from_outcomes(table, gamma)


def distance(v, truth):
    return max(abs(Fraction(float(x)) - y) for x, y in zip(v, truth, strict=True))


@pytest.mark.parametrize("world", WORLDS)
def test_the_modulus_is_gamma_times_the_mass_that_stays_alive(world):
    mdp = in_world(MDP([[["1/4", "3/4"]], [[0, 0]]], [[1], [0]], "0.8", terminal=[1]), world)
    assert abs(float(contraction_modulus(mdp)) - 0.2) < 1e-15  # a few roundings of 0.2, upwards
    assert contraction_modulus(mdp) >= in_world(mdp, world).gamma / 4
    assert ar.is_exact(mdp.r) == (contraction_modulus(mdp) == Fraction(1, 5))


def test_the_modulus_counts_true_row_sums():
    row = [0.1] * 10  # ten times the float 0.1 is more than 1
    mdp = MDP([[row]] * 10, np.zeros(10), 0.5)
    true_sum = sum(map(Fraction, row))
    assert true_sum > 1
    assert Fraction(contraction_modulus(mdp)) >= true_sum / 2
    over = MDP([[[1 + 5e-9]]], [0.0], 1 - 1e-9)
    assert contraction_modulus(over) > 1


def test_the_modulus_counts_what_the_sum_of_a_row_loses():
    """1/2 and 2000 times 2⁻⁵⁵ add up to 1/2 in floats, one after the other, and to 500 units of 2⁻⁵³ more in truth."""
    n = 2002
    row = np.array([0.5, *[2.0**-55] * (n - 2), 0.5])
    loops = scipy.sparse.csr_array(np.vstack([row, np.hstack([np.zeros((n - 1, 1)), np.eye(n - 1)])]))
    mdp = MDP(loops, np.zeros(n), 0.5)
    assert (mdp.kernel @ np.ones(n))[0] == 1
    assert Fraction(contraction_modulus(mdp)) >= sum(map(Fraction, row)) / 2


def test_the_modulus_of_a_policy_is_that_of_its_own_rows():
    mdp = MDP([[["1/2", "1/2"], [0, 1]], [[0, 0]] * 2], [[0, 0]] * 2, "1/2", terminal=[1])
    stay, leave = np.eye(2, dtype=int)
    assert contraction_modulus(mdp, np.array([stay, stay])) == Fraction(1, 4) == contraction_modulus(mdp)
    assert contraction_modulus(mdp, np.array([leave, leave])) == 0
    assert contraction_modulus(mdp, uniform(mdp)) == Fraction(1, 8)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(6))
def test_bounds_hold_for_any_guess_in_every_world(seed, world):
    exact = model(seed) if seed % 2 else law_model(seed)
    mdp = in_world(exact, world)
    pi = policy(seed, exact)
    rng = np.random.default_rng(seed)
    guess = np.array([Fraction(int(n), 8) for n in rng.integers(-99, 99, mdp.n_states)])
    v = guess if ar.is_exact(mdp.r) else guess.astype(float)
    own = pi if ar.is_exact(mdp.r) else pi.astype(float)
    for truth, chosen in ((best_by_brute_force(exact), ()), (policy_value(exact, pi), (own,))):
        bound = Fraction(str(residual_bound(mdp, v, *chosen)))
        assert distance(guess, truth) <= bound
        lower, upper = ([Fraction(str(x)) for x in side] for side in span_bounds(mdp, v, *chosen))
        assert all(low <= t <= high for low, t, high in zip(lower, truth, upper, strict=True))
        assert max(np.subtract(upper, lower)) <= 2 * bound + TENTH**9  # the span is never the looser of the two


@pytest.mark.parametrize("seed", range(24))
def test_bounds_hold_around_the_truth_of_rounded_numbers(seed):
    for mdp in float_models(seed):
        pi = np.random.default_rng(seed).dirichlet([1, 1], size=mdp.n_states)
        pi[mdp.terminal] = 0
        best, mean = best_by_brute_force(stored(mdp)), value_of_stored(mdp, pi)
        for truth, chosen in ((best, ()), (mean, (pi,))):
            near = np.array([float(x) for x in truth])
            for v in (near, np.zeros(4), near + 1):
                bound = Fraction(residual_bound(mdp, v, *chosen))
                assert distance(v, truth) <= bound
                lower, upper = span_bounds(mdp, v, *chosen)
                assert all(Fraction(a) <= t <= Fraction(b) for a, t, b in zip(lower, truth, upper, strict=True))
            scale = 1 + abs(near).max()
            # at the truth only rounding is left: some 40 units in the last place, over 1 - γ
            assert residual_bound(mdp, near, *chosen) <= 40 * 2.0**-52 * scale / (1 - mdp.gamma)


@pytest.mark.parametrize("shift", [-3, 3])
def test_span_bounds_are_exact_after_a_constant_error(shift):
    mdp = gallery.forest()
    truth = best_by_brute_force(mdp)
    lower, upper = span_bounds(mdp, truth + shift)
    assert (lower == truth).all()
    assert (upper == truth).all()
    assert residual_bound(mdp, truth + shift) == 3


@pytest.mark.parametrize("sign", [1, -1])
def test_where_rows_leak_the_inward_side_uses_the_least_row_sum(sign):
    """One state, leaving with 1/2 or 1/4: v = 0 is off to one side, and Tv - v = r everywhere has the other sign."""
    chain = MDP([[["1/2", 0, "1/2"]], [[0, "3/4", "1/4"]], [[0, 0, 0]]], [[sign], [sign], [0]], 1, terminal=[2])
    lower, upper = span_bounds(chain, np.array([0, 0, 0]))
    inward, outward = sign * (1 + Fraction(1, 2) / (1 - Fraction(1, 2))), sign * (1 + Fraction(3, 4) / Fraction(1, 4))
    assert policy_value(chain, uniform(chain)).tolist() == [inward, outward, 0]
    expected = (inward, outward) if sign > 0 else (outward, inward)
    assert (lower[0], upper[0]) == expected == (lower[1], upper[1])


def test_a_small_last_change_is_not_a_small_error():
    """γ = 0.999, reward 1 for ever, V* = 1000: sweeps that change by less than 10⁻⁶ are still 10⁻³ away."""
    mdp = MDP([[[1.0]]], [1.0], 0.999)
    v, change = np.zeros(1), 1.0
    while change >= 1e-6:
        new = 1 + 0.999 * v
        v, change = new, new[0] - v[0]
    assert 9.9e-4 < 1000 - v[0] < 1e-3
    assert 1000 - v[0] <= residual_bound(mdp, v) < 1.001e-3
    lower, upper = span_bounds(mdp, v)
    assert lower[0] <= 1000 <= upper[0]
    assert upper[0] - lower[0] < 1e-8  # the same v, its known part of the error taken away; rounding over 1 - γ is left


def test_a_value_at_a_terminal_state_is_an_error_of_its_own():
    mdp = MDP([[[0, 1]], [[0, 0]]], [[1], [0]], "1/2", terminal=[1])
    assert residual_bound(mdp, np.array([1, 7])) == 7
    lower, upper = span_bounds(mdp, np.array([1, 7]))
    assert lower.tolist() == upper.tolist() == [1, 0]


def test_rewards_that_are_averages_carry_their_rounding():
    """Σ p R with cancellation: r is rounded, and the bound on that is what separates it from the exact average."""
    rng = np.random.default_rng(3)
    P, R = gallery.garnet(6, 2, 5, 3).P, 1e8 * rng.standard_normal((6, 2, 6))
    forms = [MDP(P, R, 0.9), MDP(P, R, 0.9).to_sparse(), float_models(3)[2]]
    for mdp in forms:
        exact = stored(mdp).r
        wrong = np.array(
            [[abs(Fraction(x) - y) for x, y in zip(*rows, strict=True)] for rows in zip(mdp.r, exact, strict=True)]
        )
        assert (wrong <= reward_slop(mdp)).all()
        assert wrong.max() > 0
        assert reward_slop(mdp).max() <= 20 * 2.0**-53 * 5e8
    assert (reward_slop(MDP(P, R[:, :, 0], 0.9)) == 0).all()


def exact_backup(mdp, v):
    exact, values = stored(mdp), np.vectorize(Fraction, otypes=[object])(v)
    return exact.r + exact.gamma * (exact.kernel @ values).reshape(exact.r.shape)


def fan(seed, rewards):
    """Forty successors of state 0, whose probabilities and rewards all differ."""
    rng = np.random.default_rng(seed)
    p, paid = rng.dirichlet(np.ones(40)), rewards * rng.standard_normal(40)
    rest = {(s, 0): [(1.0, s, 0.0, True)] for s in range(1, 41)}
    return MDP.from_outcomes({(0, 0): [(p[k], 1 + k, paid[k], False) for k in range(40)], **rest}, 1.0)


@pytest.mark.parametrize(("reward", "value"), [(1e6, 0.0), (0.0, 1e6)])
def test_sums_that_cancel_are_counted(reward, value):
    """Averages of large rewards, or of large values: wrong by many roundings of the small result, yet within the bound."""
    above = 0
    for seed in range(40):
        mdp, v = fan(seed, reward), value * np.random.default_rng(seed).standard_normal(41)
        q, slop = enclosed_backup(mdp, v)
        error = abs(Fraction(q[0, 0]) - exact_backup(mdp, v)[0, 0])
        assert error <= Fraction(slop[0, 0])
        above += error > 8 * 2.0**-53 * abs(q[0, 0])
    assert above > 0


def test_probabilities_added_up_from_outcomes_are_counted():
    """1/2 and 2000 times 2⁻⁵⁵ for one successor: every addition is rounded away, and 500 units of 2⁻⁵³ are lost."""
    law = [(0.5, 1, 0.0, False), *((2.0**-55, 1, float(k), False) for k in range(1, 2001)), (0.5, 2, 0.0, False)]
    mdp = MDP.from_outcomes({(0, 0): law, (1, 0): [(1.0, 1, 0.0, True)], (2, 0): [(1.0, 2, 0.0, True)]}, 1.0)
    v = np.array([0.0, 1e9, -1e9])
    q, slop = enclosed_backup(mdp, v)
    error = abs(Fraction(q[0, 0]) - exact_backup(mdp, v)[0, 0])
    assert 400 * 2.0**-53 * 1e9 < error <= Fraction(slop[0, 0])


def test_the_average_over_a_policy_is_counted():
    """One action worth 2 and many worth next to nothing, which vanish one by one when they are added to it."""
    n = 4096
    r = np.append([2.0], np.full(n - 1, 2.0**-53 * n))
    mdp = MDP([[[0, 1]] * n, [[0, 0]] * n], [r, np.zeros(n)], 0.5, terminal=[1])
    pi = np.array([np.append([0.5], np.full(n - 1, 0.5 / (n - 1)))] * 2)
    mean, slop = enclosed(mdp, np.zeros(2), pi)
    truth = sum(Fraction(p) * Fraction(x) for p, x in zip(pi[0], r, strict=True))
    assert 3 * 2.0**-53 < abs(Fraction(mean[0]) - truth) <= Fraction(slop[0])


def test_the_difference_from_a_far_guess_is_counted():
    mdp = MDP([[[0, 1]], [[0, 0]]], [[0.1], [0]], 0.5, terminal=[1])
    for far in (1e10 + 0.3, 3e15):
        _, slop, gap, error = residual(mdp, np.array([far, 0]))
        wrong = abs(Fraction(gap[0]) - (Fraction(0.1) - Fraction(far)))
        assert 1e6 * slop[0] < wrong <= Fraction(error[0])


def test_bounds_are_themselves_rounded_up():
    """[B2] and [B3] of a single loop, taken exactly from the enclosed residual, never exceed what is returned."""
    for seed in range(300):
        gamma, reward, guess = np.random.default_rng(seed).random(3)
        mdp = MDP([[[1.0]]], [reward], gamma)
        v = np.array([guess])
        top, slop, gap, error = (Fraction(x[0]) for x in residual(mdp, v))
        m = Fraction(gamma)
        assert (abs(gap) + error) / (1 - m) <= residual_bound(mdp, v)
        lower, upper = span_bounds(mdp, v)
        assert lower[0] <= top - slop + (gap - error) * m / (1 - m)
        assert top + slop + (gap + error) * m / (1 - m) <= upper[0]


def test_without_contraction_the_bounds_are_refused():
    mdp = MDP([[[1]]], [[0]], "1")
    with pytest.raises(InvalidMDP, match=r"row sum is 1, not below 1.*certified"):
        residual_bound(mdp, np.array([0]))
    with pytest.raises(InvalidMDP, match="certified"):
        span_bounds(mdp.to_float(), np.zeros(1))


def test_guesses_that_are_not_values_of_this_model_are_refused():
    mdp = gallery.forest()
    with pytest.raises(MixedNumbers, match="v"):
        residual_bound(mdp, np.zeros(3))
    with pytest.raises(ValueError, match=r"v has shape \(2,\)"):
        span_bounds(mdp.to_float(), np.zeros(2))
    with pytest.raises(ValueError, match=r"v\[1\] = nan"):
        span_bounds(mdp.to_float(), np.array([0, np.nan, 0]))


def test_a_symbolic_discount_leaves_the_bounds_open():
    mdp = gallery.forest().to_symbolic(gamma=sympy.Symbol("gamma"))
    assert contraction_modulus(mdp) == sympy.Symbol("gamma")
    with pytest.raises(NotExact, match="depends on the symbols"):
        residual_bound(mdp, np.array([0, 0, 0]))
