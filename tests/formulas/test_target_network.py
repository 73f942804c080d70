import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.linear_td import linear_td
from rlexact.exact.target_network import hard_target, learner, soft_target
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.target_network import (
    hard_update,
    hard_update_lag,
    matching_period,
    soft_update,
    soft_update_after,
    soft_update_half_life,
    soft_update_lag,
    soft_update_of_path,
    soft_update_weights,
)
from rlexact.gallery.counterexamples import tsitsiklis_van_roy

F = Fraction
TAU = F(1, 7)
START, PATH = np.array([F(3), F(-2)]), np.array([[F(k * k), F(1, k + 1)] for k in range(6)])


def looped(target, path, tau):
    for online in path:
        target = soft_update(target, online, tau)
    return target


def test_closed_forms_are_the_loop():
    assert (soft_update_of_path(START, PATH, TAU) == looped(START, PATH, TAU)).all()
    still = np.array([PATH[3]] * 6)
    assert (soft_update_after(START, PATH[3], TAU, 6) == looped(START, still, TAU)).all()
    assert (soft_update_after(START, PATH[3], TAU, 0) == START).all()


@pytest.mark.parametrize("tau", [F(0), TAU, F(1)])
def test_weights_sum_to_one_and_ages_average_to_the_lag(tau):
    w = soft_update_weights(tau, 6)
    assert sum(w) == 1
    if tau:
        # the initial target stands for all older parameters, whose mean age is n plus the lag
        ages = [6 + soft_update_lag(tau), *range(5, -1, -1)]
        assert sum(w * ages) == soft_update_lag(tau)


def test_a_steadily_moving_parameter_is_met_late_by_the_lag():
    ramp = np.array([F(t) for t in range(1, 9)])
    late = soft_update_lag(TAU)
    assert soft_update_of_path(0 - late, ramp, TAU) == 8 - late


def test_hard_updates_are_on_average_this_old():
    ages, frozen = [], F(0)
    for step in range(1, 13):
        frozen = hard_update(frozen, F(step), step, 4)
        ages.append(step - frozen)
    assert sum(ages[3:11]) / 8 == hard_update_lag(F(4))
    assert hard_update_lag(matching_period(TAU)) == soft_update_lag(TAU)


def test_inside_the_exact_room_s_operators():
    """One soft period of the exact operator is a learning step and this copy; one hard period is m steps and that one."""
    example = tsitsiklis_van_roy()
    td = linear_td(example.mdp, example.policy, example.features, example.weights)
    alpha, start = F(1, 3), np.array([F(2), F(5)])
    theta, frozen = learner(td, alpha)(start)
    assert list(soft_target(td, alpha, TAU)(start)) == [theta, soft_update(frozen, theta, TAU)]
    both, frozen = np.array([F(5), F(5)]), F(5)
    for step in range(1, 4):
        online = learner(td, alpha)(both)[0]
        frozen = F(hard_update(frozen, online, step, 3)[()])
        both = np.array([online, frozen])
    assert hard_target(td, alpha, 3)(np.array([F(5)])) == frozen


def test_half_life():
    n = soft_update_half_life(0.005)
    assert math.isclose(soft_update_after(1.0, 0.0, 0.005, 1) ** n, 0.5, rel_tol=1e-14)
    assert math.isclose(soft_update_half_life(1e-20), math.log(2) * 1e20, rel_tol=1e-15)
    with pytest.raises(NotExact):
        soft_update_half_life(TAU)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: soft_update([0.0], [1.0], 1.5), r"tau = 1.5: give numbers in \[0, 1\]"),
        (lambda: soft_update([0.0], [[1.0]], 0.5), "shapes differ"),
        (lambda: soft_update_lag(0.0), "above 0"),
        (lambda: soft_update_half_life(1.0), "below 1"),
        (lambda: soft_update_of_path([0.0, 0.0], [1.0, 2.0], 0.5), r"give \(updates"),
        (lambda: soft_update_weights(0.5, 0), "give 1 or more"),
        (lambda: soft_update_after(0.0, 1.0, 0.5, -1), "give 0 or more"),
        (lambda: hard_update(0.0, 1.0, 3, 0), "period"),
        (lambda: hard_update_lag(0), "at least 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
