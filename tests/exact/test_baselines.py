"""Batches: leave-one-out and batch means against lists of pairs and triples; best baselines against their neighbours."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from rlexact.exact import parameterisation as pm
from rlexact.exact.baselines import (
    batch_mean_law,
    constant,
    constant_baseline,
    each_state,
    each_time,
    each_time_and_state,
    leave_one_out_law,
    optimal_baseline,
    value_baseline,
)
from rlexact.exact.estimator_law import estimator_law, law_of
from rlexact.exact.evaluation import policy_value
from rlexact.exact.gradient import finite_horizon_gradient
from rlexact.exact.gradient_estimators import reinforce, reward_to_go, reward_to_go_law
from rlexact.exact.paths import TooManyPaths, expect, paths
from rlexact.mdp import MDP
from rlexact.policy import uniform
from tests.strategies import WORLDS, as_floats, in_world

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
STEPS = 2
PI = np.array([[Fraction(1, 3), Fraction(2, 3)], [QUARTER, 3 * QUARTER]], dtype=object)


def busy(world="rational"):
    """Two states, random rewards, a step that may end: paths of one and two steps."""
    mdp = MDP.from_outcomes(
        {
            (0, 0): [(HALF, 1, 1, False), (HALF, None, -2, True)],
            (0, 1): [(1, 0, 3, False)],
            (1, 0): [(1, 0, HALF, False)],
            (1, 1): [(HALF, 1, 4, False), (HALF, None, 4, True)],
        },
        Fraction(9, 10),
        [Fraction(2, 3), Fraction(1, 3)],
    )
    return in_world(mdp, world)


def family_of(mdp):
    return pm.softmax_at(mdp, as_floats(PI) if "float" in mdp.world else PI)


def listed_batches(mdp, estimator, n, own):
    """The law of a batch by its definition, n paths at a time; `own`: whether a path's own weight is in the mean."""
    found = []
    for batch in product(list(paths(mdp, estimator.policy, STEPS)), repeat=n):
        p, total = Fraction(1), 0
        for i, path in enumerate(batch):
            p *= path.probability
            for t, slope in enumerate(estimator.slopes(path)):
                others = [estimator.weight(other, t) for j, other in enumerate(batch) if own or j != i]
                total = total + slope * (estimator.weight(path, t) - sum(others) / Fraction(len(others)))
        found.append((p, total / Fraction(n)))
    return law_of(np.array([p for p, _ in found]), np.array([x for _, x in found]))


@pytest.mark.parametrize("form", [reinforce, reward_to_go])
@pytest.mark.parametrize(("law", "own"), [(leave_one_out_law, False), (batch_mean_law, True)])
def test_pairs_of_paths(form, law, own):
    mdp = busy()
    estimator = form(mdp, family_of(mdp))
    listed, found = listed_batches(mdp, estimator, 2, own), law(mdp, estimator, STEPS, 2)
    assert (found.mean == listed.mean).all()
    assert (found.covariance == listed.covariance).all()
    assert (found.variance == listed.variance).all()


def test_triples_of_paths():
    few = MDP.from_outcomes({(0, 0): [(HALF, 0, 1, False), (HALF, None, 2, True)], (0, 1): [(1, 0, 5, False)]}, HALF, 0)
    estimator = reward_to_go(few, pm.softmax_at(few, PI[:1]))
    for law, own in ((leave_one_out_law, False), (batch_mean_law, True)):
        listed, found = listed_batches(few, estimator, 3, own), law(few, estimator, STEPS, 3)
        assert (found.mean == listed.mean).all()
        assert (found.covariance == listed.covariance).all()


def test_bias_of_the_batch_mean_is_minus_a_share_of_the_gradient():
    mdp = busy()
    family = family_of(mdp)
    truth = finite_horizon_gradient(mdp, family, STEPS)
    for n in (1, 2, 7):
        assert (batch_mean_law(mdp, reward_to_go(mdp, family), STEPS, n, truth).bias == -truth / n).all()
    assert not batch_mean_law(mdp, reward_to_go(mdp, family), STEPS, 1).covariance.any()
    for n in (2, 7):
        assert (leave_one_out_law(mdp, reward_to_go(mdp, family), STEPS, n, truth).bias == 0).all()


def trace(mdp, estimator):
    return estimator_law(mdp, estimator.policy, STEPS, estimator).variance.sum()


@pytest.mark.parametrize("form", [reinforce, reward_to_go])
@pytest.mark.parametrize("depends_on", [constant, each_time, each_state, each_time_and_state])
def test_no_neighbour_of_the_optimal_baseline_is_better(form, depends_on):
    """Variance is a parabola in each number of the table: equal on both sides of its bottom, and higher."""
    mdp = busy()
    estimator = form(mdp, family_of(mdp))
    b = optimal_baseline(mdp, estimator, STEPS, depends_on)
    least = trace(mdp, estimator.minus(b))
    assert least <= trace(mdp, estimator)
    for group in b.table:
        left, right = (
            trace(mdp, estimator.minus(lambda t, s, d=d, g=group: b(t, s) + d * (depends_on(t, s) == g)))
            for d in (-HALF, HALF)
        )
        assert left == right > least


