"""k1, k2, k3: means by hand, gradients against SymPy's derivatives and against exact closed forms."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact import parameterisation as pm
from rlexact.exact.kl_estimators import K1, K2, K3, kl_gradient, kl_law, loss_gradient, reward_gradient
from rlexact.mdp import InvalidPolicy
from rlexact.policy import mixture, uniform
from tests.strategies import as_floats, in_world, model, policy

WORLDS = ("float64", "sparse float64", "symbolic")
ALL = (K1, K2, K3)
HALF = Fraction(1, 2)


def pair(seed=0):
    mdp = model(seed)
    return mdp, *(mixture(mdp, uniform(mdp), policy(seed + k, mdp), HALF) for k in (1, 2))


def in_numbers(world, *policies):
    return [as_floats(pi) if "float" in world else pi for pi in policies]


def by_hand(name, p, q):
    ratio, ell = q / p, np.log(p / q)
    return {"k1": ell, "k2": ell**2 / 2, "k3": ratio - 1 + ell}[name]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("estimator", ALL, ids=lambda k: k.name)
def test_mean_variance_and_bias_by_hand(world, estimator):
    exact, pi, mu = pair()
    mdp = in_world(exact, world)
    found = kl_law(mdp, *in_numbers(world, pi, mu), estimator)
    for s in np.flatnonzero(~exact.terminal):
        p, q = (as_floats(x[s, exact.available[s]]) for x in (pi, mu))
        k = by_hand(estimator.name, p, q)
        # three terms below 10
        assert float(found.mean[s]) == pytest.approx(p @ k, abs=1e-13)
        assert float(found.variance[s]) == pytest.approx(p @ (k - p @ k) ** 2, abs=1e-13)
        assert float(found.target[s]) == pytest.approx(p @ np.log(p / q), abs=1e-13)
        expected_bias = 0 if estimator is not K2 else p @ (np.log(p / q) ** 2 / 2 - np.log(p / q))
        assert float(found.bias[s]) == pytest.approx(expected_bias, abs=1e-13)
    assert all(float(x) == 0 for x in found.mean[exact.terminal])


def test_k3_misses_the_mass_of_actions_that_are_never_taken():
    mdp = model(0, "float64")
    s = int(np.flatnonzero(mdp.available.sum(axis=1) > 1)[0])
    mu, pi = uniform(mdp), uniform(mdp)
    first = np.flatnonzero(mdp.available[s])[0]
    pi[s] = np.eye(mdp.n_actions)[first]
    assert kl_law(mdp, pi, mu, K3).bias[s] == pytest.approx(-(1 - mu[s, first]), abs=1e-15)
    assert kl_law(mdp, pi, mu, K1).bias[s] == 0
    with pytest.raises(InvalidPolicy, match="infinite"):
        kl_law(mdp, mu, pi, K3)


def derivatives(pi, mu, w, estimator):
    """(reward, loss, KL) gradients by SymPy, logits as symbols, at log π: sums over actions, differentiated as they stand."""
    found = []
    for s in range(pi.shape[0]):
        live = [a for a in range(pi.shape[1]) if pi[s, a] != 0]
        theta = sympy.symbols(f"t0:{len(live)}", real=True)
        point = {t: sympy.log(sympy.Rational(str(pi[s, a]))) for t, a in zip(theta, live, strict=True)}
        total = sum(sympy.exp(t) for t in theta)
        p = [sympy.exp(t) / total for t in theta]
        q = [sympy.Rational(str(mu[s, a])) for a in live]
        now = [sympy.Rational(str(pi[s, a])) for a in live]
        k = {
            "k1": [sympy.log(x / y) for x, y in zip(p, q, strict=True)],
            "k2": [sympy.log(x / y) ** 2 / 2 for x, y in zip(p, q, strict=True)],
            "k3": [y / x - 1 + sympy.log(x / y) for x, y in zip(p, q, strict=True)],
        }[estimator.name]
        kl = sum(x * sympy.log(x / y) for x, y in zip(p, q, strict=True))
        for j, a in enumerate(live):
            reward = sum(c * e * sympy.diff(sympy.log(x), theta[j]) for c, e, x in zip(now, k, p, strict=True))
            loss = sum(c * sympy.diff(e, theta[j]) for c, e in zip(now, k, strict=True))
            found.append((s, a, *(float(w[s] * f.subs(point)) for f in (reward, loss, sympy.diff(kl, theta[j])))))
    return found


@pytest.mark.parametrize("estimator", ALL, ids=lambda k: k.name)
def test_gradients_are_the_derivatives(estimator):
    exact, pi, mu = pair(1)
    mdp, w = exact.to_float(), np.arange(1.0, 5.0)
    p, q = in_numbers("float64", pi, mu)
    family = pm.softmax_at(mdp, p)
    reward, loss, kl = (
        reward_gradient(mdp, family, q, w, estimator),
        loss_gradient(mdp, family, q, w, estimator),
        kl_gradient(mdp, family, q, w),
    )
    live = np.where(exact.terminal[:, None], 0, pi)
    for s, a, *truth in derivatives(live, mu, w, estimator):
        # logarithms and a few products below 10
        assert [reward[s, a], loss[s, a], kl[s, a]] == pytest.approx(truth, abs=1e-12)


def test_who_follows_kl():
    exact, pi, mu = pair(2)
    mdp, w = exact.to_float(), np.ones(4)
    p, q = in_numbers("float64", pi, mu)
    family = pm.softmax_at(mdp, p)
    truth = kl_gradient(mdp, family, q, w)
    close = [
        (name, k.name)
        for name, gradient in (("reward", reward_gradient), ("loss", loss_gradient))
        for k in ALL
        if np.allclose(gradient(mdp, family, q, w, k), truth, atol=1e-12)  # a few products below 10
    ]
    assert close == [("reward", "k1"), ("loss", "k2")]


def test_rational_loss_gradients():
    """k1 in the loss follows nothing; k3 the gradient of KL(μ ‖ π), which for softmax is π - μ."""
    mdp, pi, mu = pair(3)
    family = pm.softmax_at(mdp, pi)
    w = np.array([Fraction(s, 3) for s in range(4)], dtype=object)
    live = ~mdp.terminal[:, None]
    assert not loss_gradient(mdp, family, mu, w, K1).any()
    assert (loss_gradient(mdp, family, mu, w, K3) == np.where(live, w[:, None] * (pi - mu), 0)).all()
    for what in (
        lambda: loss_gradient(mdp, family, mu, w, K2),
        lambda: kl_gradient(mdp, family, mu, w),
        lambda: kl_law(mdp, pi, mu),
    ):
        with pytest.raises(NotExact):
            what()


def test_where_an_action_is_never_drawn_but_can_be_moved():
    mdp = model(0)
    s = int(np.flatnonzero(mdp.available.sum(axis=1) > 1)[0])
    pi = uniform(mdp)
    a, b = np.flatnonzero(mdp.available[s])[:2]
    pi[s] = 0 * pi[s]
    pi[s, a] = Fraction(1)
    jacobian = np.zeros((*pi.shape, 1), dtype=int)
    jacobian[s, [a, b], 0] = -1, 1
    family = pm.with_jacobian(mdp, pi, jacobian)
    with pytest.raises(InvalidPolicy, match="no derivative"):
        loss_gradient(mdp, family, uniform(mdp), np.ones(4, dtype=int), K3)
    with pytest.raises(InvalidPolicy, match="keeps it at 1"):
        kl_gradient(mdp, pm.direct(mdp, uniform(mdp)), uniform(mdp), np.ones(4, dtype=int))
