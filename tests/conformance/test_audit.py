"""The audit against answers that are right, and against mistakes made here on purpose, in plain loops."""

import re
from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.arithmetic import NotExact
from rlexact.conformance import Finding, InvalidValues, audit
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.interop.gymnasium import from_gymnasium
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic, deterministic_policies, epsilon_greedy, uniform
from rlexact.solution import Unbounded

# from 0, action 0 ends on the way to 1 with probability 1/2; 1 is live; each step pays something else; the last outcome of a
# pair repeats a successor with another reward
TABLE = {
    0: {0: [(0.5, 1, 1.0, False), (0.5, 1, 4.0, True)], 1: [(1.0, 2, 0.5, False)]},
    1: {0: [(0.25, 0, 2.0, False), (0.5, 2, -1.0, False), (0.25, 2, 3.0, False)], 1: [(1.0, 1, 0.25, False)]},
    2: {0: [(1.0, 0, -1.0, False)], 1: [(0.5, 2, 1.5, False), (0.5, 1, 0.0, False)]},
}


def arrays(table, *, done=True, overwrite_r=False, overwrite_p=False):
    """P (S, A, S) and r (S, A) as somebody would read a table, rightly or wrongly."""
    shape = (len(table), len(table[0]), len(table))
    P, R, r, law = np.zeros(shape), np.zeros(shape), np.zeros(shape[:2]), np.zeros(shape)
    for s, row in table.items():
        for a, listed in row.items():
            for p, to, reward, ended in listed:
                live = p * (not (done and ended))
                P[s, a, to] = live if overwrite_p else P[s, a, to] + live
                law[s, a, to] = p if overwrite_p else law[s, a, to] + p
                R[s, a, to] = reward
                r[s, a] += p * reward
    return P, (law * R).sum(axis=2) if overwrite_r else r


def value_iteration(P, r, gamma, sweeps=20_000, best=np.max):
    """V and Q by plain sweeps from 0."""
    v = np.zeros(len(P))
    for _ in range(sweeps):
        before, q = v, r + gamma * P @ v
        v = best(q, axis=1)
        if np.array_equal(before, v):
            break
    return v, r + gamma * P @ v


def named(finding):
    return [cause.name for cause in finding.causes]


@pytest.fixture(scope="module")
def garnet():
    return gallery.garnet(8, 3, 3, seed=4, gamma=0.9)


# -- right answers ----------------------------------------------------------------------------------------------------


WORLDS = [lambda m: m, lambda m: m.to_float(), lambda m: m.to_sparse()]


@pytest.mark.parametrize("world", WORLDS)
def test_right_answers_are_right(world):
    mdp = world(gallery.random_mdp(3, terminal=1, masked=True))
    policies = deterministic_policies(mdp)
    values = np.array([policy_value(mdp, pi) for pi in policies])
    v, best = values.max(axis=0), policies[int(values.sum(axis=1).argmax())]  # brute force
    found = audit(mdp, v=v, q=action_value(mdp, best), policy=best)
    assert found.agrees
    assert [finding.asked for finding in found.findings] == ["v", "q", "policy"]
    assert found.tried == ()
    assert all(not finding.causes for finding in found.findings)
    assert "WRONG" not in repr(found)


@pytest.mark.parametrize("world", WORLDS)
def test_values_of_a_policy_when_they_are_asked_for(world):
    mdp = world(gallery.random_mdp(8, terminal=1))
    pi = uniform(mdp)
    found = audit(mdp, v=policy_value(mdp, pi), q=action_value(mdp, pi), policy=pi, of="policy")
    assert found.agrees
    assert found.policy is None  # it is the question, not an answer
    assert found.v.truth == "V^π"


