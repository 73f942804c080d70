"""False claims are refuted by small models that replay, true ones are not, and the witnesses are judged by other routes."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.bellman import bellman_optimal
from rlexact.exact.counterexample import counterexample, replay
from rlexact.exact.difference import occupancy_shift, surrogate
from rlexact.exact.evaluation import action_value, expected_return, policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP, InvalidMDP
from rlexact.policy import deterministic, deterministic_policies, first_best, mixture

HALF = Fraction(1, 2)


def best_value(mdp):
    """V* by trying every deterministic policy."""
    return np.max([policy_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)


def small_change_means_close(mdp):
    """‖0 - V*‖ ≤ ‖0 - T0‖: a sweep that changes little is near the end."""
    change = np.abs(bellman_optimal(mdp, np.zeros(mdp.n_states, dtype=int)))
    return max(abs(best_value(mdp))) - max(change)


def best_reward_is_best(mdp):
    """The policy of the largest immediate reward has the largest value."""
    return max(best_value(mdp) - policy_value(mdp, first_best(mdp, mdp.r)))


def mixtures_mix(mdp, one, other):
    """J((π + μ) / 2) = (J(π) + J(μ)) / 2."""
    mean = (expected_return(mdp, one) + expected_return(mdp, other)) / 2
    return abs(expected_return(mdp, mixture(mdp, one, other, HALF)) - mean)


def surrogate_gain_is_gain(mdp, new, old):
    """L(π) > J(μ) implies J(π) ≥ J(μ)."""
    if surrogate(mdp, new, old) <= expected_return(mdp, old):
        return None
    return expected_return(mdp, old) - expected_return(mdp, new)


def occupancy_moves_by_half(mdp, new, old):
    """‖d_π - d_μ‖₁ ≤ γ / (1 - γ) · Σ d_μ TV, half of what is true."""
    found = occupancy_shift(mdp, new, old)
    return found.left - found.right / 2


def random_is_never_needed_to_be_good(mdp, pi):
    """V^π ≤ V*: true."""
    return max(policy_value(mdp, pi) - policy_iteration(mdp).v)


def greedy_never_hurts(mdp, pi):
    """V^greedy ≥ V^π: the policy improvement theorem, true."""
    return max(policy_value(mdp, pi) - policy_value(mdp, first_best(mdp, action_value(mdp, pi))))


FALSE = [
    (small_change_means_close, 0, 1, 1),
    (best_reward_is_best, 0, 1, 2),
    (mixtures_mix, 2, 1, 2),
    (surrogate_gain_is_gain, 2, 2, 2),
    (occupancy_moves_by_half, 2, 2, 2),
]


@pytest.mark.parametrize(("claim", "policies", "states", "actions"), FALSE)
def test_false_claims_fall_to_the_smallest_models(claim, policies, states, actions, tmp_path):
    """The sizes are minimal by argument: one action leaves nothing to choose, one state has no law of states to move."""
    search = counterexample(claim, policies=policies)
    witness = search.witness
    assert witness is not None
    assert witness.gap > 0
    assert (witness.mdp.n_states, witness.mdp.n_actions) == (states, actions)
    witness.save(tmp_path / "false.json")
    again = replay(claim, tmp_path / "false.json")
    assert again.mdp == witness.mdp
    assert again.gap == witness.gap
    assert all((x == y).all() for x, y in zip(again.policies, witness.policies, strict=True))


def test_no_smaller_model_refutes_the_surrogate():
    """One state, two actions, one of eight laws each, all pure and some mixed policies: L > J(μ) does imply J(π) ≥ J(μ)."""
    rows = [[(Fraction(1), 0, r, False)] for r in (-1, 0, 1)] + [[(Fraction(1), None, r, True)] for r in (-1, 0, 1)]
    rows += [[(HALF, 0, r, False), (HALF, None, r, True)] for r in (0, 1)]
    laws = [np.array([[w, 1 - w]], dtype=object) for w in (Fraction(0), Fraction(1, 3), Fraction(1))]
    for first, second in product(rows, repeat=2):
        mdp = MDP.from_outcomes([[first, second]], HALF, 0)
        for new, old in product(laws, repeat=2):
            gap = surrogate_gain_is_gain(mdp, new, old)
            assert gap is None or gap <= 0


@pytest.mark.parametrize("claim", [random_is_never_needed_to_be_good, greedy_never_hurts])
def test_true_claims_stand(claim):
    search = counterexample(claim, tries=40)
    assert search.witness is None
    assert search.judged == 6 * 40
    assert search.outside == 0


def test_a_witness_checked_by_hand():
    """‖V*‖ = 1 / (1 - γ) against ‖T0‖ = 1: the one-state loop with the simplest discount and reward that show it."""
    witness = counterexample(small_change_means_close, policies=0, discounts=["1/2", "9/10"]).witness
    assert witness.mdp.outcomes(0, 0) == [(1, 0, witness.mdp.r[0, 0], False)]
    assert abs(witness.mdp.r[0, 0]) == 1
    assert witness.mdp.gamma == HALF
    assert witness.gap == 1


@pytest.mark.parametrize("seed", range(4))
def test_shrinking_does_not_depend_on_luck(seed):
    """From large random models only, the same smallest size is reached."""

    def large_first(mdp):
        return best_reward_is_best(mdp) if mdp.n_actions == 2 else None

    witness = counterexample(large_first, policies=0, max_states=3, tries=60, seed=seed).witness
    assert witness.mdp.n_states == 1
    assert all(len(witness.mdp.outcomes(0, a)) == 1 for a in range(2))
    assert np.abs(witness.mdp.r).sum() <= 3  # 1 for ever against 1 once, or against 2 where that is listed later


def test_shrinking_removes_states_and_actions():
    """A claim about large models first: three states, three actions, and a margin on J that one loop alone can meet."""
    seen = []

    def returns_are_small(mdp, pi):
        seen.append(mdp.n_states)
        if len(seen) < 8 and mdp.n_states < 3:
            return None
        return expected_return(mdp, pi) - Fraction(3, 2)

    search = counterexample(returns_are_small, max_actions=3, tries=1, seed=0)
    if search.witness is None:
        search = counterexample(returns_are_small, max_actions=3, tries=200, seed=0)
    assert (search.witness.mdp.n_states, search.witness.mdp.n_actions) == (1, 1)


def test_floats_need_a_margin():
    def in_floats(mdp, pi):
        return float(expected_return(mdp, pi)) - 1.0

    with pytest.raises(NotExact, match="margin"):
        counterexample(in_floats)
    assert counterexample(in_floats, margin=1e-9).witness.gap > 1e-9
    with pytest.raises(ValueError, match="finite sides"):
        counterexample(lambda mdp, pi: float("nan"), margin=1e-9)


def test_what_the_claim_does_not_speak_of():
    def refuses(mdp, pi):
        raise InvalidMDP("never this one")

    with pytest.raises(ValueError, match="spoke of none of 12 models"):
        counterexample(refuses, tries=2)
    halves = counterexample(lambda mdp, pi: 0 if mdp.gamma == HALF else None, tries=20)
    assert halves.witness is None
    assert 0 < halves.judged < 120
    assert halves.judged + halves.outside == 120


def test_a_seed_names_a_search():
    first, second = (counterexample(mixtures_mix, policies=2, seed=3).witness for _ in range(2))
    assert first.mdp == second.mdp
    assert first.gap == second.gap


def test_policies_are_those_of_the_witness():
    """A claim about a policy, not about a model: shrunk to a pure one."""
    witness = counterexample(lambda mdp, pi: pi[0, -1] - HALF).witness
    assert (witness.policies[0] == deterministic(witness.mdp, [0])).all()
    assert witness.gap == HALF
