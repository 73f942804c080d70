"""Stationary laws and average rewards against closed forms, return times and the limit of discounted values."""

import random
from fractions import Fraction
from math import comb

import numpy as np
import pytest
import sympy

from rlexact.exact.evaluation import policy_value
from rlexact.exact.reach import hitting_time
from rlexact.exact.stationary import average_reward, stationary, stationary_laws
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, uniform

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
WORLDS = [MDP.to_rational, MDP.to_symbolic, MDP.to_float, MDP.to_sparse]


def random_chain(seed, n=6):
    draw = random.Random(seed)
    rows = [[Fraction(draw.choice([0, 0, 1, 2, 5])) for _ in range(n)] for _ in range(n)]
    for i, row in enumerate(rows):
        row[(i + 1) % n] += 1  # a cycle through all states: irreducible
    return MDP.chain([[x / sum(row) for x in row] for row in rows], R=[Fraction(draw.randrange(9)) for _ in range(n)])


def two_classes():
    """{0} and {1, 2} are closed; 3 goes to the one with 1/4, to the other with 1/2, and ends with 1/4."""
    return MDP.from_outcomes(
        {
            (0, 0): [(1, 0, 5, False)],
            (1, 0): [(1, 2, 0, False)],
            (2, 0): [(HALF, 1, 3, False), (HALF, 2, 3, False)],
            (3, 0): [(QUARTER, 0, 100, False), (HALF, 1, 100, False), (QUARTER, None, 100, True)],
        },
        "9/10",
    )


def test_two_states_in_symbols():
    a, b = sympy.symbols("a b", positive=True)
    chain = MDP.chain([[1 - a, a], [b, 1 - b]])
    for found, expected in zip(stationary(chain, uniform(chain)), [b / (a + b), a / (a + b)], strict=True):
        assert sympy.cancel(found - expected) == 0


@pytest.mark.parametrize("convert", WORLDS)
def test_ehrenfest_urn_is_binomial(convert):
    n = 6
    P = [
        [Fraction(n - i, n) * (j == i + 1) + Fraction(i, n) * (j == i - 1) for j in range(n + 1)] for i in range(n + 1)
    ]
    chain = convert(MDP.chain(P))
    law = [float(x) for x in stationary(chain, uniform(chain))]
    assert law == pytest.approx([comb(n, k) / 2**n for k in range(n + 1)], rel=1e-13)  # LU on 7 states
    exact = MDP.chain(P)
    assert list(stationary(exact, uniform(exact))) == [Fraction(comb(n, k), 2**n) for k in range(n + 1)]


def test_walk_on_a_graph_follows_the_degrees():
    edges = {(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)}
    near = [[j for j in range(5) if (i, j) in edges or (j, i) in edges] for i in range(5)]
    chain = MDP.chain([[Fraction(j in near[i], len(near[i])) for j in range(5)] for i in range(5)])
    assert list(stationary(chain, uniform(chain))) == [Fraction(len(x), 10) for x in near]


@pytest.mark.parametrize("seed", range(10))
def test_balance_and_kac(seed):
    """d P = d with Σ d = 1, in plain fractions; and d(s) = 1 / E[return time] (Kac)."""
    chain = random_chain(seed)
    P, d = chain.P[:, 0], stationary(chain, uniform(chain))
    assert sum(d) == 1
    assert [sum(d[i] * P[i, j] for i in range(6)) for j in range(6)] == list(d)
    for s in range(6):
        times = hitting_time(chain, uniform(chain), s)
        assert d[s] == 1 / (1 + sum(P[s, j] * times[j] for j in range(6)))


@pytest.mark.parametrize("seed", range(5))
def test_floats_agree_with_rationals(seed):
    chain = random_chain(seed)
    truth = stationary(chain, uniform(chain)).astype(float)
    for inexact in (chain.to_float(), chain.to_sparse()):
        np.testing.assert_allclose(stationary(inexact, uniform(inexact)), truth, rtol=1e-12)  # six well-joined states


def test_transient_states_have_no_mass():
    chain = MDP.chain([["1/2", "1/2", 0], [0, 0, 1], [0, "1/3", "2/3"]])
    assert list(stationary(chain, uniform(chain))) == [0, Fraction(1, 4), Fraction(3, 4)]


def test_the_law_depends_on_the_policy():
    stay, swap = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
    model = MDP(np.stack([stay, swap], axis=1).tolist(), R=[["1", "0"], ["0", "0"]], gamma="1/2")
    assert list(stationary(model, deterministic(model, [1, 1]))) == [HALF, HALF]
    assert list(stationary(model, deterministic(model, [0, 1]))) == [1, 0]
    assert list(average_reward(model, deterministic(model, [0, 0]))) == [1, 0]


def test_more_than_one_class_is_named():
    model = two_classes()
    with pytest.raises(InvalidPolicy, match=r"2 closed classes, \{0\}, \{1, 2\}"):
        stationary(model, uniform(model))
    third = Fraction(1, 3)
    assert stationary_laws(model, uniform(model)).tolist() == [[1, 0, 0, 0], [0, third, 2 * third, 0]]


def test_nothing_is_left_where_everything_ends():
    model = MDP.from_outcomes({(0, 0): [(HALF, 0, 1, False), (HALF, None, 1, True)]}, "1/2")
    with pytest.raises(InvalidPolicy, match="every episode ends"):
        stationary(model, uniform(model))
    assert stationary_laws(model, uniform(model)).shape == (0, 1)
    assert list(average_reward(model, uniform(model))) == [0]


@pytest.mark.parametrize("convert", WORLDS)
def test_average_reward_by_start_state(convert):
    model = convert(two_classes())
    gain = [float(x) for x in average_reward(model, uniform(model))]
    assert gain == pytest.approx([5, 2, 2, 5 / 4 + 1], rel=1e-15)


@pytest.mark.parametrize(
    "make", [two_classes, lambda: random_chain(1, n=4), lambda: MDP.chain([[0, "1"], [1, 0]], [0, 1])]
)
def test_average_reward_is_the_limit_of_discounted_values(make):
    """(1 - γ) V_γ → g as γ → 1 (Puterman, Corollary 8.2.5), periodic chains included."""
    model = make()
    gamma = sympy.Symbol("gamma")
    value = policy_value(model.to_symbolic(gamma=gamma), uniform(model))
    limits = [sympy.cancel((1 - gamma) * x).subs(gamma, 1) for x in value]
    assert [sympy.nsimplify(x) for x in average_reward(model.to_symbolic(), uniform(model))] == limits
