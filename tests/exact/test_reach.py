"""Reach probabilities and hitting times against closed forms, brute force, a linear program and Doob's transform."""

import random
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.evaluation import policy_value
from rlexact.exact.paths import paths
from rlexact.exact.reach import arrival, hitting_time, max_reach_probability, min_reach_probability, reach_probability
from rlexact.mdp import MDP, InvalidMDP
from rlexact.policy import deterministic, deterministic_policies, uniform
from rlexact.solution import Unbounded

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def ruin(p, n=6, gamma="1/2"):
    """Capital 0 ... n, up by one with probability p, else down; both ends terminal.  γ must play no part."""
    table = {(k, 0): [(p, k + 1, 0, False), (1 - p, k - 1, 0, False)] for k in range(1, n)}
    return MDP.from_outcomes(table, gamma, terminal=[0, n])


def ruin_probability(p, k, n):
    ratio = (1 - p) / p
    return Fraction(k, n) if ratio == 1 else (1 - ratio**k) / (1 - ratio**n)


def random_model(seed, n_states=5, n_actions=3):
    """Few outcomes per action, in thirds: loops, traps, missing actions, terminal states and steps that end."""
    draw = random.Random(seed)
    table = {}
    for s in range(n_states - 1):
        for a in range(n_actions):
            if a and draw.random() < 0.25:
                continue
            kinds = [[1], [THIRD, 2 * THIRD], [THIRD, THIRD, THIRD]][draw.randrange(3)]
            table[s, a] = []
            for p in kinds:
                ended = draw.random() < 0.08
                table[s, a].append((p, None if ended else draw.randrange(n_states), draw.randrange(3), ended))
    return MDP.from_outcomes(table, "9/10", terminal=[n_states - 1], actions=range(n_actions))


MODELS = [random_model(seed) for seed in range(25)]


# -- under a policy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [HALF, Fraction(2, 5), Fraction(7, 9)])
def test_gamblers_ruin(p):
    model = ruin(p)
    reached = reach_probability(model, uniform(model), [6])
    assert list(reached) == [ruin_probability(p, k, 6) for k in range(7)]
    # LU on six states: a few roundings of numbers of size 1
    for inexact in (model.to_float(), model.to_sparse()):
        np.testing.assert_allclose(reach_probability(inexact, uniform(inexact), 6), reached.astype(float), atol=1e-14)


def test_gamblers_ruin_in_symbols():
    p = sympy.Symbol("p")
    model = ruin(p, n=4)
    for k, x in enumerate(reach_probability(model, uniform(model), [4])):
        ratio = (1 - p) / p
        assert sympy.cancel(x - (1 - ratio**k) / (1 - ratio**4)) == 0


@pytest.mark.parametrize("p", [HALF, Fraction(2, 5)])
def test_duration_of_play(p):
    model = ruin(p)
    expected = [
        k * (6 - k) if p == HALF else (k - 6 * ruin_probability(p, k, 6)) / (1 - 2 * p) for k in range(7)
    ]  # Feller (1968), XIV.3
    times = hitting_time(model, uniform(model), [0, 6])
    assert list(times) == expected
    for inexact in (model.to_float(), model.to_sparse()):
        # condition number of I - P is about n² = 36
        np.testing.assert_allclose(hitting_time(inexact, uniform(inexact), [0, 6]), times.astype(float), rtol=1e-13)


def test_walk_on_a_cycle_and_a_reflected_line():
    n = 7
    cycle = MDP.chain([[HALF * ((j - i) % n in (1, n - 1)) for j in range(n)] for i in range(n)])
    assert list(hitting_time(cycle, uniform(cycle), 0)) == [k * (n - k) for k in range(n)]  # Levin et al. §2.1
    line = [[Fraction(0)] * n for _ in range(n)]
    for i in range(n):
        line[i][min(i + 1, n - 1)] += HALF if i > 0 else 1
        line[i][max(i - 1, 0)] += HALF if i > 0 else 0
    reflected = MDP.chain(line)
    assert list(hitting_time(reflected, uniform(reflected), n - 1)) == [(n - 1) ** 2 - k**2 for k in range(n)]


def test_geometric_waiting_time_in_symbols():
    q = sympy.Symbol("q")
    model = MDP.chain([[1 - q, q], [0, 1]])
    assert hitting_time(model, uniform(model), 1)[0] == 1 / q
    assert reach_probability(model, uniform(model), 1)[0] == 1


@pytest.mark.parametrize("seed", range(25))
def test_reaching_is_a_total_reward(seed):
    """With 1 paid on arrival, the targets made terminal and no discount, the value is the probability."""
    model, goal = MODELS[seed], {1, 4}
    table = {}
    for s in set(range(model.n_states)) - goal:
        for a in np.flatnonzero(model.available[s]):
            table[s, int(a)] = [(p, j, int(j in goal), ended) for p, j, _, ended in model.outcomes(s, a)]
    paying = MDP.from_outcomes(table, Fraction(1), terminal=sorted(goal), actions=range(model.n_actions))
    value = policy_value(paying, uniform(paying))
    reached = reach_probability(model, uniform(model), goal)
    assert [reached[s] for s in range(5) if s not in goal] == [value[s] for s in range(5) if s not in goal]
    assert all(reached[s] == 1 for s in goal)


