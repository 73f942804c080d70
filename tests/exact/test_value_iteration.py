"""The three sweeping solvers against brute force, closed forms, published values and the rational world."""

import time
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact import arithmetic as ar
from rlexact import gallery
from rlexact.arithmetic import NotExact
from rlexact.door import InvalidMDP
from rlexact.exact.evaluation import policy_value
from rlexact.exact.value_iteration import gauss_seidel, in_place, levels, modified_policy_iteration, value_iteration
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies
from rlexact.solution import NotConverged, Unbounded
from tests.strategies import WORLDS, as_floats, in_world, law_model, model, stored

SOLVERS = (value_iteration, gauss_seidel, modified_policy_iteration)
each_solver = pytest.mark.parametrize("solve", SOLVERS)


def best_by_brute_force(mdp):
    return np.max([policy_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)


def distance(v, truth):
    return max(abs(Fraction(str(x)) - y) for x, y in zip(v, truth, strict=True))


@each_solver
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(4))
def test_tol_is_the_distance_to_the_optimum(solve, world, seed):
    exact = model(seed) if seed % 2 else law_model(seed)
    best = best_by_brute_force(exact)
    for tol in (1e-2, 1e-6):
        answer = solve(in_world(exact, world), tol=tol)
        assert distance(answer.v, best) <= Fraction(str(answer.error_bound)) <= Fraction(tol)


@each_solver
@pytest.mark.parametrize("seed", range(10))
def test_the_bound_holds_around_the_truth_of_rounded_numbers(solve, seed):
    gamma = (0.5, 0.9, 0.99, 0.9 if solve is gauss_seidel else 0.999)[seed % 4]  # in place takes 20,000 sweeps there
    mdp = gallery.garnet(5, 2, 3, seed, gamma=gamma, sparse=bool(seed % 2))
    truth = best_by_brute_force(stored(mdp))
    for tol in (1e-3, 1e-8):
        answer = solve(mdp, tol=tol)
        error = max(abs(Fraction(x) - y) for x, y in zip(answer.v, truth, strict=True))
        assert error <= Fraction(answer.error_bound) <= Fraction(tol)


@each_solver
@pytest.mark.parametrize("world", ["float64", "sparse float64", "rational"])
def test_forest(solve, world):
    """pymdptoolbox's documented example: V* = 26.244, 29.484, 33.484 at γ = 0.9, waiting everywhere."""
    answer = solve(in_world(gallery.forest(), world), tol=1e-6)
    printed = [Fraction("26.244"), Fraction("29.484"), Fraction("33.484")]
    assert distance(answer.v, printed) <= Fraction(str(answer.error_bound)) <= Fraction(1e-6)
    assert answer.policy[:, 0].tolist() == [1, 1, 1]
    assert answer.optimal_actions.tolist() == [[True, False]] * 3


@each_solver
def test_sutton_and_barto_figure_3_5(solve):
    """The optimal values of Example 3.8 as printed, to one decimal; at A they are 10 / (1 - γ⁵)."""
    answer = solve(gallery.sutton_barto_grid().to_float())
    printed = [
        [22.0, 24.4, 22.0, 19.4, 17.5],
        [19.8, 22.0, 19.8, 17.8, 16.0],
        [17.8, 19.8, 17.8, 16.0, 14.4],
        [16.0, 17.8, 16.0, 14.4, 13.0],
        [14.4, 16.0, 14.4, 13.0, 11.7],
    ]
    assert np.abs(answer.v - np.ravel(printed)).max() <= 0.05
    assert abs(answer.v[1] - 10 / (1 - 0.9**5)) <= 1e-8
    marks = answer.optimal_actions.sum(axis=1).reshape(5, 5)
    arrows = [[1, 4, 1, 4, 1], [2, 1, 2, 1, 1], [2, 1, 2, 2, 2], [2, 1, 2, 2, 2], [2, 1, 2, 2, 2]]  # Figure 3.5, right
    assert marks.tolist() == arrows


