"""Linear TD against sampled updates averaged by hand, λ-returns written out, exact quadratics and published spectra."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import MixedNumbers, NotExact, SingularSystem, kernel_from
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.expected_updates import expected_q_learning, td_update
from rlexact.exact.linear_td import expected_linear_q, linear_sarsa, linear_td
from rlexact.exact.stability import Stability, positive_stable, schur_stable, spectrum
from rlexact.exact.stationary import stationary
from rlexact.gallery.counterexamples import baird, w_to_2w
from rlexact.mdp import MDP

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
ALPHA = Fraction(1, 10)
PI = np.array([[THIRD, 2 * THIRD], [QUARTER, 3 * QUARTER], [1, 0], [1, 0]], dtype=object) * Fraction(1)
PHI = np.array([[1, 0], [2, 1], [-1, 3], [5, 7]], dtype=object) * Fraction(1)  # the last state is terminal: not read
PHI_PAIRS = np.array([[[1, 0], [2, 1]], [[-1, 1], [0, 3]], [[2, 2], [9, 9]], [[4, 4], [8, 8]]], dtype=object)
D = np.array([HALF, THIRD, THIRD / 2, Fraction(0)])
PAIRS = np.array([[HALF, QUARTER], [Fraction(1, 8), Fraction(1, 16)], [Fraction(1, 16), 0], [0, 0]], dtype=object)
THETA = np.array([Fraction(3), Fraction(-2)])
UNITS = np.array([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]])
WORLDS = ("rational", "float", "sparse", "symbolic")


def model():
    """Self-loops, an unavailable action, a terminal state, a step that may end by itself."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 0, 1, False), (QUARTER, 1, -2, False), (QUARTER, 1, 3, False)],
            (0, 1): [(THIRD, None, 7, True), (2 * THIRD, 2, 3, False)],
            (1, 0): [(1, 2, HALF, False)],
            (1, 1): [(HALF, 3, 4, False), (HALF, 0, 0, False)],
            (2, 0): [(2 * THIRD, 0, -1, False), (THIRD, 2, 0, False)],
        },
        "4/5",
        initial=["1/2", "1/4", "1/4", 0],
        terminal=[3],
    )


def loop(gamma="9/10"):
    """Three states without an end."""
    rows = [["1/2", "1/2", 0], [0, "1/3", "2/3"], ["3/4", 0, "1/4"]]
    return MDP.chain(rows, R=["1", "-2", "5"], gamma=gamma, initial=["1", "0", "0"])


def only(mdp):
    return np.array([[Fraction(1)]] * mdp.n_states)


def value(phi, theta, s):
    return 0 if s is None or s == 3 else sum(phi[s] * theta)


def test_update_is_the_mean_of_sampled_updates():
    mdp, mean = model(), THETA.copy()
    for s, a in product(range(3), range(2)):
        for p, j, r, _ in mdp.outcomes(s, a) if PI[s, a] else ():
            delta = r + Fraction(4, 5) * value(PHI, THETA, j) - value(PHI, THETA, s)
            mean = mean + D[s] * PI[s, a] * p * ALPHA * delta * PHI[s]
    assert list(linear_td(mdp, PI, PHI, D).update(ALPHA)(THETA)) == list(mean)


def test_sarsa_update_is_the_mean_of_sampled_updates():
    mdp, mean = model(), THETA.copy()

    def q(s, a):
        return 0 if s is None or s == 3 else sum(PHI_PAIRS[s, a] * THETA)

    for s, a in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]:
        for p, j, r, _ in mdp.outcomes(s, a):
            for b in range(2):
                following = PI[j, b] if j is not None else HALF
                delta = r + Fraction(4, 5) * q(j, b) - q(s, a)
                mean = mean + PAIRS[s, a] * p * following * ALPHA * delta * PHI_PAIRS[s, a]
    assert list(linear_sarsa(mdp, PI, PHI_PAIRS, PAIRS).update(ALPHA)(THETA)) == list(mean)