def test_doobs_transform():
    """Paths conditioned to reach the goal are the paths of P(s, s') h(s') / h(s)."""
    model = ruin(Fraction(2, 5), n=4).replace(initial=1)
    h = reach_probability(model, uniform(model), 4)
    rows = [
        [p * h[j] / h[i] if h[i] else Fraction(0) for j, p in enumerate(row)] for i, row in enumerate(model.P[:, 0])
    ]
    conditioned = MDP.chain(rows, initial=1, terminal=[0, 4])
    won = {path.states: path.probability for path in paths(model, None, 7) if path.states[-1] == 4}
    transformed = {path.states: path.probability for path in paths(conditioned, None, 7) if path.states[-1] == 4}
    assert len(won) > 3
    assert {states: p / h[1] for states, p in won.items()} == transformed


def test_zero_and_one_are_exact_in_floats():
    draw = np.random.default_rng(3)
    P = draw.random((60, 60)) * (draw.random((60, 60)) < 0.1)
    P[np.arange(60), (np.arange(60) + 1) % 60] += 0.1  # one cycle through everything
    P[0], P[:, 0] = 0, 0
    P[0, 0], P[1, 0], P[59, 1] = 1, 1e-3, 1
    model = MDP.chain(P / P.sum(axis=1, keepdims=True))
    assert (reach_probability(model, uniform(model), 0) == 1.0).all()
    assert (reach_probability(model, uniform(model), 5)[0] == 0.0).all()


def test_a_step_that_ends_arrives_nowhere():
    model = MDP.from_outcomes(
        {(0, 0): [(THIRD, 1, 0, False), (THIRD, None, 5, True), (THIRD, 0, 0, False)]}, 1, terminal=1
    )
    for reach in (max_reach_probability, min_reach_probability):
        assert list(reach(model, 1)) == [HALF, 1]
    assert list(reach_probability(model, uniform(model), 1)) == [HALF, 1]


def test_targets_by_index_name_list_and_mask():
    model = MDP.chain([[0, "1/2", "1/2"], [0, 1, 0], [0, 0, 1]], states=["here", "left", "right"])
    pi = uniform(model)
    for targets in (1, "left", ["left"], [1], (1,), {1}, np.array([False, True, False])):
        assert list(reach_probability(model, pi, targets)) == [HALF, 1, 0]
    assert list(reach_probability(model, pi, [])) == [0, 0, 0]
    with pytest.raises(InvalidMDP, match="up"):
        reach_probability(model, pi, ["up"])
    with pytest.raises(ValueError, match="mask"):
        reach_probability(model, pi, np.array([True]))


# -- infinite times -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_one_rule_for_infinite_times(convert):
    model = convert(MDP.chain([["1/2", "1/2", 0, 0], [0, 1, 0, 0], [0, "1/2", 0, "1/2"], [0, 0, 0, 1]]))
    with pytest.raises(Unbounded, match=r"\{2, 3\}"):
        hitting_time(model, uniform(model), 1)
    times = hitting_time(model, uniform(model), 1, states=[1, 0])
    assert [float(t) for t in times] == [0.0, 2.0]
    with pytest.raises(Unbounded, match=r"\{2\}"):
        hitting_time(model, uniform(model), 1, states=[0, 2])


# -- over all policies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("goal", [[4], [1, 4], [2]])
def test_extremes_against_every_deterministic_policy(seed, goal):
    model = MODELS[seed]
    every = np.array([reach_probability(model, pi, goal) for pi in deterministic_policies(model)])
    assert list(max_reach_probability(model, goal)) == list(every.max(axis=0))
    assert list(min_reach_probability(model, goal)) == list(every.min(axis=0))


@pytest.mark.parametrize("seed", range(8))
def test_floats_and_symbols_agree_with_rationals(seed):
    exact = MODELS[seed]
    for reach in (max_reach_probability, min_reach_probability):
        truth = reach(exact, [1, 4])
        assert list(reach(exact.to_symbolic(), [1, 4])) == [sympy.Rational(x.numerator, x.denominator) for x in truth]
        for inexact in (exact.to_float(), exact.to_sparse()):
            found = reach(inexact, [1, 4])
            np.testing.assert_allclose(found, truth.astype(float), atol=1e-13)  # five states: a few roundings
            assert ((found == 1) == (truth == 1)).all()
            assert ((found == 0) == (truth == 0)).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_maximum_is_the_least_solution_of_a_linear_program(seed):
    draw = np.random.default_rng(seed)
    P = draw.random((30, 3, 30)) ** 4 * (draw.random((30, 3, 30)) < 0.15)
    P[..., -1] += 1e-3
    P[:3] = 0
    P[[0, 1, 2], :, [0, 1, 2]] = 1
    model = MDP(P / P.sum(axis=2, keepdims=True), np.zeros(30), 1.0)
    flat = model.kernel.copy()
    rows = np.repeat(np.eye(30), 3, axis=0)
    bounds = [(1, 1) if s in (0, 1) else (0, 1) for s in range(30)]
    program = scipy.optimize.linprog(np.ones(30), A_ub=flat - rows, b_ub=np.zeros(90), bounds=bounds)
    np.testing.assert_allclose(max_reach_probability(model, [0, 1]), program.x, atol=1e-7)  # HiGHS's feasibility


