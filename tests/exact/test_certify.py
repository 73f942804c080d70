"""Bounds against exact optima, and stopped iterations that must be flagged."""

import json
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.certify import certify, in_rationals, main_certify, read_values
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.gallery import cliff_walk, gambler, garnet, puterman_two_state, random_mdp, random_walk
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic_policies, uniform

SMALL_MODELS = [random_mdp(seed, 3, 2, terminal=seed % 2, masked=seed > 2) for seed in range(5)]


def best_of_all(mdp):
    return np.max([policy_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)


def stopped_at_change(mdp, change):
    """What most code writes: sweep until nothing moves by more than `change`."""
    v = np.zeros(mdp.n_states)
    while True:
        q = mdp.r + mdp.gamma * (mdp.kernel @ v).reshape(mdp.r.shape)
        w = np.where(mdp.terminal, 0.0, np.where(mdp.available, q, -np.inf).max(axis=1))
        if np.abs(w - v).max() < change:
            return w
        v = w


@pytest.mark.parametrize("mdp", SMALL_MODELS)
@pytest.mark.parametrize("scale", [0, 1, 30])
def test_bounds_hold_the_optimum_the_error_and_the_regret(mdp, scale):
    rng, best = np.random.default_rng(3), best_of_all(mdp)
    noise = np.array([Fraction(int(k), 7) for k in rng.integers(-9, 10, mdp.n_states)], dtype=object)
    v = np.where(mdp.terminal, Fraction(0), best + scale * noise)
    found = certify(mdp, v)
    assert (found.lower <= best).all()
    assert (best <= found.upper).all()
    assert found.least_error <= np.abs(v - best).max() <= found.error_bound
    assert (best - policy_value(mdp, found.policy) <= found.regret).all()
    assert found.exact
    if scale == 0:
        assert found.error_bound == 0
        assert not found.regret.any()


@pytest.mark.parametrize("mdp", SMALL_MODELS)
def test_bounds_around_the_value_of_a_policy(mdp):
    pi, best = uniform(mdp), best_of_all(mdp)
    truth = policy_value(mdp, pi)
    v = np.where(mdp.terminal, Fraction(0), truth + Fraction(1, 3))
    found = certify(mdp, v, policy=pi)
    assert (found.lower <= truth).all()
    assert (truth <= found.upper).all()
    assert found.least_error <= Fraction(1, 3) <= found.error_bound
    assert (best - truth <= found.regret).all()


@pytest.mark.parametrize("world", [MDP.to_float, MDP.to_sparse])
@pytest.mark.parametrize("exact", [None, True, False])
def test_a_change_below_a_millionth_at_999_is_flagged(world, exact):
    mdp = world(garnet(12, 3, 4, 1, gamma=0.999))
    v = stopped_at_change(mdp, 1e-6)
    found = certify(mdp, v, exact=exact)
    truth = best_by_rationals(mdp)
    true_error = np.abs(truth - [Fraction(x) for x in v]).max()
    assert found.least_error <= true_error <= found.error_bound
    assert found.verdict(1e-6) == "missed"
    assert found.verdict(1e-2) == "met"
    assert found.least_error > 9e-4  # 10⁻⁶ γ / (1 - γ), all but what the spread of the last change leaves open
    assert (found.regret >= 0).all()


def best_by_rationals(mdp):
    """V* of the stored floats, solved in the fractions they are."""
    return policy_iteration(in_rationals(mdp, None, insist=True)).v


def test_undecided_is_said_where_the_bounds_leave_it_open():
    mdp = MDP([[[0, 1]], [[1, 0]]], [["1"], [0]], "9/10")
    found = certify(mdp, [5, 4])  # V* = 1/(1 - 81/100) = 5.26 and 4.74, the residual has both signs
    assert found.verdict(Fraction(3, 10)) == "undecided"


def test_large_models_are_bounded_in_floats():
    mdp = garnet(120, 4, 5, 0, gamma=0.95)
    found, in_fractions = certify(mdp, np.zeros(120)), certify(mdp, np.zeros(120), exact=True)
    assert not found.exact
    assert in_fractions.exact
    loose = (found.upper - found.lower).max()
    assert (in_fractions.upper <= found.upper).all()
    assert (found.lower <= in_fractions.lower).all()
    assert loose == pytest.approx(float((in_fractions.upper - in_fractions.lower).max()), rel=1e-12)  # rounding only


@pytest.mark.parametrize("mdp", [gambler(goal=10), random_walk(4), cliff_walk()])
def test_without_discount(mdp):
    exact = certify(mdp, np.zeros(mdp.n_states))
    assert np.array_equal(exact.lower, exact.upper)
    assert exact.error_bound == exact.least_error == np.abs(exact.lower).max()
    floats = certify(mdp.to_float(), exact.lower.astype(float))
    assert floats.error_bound < 1e-9  # a hundred states, some hundred steps: far above their rounding, far below a step
    assert (floats.lower <= exact.lower.astype(float) + 1e-15).all()


def test_greedy_policies_without_a_value_have_no_regret():
    stay = MDP.from_outcomes({(0, 0): [("1", 0, -1, False)], (0, 1): [(1, None, -5, True)]}, 1)
    found = certify(stay, [-9], policy=None)
    assert found.regret is not None
    lured = certify(stay, [0])  # -1 + 0 looks better than -5, for ever
    assert lured.regret is None
    assert lured.upper.tolist() == [-5]
    with pytest.raises(InvalidPolicy, match="never leaves"):
        certify(stay, [0], policy=[[1, 0]])


def test_numbers_that_do_not_fit():
    mdp = random_mdp(0, 3, 2)
    assert certify(mdp, [0.1, 0.2, 0.3]).error_bound >= 0  # floats beside rationals: read in binary, nothing lost
    with pytest.raises(ValueError, match=r"nan"):
        certify(mdp.to_float(), [0.0, float("nan"), 0.0])
    third = np.full((3, 2), 0.5)
    third[0] = [1 / 10, 9 / 10]
    assert certify(mdp.to_float(), np.zeros(3), policy=third).exact in (True, False)
    with pytest.raises(InvalidPolicy, match="shape"):
        certify(mdp.to_float(), np.zeros(3), policy=np.zeros(3, dtype=int))
    with pytest.raises(NotExact, match="exact=False"):
        certify(mdp.to_float().replace(gamma=1.0), np.zeros(3), exact=True)


@pytest.mark.parametrize("form", ["npy", "json", "txt"])
def test_the_command_line_reads_files(tmp_path, capsys, form):
    mdp, v = puterman_two_state(Fraction(9, 10)), [1.0, -10.0]
    mdp.save(tmp_path / "m.json")
    path = tmp_path / f"v.{form}"
    if form == "npy":
        np.save(path, v)
    else:
        path.write_text(json.dumps(v) if form == "json" else "1.0\n-10.0\n")
    assert main_certify(tmp_path / "m.json", path, 1e-6) == 0  # V* = (10 - 11γ)/(1 - γ), -1/(1 - γ): exactly v
    assert "met" in capsys.readouterr().out
    path.unlink()
    (tmp_path / "off.json").write_text('["1/2", "-10"]')
    assert main_certify(tmp_path / "m.json", tmp_path / "off.json", 1e-6) == 1
    assert main_certify(tmp_path / "m.json", tmp_path / "off.json") == 0
    assert "s1" in capsys.readouterr().out
    np.save(tmp_path / "two.npy", np.zeros((2, 2)))
    with pytest.raises(ValueError, match="one value per state"):
        read_values(tmp_path / "two.npy")