def test_a_baseline_that_knows_more_varies_less():
    mdp = busy()
    estimator = reward_to_go(mdp, family_of(mdp))
    traces = [
        trace(mdp, estimator.minus(optimal_baseline(mdp, estimator, STEPS, g)))
        for g in (constant, each_time, each_time_and_state)
    ]
    by_state = trace(mdp, estimator.minus(optimal_baseline(mdp, estimator, STEPS, each_state)))
    assert traces[0] > traces[1] > traces[2]
    assert traces[0] > by_state > traces[2]


def test_each_component_at_its_least():
    mdp = busy()
    estimator = reinforce(mdp, family_of(mdp))
    b = optimal_baseline(mdp, estimator, STEPS, componentwise=True)
    at = [estimator_law(mdp, PI, STEPS, estimator.minus(lambda t, s, d=d: b(t, s) + d)).variance for d in (-1, 0, 1)]
    assert (at[0] == at[2]).all()
    assert (at[1] < at[0]).all()
    # b_k = E[S_k² R] / E[S_k²], S the sum of the scores
    S = [
        expect(mdp, PI, STEPS, lambda path, k=k: sum(estimator.slopes(path)) ** 2 * estimator.weight(path, 0) ** k)
        for k in (0, 1)
    ]
    assert (b(0, 0) == S[1] / S[0]).all()


def test_the_textbook_baseline_is_not_the_best_for_the_sum():
    """E[|h|² w] / E[|h|²] leaves out what the terms of other times contribute."""
    mdp = busy()
    estimator = reward_to_go(mdp, family_of(mdp))
    table = {}
    for t, s in product(range(STEPS), range(2)):
        norms = [
            (path.probability * (estimator.slopes(path)[t] ** 2).sum(), estimator.weight(path, t))
            for path in paths(mdp, PI, STEPS)
            if len(path.actions) > t and path.states[t] == s
        ]
        table[t, s] = sum(p * w for p, w in norms) / sum(p for p, _ in norms)
    best = optimal_baseline(mdp, estimator, STEPS, each_time_and_state)
    assert trace(mdp, estimator.minus(lambda t, s: table[t, s])) > trace(mdp, estimator.minus(best))
    last = [(STEPS - 1, s) for s in range(2)]
    assert any(best.table[key] != table[key] for key in last)


@pytest.mark.parametrize("world", WORLDS)
def test_worlds_agree(world):
    exact, mdp = busy(), busy(world)
    pairs = [
        (
            leave_one_out_law(m, reward_to_go(m, family_of(m)), STEPS, 3),
            optimal_baseline(m, reward_to_go(m, family_of(m)), STEPS),
        )
        for m in (exact, mdp)
    ]
    (truth, b), (found, c) = pairs
    # some forty terms of size below 100
    np.testing.assert_allclose(as_floats(found.covariance), as_floats(truth.covariance), atol=1e-12)
    np.testing.assert_allclose(as_floats(found.mean), as_floats(truth.mean), atol=1e-12)
    assert float(b(0, 0)) == pytest.approx(float(c(0, 0)), abs=1e-12)


def test_two_arms_with_symbols():
    """One step: the best constant is (1 - p) x + p y, which leaves no variance; V = p x + (1 - p) y is best at p = ½ only."""
    p, x, y = sympy.symbols("p x y", positive=True)
    mdp = MDP.from_outcomes([[[(1, None, x, True)], [(1, None, y, True)]]], 1, 0)
    estimator = reinforce(mdp, pm.softmax_at(mdp, np.array([[p, 1 - p]], dtype=object)))
    b = optimal_baseline(mdp, estimator, 1)(0, 0)
    assert sympy.cancel(b - (1 - p) * x - p * y) == 0
    assert not any(estimator_law(mdp, estimator.policy, 1, estimator.minus(lambda t, s: b)).variance.flat)


def test_values_and_constants_as_baselines():
    mdp = busy()
    v = policy_value(mdp, PI)
    family = family_of(mdp)
    plain = reward_to_go(mdp, family)
    listed = estimator_law(mdp, PI, STEPS, plain.minus(value_baseline(mdp, v)))
    assert (listed.covariance == reward_to_go_law(mdp, family, STEPS, v).covariance).all()
    seven = estimator_law(mdp, PI, STEPS, plain.minus(constant_baseline(mdp, 7)))
    assert (seven.covariance == reward_to_go_law(mdp, family, STEPS, 0 * v + 7).covariance).all()
    best = optimal_baseline(mdp, plain, STEPS, each_state)
    assert trace(mdp, plain.minus(best)) < min(listed.variance.sum(), seven.variance.sum())


def test_where_no_score_is_felt_the_baseline_is_zero():
    mdp = busy()
    only = MDP.from_outcomes([[[(1, None, 5, True)]]], HALF, 0)
    b = optimal_baseline(only, reinforce(only, pm.softmax_at(only, uniform(only))), 1)
    assert b(0, 0) == 0
    assert optimal_baseline(mdp, reinforce(mdp, family_of(mdp)), STEPS, each_time)(99, 0) == 0


def test_refusals():
    mdp = busy()
    estimator = reinforce(mdp, family_of(mdp))
    with pytest.raises(ValueError, match="1 paths for leave-one-out"):
        leave_one_out_law(mdp, estimator, STEPS, 1)
    with pytest.raises(ValueError, match="0 steps"):
        batch_mean_law(mdp, estimator, 0, 2)
    with pytest.raises(TooManyPaths):
        leave_one_out_law(mdp, estimator, 6, 2, limit=20)
