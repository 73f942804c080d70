"""Fisher matrices, natural gradients and compatible critics against Hessians of KL, least squares and closed forms."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.exact import parameterisation as pm
from rlexact.exact.evaluation import advantage, occupancy, visits
from rlexact.exact.fisher import compatible_critic, fisher, fisher_product, natural_gradient
from rlexact.exact.gradient import policy_gradient, weighted_gradient
from rlexact.exact.line_search import conjugate_gradients
from rlexact.gallery import random_mdp
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import uniform
from tests.exact.test_gradient import features, full_policy
from tests.strategies import as_floats

FLOATS = [MDP.to_float, MDP.to_sparse]


def families(model, pi):
    return pm.softmax_at(model, pi), pm.log_linear_at(model, pi, features(model))


def test_fisher_is_the_hessian_of_the_divergence():
    """∂²/∂θ² Σ_s w(s) KL(π₀ ‖ π_θ) at θ₀, by SymPy, with u = exp θ and ∂/∂θ = u ∂/∂u."""
    model = random_mdp(1, 2, 3)
    start = {sympy.Symbol(f"u{i}", positive=True): n for i, n in enumerate([1, 2, 5, 3, 1, 4])}
    u = np.array(list(start)).reshape(2, 3)
    moving = u / u.sum(axis=1)[:, None]
    fixed = np.vectorize(lambda x: x.subs(start), otypes=[object])(moving)
    pi = np.vectorize(lambda x: Fraction(int(x.p), int(x.q)), otypes=[object])(fixed)
    eta = visits(model, pi)
    logs = np.vectorize(sympy.log, otypes=[object])(moving)
    mean = -sum(sympy.Rational(str(w)) * x for w, x in zip(eta, (fixed * logs).sum(axis=1), strict=True))
    truth = [[(x * sympy.diff(y * sympy.diff(mean, y), x)).subs(start) for x in start] for y in start]
    found = fisher(model, pm.softmax_at(model, pi))
    assert [[Fraction(str(sympy.nsimplify(x))) for x in row] for row in truth] == found.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_fisher_is_the_second_moment_of_the_scores(seed):
    model = random_mdp(seed, masked=True, terminal=1)
    pi, phi = full_policy(model), features(model)
    psi = phi - (pi[:, :, None] * phi).sum(axis=1)[:, None, :]
    for w in (visits(model, pi), occupancy(model, pi)):
        mass = np.where(model.available, w[:, None] * pi, Fraction(0))
        truth = sum(mass[s, a] * np.outer(psi[s, a], psi[s, a]) for s in range(4) for a in range(3))
        family = pm.log_linear_at(model, pi, phi)
        assert fisher(model, family, w).tolist() == truth.tolist()
        x = np.array([Fraction(1), Fraction(-2), Fraction(1, 3)])
        assert fisher_product(model, family, w)(x).tolist() == (truth @ x).tolist()
    np.testing.assert_array_equal(fisher(model, family), fisher(model, family, visits(model, pi)))


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_symbolic, *FLOATS])
@pytest.mark.parametrize("seed", range(3))
def test_the_natural_gradient_of_softmax_is_the_advantage(seed, convert):
    """Kakade (2001): least norm takes each state's mean over available actions off; nothing else is left."""
    exact = random_mdp(seed, terminal=1, masked=True)
    model = convert(exact)
    pi = full_policy(exact)
    A, eta = advantage(exact, pi), visits(exact, pi)
    seen = np.where(exact.available, (eta != 0)[:, None], False)
    centre = (A * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    truth = np.where(seen, A - centre[:, None], Fraction(0))
    given = as_floats(pi) if "float" in model.world else model.beside("policy", pi)
    found = natural_gradient(model, pm.softmax_at(model, given))
    if ar.is_exact(model.r):
        assert [Fraction(str(x)) for x in found.direction.flat] == list(truth.flat)
        assert (found.fisher @ found.direction.ravel() == found.gradient.ravel()).all()
        assert (found.null_space.T @ found.direction.ravel() == 0).all()
    np.testing.assert_allclose(as_floats(found.direction), as_floats(truth), rtol=0, atol=1e-11)  # a 12 x 12 solve
    assert found.null_space.shape[1] == 12 - (seen.sum(axis=1) - seen.any(axis=1)).sum()


def test_the_gradient_reported_is_the_gradient():
    model = random_mdp(2)
    for family in families(model, full_policy(model)):
        assert natural_gradient(model, family).gradient.tolist() == policy_gradient(model, family).tolist()
        found = natural_gradient(model, family, occupancy(model, family.policy))
        assert found.direction.tolist() == natural_gradient(model, family).direction.tolist()
        assert found.gradient.tolist() == (policy_gradient(model, family) / 10).tolist()  # γ = 9/10


@pytest.mark.parametrize("seed", range(4))
def test_conjugate_gradients_find_the_same_exactly(seed):
    """A second route to least norm: rank F steps of CG from 0 end at the exact solution in rationals."""
    model = random_mdp(seed, 3, 2, terminal=seed % 2)
    for family in families(model, full_policy(model)):
        g = policy_gradient(model, family).ravel()
        x, left = conjugate_gradients(fisher_product(model, family), g, family.size)
        assert not left.any()
        assert x.tolist() == natural_gradient(model, family).direction.ravel().tolist()


def test_a_basis_of_features_that_repeat_one_another():
    """Three features of which the third is the sum of the others: one null direction, (1, 1, -1)."""
    model = random_mdp(4)
    phi = features(model, 2)
    phi = np.concatenate([phi, phi.sum(axis=2, keepdims=True)], axis=2)
    for convert in (MDP.to_rational, *FLOATS, MDP.to_symbolic):
        other = convert(model)
        floats = "float" in other.world
        given = as_floats(phi) if floats else other.beside("features", phi)
        found = natural_gradient(other, pm.log_linear_at(other, uniform(other), given))
        (null,) = as_floats(found.null_space).T
        np.testing.assert_allclose(null / null[0], [1, 1, -1], atol=1e-13)  # rounding of an SVD
        assert as_floats(found.direction) @ null == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_compatible_critic_is_a_least_squares_fit(seed):
    exact = random_mdp(seed, terminal=1)
    model, pi = exact.to_float(), full_policy(exact)
    family = pm.log_linear_at(model, as_floats(pi), as_floats(features(exact)))
    mass = (visits(model, family.policy)[:, None] * family.policy).ravel()
    psi = as_floats(features(exact)) - (as_floats(pi)[:, :, None] * as_floats(features(exact))).sum(axis=1)[:, None, :]
    root = np.sqrt(mass)[:, None]
    A = advantage(model, family.policy).ravel()
    truth, _, _, _ = np.linalg.lstsq(root * psi.reshape(12, 3), root[:, 0] * A, rcond=None)
    found = compatible_critic(model, family)
    np.testing.assert_allclose(found.weights, truth, atol=1e-11)  # squared condition of a 3 x 3 normal equation
    assert found.error == pytest.approx((mass * (A - psi.reshape(12, 3) @ truth) ** 2).sum(), rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_a_compatible_critic_gives_the_true_gradient(seed):
    """Sutton et al. (2000), Theorem 2: exactly, though the critic is wrong."""
    model = random_mdp(seed, terminal=1)
    pi = full_policy(model)
    family = pm.log_linear_at(model, pi, features(model, 2))
    critic, eta = compatible_critic(model, family), visits(model, pi)
    assert critic.error > 0
    by_critic = sum(eta[s] * family.jacobian[s, a] * critic.values[s, a] for s in range(4) for a in range(3))
    assert by_critic.tolist() == policy_gradient(model, family).tolist()
    assert critic.weights.tolist() == natural_gradient(model, family).direction.tolist()
    assert compatible_critic(model, pm.softmax_at(model, pi)).error == 0


def test_the_natural_step_of_the_policy_does_not_depend_on_the_parameters():
    """θ = T ϑ with T invertible: ∂π x is the same, while the plain gradient's step changes."""
    model = random_mdp(5)
    pi, phi = full_policy(model), features(model)
    T = np.array([[2, 1, 0], [0, 1, 5], [1, 0, 1]], dtype=object) * Fraction(1)
    one, other = pm.log_linear_at(model, pi, phi), pm.log_linear_at(model, pi, phi @ T)
    natural = [f.jacobian @ natural_gradient(model, f).direction for f in (one, other)]
    plain = [f.jacobian @ policy_gradient(model, f) for f in (one, other)]
    assert natural[0].tolist() == natural[1].tolist()
    assert plain[0].tolist() != plain[1].tolist()


@pytest.mark.parametrize("world", ["dense", "sparse", "rational", "symbolic"])
def test_null_spaces(world):
    import scipy.sparse

    exact = np.array([[1, 2, 3, 0], [2, 4, 6, 0], [0, 0, 1, 0]], dtype=object) * Fraction(1)
    floats = exact.astype(float)
    x = sympy.Symbol("x")
    kernel = ar.kernel_from(
        {
            "dense": floats,
            "sparse": scipy.sparse.csr_array(floats),
            "rational": exact,
            "symbolic": np.array([[1, 2, x, 0], [2, 4, 2 * x, 0], [0, 0, 1, 0]], dtype=object),
        }[world]
    )
    N = ar.null_space(kernel)
    assert N.shape == (4, 2)
    assert np.linalg.matrix_rank(as_floats(N)) == 2
    assert np.abs(as_floats(kernel @ N)).max() < 1e-14  # rounding of an SVD of numbers below 8
    assert ar.null_space(ar.eye(kernel.T @ kernel)).shape == (4, 0)


@pytest.mark.parametrize("world", ["rational", "symbolic", "dense"])
def test_rows_are_mixed_by_any_weights(world):
    """Slopes are mixed by action values, and those may be 1 without being the whole row."""
    model = random_mdp(0)
    model = {"rational": model, "symbolic": model.to_symbolic(), "dense": model.to_float()}[world]
    weights = np.array([[1, 1, 2], [0, 1, -1], [3, 1, 0], [1, 0, 0]]) * ar.ones(model.r, (4, 3))
    truth = (as_floats(weights)[:, :, None] * as_floats(model.P)).sum(axis=1)
    # three products
    np.testing.assert_allclose(as_floats(ar.dense_array(ar.mix(weights, model.kernel))), truth, atol=1e-15)


def test_refusals():
    model = random_mdp(0)
    table = np.array([[1, 0, 0]] * 4)
    with pytest.raises(InvalidPolicy, match=r"policy\[0, 1\] = 0"):
        fisher(model, pm.direct(model, table))
    family = pm.softmax_at(model, uniform(model))
    with pytest.raises(ValueError, match=r"weights\[2\] = -1 is negative"):
        natural_gradient(model, family, [1, 1, -1, 0])
    with pytest.raises(ar.MixedNumbers):
        natural_gradient(model, family, [0.5, 0.5, 0.0, 0.0])
    with pytest.raises(ValueError, match="not a finite"):
        weighted_gradient(
            model.to_float(), pm.softmax_at(model.to_float(), uniform(model.to_float())), [1.0, np.nan, 0, 0]
        )


def test_one_action_has_nothing_to_learn():
    model = MDP.chain([["1/2", "1/2"], [0, 1]], [1, 0], "1/2", 0)
    found = natural_gradient(model, pm.softmax_at(model, uniform(model)))
    assert found.direction.tolist() == [[0], [0]]
    assert found.null_space.shape == (2, 2)
