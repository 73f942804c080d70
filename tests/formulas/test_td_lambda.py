"""Second route: the forward view. Sums of λ-returns with the weights held, the online λ-return algorithm with them moving."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.gae import td_errors
from rlexact.formulas.q_learning import td_update
from rlexact.formulas.returns import lambda_returns
from rlexact.formulas.td_lambda import (
    accumulating_trace,
    dutch_trace,
    replacing_trace,
    td_lambda_update,
    true_online_td_lambda_update,
)

GAMMA, LAM, ALPHA = Fraction(9, 10), Fraction(2, 3), Fraction(1, 5)


def episode(seed, steps=6, d=3):
    """Fractions: features x_0 ... x_T with x_T = 0 at the end, rewards, first weights."""
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        return np.array([Fraction(int(x), 3) for x in rng.integers(-4, 5, np.prod(shape))]).reshape(shape)

    x = numbers(steps + 1, d)
    x[-1] = Fraction(0)
    return x, numbers(steps), numbers(d)


def td_error(w, x, r, t):
    return td_errors([r[t]], [w @ x[t]], [w @ x[t + 1]], None, GAMMA)[0]


@pytest.mark.parametrize("seed", range(4))
def test_backward_view_is_forward_view_while_the_weights_are_held(seed):
    x, r, w = episode(seed)
    trace, moved = 0 * w, w
    for t in range(len(r)):
        trace = accumulating_trace(trace, x[t], GAMMA, LAM)
        moved = td_lambda_update(moved, trace, td_error(w, x, r, t), ALPHA)
    values = x @ w
    targets = lambda_returns(r, values[1:], None, None, GAMMA, LAM)
    assert (moved == w + sum(ALPHA * (g - v) * row for g, v, row in zip(targets, values, x, strict=False))).all()


def online_lambda_return(x, r, w):
    """S&B §12.4: at every horizon h, the episode so far is done again from w_0 with λ-returns cut at h.

    G_{t:h}^λ bootstraps from V(s_k) with the weights w_{k-1} of the time when s_k was reached.
    """
    best = [w]  # best[h] = w_h^h
    for h in range(1, len(r) + 1):
        following = [best[k - 1] @ x[k] for k in range(1, h + 1)]
        targets = lambda_returns(r[:h], following, None, None, GAMMA, LAM)
        again = w
        for t in range(h):
            again = again + ALPHA * (targets[t] - again @ x[t]) * x[t]
        best.append(again)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_true_online_td_is_the_online_lambda_return_algorithm_at_every_step(seed):
    x, r, w = episode(seed)
    expected, trace, old = online_lambda_return(x, r, w), 0 * w, w
    plain_trace, plain = 0 * w, w
    for t in range(len(r)):
        trace = dutch_trace(trace, x[t], GAMMA, LAM, ALPHA)
        w, old = true_online_td_lambda_update(w, old, trace, x[t], td_error(w, x, r, t), ALPHA), w
        assert (w == expected[t + 1]).all()
        plain_trace = accumulating_trace(plain_trace, x[t], GAMMA, LAM)
        plain = td_lambda_update(plain, plain_trace, td_error(plain, x, r, t), ALPHA)
    assert (plain != w).any()  # the usual TD(λ) is not that algorithm


def test_traces_in_a_table_on_a_second_visit():
    """s, s again: accumulating counts both, replacing the last, dutch between them."""
    once, decay = np.array([Fraction(1), Fraction(0)]), GAMMA * LAM
    assert list(accumulating_trace(once, once, GAMMA, LAM)) == [1 + decay, 0]
    assert list(replacing_trace(once, once, GAMMA, LAM)) == [1, 0]
    assert list(dutch_trace(once, once, GAMMA, LAM, ALPHA)) == [1 + (1 - ALPHA) * decay, 0]
    away = once[::-1]
    for found in (accumulating_trace(once, away, GAMMA, LAM), replacing_trace(once, away, GAMMA, LAM)):
        assert list(found) == [decay, 1]
    assert list(dutch_trace(once, once, GAMMA, LAM, 1)) == list(replacing_trace(once, once, GAMMA, LAM))
    assert list(dutch_trace(once, once, GAMMA, LAM, 0)) == list(accumulating_trace(once, once, GAMMA, LAM))


def test_lambda_0_is_td_0():
    table, visit = np.array([Fraction(2), Fraction(5)]), np.array([Fraction(0), Fraction(1)])
    for trace in (accumulating_trace(table, visit, GAMMA, 0), replacing_trace(table, visit, GAMMA, 0)):
        found = td_lambda_update(table, trace, Fraction(3), ALPHA)
        assert (found == td_update(table, 1, table[1] + 3, ALPHA)).all()


def test_traces_of_a_batch():
    rows, visit = np.arange(6.0).reshape(2, 3), np.eye(3)[[0, 2]]
    for b in range(2):
        assert list(dutch_trace(rows, visit, 0.5, 0.5, 0.5)[b]) == list(dutch_trace(rows[b], visit[b], 0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replacing_trace([1.0], [0.5], 0.5, 0.5), r"features\[0\] = 0.5"),
        (lambda: accumulating_trace([1.0], [1.0, 0.0], 0.5, 0.5), "shapes differ"),
        (lambda: accumulating_trace(1.0, 1.0, 0.5, 0.5), "scalar"),
        (lambda: accumulating_trace([1.0], [1.0], 1.5, 0.5), "gamma = 1.5"),
        (lambda: accumulating_trace([1.0], [1.0], 0.5, -1), "lam = -1"),
        (lambda: dutch_trace([1.0], [1.0], 0.5, 0.5, -1), "alpha = -1"),
        (lambda: td_lambda_update([1.0], [1.0], 1.0, -1), "alpha = -1"),
        (lambda: td_lambda_update([1.0], [1.0], [1.0], 0.5), "one number each"),
        (lambda: td_lambda_update([[1.0]], [[1.0]], 1.0, 0.5), "vectors of one length"),
        (lambda: td_lambda_update([np.nan], [1.0], 1.0, 0.5), "finite"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
