"""The temperature of soft actor-critic, tuned so that the policy's entropy meets a target.

    L = -τ (log π + H̄),   E L = τ (H - H̄)           minimised over τ > 0: the dual of max return subject to H ≥ H̄
    dL/dτ = -(log π + H̄),   E dL/dτ = H - H̄         H above its target: τ falls; H below: τ rises
    ρ = log τ:   -e^ρ (log π + H̄), or in much code -ρ (log π + H̄)

Both losses in ρ have the sign of H - H̄ as their slope and so the same stationary points; the first one's is τ times the
second's. `log_probs` are of fresh actions of the policy and held: no gradient reaches the policy from here.
Haarnoja et al. (2018), "Soft Actor-Critic Algorithms and Applications", §5, (18); Christodoulou (2019) for discrete actions.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, of_shape, positive, read, within
from rlexact.formulas.reduction import Reduction, reduce, weights


def temperature_loss(
    temperature: Any, log_probs: Any, target_entropy: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(), (N,), () -> (N,), or one number: the temperature's loss, linear in τ, to be minimised; it runs on Fractions.

        L = -τ (log π + H̄),   E L = τ (H - H̄)

    For the expectation put -H in the place of log π. Its sign is that of H - H̄, and says nothing about the direction by
    itself: the gradient does. Raises `InvalidBatch` for τ ≤ 0.
    Source: Haarnoja et al. (2018), "Applications", (18).

    >>> temperature_loss(0.5, 5.0, -7.0), temperature_loss(0.5, 10.0, -7.0)
    (np.float64(1.0), np.float64(-1.5))
    """
    tau, surplus = temperature_arguments(temperature, log_probs, target_entropy)
    return reduce(np.asarray(tau * surplus), reduction, mask)


def temperature_arguments(temperature: Any, log_probs: Any, target_entropy: Any) -> tuple[Array, Array]:
    """τ > 0 and -(log π + H̄), the entropy above its target."""
    tau, log_pi, target = numbers(temperature=temperature, log_probs=log_probs, target_entropy=target_entropy)
    of_shape((), temperature=tau)
    positive(temperature=tau)
    return tau, np.asarray(-(log_pi + target))


def temperature_loss_gradient(
    temperature: Any, log_probs: Any, target_entropy: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(), (N,), () -> (N,): dL/dτ of every sample, weighted as the reduction weighs it; their sum is the slope.

        dL/dτ = -(log π + H̄),   E dL/dτ = H - H̄

    Above 0 where the entropy exceeds its target: a descent step lowers τ there, and raises it where entropy falls short.
    Raises as `temperature_loss`.
    Source: differentiated from Haarnoja et al. (2018), "Applications", (18).

    >>> temperature_loss_gradient(0.5, [5.0, 10.0], -7.0)
    array([ 2., -3.])
    """
    _, surplus = temperature_arguments(temperature, log_probs, target_entropy)
    return np.asarray(surplus * weights(surplus, reduction, mask))


def exponential_temperature_loss(
    log_temperature: Any, log_probs: Any, target_entropy: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(), (N,), () -> (N,), or one number: the same loss with τ = e^ρ, so that τ stays above 0.

        L = -e^ρ (log π + H̄)

    Raises `NotExact` for Fractions.
    Source: Haarnoja et al. (2018), "Applications", (18), in ρ = log τ.

    >>> exponential_temperature_loss(np.log(0.5), 5.0, -7.0)
    np.float64(1.0)
    """
    tau = ar.exp(read(log_temperature=log_temperature)[0])
    return temperature_loss(tau, log_probs, target_entropy, reduction=reduction, mask=mask)


def exponential_temperature_loss_gradient(
    log_temperature: Any, log_probs: Any, target_entropy: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(), (N,), () -> (N,): dL/dρ, weighted as the reduction weighs it: τ times dL/dτ, of the same sign.

        dL/dρ = -e^ρ (log π + H̄)

    The steps shrink with τ. Raises `NotExact` for Fractions.
    Source: differentiated from Haarnoja et al. (2018), "Applications", (18).

    >>> exponential_temperature_loss_gradient(np.log(0.5), [5.0, 10.0], -7.0)
    array([ 1. , -1.5])
    """
    tau = ar.exp(read(log_temperature=log_temperature)[0])
    return np.asarray(tau * temperature_loss_gradient(tau, log_probs, target_entropy, reduction=reduction, mask=mask))


def log_temperature_loss(
    log_temperature: Any, log_probs: Any, target_entropy: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(), (N,), () -> (N,), or one number: the loss that much code runs instead, linear in ρ = log τ; on Fractions too.

        L = -ρ (log π + H̄)

    Another loss with the same stationary points, not the one above in other words: its sign also depends on that of ρ.
    Source: Haarnoja et al. (2018), the authors' code; Raffin et al. (2021), "Stable-Baselines3".

    >>> log_temperature_loss(-1.0, 5.0, -7.0)
    np.float64(-2.0)
    """
    rho, surplus = log_temperature_arguments(log_temperature, log_probs, target_entropy)
    return reduce(np.asarray(rho * surplus), reduction, mask)


def log_temperature_arguments(log_temperature: Any, log_probs: Any, target_entropy: Any) -> tuple[Array, Array]:
    """ρ and -(log π + H̄), the entropy above its target."""
    rho, log_pi, target = numbers(log_temperature=log_temperature, log_probs=log_probs, target_entropy=target_entropy)
    of_shape((), log_temperature=rho)
    return rho, np.asarray(-(log_pi + target))


def log_temperature_loss_gradient(
    log_temperature: Any, log_probs: Any, target_entropy: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(), (N,), () -> (N,): dL/dρ, weighted as the reduction weighs it: it does not shrink with τ; on Fractions too.

        dL/dρ = -(log π + H̄)

    Source: differentiated from the loss of Haarnoja et al. (2018), the authors' code.

    >>> log_temperature_loss_gradient(-1.0, [5.0, 10.0], -7.0)
    array([ 2., -3.])
    """
    _, surplus = log_temperature_arguments(log_temperature, log_probs, target_entropy)
    return np.asarray(surplus * weights(surplus, reduction, mask))


def target_entropy(dimensions: int) -> int:
    """() integer -> () integer: the heuristic target for actions in n dimensions, in nats.

        H̄ = -dim A

    A habit, not a theorem; it is meant for actions in [-1, 1], where the uniform density has n log 2.
    Source: Haarnoja et al. (2018), "Applications", appendix D.

    >>> target_entropy(7)
    -7
    """
    if dimensions < 1:
        raise InvalidBatch(f"dimensions = {dimensions}: give at least 1")
    return -dimensions


def discrete_target_entropy(actions: int, share: Any) -> Any:
    """() integer, () -> (): the heuristic target for A actions, a share of the largest entropy, in nats.

        H̄ = share · log A

    Raises `InvalidBatch` for a share outside [0, 1], which no policy attains, `NotExact` for Fractions.
    Source: Christodoulou (2019), §5, with the share 0.98.

    >>> discrete_target_entropy(4, 0.5) / np.log(2)
    np.float64(1.0)
    """
    (part,) = read(share=share)
    within(0, 1, share=part)
    if actions < 1:
        raise InvalidBatch(f"actions = {actions}: give at least 1")
    return (part * ar.log(np.asarray(ar.number(part, actions))))[()]
