"""Expected updates against the average over every sample, run through the plain update rules in fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import MixedNumbers, NotExact, SingularSystem
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.expected_updates import (
    episode_moments,
    episode_update,
    expected_double_q_learning,
    expected_q_learning,
    expected_sarsa,
    expected_td,
    held_update,
    sarsa_update,
    td_update,
)
from rlexact.exact.paths import expect, paths
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies, uniform

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
ALPHA = Fraction(1, 10)
V0 = np.array([Fraction(3), Fraction(-1), Fraction(1, 2), Fraction(0)])
Q0 = np.array([[Fraction(k * k - 3 * k, 4) for k in (s, s + 2)] for s in range(4)])


def model():
    """Self-loops, random rewards, one unavailable action, a terminal state, a step that may end by itself."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 0, 1, False), (QUARTER, 1, -2, False), (QUARTER, 1, 3, False)],
            (0, 1): [(THIRD, None, 7, True), (2 * THIRD, 2, 3, False)],
            (1, 0): [(1, 2, HALF, False)],
            (1, 1): [(HALF, 3, 4, False), (HALF, 0, 0, False)],
            (2, 0): [(2 * THIRD, 0, -1, False), (THIRD, 2, 0, False)],
        },
        "4/5",
        initial=["1/2", "1/4", "1/4", 0],
        terminal=[3],
    )


PI = np.array([[THIRD, 2 * THIRD], [QUARTER, 3 * QUARTER], [1, 0], [1, 0]], dtype=object) * Fraction(1)
STATES = np.array([HALF, THIRD, THIRD / 2, Fraction(0)])
PAIRS = np.array([[HALF, QUARTER], [Fraction(1, 8), Fraction(1, 16)], [Fraction(1, 16), 0], [0, 0]], dtype=object)


def loop():
    """Two states without an end, for closed forms."""
    return MDP.chain([["2/3", "1/3"], ["1/4", "3/4"]], R=["1", "-2"], gamma="9/10", initial=["1/5", "4/5"])


def steps_from(mdp, pi, s):
    """Every (probability, action, successor, reward) of one step."""
    return [(pi[s, a] * p, a, j, r) for a in range(mdp.n_actions) if pi[s, a] for p, j, r, _ in mdp.outcomes(s, a)]


def td(v, s, r, j, gamma, alpha=ALPHA):
    """The plain TD(0) update of a list of values; no successor counts 0."""
    out = list(v)
    out[s] = v[s] + alpha * (r + gamma * (0 if j is None else v[j]) - v[s])
    return out


def mean(weighted):
    total = 0
    for p, x in weighted:
        total = total + p * np.array(x, dtype=object)
    return total


# -- independent samples --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_td_against_every_sample(steps):
    mdp = model()

    def after(v, k):
        if k == 0:
            return [(Fraction(1), v)]
        return [
            (d * p * w, x)
            for s, d in enumerate(STATES)
            if d
            for p, _, j, r in steps_from(mdp, PI, s)
            for w, x in after(td(v, s, r, j, mdp.gamma), k - 1)
        ]

    assert list(expected_td(mdp, PI, V0, ALPHA, STATES, steps)) == list(mean(after(list(V0), steps)))


def sarsa_samples(mdp, q, k):
    """Every table after k independent SARSA updates of a pair drawn from PAIRS."""
    if k == 0:
        return [(Fraction(1), q)]
    found = []
    for s, a in np.argwhere(PAIRS != 0):
        for p, j, r, _ in mdp.outcomes(int(s), int(a)):
            following = [(Fraction(1), 0)] if j in (None, 3) else [(PI[j, b], q[j, b]) for b in range(2) if PI[j, b]]
            for w, bootstrap in following:
                x = q.copy()
                x[s, a] += ALPHA * (r + mdp.gamma * bootstrap - q[s, a])
                found += [(PAIRS[s, a] * p * w * u, y) for u, y in sarsa_samples(mdp, x, k - 1)]
    return found


