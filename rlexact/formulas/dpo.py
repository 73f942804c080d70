"""Direct preference optimisation.

    r̂(y) = β (log π(y) - log π_ref(y))                                            the implicit reward, up to β log Z
    u = r̂(chosen) - r̂(rejected)                                                   the margin
    L = -log σ(u)                                                                 a loss
    dL/du = -σ(-u)                                    near -1 where the pair is ranked wrongly, near 0 where it is settled

Arguments come in one order everywhere: policy chosen, policy rejected, reference chosen, reference rejected, β. Each is
the log-probability of a whole answer, the sum over its tokens. Rafailov, Sharma, Mitchell, Ermon, Manning and Finn (2023).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive
from rlexact.formulas.preference import PairGradient
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.sigmoid import log_sigmoid, sigmoid


@dataclass(frozen=True, eq=False)
class DpoGradient:
    """The slope in each of the four log-probabilities: (N,) each. The reference is fixed in training; its slopes are its own."""

    policy_chosen: Array
    policy_rejected: Array
    reference_chosen: Array
    reference_rejected: Array


def implicit_rewards(
    policy_chosen: Any, policy_rejected: Any, reference_chosen: Any, reference_rejected: Any, beta: Any
) -> PairGradient:
    """(N,) four times -> (N,) twice: the implicit reward of the chosen and of the rejected answer.

        r̂(y) = β (log π(y) - log π_ref(y))

    The reward for which π is optimal, less β log Z, which is the same for both answers. Raises `InvalidBatch` for β ≤ 0,
    shapes that differ and NaN. It runs on Fractions and symbols.
    Source: Rafailov et al. (2023), (5).

    >>> implicit_rewards([-1.0], [-2.0], [-2.0], [-2.0], 0.5).chosen
    array([0.5])
    """
    chosen, rejected, ref_chosen, ref_rejected, b = numbers(
        policy_chosen=policy_chosen,
        policy_rejected=policy_rejected,
        reference_chosen=reference_chosen,
        reference_rejected=reference_rejected,
        beta=beta,
    )
    positive(beta=b)
    return PairGradient(np.asarray(b * (chosen - ref_chosen)), np.asarray(b * (rejected - ref_rejected)))


def dpo_margin(
    policy_chosen: Any, policy_rejected: Any, reference_chosen: Any, reference_rejected: Any, beta: Any
) -> Array:
    """(N,) four times -> (N,): the implicit reward of the chosen answer less that of the rejected one.

        u = β (log π(w) - log π_ref(w)) - β (log π(l) - log π_ref(l))

    Above 0 the pair is ranked as people did. Raises as `implicit_rewards`; it runs on Fractions and symbols.
    Source: Rafailov et al. (2023), §4.

    >>> dpo_margin([0.3], [0.5], [0.0], [0.0], 0.1).round(3)
    array([-0.02])
    """
    rewards = implicit_rewards(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return np.asarray(rewards.chosen - rewards.rejected)


def dpo_loss(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) four times -> (N,), or one number: minus the log-likelihood of the choices under the implicit rewards.

        L = -log σ(u)

    A loss: log 2 where policy and reference agree. Raises as `implicit_rewards`, and `NotExact` for Fractions.
    Source: Rafailov et al. (2023), (7).

    >>> dpo_loss([0.3], [0.5], [0.0], [0.0], 0.1).round(3)
    array([0.703])
    """
    u = dpo_margin(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return reduce(-log_sigmoid(u), reduction, mask)


def dpo_weight(
    policy_chosen: Any, policy_rejected: Any, reference_chosen: Any, reference_rejected: Any, beta: Any
) -> Array:
    """(N,) four times -> (N,): what a pair counts in the gradient, in [0, 1].

        σ(-u) = P(the implicit rewards rank the pair wrongly)

    Near 1 where the rejected answer is far ahead, 1/2 at the start, near 0 where the pair is settled.
    Source: Rafailov et al. (2023), §4, "What does the DPO update do?".

    >>> dpo_weight([0.0, -1e4], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 1.0)
    array([0.5, 1. ])
    """
    return sigmoid(-dpo_margin(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta))


def dpo_loss_gradient(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> DpoGradient:
    """(N,) four times -> (N,) four times: the slope in each log-probability, weighted as the reduction weighs it.

        ∂L/∂log π(w) = -β σ(-u),    ∂L/∂log π(l) = β σ(-u)

    and the opposite in the reference. Minimising raises log π(w) - log π(l); either one alone may fall.
    Source: Rafailov et al. (2023), §4.

    >>> dpo_loss_gradient([0.0], [0.0], [0.0], [0.0], 0.5).policy_rejected
    array([0.25])
    """
    slope = -dpo_weight(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return through_margin(slope * weights(slope, reduction, mask), beta)


def through_margin(slope: Array, beta: Any) -> DpoGradient:
    """dL/du -> the slope in the four log-probabilities, of which u is β times a signed sum."""
    slope, b = numbers(slope=slope, beta=beta)
    step = np.asarray(b * slope)
    return DpoGradient(step, -step, -step, step)