def test_exact_answers_are_judged_exactly():
    mdp = gallery.left_right_loop()
    v = [Fraction(300, 19), Fraction(270, 19)]
    assert audit(mdp, v=v, tol=0).v.distance == 0
    assert audit(mdp, v=["300/19", "270/19"], tol=0).agrees
    rounded = audit(mdp, v=[300 / 19, 270 / 19], tol=0).v
    assert rounded.distance == max(abs(Fraction(300 / 19) - v[0]), abs(Fraction(270 / 19) - v[1]))
    assert not rounded.agrees
    assert audit(mdp, v=[300 / 19, 270 / 19]).agrees


def test_the_distance_the_place_and_the_loss_are_reported():
    mdp = gallery.left_right_loop()
    found = audit(mdp, q=[[Fraction(118, 10), 12], [Fraction(108, 10), 10]])  # theory, lines 36 to 39
    # Q*(A, right) = 300/19, so Q*(A, left) = 1 + 270/19 = 289/19
    assert found.q.distance == Fraction(300, 19) - 12
    assert found.q.place == "state 0 ('A'), action 1 ('right')"
    assert (found.q.given, found.q.true) == (12, Fraction(300, 19))
    assert found.q.residual == 3 + Fraction(9, 10) * Fraction(108, 10) - 12
    assert found.q.greedy_regret == 0  # wrong numbers, right actions
    text = repr(found)
    for said in ("WRONG", "Q*", "state 0 ('A')", "15.78947368"):
        assert said in text
    assert found._repr_html_().startswith("<pre>Audit of")
    assert "&#x27;A&#x27;" in found._repr_html_()


def test_floats_carry_the_error_bound_of_the_truth(garnet):
    v, q = value_iteration(garnet.P, garnet.r, 0.9)
    found = audit(garnet, v=v, q=q)
    assert found.agrees
    assert 0 < found.v.error_bound < 1e-12
    assert f"± {found.v.error_bound:.1e}" in repr(found)
    assert not audit(garnet, v=v, tol=0).agrees or found.v.distance <= found.v.error_bound


def test_the_tolerance_is_met_where_the_truth_may_be_within_it():
    def judged(distance, error_bound):
        return Finding("v", "V*", distance, error_bound, 1.0, "state 0", 0.0, 0.0).agrees

    assert [judged(1.0, 0), judged(1.1, 0), judged(1.1, 0.2), judged(1.1, 0.05)] == [True, False, True, False]
    assert not audit(gallery.half_contraction(), v=[10, Fraction("8.015")], tol=Fraction(1, 100)).agrees


def test_entries_that_nobody_asks_for_are_ignored():
    mdp = gallery.puterman_two_state().to_float()
    q = policy_iteration(mdp).q.copy()
    q[1, 1] = np.nan  # not available
    assert audit(mdp, q=q).agrees
    q[1, 1] = -np.inf
    assert audit(mdp, q=q).agrees


def test_ties_are_told_from_mistakes():
    mdp = gallery.sutton_barto_small_grid()
    best = policy_iteration(mdp)
    last = [int(np.flatnonzero(row)[-1]) if row.any() else 0 for row in best.optimal_actions]
    found = audit(mdp, policy=last)
    assert found.agrees
    assert found.policy.distance == 0
    assert "ties" in found.policy.note
    assert audit(mdp, policy=best.policy).policy.note == ""


# -- environments and tables ------------------------------------------------------------------------------------------


