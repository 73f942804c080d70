"""The improvement step and its error bounds, against exact values of the stored numbers."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import arithmetic as ar
from rlexact import gallery
from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import policy_value
from rlexact.exact.howard import howard, improved, q_errors, value_error
from rlexact.policy import first_best, uniform
from tests.strategies import law_model, model, policy


def exact_values(mdp, pi):
    """V^π and Q^π of the stored numbers read as exact, by Fractions."""
    exact = np.vectorize(Fraction, otypes=[object])
    P, r, gamma, weights = exact(mdp.to_dense().P), exact(mdp.r), Fraction(mdp.gamma), exact(pi)
    kernel = np.eye(mdp.n_states, dtype=int) - gamma * (weights[:, :, None] * P).sum(axis=1)
    v = ar.solve(ar.kernel_from(kernel), (weights * r).sum(axis=1))
    return v, r + gamma * (P * v).sum(axis=2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("push", [0.0, 1e-6])
def test_errors_enclose_the_exact_values(seed, sparse, push):
    """Also for values pushed away from the solution: the bound follows."""
    mdp = gallery.garnet(8, 2, 3, seed=seed, gamma=0.95, sparse=sparse)
    pi = first_best(mdp, mdp.r)
    v = policy_value(mdp, pi) + push * np.arange(8)
    truth, q_true = exact_values(mdp, pi)
    w = value_error(mdp, pi, v)
    errors = np.array([abs(Fraction(x) - y) for x, y in zip(v, truth, strict=True)])
    assert (errors <= w).all()
    assert w.max() <= 600 * push + 1e-11  # 2 · 20 steps · the residual of at most (1 + γ) 7 push
    for error in q_errors(mdp, pi, v):
        assert (np.vectorize(lambda x, y: abs(Fraction(x) - y))(backup(mdp, v), q_true) <= error).all()


@pytest.mark.parametrize("seed", range(10))
def test_a_step_never_loses_and_stops_only_at_the_optimum(seed):
    mdp = law_model(seed) if seed % 2 else model(seed)
    pi = policy(seed, mdp)
    v = policy_value(mdp, pi)
    while (better := improved(mdp, pi, v)) is not pi:
        after = policy_value(mdp, better)
        assert (after >= v).all()
        assert (after > v).any()
        pi, v = better, after
    assert (backup(mdp, v)[mdp.available] <= np.repeat(v, mdp.available.sum(axis=1))).all()


def test_the_old_action_is_kept_on_a_tie():
    mdp = gallery.gambler(Fraction(1, 2), goal=8)
    pi = uniform(mdp)
    kept, v, steps = howard(mdp, pi)
    assert kept is pi
    assert steps == 1
    assert list(v[:8]) == [Fraction(s, 8) for s in range(8)]
