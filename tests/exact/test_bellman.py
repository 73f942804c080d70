"""The Bellman operators against loops over states, actions and successors."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.exact.bellman import backup, bellman_optimal, bellman_policy, greedy, optimal_actions
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies
from tests.strategies import WORLDS, as_floats, law_model, model, policy

F = Fraction


def looped(mdp, v):
    """r(s, a) + γ Σ_s' p(s' | s, a) v(s'), entry by entry in Fractions."""
    exact = mdp.to_rational()
    P, q = exact.P, np.zeros((exact.n_states, exact.n_actions), dtype=object)
    for s in range(exact.n_states):
        for a in range(exact.n_actions):
            q[s, a] = exact.r[s, a] + exact.gamma * sum(P[s, a, j] * v[j] for j in range(exact.n_states))
    return q


def values(seed, mdp, n=4):
    exact = np.array([F(int(k), 4) for k in np.random.default_rng(seed).integers(-40, 41, size=n)], dtype=object)
    return exact, exact.astype(float) if "float" in mdp.world else exact


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(4))
def test_against_loops(seed, world):
    """Dyadic numbers of few bits: the floats are exact as well."""
    mdp = model(seed, world, rank=seed % 3 + 1)
    exact, v = values(seed, mdp)
    q, pi = looped(mdp, exact), policy(seed, mdp)
    assert (as_floats(backup(mdp, v)) == q.astype(float)).all()
    assert (as_floats(bellman_policy(mdp, pi, v)) == (as_floats(mdp.admit(pi)) * q.astype(float)).sum(axis=1)).all()
    for s in range(4):
        allowed = [a for a in range(3) if mdp.available[s, a]]
        top = max((q[s, a] for a in allowed), default=F(0))
        best = [a for a in allowed if q[s, a] == top]
        assert as_floats(bellman_optimal(mdp, v))[s] == top
        assert np.flatnonzero(optimal_actions(mdp, v)[s]).tolist() == best
        assert as_floats(greedy(mdp, v))[s].tolist() == [float(a == (best or [0])[0]) for a in range(3)]
    assert ar.of(backup(mdp, v)) is ar.of(mdp.r)


@pytest.mark.parametrize("world", ["float64", "rational"])
def test_steps_that_end_carry_no_value(world):
    mdp = law_model(2) if world == "rational" else law_model(2).to_float()
    exact, v = values(0, mdp)
    assert (as_floats(backup(mdp, v)) == looped(mdp, exact).astype(float)).all()
    ten = MDP.from_outcomes([[[(F(1, 4), 0, 1, False), (F(3, 4), 0, 5, True)]]], "1/2")
    assert backup(ten, [8]).tolist() == [[F(1, 4) + F(15, 4) + F(1, 2) * F(1, 4) * 8]]


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_the_best_policy_at_every_state(seed):
    mdp = model(seed, n_states=3)
    _, v = values(seed, mdp, 3)
    every = [bellman_policy(mdp, pi, v) for pi in deterministic_policies(mdp)]
    assert bellman_optimal(mdp, v).tolist() == [max(column) for column in zip(*every, strict=True)]
    assert bellman_policy(mdp, greedy(mdp, v), v).tolist() == bellman_optimal(mdp, v).tolist()


def test_symbolic_discount():
    g = sympy.Symbol("gamma")
    mdp = MDP([[["1/2", "1/2"]], [[0, 1]]], [[1], [0]], g)
    assert backup(mdp, [2, 4])[0, 0] == 1 + 3 * g
    x = sympy.Symbol("x")
    assert backup(mdp, [x, -x])[0, 0] == 1


@pytest.mark.parametrize(
    ("v", "error", "message"),
    [
        ([1.0], ValueError, r"v has shape \(1,\), the model has 2 states"),
        ([[1.0], [2.0]], ValueError, r"v has shape \(2, 1\)"),
        ([1.0, np.nan], ValueError, r"v\[1\] = nan is not a finite number"),
        ([np.inf, 0.0], ValueError, r"v\[0\] = inf"),
        ([F(1, 2), 0], ar.MixedNumbers, "v is rational, the model is float64"),
        (["1/2", 0], ar.MixedNumbers, "v is rational"),
        ([True, False], ar.NotANumber, "v has dtype bool"),
    ],
)
def test_bad_values(v, error, message):
    mdp = MDP([[[0.5, 0.5]], [[0, 1]]], [[1.0], [0.0]], 0.9)
    for model_ in (mdp, mdp.to_sparse()):
        for operator in (backup, bellman_optimal, greedy, optimal_actions):
            with pytest.raises(error, match=message):
                operator(model_, v)


def test_floats_do_not_enter_exact_models():
    exact = MDP([[["1/2", "1/2"]], [[0, 1]]], [[1], [0]], "0.9")
    for v in (np.zeros(2), [0.5, 0], np.array([0.5, 0.5], dtype=object)):
        with pytest.raises(ar.MixedNumbers, match="v is float64, the model is rational"):
            backup(exact, v)
    assert backup(exact, np.array([2, 4])).tolist() == [[F(37, 10)], [F(18, 5)]]
