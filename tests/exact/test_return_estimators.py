"""n-step, λ-returns and GAE: recursions against sums over paths, the moments of the return, and closed forms."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import MixedNumbers
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import action_value, advantage, policy_value
from rlexact.exact.moments import action_return_variance, return_variance
from rlexact.exact.paths import paths
from rlexact.exact.return_estimators import (
    lambda_advantage,
    lambda_advantage_law,
    lambda_return,
    lambda_return_law,
    n_step_return_law,
    td_error,
)
from rlexact.gallery import three_state_chain
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import mixture, uniform
from tests.strategies import WORLDS, as_floats, in_world, law_model, policy

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
WRONG = np.array([Fraction(3), Fraction(-1, 2), Fraction(2, 3)], dtype=object)
SEEDS = range(3)


def model(seed, world="rational"):
    return in_world(law_model(seed, n_states=3), world)


def full(mdp, seed):
    return mixture(mdp, uniform(mdp), policy(seed, mdp), "1/2" if "float" not in mdp.world else 0.5)


def by_paths(mdp, pi, s, a, steps, lam, v=WRONG):
    at = lambda_advantage(mdp, v, lam)
    return estimator_law(mdp, pi, steps, lambda p: at(p, 0), start=s, given=lambda p: p.actions[0] == a)


@pytest.mark.parametrize("lam", [0, THIRD, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_recursion_is_the_sum_over_paths(seed, lam):
    mdp = model(seed)
    pi = full(mdp, seed)
    law = lambda_advantage_law(mdp, pi, WRONG, lam, 3)
    for s, a in np.argwhere(mdp.available):
        listed = by_paths(mdp, pi, s, a, 3, lam)
        assert (law.mean[s, a], law.variance[s, a]) == (listed.mean, listed.variance)
    returns = lambda_return_law(mdp, pi, WRONG, lam, 3)
    at = lambda_return(mdp, WRONG, lam)
    for s in range(3):
        listed = estimator_law(mdp, pi, 3, lambda p: at(p, 0), start=s)
        assert (returns.mean[s], returns.variance[s]) == (listed.mean, listed.variance)


@pytest.mark.parametrize("seed", SEEDS)
def test_mixing_n_step_returns_and_summing_td_errors_agree_on_every_path(seed):
    mdp = model(seed)
    advantage_of, return_of, delta = (
        lambda_advantage(mdp, WRONG, THIRD),
        lambda_return(mdp, WRONG, THIRD),
        td_error(mdp, WRONG),
    )
    for path in paths(mdp, full(mdp, seed), 3):
        for t, s in enumerate(path.states[: len(path.actions)]):
            assert return_of(path, t) == WRONG[s] + advantage_of(path, t)
        assert delta(path, len(path.actions)) == 0


def test_a_symbol_for_lambda_gives_polynomials():
    lam = sympy.Symbol("lam", nonnegative=True)
    exact = model(0)
    mdp, pi = exact.to_symbolic(), full(exact, 0)
    law = lambda_advantage_law(mdp, pi, WRONG, lam, 3)
    degrees = [max(sympy.Poly(x, lam).degree() for x in moment.flat) for moment in (law.mean, law.variance)]
    assert degrees == [2, 4]
    s, a = np.argwhere(mdp.available)[-1]
    listed, found = by_paths(mdp, pi, s, a, 2, lam), lambda_advantage_law(mdp, pi, WRONG, lam, 2)
    assert (listed.mean, listed.variance) == (found.mean[s, a], found.variance[s, a])
    forever = lambda_advantage_law(mdp, pi, WRONG, lam)
    for value in (Fraction(0), Fraction(1, 5), Fraction(1)):
        for symbolic, steps in ((law, 3), (forever, None)):
            number = lambda_advantage_law(exact, pi, WRONG, value, steps)
            for name in ("mean", "variance", "bias"):
                at_value = [x.subs(lam, sympy.Rational(str(value))) for x in getattr(symbolic, name).flat]
                assert at_value == list(getattr(number, name).flat)
    with pytest.raises(MixedNumbers, match="lam is symbolic"):
        lambda_advantage_law(exact, pi, WRONG, lam, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_horizon_lambda_one_forgets_the_critic(seed):
    mdp = model(seed)
    pi = full(mdp, seed)
    law = lambda_advantage_law(mdp, pi, WRONG, 1)
    gap = np.where(mdp.available, action_value(mdp, pi) - WRONG[:, None], 0)
    assert (law.mean == gap).all()
    assert (law.variance == action_return_variance(mdp, pi)).all()
    returns = lambda_return_law(mdp, pi, WRONG, 1)
    assert (returns.bias == 0).all()
    assert (returns.variance == return_variance(mdp, pi)).all()


@pytest.mark.parametrize("lam", [0, HALF, 1])
def test_the_right_critic_has_no_bias(lam):
    mdp = model(1)
    pi = full(mdp, 1)
    v = policy_value(mdp, pi)
    for steps in (1, 4, None):
        assert (lambda_advantage_law(mdp, pi, v, lam, steps).bias == 0).all()
        assert (lambda_return_law(mdp, pi, v, lam, steps).bias == 0).all()
    assert (lambda_advantage_law(mdp, pi, WRONG, lam, 4).bias != 0).any()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_bias_of_n_steps_in_closed_form(n):
    """γ^n P^n (v - V^π)."""
    mdp = model(2)
    pi = full(mdp, 2)
    P = (pi[:, :, None] * mdp.P).sum(axis=1)
    left = WRONG - policy_value(mdp, pi)
    for _ in range(n):
        left = mdp.gamma * (P @ left)
    assert (n_step_return_law(mdp, pi, WRONG, n).bias == left).all()


def test_bias_falls_and_variance_rises_on_a_noisy_chain():
    """A → B → end, a fair coin of ±1 paid at each: v = 1 is wrong by 1 everywhere. By hand, with γ = 1:

    Â = (c_0 + 1 - 1) + λ (c_1 - 1), so the bias is 1·(1 - λ) less v(A) being 1 too high, the variance 1 + λ².
    """
    coin = [(HALF, 1, 1, False), (HALF, 1, -1, False)]
    last = [(HALF, None, 1, True), (HALF, None, -1, True)]
    mdp = MDP.from_outcomes({(0, 0): coin, (1, 0): last}, Fraction(1), 0)
    one = np.array([Fraction(1), Fraction(1)], dtype=object)
    for lam in (0, HALF, 1):
        law = lambda_return_law(mdp, uniform(mdp), one, lam)
        assert (law.bias[0], law.variance[0]) == (1 - Fraction(lam), 1 + Fraction(lam) ** 2)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("steps", [3, None])
def test_worlds_agree(world, steps):
    exact, mdp = model(0), model(0, world)
    v = as_floats(WRONG) if "float" in world else WRONG
    lam = 0.5 if "float" in world else HALF
    law, truth = (
        lambda_advantage_law(mdp, full(mdp, 0), v, lam, steps),
        lambda_advantage_law(exact, full(exact, 0), WRONG, HALF, steps),
    )
    for name in ("mean", "variance", "bias"):
        # condition numbers below 10 and numbers below 100
        np.testing.assert_allclose(as_floats(getattr(law, name)), as_floats(getattr(truth, name)), atol=1e-11)


def test_long_horizons_tend_to_no_horizon():
    mdp = model(1, "float64")
    pi, v = full(mdp, 1), as_floats(WRONG)
    long, forever = (lambda_advantage_law(mdp, pi, v, 0.9, steps) for steps in (400, None))
    # (γλ)^400 < 1e-40: what is left is rounding
    np.testing.assert_allclose(long.mean, forever.mean, atol=1e-11)
    np.testing.assert_allclose(long.variance, forever.variance, atol=1e-11)


def test_refusals():
    mdp = model(0)
    pi = full(mdp, 0)
    for lam in (2, Fraction(-1, 2)):
        with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
            lambda_advantage_law(mdp, pi, WRONG, lam, 2)
    loop = MDP([[[1]]], [[Fraction(1)]], 1)
    with pytest.raises(InvalidPolicy, match="the sum has no end"):
        lambda_advantage_law(loop, uniform(loop), [0], 1)
    chain = three_state_chain(paid_on_arrival=True)
    at_end = np.array([1, 1, 1])
    with pytest.raises(ValueError, match=r"v\[2\] = 1 at a terminal state"):
        lambda_return_law(chain, uniform(chain), at_end, 1)
    assert (advantage(chain, uniform(chain)) == 0).all()