@each_solver
@pytest.mark.parametrize("gamma", [0.9, 0.99, 1.0])
def test_a_chain_in_closed_form(solve, gamma):
    """Reward 1 per step for n steps: (1 - γⁿ) / (1 - γ), and n at γ = 1; sitting down instead pays nothing."""
    n = 30
    P, R = np.zeros((n + 1, 2, n + 1)), np.zeros((n + 1, 2))
    P[np.arange(n), 0, np.arange(n) + 1], P[np.arange(n), 1, np.arange(n)], R[:n, 0] = 1, 1, 1
    answer = solve(MDP(P, R, gamma, terminal=[n]))
    left = n - np.arange(n + 1)
    truth = left if gamma == 1 else (1 - gamma**left) / (1 - gamma)
    assert np.abs(answer.v - truth).max() <= answer.error_bound + 1e-12 <= 1e-8 + 1e-12  # the closed form rounds too
    assert answer.policy[:n, 0].all()
    assert answer.optimal_actions[:n, 1].all() == (gamma == 1)  # without a discount a while of sitting costs nothing


@each_solver
def test_every_truly_optimal_action_is_marked(solve):
    """Ties that rounding breaks in one float or the other, as 0.1 + 0.2 and 0.3."""
    for seed in range(20):
        exact = model(seed)
        best = best_by_brute_force(exact)
        q = exact.r + exact.gamma * (exact.kernel @ best).reshape(exact.r.shape)
        truly = exact.available & (q == best[:, None])
        answer = solve(exact.to_float(), tol=1e-2)
        assert (answer.optimal_actions >= truly).all()
        gap = as_floats(best[:, None] - q)
        assert (gap[answer.optimal_actions] <= 4 * 1e-2 + 1e-9).all()  # marks lie within 2 γ tol of what is computed
    row = [0.1, 0.2, 0.7]
    tied = MDP([[row, row[::-1]]] * 3, [[0.3, 0.1 + 0.2]] * 3, 0.5)
    assert solve(tied).optimal_actions.all()


@each_solver
def test_a_tolerance_below_rounding_is_refused_with_the_best_answer(solve):
    mdp = gallery.garnet(5, 2, 3, 1, gamma=0.99)
    with pytest.raises(NotConverged, match=r"not 1e-15: rounding in float64 .* to_rational\(\)") as refusal:
        solve(mdp, tol=1e-15)
    best = refusal.value.best
    assert distance(best.v, best_by_brute_force(stored(mdp))) <= best.error_bound
    assert best.iterations <= (4096 if solve is gauss_seidel else 256)  # noticed, not waited for: the cap is above 4096
    exact = in_world(gallery.forest(), "rational")
    assert solve(exact, tol=Fraction(1, 10**15)).error_bound <= Fraction(1, 10**15)


@each_solver
def test_too_few_sweeps_are_refused_with_the_best_answer(solve):
    mdp = gallery.garnet(5, 2, 3, 1, gamma=0.99)
    with pytest.raises(NotConverged, match=r"after 2 sweeps.*raise max_sweeps") as refusal:
        solve(mdp, max_sweeps=2)
    best = refusal.value.best
    truth = best_by_brute_force(stored(mdp))
    assert 1e-8 < distance(best.v, truth) <= best.error_bound
    assert solve(mdp, v=truth.astype(float), max_sweeps=1).iterations == 1


@each_solver
@pytest.mark.parametrize("gamma", [0.9, 0.99])
def test_the_known_part_of_the_error_is_taken_away(solve, gamma):
    """All states alike: after one sweep from 0 the whole error is a constant, and known."""
    mdp = MDP([[[0.25, 0.75], [1, 0]]] * 2, np.ones((2, 2)), gamma)
    answer = solve(mdp)
    assert np.abs(answer.v - 1 / (1 - gamma)).max() <= answer.error_bound
    assert solve is gauss_seidel or answer.iterations == 1


def test_sweeps_are_what_they_say():
    """From 0 on a chain that ends: k synchronous sweeps see k steps ahead, one backward sweep sees to the end."""
    n = 12
    P, R = np.zeros((n + 1, 1, n + 1)), np.ones((n + 1, 1))
    P[np.arange(1, n + 1), 0, np.arange(n)], R[0] = 1, 0
    mdp = MDP(P, R, 0.999, terminal=[0])
    assert value_iteration(mdp).iterations == n + 1
    assert gauss_seidel(mdp).iterations == 2
    assert modified_policy_iteration(mdp, sweeps=n).iterations == 3  # the second sweep finds the policy unchanged
    assert modified_policy_iteration(mdp, sweeps=1).iterations == n + 1


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(4))
def test_levels_update_as_one_state_after_the_other_would(world, seed):
    mdp = in_world(model(seed, n_states=5), world)
    assert sorted(np.concatenate(levels(mdp))) == list(range(5))
    new = np.array([ar.number(mdp.r, k) for k in range(5)])
    old = new.copy()
    for s in range(5):
        q = mdp.r[s] + mdp.gamma * np.array([(ar.dense_array(mdp.kernel)[s * 3 + a] * new).sum() for a in range(3)])
        new[s] = max(q[mdp.available[s]]) if mdp.available[s].any() else 0 * q[0]
    swept = in_place(mdp)(old, old, mdp.available)
    assert np.allclose(as_floats(swept), as_floats(new), atol=1e-12)  # two orders of adding a few numbers below 20