def test_q_learning_update_is_the_mean_of_sampled_updates():
    mdp, mean = model(), THETA.copy()

    def top(j):
        if j is None or j == 3:
            return 0
        return max(sum(PHI_PAIRS[j, b] * THETA) for b in range(1 if j == 2 else 2))

    for s, a in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]:
        for p, j, r, _ in mdp.outcomes(s, a):
            delta = r + Fraction(4, 5) * top(j) - sum(PHI_PAIRS[s, a] * THETA)
            mean = mean + PAIRS[s, a] * p * ALPHA * delta * PHI_PAIRS[s, a]
    assert list(expected_linear_q(mdp, PHI_PAIRS, THETA, ALPHA, PAIRS)) == list(mean)


def test_one_feature_per_place_is_the_table():
    mdp, V0 = model(), np.array([Fraction(3), Fraction(-1), HALF, Fraction(0)])
    eye = np.array([[Fraction(int(i == j)) for j in range(8)] for i in range(8)])
    td = linear_td(mdp, PI, eye[:4, :4], D)
    assert list(td.update(ALPHA)(V0)) == list(td_update(mdp, PI, ALPHA, D)(V0))
    for lam in (0, THIRD, 1):
        assert list(linear_td(mdp, PI, eye[:4, :4], D, lam).fixed_point()) == list(policy_value(mdp, PI))
        q = linear_sarsa(mdp, PI, eye.reshape(4, 2, 8), PAIRS, lam).fixed_point()
        assert (q.reshape(4, 2) == action_value(mdp, PI)).all()
    table = np.array([[Fraction(k * k - 3 * k, 4) for k in (s, s + 2)] for s in range(4)])
    table[2, 1] = table[3] = Fraction(0)
    moved = expected_linear_q(mdp, eye.reshape(4, 2, 8), table.ravel(), ALPHA, PAIRS)
    assert (moved.reshape(4, 2) == expected_q_learning(mdp, table, ALPHA, PAIRS)).all()


@pytest.mark.parametrize("lam", [Fraction(0), THIRD, Fraction(9, 10), Fraction(1)])
def test_td_lambda_moves_towards_the_lambda_return(lam):
    """On three states passed in order every return is a finite sum: G^λ = (1-λ) Σ_n λ^(n-1) G^(n), then V for ever."""
    rows = [[0, "1/3", "2/3", 0], [0, 0, "1/2", "1/2"], [0, 0, 0, 1], [0, 0, 0, 0]]
    mdp = MDP.chain(rows, R=["2", "-1", "3", 0], gamma="4/5", terminal=[3])
    P, r, g = (
        np.array([[Fraction(x) for x in row] for row in rows]),
        [Fraction(x) for x in (2, -1, 3, 0)],
        Fraction(4, 5),
    )
    v = np.array([value(PHI, THETA, s) for s in range(4)])
    backups, target, V = v, 0 * v, policy_value(mdp, only(mdp))
    for n in range(4):
        backups = np.array([r[s] + g * sum(P[s] * backups) for s in range(4)])
        target = target + (1 - lam) * lam**n * backups
    target = target + lam**4 * V
    mean = THETA + sum(ALPHA * D[s] * (target[s] - v[s]) * PHI[s] for s in range(3))
    assert list(linear_td(mdp, only(mdp), PHI, D, lam).update(ALPHA)(THETA)) == list(mean)


def slopes(f, theta):
    """Central differences: exact for a quadratic in fractions."""
    return [(f(theta + e) - f(theta - e)) / 2 for e in UNITS]


def test_each_fixed_point_is_stationary_for_its_own_error():
    td = linear_td(model(), PI, PHI, D)
    assert slopes(lambda t: td.errors(t).value, td.monte_carlo()) == [0, 0]
    assert slopes(lambda t: td.errors(t).bellman, td.residual_gradient()) == [0, 0]
    assert slopes(lambda t: td.errors(t).projected, td.fixed_point()) == [0, 0]
    assert td.errors(td.fixed_point()).projected == 0
    assert len({tuple(t) for t in (td.monte_carlo(), td.residual_gradient(), td.fixed_point())}) == 3
    assert list(linear_td(model(), PI, PHI, D, 1).fixed_point()) == list(td.monte_carlo())  # TD(1) is least squares


