"""Policies π_θ with their derivatives: what gradients and Fisher matrices need to know of a family at one point.

    direct        θ[s, a] = π(a | s), each entry free                                 ∂π = 1            [F1]  direct
    softmax       π(a | s) ∝ exp θ[s, a]                                                                [F2]  softmax
    log-linear    π(a | s) ∝ exp(θ · φ(s, a))                                                           [F3]  log_linear

        φ̃(s, a) = φ(s, a) - Σ_b π(b | s) φ(s, b),   ∂π(a | s) = π(a | s) φ̃(s, a)
        Σ_a w(s, a) ∂²π(a | s) = Σ_a π(a | s) (w(s, a) - Σ_b π(b | s) w(s, b)) φ̃(s, a) φ̃(s, a)ᵀ

    given         any π with its Jacobian, and its second derivatives where a Hessian is wanted        [F4]  with_jacobian

Softmax is log-linear with one feature for each pair. Its derivatives are rational functions of π, so `softmax_at` and
`log_linear_at` take π itself and stay exact where θ = log π would not. Agarwal, Kakade, Lee and Mahajan (2021), §3, for
[F1-F3]. The derivatives are held as a kernel ∂π of shape (S·A, K), row s·A + a, so a large sparse model is no obstacle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import ROW_SUM_TOLERANCE, InvalidPolicy
from rlexact.mdp import MDP
from rlexact.policy import softmax as softmax_policy


@dataclass(frozen=True, eq=False)
class ParameterisedPolicy:
    """A point of a family: `policy` (S, A), `slopes` ∂π as a kernel (S·A, K), the `shape` of θ, K entries in all.

    `curvature` takes w (S, A) to Σ w(s, a) ∂²π(a | s), (K, K); None where second derivatives were not given.
    """

    policy: Array
    slopes: Any
    shape: tuple[int, ...]
    curvature: Callable[[Array], Array] | None = None

    @property
    def size(self) -> int:
        """K, the number of parameters."""
        return int(np.prod(self.shape))

    @property
    def jacobian(self) -> Array:
        """∂π(a | s) / ∂θ written out: (S, A, *shape)."""
        return ar.dense_array(self.slopes).reshape(*self.policy.shape, *self.shape)

    def pull(self, w: Array) -> Array:
        """Σ_{s,a} w(s, a) ∂π(a | s): (S, A) -> an array of the shape of θ."""
        return np.asarray(ar.tidy(self.slopes.T @ w.ravel()).reshape(self.shape))

    def scores(self) -> Any:
        """∂ log π(a | s) as a kernel (S·A, K), 0 where π and its slope are both 0.

        Raises `InvalidPolicy` where π(a | s) = 0 can be left: there log π has no derivative.
        """
        pi = self.policy.ravel()
        taken = ar.apart(pi, 0)
        rows, cols, _ = ar.entries(self.slopes)
        if (lost := ~taken[rows]).any():
            s, a = divmod(int(rows[lost][0]), self.policy.shape[1])
            raise InvalidPolicy(
                f"policy[{s}, {a}] = 0 and parameter {cols[lost][0]} moves it: log π has no derivative there. Give a "
                "policy that takes every action it can move"
            )
        return scaled_rows(self.slopes, 1 / np.where(taken, pi, ar.ones(pi, pi.shape)))


def direct(mdp: MDP, policy: Array) -> ParameterisedPolicy:
    """The table itself [F1], θ of shape (S, A): entries of available actions are free, rows need not keep their sum."""
    pi = mdp.admit(policy)
    (free,) = np.nonzero(mdp.available.ravel())
    slopes = ar.assemble(mdp.kernel, free, free, ar.ones(mdp.r, free.size), (pi.size, pi.size))
    return ParameterisedPolicy(pi, slopes, pi.shape, lambda w: ar.zeros(mdp.r, (pi.size, pi.size)))


def softmax(mdp: MDP, logits: Array) -> ParameterisedPolicy:
    """Softmax at logits (S, A) [F2].  Floats and symbols; in rationals `NotExact` (`softmax_at` takes the policy)."""
    return softmax_at(mdp, softmax_policy(mdp, logits))


def softmax_at(mdp: MDP, policy: Array) -> ParameterisedPolicy:
    """Softmax at the logits that give this policy [F2], θ of shape (S, A): exact in every world.

    Where π(a | s) = 0 the derivatives are those of the limit θ[s, a] -> -∞, all 0.
    """
    pi = mdp.admit(policy)
    pairs = np.arange(pi.size)
    one_hot = ar.assemble(mdp.kernel, pairs, pairs, ar.ones(mdp.r, pi.size), (pi.size, pi.size))
    return exponential_family(pi, one_hot, pi.shape)


def log_linear(mdp: MDP, features: Array, theta: Array) -> ParameterisedPolicy:
    """π ∝ exp(θ · φ) [F3]: features (S, A, K), θ (K,).  Floats and symbols; in rationals `NotExact`."""
    phi, weights = checked_features(mdp, features), mdp.beside("theta", theta)
    if weights.shape != phi.shape[2:]:
        raise InvalidPolicy(f"theta has shape {weights.shape}, the features want {phi.shape[2:]}")
    return log_linear_at(mdp, softmax_policy(mdp, ar.tidy(phi @ weights)), phi)


def log_linear_at(mdp: MDP, policy: Array, features: Array) -> ParameterisedPolicy:
    """The log-linear family of features (S, A, K) at a policy that it holds [F3]: exact in every world.

    That some θ gives this policy is the caller's word: it is no question of arithmetic that rationals could decide.
    """
    phi = checked_features(mdp, features)
    pi = mdp.admit(policy)
    return exponential_family(pi, as_kernel(mdp, phi.reshape(pi.size, -1)), phi.shape[2:])


def with_jacobian(mdp: MDP, policy: Array, jacobian: Array, hessian: Array | None = None) -> ParameterisedPolicy:
    """Any family, by π (S, A), ∂π/∂θ (S, A, K) and, for Hessians, ∂²π/∂θ∂θ (S, A, K, K) [F4].

    Raises `InvalidPolicy` where derivatives of one state's probabilities do not sum to 0, or an unavailable action moves.
    """
    pi, moved = mdp.admit(policy), checked_derivative(mdp, "jacobian", jacobian, 1)
    size = moved.shape[2]
    if hessian is None:
        return ParameterisedPolicy(pi, as_kernel(mdp, moved.reshape(pi.size, size)), (size,))
    bent = checked_derivative(mdp, "hessian", hessian, 2)
    if bent.shape[2:] != (size, size):
        raise InvalidPolicy(f"hessian has shape {bent.shape}: give {(*pi.shape, size, size)}")
    second = as_kernel(mdp, bent.reshape(pi.size, -1))
    return ParameterisedPolicy(
        pi,
        as_kernel(mdp, moved.reshape(pi.size, size)),
        (size,),
        lambda w: np.asarray((second.T @ w.ravel()).reshape(size, size)),
    )


def exponential_family(pi: Array, phi: Any, shape: tuple[int, ...]) -> ParameterisedPolicy:
    """∂π = π φ̃ and its curvature [F3], from the features as a kernel (S·A, K)."""
    owner = np.repeat(np.arange(pi.shape[0]), pi.shape[1])
    centred = phi - ar.take_rows(ar.mix(pi, phi), owner)

    def curvature(w: Array) -> Array:
        spread = pi * (w - ar.average(pi, w)[:, None])
        return ar.dense_array(centred.T @ scaled_rows(centred, spread.ravel()))

    return ParameterisedPolicy(pi, scaled_rows(centred, pi.ravel()), shape, curvature)


def scaled_rows(kernel: Any, w: Array) -> Any:
    """The kernel with row i multiplied by w[i]: (n, m), (n,) -> (n, m)."""
    return ar.kernel_from(ar.columns_from(kernel.T, w).T)


def as_kernel(mdp: MDP, array: Array) -> Any:
    """(n, m) numbers in the form the model keeps its own kernel."""
    return ar.assemble(mdp.kernel, *ar.entries(array), array.shape)


def checked_features(mdp: MDP, features: Array) -> Array:
    array = mdp.beside("features", features)
    if array.ndim != 3 or array.shape[:2] != mdp.r.shape:
        raise InvalidPolicy(f"features have shape {array.shape}: give {(*mdp.r.shape, 'K')}, one vector for each pair")
    if not (good := ar.finite(array)).all():
        s, a, k = np.argwhere(~good)[0]
        raise InvalidPolicy(f"features[{s}, {a}, {k}] = {array[s, a, k]} is not a finite number")
    return array


def checked_derivative(mdp: MDP, name: str, given: Array, order: int) -> Array:
    """Derivatives of probabilities: 0 at terminal states and unavailable actions, sums over actions 0."""
    array = mdp.beside(name, given)
    if array.ndim != 2 + order or array.shape[:2] != mdp.r.shape:
        raise InvalidPolicy(f"{name} has shape {array.shape}: give {(*mdp.r.shape, *'K' * order)}")
    live = mdp.available.any(axis=1)
    array = np.where(live.reshape(-1, *[1] * (order + 1)), array, ar.zeros(mdp.r, array.shape))
    fixed = (~mdp.available).reshape(*mdp.r.shape, *[1] * order)
    for wrong, what in (
        (lambda: ~ar.finite(array), "is not a finite number"),
        (lambda: fixed & ar.apart(array, 0), "moves an action that is not available"),
        (lambda: unbalanced(array), "is one of derivatives that must sum to 0 over the actions"),
    ):
        if (bad := wrong()).any():
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            raise InvalidPolicy(f"{name}{list(place)} = {array[place]} {what}")
    return array


def unbalanced(array: Array) -> Array:
    """Where sums over actions leave 0 by more than the door forgives a policy: (S, A, ...) -> (S, A, ...) booleans."""
    sizes = np.abs(array).sum(axis=1)
    scale = np.where(ar.apart(sizes, 0), sizes, ar.ones(sizes, sizes.shape))
    lost = ar.apart(array.sum(axis=1) / scale, 0, ROW_SUM_TOLERANCE)
    return np.broadcast_to(lost[:, None], array.shape)
