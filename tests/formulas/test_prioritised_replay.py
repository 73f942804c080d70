from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.prioritised_replay import (
    prioritised_correction,
    prioritised_mean,
    prioritised_probabilities,
    prioritised_weights,
    proportional_priorities,
    rank_priorities,
)

F = Fraction
DELTA = np.array([F(-3), F(1, 2), F(0), F(3)])


def test_proportional_by_hand():
    p = prioritised_probabilities(proportional_priorities(DELTA, F(1, 2)), 2)
    weights = [F(49, 4), F(1), F(1, 4), F(49, 4)]
    assert list(p) == [w / sum(weights) for w in weights]


def test_ranks_put_ties_in_order():
    assert list(rank_priorities(DELTA)) == [1, F(1, 3), F(1, 4), F(1, 2)]
    outlier = np.array([F(-(10**9)), *DELTA[1:]])
    assert list(rank_priorities(outlier)) == list(rank_priorities(DELTA))


def test_omega_zero_is_uniform():
    assert list(prioritised_probabilities(np.array([F(0), F(3)]), 0)) == [F(1, 2)] * 2


def test_beta_one_restores_the_uniform_mean():
    p = prioritised_probabilities(proportional_priorities(DELTA, F(1, 2)), 1)
    x = np.array([F(7), F(-2), F(5), F(1)])
    assert sum(p * prioritised_correction(p, 4, 1) * x) == sum(x) / 4
    assert prioritised_mean(x, p, 1) == sum(x) / 4 * (4 * min(p))
    assert prioritised_mean(x, p, 0) == sum(p * x)


def test_maximum_over_minibatch_or_buffer():
    p = np.array([F(1, 2), F(1, 3), F(1, 6)])
    raw = prioritised_correction(p, 3, 1)
    assert list(prioritised_weights(p, 1)) == list(raw / max(raw)) == [F(1, 3), F(1, 2), 1]
    assert list(prioritised_weights(p[:2], 1)) == [F(2, 3), 1]


def test_floats_agree_with_logarithms():
    p = np.array([0.7, 0.2, 0.1])
    w = np.exp(-0.4 * np.log(3 * p))
    np.testing.assert_allclose(prioritised_correction(p, 3, 0.4), w, rtol=1e-14)
    np.testing.assert_allclose(prioritised_weights(p, 0.4), w / w.max(), rtol=1e-14)


def test_extremes():
    assert list(prioritised_probabilities([1e300, 1e300], 5)) == [0.5, 0.5]
    assert prioritised_weights([1e-300, 1.0], 1)[1] == 1e-300


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prioritised_probabilities([0.0, 0.0], 1), "largest_priority"),
        (lambda: prioritised_probabilities([-1.0, 2.0], 1), "at least 0"),
        (lambda: prioritised_probabilities([1.0], -1), "at least 0"),
        (lambda: prioritised_weights([0.0, 1.0], 1), "above 0"),
        (lambda: prioritised_weights([1.0], 2), r"in \[0, 1\]"),
        (lambda: prioritised_mean([1.0, 1.0], [0.5, 0.6], 1), "sum to 1"),
        (lambda: rank_priorities(1.0), "time axis"),
        (lambda: proportional_priorities([1.0], -1.0), "at least 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_irrational_powers_are_refused():
    with pytest.raises(NotExact):
        prioritised_probabilities(np.array([F(1), F(2)]), F(1, 2))
