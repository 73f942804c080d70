"""Temporal differences with linear values V_θ = Φθ, in expectation: where they go, and whether they arrive.

With features Φ (S, K), states drawn from d (D = diag d), and the policy's P, r:

    E[θ' | θ] = θ + α (b - A θ),   A = Zᵀ (I - γP) Φ,   b = Zᵀ r,   Z = (I - γλP)⁻ᵀ D Φ                    [L1]
    TD(0):  Z = DΦ.     On-policy (d P = d), Z is the stationary mean of the eligibility trace.
    TD(λ) fixed point     A θ = b,   Φθ = Π T^λ(Φθ)                                                        [L2]
    Monte Carlo           θ = argmin ‖Φθ - V‖_d,   Φθ = ΠV                                                 [L3]
    residual gradient     θ = argmin ‖T(Φθ) - Φθ‖_d                                                        [L4]
    ‖Φθ_TD(λ) - V‖²_d ≤ ‖ΠV - V‖²_d / (1 - κ²),   κ = γ(1 - λ) / (1 - γλ),   if d P ≤ d                    [L5]

Π is the projection on the span of Φ in ‖x‖²_d = Σ_s d(s) x(s)². Tsitsiklis and Van Roy (1997), Theorem 1, whose factor
1 / (1 - κ) [L5] sharpens by Pythagoras (Bertsekas 2012, §6.3): ΠT^λ contracts by κ in ‖·‖_d, because
‖P x‖_d ≤ ‖x‖_d. Off-policy neither holds, and A may have eigenvalues of negative real part: the updates then diverge for
every step size (Baird 1995). [L4] with one successor per update minimises E[δ²] instead; it needs two independent ones.

Features may depend linearly: θ moves in the row space of Φ alone, so directions with Φx = 0 stand still. Fixed points are
those of least norm (Φ without a null space aside), and the verdict leaves the standing directions out. A terminal state's
features are read as 0, which is its value.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import ROW_SUM_TOLERANCE
from rlexact.exact.bound import Bound
from rlexact.exact.expected_updates import ExpectedUpdate, checked_weights, step_size
from rlexact.exact.stability import Stability, positive_stable, spectrum
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class LinearErrors:
    """What Φθ misses, each a squared d-norm: ‖Φθ - V‖², ‖T(Φθ) - Φθ‖², ‖Π(T(Φθ) - Φθ)‖²."""

    value: Any
    bellman: Any
    projected: Any


@dataclass(frozen=True, eq=False)
class LinearTD:
    """The expected update θ ← θ + α (b - A θ) [L1] over n places: the states, or the pairs (s, a) row by row."""

    A: Any  # (K, K)
    b: Array  # (K,)
    features: Any  # (n, K)
    weights: Array  # (n,)
    transitions: Any  # (n, n)
    rewards: Array  # (n,)
    gamma: Any
    lam: Any
    model: MDP

    def update(self, alpha: Any) -> ExpectedUpdate:
        """The map θ ↦ θ + α (b - A θ) [L1], its iterates and spectral radius.  Raises `ValueError` for a bad α."""
        alpha = step_size(self.model, alpha)
        return ExpectedUpdate(ar.eye(self.A) - alpha * self.A, ar.tidy(alpha * self.b))

    def values(self, theta: Array) -> Array:
        """Φθ: (K,) -> (n,)."""
        return ar.tidy(self.features @ self.model.beside("theta", theta))

    def backup(self, values: Array) -> Array:
        """T v = r + γ P v: (n,) -> (n,)."""
        return ar.tidy(self.rewards + self.gamma * (self.transitions @ values))

    def true_values(self) -> Array:
        """V = (I - γP)⁻¹ r: -> (n,).  Raises `SingularSystem` at γ = 1 where an episode may never end."""
        return ar.solve(ar.eye(self.transitions) - self.gamma * self.transitions, self.rewards)

    def fixed_point(self) -> Array:
        """θ of TD(λ) [L2], of least norm: -> (K,).  Raises `SingularSystem` where values are not determined."""
        return ar.solve(self.A + standing(self.features), self.b)

    def monte_carlo(self) -> Array:
        """θ of least squares to the true values [L3], of least norm: -> (K,)."""
        return weighted_fit(self.features, self.weights, self.true_values())

    def residual_gradient(self) -> Array:
        """θ of the least Bellman error [L4], of least norm: -> (K,)."""
        changes = self.features - self.gamma * (self.transitions @ self.features)
        return weighted_fit(changes, self.weights, self.rewards)

    def errors(self, theta: Array) -> LinearErrors:
        """Value error, Bellman error and projected Bellman error of θ, squared in ‖·‖_d: (K,) -> three numbers."""
        v = self.values(theta)
        delta = self.backup(v) - v
        seen = self.features @ weighted_fit(self.features, self.weights, delta)
        return LinearErrors(*(squared_norm(x, self.weights) for x in (v - self.true_values(), delta, seen)))

    def stability(self) -> Stability:
        """Spectrum of A and the verdict on θ' = b - A θ, floats only: `NotExact` in rationals, where `stable` decides."""
        return spectrum(self.A, self.idle)

    def stable(self) -> bool:
        """Whether Φθ converges for all small enough steps: every Re λ(A) > 0.  Exact in rationals (Routh-Hurwitz)."""
        return positive_stable(self.A, self.idle)

    @property
    def idle(self) -> int:
        """The dimension of {x: Φx = 0}, where θ stands still."""
        return int(ar.null_space(self.features).shape[1])

    def error_bound(self) -> Bound:
        """Both sides of [L5] in squares.

        Raises `ValueError` where its hypotheses fail: γ = 1, or some state s with (dP)(s) > d(s), which is named.
        """
        if self.gamma == 1:
            raise ValueError("the bound divides by 1 - κ² and κ = 1 at gamma = 1: give a discount below 1")
        check_invariant(self.weights, self.weights @ self.transitions)
        kappa = self.gamma * (1 - self.lam) / (1 - self.gamma * self.lam)
        v = self.true_values()
        left, best = (
            squared_norm(self.features @ theta - v, self.weights) for theta in (self.fixed_point(), self.monte_carlo())
        )
        return Bound(left, best / (1 - kappa * kappa))


