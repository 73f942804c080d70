"""Search in policy parameters: against exact values, the law of sampled fitness, and generations written out."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.evaluation import expected_return, policy_value
from rlexact.exact.moments import return_variance
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.fitness_shaping import centred_ranks, nes_utilities
from rlexact.learning.evolution import cem, cma_es, nes, search
from rlexact.mdp import MDP, InvalidMDP
from rlexact.policy import softmax

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)


def task(scale=1):
    """Random rewards, a state with one action of three, a step that may end by itself, a terminal state."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 1, scale, False), (QUARTER, 1, -2 * scale, False), (QUARTER, 0, 0, False)],
            (0, 1): [(QUARTER, None, 7 * scale, True), (3 * QUARTER, 2, -3 * scale, False)],
            (0, 2): [(1, 1, -scale, False)],
            (1, 0): [(HALF, 2, 4 * scale, False), (HALF, 0, 0, False)],
            (2, 1): [(1, 3, -scale, False)],
            (2, 2): [(1, 0, 0, False)],
        },
        "9/10",
        initial=[1, 0, 0, 0],
        terminal=[3],
    )


RUNS = {  # each with the generations it needs to come near the optimum
    "cem": (25, lambda *given, **more: cem(*given, noise=0.01, **more)),
    "cma_es": (120, lambda *given, **more: cma_es(*given, sigma=2.0, **more)),
    "nes": (60, lambda *given, **more: nes(*given, alpha=30.0, utilities=nes_utilities, **more)),  # 0.6 N
    "pairs": (60, lambda *given, **more: nes(*given, alpha=3.0, utilities=centred_ranks, antithetic=True, **more)),
}


def few(name, mdp, rng):
    """Four generations of ten samples."""
    return RUNS[name][1](mdp, 4, rng, population=10)


@pytest.mark.parametrize("name", RUNS)
def test_exact_fitness_leads_to_the_optimum(name):
    mdp = task()
    generations, learn = RUNS[name]
    found = learn(mdp, generations, 0)
    best = policy_iteration(mdp)
    assert found.curve.truth == best.v[0]
    assert found.curve.unit == "generations"
    assert found.error < found.curve.errors[0] / 20
    wrong = found.policy[:3][~best.optimal_actions[:3]]
    assert wrong.max() < 0.2  # ever less as logits grow
    assert np.isclose(found.error, float(best.v[0]) - float(expected_return(mdp.to_float(), found.policy)), atol=1e-14)
    np.testing.assert_allclose(softmax(mdp.to_float(), found.tables["theta"]), found.policy, rtol=1e-14)


@pytest.mark.parametrize("name", RUNS)
def test_a_seed_repeats_and_the_kind_of_model_does_not_matter(name):
    first, again, other = (few(name, task(), seed) for seed in (3, np.random.default_rng(3), 4))
    assert first.curve.errors.tolist() == again.curve.errors.tolist()
    assert first.curve.errors.tolist() != other.curve.errors.tolist()
    flat = few(name, task().to_float(), 3)
    assert (flat.policy == first.policy).all()
    sparse = few(name, task().to_sparse(), 3)
    np.testing.assert_allclose(sparse.policy, first.policy, atol=1e-12)  # sums in another order


@pytest.mark.parametrize("name", RUNS)
def test_only_the_order_of_fitness_counts(name):
    """Rewards four times as large: an order-preserving change that floats carry out without rounding."""
    assert (few(name, task(4), 5).policy == few(name, task(), 5).policy).all()


def test_raw_fitness_counts_as_it_is():
    """One generation of plain NES: four times the fitness, four times the step."""
    small, large = (nes(task(scale), 1, 5, alpha=0.125).tables["theta"] for scale in (1, 4))
    np.testing.assert_allclose(large, 4 * small, rtol=1e-13)


def first_draws(seed, population):
    """Standard normal parameters of the six available pairs, and J of the policy that each gives, one by one."""
    model = task().to_float()
    z = np.random.default_rng(seed).standard_normal((population, 6))

    def J(theta):
        logits = np.full((4, 3), -np.inf)
        logits[model.available] = theta
        logits[3, 0] = 0
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return policy_value(model, weights / weights.sum(axis=1, keepdims=True))[0]

    return model, z, J


