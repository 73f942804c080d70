"""The gallery against published tables, closed forms and brute force."""

import inspect
import time
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact import gallery
from rlexact.exact.bellman import backup, bellman_optimal
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.gallery.generators import subsets
from rlexact.policy import deterministic, deterministic_policies, uniform

RANDOM = {"garnet", "random_mdp", "bandit"} | {name for name in gallery.__all__ if name.startswith("foundations")}
NAMED = sorted(set(gallery.__all__) - RANDOM)
SMALL = [name for name in NAMED if name != "gambler"]  # the full gambler takes a second to build

# Sutton and Barto (2018), Figures 3.2 and 3.5, as printed
GRID_UNIFORM = [
    [3.3, 8.8, 4.4, 5.3, 1.5],
    [1.5, 3.0, 2.3, 1.9, 0.5],
    [0.1, 0.7, 0.7, 0.4, -0.4],
    [-1.0, -0.4, -0.4, -0.6, -1.2],
    [-1.9, -1.3, -1.2, -1.4, -2.0],
]
GRID_OPTIMAL = [
    [22.0, 24.4, 22.0, 19.4, 17.5],
    [19.8, 22.0, 19.8, 17.8, 16.0],
    [17.8, 19.8, 17.8, 16.0, 14.4],
    [16.0, 17.8, 16.0, 14.4, 13.0],
    [14.4, 16.0, 14.4, 13.0, 11.7],
]
PRINTED = 0.05 + 1e-12  # one decimal: half a unit in the last place, and the rounding of that subtraction


def floats(v):
    return np.array([float(x) for x in v])


def brute_force(mdp):
    """The best value of each state over all deterministic policies."""
    return [max(column) for column in zip(*(policy_value(mdp, pi) for pi in deterministic_policies(mdp)), strict=True)]


@pytest.mark.parametrize("name", SMALL)
def test_every_named_model_is_exact_and_says_where_it_comes_from(name):
    mdp = getattr(gallery, name)()
    assert mdp.world == "rational"
    assert mdp.initial.sum() == 1
    sources = ("(19", "(20", "§", "line", "pymdptoolbox", "CS 188", "Gymnasium")
    assert any(mark in inspect.getdoc(getattr(gallery, name)) for mark in sources)
    assert mdp.actions is not None


@pytest.mark.parametrize("world", [lambda m: m, lambda m: m.to_float(), lambda m: m.to_sparse()])
def test_sutton_barto_grid(world):
    mdp = world(gallery.sutton_barto_grid())
    assert np.abs(floats(policy_value(mdp, uniform(mdp))).reshape(5, 5) - GRID_UNIFORM).max() <= PRINTED
    assert np.abs(floats(policy_iteration(mdp).v).reshape(5, 5) - GRID_OPTIMAL).max() <= PRINTED


def test_sutton_barto_small_grid():
    mdp = gallery.sutton_barto_small_grid()
    table = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]  # Figure 4.1, k = ∞
    assert list(policy_value(mdp, uniform(mdp))) == table
    assert mdp.initial[0] == 0
    assert mdp.initial[5] == Fraction(1, 14)


