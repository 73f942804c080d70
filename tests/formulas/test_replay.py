"""Replay as a law, against every minibatch written out and a FIFO buffer walked step by step."""

import math
from fractions import Fraction
from itertools import combinations, product

import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.replay import (
    age_probabilities,
    expected_uses,
    expected_uses_in_run,
    in_minibatch_probability,
    mean_age,
    never_drawn_probability,
    update_to_data_ratio,
    updates_in_run,
    uses_variance,
)

F = Fraction


def minibatches(size, batch, replacement):
    return list(product(range(size), repeat=batch)) if replacement else list(combinations(range(size), batch))


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("m", [1, 2])
def test_probability_over_all_minibatches(replacement, m):
    every = minibatches(5, 2, replacement)
    hit = F(sum(any(0 in b for b in run) for run in product(every, repeat=m)), len(every) ** m)
    assert in_minibatch_probability(F(5), 2, replacement=replacement, minibatches=m) == hit


@pytest.mark.parametrize("replacement", [True, False])
def test_uses_over_all_lives(replacement):
    """A transition lives through N = 3 steps, with one minibatch of 2 each: the law of its uses, enumerated."""
    every = minibatches(3, 2, replacement)
    uses = [sum(b.count(0) for b in life) for life in product(every, repeat=3)]
    mean = F(sum(uses), len(uses))
    assert mean == expected_uses(F(2), 1)
    assert F(sum(u * u for u in uses), len(uses)) - mean**2 == uses_variance(F(3), 2, 1, replacement=replacement)
    assert F(uses.count(0), len(uses)) == never_drawn_probability(F(3), 2, 1, replacement=replacement)


def walked(steps, capacity, batch, ratio, burn_in):
    """The buffer as a list, every held transition credited with its expected uses."""
    uses, held = [F(0)] * steps, []
    for t in range(steps):
        held = [*held, t][-capacity:]
        for i in held if len(held) >= burn_in else []:
            uses[i] += F(batch) * ratio / len(held)
    return uses


@pytest.mark.parametrize(("steps", "capacity", "burn_in"), [(9, 3, 1), (9, 4, 4), (5, 20, 2), (4, 4, 4)])
def test_uses_in_a_run_are_the_walk(steps, capacity, burn_in):
    found = expected_uses_in_run(steps, F(capacity), 2, F(3, 2), burn_in)
    assert list(found) == walked(steps, capacity, 2, F(3, 2), burn_in)
    assert sum(found) == 2 * updates_in_run(steps, F(3, 2), burn_in)


def test_only_a_full_life_in_a_full_buffer_gets_the_product():
    found = expected_uses_in_run(10, F(3), 2, 1)
    assert set(found[2:8]) == {expected_uses(F(2), 1)}
    assert found[0] > 2 > found[-1]
    never_full = expected_uses_in_run(
        1000, 1000, 256, 1
    )  # nothing is ever evicted: the mean is right, no transition is
    assert math.isclose(never_full.mean(), 256, rel_tol=1e-12)
    assert never_full[0] > 1900
    assert math.isclose(never_full[-1], 0.256, rel_tol=1e-12)


def test_ages():
    for steps, capacity in [(9, 4), (3, 4)]:
        held = list(range(steps))[-capacity:]
        ages = sorted(steps - 1 - t for t in held)
        p = age_probabilities(steps, F(capacity))
        assert sum(p) == 1
        assert sum(p * ages) == mean_age(steps, F(capacity)) == F(sum(ages), len(ages))


def test_large_buffers_keep_their_digits():
    p = in_minibatch_probability(10**9, 2, replacement=True)
    exact = in_minibatch_probability(F(10**9), 2, replacement=True)
    assert math.isclose(p, exact, rel_tol=1e-15)
    assert math.isclose(never_drawn_probability(10**6, 4, 1, replacement=True), math.exp(-4), rel_tol=1e-5)


def test_ratios():
    assert update_to_data_ratio(F(4), 1) == 4
    assert updates_in_run(3, F(1), burn_in=5) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: in_minibatch_probability(4, 5, replacement=False), "at most 4"),
        (lambda: in_minibatch_probability(0, 1, replacement=True), "at least 1"),
        (lambda: in_minibatch_probability(2.5, 1, replacement=True), "that are whole"),
        (lambda: in_minibatch_probability([4, 4], 1, replacement=True), "give one number"),
        (lambda: never_drawn_probability(3, 1, F(1, 2), replacement=True), "that are whole"),
        (lambda: expected_uses(2, -1), "at least 0"),
        (lambda: expected_uses_in_run(10, 3, 1, 1, burn_in=4), "never fits"),
        (lambda: update_to_data_ratio(1, 0), "at least 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
