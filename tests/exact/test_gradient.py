"""Gradients and Hessians against complex steps, SymPy, and sums over every path."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact import parameterisation as pm
from rlexact.exact.evaluation import visits
from rlexact.exact.gradient import (
    curl,
    direction_jacobian,
    finite_horizon_gradient,
    hessian,
    policy_gradient,
    start_behind,
    trajectory_gradient,
    undiscounted_direction,
    weighted_gradient,
)
from rlexact.exact.paths import TooManyPaths
from rlexact.gallery import random_mdp, short_corridor, two_armed_bandit
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import uniform
from tests.strategies import as_floats, law_model

HALF = Fraction(1, 2)
FLOATS = [MDP.to_float, MDP.to_sparse]


def full_policy(mdp, seed=0):
    """A rational policy that takes every available action."""
    rng = np.random.default_rng(seed)
    weights = np.where(mdp.available, rng.integers(1, 6, mdp.available.shape), 0)
    weights[~mdp.available.any(axis=1), 0] = 1
    return np.array([[Fraction(int(x), int(row.sum())) for x in row] for row in weights], dtype=object)


def features(mdp, k=3, seed=0):
    rng = np.random.default_rng(seed)
    return np.vectorize(lambda x: Fraction(int(x), 2), otypes=[object])(rng.integers(-3, 4, (*mdp.r.shape, k)))


def complex_return(mdp, pi):
    """J of a complex table π, in NumPy alone."""
    P, r = np.einsum("sa,sat->st", pi, mdp.P), (pi * mdp.r).sum(axis=1)
    return mdp.initial @ np.linalg.solve(np.eye(mdp.n_states) - mdp.gamma * P, r)


def complex_softmax(mdp, logits):
    e = np.where(mdp.available, np.exp(logits), 0)
    total = e.sum(axis=1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def complex_direction(mdp, theta, discount):
    """Σ_s η_d(s) π(a | s) A(s, a) at complex softmax logits, in NumPy alone."""
    pi = complex_softmax(mdp, theta)
    P, r, one = np.einsum("sa,sat->st", pi, mdp.P), (pi * mdp.r).sum(axis=1), np.eye(mdp.n_states)
    v = np.linalg.solve(one - mdp.gamma * P, r)
    eta = np.linalg.solve((one - discount * P).T, mdp.initial.astype(complex))
    return eta[:, None] * pi * (mdp.r + mdp.gamma * mdp.P @ v - v[:, None])


def complex_step(f, theta, h=1e-30):
    """Derivatives of f by each entry of θ, without cancellation: the last axis is θ's."""
    out = []
    for k in range(theta.size):
        moved = theta.astype(complex).ravel()
        moved[k] += 1j * h
        out.append(np.asarray(f(moved.reshape(theta.shape))).imag / h)
    return np.stack(out, axis=-1)


@pytest.mark.parametrize("convert", FLOATS)
@pytest.mark.parametrize("seed", range(4))
def test_softmax_by_complex_steps(convert, seed):
    model = convert(random_mdp(seed, terminal=1, masked=True))
    dense, theta = (
        model.to_dense() if model.world != "float64" else model,
        np.random.default_rng(seed).normal(size=(4, 3)),
    )
    truth = complex_step(lambda x: complex_return(dense, complex_softmax(dense, x)), theta)
    found = policy_gradient(model, pm.softmax(model, theta))
    # a solve on four states at gamma = 0.9 keeps 13 digits
    np.testing.assert_allclose(found.ravel(), truth, rtol=0, atol=1e-12)


@pytest.mark.parametrize("convert", FLOATS)
@pytest.mark.parametrize("seed", range(3))
def test_log_linear_by_complex_steps(convert, seed):
    model = convert(random_mdp(seed, terminal=1))
    dense = model.to_dense() if model.world != "float64" else model
    rng = np.random.default_rng(seed)
    phi, theta = rng.normal(size=(4, 3, 5)), rng.normal(size=5)
    truth = complex_step(lambda x: complex_return(dense, complex_softmax(dense, phi @ x)), theta)
    np.testing.assert_allclose(policy_gradient(model, pm.log_linear(model, phi, theta)), truth, rtol=0, atol=1e-12)


