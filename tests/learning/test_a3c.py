"""A3C: the delay by hand and in law, whose turn it is, segments over an end, convergence."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact import gradient_estimators as exact
from rlexact.exact.estimator_law import estimator_law
from rlexact.learning.a3c import a3c, a3c_gradients, segment
from rlexact.learning.replay import Experience
from rlexact.mdp import MDP
from tests.learning.batches import THETA, WRONG, actor_at, arms, assert_mean, endless, family


def line(rewards, repeat):
    """Cells in a row, one action; at the end it begins anew, by an end of the episode or as a ring."""
    n = len(rewards)
    return MDP.from_outcomes(
        [
            [[(1.0, (s + 1) % n if repeat or s + 1 < n else None, float(r), not repeat and s + 1 == n)]]
            for s, r in enumerate(rewards)
        ],
        0.5,
        0,
    )


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_the_critic_is_behind_by_the_delay(delay):
    """One state, pays 1, ends: v_{k+1} = v_k + α (1 - v_{k-d}), in Fractions; at α = 1 and d = 1 it never settles."""
    for alpha in (Fraction(1, 4), Fraction(1)):
        v, n = [Fraction(0)], 12
        for k in range(n):
            v.append(v[k] + alpha * (1 - v[max(k - delay, 0)]))
        run = a3c(line([1], False), n, 0, delay=delay, n=1, alpha=0.1, value_alpha=float(alpha))
        assert run.v[0] == float(v[-1])
    assert delay != 1 or v[6:12] == v[:6]  # 0, 1, 2, 2, 1, 0: the limit cycle


def test_workers_take_turns_and_the_delay_is_one_less():
    """Two workers on a ring: updates 1 and 2 see the start, 3 and 4 the next cell. Unless given, d = W - 1."""
    ring = line([8, 4, 2], True)
    moved = [np.flatnonzero(a3c(ring, k, 0, workers=2, n=1, value_alpha=0.5).v).tolist() for k in (1, 2, 3, 4, 5)]
    assert moved == [[0], [0], [0, 1], [0, 1], [0, 1, 2]]
    runs = [a3c(ring, 9, 0, workers=3, delay=d, n=2, value_alpha=0.5).v for d in (None, 2, 0)]
    assert (runs[0] == runs[1]).all()
    assert (runs[0] != runs[2]).any()


def test_a_segment_runs_over_an_end_but_credit_does_not():
    """Cells paying 1, 2 at γ = 1/2, v = (10, 20): five steps are 0 1 | 0 1 | 0, the last one bootstraps 1 + 20/2."""
    mdp = line([1, 2], False)
    actor = actor_at(mdp, np.zeros((2, 1)), np.array([10.0, 20.0]))
    rng = np.random.default_rng(0)
    lived = segment(Experience(mdp, rng), actor, 5, rng)
    assert lived.states[:, 0].tolist() == [0, 1, 0, 1, 0]
    _, for_v = a3c_gradients(lived, actor)
    assert for_v.tolist() == [2 * (1 + 1 - 10) + (1 + 10 - 10), 2 * (2 - 20)]


def test_one_worker_has_the_exact_law():
    mdp, actor, n = endless(), actor_at(endless(), v=WRONG[:2]), 3
    rng = np.random.default_rng(1)
    found = [a3c_gradients(segment(Experience(mdp, rng), actor, n, rng), actor)[0] for _ in range(500)]
    estimator = exact.actor_critic(mdp, family(actor), WRONG[:2], 1, discount=1)
    assert_mean(np.array(found), estimator_law(mdp, actor.policy, n, estimator))


def test_with_a_delay_as_long_as_the_run_all_gradients_are_those_of_the_start():
    """Episodes of one step: θ_K - θ_0 is then α times the sum of K independent gradients at θ_0. Without delay it is not."""
    mdp, K, alpha = arms(3, 0), 5, 0.5
    actor = actor_at(mdp, np.array([[0.4, -0.4]]))
    law = estimator_law(mdp, actor.policy, 1, exact.actor_critic(mdp, family(actor), np.zeros(1), 1)).averaged(K)
    rng = np.random.default_rng(4)

    def moved(delay):
        run = a3c(
            mdp, K, rng, delay=delay, n=1, alpha=alpha, value_alpha=1e-9, theta=actor.theta, checkpoints=[K]
        )  # the critic stays at 0, up to 1e-8
        return (run.tables["theta"] - actor.theta) / (K * alpha)

    assert_mean(np.array([moved(K) for _ in range(50)]), law)
    with pytest.raises(AssertionError):
        assert_mean(np.array([moved(0) for _ in range(50)]), law)


def test_the_entropy_of_every_step_counts():
    mdp, actor = endless(), actor_at(endless())
    rng = np.random.default_rng(0)
    lived = segment(Experience(mdp, rng), actor, 4, rng)
    with_bonus, without = (a3c_gradients(lived, actor, beta)[0] for beta in (0.5, 0))
    p = actor.policy
    slope = p[:, 0] * p[:, 1] * np.log(p[:, 1] / p[:, 0])  # dH / d(θ_0 - θ_1) of two actions
    counts = np.bincount(lived.states.ravel(), minlength=2)
    assert np.allclose(with_bonus - without, 0.5 * (counts * slope)[:, None] * [1, -1], atol=1e-14)


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_it_learns_in_every_world(convert):
    run = a3c(convert(gallery.corridor(2)), 400, 2, workers=3, n=4, alpha=0.1)
    assert run.error < run.curve.errors[0] / 10
    assert (a3c(convert(gallery.corridor(2)), 30, 2).v == a3c(gallery.corridor(2), 30, 2).v).all()


def test_refusals():
    for bad in ({"workers": 0}, {"n": 0}, {"delay": -1}, {"entropy": float("nan")}, {"theta": THETA}):
        with pytest.raises(ValueError, match=r"workers|segment|delay|entropy|values"):
            a3c(arms(1, 0), 1, 0, **bad)
