"""Estimators of KL(π ‖ μ) from actions a ~ π, and what they do to a gradient.  ℓ = log (π / μ).

    k1 = ℓ,   k2 = ℓ² / 2,   k3 = μ/π - 1 + ℓ                                          [K1]  K1, K2, K3
    E k1 = KL,   E k3 = KL - μ(actions that π never takes),   E k2 = E ℓ² / 2          [K2]  kl_law

Differentiated, they part ways. In a reward, k is a number that multiplies the score; in a loss it is differentiated while
the actions stay what they were; the gradient of E k is the sum of the two:

    reward   Σ_a π k ∂ log π = Σ_a k ∂π                                                [K3]  reward_gradient
    loss     Σ_a π ∂k = Σ_a (dk / d log π) ∂π,   dk/d log π = 1, ℓ, 1 - μ/π            [K4]  loss_gradient
    ∂ KL(π ‖ μ) = Σ_a ℓ ∂π                                                             [K5]  kl_gradient

So k1 in the reward and k2 in the loss follow KL; k1 in the loss follows nothing (mean 0), k3 in the loss follows
KL(μ ‖ π), the other way round, where π takes every action of μ. Schulman (2020), "Approximating KL divergence"; [K3-K5] by
differentiation. Logarithms are for floats and symbols; the loss gradients of k1 and k3 hold none, and are exact in rationals.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import EstimatorLaw
from rlexact.exact.gradient import refuse_unbalanced, state_weights
from rlexact.exact.parameterisation import ParameterisedPolicy
from rlexact.exact.policy_distance import both, kl
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class KlEstimator:
    """k(a) and dk / d log π(a) [K1, K4], each a function of π and μ, (S, A), where π > 0."""

    name: str
    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]


def inverse_ratio(pi: Array, mu: Array) -> Array:
    """μ / π, 1 where π never acts: (S, A), (S, A) -> (S, A)."""
    taken = ar.apart(pi, 0)
    one = ar.ones(pi, pi.shape)
    return ar.tidy(np.where(taken, mu, one) / np.where(taken, pi, one))


def log_ratio(pi: Array, mu: Array) -> Array:
    """ℓ, 0 where π never acts: (S, A), (S, A) -> (S, A)."""
    return ar.surprise(pi, mu)


def half_square(pi: Array, mu: Array) -> Array:
    """ℓ² / 2: (S, A), (S, A) -> (S, A)."""
    ell = log_ratio(pi, mu)
    return np.asarray(ell * ell / 2)


K1 = KlEstimator("k1", log_ratio, lambda pi, mu: ar.ones(pi, pi.shape))
K2 = KlEstimator("k2", half_square, log_ratio)
K3 = KlEstimator(
    "k3",
    lambda pi, mu: inverse_ratio(pi, mu) - 1 + log_ratio(pi, mu),
    lambda pi, mu: 1 - inverse_ratio(pi, mu),
)


def kl_law(mdp: MDP, policy: Array, reference: Array, estimator: KlEstimator = K1) -> EstimatorLaw:
    """Mean, variance and bias in each state, of one action drawn from the policy [K2]: two (S, A) -> law of (S,).

    The target is KL(policy ‖ reference), in nats. Raises `InvalidPolicy` where it is infinite, `NotExact` in rationals.
    """
    pi, mu = both(mdp, policy, reference)
    k = estimator.value(pi, mu)
    mean = ar.average(pi, k)
    off = k - mean[:, None]
    return EstimatorLaw(mean, ar.average(pi, off * off), kl(mdp, policy, reference))


def reward_gradient(
    mdp: MDP, family: ParameterisedPolicy, reference: Array, weights: Array, estimator: KlEstimator = K1
) -> Array:
    """Mean of k times the score, states weighted by w (S,) held fixed [K3]: -> the shape of θ.  Raises as `kl_law`."""
    pi, mu = both(mdp, family.policy, reference)
    family.scores()  # refused where an action that is never drawn can be moved
    return family.pull(state_weights(mdp, weights)[:, None] * estimator.value(pi, mu))


def loss_gradient(
    mdp: MDP, family: ParameterisedPolicy, reference: Array, weights: Array, estimator: KlEstimator = K1
) -> Array:
    """Mean of the derivative of k, actions held fixed, states weighted by w (S,) [K4]: -> the shape of θ.

    Exact in rationals for k1 and k3; `NotExact` for k2. Raises `InvalidPolicy` as `kl_law`.
    """
    pi, mu = both(mdp, family.policy, reference)
    family.scores()  # refused where an action that is never drawn can be moved
    return family.pull(state_weights(mdp, weights)[:, None] * estimator.slope(pi, mu))


def kl_gradient(mdp: MDP, family: ParameterisedPolicy, reference: Array, weights: Array) -> Array:
    """The gradient of Σ_s w(s) KL(π ‖ reference)(s), w (S,) held fixed [K5]: -> the shape of θ.  Raises as `kl_law`."""
    refuse_unbalanced(mdp, family)
    return reward_gradient(mdp, family, reference, weights, K1)