@pytest.mark.parametrize("convert", FLOATS)
def test_direct_by_complex_steps(convert):
    model = convert(random_mdp(2, masked=True))
    dense = model.to_dense() if model.world != "float64" else model
    pi = as_floats(full_policy(dense))
    truth = complex_step(lambda x: complex_return(dense, x), pi) * dense.available.ravel()
    np.testing.assert_array_equal(pm.direct(model, pi).jacobian.reshape(12, 12), np.diag(dense.available.ravel()))
    np.testing.assert_allclose(policy_gradient(model, pm.direct(model, pi)).ravel(), truth, rtol=0, atol=1e-11)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("discount", [0.9, 0.5, 0])
def test_hessian_and_direction_jacobian_by_complex_steps(seed, discount):
    model = random_mdp(seed, 3, 2, terminal=1, exact=False)
    theta = np.random.default_rng(seed).normal(size=(3, 2))
    truth = complex_step(lambda x: complex_direction(model, x, discount).ravel(), theta)
    found = direction_jacobian(model, pm.softmax(model, theta), discount)
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-11)
    if discount == 0.9:
        np.testing.assert_array_equal(found, hessian(model, pm.softmax(model, theta)))


def test_undiscounted_jacobian_by_complex_steps():
    model = law_model(5).to_float()
    theta = np.random.default_rng(0).normal(size=model.r.shape)
    truth = complex_step(lambda x: complex_direction(model, x, 1).ravel(), theta)
    # episodes of about ten steps: 12 digits are left
    np.testing.assert_allclose(direction_jacobian(model, pm.softmax(model, theta), 1), truth, rtol=0, atol=1e-10)


def test_sympy_differentiates_the_same_gradient_and_hessian():
    """With u = exp θ everything is rational, and ∂/∂θ = u ∂/∂u."""
    R, x, y = sympy.Rational, *sympy.symbols("x y", positive=True)
    gamma = R(9, 10)
    P = [[[R(1, 7), R(6, 7)], [R(2, 3), R(1, 3)]], [[1, 0], [R(1, 4), R(3, 4)]]]
    model = MDP(P, [[1, -2], [3, R(1, 2)]], gamma, [R(1, 3), R(2, 3)])
    # θ(s, 1) = 0: the other two logits say everything, and softmax derivatives of a state sum to 0
    pi = np.array([[x / (x + 1), 1 / (x + 1)], [y / (y + 1), 1 / (y + 1)]])
    chain = sympy.Matrix(2, 2, lambda s, t: sum(pi[s, a] * model.P[s, a, t] for a in range(2)))
    r = sympy.Matrix(2, 1, lambda s, _: sum(pi[s, a] * model.r[s, a] for a in range(2)))
    J = sympy.cancel((sympy.Matrix([model.initial]) * (sympy.eye(2) - gamma * chain).inv() * r)[0])
    first = [sympy.cancel(u * sympy.diff(J, u)) for u in (x, y)]
    family = pm.softmax_at(model, pi)
    found = policy_gradient(model, family)
    assert [sympy.cancel(a - b) for a, b in zip(found[:, 0], first, strict=True)] == [0, 0]
    assert [sympy.cancel(z) for z in found.sum(axis=1)] == [0, 0]
    point = {x: R(2, 3), y: 5}
    at = np.vectorize(lambda z: z.subs(point), otypes=[object])
    second = hessian(model, pm.softmax_at(model, at(pi))).reshape(2, 2, 2, 2)
    for i, g in enumerate(first):
        assert [second[i, 0, j, 0] for j in (0, 1)] == [(u * sympy.diff(g, u)).subs(point) for u in (x, y)]
    assert not second.sum(axis=3).any()


def test_symbolic_logits():
    bandit = two_armed_bandit().to_symbolic()
    a, b = sympy.symbols("a b", real=True)
    family = pm.softmax(bandit, np.array([[a, b]]))
    J = (sympy.exp(a) * 1 + sympy.exp(b) * 3) / (sympy.exp(a) + sympy.exp(b))
    for found, by in zip(policy_gradient(bandit, family)[0], (a, b), strict=True):
        assert sympy.simplify(found - sympy.diff(J, by)) == 0
    assert policy_gradient(bandit, pm.softmax_at(bandit, uniform(bandit))).tolist() == [[-sympy.S.Half, sympy.S.Half]]


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_theorem_is_the_sum_over_paths(seed, steps):
    model = law_model(seed, n_states=3)
    pi = full_policy(model, seed)
    for family in (pm.softmax_at(model, pi), pm.log_linear_at(model, pi, features(model))):
        by_paths = trajectory_gradient(model, family, steps)
        assert by_paths.tolist() == finite_horizon_gradient(model, family, steps).tolist()