@pytest.mark.parametrize("steps", [1, 2])
def test_sarsa_against_every_sample(steps):
    mdp = model()
    q = np.where(mdp.available, Q0, Fraction(0))
    assert (expected_sarsa(mdp, PI, Q0, ALPHA, PAIRS, steps) == mean(sarsa_samples(mdp, q, steps))).all()


def q_learning_samples(mdp, q, k):
    if k == 0:
        return [(Fraction(1), q)]
    found = []
    for s, a in np.argwhere(PAIRS != 0):
        for p, j, r, _ in mdp.outcomes(int(s), int(a)):
            bootstrap = 0 if j in (None, 3) else max(q[j, b] for b in range(2) if mdp.available[j, b])
            x = q.copy()
            x[s, a] += ALPHA * (r + mdp.gamma * bootstrap - q[s, a])
            found += [(PAIRS[s, a] * p * u, y) for u, y in q_learning_samples(mdp, x, k - 1)]
    return found


def test_q_learning_against_every_sample():
    mdp = model()
    q = np.where(mdp.available, Q0, Fraction(0))
    assert (expected_q_learning(mdp, Q0, ALPHA, PAIRS) == mean(q_learning_samples(mdp, q, 1))).all()


def test_two_q_learning_updates_are_not_the_iterated_expectation():
    """From a tie, the maximum of the mean is below the mean of the maximum (Jensen): the sampled mean is larger."""
    mdp = model()
    tie = np.where(mdp.available, Fraction(1), Fraction(0))
    iterated = expected_q_learning(mdp, expected_q_learning(mdp, tie, ALPHA, PAIRS), ALPHA, PAIRS)
    sampled = mean(q_learning_samples(mdp, tie, 2))
    assert (sampled >= iterated).all()
    assert (sampled != iterated).any()


# -- fixed points, iterates, rates ----------------------------------------------------------------------------------------


def test_fixed_points_are_values():
    mdp = model()
    ones, pairs = np.array([1, 1, 1, 0]), mdp.available.astype(int)
    assert list(td_update(mdp, PI, ALPHA, ones).fixed_point()) == list(policy_value(mdp, PI))
    assert list(td_update(mdp, PI, ALPHA, STATES).fixed_point()) == list(policy_value(mdp, PI))
    assert list(sarsa_update(mdp, PI, ALPHA, pairs).fixed_point()) == list(action_value(mdp, PI).ravel())
    best = max(deterministic_policies(mdp), key=lambda pi: sum(policy_value(mdp, pi)))
    q_star = action_value(mdp, best)
    assert (expected_q_learning(mdp, q_star, ALPHA, PAIRS) == q_star).all()
    assert (expected_q_learning(mdp, q_star + mdp.available, ALPHA, PAIRS) != q_star + mdp.available).any()


def test_a_state_without_weight_keeps_any_value():
    mdp = model()
    with pytest.raises(SingularSystem):
        td_update(mdp, PI, ALPHA, np.array([1, 1, 0, 0])).fixed_point()
    assert expected_td(mdp, PI, V0, ALPHA, np.array([1, 1, 0, 0]), 5)[2] == V0[2]


@pytest.mark.parametrize("k", [0, 1, 2, 7, 12])
def test_iterates_by_loop_and_in_closed_form(k):
    mdp = loop()
    update = td_update(mdp, uniform(mdp), ALPHA, [HALF, HALF])
    x = np.array([Fraction(5), Fraction(0)])
    looped = x
    for _ in range(k):
        looped = update(looped)
    assert list(update.after(k)(x)) == list(looped)
    # two states: the error splits along (1, 1) and (4, -3), eigenvectors of P for 1 and 2/3 + 3/4 - 1
    v = policy_value(mdp, uniform(mdp))
    along, across = np.linalg.solve([[1.0, 4.0], [1.0, -3.0]], (x - v).astype(float))
    rates = [1 - 0.05 * (1 - 0.9), 1 - 0.05 * (1 - 0.9 * 5 / 12)]
    closed = v.astype(float) + rates[0] ** k * along * np.array([1, 1]) + rates[1] ** k * across * np.array([4, -3])
    np.testing.assert_allclose(looped.astype(float), closed, atol=1e-13)  # a few float products of size 10