def test_a_table_needs_a_discount_and_an_mdp_has_one():
    v, q = value_iteration(*arrays(TABLE), 0.9)
    assert audit(TABLE, v=v, q=q, gamma=0.9).agrees
    with pytest.raises(InvalidMDP, match="give gamma"):
        audit(TABLE, v=v)
    mdp = from_gymnasium(TABLE, 0.9)
    assert audit(mdp, v=v, gamma=0.9).agrees
    with pytest.raises(InvalidMDP, match=r"gamma = 0\.9, not 0\.8"):
        audit(mdp, v=v, gamma=0.8)
    with pytest.raises(InvalidMDP, match="no model"):
        audit(3, v=v, gamma=0.9)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"done": False}, "done flag ignored"),
        ({"overwrite_r": True}, "rewards overwritten"),
        ({"overwrite_p": True}, "probabilities overwritten"),
        ({"overwrite_p": True, "overwrite_r": True}, "outcomes overwritten"),
    ],
)
def test_misread_tables(wrong, name):
    v, q = value_iteration(*arrays(TABLE, **wrong), 0.9)
    found = audit(TABLE, v=v, q=q, gamma=0.9)
    assert named(found.v)[0] == named(found.q)[0] == name
    assert found.v.causes[0].distance < 1e-9  # the sweeps above run to a standstill


def test_gymnasiums_cliff_with_the_flag_ignored():
    gym = pytest.importorskip("gymnasium")
    env = gym.make(max(i for i in gym.registry if re.fullmatch(r"CliffWalking-v\d+", i)))
    P, r = arrays(env.unwrapped.P, done=False)
    v, _ = value_iteration(P, r, 0.99)
    assert abs(v[36] + 100) < 1e-6  # ecosystem trials: -100.0 instead of -12.248
    found = audit(env, gamma=0.99, v=v)
    assert named(found.v)[0] == "done flag ignored"
    assert "terminated" in repr(found)


# -- mistakes made on purpose -----------------------------------------------------------------------------------------


def test_stopped_on_a_small_change(garnet):
    v, sweeps = np.zeros(8), 0
    while True:
        before, v, sweeps = v, (garnet.r + 0.9 * garnet.P @ v).max(axis=1), sweeps + 1
        if np.abs(v - before).max() < 1e-3:
            break
    found = audit(garnet, v=v, q=garnet.r + 0.9 * garnet.P @ v)
    assert named(found.v)[0] == f"stopped after {sweeps} sweeps from 0"
    assert named(found.q)[0] == f"stopped after {sweeps + 1} sweeps from 0"
    assert found.v.distance > 3 * 1e-3 > 3 * found.v.residual


def test_stopped_from_another_start(garnet):
    v = np.linspace(-3, 5, 8)
    for _ in range(60):
        v = (garnet.r + 0.9 * garnet.P @ v).max(axis=1)
    assert "constant offset" in named(audit(garnet, v=v).v)[0]  # what is left of a start is nearly constant
    slow = MDP(np.eye(3)[:, None, :], [1.0, 2.0, 0.0], 0.99)  # three states that keep to themselves
    v = np.array([-50.0, 400, 10])
    for _ in range(3):
        v = slow.r[:, 0] + 0.99 * v
    found = audit(slow, v=v).v
    assert named(found) == ["stopped on a small change"]
    assert found.causes[0].distance == pytest.approx(float(found.residual))


def test_a_nearly_constant_offset_is_measured_in_the_middle(garnet):
    v, _ = value_iteration(garnet.P, garnet.r, 0.9)
    found = audit(garnet, v=v + np.linspace(20, 20.5, 8)).v
    assert named(found) == ["a constant offset of 20.25"]
    assert found.causes[0].distance == pytest.approx(0.25)


def test_span_stop_that_is_not_shifted():
    mdp = gallery.forest().to_float()  # pymdptoolbox's own example is off by 21.2
    v = np.zeros(3)
    while True:
        change = (mdp.r + 0.9 * mdp.P @ v).max(axis=1) - v
        v = v + change
        if change.max() - change.min() < 0.01 * 0.1 / 0.9:
            break
    found = audit(mdp, v=v, policy=[0, 0, 0])
    assert abs(found.v.distance - 21.2) < 0.05
    assert "a constant offset of -21.192" in named(found.v)
    assert found.policy.agrees
    assert found.v.greedy_regret == 0