def test_one_generation_of_cem_by_hand():
    model, z, J = first_draws(7, 10)
    theta = 10 * z
    best = sorted(range(10), key=lambda i: -J(theta[i]))[:3]
    found = cem(task(), 1, 7, population=10, rho="0.3", noise=0.5)
    mean = sum(theta[i] for i in best) / 3
    np.testing.assert_allclose(found.tables["theta"][model.available], mean, rtol=1e-13)
    spread = sum((theta[i] - mean) ** 2 for i in best) / 3 + 0.5
    np.testing.assert_allclose(found.tables["variance"][model.available], spread, rtol=1e-13)


def test_one_generation_of_nes_by_hand():
    model, z, J = first_draws(7, 8)
    found = nes(task(), 1, 7, alpha=0.25, population=8, sigma=2.0)
    step = 0.25 / (8 * 2.0) * sum(J(2 * zi) * zi for zi in z)
    np.testing.assert_allclose(found.tables["theta"][model.available], step, rtol=1e-12)
    pairs = nes(task(), 1, 7, alpha=0.25, population=16, sigma=2.0, antithetic=True)
    step = 0.25 / (2 * 8 * 2.0) * sum((J(2 * zi) - J(-2 * zi)) * zi for zi in z)
    np.testing.assert_allclose(pairs.tables["theta"][model.available], step, rtol=1e-12)


def test_one_generation_of_cma_es_by_hand():
    """From C = I, λ = 4 + ⌊3 ln 6⌋ = 9: the mean moves by σ Σ w z over the four fittest, w ∝ log 5/i."""
    model, z, J = first_draws(7, 9)
    order = sorted(range(9), key=lambda i: -J(2 * z[i]))
    weights = [np.log(5 / i) for i in range(1, 5)]
    found = cma_es(task(), 1, 7, sigma=2.0)
    mean = 2 * sum(w * z[i] for w, i in zip(weights, order, strict=False)) / sum(weights)
    np.testing.assert_allclose(found.tables["theta"][model.available], mean, rtol=1e-12)
    assert found.tables["covariance"].shape == (6, 6)


def test_sampled_fitness_has_the_law_of_the_return():
    """Mean J, variance Var(G)/L: within 4.5 standard errors of both, the second by the fourth moment of a mean of L = 25."""
    mdp, thetas = task(), np.array([[0.3, -1.0, 0.5, 2.0, 0.1, -0.2]] * 160)
    sampling = search(mdp, 11, 25, 300)  # 0.9^300 is 2e-14
    pi = sampling.policy(thetas[0])
    scores, mean = sampling.fitness(thetas), sampling.exact_score(pi)
    variance = return_variance(mdp.to_float(), pi)[0] / 25
    assert abs(scores.mean() - mean) < 4.5 * (variance / 160) ** 0.5
    # 25 returns of bounded kurtosis are near normal: Var(s²) is 2 σ⁴/160, and less than twice that here
    assert abs(scores.var() - variance) < 4.5 * variance * (4 / 160) ** 0.5


def test_sampled_fitness_leads_near_the_optimum():
    found = cem(task(), 8, 2, population=20, episodes=10, steps=25, noise=0.01)
    assert found.error < found.curve.errors[0] / 4
    assert cma_es(task(), 2, 2, episodes=2, steps=5).policy.shape == (4, 3)


def test_cut_episodes_are_the_discounted_return_of_their_steps():
    one = MDP.from_outcomes({(0, 0): [(1, 0, 3, False)]}, HALF, initial=[1])
    assert search(one, 0, 1, 4).fitness(np.zeros((1, 1))) == 3 * (2 - 1 / 8)


def test_without_noise_one_elite_ends_the_search():
    found = cem(task(), 3, 0, population=10, rho="0.1")
    assert (found.tables["variance"] == 0).all()
    assert (cem(task(), 3, 0, population=10, rho="0.1", noise=0.25).tables["variance"][task().available] == 0.25).all()


def test_refusals():
    for half in ({"steps": 5}, {"episodes": 5}):
        with pytest.raises(ValueError, match="give both"):
            cem(task(), 1, 0, **half)
    with pytest.raises(ValueError, match="even number"):
        nes(task(), 1, 0, alpha=0.1, population=7, antithetic=True)
    with pytest.raises(InvalidBatch, match="at least one elite"):
        cem(task(), 1, 0, population=4, rho="0.1")
    with pytest.raises(ValueError, match="episodes"):
        cma_es(task(), 1, 0, episodes=0, steps=5)
    with pytest.raises(ValueError, match="seeded"):
        nes(task(), 1, None, alpha=0.1)
    with pytest.raises(InvalidMDP):
        cem(MDP([[[1.0]]], [[1.0]], 0.5), 1, 0)