def test_one_map_after_another():
    mdp, x = loop(), np.array([Fraction(5), Fraction(0)])
    first, second = (td_update(mdp, uniform(mdp), ALPHA, d) for d in ([1, 0], [0, 1]))
    assert list((second @ first)(x)) == list(second(first(x)))
    assert list((second @ first)(x)) != list((first @ second)(x))


def test_spectral_radius():
    """D = I/2 commutes with P: the eigenvalues are 1 - α/2 (1 - γ λ) with λ = 1 and 5/12."""
    mdp = loop()
    for inexact in (mdp.to_float(), mdp.to_sparse()):
        rate = td_update(inexact, uniform(inexact), 0.1, [0.5, 0.5]).spectral_radius()
        assert rate == pytest.approx(1 - 0.05 * 0.1, rel=1e-14)  # eigenvalues of a 2 x 2 matrix
        too_far = td_update(inexact, uniform(inexact), 8, [0.5, 0.5]).spectral_radius()
        assert too_far == pytest.approx(abs(1 - 4 * (1 - 0.9 * 5 / 12)), rel=1e-14)
    symbolic = mdp.to_symbolic()
    assert td_update(symbolic, uniform(symbolic), ALPHA, [HALF, HALF]).spectral_radius() == sympy.Rational(199, 200)
    with pytest.raises(NotExact, match="to_float"):
        td_update(mdp, uniform(mdp), ALPHA, [HALF, HALF]).spectral_radius()


def test_floats_and_symbols_agree_with_rationals():
    exact = model()
    truths = {
        "td": expected_td(exact, PI, V0, ALPHA, STATES, 9),
        "sarsa": expected_sarsa(exact, PI, Q0, ALPHA, PAIRS, 9),
        "q": expected_q_learning(exact, Q0, ALPHA, PAIRS),
        "held": held_update(exact, PI, ALPHA, 4).after(3)(V0),
        "episode": episode_update(exact, PI, ALPHA, 4).after(3)(V0),
    }
    for mdp in (exact.to_float(), exact.to_sparse()):
        pi, d, e, v, q = (x.astype(float) for x in (PI, STATES, PAIRS, V0, Q0))
        found = {
            "td": expected_td(mdp, pi, v, 0.1, d, 9),
            "sarsa": expected_sarsa(mdp, pi, q, 0.1, e, 9),
            "q": expected_q_learning(mdp, q, 0.1, e),
            "held": held_update(mdp, pi, 0.1, 4).after(3)(v),
            "episode": episode_update(mdp, pi, 0.1, 4).after(3)(v),
        }
        for name, truth in truths.items():
            np.testing.assert_allclose(found[name], truth.astype(float), rtol=1e-12, err_msg=name)  # tens of products
    alpha, gamma = sympy.symbols("alpha gamma")
    symbolic = exact.to_symbolic(gamma=gamma)
    at = {alpha: sympy.Rational(1, 10), gamma: sympy.Rational(4, 5)}
    proved = {
        "td": expected_td(symbolic, PI, V0, alpha, STATES, 2),
        "held": held_update(symbolic, PI, alpha, 2)(V0),
        "episode": episode_update(symbolic, PI, alpha, 2)(V0),
    }
    again = {
        "td": expected_td(exact, PI, V0, ALPHA, STATES, 2),
        "held": held_update(exact, PI, ALPHA, 2)(V0),
        "episode": episode_update(exact, PI, ALPHA, 2)(V0),
    }
    for name, x in proved.items():
        assert [e.subs(at) for e in x] == [sympy.Rational(str(y)) for y in again[name]], name


# -- along an episode -----------------------------------------------------------------------------------------------------


