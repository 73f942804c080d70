"""The law of an estimator, as far as its first two moments: any function of a path, exactly, by enumeration.

    m = E[f(τ)] = Σ_τ p(τ) f(τ),   C = E[(f - m)(f - m)ᵀ]                    [L1]  estimator_law
    m = E[f(τ) | g(τ)],   C likewise                                         [L2]  estimator_law(..., given=g)
    bias = m - target,   mean squared error = variance + bias²               [L3]  EstimatorLaw
    m = Σ_s ρ(s) m(s),   Var = Σ_s ρ(s) (Var(s) + (m(s) - m)²)               [L4]  from_start

Any function will do: those of `gradient_estimators`, `return_estimators` and `importance_sampling`, or your own code wrapped
to take a `Path`. Covariances are those of centred values, not differences of large numbers. [L4] is the law of total
variance. In floats the sums carry the rounding of as many terms as there are paths.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.paths import Path, paths
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class EstimatorLaw:
    """`mean` and `variance`, numbers or arrays of one shape; the `target`, None where none was given.

    `covariance` (K, K), components in row-major order; None where components belong to different starts.
    """

    mean: Any
    variance: Any
    target: Any = None
    covariance: Any = None

    @property
    def bias(self) -> Any:
        """mean - target [L3].  Raises `ValueError` without a target."""
        if self.target is None:
            raise ValueError("the bias is the distance from a target: give target= what is to be estimated")
        return settled(self.mean - self.target)

    @property
    def mean_squared_error(self) -> Any:
        """variance + bias² [L3], component by component."""
        return settled(self.variance + self.bias * self.bias)

    def averaged(self, n: int) -> "EstimatorLaw":
        """The law of the mean of n independent copies."""
        share = ar.number(self.mean, counted(n, "copies")) ** -1
        return self.scaled(1, share)

    def scaled(self, mean: Any, variance: Any) -> "EstimatorLaw":
        """Mean and covariance multiplied by numbers, the target kept."""
        covariance = None if self.covariance is None else settled(variance * self.covariance)
        return EstimatorLaw(settled(mean * self.mean), settled(variance * self.variance), self.target, covariance)


def estimator_law(
    mdp: MDP,
    policy: Array | None,
    steps: int,
    estimator: Callable[[Path], Any],
    target: Any = None,
    *,
    start: Any = None,
    given: Callable[[Path], bool] | None = None,
    limit: int = 1_000_000,
) -> EstimatorLaw:
    """Mean and covariance of a function of a path [L1], among the paths where `given` holds [L2]: (S, A), steps -> law.

    The estimator gives numbers or arrays of one shape. Raises `TooManyPaths` and `InvalidMDP` as `paths` does,
    `MixedNumbers` where it gives floats for an exact model, `ValueError` for a value that is not finite or a condition
    that never holds.
    """
    listed = [p for p in paths(mdp, policy, steps, start, limit=limit) if given is None or given(p)]
    if not listed:
        raise ValueError("no path of positive probability meets the condition")
    p = mdp.beside("probabilities", np.array([path.probability for path in listed]))
    x = mdp.beside("the estimator", np.array([estimator(path) for path in listed]))
    if not (good := ar.finite(x)).all():
        raise ValueError(f"the estimator gives {x[~good][0]} on {listed[int(np.argwhere(~good)[0, 0])]}")
    return law_of(p if given is None else ar.tidy(p / p.sum()), x, target)


def law_of(p: Array, x: Array, target: Any = None) -> EstimatorLaw:
    """Mean and covariance of values that have these probabilities [L1]: (N,), (N, ...) -> law."""
    mean = ar.tidy(np.tensordot(p, x, 1))
    centred = ar.tidy(x - mean).reshape(len(p), -1)
    covariance = ar.tidy((p[:, None] * centred).T @ centred)
    variance = covariance.diagonal().reshape(x.shape[1:])
    return EstimatorLaw(mean[()], variance[()], target, covariance)


def from_start(mdp: MDP, law: EstimatorLaw) -> EstimatorLaw:
    """The law from `mdp.initial`, of an estimator known from every state [L4]: (S,) -> numbers."""
    rho = mdp.initial
    mean = settled(rho @ law.mean)
    spread = law.mean - mean
    target = None if law.target is None else settled(rho @ law.target)
    return EstimatorLaw(mean, settled(rho @ (law.variance + spread * spread)), target)


def settled(x: Any) -> Any:
    return ar.tidy(np.asarray(x))[()]


def counted(n: Any, what: str, least: int = 1) -> int:
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)) or n < least:
        raise ValueError(f"{n!r} {what}: give a whole number, {least} or more")
    return int(n)