@pytest.mark.parametrize("gamma", [0.5, 0.95, 0.99])
def test_wrong_discount(garnet, gamma):
    v, q = value_iteration(garnet.P, garnet.r, gamma)
    found = audit(garnet, v=v, q=q)
    assert named(found.v) == named(found.q) == [f"gamma = {gamma}"]


def test_rewards_late_early_and_negated(garnet):
    v, q = value_iteration(garnet.P, garnet.r, 0.9)
    assert named(audit(garnet, v=0.9 * v, q=0.9 * q).v) == ["reward one step late"]
    assert named(audit(garnet, q=q / 0.9).q) == ["reward one step early"]
    negated, _ = value_iteration(garnet.P, -garnet.r, 0.9)
    assert named(audit(garnet, v=negated).v) == ["rewards negated"]
    least, q_least = value_iteration(garnet.P, garnet.r, 0.9, best=np.min)
    assert named(audit(garnet, v=least).v) == named(audit(garnet, q=q_least).q) == ["minimum for maximum"]


def test_rewards_of_the_wrong_state(garnet):
    pay = np.array([1.0, -2, 0, 3, 0.5, 4, -1, 2])
    leaving = MDP(garnet.P, pay, 0.9)
    arriving = MDP(garnet.P, np.broadcast_to(pay, garnet.P.shape).copy(), 0.9)
    v_leave, _ = value_iteration(garnet.P, np.repeat(pay[:, None], 3, axis=1), 0.9)
    v_arrive, _ = value_iteration(garnet.P, garnet.P @ pay, 0.9)
    assert named(audit(leaving, v=v_arrive).v)[0] == "reward on arrival"
    assert named(audit(arriving, v=v_leave).v)[0] == "reward on departure"
    assert audit(leaving, v=v_leave).agrees
    assert audit(arriving, v=v_arrive).agrees


def test_averages_for_maxima(garnet):
    v, q = value_iteration(garnet.P, garnet.r, 0.9, best=np.mean)
    found = audit(garnet, v=v, q=q)
    assert named(found.v) == named(found.q) == ["value of the uniform policy"]
    policy = deterministic(garnet, [1, 0, 2, 1, 0, 2, 1, 0])
    mine = np.linalg.solve(np.eye(8) - 0.9 * garnet.P[np.arange(8), policy.argmax(axis=1)], garnet.r[policy == 1])
    assert named(audit(garnet, v=mine, policy=policy).v) == ["value of the policy handed in"]


@pytest.mark.parametrize("epsilon", [0.05, 0.2])
def test_limit_of_on_policy_learning(garnet, epsilon):
    def soft(q, axis):
        return (1 - epsilon) * q.max(axis=axis) + epsilon * q.mean(axis=axis)

    v, q = value_iteration(garnet.P, garnet.r, 0.9, best=soft)
    found = audit(garnet, v=v, q=q)
    assert named(found.v) == named(found.q) == [f"best ε-soft policy, ε = {epsilon}"]
    greedy = epsilon_greedy(garnet, q, epsilon)
    assert audit(garnet, v=v, q=q, policy=greedy, of="policy").agrees


def test_wrong_axes():
    mdp = gallery.garnet(5, 5, 2, seed=2, gamma=0.9)
    swapped, _ = value_iteration(mdp.P.transpose(1, 0, 2), mdp.r, 0.9)
    assert named(audit(mdp, v=swapped).v) == ["axes (A, S, S) for (S, A, S)"]
    paid, _ = value_iteration(mdp.P, mdp.r.T, 0.9)
    assert named(audit(mdp, v=paid).v) == ["rewards (A, S) for (S, A)"]