def td_along(path, v, gamma, alpha):
    for t, (s, r) in enumerate(zip(path.states, path.rewards, strict=False)):
        v = td(v, s, r, path.states[t + 1] if t + 1 < len(path.states) else None, gamma, alpha)
    return v


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("make", [model, loop])
def test_episode_against_every_path(make, steps):
    mdp = make()
    pi = PI if mdp.n_states == 4 else uniform(mdp)
    v = V0[: mdp.n_states]
    moments = episode_moments(mdp, pi, v, ALPHA, steps)
    truth = expect(mdp, pi, steps, lambda path: np.array(td_along(path, list(v), mdp.gamma, ALPHA), dtype=object))
    assert list(moments.mean) == list(truth)
    going = [path for path in paths(mdp, pi, steps) if len(path.actions) == steps and len(path.states) == steps + 1]
    for s in range(mdp.n_states):
        here = [path for path in going if path.states[-1] == s]
        assert moments.law[s] == sum(path.probability for path in here)
        joint = mean((path.probability, td_along(path, list(v), mdp.gamma, ALPHA)) for path in here)
        assert list(moments.joint[s]) == (list(joint) if here else [0] * mdp.n_states)


def test_two_epochs_with_fresh_starts():
    mdp, steps = loop(), 2
    runs = list(paths(mdp, None, steps))
    tables = [
        (one.probability * two.probability, td_along(two, td_along(one, [5, 0], mdp.gamma, ALPHA), mdp.gamma, ALPHA))
        for one, two in product(runs, runs)
    ]
    found = episode_update(mdp, uniform(mdp), ALPHA, steps).after(2)(np.array([5, 0]))
    assert list(found) == list(mean(tables))


def test_along_an_episode_is_not_the_average_of_independent_updates():
    """V and s depend on each other: after two steps the expectation differs from updates drawn independently."""
    mdp = loop()
    law0 = mdp.initial
    law1 = law0 @ mdp.P[:, 0]
    v = np.array([Fraction(5), Fraction(0)])
    independent = expected_td(mdp, uniform(mdp), expected_td(mdp, uniform(mdp), v, ALPHA, law0), ALPHA, law1)
    assert (episode_update(mdp, uniform(mdp), ALPHA, 2)(v) != independent).any()
    assert (episode_update(mdp, uniform(mdp), ALPHA, 1)(v) == expected_td(mdp, uniform(mdp), v, ALPHA, law0)).all()


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("make", [model, loop])
@pytest.mark.parametrize("alpha", [ALPHA, Fraction(1), Fraction(4)])  # at 4 the weight d(s) of [U6] is negative
def test_held_state_against_every_sample(make, steps, alpha):
    mdp = make()
    pi = PI if mdp.n_states == 4 else uniform(mdp)
    v0 = list(V0[: mdp.n_states])
    tables = []
    for s, d in enumerate(mdp.initial):
        for draws in product(steps_from(mdp, pi, s), repeat=steps) if d else ():
            v, p = v0, d
            for w, _, j, r in draws:
                v, p = td(v, s, r, j, mdp.gamma, alpha), p * w
            tables.append((p, v))
    assert list(held_update(mdp, pi, alpha, steps)(np.array(v0))) == list(mean(tables))


def test_moving_epochs_are_biased_in_proportion_to_alpha_and_held_ones_are_not():
    """After one step V knows where s came from: along a chain the mean settles off V^π, by an amount of order α."""
    mdp = loop()
    v = policy_value(mdp, uniform(mdp))
    assert list(held_update(mdp, uniform(mdp), ALPHA, 5).fixed_point()) == list(v)
    assert list(episode_update(mdp, uniform(mdp), ALPHA, 1).fixed_point()) == list(v)
    coarse, fine = (
        (episode_update(mdp, uniform(mdp), alpha, 5).fixed_point() - v) / alpha
        for alpha in (Fraction(1, 1000), Fraction(1, 2000))
    )
    assert (abs(coarse) > 1).all()
    assert (abs(coarse - fine) < abs(fine) / 100).all()  # the next term is α times a constant


# -- the door -------------------------------------------------------------------------------------------------------------


