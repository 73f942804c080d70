"""Two critics: the smaller one makes the target, both are fitted to it.

    y = r + γ (1 - terminated) min(Q₁', Q₂')        clipped double Q-learning: the target of TD3, and of SAC with entropy
    L = (Q₁ - y)² + (Q₂ - y)²                       one target for both, not differentiated through

E min(Q₁', Q₂') ≤ min(E Q₁', E Q₂') by Jensen's inequality: the minimum of unbiased estimates is biased downwards, also where
neither overestimates. Fujimoto, van Hoof and Meger (2018), "Addressing Function Approximation Error", (10).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers
from rlexact.formulas.reduction import Reduction, reduce, weights


@dataclass(frozen=True, eq=False)
class TwinGradient:
    """Derivatives in the first critic's value and in the second's."""

    q1: Array
    q2: Array


def twin_minimum(q1: Any, q2: Any) -> Array:
    """(N,), (N,) -> (N,): the smaller value of the two, sample by sample; it runs on Fractions.

        min(Q₁, Q₂)

    Raises `InvalidBatch` for shapes that differ.
    Source: Fujimoto et al. (2018), (10).

    >>> twin_minimum([1.0, 4.0], [2.0, 3.0])
    array([1., 3.])
    """
    first, second = numbers(q1=q1, q2=q2)
    return np.asarray(np.where(np.real(second) < np.real(first), second, first))


def twin_minimum_gradient(q1: Any, q2: Any) -> TwinGradient:
    """(N,), (N,) -> (N,), (N,): which value the minimum passes a gradient to; of equal ones, the first.

        ∂ min/∂Q₁ = 1[Q₁ ≤ Q₂],   ∂ min/∂Q₂ = 1[Q₂ < Q₁]

    Raises as `twin_minimum`.
    Source: differentiated from Fujimoto et al. (2018), (10).

    >>> twin_minimum_gradient([1.0, 4.0, 5.0], [2.0, 3.0, 5.0]).q1
    array([1., 0., 1.])
    """
    first, second = numbers(q1=q1, q2=q2)
    taken, one = np.real(second) < np.real(first), 0 * (first + second) + 1
    return TwinGradient(np.where(taken, 0 * one, one), np.where(taken, one, 0 * one))


def twin_critic_loss(q1: Any, q2: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,) each -> (N,), or one number: the squared errors of both critics, to be minimised; it runs on Fractions.

        L = (Q₁ - y)² + (Q₂ - y)²

    Without a factor ½, which some texts put in front. Raises `InvalidBatch` for shapes that differ.
    Source: Fujimoto et al. (2018), algorithm 1; Haarnoja et al. (2018), "SAC Algorithms and Applications", (5), halved.

    >>> twin_critic_loss([1.0, 2.0], [3.0, 2.0], [2.0, 5.0])
    array([ 2., 18.])
    """
    first, second, y = numbers(q1=q1, q2=q2, targets=targets)
    return reduce(np.asarray((first - y) ** 2 + (second - y) ** 2), reduction, mask)


def twin_critic_loss_gradient(
    q1: Any, q2: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None
) -> TwinGradient:
    """(N,) each -> (N,), (N,): dL/dQ₁ and dL/dQ₂, weighted as the reduction weighs them; the target is held.

        dL/dQ_i = 2 (Q_i - y)

    Raises as `twin_critic_loss`.
    Source: differentiated from Fujimoto et al. (2018), algorithm 1.

    >>> twin_critic_loss_gradient([1.0, 2.0], [3.0, 2.0], [2.0, 5.0], reduction="mean").q1
    array([-1., -3.])
    """
    first, second, y = numbers(q1=q1, q2=q2, targets=targets)
    share = weights(np.asarray(0 * (first + second + y)), reduction, mask)
    return TwinGradient(np.asarray(2 * (first - y) * share), np.asarray(2 * (second - y) * share))
