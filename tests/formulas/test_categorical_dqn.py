import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.categorical_dqn import (
    atoms,
    categorical_dqn_loss,
    categorical_dqn_loss_gradient,
    categorical_dqn_targets,
    categorical_mean,
    categorical_projection,
)

F = Fraction
LOW, HIGH, N = F(-2), F(3), 6  # Δ = 1


def two_indices(p, r, ended, gamma):
    """Mass sent to floor and ceiling, one atom at a time; all of it where they are the same."""
    out = [F(0)] * N
    for j in range(N):
        b = min(max(r + (0 if ended else gamma * (LOW + j)), LOW), HIGH) - LOW
        low, high = math.floor(b), math.ceil(b)
        if low == high:
            out[low] += p[j]
        else:
            out[low] += p[j] * (high - b)
            out[high] += p[j] * (b - low)
    return out


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("r", [F(0), F(1, 3), F(2), F(-100), F(100)])
@pytest.mark.parametrize("gamma", [F(0), F(9, 10), F(1)])
def test_projection_atom_by_atom(r, gamma, ended):
    p = np.array([F(k, 21) for k in range(1, 7)])
    found = categorical_projection(p[None], [r], [ended], gamma, LOW, HIGH)[0]
    assert list(found) == two_indices(p, r, ended, gamma)
    assert sum(found) == 1


def test_mean_is_kept_where_nothing_is_clipped():
    p = np.array([[F(0), F(1, 3), F(1, 6), F(1, 2), F(0), F(0)]])
    found = categorical_projection(p, [F(1, 7)], [False], F(9, 10), LOW, HIGH)
    assert categorical_mean(found, LOW, HIGH) == F(1, 7) + F(9, 10) * categorical_mean(p, LOW, HIGH)


def test_floats_keep_their_mass():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(51), size=200)
    found = categorical_projection(p, rng.integers(-3, 4, 200).astype(float), rng.random(200) < 0.3, 1.0, -10, 10)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-14)  # 51 sums of rounded numbers


def test_targets_take_the_action_of_the_highest_mean():
    p = np.array([[[F(1, 2), F(0), F(1, 2)], [F(0), F(1), F(0)], [F(0), F(1, 2), F(1, 2)]]])
    found = categorical_dqn_targets([F(0)], p, [False], F(1), F(0), F(2))
    assert list(found[0]) == list(p[0, 2])
    assert list(atoms(F(0), F(2), 3)) == [0, 1, 2]


@pytest.mark.parametrize("how", ["none", "mean"])
def test_loss_gradient_by_complex_step(how):
    rng = np.random.default_rng(1)
    logits, m = rng.normal(size=(4, 5)) * 3, rng.dirichlet(np.ones(5), size=4)
    found = categorical_dqn_loss_gradient(logits, m, reduction=how)
    step = 1e-30
    for i in range(5):
        nudged = logits + 1j * step * (np.arange(5) == i)
        slope = categorical_dqn_loss(nudged, m).imag / step / (4 if how == "mean" else 1)
        np.testing.assert_allclose(found[:, i], slope, rtol=1e-12, atol=1e-16)  # softmax less m cancels


def test_loss_is_entropy_plus_divergence():
    m = np.array([0.2, 0.5, 0.3])
    entropy = -sum(m * np.log(m))
    assert math.isclose(categorical_dqn_loss(np.log(m), m), entropy, rel_tol=1e-14)
    assert categorical_dqn_loss([3.0, 4.0, 5.0], m) > entropy


def test_extremes():
    assert categorical_dqn_loss([1e4, -1e4], [1.0, 0.0]) == 0
    assert categorical_dqn_loss([1e4, -1e4], [0.0, 1.0]) == 2e4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: atoms(0, 1, 1), "2 or more"),
        (lambda: atoms(1, 1, 3), "v_min below v_max"),
        (lambda: categorical_projection([[0.5, 0.6]], [0.0], [False], 1, 0, 1), "sum to 1"),
        (lambda: categorical_projection([[0.5, 0.5]], [0.0, 0.0], [False], 1, 0, 1), "shapes differ"),
        (lambda: categorical_projection([[0.5, 0.5]], [0.0], [0.0], 1, 0, 1), "give booleans"),
        (lambda: categorical_dqn_targets([0.0], [0.5, 0.5], [False], 1, 0, 1), "shape"),
        (lambda: categorical_dqn_loss([[0.0, 1.0]], [[0.5, 0.4]]), "sum to 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