def test_cliff_and_windy_grids_take_the_published_number_of_steps():
    cliff, wind = gallery.cliff_walk(), gallery.windy_grid()
    assert cliff.initial @ policy_iteration(cliff).v == -13  # the edge path: one up, eleven along, one down
    assert wind.initial @ policy_iteration(wind).v == -15  # Example 6.5
    kings = gallery.windy_grid(kings_moves=True)
    assert kings.initial @ policy_iteration(kings).v == -7  # Exercise 6.9
    lifted = [4 - wind.outcomes(wind.state((4, j)), "west")[0][1] // 10 for j in range(10)]
    assert lifted == [0, 0, 0, 1, 1, 1, 2, 2, 1, 0]  # rows gained on leaving (4, j) sideways
    start = cliff.state((3, 0))
    assert cliff.outcomes(start, "east") == [(1, start, -100, False)]


def test_frozen_lake_published_values():
    mdp = gallery.frozen_lake()
    assert abs(float(policy_iteration(mdp).v[0]) - 0.54203) < 5e-6  # ecosystem trials, five printed decimals
    assert policy_iteration(gallery.frozen_lake(gamma=Fraction(1))).v[0] == Fraction(14, 17)  # best chance to arrive
    dry = policy_iteration(gallery.frozen_lake(slippery=False)).v[0]
    assert dry == Fraction(99, 100) ** 5  # six steps, the last one pays


def test_frozen_lake_takes_rows_of_letters():
    mdp = gallery.frozen_lake(rows=["SFG", "HFF"], slippery=False, gamma="1/2")
    assert list(policy_iteration(mdp).v) == [Fraction(1, 2), 1, 0, 0, Fraction(1, 2), 1]


def test_aima_grid():
    mdp = gallery.aima_grid()
    v = dict(zip(mdp.states, floats(policy_iteration(mdp).v), strict=True))
    rows = {3: [0.812, 0.868, 0.918, 1], 2: [0.762, None, 0.660, -1], 1: [0.705, 0.655, 0.611, 0.388]}  # Figure 17.3
    for y, printed in rows.items():
        for x, value in enumerate(printed, start=1):
            assert value is None or abs(v[x, y] - value) <= 0.0005 + 1e-12
    assert (2, 2) not in v


@pytest.mark.parametrize("n", [3, 5, 19])
def test_random_walk(n):
    mdp = gallery.random_walk(n)
    assert list(policy_value(mdp, uniform(mdp))) == [Fraction(k, n + 1) for k in range(1, n + 1)]
    assert mdp.initial[n // 2] == 1


def test_random_walk_of_example_7_1():
    mdp = gallery.random_walk(19, left=-1)
    assert list(policy_value(mdp, uniform(mdp))) == [Fraction(k - 10, 10) for k in range(1, 20)]


def bold_play(s, goal, p):
    """The value of staking as much as is useful: Dubins and Savage (1965), from the two halves of the interval."""
    if s in (0, goal):
        return Fraction(s, goal)
    return p * bold_play(2 * s, goal, p) if 2 * s <= goal else p + (1 - p) * bold_play(2 * s - goal, goal, p)


def test_gambler_plays_as_well_as_bold_play():
    mdp = gallery.gambler(goal=16)
    value = [bold_play(s, 16, Fraction(2, 5)) for s in range(16)]
    assert list(policy_iteration(mdp).v) == [*value, 0]
    assert not mdp.available[:, 0].any()
    assert mdp.available[5].sum() == 5


def test_gambler_at_the_printed_capitals():
    v = policy_iteration(gallery.gambler()).v
    assert [v[25], v[50], v[75]] == [Fraction("0.16"), Fraction("0.4"), Fraction("0.64")]


def test_gambler_with_a_fair_coin_cannot_gain():
    mdp = gallery.gambler(Fraction(1, 2), goal=8)
    for policy in (uniform(mdp), policy_iteration(mdp).policy):
        assert list(policy_value(mdp, policy)) == [Fraction(s, 8) for s in range(8)] + [0]


def test_forest_is_that_of_pymdptoolbox():
    mdp = gallery.forest()
    best = policy_iteration(mdp)
    assert list(best.v) == [Fraction("26.244"), Fraction("29.484"), Fraction("33.484")]  # its PolicyIteration, γ = 0.9
    assert list(best.policy.argmax(axis=1)) == [0, 0, 0]
    fire = Fraction(1, 10)
    assert mdp.P[:, 0].tolist() == [[fire, 1 - fire, 0], [fire, 0, 1 - fire], [fire, 0, 1 - fire]]
    assert mdp.P[:, 1].tolist() == [[1, 0, 0]] * 3
    assert mdp.r.tolist() == [[0, 0], [0, 1], [4, 2]]
    assert gallery.forest(5).r[:, 1].tolist() == [0, 1, 1, 1, 2]


@pytest.mark.parametrize("gamma", [Fraction(1, 2), Fraction(10, 11), Fraction(19, 20)])
def test_puterman_two_state_switches_at_ten_elevenths(gamma):
    mdp = gallery.puterman_two_state(gamma)
    stay = (5 - Fraction(11, 2) * gamma) / ((1 - gamma / 2) * (1 - gamma))  # Puterman (1994), Example 6.2.1
    move = (10 - 11 * gamma) / (1 - gamma)
    best = policy_iteration(mdp)
    assert list(best.v) == [max(stay, move), -1 / (1 - gamma)]
    assert (stay == move) == (gamma == Fraction(10, 11)) == bool(best.optimal_actions[0].all())


def test_racing_finite_horizon_values():
    mdp = gallery.racing(Fraction(1))
    first = bellman_optimal(mdp, np.array([Fraction(0)] * 3))
    second = bellman_optimal(mdp, first)
    assert list(first) == [2, 1, 0]
    assert list(second) == [Fraction(7, 2), Fraction(5, 2), 0]  # CS 188, the value iteration slide
    assert list(policy_iteration(gallery.racing()).v) == brute_force(gallery.racing())


def test_chain_earns_its_published_average():
    mdp = gallery.chain(gamma=1 - Fraction(1, 10**6))
    v = policy_value(mdp, deterministic(mdp, ["forward"] * 5))
    assert abs(float(v[0]) / 10**6 - 3.677) < 5e-4  # Strens (2000): 3677 in 1000 steps
    assert list(policy_iteration(gallery.chain()).v) == brute_force(gallery.chain())


def test_river_swim_stationary_law():
    mdp = gallery.river_swim()
    P, r = mdp.under(deterministic(mdp, ["right"] * 6))
    weights = [Fraction(1)]  # detailed balance of a birth-death chain: w(k + 1) = w(k) up(k) / down(k + 1)
    for up, down in [("0.6", "0.05"), ("0.35", "0.05"), ("0.35", "0.05"), ("0.35", "0.05"), ("0.35", "0.4")]:
        weights.append(weights[-1] * Fraction(up) / Fraction(down))
    law = np.array(weights) / sum(weights)
    assert list(law @ P) == list(law)
    assert abs(float(law @ r) - 0.4286) < 5e-5  # the optimal gain that the literature quotes
    assert mdp.r[0].tolist() == [Fraction(1, 200), 0]


@pytest.mark.parametrize("p", [Fraction(1, 2), Fraction(3, 5), Fraction(1, 10)])
def test_short_corridor(p):
    mdp = gallery.short_corridor()
    blind = np.array([[1 - p, p]] * 3)
    assert policy_value(mdp, blind)[0] == (2 * p - 4) / (p * (1 - p))
    best = 2 - sympy.sqrt(2)  # where the derivative of that formula vanishes
    assert abs(float((2 * best - 4) / (best * (1 - best))) + 11.66) < 0.005


def test_corridor_counts_its_steps():
    mdp = gallery.corridor(6)
    assert list(policy_iteration(mdp).v) == [-6, -5, -4, -3, -2, -1]
    right = deterministic(gallery.corridor(150), ["right"] * 150)
    assert policy_value(gallery.corridor(150), right)[0] == -150  # theory, line 290


def test_left_right_loop():
    mdp = gallery.left_right_loop()
    loop = 3 / (1 - Fraction(81, 100))  # A → B → A → ... pays 3 every other step
    assert brute_force(mdp) == [loop, Fraction(9, 10) * loop]
    assert list(mdp.r.ravel()) == [1, 3, 0, 10]
    assert mdp.ends.tolist() == [[0, 0], [0, 1]]


def test_three_state_chain_in_both_readings():
    collected, arrived = gallery.three_state_chain(), gallery.three_state_chain(paid_on_arrival=True)
    assert list(policy_value(collected, uniform(collected))) == [Fraction("6.2"), 8, 10]
    assert list(policy_value(arrived, uniform(arrived))) == [Fraction("7.1"), 9, 0]


def test_two_streams_for_every_discount():
    gamma = sympy.Symbol("gamma")
    mdp = gallery.two_streams(gamma)
    steady = action_value(mdp, uniform(mdp))[0]
    assert sympy.cancel(steady[0] - 1 / (1 - gamma)) == 0
    assert sympy.cancel(steady[1] - 2 * gamma**10 / (1 - gamma)) == 0
    choices = [policy_iteration(gallery.two_streams(g)).policy[0].argmax() for g in ("0.9", "0.99")]
    assert choices == [0, 1]  # theory, lines 16 and 17


def test_go_then_stay_and_its_iterates():
    mdp = gallery.go_then_stay()
    v, seen = np.array([Fraction(0)] * 2), []
    for _ in range(3):
        v = bellman_optimal(mdp, v)
        seen.append(list(v))
    assert seen == [[2, 1], [Fraction("2.9"), Fraction("1.9")], [Fraction("3.71"), Fraction("2.71")]]
    assert brute_force(mdp) == [11, 10]


def test_half_contraction_attains_its_bound():
    mdp = gallery.half_contraction()
    assert brute_force(mdp) == [10, 8]
    low, high = (np.array([Fraction(x)] * 2) for x in (0, 20))
    for k in range(1, 11):
        low, high = bellman_optimal(mdp, low), bellman_optimal(mdp, high)
        assert max(abs(high - low)) == Fraction(20, 2**k)


def test_bandits():
    fork, arms = gallery.fork(), gallery.two_armed_bandit()
    assert policy_value(fork, uniform(fork)) == [5]
    assert backup(arms, np.array([Fraction(99)])).tolist() == [[1, 3]]  # nothing comes after a pull
    assert policy_iteration(gallery.bandit(("1/3", "0.5"))).v == [Fraction(1, 2)]


def test_foundations_models_follow_the_documents_draws():
    process = gallery.foundations_process(np.random.RandomState(0))
    first, last = [0.19356424, 0.25224431, 0.21259213, 0.19217803, 0.14942128], 0.0376903
    assert np.abs(process.P[0, 0] - first).max() <= 0.5e-8  # foundations, line 97: eight printed decimals
    assert abs(process.P[4, 0, 4] - last) <= 0.5e-8
    draw = np.random.RandomState(1)
    reward = gallery.foundations_reward_process(draw)
    again = np.random.RandomState(1)
    again.rand(5, 5), again.rand(5)
    paid = again.randn(5)
    assert np.array_equal(reward.R[0, 0], paid)  # paid for arriving, whatever the state that is left
    assert np.array_equal(reward.R[3, 0], paid)
    sticky = gallery.foundations_sticky_process(draw, reward)
    weights = again.rand(5, 5)
    weights[:, 0] = [1000, 0.001, 0.001, 0.001, 0.001]
    assert np.abs(sticky.P[:, 0] - weights / weights.sum(axis=1, keepdims=True)).max() < 1e-15  # one rounding
    assert sticky.R[2, 0].tolist() == [10, *paid[1:]]
    decision = gallery.foundations_decision_process(np.random.RandomState(2), 4, 3)
    assert decision.P.shape == (4, 3, 4)
    assert np.array_equal(decision.R[1, 2], decision.R[0, 0])


# -- generators -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k"), [(4, 2), (5, 5), (5, 1), (3, 0)])
def test_subsets_are_subsets_and_evenly_drawn(n, k):
    rows = subsets(np.random.default_rng(0), 6000, n, k)
    seen = Counter(map(tuple, rows.tolist()))
    assert all(len(set(s)) == k and list(s) == sorted(s) and all(0 <= x < n for x in s) for s in seen)
    expected = 6000 / (count := int(sympy.binomial(n, k)))
    assert len(seen) == count
    assert max(abs(x - expected) for x in seen.values()) <= 5 * expected**0.5  # five standard deviations, fixed seed


@pytest.mark.parametrize("exact", [True, False])
def test_garnet(exact):
    mdp = gallery.garnet(7, 3, 4, seed=5, exact=exact)
    assert ((mdp.P != 0).sum(axis=2) == 4).all()
    assert mdp == gallery.garnet(7, 3, 4, seed=5, exact=exact)
    assert mdp != gallery.garnet(7, 3, 4, seed=6, exact=exact)
    if exact:
        assert all((60 * x).denominator == 1 for x in [*mdp.P.flat, *mdp.r.flat])


def test_garnet_sparse_is_the_dense_one():
    dense, sparse = gallery.garnet(9, 2, 3, seed=1), gallery.garnet(9, 2, 3, seed=1, sparse=True)
    assert scipy.sparse.issparse(sparse.kernel)
    assert sparse.to_dense() == dense


def test_garnet_with_one_successor_and_with_all():
    assert (gallery.garnet(4, 2, 1, seed=0, exact=True).P.max(axis=2) == 1).all()
    assert (gallery.garnet(4, 2, 4, seed=0, exact=True).P > 0).all()


@pytest.mark.parametrize(
    "options", [{"branching": 0}, {"branching": 9}, {"branching": 7, "exact": True, "denominator": 6}]
)
def test_garnet_refuses_impossible_branching(options):
    with pytest.raises(ValueError, match="branching"):
        gallery.garnet(8, 2, seed=0, **options)
    with pytest.raises(ValueError, match=r"scipy\.sparse"):
        gallery.garnet(8, 2, 2, seed=0, exact=True, sparse=True)


def test_large_garnet_is_built_fast():
    seconds = []
    for seed in range(2):  # measured at 0.6 s each; the better of two, since other work may slow one down
        begun = time.process_time()
        mdp = gallery.garnet(100_000, 4, 5, seed, sparse=True)
        seconds.append(time.process_time() - begun)
    assert min(seconds) < 2
    assert mdp.kernel.nnz == 2_000_000


def test_random_mdp_has_what_was_asked():
    for seed in range(20):
        mdp = gallery.random_mdp(seed, 5, 3, terminal=2, masked=True)
        assert mdp.terminal.tolist() == [False] * 3 + [True] * 2
        assert mdp.available[:3].any(axis=1).all()
        assert mdp.world == "rational"
        assert mdp.initial.sum() == 1
        assert gallery.random_mdp(seed, 5, 3, terminal=2, masked=True) == mdp
    assert any(not gallery.random_mdp(seed, masked=True).available.all() for seed in range(5))
    assert gallery.random_mdp(1, exact=False) == gallery.random_mdp(1).to_float()
    with pytest.raises(ValueError, match="terminal = 4"):
        gallery.random_mdp(0, 4, terminal=4)