def test_errors_by_hand():
    """0 → 1 → 1, rewards 0 and 1, γ = 1/2: V = (1, 2).  φ = (1, 1), θ = 1: δ = (0 + 1/2 - 1, 1 + 1/2 - 1) = (-1/2, 1/2)."""
    mdp = MDP.chain([[0, 1], [0, 1]], R=["0", "1"], gamma="1/2")
    e = linear_td(mdp, only(mdp), [[1], [1]], ["3/4", "1/4"]).errors(np.array([Fraction(1)]))
    assert (e.value, e.bellman, e.projected) == (QUARTER, QUARTER, Fraction(1, 16))  # the mean of δ is -1/4


def test_dependent_features_give_the_value_of_independent_ones_and_the_least_norm():
    mdp = model()
    td, twice = linear_td(mdp, PI, PHI, D), linear_td(mdp, PI, PHI[:, [0, 1, 1]], D)
    assert twice.idle == 1
    assert td.idle == 0
    for name in ("fixed_point", "monte_carlo", "residual_gradient"):
        theta, both = getattr(td, name)(), getattr(twice, name)()
        assert list(both) == [theta[0], theta[1] / 2, theta[1] / 2]
    assert twice.stable() == td.stable() is True
    floats = linear_td(mdp.to_float(), PI.astype(float), PHI[:, [0, 1, 1]].astype(float), D.astype(float)).stability()
    assert floats.stable  # the standing direction's 0 is not in the verdict
    assert floats.eigenvalues.shape == (2,)
    still = twice.update(ALPHA)(np.array([Fraction(2), Fraction(5), Fraction(-1)]))
    assert still[1] - still[2] == 6  # the direction that no value sees


@pytest.mark.parametrize("world", WORLDS)
def test_worlds_agree(world):
    exact = linear_td(model(), PI, PHI, D, HALF)
    mdp = {"rational": model, "float": model().to_float, "sparse": model().to_sparse, "symbolic": model().to_symbolic}[
        world
    ]()

    def own(x):
        return x.astype(float) if world in ("float", "sparse") else x

    td = linear_td(mdp, own(PI), own(PHI), own(D), 0.5 if world in ("float", "sparse") else HALF)
    for name in ("fixed_point", "monte_carlo", "residual_gradient"):
        want, got = getattr(exact, name)(), getattr(td, name)()
        if world in ("float", "sparse"):
            np.testing.assert_allclose(
                got, want.astype(float), rtol=1e-12
            )  # two digits over the roundings of 3 x 3 solves
        else:
            assert list(got) == list(want)
    assert td.stable()


def test_symbolic_discount():
    gamma = sympy.Symbol("gamma", positive=True)
    w = w_to_2w(gamma=gamma)
    td = linear_td(w.mdp, w.policy, w.features, w.weights)
    assert sympy.expand(td.A.to_array()[0, 0] - (1 - 2 * gamma)) == 0
    with pytest.raises(NotExact, match="depends on the symbols"):
        td.stable()


# -- the bound -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lam", [Fraction(0), HALF, Fraction(1)])
def test_error_bound_on_policy(lam):
    mdp = loop()
    bound = linear_td(mdp, only(mdp), PHI[:3, :1], stationary(mdp, only(mdp)), lam).error_bound()
    assert bound.holds
    assert (bound.slack == 0) == (lam == 1)
    assert bound.left > 0


def test_error_bound_is_attained():
    """Two states in turn, φ = (1, 2), γ = 4/5: P mirrors the error onto φ, so that ΠT contracts by all of γ."""
    mdp = MDP.chain([[0, 1], [1, 0]], R=["1", "7"], gamma="4/5")
    td = linear_td(mdp, only(mdp), [[1], [2]], ["1/2", "1/2"])
    bound = td.error_bound()
    d = td.values(td.fixed_point()) - policy_value(mdp, only(mdp))
    assert bound.left == sum(d * d) / 2 > 0
    assert bound.slack == 0


def test_error_bound_refuses_what_the_theorem_does():
    mdp = loop()
    with pytest.raises(ValueError, match="place 1 has weight 1/5 and is entered with"):
        linear_td(mdp, only(mdp), PHI[:3], ["3/5", "1/5", "1/5"]).error_bound()
    with pytest.raises(ValueError, match="gamma = 1"):
        linear_td(loop(gamma="1"), only(mdp), PHI[:3], ["1/3", "1/3", "1/3"]).error_bound()


# -- stability -------------------------------------------------------------------------------------------------------


