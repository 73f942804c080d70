"""Linear dynamics and quadratic costs: the model with continuous actions that can be known exactly.

    x' = A x + B u + w,   r = -xᵀQx - uᵀRu,   u = -K x + e,   w ~ (0, W) and e ~ (0, Σ), independent     [Z1]
    P = Q + KᵀRK + γ MᵀPM with M = A - B K;   V(x) = -xᵀPx - c                                          [Z2]
    (1 - γ) c = tr RΣ + γ tr P(W + BΣBᵀ)                                                                [Z3]
    Q(x, u) = -xᵀQx - uᵀRu + γ E V(A x + B u + w)                                                       [Z4]
    X = X₀ + γ/(1-γ) (W + BΣBᵀ) + γ M X Mᵀ, the discounted sum of E[x_t x_tᵀ];   J = -tr P X₀ - c       [Z5]
    ∇_K J = -2 E X with E = R K - γ BᵀP M, which is E[Σ_t γ^t ∇_u Q(x_t, -K x_t) (-x_t)ᵀ]              [Z6]
    P* = Q + γ AᵀP*A - γ² AᵀP*B (R + γ BᵀP*B)⁻¹ BᵀP*A,   K* = γ (R + γ BᵀP*B)⁻¹ BᵀP*A                    [Z7]

The laws of w and e need not be Gaussian: their covariances are all that enters. [Z2] has its solution as a sum over time
where every eigenvalue of √γ M is inside the unit circle, which is decided by Lyapunov's test: Y = I + γ M Y Mᵀ is
positive definite. Bradtke (1993) for [Z4]; Silver et al. (2014) for the second form of [Z6]; Fazel et al. (2018) for the
first; Bertsekas (2012), Vol. II, §4.2 for [Z7].
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, MixedNumbers, NotExact, SingularSystem
from rlexact.invalid import InvalidMDP, InvalidPolicy
from rlexact.solution import NotConverged, Unbounded

LEAST_PIVOT = 1e-12  # of the largest entry: what rounding leaves of a zero when floats are eliminated


class UnstablePolicy(InvalidPolicy):
    """√γ (A - BK) has an eigenvalue on or outside the unit circle."""


@dataclass(frozen=True, eq=False)
class LinearQuadratic:
    """[Z1]: A (n, n), B (n, m), symmetric costs Q (n, n) and R (m, m), 0 ≤ gamma ≤ 1, `noise` the covariance W (0 if None).

    Floats, rationals or symbols, all of one kind. Raises `InvalidMDP` where they do not fit.
    """

    A: Any
    B: Any
    Q: Any
    R: Any
    gamma: Any
    noise: Any = None

    def __post_init__(self) -> None:
        given = {name: x for name, x in vars(self).items() if x is not None}
        try:
            numbers = ar.read(given)
        except (ar.NotANumber, MixedNumbers) as error:
            raise InvalidMDP(str(error)) from None
        if numbers["B"].ndim != 2:
            raise InvalidMDP(
                f"B has shape {numbers['B'].shape}: give a row for each of n states, a column for each action"
            )
        n, m = numbers["B"].shape
        numbers.setdefault("noise", ar.zeros(numbers["B"], (n, n)))
        for name, shape in (("A", (n, n)), ("B", (n, m)), ("Q", (n, n)), ("R", (m, m)), ("noise", (n, n))):
            object.__setattr__(self, name, shaped(name, numbers[name], shape, InvalidMDP))
        for name in ("Q", "R", "noise"):
            check_symmetric(name, getattr(self, name))
        if not semidefinite(self.noise):
            raise InvalidMDP("noise has a negative eigenvalue: give a covariance")
        gamma = np.asarray(numbers["gamma"])
        if gamma.ndim or not ar.finite(gamma).all() or ar.negative(gamma).any() or ar.negative(1 - gamma).any():
            raise InvalidMDP(f"gamma = {self.gamma}: give a number from 0 to 1")
        object.__setattr__(self, "gamma", gamma[()])

    def closed(self, K: Array) -> Array:
        """M = A - BK: (m, n) -> (n, n)."""
        return ar.tidy(self.A - self.B @ K)

    def spread(self, exploration: Array) -> Array:
        """W + BΣBᵀ, what one step adds to the covariance of the state: (m, m) -> (n, n)."""
        return ar.tidy(self.noise + self.B @ exploration @ self.B.T)


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The function z -> -zᵀHz - c, with H (k, k) symmetric."""

    H: Array
    c: Any

    def at(self, *parts: Any) -> Any:
        """The value at z, given whole or as its parts, `at(x, u)`: vectors -> a number."""
        z = beside(self.H, "z", np.concatenate([np.asarray(part) for part in parts]), (len(self.H),))
        return ar.tidy(np.asarray(-(z @ self.H @ z) - self.c))[()]


@dataclass(frozen=True, eq=False)
class OptimalGain:
    """K* (m, n) and P* (n, n) [Z7]; `residual` is the largest entry of right - left, 0 in exact numbers."""

    K: Array
    P: Array
    residual: Any