def test_independent_states_share_a_level():
    """A ring in which each state reads the next: even numbers first, odd ones and the seam after them."""
    n = 1000
    ring = MDP.chain(np.roll(np.eye(n), 1, axis=1)[:, np.argsort(np.random.default_rng(0).permutation(n))], gamma=0.5)
    assert len(levels(ring)) < 30  # the longest increasing run of random numbers is short, far from n levels


@each_solver
@pytest.mark.parametrize("world", ["float64", "sparse float64", "rational"])
def test_without_discount(solve, world):
    """Sutton and Barto's small grid: minus the distance to a corner, though walking into a wall for ever is a policy."""
    answer = solve(in_world(gallery.sutton_barto_small_grid(), world))
    truth = [-min(i // 4 + i % 4, 6 - i // 4 - i % 4) for i in range(16)]
    assert all(abs(x - t) <= answer.error_bound for x, t in zip(answer.v, truth, strict=True))
    assert answer.error_bound <= 1e-8
    assert answer.iterations <= 8


@each_solver
def test_without_discount_idling_for_nothing_hides_nothing(solve):
    """FrozenLake: holes are reached by slipping, and any constant solves V = TV on states that can idle for nothing."""
    answer = solve(gallery.frozen_lake(gamma=Fraction(1)).to_float())
    assert abs(answer.v[0] - 14 / 17) <= answer.error_bound <= 1e-8  # 0.8235..., the known success rate


@each_solver
def test_without_discount_gains_for_ever_are_refused(solve):
    mdp = MDP([[[1.0, 0], [0, 1]], [[0, 0], [0, 0]]], [[1.0, 0], [0, 0]], 1.0, terminal=[1])
    with pytest.raises(Unbounded, match=r"\+inf"):
        solve(mdp)


@each_solver
def test_bad_requests(solve):
    mdp = gallery.garnet(3, 2, 2, 0)
    for tol in (0, -1e-8):
        with pytest.raises(ValueError, match="positive distance"):
            solve(mdp, tol=tol)
    with pytest.raises(ValueError, match="max_sweeps = 0"):
        solve(mdp, max_sweeps=0)
    with pytest.raises(ValueError, match=r"v has shape \(2,\)"):
        solve(mdp, v=np.zeros(2))
    with pytest.raises(OverflowError, match="scale the rewards"):
        solve(MDP([[[1.0]]], [1.7e308], 0.99))
    with pytest.raises(InvalidMDP, match="not below 1"):
        solve(MDP([[[1 + 5e-9]]], [1.0], 1 - 1e-9))
    with pytest.raises(NotExact, match="symbols"):
        solve(gallery.forest().to_symbolic(gamma=sympy.Symbol("gamma")))


def test_partial_evaluation_needs_a_sweep():
    with pytest.raises(ValueError, match="sweeps = 0"):
        modified_policy_iteration(gallery.forest(), sweeps=0)


@pytest.mark.parametrize("solve", [value_iteration, modified_policy_iteration])
def test_large_sparse_models_in_seconds_and_little_memory(solve):
    mdp = gallery.garnet(100_000, 4, 5, 0, gamma=0.99, sparse=True)
    model_bytes = sum(x.nbytes for x in (mdp.kernel.data, mdp.kernel.indices, mdp.kernel.indptr, mdp.r))
    tracemalloc.start()
    began = time.process_time()
    answer = solve(mdp)
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.error_bound <= 1e-8
    residual = np.abs((mdp.r + 0.99 * (mdp.kernel @ answer.v).reshape(-1, 4)).max(axis=1) - answer.v).max()
    assert residual <= 2 * 1e-8  # ‖Tv - v‖ ≤ (1 + γ) ‖v - V*‖, a check that shares no code
    assert seconds < 20  # 0.6 s on an idle core; a dense (S, S) array would not fit at all
    assert peak < 3 * model_bytes
    assert scipy.sparse.issparse(mdp.kernel)
