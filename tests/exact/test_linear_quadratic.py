"""The linear-quadratic model against sums over time, laws with few atoms, complex steps, SciPy and SymPy."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
import sympy

from rlexact.arithmetic import MixedNumbers, NotExact
from rlexact.exact.linear_quadratic import (
    LinearQuadratic,
    Quadratic,
    UnstablePolicy,
    linear_action_value,
    linear_gradient,
    linear_return,
    linear_value,
    optimal_gain,
)
from rlexact.mdp import InvalidMDP, InvalidPolicy
from rlexact.solution import NotConverged, Unbounded

F = Fraction


def rational_model(gamma="9/10", noise=(("1/10", 0), (0, "1/5"))):
    return LinearQuadratic([["1", "1/2"], [0, "4/5"]], [[0], [1]], [[1, 0], [0, "1/2"]], [["1/3"]], gamma, noise)


def floats(model):
    return LinearQuadratic(
        *(np.asarray(x, dtype=float) for x in (model.A, model.B, model.Q, model.R, model.gamma, model.noise))
    )


K = [["1/2", "3/5"]]
START = [[2, "1/2"], ["1/2", 1]]
EXPLORATION = [["1/7"]]


def number(x):
    return np.asarray(np.vectorize(lambda e: float(F(e)))(x), dtype=float)


def summed_return(model, K, start, exploration, steps=600):
    """-Σ γ^t E[xᵀQx + uᵀRu], the second moment of the state carried forward step by step; works for complex K."""
    A, B, Q, R, W = model.A, model.B, model.Q, model.R, model.noise
    M, S, total, discount = A - B @ K, start.astype(K.dtype), 0, 1.0
    for _ in range(steps):
        total = total - discount * (np.trace(Q @ S) + np.trace(R @ (K @ S @ K.T + exploration)))
        S, discount = M @ S @ M.T + W + B @ exploration @ B.T, discount * model.gamma
    return total


@pytest.mark.parametrize("gamma", ["9/10", "1/2", 0])
def test_return_is_the_sum_over_time(gamma):
    model = rational_model(gamma)
    exact = linear_return(model, K, START, EXPLORATION)
    assert isinstance(exact, F)
    near = summed_return(floats(model), number(K), number(START), number(EXPLORATION))
    assert float(exact) == pytest.approx(near, rel=1e-11)  # 600 additions of rounded terms; 0.9^600 is 1e-27
    assert linear_return(floats(model), number(K), number(START), number(EXPLORATION)) == pytest.approx(near, rel=1e-11)


def test_one_bellman_step_is_exact():
    """V(x) = E Q(x, -Kx + e) over a law of e with two atoms ±d, and Q(x, u) = r + γ E V(x') over atoms of w, in Fractions."""
    d, widths = F(1, 3), (F(1, 2), F(2, 5))
    model = rational_model(noise=[[widths[0] ** 2, 0], [0, widths[1] ** 2]])
    v, q = linear_value(model, K, [[d * d]]), linear_action_value(model, K, [[d * d]])
    x = np.array([F(3), F(-7, 2)])
    u = -(np.array([[F(1, 2), F(3, 5)]]) @ x)
    assert v.at(x) == sum(q.at(x, u + e) for e in (d, -d)) / 2
    reward = -(x @ model.Q @ x) - u @ model.R @ u
    shocks = [np.array([i * widths[0], j * widths[1]]) for i in (1, -1) for j in (1, -1)]
    assert q.at(x, u) == reward + model.gamma * sum(v.at(model.A @ x + model.B @ u + w) for w in shocks) / 4


def test_return_averages_the_value():
    """J over a start law with two atoms is the mean of V, and J of one state is V."""
    model, atoms = rational_model(), np.array([[F(1), F(2)], [F(-3), F(1, 2)]])
    v = linear_value(model, K, EXPLORATION)
    start = sum(np.outer(x, x) for x in atoms) / 2
    assert linear_return(model, K, start, EXPLORATION) == (v.at(atoms[0]) + v.at(atoms[1])) / 2


def test_gradient_by_complex_steps():
    model = rational_model()
    exact = linear_gradient(model, K, START, EXPLORATION)
    assert all(isinstance(g, F) for g in exact.flat)
    for j in range(2):
        step = number(K).astype(complex)
        step[0, j] += 1e-30j
        slope = summed_return(floats(model), step, number(START), number(EXPLORATION)).imag / 1e-30
        assert float(exact[0, j]) == pytest.approx(
            slope, rel=1e-11
        )  # a complex step cancels nothing: rounding of the sum
    assert linear_gradient(floats(model), number(K), number(START), number(EXPLORATION)) == pytest.approx(
        exact.astype(float), rel=1e-12
    )


@pytest.mark.parametrize("seed", range(4))
def test_gradient_by_complex_steps_on_random_models(seed):
    rng = np.random.default_rng(seed)
    n, m = 3, 2
    A, B, root = 0.4 * rng.normal(size=(n, n)), rng.normal(size=(n, m)), rng.normal(size=(n, n))
    model = LinearQuadratic(A, B, root @ root.T, np.diag([0.5, 2.0]), 0.9, 0.1 * np.eye(n))
    gain = optimal_gain(model).K + 0.02 * rng.normal(size=(m, n))
    start, spread = np.eye(n) + 0.5, np.diag([0.1, 0.3])
    found = linear_gradient(model, gain, start, spread)
    for index in np.ndindex(m, n):
        step = gain.astype(complex)
        step[index] += 1e-30j
        slope = summed_return(model, step, start, spread, 600).imag / 1e-30
        assert found[index] == pytest.approx(slope, rel=1e-8, abs=1e-8)  # conditioning of the Lyapunov solve


def test_gradient_by_the_derivative_of_q():
    """E[Σ γ^t ∇_u Q(x_t, -K x_t) (-x_t)ᵀ] along the one path of a model without noise, ∇_u Q by exact central differences."""
    model = rational_model("1/2", noise=None)
    q, gain = linear_action_value(model, K), np.array([[F(1, 2), F(3, 5)]])
    x0 = np.array([F(1), F(2)])
    x, total, discount = x0, np.array([[F(0), F(0)]]), F(1)
    for _ in range(40):
        u = -(gain @ x)
        slope = (q.at(x, u + 1) - q.at(x, u - 1)) / 2  # exact for a quadratic
        total = total - discount * slope * x[None, :]
        x, discount = (model.A - model.B @ gain) @ x, discount / 2
    off = np.abs((total - linear_gradient(model, K, np.outer(x0, x0))).astype(float)).max()
    assert 0 < off < 1e-12  # the tail is of the size of (γ ρ²)^40, ρ² = 1/2


def test_symbols():
    a, b, k, q, r, g, x = sympy.symbols("a b k q r gamma x", positive=True)
    model = LinearQuadratic([[a]], [[b]], [[q]], [[r]], g)
    value = linear_value(model, [[k]]).at([x])
    assert sympy.cancel(value + (q + r * k**2) * x**2 / (1 - g * (a - b * k) ** 2)) == 0
    slope = linear_gradient(model, [[k]], [[x**2]])[0, 0]
    assert sympy.cancel(slope - sympy.diff(value, k)) == 0
    at = {a: F(2), b: F(1), q: F(1), r: F(1, 3), g: F(1, 2)}
    assert sympy.cancel(optimal_gain(model).K[0, 0].subs(at) - optimal_gain(numbers(at, a, b, q, r, g)).K[0, 0]) == 0


def numbers(at, a, b, q, r, g):
    one = [[[sympy.Rational(at[s].numerator, at[s].denominator)]] for s in (a, b, q, r)]
    return LinearQuadratic(*one, sympy.Rational(at[g].numerator, at[g].denominator))


def test_the_golden_ratio():
    """a = b = q = r = γ = 1: p² = p + 1 and K* = p / (1 + p) = 1 / p."""
    one = [[sympy.Integer(1)]]
    best = optimal_gain(LinearQuadratic(one, one, one, one, 1))
    assert sympy.simplify(best.P[0, 0] - sympy.GoldenRatio.rewrite(sympy.sqrt)) == 0
    assert sympy.simplify(best.K[0, 0] - 1 / best.P[0, 0]) == 0
    with pytest.raises(NotExact, match="square root of 5"):
        optimal_gain(LinearQuadratic([["1"]], [["1"]], [["1"]], [["1"]], 1))
    close = optimal_gain(LinearQuadratic([[1.0]], [[1.0]], [[1.0]], [[1.0]], 1.0))
    assert close.P[0, 0] == pytest.approx((1 + 5**0.5) / 2, rel=1e-14)  # SciPy's Schur factors of a 2 x 2 pencil


def test_rational_optimum():
    """a = 2, b = r = γ = 1: q = p - 4p + 4p² / (1 + p) is chosen so that p = 6 solves [Z7], and K* = 2p / (1 + p)."""
    p, one = F(6), [["1"]]
    best = optimal_gain(LinearQuadratic([["2"]], one, [[p - 4 * p + 4 * p * p / (1 + p)]], one, 1))
    assert (best.P[0, 0], best.K[0, 0], best.residual) == (p, 2 * p / (1 + p), 0)


@pytest.mark.parametrize("seed", range(4))
def test_optimal_gain(seed):
    """By value iteration on [Z7] from zero; no other gain is better, and the gradient is zero there for any start."""
    rng = np.random.default_rng(seed)
    n, m = 3, 2
    A, B, root = rng.normal(size=(n, n)), rng.normal(size=(n, m)), rng.normal(size=(n, n))
    model = LinearQuadratic(A, B, root @ root.T, np.diag([0.5, 2.0]), 0.95, 0.1 * np.eye(n))
    best, P = optimal_gain(model), np.zeros((n, n))
    for _ in range(1000):
        G = np.diag([0.5, 2.0]) + 0.95 * B.T @ P @ B
        P = root @ root.T + 0.95 * A.T @ P @ A - 0.95**2 * A.T @ P @ B @ scipy.linalg.solve(G, B.T @ P @ A)
    assert best.P == pytest.approx(P, rel=1e-8)  # noqa: SIM300  conditioning of the two routes
    assert best.residual <= 1e-9 * np.abs(P).max()
    assert np.abs(linear_gradient(model, best.K, np.eye(n))).max() <= 1e-6 * np.abs(P).max()
    top = linear_return(model, best.K, np.eye(n))
    for _ in range(20):
        assert linear_return(model, best.K + 0.01 * rng.normal(size=(m, n)), np.eye(n)) < top


def test_stability_is_decided_exactly():
    """√γ |a - bk| = 1 - 10⁻³⁰ is stable and 1 is not; floats cannot tell them apart."""
    one = [["1"]]
    model = LinearQuadratic([[2]], one, one, one, 1)
    e = F(1, 10**30)
    assert linear_value(model, [[1 + e]]).H[0, 0] == (1 + (1 + e) ** 2) / (1 - (1 - e) ** 2)
    for k in (1, 3):
        with pytest.raises(UnstablePolicy, match=r"radius 1: "):
            linear_value(model, [[k]])
    with pytest.raises(UnstablePolicy, match=r"radius 1\.89737"):  # 2 √0.9
        linear_gradient(floats(rational_model()), [[0.0, -1.2]], np.eye(2))
    x = sympy.Symbol("x", positive=True)
    with pytest.raises(UnstablePolicy, match="1 or more"):
        linear_value(LinearQuadratic([[1 + x]], [[1]], [[1]], [[1]], 1), [[0]])


@pytest.mark.parametrize("gamma", [1.0, 0.99, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_stability_by_the_spectrum(seed, gamma):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, 4))
    A = A / np.abs(np.linalg.eigvals(A)).max() / np.sqrt(gamma)
    for size, fits in ((0.999, True), (1.001, False)):
        model = LinearQuadratic(size * A, np.ones((4, 1)), np.eye(4), [[1.0]], gamma)
        if fits:
            assert linear_value(model, np.zeros((1, 4))).H.shape == (4, 4)
        else:
            with pytest.raises(UnstablePolicy, match=r"radius 1\.001"):
                linear_value(model, np.zeros((1, 4)))


def test_without_discount():
    still = rational_model(1, noise=None)
    assert linear_value(still, K).c == 0
    near = summed_return(floats(still), number(K), number(START), np.zeros((1, 1)))
    assert float(linear_return(still, K, START)) == pytest.approx(near, rel=1e-11)  # the sum's rounding
    with pytest.raises(Unbounded, match="for ever"):
        linear_value(still, K, EXPLORATION)
    with pytest.raises(Unbounded, match="for ever"):
        linear_gradient(rational_model(1), K, START)


def test_refusals():
    one = [["1"]]
    with pytest.raises(InvalidMDP, match=r"A has shape \(1, 2\)"):
        LinearQuadratic([["1", 2]], one, one, one, 1)
    with pytest.raises(InvalidMDP, match="Q is not symmetric"):
        LinearQuadratic(np.eye(2), np.eye(2), [[1.0, 2.0], [0.0, 1.0]], np.eye(2), 0.9)
    with pytest.raises(InvalidMDP, match="noise has a negative"):
        rational_model(noise=[[1, 2], [2, 1]])
    with pytest.raises(InvalidMDP, match="gamma"):
        rational_model("11/10")
    with pytest.raises(InvalidMDP, match="float"):
        LinearQuadratic(one, one, one, [[0.5]], 1)
    with pytest.raises(InvalidMDP, match="R is not positive"):
        optimal_gain(LinearQuadratic(one, one, one, [[0]], 1))
    with pytest.raises(NotExact, match="2 states"):
        optimal_gain(rational_model())
    with pytest.raises(NotConverged, match="B = 0"):
        optimal_gain(LinearQuadratic(one, [[0]], one, one, 1))
    with pytest.raises(NotConverged):
        optimal_gain(LinearQuadratic([[1.0]], [[0.0]], [[1.0]], [[1.0]], 1.0))
    with pytest.raises(InvalidPolicy, match="K has shape"):
        linear_value(rational_model(), [["1"]])
    with pytest.raises(InvalidPolicy, match="exploration has a negative"):
        linear_value(rational_model(), K, [[-1]])
    with pytest.raises(MixedNumbers):
        linear_value(rational_model(), [[0.5, 0.5]])
    with pytest.raises(ValueError, match="start has a negative"):
        linear_return(rational_model(), K, [[-1, 0], [0, 1]])
    assert Quadratic(np.array([[F(2)]]), F(1)).at([3]) == -19