def test_mistakes_about_one_policys_values(garnet):
    pi = uniform(garnet)
    P, r = garnet.P.mean(axis=1), garnet.r.mean(axis=1)
    turned = np.linalg.solve(np.eye(8) - 0.9 * P.T, r)
    assert named(audit(garnet, v=turned, policy=pi, of="policy").v) == ["transition matrix transposed"]
    v, q = value_iteration(garnet.P, garnet.r, 0.9)
    found = audit(garnet, v=v, q=q, policy=pi, of="policy")
    assert named(found.v) == named(found.q) == ["optimum"]
    other = np.linalg.solve(np.eye(8) - 0.99 * P, r)
    assert named(audit(garnet, v=other, policy=pi, of="policy").v) == ["gamma = 0.99"]
    swept = np.zeros(8)
    for _ in range(9):
        swept = r + 0.9 * P @ swept
    assert named(audit(garnet, v=swept, policy=pi, of="policy").v)[0] == "stopped after 9 sweeps from 0"


def test_endings():
    mdp = gallery.frozen_lake().to_float()
    P, r = mdp.P, mdp.r
    ends = mdp.terminal
    into = P[:, :, ends].sum(axis=2)
    reset = P * ~ends + into[:, :, None] * mdp.initial
    v, _ = value_iteration(reset, r, 0.99)
    assert named(audit(mdp, v=v).v)[0] == "reset bootstrapped"
    paying = P.copy()
    paying[ends] = np.eye(16)[ends][:, None, :]
    for_ever = r.copy()
    for_ever[15] = 1  # the goal pays 1 on every step that is spent there
    v, _ = value_iteration(paying, for_ever, 0.99)
    v[ends] = 0
    assert named(audit(mdp, v=v).v)[0] == "ending reward paid for ever"
    cliff = gallery.cliff_walk(gamma=Fraction(9, 10)).to_float()
    dropped = cliff.r * (1 - cliff.P[:, :, cliff.terminal].sum(axis=2))  # the -1 of the step onto the goal
    v, _ = value_iteration(cliff.P, dropped, 0.9)
    assert named(audit(cliff, v=v).v)[0] == "ending reward dropped"


def test_unavailable_actions_in_the_maximum():
    mdp = gallery.puterman_two_state().to_float()
    v, _ = value_iteration(mdp.P, mdp.r, 0.95)  # the missing action of s2 counts as 0, better than -1 for ever
    assert v[1] == 0
    assert named(audit(mdp, v=v).v)[0] == "unavailable actions counted"


def test_another_numbering():
    mdp = gallery.sutton_barto_grid().to_float()
    v = policy_iteration(mdp).v
    assert named(audit(mdp, v=v.reshape(5, 5).T.ravel()).v) == ["another numbering"]


def test_single_precision(garnet):
    v, _ = value_iteration(garnet.P.astype(np.float32), garnet.r.astype(np.float32), np.float32(0.9), sweeps=400)
    found = audit(garnet, v=v.astype(np.float32)).v
    assert not found.agrees
    assert found.distance < 1e-5
    assert "float32" in named(found)


def test_nonsense_has_no_cause(garnet):
    found = audit(garnet, v=np.random.default_rng(0).normal(size=8) * 50)
    assert found.v.causes == ()
    assert "gamma = 0.99" in found.tried
    quiet = audit(garnet, v=np.zeros(8), explain=False)
    assert not quiet.agrees
    assert quiet.tried == ()


# -- policies ---------------------------------------------------------------------------------------------------------


def test_regret_of_a_policy():
    mdp = gallery.left_right_loop()
    found = audit(mdp, policy=["right", "right"]).policy  # collects the 10 at once
    assert found.distance == Fraction(270, 19) - 10
    assert found.place == "state 1 ('B')"
    assert not found.agrees


def test_policies_that_would_be_right_for_a_mistake(garnet):
    for gamma in (0.0, 0.5):
        _, q = value_iteration(garnet.P, garnet.r, gamma)
        found = audit(garnet, policy=q.argmax(axis=1))
        assert f"gamma = {gamma}" in named(found.policy)
    _, q = value_iteration(garnet.P, garnet.r, 0.9, best=np.min)
    assert "minimum for maximum" in named(audit(garnet, policy=q.argmin(axis=1)).policy)