def linear_td(mdp: MDP, policy: Array, features: Array, weights: Array, lam: Any = 0) -> LinearTD:
    """TD(λ) of state values [L1]: (S, A), (S, K), (S,) weights d ≥ 0, λ in [0, 1].

    d is any law of the updated state: the stationary law on-policy, the behaviour's off-policy, ones for sweeps over all
    states. For λ > 0 it is the law of the state whose λ-return is the target. Raises `ValueError` for bad shapes, d or λ.
    """
    P, r = mdp.under(policy)
    return at_places(mdp, P, r, checked_features(mdp, features, mdp.terminal), weights, lam)


def linear_sarsa(mdp: MDP, policy: Array, features: Array, weights: Array, lam: Any = 0) -> LinearTD:
    """The same for action values: SARSA(λ) and expected SARSA(λ): (S, A), (S, A, K), (S, A) weights, λ in [0, 1]."""
    pairs = mdp.kernel @ ar.mix(mdp.admit(policy), ar.eye(mdp.kernel))  # (S·A, S·A): s, a -> s', a'
    return at_places(mdp, pairs, mdp.r, checked_features(mdp, features, ~mdp.available), weights, lam)


def expected_linear_q(mdp: MDP, features: Array, theta: Array, alpha: Any, weights: Array) -> Array:
    """E[θ'] after one linear Q-learning update: (S, A, K), (K,), α, (S, A) weights -> (K,).

    θ + α Φᵀ D (r + γ P max_a' Φθ - Φθ): not linear in θ, so there is no A and no spectrum.
    """
    phi = checked_features(mdp, features, ~mdp.available)
    held = mdp.beside("theta", theta)
    q = phi @ held
    top, _ = ar.best(q.reshape(mdp.r.shape), mdp.available)
    d = checked_weights(mdp, weights, mdp.r.shape).ravel()
    error = mdp.r.ravel() + mdp.gamma * (mdp.kernel @ top) - q
    return ar.tidy(held + step_size(mdp, alpha) * (phi.T @ (d * error)))


def at_places(mdp: MDP, P: Any, r: Array, phi: Any, weights: Array, lam: Any) -> LinearTD:
    """[L1] over states or pairs."""
    d, lam, I = checked_weights(mdp, weights, r.shape).ravel(), checked_lam(mdp, lam), ar.eye(P)  # noqa: E741
    Z = ar.kernel_from(ar.solve((I - mdp.gamma * lam * P).T, ar.dense_array(ar.mix(d[:, None], phi))))
    r = r.ravel()
    return LinearTD(Z.T @ (phi - mdp.gamma * (P @ phi)), ar.tidy(Z.T @ r), phi, d, P, r, mdp.gamma, lam, mdp)


def weighted_fit(X: Any, d: Array, y: Array) -> Array:
    """argmin_θ ‖Xθ - y‖_d of least norm: (n, K), (n,), (n,) -> (K,)."""
    weighted = ar.mix(d[:, None], X)
    G = weighted.T @ X
    return ar.solve(G + standing(G), weighted.T @ y)


def standing(X: Any) -> Any:
    """N Nᵀ with the columns of N a basis of {x: Xx = 0}: it makes a system on the row space regular, (n, K) -> (K, K)."""
    N = ar.kernel_from(np.column_stack([ar.zeros(X, X.shape[1]), ar.null_space(X)]))  # 0 first: never empty
    return N @ N.T


def squared_norm(x: Array, d: Array) -> Any:
    """‖x‖²_d = Σ_s d(s) x(s)²."""
    return ar.tidy(np.array([(d * x * x).sum()]))[0]


def check_invariant(d: Array, after: Array) -> None:
    more = ar.negative(d - after) & ar.apart(after, d, ROW_SUM_TOLERANCE)
    if more.any():
        s = int(np.flatnonzero(more)[0])
        raise ValueError(
            f"the bound is for weights with d P <= d: place {s} has weight {d[s]} and is entered with {after[s]}. "
            "Give the policy's stationary law, or its undiscounted visits"
        )


def checked_features(mdp: MDP, features: Array, ended: Array) -> Any:
    """A kernel of the model's numbers, one row per place, 0 where nothing is estimated."""
    array = mdp.beside("features", features)
    if array.ndim != ended.ndim + 1 or array.shape[:-1] != ended.shape or not array.shape[-1]:
        raise ValueError(f"features have shape {array.shape}: give {(*ended.shape, 'K')}, K numbers for each place")
    if not ar.finite(array).all():
        raise ValueError("features are not all finite numbers")
    return ar.kernel_from(np.where(ended[..., None], ar.zeros(mdp.r, array.shape), array).reshape(-1, array.shape[-1]))


def checked_lam(mdp: MDP, lam: Any) -> Any:
    found = np.array([ar.number(mdp.r, lam)])
    if not ar.finite(found).all() or ar.negative(found).any() or ar.negative(1 - found).any():
        raise ValueError(f"lam = {lam!r}: give a trace parameter in [0, 1]")
    return found[0]