def test_values_of_terminal_states_are_read_as_zero():
    mdp = model()
    loud = V0 + np.array([0, 0, 0, 100])
    for update in (
        td_update(mdp, PI, ALPHA, STATES),
        held_update(mdp, PI, ALPHA, 3),
        episode_update(mdp, PI, ALPHA, 3),
    ):
        assert list(update(loud)) == list(update(V0))
        assert update(loud)[3] == 0
    weighted = td_update(mdp, PI, ALPHA, STATES + np.array([0, 0, 0, 1]))
    assert list(weighted(loud)) == list(td_update(mdp, PI, ALPHA, STATES)(V0))
    shouting = Q0 + 100 * ~mdp.available
    for one, other in ((PAIRS, PAIRS), (PAIRS + ~mdp.available, PAIRS)):
        assert (expected_q_learning(mdp, shouting, ALPHA, one) == expected_q_learning(mdp, Q0, ALPHA, other)).all()
        assert (expected_sarsa(mdp, PI, shouting, ALPHA, one) == expected_sarsa(mdp, PI, Q0, ALPHA, other)).all()


def test_refusals():
    mdp = model()
    with pytest.raises(ValueError, match="weights have shape"):
        td_update(mdp, PI, ALPHA, [1, 1])
    with pytest.raises(ValueError, match="non-negative"):
        td_update(mdp, PI, ALPHA, [1, 1, -1, 0])
    with pytest.raises(ValueError, match="alpha"):
        td_update(mdp, PI, -1, STATES)
    with pytest.raises(NotExact, match=r"0\.1"):
        td_update(mdp, PI, 0.1, STATES)
    with pytest.raises(MixedNumbers):
        expected_td(mdp, PI, V0.astype(float), ALPHA, STATES)
    with pytest.raises(ValueError, match="q has shape"):
        expected_q_learning(mdp, V0, ALPHA, PAIRS)
    with pytest.raises(ValueError, match="updates"):
        td_update(mdp, PI, ALPHA, STATES).after(-1)
    floats = mdp.to_float()
    with pytest.raises(ValueError, match="alpha"):
        td_update(floats, PI.astype(float), float("nan"), STATES.astype(float))


def test_double_q_learning_is_the_average_over_every_sample():
    """Each place, coin and outcome in turn, with the plain update rule; the other table judges the first maximiser."""
    mdp = model()
    one, two = Q0.copy(), Q0[::-1].copy()
    one[~mdp.available] = two[~mdp.available] = Fraction(0)
    places = [(s, a) for s in range(4) for a in range(2) if mdp.available[s, a]]
    weights = np.zeros((4, 2), dtype=object) + Fraction(0)
    for s, a in places:
        weights[s, a] = Fraction(1, len(places))
    mean = [0 * one, 0 * two]
    for s, a in places:
        for p, nxt, reward, _ in mdp.outcomes(s, a):
            for coin in (0, 1):
                tables = [one.copy(), two.copy()]
                held, judge = tables[coin], tables[1 - coin]
                ahead = Fraction(0)
                if nxt is not None and mdp.available[nxt].any():
                    actions = [b for b in range(2) if mdp.available[nxt, b]]
                    ahead = judge[nxt, max(actions, key=lambda b: (held[nxt, b], -b))]
                held[s, a] += ALPHA * (reward + mdp.gamma * ahead - held[s, a])
                for k in (0, 1):
                    mean[k] = mean[k] + HALF * p * weights[s, a] * tables[k]
    found = expected_double_q_learning(mdp, one, two, ALPHA, weights)
    assert all((x == y).all() for x, y in zip(found, mean, strict=True))


def test_the_optimum_twice_stays_where_it_is_and_floats_agree():
    mdp = model()
    best = np.max([action_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)
    ones = np.where(mdp.available, Fraction(1), Fraction(0))
    assert all((x == best).all() for x in expected_double_q_learning(mdp, best, best, ALPHA, ones))
    floats, _ = expected_double_q_learning(
        mdp.to_float(), Q0.astype(float), Q0[::-1].astype(float), 0.1, ones.astype(float)
    )
    exact, _ = expected_double_q_learning(mdp, Q0, Q0[::-1], ALPHA, ones)
    assert abs(floats - exact.astype(float)).max() < 1e-12  # a dozen roundings of numbers below 100
