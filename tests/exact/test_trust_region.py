"""Bounds on random models and on the models that attain them; exact steps against grids, and the paper's step beside them."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact import parameterisation as pm
from rlexact.exact.bound import Bound
from rlexact.exact.difference import surrogate, surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, visits
from rlexact.exact.line_search import conjugate_gradients, line_search_step
from rlexact.exact.policy_distance import (
    bretagnolle_huber,
    chi_square,
    kl,
    kl_below_chi_square,
    maximal_coupling,
    pinsker,
    total_variation,
)
from rlexact.exact.trpo import InvalidBudget, answer, reverse_kl_step, trpo_step
from rlexact.exact.trust_region import (
    conservative_bound,
    conservative_witness,
    coupled_steps_bound,
    coupling_bound,
    kl_penalty_bound,
    mean_penalty_bound,
    penalty_bound,
    penalty_witness,
)
from rlexact.gallery import bandit, random_mdp
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic, deterministic_policies, mixture, uniform
from rlexact.solution import NotConverged
from tests.exact.test_gradient import full_policy
from tests.strategies import as_floats

F = Fraction
HALF = F(1, 2)
SHORT = F(999, 1000)  # a constant 0.1 % smaller
STEPS = [trpo_step, reverse_kl_step]


@pytest.mark.parametrize("seed", range(6))
def test_bounds_hold_for_any_two_policies(seed):
    model = random_mdp(seed, 3, 2, terminal=seed % 2, masked=seed > 3)
    old = full_policy(model, seed)
    for target in [*deterministic_policies(model), full_policy(model, seed + 7)]:
        new = mixture(model, old, target, "1/10")
        for pi in (new, target):
            assert penalty_bound(model, pi, old).holds
            assert mean_penalty_bound(model, pi, old).holds
            assert coupling_bound(model, pi, old).holds
            assert all(coupled_steps_bound(model, pi, old, t).holds for t in (0, 1, 5))
            assert mean_penalty_bound(model, pi, old).right <= penalty_bound(model, pi, old).right
        assert conservative_bound(model, target, old, "1/10").holds


@pytest.mark.parametrize("convert", [MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_every_world_agrees(convert):
    exact = random_mdp(2, 3, 2, terminal=1)
    old, new = full_policy(exact, 1), full_policy(exact, 2)
    model = convert(exact)
    one, other = (as_floats(x) if "float" in model.world else model.beside("policy", x) for x in (new, old))
    for bound in (penalty_bound, mean_penalty_bound, coupling_bound, lambda *x: coupled_steps_bound(*x, 3)):
        found, truth = bound(model, one, other), bound(exact, new, old)
        assert found.holds
        # two solves at gamma = 0.9, whose values the left side subtracts
        np.testing.assert_allclose(as_floats(found.left), as_floats(truth.left), atol=1e-11)
        np.testing.assert_allclose(as_floats(found.right), as_floats(truth.right), rtol=1e-11)
    found, truth = conservative_bound(model, one, other, "1/4"), conservative_bound(exact, new, old, "1/4")
    assert float(found.slack) == pytest.approx(float(truth.slack), rel=1e-11)
    assert kl_penalty_bound(model, one, other).holds


def test_the_left_side_by_hand():
    model = random_mdp(3)
    old, new = full_policy(model, 1), full_policy(model, 2)
    assert penalty_bound(model, new, old).left == abs(expected_return(model, new) - surrogate(model, new, old))
    alpha = max(abs(new - old).sum(axis=1)) / 2
    epsilon = max(abs(advantage(model, old)).flat)
    assert penalty_bound(model, new, old).right == 4 * epsilon * F(9, 10) * alpha**2 * 100
    assert coupling_bound(model, new, old).right.tolist() == [2 * alpha * epsilon] * 4


@pytest.mark.parametrize("weight", [F(1, 10), HALF, F(1)])
@pytest.mark.parametrize("gamma", ["1/2", "99/100"])
def test_the_conservative_bound_is_attained(weight, gamma):
    found = conservative_bound(*conservative_witness(weight, gamma), weight)
    assert found.left == found.right > 0
    assert not Bound(found.left, SHORT * found.right).holds


def test_the_conservative_bound_is_attained_in_symbols():
    w, gamma = sympy.symbols("w gamma", positive=True)
    model, target, old = conservative_witness(sympy.Integer(1), gamma)
    mixed = (1 - w) * old + w * target
    error = surrogate(model, mixed, old) - expected_return(model, mixed)
    assert sympy.cancel(error - 2 * w**2 * gamma / ((1 - gamma) * (1 - gamma * (1 - w)))) == 0


@pytest.mark.parametrize("gamma", [F(1, 2), F(9, 10)])
def test_the_penalty_bounds_are_attained_in_the_limit(gamma):
    alpha = F(1, 10**6)
    model, new, old = penalty_witness(alpha, gamma)
    ratio = (1 - gamma) / (1 - gamma * (1 - alpha))
    for bound in (penalty_bound(model, new, old), mean_penalty_bound(model, new, old)):
        assert bound.left == bound.right * ratio
        assert not Bound(bound.left, SHORT * bound.right).holds
    assert coupling_bound(model, new, old).slack.tolist() == [0, 0]
    for t in (0, 1, 7):
        assert coupled_steps_bound(*penalty_witness(F(1, 3), gamma), t).slack == 0
    assert penalty_bound(*penalty_witness(HALF, gamma)).holds


def test_bounds_refuse_gamma_one():
    model = random_mdp(0, terminal=1, gamma=1)
    for bound in (penalty_bound, mean_penalty_bound, kl_penalty_bound):
        with pytest.raises(InvalidMDP, match="gamma = 1"):
            bound(model, uniform(model), uniform(model))
    with pytest.raises(InvalidPolicy, match="weight = 2"):
        conservative_bound(random_mdp(0), uniform(random_mdp(0)), uniform(random_mdp(0)), 2)
    with pytest.raises(NotExact, match="rational"):
        kl_penalty_bound(random_mdp(0), uniform(random_mdp(0)), uniform(random_mdp(0)))


# -- distances --------------------------------------------------------------------------------------------------------


def test_distances_by_hand():
    model = bandit((1, 2, 3))
    pi, mu = np.array([[HALF, HALF, F(0)]]), np.array([[F(1, 4), HALF, F(1, 4)]])
    assert total_variation(model, pi, mu).tolist() == [F(1, 4)]
    assert chi_square(model, pi, mu).tolist() == [HALF]
    floats = model.to_float()
    assert kl(floats, as_floats(pi), as_floats(mu)) == pytest.approx([np.log(2) / 2], rel=1e-15)
    symbolic = model.to_symbolic()
    one, other = (symbolic.beside("policy", x) for x in (pi, mu))
    assert sympy.simplify(kl(symbolic, one, other)[0] - sympy.log(2) / 2) == 0
    with pytest.raises(InvalidPolicy, match=r"policy\[0, 2\] = 1/4 where the other policy has 0"):
        kl(symbolic, other, one)
    with pytest.raises(InvalidPolicy, match="infinite"):
        chi_square(model, mu, pi)


@pytest.mark.parametrize("seed", range(4))
def test_a_maximal_coupling(seed):
    """The right margins, and Pr(a ≠ b) = 1 - Σ min(π, μ), which no coupling can beat."""
    model = random_mdp(seed, terminal=1)
    pi, mu = (
        full_policy(model, seed),
        mixture(model, full_policy(model, seed + 5), deterministic(model, [0] * 4), "1/2"),
    )
    joint = maximal_coupling(model, pi, mu)
    assert joint.sum(axis=2).tolist() == model.admit(pi).tolist()
    assert joint.sum(axis=1).tolist() == model.admit(mu).tolist()
    assert (joint >= 0).all()
    agree = np.minimum(model.admit(pi), model.admit(mu)).sum(axis=1)
    assert joint.trace(axis1=1, axis2=2).tolist() == agree.tolist()
    assert (1 - agree)[:3].tolist() == total_variation(model, pi, mu)[:3].tolist()
    same = maximal_coupling(model, pi, pi)
    assert same.sum(axis=2).tolist() == model.admit(pi).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_divergence_inequalities(seed):
    model = random_mdp(seed, 6, 4, exact=False)
    rng = np.random.default_rng(seed)
    pi, mu = rng.dirichlet([0.3] * 4, 6), rng.dirichlet([0.3] * 4, 6)
    for bound in (pinsker, bretagnolle_huber, kl_below_chi_square):
        assert bound(model, pi, mu).holds
        assert bound(model, pi, mu).left.shape == (6,)
    np.testing.assert_allclose(pinsker(model, pi, mu).right, scipy.special.rel_entr(pi, mu).sum(axis=1) / 2, rtol=1e-10)


def test_divergence_inequalities_are_attained():
    model = bandit((1, 2)).to_symbolic()
    even, tilt = uniform(model), sympy.Rational(1, 100)
    close = pinsker(model, even + np.array([[tilt, -tilt]]), even)
    assert close.holds
    assert not Bound(close.left, close.right * sympy.Rational(999, 1000)).holds
    sure, other = np.array([[1, 0]]), np.array([["1/100", "99/100"]])
    assert sympy.simplify(kl_below_chi_square(model, sure, other).slack[0]) == 0
    far = bretagnolle_huber(model, sure, np.array([["1/10000", "9999/10000"]]))
    assert far.holds
    assert not Bound(far.left, far.right * sympy.Rational(999, 1000)).holds
    assert pinsker(model, sure, other).right[0] > 2  # where Pinsker says nothing


# -- steps ------------------------------------------------------------------------------------------------------------


def shares(model, old):
    w = np.where(model.terminal, 0, visits(model, old))
    return w / w.sum()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("budget", [1e-3, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_no_policy_of_a_grid_is_better(seed, budget, step):
    """Two states, two actions: every pair of probabilities on a grid of 400 x 400."""
    model = random_mdp(seed, 2, 2, exact=False)
    old = np.random.default_rng(seed).dirichlet([2, 2], 2)
    w, A = shares(model, old), advantage(model, old)
    found = step(model, old, budget)
    p = np.linspace(0.00125, 0.99875, 400)
    table = np.stack([p, 1 - p], axis=1)
    pairs = [
        scipy.special.rel_entr(*((old[s], table) if step is trpo_step else (table, old[s]))).sum(axis=1) for s in (0, 1)
    ]
    spent = w[0] * pairs[0][:, None] + w[1] * pairs[1]
    gain = w[0] * (table @ A[0])[:, None] + w[1] * (table @ A[1])
    best = gain[spent <= budget].max()
    assert best <= found.gain + 1e-12
    # the grid has a point within one cell of the optimum: 1/400 of probability in each state
    assert found.gain - best <= np.abs(w[:, None] * A).max() * 4 / 400
    assert found.divergence == pytest.approx(budget, rel=1e-9)
    assert found.kkt_residual < 1e-9


@pytest.mark.parametrize("convert", [MDP.to_float, MDP.to_sparse])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("seed", range(4))
def test_a_general_solver_finds_no_better(seed, step, convert):
    exact = random_mdp(seed, terminal=1, masked=True)
    model, old = convert(exact), as_floats(full_policy(exact))
    found = step(model, old, 0.02)
    w, A, live = shares(model, old), advantage(model, old), model.available
    size = int(live.sum())

    def table(x):
        pi = np.zeros(live.shape)
        pi[live] = x
        return pi

    def spent(x):
        pair = (model.admit(old), table(x)) if step is trpo_step else (table(x), model.admit(old))
        return w @ np.where(live, scipy.special.rel_entr(*pair), 0).sum(axis=1)

    result = scipy.optimize.minimize(
        lambda x: -(w @ (table(x) * A).sum(axis=1)),
        old[live],
        method="SLSQP",
        bounds=[(1e-9, 1)] * size,
        constraints=[
            {"type": "ineq", "fun": lambda x: 0.02 - spent(x)},
            {"type": "eq", "fun": lambda x: table(x).sum(axis=1)[live.any(axis=1)] - 1},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert -result.fun == pytest.approx(found.gain, rel=1e-5)  # what SLSQP reaches with numerical derivatives
    assert found.kkt_residual < 1e-9
    assert found.gain * np.where(model.terminal, 0, visits(model, old)).sum() == pytest.approx(
        surrogate_gain(model, found.policy, old), rel=1e-12
    )


def test_the_two_divergences_of_a_bandit():
    """One state, advantages (-1, 1) at even odds: p solves -½ log 4p(1 - p) = δ, or log 2 + p log p + (1 - p) log(1 - p) = δ."""
    model = bandit((1, 3)).to_float()
    old, delta = np.array([[0.5, 0.5]]), 0.01
    forward = trpo_step(model, old, delta)
    assert forward.policy[0, 1] == pytest.approx((1 + np.sqrt(1 - np.exp(-2 * delta))) / 2, rel=1e-10)
    p = scipy.optimize.brentq(lambda x: np.log(2) + x * np.log(x) + (1 - x) * np.log(1 - x) - delta, 0.5, 1 - 1e-9)
    reverse = reverse_kl_step(model, old, delta)
    assert reverse.policy[0, 1] == pytest.approx(p, rel=1e-9)
    assert reverse.multiplier == pytest.approx(2 / np.log(p / (1 - p)), rel=1e-8)
    assert reverse.gain == pytest.approx(2 * p - 1, rel=1e-9)


def test_a_budget_that_admits_the_best_actions():
    model = bandit((1, 3, 3)).to_float()
    found = reverse_kl_step(model, np.array([[0.5, 0.25, 0.25]]), 0.7)
    assert found.policy.tolist() == [[0, 0.5, 0.5]]
    assert found.multiplier == found.kkt_residual == 0
    assert found.divergence == pytest.approx(np.log(2))
    assert trpo_step(model, np.array([[0.5, 0.25, 0.25]]), 50.0).policy[0, 0] < 1e-40


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("budget", [1e-12, 1e-5, 3.0, 60.0])
def test_a_best_action_that_was_never_expected(step, budget):
    """Its probability was 1e-150: the bracket of the normaliser spans hundreds of halvings."""
    model = bandit((1, 2, 3)).to_float()
    found = step(model, np.array([[0.25, 0.75 - 1e-150, 1e-150]]), budget)
    assert found.kkt_residual < 1e-9
    assert found.divergence == pytest.approx(budget, rel=1e-3)  # a divergence of 1e-12 has three digits left


@pytest.mark.parametrize("step", STEPS)
def test_nothing_to_gain(step):
    model = bandit((2, 2)).to_float()
    found = step(model, uniform(model), 0.1)
    assert found.policy.tolist() == [[0.5, 0.5]]
    assert found.gain == found.kkt_residual == 0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_steps_do_not_depend_on_the_unit_of_reward(step, scale):
    model = random_mdp(3, 4, 3, exact=False)
    other = MDP(model.P, scale * model.r, 0.9, model.initial)
    old = as_floats(full_policy(random_mdp(3)))
    one, two = step(model, old, 0.01), step(other, old, 0.01)
    np.testing.assert_allclose(one.policy, two.policy, rtol=1e-7)
    assert two.multiplier == pytest.approx(scale * one.multiplier, rel=1e-7)


@pytest.mark.parametrize("spread", [0, 1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_the_papers_step_keeps_the_budget_and_nears_the_exact_one(seed, spread):
    """It is never better than the exact step, and its gain agrees to first order as the budget shrinks."""
    model = random_mdp(seed, exact=False)
    theta = spread * np.random.default_rng(seed).normal(size=(4, 3))
    ratios = []
    for budget in (1e-1, 1e-3, 1e-7):
        paper = line_search_step(model, lambda x: pm.softmax(model, x), theta, budget, iterations=12)
        exact = trpo_step(model, pm.softmax(model, theta).policy, budget)
        assert paper.divergence <= budget
        assert paper.gain <= exact.gain * (1 + 1e-9)
        assert paper.cg_residual < 1e-8
        np.testing.assert_array_equal(paper.family.policy, pm.softmax(model, paper.theta).policy)
        ratios.append(paper.gain / exact.gain)
    # the quadratic model may miss the budget by a hair, and the step is then halved
    assert ratios[2] * 2**paper.backtracks == pytest.approx(1, abs=1e-3)


def test_the_first_step_is_the_natural_gradient():
    """Even odds, A = (-1, 1): F = ¼ [[1, -1], [-1, 1]], g = (-½, ½), x = (-1, 1), β = √(2δ / 1)."""
    model = bandit((1, 3)).to_float()
    found = line_search_step(model, lambda x: pm.softmax(model, x), np.zeros((1, 2)), 0.02)
    beta = np.sqrt(2 * 0.02)
    assert found.theta.tolist() == pytest.approx(np.array([[-beta, beta]]) / 2**found.backtracks)
    assert found.backtracks == 0


def test_a_step_in_features():
    model = random_mdp(1, exact=False)
    phi = np.random.default_rng(1).normal(size=(4, 3, 2))
    found = line_search_step(model, lambda x: pm.log_linear(model, phi, x), np.zeros(2), 0.01)
    assert 0 < found.gain <= trpo_step(model, uniform(model), 0.01).gain
    assert found.theta.shape == (2,)


def test_a_step_that_overshoots_within_the_budget():
    """One feature, 0, 1, 3/2, for rewards 0, 2, -1: the full step lands on the third action, and loses."""
    model, phi = bandit((0, 2, -1)).to_float(), np.array([[[0.0], [1.0], [1.5]]])
    found = line_search_step(model, lambda x: pm.log_linear(model, phi, x), np.zeros(1), 0.5)
    full = pm.log_linear(model, phi, found.theta * 2**found.backtracks).policy
    assert found.backtracks == 1
    assert kl(model, uniform(model), full)[0] < 0.5
    assert surrogate_gain(model, full, uniform(model)) < 0 < found.gain


def test_the_residual_tells_an_optimum_from_another_policy():
    model = random_mdp(3, exact=False)
    old = as_floats(full_policy(random_mdp(3)))
    w, A, found = shares(model, old), advantage(model, old), reverse_kl_step(model, old, 0.05)
    tilted = 0.99 * found.policy + 0.01 * old
    slope = A - found.multiplier * np.log(tilted / old)
    wrong = answer(model, tilted, old, w, found.multiplier, 0.05, slope, 0.05).kkt_residual
    assert wrong > 1e-3 > 1e-9 > found.kkt_residual
    spent = answer(
        model, found.policy, old, w, found.multiplier, 0.06, A - found.multiplier * np.log(found.policy / old), 0.05
    )
    assert spent.kkt_residual >= 0.01


def test_conjugate_gradients_in_rationals():
    a = np.array([[4, 1, 0], [1, 3, 1], [0, 1, 2]], dtype=object) * F(1)
    x, left = conjugate_gradients(lambda v: a @ v, np.array([F(1), F(2), F(3)]), 3)
    assert (a @ x).tolist() == [1, 2, 3]
    assert left.tolist() == [0, 0, 0]
    _, early = conjugate_gradients(lambda v: a @ v, np.array([F(1), F(2), F(3)]), 2)
    assert early.any()


@pytest.mark.parametrize("budget", [0, -1.0, float("nan"), float("inf"), 1e-14])
def test_budgets_that_no_step_can_keep(budget):
    model = random_mdp(0, exact=False)
    for step in STEPS:
        with pytest.raises(InvalidBudget, match="budget"):
            step(model, uniform(model), budget)
    with pytest.raises(InvalidBudget):
        line_search_step(model, lambda x: pm.softmax(model, x), np.zeros((4, 3)), budget)


def test_step_refusals():
    exact = random_mdp(0)
    for model in (exact, exact.to_symbolic()):
        with pytest.raises(NotExact, match="to_float"):
            trpo_step(model, uniform(model), 0.1)
    model = exact.to_float()
    with pytest.raises(InvalidPolicy, match=r"policy\[0, 1\] = 0"):
        reverse_kl_step(model, deterministic(model, [0] * 4), 0.1)
    ended = MDP(np.zeros((1, 1, 1)), [[0.0]], 0.5, 0, terminal=[0])
    with pytest.raises(InvalidPolicy, match="terminal"):
        trpo_step(ended, [[1.0]], 0.1)
    theta = 3 * np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(NotConverged, match="backtracks") as caught:
        line_search_step(model, lambda x: pm.softmax(model, x), theta, 1e-7, iterations=12, backtracks=0)
    assert isinstance(caught.value.best, pm.ParameterisedPolicy)
    optimal = bandit((2, 2)).to_float()
    with pytest.raises(ValueError, match="iterations = 0"):
        line_search_step(model, lambda x: pm.softmax(model, x), theta, 0.1, iterations=0)
    assert line_search_step(optimal, lambda x: pm.softmax(optimal, x), np.zeros((1, 2)), 0.1).gain == 0