def test_a_loop_is_not_taken_for_an_arrival():
    """In the loop every constant solves x = max P x: the least solution is the probability."""
    model = MDP.from_outcomes(
        {
            (0, 0): [(Fraction(1), 0, 0, False)],
            (0, 1): [(HALF, 1, 0, False), (HALF, 2, 0, False)],
            (3, 0): [(Fraction(1), 0, 0, False)],
            (3, 1): [(Fraction(1), 3, 0, False)],
        },
        1,
        terminal=[1, 2],
    )
    assert list(max_reach_probability(model, 1)) == [HALF, 1, 0, HALF]
    assert list(min_reach_probability(model, 1)) == [0, 1, 0, 0]


def test_a_tiny_gain_is_a_gain_and_a_tie_is_not():
    """At 0 the second action is better by 1e-9 and the third leads round a loop; 4 sees the gain one improvement later."""
    P = np.zeros((5, 3, 5))
    P[0] = [[0, 0.3, 0.7, 0, 0], [0, 0.3 + 1e-9, 0.7 - 1e-9, 0, 0], [0.9, 0, 0, 0.1, 0]]
    P[3] = [[1, 0, 0, 0, 0], [0, 0.2, 0.8, 0, 0], [0, 0.1, 0.9, 0, 0]]
    P[4] = [[0, 0.3, 0.7, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    P[[1, 2], :, [1, 2]] = 1
    model = MDP(P, np.zeros(5), 1.0)
    for inexact in (model, model.to_sparse()):
        best = max_reach_probability(inexact, 1)[[0, 3, 4]]
        np.testing.assert_allclose(best, 0.3 + 1e-9, rtol=1e-14)  # 1 - 0.9 is 0.1 to 14 digits
        assert (min_reach_probability(inexact, 1)[[0, 3, 4]] == 0).all()  # going round for ever


def test_a_trapped_state_counts_as_zero():
    P = np.array([[1.0, 0, 0], [0.5, 0, 0.5], [0, 0, 1]])
    assert arrival(P, np.zeros(3, dtype=bool), np.array([False, False, True])).tolist() == [0, 0.5, 1]


def test_bold_play():
    """Gambler with p = 2/5 and goal 8: bold play attains the maximum (Dubins and Savage 1965), by hand from 1/2 down."""
    p = Fraction(2, 5)
    table = {
        (s, a): [(p, s + a, 0, False), (1 - p, s - a, 0, False)]
        for s in range(1, 8)
        for a in range(1, min(s, 8 - s) + 1)
    }
    model = MDP.from_outcomes(table, Fraction(1), terminal=[0, 8])
    assert [max_reach_probability(model, 8)[s] for s in (1, 2, 4, 6)] == [p**3, p**2, p, p + (1 - p) * p]
    bold = deterministic(model, [0, *[min(s, 8 - s) for s in range(1, 8)], 0])
    assert list(reach_probability(model, bold, 8)) == list(max_reach_probability(model, 8))


def test_undecided_symbols_are_refused():
    p, q = sympy.symbols("p q", positive=True)
    model = MDP([[[0, p, 1 - p], [0, q, 1 - q]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2], R=[0, 0, 0], gamma=1)
    with pytest.raises(NotExact, match="depends on the symbols"):
        max_reach_probability(model, 1)
    assert reach_probability(model, uniform(model), 1)[0] == (p + q) / 2


def test_a_long_sparse_walk():
    n, p = 20_000, 0.6
    i = np.arange(1, n)
    P = scipy.sparse.csr_array(
        (np.r_[np.full(n - 1, p), np.full(n - 1, 1 - p), 1, 1], (np.r_[i, i, 0, n], np.r_[i + 1, i - 1, 0, n])),
        shape=(n + 1, n + 1),
    )
    model = MDP.chain(P)
    reached = reach_probability(model, uniform(model), n)
    k = np.arange(n + 1)
    np.testing.assert_allclose(reached, 1 - (0.4 / 0.6) ** k, atol=1e-12)  # 1 - (q/p)^n is 1 to the last digit
    assert reached[0] == 0
    times = hitting_time(model, uniform(model), [0, n])
    exact = (n * (1 - (0.4 / 0.6) ** k) - k) / 0.2
    np.testing.assert_allclose(times, exact, rtol=1e-10)  # a tridiagonal solve of 2·10⁴ steps