@pytest.mark.parametrize("gamma", ["9/10", 1])
def test_the_two_horizons_agree_where_episodes_are_short(gamma):
    """0 -> 1 -> 2 -> end at the latest after three steps: every path is enumerated."""
    outcomes = {
        (0, 0): [(HALF, 1, 1, False), (HALF, 2, -1, False)],
        (0, 1): [(Fraction(1, 3), 2, 4, False), (Fraction(2, 3), 1, 0, False)],
        (1, 0): [(1, 2, 2, False)],
        (1, 1): [(HALF, None, 5, True), (HALF, 2, 0, False)],
        (2, 0): [(1, None, 1, True)],
        (2, 1): [(1, None, 3, True)],
    }
    model = MDP.from_outcomes(outcomes, gamma, 0)
    family = pm.softmax_at(model, full_policy(model))
    assert policy_gradient(model, family).tolist() == trajectory_gradient(model, family, 3).tolist()
    assert (policy_gradient(model, family) == undiscounted_direction(model, family)).all() == (gamma == 1)


def test_every_world_gives_the_same_gradient():
    exact = random_mdp(3, terminal=1)
    pi, phi = full_policy(exact), features(exact)
    for make in (
        pm.softmax_at,
        pm.direct,
        lambda m, p: pm.log_linear_at(m, p, m.beside("x", phi) if "f" not in m.world else as_floats(phi)),
    ):
        truth = policy_gradient(exact, make(exact, pi))
        for convert in FLOATS:
            model = convert(exact)
            # one solve on four states
            np.testing.assert_allclose(policy_gradient(model, make(model, as_floats(pi))), as_floats(truth), atol=1e-12)
        symbolic = exact.to_symbolic()
        found = policy_gradient(symbolic, make(symbolic, symbolic.beside("policy", pi)))
        assert [Fraction(str(x)) for x in found.flat] == list(truth.flat)


def test_a_given_jacobian_is_the_family_it_came_from():
    model = random_mdp(1, 3, 2)
    pi, phi = full_policy(model), features(model)
    family = pm.log_linear_at(model, pi, phi)
    centred = phi - (pi[:, :, None] * phi).sum(axis=1)[:, None, :]
    assert family.jacobian.tolist() == (pi[:, :, None] * centred).tolist()
    outer = centred[..., :, None] * centred[..., None, :]
    mean = (pi[:, :, None, None] * outer).sum(axis=1)[:, None]
    given = pm.with_jacobian(model, pi, family.jacobian, pi[:, :, None, None] * (outer - mean))
    assert policy_gradient(model, given).tolist() == policy_gradient(model, family).tolist()
    assert hessian(model, given).tolist() == hessian(model, family).tolist()


def test_aliased_states_share_a_parameter():
    """Sutton and Barto (2018), Example 13.1: the best probability of right, in every state alike, is 2 - √2."""
    corridor = short_corridor().to_symbolic()
    p = sympy.Symbol("p", positive=True)
    right = corridor.action("right")
    pi = np.array([[p if a == right else 1 - p for a in range(2)]] * corridor.n_states)
    slope = np.array([[[1] if a == right else [-1] for a in range(2)]] * corridor.n_states)
    (found,) = policy_gradient(corridor, pm.with_jacobian(corridor, pi, slope))
    assert sympy.simplify(found.subs(p, 2 - sympy.sqrt(2))) == 0
    assert found.subs(p, sympy.Rational(1, 2)) > 0 > found.subs(p, sympy.Rational(7, 10))


@pytest.mark.parametrize("seed", [0, 2, 7])
def test_what_the_undiscounted_version_follows(seed):
    """It is the true gradient from the start measure γρ + (1 - γ)η₁, and the gradient of nothing."""
    model = law_model(seed, n_states=3).replace(gamma="1/2")
    pi = full_policy(model)
    family = pm.softmax_at(model, pi)
    eta = visits(model.replace(gamma=1), pi)
    start = start_behind(model, pi, eta)
    assert start.tolist() == (model.gamma * model.initial + (1 - model.gamma) * eta).tolist()
    restarted = model.replace(initial=start / start.sum())
    assert undiscounted_direction(model, family).tolist() == (start.sum() * policy_gradient(restarted, family)).tolist()
    assert (curl(model, family) != 0).any()
    assert not (curl(model, family, model.gamma) != 0).any()
    assert weighted_gradient(model, family, visits(model, pi)).tolist() == policy_gradient(model, family).tolist()


