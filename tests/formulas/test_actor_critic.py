from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.gradient_estimators import actor_critic_mean, score_table
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect
from rlexact.formulas.actor_critic import (
    policy_loss,
    policy_loss_gradient,
    td_actor_critic_step,
    td_value_loss,
    td_value_loss_gradient,
    value_loss,
    value_loss_gradient,
)
from rlexact.formulas.batch import InvalidBatch
from rlexact.gallery import random_mdp
from rlexact.policy import uniform

STEP = 1e-30  # a complex step subtracts nothing: exact to rounding


def test_gradients_by_complex_step():
    log_p, adv, v, g = np.random.default_rng(0).normal(size=(4, 9))
    slope = policy_loss(log_p + 1j * STEP, adv).imag / STEP
    np.testing.assert_allclose(policy_loss_gradient(log_p, adv), slope, rtol=1e-14)
    slope = value_loss(v + 1j * STEP, g).imag / STEP
    np.testing.assert_allclose(value_loss_gradient(v, g), slope, rtol=1e-14)
    mask = np.arange(9) % 2 == 0
    slope = value_loss(v + 1j * STEP * mask, g, reduction="mean", mask=mask).imag / STEP
    np.testing.assert_allclose(value_loss_gradient(v, g, reduction="mean", mask=mask).sum(), slope, rtol=1e-13)


def test_value_loss_has_its_minimum_at_the_mean_return():
    returns = np.array([Fraction(1), Fraction(5), Fraction(9, 2)])
    mean = returns.sum() / 3
    assert value_loss_gradient(mean, returns).sum() == 0
    assert value_loss(mean, returns, reduction="sum") < value_loss(mean + Fraction(1, 9), returns, reduction="sum")


def test_semi_gradient_holds_the_target_fixed():
    r, v, v_next, g = Fraction(1), np.array([Fraction(3)]), np.array([Fraction(5)]), Fraction(1, 2)
    h = Fraction(1, 7)
    quotient = (td_value_loss([r], v + h, v_next, [False], g) - td_value_loss([r], v - h, v_next, [False], g)) / (2 * h)
    assert td_value_loss_gradient([r], v, v_next, [False], g) == quotient
    assert td_value_loss_gradient([r], v, v_next, [True], g) == -2 * (r - v)


def test_the_documents_step():
    """theory: r = 5, V(s) = 3, V(s') = 10, γ = 0.9: δ = 11, the target is 14."""
    found = td_actor_critic_step(
        [Fraction(0), Fraction(0)],
        [Fraction(3)],
        [Fraction(-1, 2), Fraction(1, 2)],
        [Fraction(1)],
        5,
        3,
        10,
        False,
        gamma="0.9",
        actor_step="0.1",
        critic_step=1,
    )
    assert found.td_error == 11
    assert list(found.theta) == [Fraction(-11, 20), Fraction(11, 20)]
    assert list(found.w) == [14]


@pytest.mark.parametrize("steps", [1, 2])
def test_expected_step_is_the_exact_room_s_actor_critic(steps):
    """One episode, parameters held: the sum of the actor's moves has the mean of the law [P6], bias of the critic and all."""
    mdp = random_mdp(5, 3, 2, terminal=1)
    family = softmax_at(mdp, uniform(mdp))
    scores, v = score_table(mdp, family), np.array([Fraction(2), Fraction(-1), Fraction(0)])

    def moved(path):
        total = 0 * scores[0, 0].ravel()
        for t, a in enumerate(path.actions):
            s, following = path.states[t], path.states[t + 1]
            total = td_actor_critic_step(
                total,
                v,
                scores[s, a].ravel(),
                0 * v,
                path.rewards[t],
                v[s],
                v[following],
                bool(mdp.terminal[following]),
                gamma=mdp.gamma,
                actor_step=1,
                critic_step=0,
                discount=mdp.gamma**t,
            ).theta
        return total

    found = expect(mdp, family.policy, steps, moved)
    assert (found == actor_critic_mean(mdp, family, v, 0, steps).mean.ravel()).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": [1.0]}, "give equal shapes"),
        ({"actor_step": -1.0}, "actor_step"),
        ({"terminated": 0}, "give booleans"),
        ({"gamma": 1.5}, "gamma"),
        ({"reward": np.inf}, "reward"),
    ],
)
def test_refusals(change, message):
    good = {"theta": [0.0, 0.0], "w": [0.0], "score": [1.0, 0.0], "value_slope": [1.0], "reward": 1.0, "value": 0.0}
    rest = {"next_value": 0.0, "terminated": False, "gamma": 0.5, "actor_step": 1.0, "critic_step": 1.0}
    with pytest.raises(InvalidBatch, match=message):
        td_actor_critic_step(**{**good, **rest, **change})
