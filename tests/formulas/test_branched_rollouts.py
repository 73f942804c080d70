from fractions import Fraction

import numpy as np
import pytest

from rlexact import MDP
from rlexact.exact.planning import branched_value
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.branched_rollouts import (
    branched_return,
    branched_return_gap,
    branched_return_gap_on_policy,
    model_return_gap,
)

F = Fraction
GAMMA, TOP, MODEL, SHIFT = 0.8, 1.5, 0.07, 0.04
TIMES = np.arange(2000)  # 0.8^2000 is 0: the sums over time are whole


def summed(per_step):
    """2 r_max Σ_t γᵗ (distance in total variation at time t)."""
    return 2 * TOP * (GAMMA**TIMES * per_step).sum()


@pytest.mark.parametrize("k", [0, 1, 3, 10])
def test_bounds_are_sums_over_time_of_shifts_that_add_up(k):
    before = np.maximum(TIMES - k, 0) * SHIFT + (k <= TIMES) * SHIFT
    on_data = summed(before + k * (MODEL + 2 * SHIFT) + 2 * SHIFT)
    assert branched_return_gap(k, GAMMA, TOP, MODEL, SHIFT).total == pytest.approx(on_data, rel=1e-12)
    on_policy = summed(before + k * MODEL)
    assert branched_return_gap_on_policy(k, GAMMA, TOP, MODEL, SHIFT).total == pytest.approx(on_policy, rel=1e-12)


def test_full_rollouts_are_a_sum_over_time():
    assert model_return_gap(GAMMA, TOP, MODEL, SHIFT) == pytest.approx(
        summed(TIMES * (MODEL + 2 * SHIFT) + 2 * SHIFT), rel=1e-12
    )


def chain_of(P, policy):
    return np.einsum("sa,sat->st", policy, P)


def discounted(r, policy, states):
    return sum(GAMMA**t * rho @ (policy * r).sum(1) for t, rho in enumerate(states))


@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_on_models_computed_whole(seed):
    """Returns of the three processes by their state distributions, 200 steps: what is left is below 1e-18."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(3), size=(3, 2))
    hat = 0.9 * P + 0.1 * rng.dirichlet(np.ones(3), size=(3, 2))
    r = rng.uniform(-1, 1, size=(3, 2))
    data = rng.dirichlet(np.ones(2), size=3)
    pi = 0.9 * data + 0.1 * rng.dirichlet(np.ones(2), size=3)
    start, top = np.eye(3)[0], np.abs(r).max()
    shift = np.abs(pi - data).sum(1).max() / 2
    model = np.abs(P - hat).sum(2).max() / 2
    real, learned, gathered = chain_of(P, pi), chain_of(hat, pi), chain_of(P, data)
    power = np.linalg.matrix_power
    true = discounted(r, pi, [start @ power(real, t) for t in range(200)])
    full = discounted(r, pi, [start @ power(learned, t) for t in range(200)])
    assert abs(true - full) <= model_return_gap(GAMMA, top, model, shift)
    for k in (1, 2, 5):
        states = [start @ power(gathered, max(t - k, 0)) @ power(learned, min(t, k)) for t in range(200)]
        gap = abs(true - discounted(r, pi, states))
        assert 0 < gap <= branched_return_gap_on_policy(k, GAMMA, top, model, shift).total
        assert gap <= branched_return_gap(k, GAMMA, top, model, shift).total


def test_a_shift_alone_is_best_left_to_long_rollouts_and_a_wrong_model_to_short_ones():
    def totals(model, shift):
        return [branched_return_gap_on_policy(k, F(9, 10), F(1), model, shift).total for k in range(6)]

    assert sorted(totals(F(0), F(1, 10)), reverse=True) == totals(F(0), F(1, 10))
    assert sorted(totals(F(1, 10), F(0))) == totals(F(1, 10), F(0))
    on_data = [branched_return_gap(k, F(9, 10), F(1), F(0), F(1, 10)).total for k in range(6)]
    assert sorted(on_data) == on_data


def test_terms_in_fractions():
    found = branched_return_gap(1, F(1, 2), F(1), F(1, 8), F(1, 16))
    assert found.shift_before == 2 * F(1, 4) * F(1, 16) * 4
    assert found.shift_at_branch == 2 * F(5, 2) * F(1, 16) * 2
    assert found.model == 2 * (F(1, 8) + F(1, 8)) * 2


def test_return_on_a_deterministic_model_is_the_exact_room_s():
    paid = [F(3), F(-1), F(2)]
    cycle = MDP([[[F(0), F(1), F(0)]], [[F(0), F(0), F(1)]], [[F(1), F(0), F(0)]]], [[x] for x in paid], F(1, 2))
    values = np.array([F(5), F(6), F(7)])
    only = np.full((3, 1), F(1))
    for k in (1, 2, 4):
        rewards = [paid[i % 3] for i in range(k)]
        found = branched_return(rewards, [False] * k, values[k % 3], F(1, 2))
        assert found == branched_value(cycle, cycle, only, k, values=values)[0]


def test_nothing_follows_a_termination():
    flags = np.array([[False, True], [True, False]])
    assert branched_return([[F(1), F(1)], [F(1), F(1)]], flags, [F(8), F(8)], F(1, 2)).tolist() == [F(3, 2), 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((1, 1.0, 1.0, 0.1, 0.1), "gamma = 1.0: give numbers below 1"),
        ((-1, 0.5, 1.0, 0.1, 0.1), "steps = -1"),
        ((1, 0.5, 1.0, 1.1, 0.1), "model_error"),
        ((1, 0.5, -1.0, 0.1, 0.1), "reward_bound"),
    ],
)
def test_refusals(given, message):
    with pytest.raises(InvalidBatch, match=message):
        branched_return_gap(*given)


def test_returns_refuse():
    with pytest.raises(InvalidBatch, match="final_values"):
        branched_return([1.0], [False], [1.0], 0.5)
    with pytest.raises(InvalidBatch, match="booleans"):
        branched_return([1.0], [0.0], 1.0, 0.5)