def test_the_missing_discount_can_point_the_wrong_way():
    """State 1 is entered from 0 only after paying: at γ = 1/10 it hardly counts, the undiscounted sum says it does."""
    model = MDP(
        [[[0, 1, 0]] * 2, [[0, 0, 1]] * 2, [[0, 0, 0]] * 2], [["0", 0], [0, 1], [0, 0]], "1/10", 0, terminal=[2]
    )
    shared = np.array([[[Fraction(-2)], [Fraction(2)]], [[Fraction(-1)], [Fraction(1)]], [[Fraction(0)]] * 2])
    penalised = MDP(model.P, [["1/4", 0], [0, 1], [0, 0]], "1/10", 0, terminal=[2])
    family = pm.with_jacobian(penalised, uniform(penalised), shared)
    assert policy_gradient(penalised, family).tolist() == [-HALF + Fraction(1, 10)]
    assert undiscounted_direction(penalised, family).tolist() == [HALF]


def test_a_large_sparse_model():
    import scipy.sparse

    n = 5000
    ring = scipy.sparse.csr_array(
        (np.ones(2 * n), (np.arange(2 * n), (np.arange(2 * n) // 2 + 1) % n)), shape=(2 * n, n)
    )
    model = MDP(ring, np.tile([0.0, 1.0], (n, 1)), 0.5, np.full(n, 1 / n))
    found = policy_gradient(model, pm.softmax(model, np.zeros((n, 2))))
    # η = 2/n everywhere, π A = ±1/4
    np.testing.assert_allclose(found, np.tile([-0.5 / n, 0.5 / n], (n, 1)), rtol=1e-12)


def test_refusals():
    model = random_mdp(0)
    pi = full_policy(model)
    with pytest.raises(NotExact, match="exp"):
        pm.softmax(model, np.zeros((4, 3), dtype=int))
    with pytest.raises(InvalidPolicy, match="policy"):
        pm.softmax_at(model, as_floats(pi))
    with pytest.raises(InvalidPolicy, match="rational"):
        policy_gradient(model.to_float(), pm.softmax_at(model, pi))
    with pytest.raises(InvalidPolicy, match="must sum to 0"):
        pm.with_jacobian(model, pi, np.ones((4, 3, 2), dtype=int))
    with pytest.raises(InvalidPolicy, match="not a finite"):
        pm.with_jacobian(model.to_float(), as_floats(pi), np.full((4, 3, 2), np.inf))
    with pytest.raises(InvalidPolicy, match="shape"):
        pm.with_jacobian(model, pi, np.ones((4, 3), dtype=int))
    with pytest.raises(InvalidPolicy, match="shape"):
        pm.log_linear_at(model, pi, np.ones((4, 2, 1), dtype=int))
    with pytest.raises(InvalidPolicy, match="theta has shape"):
        pm.log_linear(model.to_float(), np.ones((4, 3, 2)), np.ones(3))
    given = pm.with_jacobian(model, pi, np.zeros((4, 3, 1), dtype=int))
    with pytest.raises(InvalidPolicy, match="second derivatives"):
        hessian(model, given)
    with pytest.raises(ValueError, match="weights have shape"):
        weighted_gradient(model, given, np.ones(3, dtype=int))
    with pytest.raises(TooManyPaths):
        trajectory_gradient(model, given, 10, limit=100)
    masked = random_mdp(1, masked=True)
    s, a = np.argwhere(~masked.available)[0]
    jacobian = np.zeros((4, 3, 1), dtype=int)
    jacobian[s, a], jacobian[s, a - 1] = 1, -1
    with pytest.raises(InvalidPolicy, match="not available"):
        pm.with_jacobian(masked, full_policy(masked), jacobian)


def test_traps_are_named_at_gamma_one():
    with pytest.raises(InvalidPolicy, match="at gamma = 1 the policy"):
        policy_gradient(random_mdp(0, gamma=1), pm.direct(random_mdp(0), full_policy(random_mdp(0))))
    continuing = random_mdp(0)
    with pytest.raises(InvalidPolicy, match="at gamma = 1"):
        undiscounted_direction(continuing, pm.direct(continuing, full_policy(continuing)))


def test_a_score_that_does_not_exist():
    model = random_mdp(0)
    with pytest.raises(InvalidPolicy, match=r"policy\[0, 1\] = 0 and parameter 0"):
        trajectory_gradient(
            model, pm.with_jacobian(model, np.array([[1, 0, 0]] * 4), np.array([[[-1], [1], [0]]] * 4)), 1
        )
    with pytest.raises(InvalidPolicy, match=r"parameter . changes the sum of policy\[0\]"):
        trajectory_gradient(model, pm.direct(model, full_policy(model)), 1)
