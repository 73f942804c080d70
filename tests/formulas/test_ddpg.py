from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.ddpg import (
    ddpg_actor_loss,
    ddpg_actor_loss_gradient,
    ddpg_critic_loss,
    ddpg_critic_loss_gradient,
    ddpg_target,
    deterministic_policy_gradient,
    gaussian_exploration,
)

F = Fraction
STEP = 1e-30


def policy(theta, states):
    """Two action coordinates, three parameters, not linear."""
    return np.stack([np.sin(theta[0] * states) + theta[1], theta[2] * states**2], axis=-1)


def policy_jacobian(theta, states):
    none, one = 0 * states, 0 * states + 1
    rows = [[states * np.cos(theta[0] * states), one, none], [none, none, states**2]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def critic(states, actions):
    return actions[..., 0] ** 2 * states - np.exp(actions[..., 1]) * actions[..., 0]


def critic_slope(states, actions):
    first, second = actions[..., 0], actions[..., 1]
    return np.stack([2 * first * states - np.exp(second), -np.exp(second) * first], axis=-1)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_actor_gradient_by_complex_step_in_the_parameters(reduction):
    theta, states = np.array([0.3, -0.5, 1.2]), np.array([0.7, -1.1, 2.0])
    actions = policy(theta, states)
    found = ddpg_actor_loss_gradient(critic_slope(states, actions), policy_jacobian(theta, states), reduction=reduction)
    for j, e in enumerate(np.eye(3)):
        moved = policy(theta + 1j * STEP * e, states)
        slope = np.imag(ddpg_actor_loss(critic(states, moved), reduction=reduction)) / STEP
        np.testing.assert_allclose(found[:, j].sum(), np.sum(slope), rtol=1e-13)
    rises = deterministic_policy_gradient(critic_slope(states, actions), policy_jacobian(theta, states))
    np.testing.assert_allclose(rises, -found * (1 if reduction == "none" else len(states)), rtol=1e-15)


def test_linear_actor_in_fractions():
    """Q = -(a - 3)², a = θ₁ φ₁ + θ₂ φ₂: the slope is -2 (a - 3) φ, by a central difference of a quadratic."""
    phi, theta, h = [F(2), F(-1)], [F(1, 2), F(1, 3)], F(1, 5)

    def action(t):
        return t[0] * phi[0] + t[1] * phi[1]

    found = deterministic_policy_gradient([-2 * (action(theta) - 3)], [phi])
    up = [-((action([theta[0] + h, theta[1]]) - 3) ** 2), -((action([theta[0], theta[1] + h]) - 3) ** 2)]
    down = [-((action([theta[0] - h, theta[1]]) - 3) ** 2), -((action([theta[0], theta[1] - h]) - 3) ** 2)]
    assert list(found) == [(u - d) / (2 * h) for u, d in zip(up, down, strict=True)]


def test_target_and_critic_loss_by_hand():
    y = ddpg_target([F(1), F(2)], [F(10), F(10)], [False, True], F(9, 10))
    assert list(y) == [10, 2]
    q, h = np.array([F(7), F(3)]), F(1, 3)
    assert list(ddpg_critic_loss(q, y)) == [9, 1]
    quotient = (ddpg_critic_loss(q + h, y) - ddpg_critic_loss(q - h, y)) / (2 * h)
    assert (ddpg_critic_loss_gradient(q, y) == quotient).all()
    assert (ddpg_critic_loss_gradient(q, y, reduction="mean") == quotient / 2).all()


def test_exploration():
    a, z = np.array([F(0), F(9, 10), F(-9, 10)]), np.array([F(1, 2), F(3), F(-3)])
    assert list(gaussian_exploration(a, F(1, 2), z, -1, 1)) == [F(1, 4), 1, -1]
    assert list(gaussian_exploration(a, F(1, 2), z)) == [x + y / 2 for x, y in zip(a, z, strict=True)]
    highest = np.array([F(1), F(2), F(3)])
    assert list(gaussian_exploration(a, F(1), 10 * z, -1, highest)) == [1, 2, -1]
    assert list(gaussian_exploration(a, F(0), z, low=0)) == [0, F(9, 10), 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_exploration([0.0], -1.0, [0.0]), "std"),
        (lambda: gaussian_exploration([0.0], 1.0, [0.0], 1.0, -1.0), "at most high"),
        (lambda: deterministic_policy_gradient([1.0], [1.0]), "axis of parameters"),
        (lambda: deterministic_policy_gradient(1.0, [1.0]), "scalar"),
        (lambda: ddpg_target([1.0], [1.0], [0], 0.5), "booleans"),
        (lambda: ddpg_target([1.0], [1.0], [False], 1.5), "gamma"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