def linear_value(model: LinearQuadratic, K: Any, exploration: Any = None) -> Quadratic:
    """V of u = -Kx + e [Z2, Z3]: (m, n), covariance (m, m) or None -> `Quadratic` in x, in rewards.

    Raises `UnstablePolicy`, also where what explodes costs nothing, and `Unbounded` where noise costs for ever at γ = 1.
    """
    K, sigma = checked_policy(model, K, exploration)
    M = model.closed(K)
    P = summed(model, M.T, model.Q + K.T @ model.R @ K)
    return Quadratic(P, per_step(model, trace(model.R @ sigma) + model.gamma * trace(P @ model.spread(sigma))))


def linear_action_value(model: LinearQuadratic, K: Any, exploration: Any = None) -> Quadratic:
    """Q of the same policy [Z4]: (m, n) -> `Quadratic` in z = (x, u), in rewards.  Raises as `linear_value`."""
    v = linear_value(model, K, exploration)
    step = np.hstack([model.A, model.B])
    n, m = model.B.shape
    none = ar.zeros(model.A, (n, m))
    cost = np.block([[model.Q, none], [none.T, model.R]])
    H = cost + model.gamma * step.T @ v.H @ step
    return Quadratic(ar.tidy(H), single(model.gamma * (trace(v.H @ model.noise) + v.c)))


def linear_return(model: LinearQuadratic, K: Any, start: Any, exploration: Any = None) -> Any:
    """J from a start with E[x₀x₀ᵀ] = `start` [Z5]: (m, n), (n, n) -> a number, in rewards.  Raises as `linear_value`."""
    v = linear_value(model, K, exploration)
    return single(-trace(v.H @ second_moment(model, start)) - v.c)


def linear_gradient(model: LinearQuadratic, K: Any, start: Any, exploration: Any = None) -> Array:
    """∇_K J, the deterministic policy gradient [Z6]: (m, n), (n, n) -> (m, n).  Raises as `linear_value`."""
    K, sigma = checked_policy(model, K, exploration)
    M, P = model.closed(K), linear_value(model, K, sigma).H
    noise = model.spread(sigma)
    lasting = noise if not ar.apart(noise, 0).any() else model.gamma * noise / positive_rate(model)
    X = summed(model, M, second_moment(model, start) + lasting)
    return ar.tidy(-2 * (model.R @ K - model.gamma * model.B.T @ P @ M) @ X)


def optimal_gain(model: LinearQuadratic) -> OptimalGain:
    """The best gain of all stable ones, noise or none [Z7]: -> `OptimalGain`.

    Floats by SciPy's solver of the Riccati equation. Exact numbers where n = 1: P* is then the root of a quadratic. Raises
    `NotExact` where it is not rational and for n > 1, `InvalidMDP` unless R is positive definite, `NotConverged` where the
    equation has no stabilising solution.
    """
    if not semidefinite(model.R, strictly=True):
        raise InvalidMDP("R is not positive definite: charge every direction of u, or the best gain need not exist")
    P = scalar_root(model) if ar.is_exact(model.A) else by_riccati(model)
    G = ar.tidy(model.R + model.gamma * model.B.T @ P @ model.B)
    K = ar.solve(ar.kernel_from(G), ar.tidy(model.gamma * model.B.T @ P @ model.A))
    back = model.Q + model.gamma * model.A.T @ P @ (model.A - model.B @ K)
    off = ar.tidy(back - P)
    found = OptimalGain(K, P, ar.largest(np.concatenate([off, -off])))
    if not stable(model, model.closed(K)):
        raise NotConverged(
            "no stabilising gain solves the Riccati equation: some cost-free mode neither grows nor decays", found
        )
    return found


def by_riccati(model: LinearQuadratic) -> Array:
    root = np.sqrt(model.gamma)
    try:
        return np.asarray(scipy.linalg.solve_discrete_are(root * model.A, root * model.B, model.Q, model.R))
    except (np.linalg.LinAlgError, ValueError) as error:
        raise NotConverged(
            f"the Riccati equation has no stabilising solution that SciPy finds: {error}", None
        ) from None


def scalar_root(model: LinearQuadratic) -> Array:
    """P* where n = 1: γ g p² + h p = q with g = BR⁻¹Bᵀ and h = 1 - γa² - γgq; its larger root stabilises."""
    if len(model.A) > 1:
        raise NotExact(f"P* of {len(model.A)} states is algebraic of a high degree: give the model in floats")
    g = (model.B @ ar.solve(ar.kernel_from(model.R), model.B.T))[0, 0] * model.gamma
    a, q = model.A[0, 0], model.Q[0, 0]
    h = 1 - model.gamma * a * a - g * q
    if ar.apart(g, 0).any():
        p = (ar.square_root(np.asarray(h * h + 4 * g * q))[()] - h) / (2 * g)
    elif ar.negative(1 - model.gamma * a * a).any() or not ar.apart(h, 0).any():
        raise NotConverged("B = 0 and √γ A is not inside the unit circle: no gain is stable", None)
    else:
        p = q / h
    return ar.tidy(np.asarray([[p]], dtype=object))


