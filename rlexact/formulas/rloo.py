"""REINFORCE leave-one-out: each answer judged by the mean of the others to the same prompt.

    Â_i = r_i - 1/(n-1) Σ_{j≠i} r_j = n/(n-1) (r_i - mean r)
    loss = -Â_i log π(y_i | x)                                 log-probability of the whole answer; Â held fixed

n independent answers to one prompt lie on the last axis. Unbiased; in the direction of a mean baseline, n/(n-1) as long.
Kool, van Hoof and Welling (2019); Ahmadian et al. (2024), "Back to basics", §3.3.
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers
from rlexact.formulas.reduction import Reduction
from rlexact.formulas.reinforce import leave_one_out_baseline, reinforce_loss, reinforce_loss_gradient


def leave_one_out_advantages(rewards: Any) -> Array:
    """(..., n) -> (..., n): the reward less the mean of the group's others; it runs on Fractions.

        Â_i = r_i - 1/(n-1) Σ_{j≠i} r_j = n/(n-1) (r_i - mean r)

    They sum to 0 in each group. Raises `InvalidBatch` for n = 1.
    Source: Ahmadian et al. (2024), §3.3; Kool, van Hoof and Welling (2019).

    >>> leave_one_out_advantages([1.0, 2.0, 6.0])
    array([-3. , -1.5,  4.5])
    """
    (r,) = numbers(rewards=rewards)
    return np.asarray(r - leave_one_out_baseline(r))


def rloo_loss(log_probs: Any, rewards: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(..., n), (..., n) -> (..., n), or one number: minus the surrogate of RLOO, rewards held fixed.

        loss = -(r_i - 1/(n-1) Σ_{j≠i} r_j) log π(y_i | x)

    `log_probs` are those of whole answers. Raises `InvalidBatch` for n = 1.
    Source: Ahmadian et al. (2024), §3.3.

    >>> rloo_loss([-1.0, -2.0, -1.0], [1.0, 2.0, 6.0])
    array([-3. , -3. ,  4.5])
    """
    log_p, r = numbers(log_probs=log_probs, rewards=rewards)
    return reinforce_loss(log_p, leave_one_out_advantages(r), reduction=reduction, mask=mask)


def rloo_loss_gradient(log_probs: Any, rewards: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(..., n), (..., n) -> (..., n): d loss / d log π(y_i | x) of each answer.

        d loss / d log π(y_i | x) = -(r_i - 1/(n-1) Σ_{j≠i} r_j)

    Source: differentiated from Ahmadian et al. (2024), §3.3.

    >>> rloo_loss_gradient([-1.0, -2.0, -1.0], [1.0, 2.0, 6.0])
    array([ 3. ,  1.5, -4.5])
    """
    log_p, r = numbers(log_probs=log_probs, rewards=rewards)
    return reinforce_loss_gradient(log_p, leave_one_out_advantages(r), reduction=reduction, mask=mask)