def test_baird_diverges():
    b = baird()
    td = linear_td(b.mdp, b.policy, b.features, b.weights)
    assert not td.stable()
    assert td.idle == 1
    assert not td.values(td.fixed_point()).any()  # the true values are 0, and TD's fixed point has them
    floats = linear_td(b.mdp.to_float(), *(x.astype(float) for x in (b.policy, b.features, b.weights)))
    seen = floats.stability()
    assert abs(seen.margin - -0.239) <= 0.0005  # as published, to its last digit
    assert seen.unstable
    assert not seen.stable
    with pytest.raises(ValueError, match="no step size"):
        _ = seen.largest_step
    errors = [floats.errors(floats.update(0.05).after(k)(b.start.astype(float))).value for k in (0, 500, 1000)]
    assert errors[2] > 1e3 * errors[1] > errors[0]


def test_on_policy_is_stable_and_the_largest_step_is_the_largest():
    mdp = loop().to_float()
    pi = np.ones((3, 1))
    td = linear_td(mdp, pi, PHI[:3].astype(float), stationary(mdp, pi))
    assert td.stable()
    limit = td.stability().largest_step
    assert td.update(0.999 * limit).spectral_radius() < 1 < td.update(1.001 * limit).spectral_radius()
    assert schur_stable(td.update(0.999 * limit).matrix)
    assert not schur_stable(td.update(1.001 * limit).matrix)


def rationals(rows):
    return kernel_from(np.array([[Fraction(x) for x in row] for row in rows]))


def test_exact_verdicts_agree_with_eigenvalues():
    rng, seen = np.random.default_rng(3), set()
    for n in (1, 2, 3, 4, 5):
        for _ in range(40):
            M = rng.integers(-6, 7, size=(n, n)) + int(rng.integers(0, 9)) * np.eye(n, dtype=int)
            values = np.linalg.eigvals(M.astype(float))
            if abs(values.real).min() > 1e-6:  # floats cannot tell nearer ones from 0
                seen.add((n, bool(values.real.min() > 0)))
                assert positive_stable(rationals(M.tolist())) == (values.real.min() > 0)
            small = [[Fraction(int(x), 12) for x in line] for line in M]
            radius = abs(values).max() / 12
            if abs(radius - 1) > 1e-6:
                assert schur_stable(rationals(small)) == (radius < 1)
    assert len(seen) == 10  # both verdicts, at every size


def test_verdicts_on_the_edge():
    assert not positive_stable(rationals([[0, 1], [-1, 0]]))  # ± i: neither grows nor dies
    assert not positive_stable(rationals([[0, 0], [0, 1]]))
    assert positive_stable(rationals([[0, 0], [0, 1]]), idle=1)
    assert not schur_stable(rationals([[-1, 0], [0, 0]]))
    assert not schur_stable(rationals([[1, 0], [0, 0]]))
    rotation = spectrum(np.array([[0.0, 1.0], [-1.0, 0.0]]))
    assert not rotation.stable
    assert not rotation.unstable
    lost = Stability(np.array([1e-17, 1.0]), 1e-16)
    assert not lost.stable
    with pytest.raises(NotExact, match="positive_stable"):
        spectrum(rationals([[1]]))


def test_bad_input_is_refused_by_name():
    mdp = model()
    with pytest.raises(ValueError, match=r"features have shape \(3, 2\)"):
        linear_td(mdp, PI, PHI[:3], D)
    with pytest.raises(ValueError, match="weights"):
        linear_td(mdp, PI, PHI, -D)
    with pytest.raises(ValueError, match="lam = 2"):
        linear_td(mdp, PI, PHI, D, 2)
    with pytest.raises(ValueError, match="alpha"):
        linear_td(mdp, PI, PHI, D).update(-1)
    with pytest.raises(MixedNumbers):
        linear_td(mdp, PI, PHI.astype(float) / 3, D)
    with pytest.raises(ValueError, match="finite"):
        linear_td(mdp.to_float(), PI.astype(float), np.full((4, 2), np.inf), D.astype(float))
    half = w_to_2w(gamma="1/2")
    with pytest.raises(SingularSystem):
        linear_td(half.mdp, half.policy, half.features, half.weights).fixed_point()