def summed(model: LinearQuadratic, M: Array, C: Array) -> Array:
    """Σ_t γ^t M^t C (Mᵀ)^t, the solution of S = C + γ M S Mᵀ: (n, n), (n, n) -> (n, n)."""
    system = ar.kernel_from(ar.tidy(np.kron(M, M) * model.gamma))
    S = ar.solve(ar.eye(system) - system, ar.tidy(C).ravel()).reshape(C.shape)
    return ar.tidy((S + S.T) / 2)


def stable(model: LinearQuadratic, M: Array) -> bool:
    """Lyapunov's test, which an undecided symbol passes."""
    identity = ar.dense_array(ar.eye(ar.kernel_from(M)))
    try:
        return semidefinite(summed(model, M, identity), strictly=True)
    except SingularSystem:
        return False


def semidefinite(S: Array, *, strictly: bool = False) -> bool:
    """Whether xᵀSx ≥ 0 for all x, or > 0 for all x ≠ 0, by the pivots of elimination."""
    slop = 0 if ar.is_exact(S) else LEAST_PIVOT * np.abs(S).max(initial=0.0)
    while S.size:
        pivot, line = S[0, 0], S[1:, 0]
        flat = not ar.apart(pivot, 0, slop).any()
        if (strictly or ar.apart(line, 0, slop).any()) if flat else ar.negative(pivot).any():
            return False
        S = S[1:, 1:] if flat else ar.tidy(S[1:, 1:] - np.outer(line, line) / pivot)
    return True


def checked_policy(model: LinearQuadratic, K: Any, exploration: Any) -> tuple[Array, Array]:
    """K (m, n) and Σ (m, m) in the model's numbers, K stable."""
    n, m = model.B.shape
    K = beside(model.A, "K", K, (m, n))
    sigma = ar.zeros(model.A, (m, m)) if exploration is None else beside(model.A, "exploration", exploration, (m, m))
    check_symmetric("exploration", sigma, InvalidPolicy)
    if not semidefinite(sigma):
        raise InvalidPolicy("exploration has a negative eigenvalue: give a covariance")
    if not stable(model, M := model.closed(K)):
        raise UnstablePolicy(f"√γ (A - BK) has spectral radius {radius(model, M)}: it must be below 1. Give another K")
    return K, sigma


def radius(model: LinearQuadratic, M: Array) -> str:
    try:
        return f"{np.sqrt(float(model.gamma)) * np.abs(np.linalg.eigvals(np.asarray(M, dtype=float))).max():.6g}"
    except TypeError:
        return "1 or more"


def second_moment(model: LinearQuadratic, start: Any) -> Array:
    S = beside(model.A, "start", start, model.A.shape)
    check_symmetric("start", S, ValueError)
    if not semidefinite(S):
        raise ValueError("start has a negative eigenvalue: give E[x xᵀ], which is np.outer(x, x) for one state")
    return S


def beside(like: Array, name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Numbers read beside the model's own; integers join every kind.  Raises `MixedNumbers` for another kind."""
    numbers = ar.read({name: value, "the model": like})
    if ar.of(numbers["the model"]) is not ar.of(like):
        raise MixedNumbers(
            f"{name} is {ar.of(numbers[name]).NAME}, the model is {ar.of(like).NAME}: convert one of them"
        )
    return shaped(name, numbers[name], shape, InvalidPolicy)


def shaped(name: str, array: Array, shape: tuple[int, ...], error: type[ValueError]) -> Array:
    if array.shape != shape or not ar.finite(array).all():
        raise error(f"{name} has shape {array.shape}: give {shape}, every entry finite")
    out = np.array(ar.tidy(array))
    out.setflags(write=False)
    return out


def check_symmetric(name: str, S: Array, error: type[ValueError] = InvalidMDP) -> None:
    if ar.apart(S, S.T, LEAST_PIVOT * np.abs(S).max(initial=0.0) if not ar.is_exact(S) else 0).any():
        raise error(f"{name} is not symmetric: give ({name} + {name}ᵀ) / 2, which is the same quadratic form")


def positive_rate(model: LinearQuadratic) -> Any:
    """1 - γ.  Raises `Unbounded` where it is 0."""
    if not ar.apart(np.asarray(rate := 1 - model.gamma), 0).any():
        raise Unbounded("at gamma = 1 noise costs as much at every step for ever: give a gamma below 1, or no noise")
    return rate


def per_step(model: LinearQuadratic, cost: Any) -> Any:
    """cost / (1 - γ) [Z3], 0 where there is none."""
    return single(cost / positive_rate(model)) if ar.apart(np.asarray(cost), 0).any() else cost


def trace(S: Array) -> Any:
    return S.trace()


def single(x: Any) -> Any:
    return ar.tidy(np.asarray(x))[()]
