from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dueling import (
    dueling_max,
    dueling_max_gradient,
    dueling_mean,
    dueling_mean_gradient,
    dueling_naive,
    dueling_naive_gradient,
    max_streams,
    mean_streams,
)

F = Fraction
V = np.array([F(2), F(-1)])
A = np.array([[F(1), F(4), F(-2)], [F(0), F(1, 2), F(1, 3)]])
G = np.array([[F(3), F(-1), F(2)], [F(1, 2), F(5), F(-4)]])
PULLS = [
    (dueling_naive, dueling_naive_gradient(G)),
    (dueling_mean, dueling_mean_gradient(G)),
    (dueling_max, dueling_max_gradient(G, A)),
]


@pytest.mark.parametrize(("combine", "pulled"), PULLS)
def test_gradients_are_difference_quotients(combine, pulled):
    """Every sum is piecewise linear: one difference quotient of Fractions at a time, entry by entry."""
    h = F(1, 100)
    for n in range(2):
        up = V + h * (np.arange(2) == n)
        assert pulled.values[n] == ((combine(up, A) - combine(V, A)) * G).sum() / h
        for a in range(3):
            nudge = h * ((np.arange(6) == 3 * n + a).reshape(2, 3))
            assert pulled.advantages[n, a] == ((combine(V, A + nudge) - combine(V, A)) * G).sum() / h


def test_only_the_naive_sum_leaves_the_value_open():
    c = F(7)
    assert (dueling_naive(V + c, A - c) == dueling_naive(V, A)).all()
    for combine in (dueling_mean, dueling_max):
        assert (combine(V + c, A - c) == combine(V, A) + c).all()
        assert (combine(V, A - c) == combine(V, A)).all()


@pytest.mark.parametrize(
    ("combine", "streams", "value"),
    [
        (dueling_mean, mean_streams, lambda row: sum(row) / 3),
        (dueling_max, max_streams, max),
    ],
)
def test_streams_are_the_inverse(combine, streams, value):
    q = dueling_naive(V, A)
    found = streams(q)
    assert list(found.values) == [value(list(row)) for row in q]
    assert (combine(found.values, found.advantages) == q).all()
    assert (streams(combine(V, A)).values == V).all()


def test_ties_of_the_maximum_give_to_the_first():
    assert dueling_max_gradient([[1.0, 0.0]], [[2.0, 2.0]]).advantages.tolist() == [[0.0, 0.0]]


def test_refusals():
    with pytest.raises(InvalidBatch, match="shapes differ"):
        dueling_mean([1.0, 2.0], [[1.0, 2.0]])
    with pytest.raises(InvalidBatch, match="scalar"):
        dueling_mean(1.0, 2.0)
