"""Experience replay, as a law: how often a transition is drawn, and how old it is.

A buffer of the last N transitions, first in, first out. Every environment step stores one and is followed by U minibatches
of B, U being the update-to-data ratio. A transition then lives through N steps, whatever is drawn:

    Pr(in a minibatch) = B/N without replacement,   1 - (1 - 1/N)^B with it
    E[uses in its life] = N · U · B/N = U B                                       whatever N is
    age of a draw       uniform on 0, ..., N - 1 steps

Lin (1992); Mnih et al. (2015); Fedus et al. (2020). Counts given as Fractions give exact answers.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, refuse_where, within


def in_minibatch_probability(size: Any, batch_size: Any, *, replacement: bool, minibatches: int = 1) -> Any:
    """N, B -> probability: a given transition is drawn at least once in a number m of uniform minibatches.

        1 - (1 - B/N)^m without replacement,   1 - (1 - 1/N)^(mB) with it

    Right after a step it is the chance that the newest transition is trained on at once. Raises `InvalidBatch` for counts
    below 1 or not whole, and for B > N without replacement.
    Source: Lin (1992), §3; drawn uniformly as in Mnih et al. (2015), Algorithm 1.

    >>> float(in_minibatch_probability(4, 2, replacement=False)), float(in_minibatch_probability(4, 2, replacement=True))
    (0.5, 0.4375)
    """
    chance, draws = one_draw(size, batch_size, minibatches, replacement)
    drawn = 0 * chance
    for _ in range(draws):
        drawn = drawn + (1 - drawn) * chance  # summed upwards: no digit is lost where N is large
    return np.asarray(drawn)[()]


def never_drawn_probability(capacity: Any, batch_size: Any, update_to_data: Any, *, replacement: bool) -> Any:
    """N, B, U -> probability: a transition is evicted from a full buffer without having been drawn once.

        (1 - B/N)^(NU) without replacement,   (1 - 1/N)^(NUB) with it;   both near e^(-UB)

    N U must be whole: the number of minibatches in a life. Raises as `in_minibatch_probability`.
    Source: Lin (1992), §3; drawn uniformly as in Mnih et al. (2015), Algorithm 1.

    >>> float(never_drawn_probability(2, 1, 1, replacement=True))
    0.25
    """
    N, U = numbers(capacity=capacity, update_to_data=update_to_data)
    within(0, None, update_to_data=U)
    (life,) = counts(low=0, minibatches_in_a_life=np.asarray(N * U))
    chance, draws = one_draw(N, batch_size, int(life), replacement)
    return np.asarray((1 - chance) ** draws)[()]


def expected_uses(batch_size: Any, update_to_data: Any) -> Any:
    """B, U -> count: how often a transition is trained on in its whole life in a full buffer, whatever the capacity.

        E[uses] = N steps · U minibatches · B/N = U B

    For the life in a run that ends before eviction, and for the first transitions, see `expected_uses_in_run`.
    Source: Lin (1992), §3; Fedus et al. (2020), whose replay ratio is U.

    >>> float(expected_uses(256, 1))
    256.0
    """
    B, U = numbers(batch_size=batch_size, update_to_data=update_to_data)
    counts(batch_size=B)
    within(0, None, update_to_data=U)
    return np.asarray(U * B)[()]


def uses_variance(capacity: Any, batch_size: Any, update_to_data: Any, *, replacement: bool) -> Any:
    """N, B, U -> count²: the variance of the uses of a transition in its life in a full buffer, a binomial law.

        U B (1 - B/N) without replacement,   U B (1 - 1/N) with it

    Raises as `in_minibatch_probability`.
    Source: Lin (1992), §3; drawn uniformly as in Mnih et al. (2015), Algorithm 1.

    >>> float(uses_variance(4, 2, 1, replacement=False)), float(uses_variance(4, 2, 1, replacement=True))
    (1.0, 1.5)
    """
    N, B, U = numbers(capacity=capacity, batch_size=batch_size, update_to_data=update_to_data)
    chance, _ = one_draw(N, B, 1, replacement)
    return expected_uses(B, U) * (1 - chance)


def expected_uses_in_run(steps: int, capacity: Any, batch_size: Any, update_to_data: Any, burn_in: int = 1) -> Array:
    """T, N, B, U -> (T,): how often each transition of a run of T steps is trained on in it, from the first to the last.

        E[uses of i] = Σ_t U B / min(t, N)   over t from max(i, burn_in) to min(T, i + N - 1)

    Updates begin with the step that fills the burn-in. Early transitions are drawn from a small buffer and more often, late
    ones are cut short: only those that live through a full buffer get `expected_uses`. They sum to B times the updates.
    Raises as `in_minibatch_probability`, and for a burn-in above N or T.
    Source: Mnih et al. (2015), Algorithm 1, with replay from a growing buffer.

    >>> expected_uses_in_run(4, 2, 1, 1)
    array([1.5, 1. , 1. , 0.5])
    """
    N, B, U = numbers(capacity=capacity, batch_size=batch_size, update_to_data=update_to_data)
    counts(capacity=N, batch_size=B, steps=np.asarray(steps), burn_in=np.asarray(burn_in))
    within(0, None, update_to_data=U)
    room = int(N)
    if burn_in > min(room, steps):
        raise InvalidBatch(f"burn_in = {burn_in}: it never fits into capacity {room} and {steps} steps")
    held = np.minimum(whole_numbers(N, steps), N)
    rate = np.where(np.arange(1, steps + 1) < burn_in, 0 * held, U * B / held)
    total = np.append(0 * rate[:1], np.cumsum(rate))
    stored = np.arange(steps)
    return np.asarray(total[np.minimum(stored + room, steps)] - total[stored])


def updates_in_run(steps: Any, update_to_data: Any, burn_in: Any = 1) -> Any:
    """T, U -> count: the gradient updates of a run of T environment steps.

        U · max(0, T - burn_in + 1)

    The step that fills the burn-in is the first with updates. Raises `InvalidBatch` for counts below 1 or not whole.
    Source: Mnih et al. (2015), Extended Data Table 1 (replay start size).

    >>> float(updates_in_run(10, 4, burn_in=8))
    12.0
    """
    T, U, start = numbers(steps=steps, update_to_data=update_to_data, burn_in=burn_in)
    counts(steps=T, burn_in=start)
    within(0, None, update_to_data=U)
    return np.asarray(U * np.maximum(0, T - start + 1))[()]


def update_to_data_ratio(updates: Any, steps: Any) -> Any:
    """updates, steps -> U: gradient updates for each environment step.

        U = updates / steps

    Times the batch size it is the number of uses of a transition, `expected_uses`. Raises `InvalidBatch` for steps below 1.
    Source: Fedus et al. (2020), the replay ratio; Chen et al. (2021), "REDQ", §1, for the name.

    >>> float(update_to_data_ratio(250_000, 1_000_000))
    0.25
    """
    n, T = numbers(updates=updates, steps=steps)
    counts(steps=T)
    counts(low=0, updates=n)
    return np.asarray(n / T)[()]


def age_probabilities(steps: int, capacity: Any) -> Array:
    """T, N -> (min(T, N),): the law of the age, in steps, of a uniform draw after T steps; the newest has age 0.

        Pr(age = k) = 1 / min(T, N),   k = 0, ..., min(T, N) - 1

    U times the age is the number of updates made since the transition was collected. Raises `InvalidBatch`.
    Source: Fedus et al. (2020), its age of the oldest policy.

    >>> age_probabilities(100, 4)
    array([0.25, 0.25, 0.25, 0.25])
    """
    (N,) = numbers(capacity=capacity)
    counts(capacity=N, steps=np.asarray(steps))
    held = min(int(N), steps)
    one = ar.ones(N, held)
    return np.asarray(one / one.sum())


def mean_age(steps: int, capacity: Any) -> Any:
    """T, N -> steps: the mean age of a uniform draw after T steps.

        (min(T, N) - 1) / 2

    Source: Fedus et al. (2020), the mean of `age_probabilities`.

    >>> float(mean_age(10_000_000, 1_000_000))
    499999.5
    """
    (N,) = numbers(capacity=capacity)
    counts(capacity=N, steps=np.asarray(steps))
    return np.asarray((np.minimum(N, steps + 0 * N) - 1) / 2)[()]


def one_draw(size: Any, batch_size: Any, minibatches: int, replacement: bool) -> tuple[Array, int]:
    """The chance of a given transition in one trial, and the number of trials: single draws, or whole minibatches."""
    N, B = numbers(size=size, batch_size=batch_size)
    counts(size=N, batch_size=B)
    if replacement:
        return np.asarray(1 / N), int(B) * minibatches
    within(None, N, batch_size=B)
    return np.asarray(B / N), minibatches


def counts(low: int = 1, **given: Array) -> list[Array]:
    """Scalars that are whole and at least `low`.  Raises `InvalidBatch`."""
    for name, x in given.items():
        if x.ndim:
            raise InvalidBatch(f"{name} has shape {x.shape}: give one number")
        within(low, None, **{name: x})
        refuse_where(ar.apart(x % 1, 0), name, x, "that are whole")
    return list(given.values())


def whole_numbers(like: Array, n: int) -> Array:
    """1, ..., n in the numbers of `like`."""
    return np.cumsum(ar.ones(like, n))
