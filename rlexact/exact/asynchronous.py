"""What asynchrony changes, exactly: gradients taken at stale parameters, and samples along one chain or across many.

    θ_{k+1} = θ_k + α g(θ_{max(k-d, 0)}),   g = ∇J                                                    [A1]  delayed_ascent
    bias_d = g(θ_{t-d}) - g(θ_t),   θ_t reached from θ_{t-d} by d steps of exact ascent                [A2]  stale_gradient
           = -d α H(θ_t) g(θ_t) + O(α²),   H = ∇²J                                                    [A3]
    x_{k+1} = x_k + α H x_{k-d}   near a maximum: the companion matrix of this recursion               [A4]  delay_companion

With W workers that push in turn, each gradient is d = W - 1 updates old. In one dimension, with curvature H = -h, [A4] dies
out if and only if αh < 2 sin(π / (4d + 2)): 2 without delay, 1 for d = 1 (Levin and May 1976). For a function f of a state or
of a pair, along a stationary chain with law ϱ,

    C_k = Σ ϱ f P^k f - (ϱ f)²                                                                        [A5]  autocovariance
    Var of the mean of n steps = (C_0 + 2 Σ_{0<k<n} (1 - k/n) C_k) / n                                [A6]  mean_variance
    n Var → C_0 + 2 Σ_{k>0} C_k = 2 ϱ (f̄ h) - C_0,   (I - P_c) h = f̄,  f̄ = f - ϱ f                     [A7]  asymptotic_variance
    effective sample size = C_0 / Var, the number of independent samples that do as well              [A8]

where P_c is P without the column of one recurrent c, and h(s) the sum of f̄ expected on the way from s to the next visit of c. W
independent workers divide [A6] by W, so that W workers with one step each have C_0 / W. Whether a chain is worse
than that is a question of signs: where states alternate, C_1 < 0, and n steps in a row are worth more than n. Mnih et al.
(2016) for the algorithm; Meyn and Tweedie (2009), §17.4 for [A7], where sums are Cesàro sums if the chain is periodic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted, settled
from rlexact.exact.gradient import hessian, policy_gradient
from rlexact.exact.parameterisation import ParameterisedPolicy
from rlexact.exact.stationary import stationary
from rlexact.mdp import MDP

Family = Callable[[Array], ParameterisedPolicy]  # θ -> the family at θ


@dataclass(frozen=True, eq=False)
class StaleGradient:
    """At `theta` θ_t: the `fresh` gradient, the `stale` one of d updates before, and `first_order` [A3], in the shape of θ."""

    theta: Array
    fresh: Array
    stale: Array
    first_order: Array

    @property
    def bias(self) -> Array:
        """stale - fresh [A2]."""
        return ar.tidy(self.stale - self.fresh)


def delayed_ascent(mdp: MDP, at: Family, theta: Array, alpha: Any, delay: int, updates: int) -> Array:
    """θ_0, ..., θ_n of gradient ascent whose gradients are `delay` updates old [A1]: θ -> (n + 1, *shape of θ).

    `at(theta)` is the family at θ, in the model's own numbers. The first `delay` updates use g(θ_0). Raises as
    `policy_gradient`, and `InvalidPolicy` where a step leaves the family.
    """
    d, step = counted(delay, "updates of delay", least=0), ar.number(mdp.r, alpha)
    passed, gradients = [mdp.beside("theta", theta)], []
    for k in range(counted(updates, "updates", least=0)):
        gradients.append(policy_gradient(mdp, at(passed[k])))
        passed.append(ar.tidy(passed[k] + step * gradients[max(k - d, 0)]))
    return np.array(passed)


def stale_gradient(mdp: MDP, at: Family, theta: Array, alpha: Any, delay: int) -> StaleGradient:
    """What a gradient taken at θ_{t-d} = `theta` is wrong by at θ_t [A2], and to first order [A3].

    Raises as `delayed_ascent`, and `InvalidPolicy` for a family without second derivatives.
    """
    passed = delayed_ascent(mdp, at, theta, alpha, 0, counted(delay, "updates of delay", least=0))
    here = at(passed[-1])
    fresh = policy_gradient(mdp, here)
    bent = (hessian(mdp, here) @ fresh.ravel()).reshape(fresh.shape)
    first = ar.tidy(-delay * ar.number(mdp.r, alpha) * bent)
    return StaleGradient(passed[-1], fresh, policy_gradient(mdp, at(passed[0])), first)


def delay_companion(H: Array, alpha: Any, delay: int) -> Any:
    """The matrix that takes (x_k, ..., x_{k-d}) to (x_{k+1}, ..., x_{k-d+1}) [A4]: (K, K) -> kernel (K(d+1), K(d+1)).

    `exact.stability.schur_stable` of it says, exactly in rationals, whether delayed ascent returns to the maximum.
    """
    size, d = len(H), counted(delay, "updates of delay", least=0)
    M = ar.zeros(H, (size * (d + 1), size * (d + 1)))
    one = ar.dense_array(ar.eye(ar.kernel_from(H)))
    M[:size, :size] = one
    M[:size, size * d :] = M[:size, size * d :] + ar.number(H, alpha) * H
    for i in range(d):
        M[size * (i + 1) : size * (i + 2), size * i : size * (i + 1)] = one
    return ar.kernel_from(ar.tidy(M))


# -- samples along one chain, and across workers ----------------------------------------------------------------------


def autocovariance(mdp: MDP, policy: Array, f: Array, lags: int) -> Array:
    """C_0, ..., C_lags of f (S,) or (S, A) under the stationary law [A5]: -> (lags + 1,), in squared units of f.

    Raises `InvalidPolicy` unless the policy has exactly one closed class (`stationary`), `ValueError` for f of another shape.
    """
    P, law, centred = stationary_chain(mdp, policy, f)
    found, ahead = [], centred
    for _ in range(counted(lags, "lags", least=0) + 1):
        found.append((law * centred * ahead).sum())
        ahead = ar.tidy(P @ ahead)
    return ar.tidy(np.array(found))


def mean_variance(mdp: MDP, policy: Array, f: Array, n: int, workers: int = 1) -> Any:
    """Variance of the mean of f over n steps in a row of each of W independent workers [A6].  Raises as `autocovariance`."""
    C = autocovariance(mdp, policy, f, counted(n, "steps") - 1)
    shares = np.array([ar.number(mdp.r, Fraction(n - k, n)) for k in range(1, n)])
    spread = C[0] + 2 * (shares * C[1:]).sum()
    return settled(spread * ar.number(mdp.r, Fraction(1, n * counted(workers, "workers"))))


def asymptotic_variance(mdp: MDP, policy: Array, f: Array) -> Any:
    """lim n · Var of the mean of n steps [A7], by one linear solve: -> a number.  Raises as `autocovariance`."""
    P, law, centred = stationary_chain(mdp, policy, f)
    kept = ar.ones(mdp.r, law.size)
    kept[np.flatnonzero(ar.apart(law, 0))[0]] = ar.number(mdp.r, 0)
    h = ar.solve(ar.eye(P) - ar.columns_from(P, kept), centred)
    return settled((law * centred * (2 * h - centred)).sum())


def effective_sample_size(mdp: MDP, policy: Array, f: Array, n: int, workers: int = 1) -> Any:
    """How many independent samples have a mean of the same variance [A8]: n W for uncorrelated ones.

    Raises as `autocovariance`, and `ValueError` where the mean does not vary at all.
    """
    spread = mean_variance(mdp, policy, f, n, workers)
    if not ar.apart(np.array(spread), 0):
        raise ValueError(f"the mean of {n} steps does not vary: no number of independent samples does as well")
    return settled(autocovariance(mdp, policy, f, 0)[0] / spread)


def stationary_chain(mdp: MDP, policy: Array, f: Array) -> tuple[Any, Array, Array]:
    """The chain that f lives on (of states, or of pairs), its stationary law, and f less its mean: three of (n, ...)."""
    P, _ = mdp.under(policy)
    law, values = stationary(mdp, policy), mdp.beside("f", f)
    if values.shape == mdp.r.shape:
        pi = mdp.admit(policy)
        P, law = mdp.kernel @ ar.mix(pi, ar.eye(mdp.kernel)), (law[:, None] * pi).ravel()
    elif values.shape != law.shape:
        raise ValueError(f"f has shape {values.shape}: give {law.shape}, by state, or {mdp.r.shape}, by pair")
    values = values.ravel()
    return P, law, ar.tidy(values - (law * values).sum())