def test_policies_in_single_precision():
    mdp = gallery.random_mdp(2, 4, 3)
    third = np.full((4, 3), 1 / 3, dtype=np.float32)
    assert third.sum(axis=1, dtype=float)[0] != 1  # off by 3e-8, more than a row of float64 may be
    value = floats(policy_value(mdp, uniform(mdp)))
    for model in (mdp, mdp.to_float()):
        assert audit(model, v=value, policy=third, of="policy").agrees


def floats(v):
    return np.array([float(x) for x in v])


def test_a_policy_can_be_worth_something_where_the_optimum_is_not_finite():
    mdp = MDP.from_outcomes([[[(1.0, 0, 1.0, False)], [(1.0, None, 5.0, True)]]], 1.0)  # +1 for ever, or 5 and out
    assert audit(mdp, v=[5], policy=[1], of="policy").agrees
    with pytest.raises(Unbounded):
        audit(mdp, v=[5])


def test_float_policies_beside_an_exact_model():
    mdp = gallery.random_mdp(2, 4, 3)
    found = audit(mdp, policy=np.full((4, 3), 1 / 3))
    value = policy_value(mdp, uniform(mdp))
    gap = max(policy_iteration(mdp).v - value)
    assert abs(float(found.policy.distance - gap)) < 1e-12  # 1/3 is off by 2e-17
    assert isinstance(found.policy.distance, Fraction)


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"v": np.zeros(3)}, r"v has shape \(3,\), the model asks for \(8,\)"),
        ({"q": np.zeros((3, 8))}, "transpose it"),
        ({"q": np.zeros(8)}, "q has shape"),
        ({"v": [0, 1, np.nan, 3, 4, 5, 6, 7]}, r"v\[2\] = nan"),
        ({"v": [0, 1, 2, np.inf, 4, 5, 6, 7]}, r"v\[3\] = inf"),
        ({"v": ["a"] * 8}, r"v\[0\] = a"),
        ({"q": [[1, 2], [3]]}, "ragged"),
        ({"v": np.zeros(8, dtype=complex)}, r"v\[0\]"),
        ({"v": [None] * 8}, r"v\[0\] = None"),
        ({}, "nothing to audit"),
        ({"v": np.zeros(8), "of": "policy"}, "of='policy'"),
        ({"v": np.zeros(8), "of": "best"}, "of='best'"),
    ],
)
def test_bad_values_are_refused(garnet, answer, message):
    with pytest.raises(InvalidValues, match=message):
        audit(garnet, **answer)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (np.full((3, 8), 1 / 8), "transpose it"),
        (np.full((8, 3), 1.0), "sums to 3"),
        (np.full((8, 3), np.nan), "not a finite number"),
        (np.eye(8, 3) - 0.1, "negative"),
        ([0, 1, 2, 3, 0, 1, 2, 0], "3"),
        ([0, 1], "2 actions for 8 states"),
        ([[1, 0], [1]], "ragged"),
        (np.zeros((2, 2, 2)), "shape"),
    ],
)
def test_bad_policies_are_refused(garnet, policy, message):
    with pytest.raises(InvalidPolicy, match=message):
        audit(garnet, policy=policy)


def test_a_transposed_square_policy_is_recognised():
    mdp = gallery.garnet(3, 3, 2, seed=0)
    turned = np.array([[1.0, 0.5, 0.2], [0, 0.5, 0.2], [0, 0, 0.6]])
    with pytest.raises(InvalidPolicy, match="columns do: transpose it"):
        audit(mdp, policy=turned)


def test_policies_that_never_end_and_symbols_are_refused():
    with pytest.raises(InvalidPolicy, match="never"):
        audit(gallery.cliff_walk(), policy=["west"] * 38)
    import sympy

    with pytest.raises(NotExact):
        audit(gallery.left_right_loop(sympy.Symbol("gamma")), v=[0, 0])
