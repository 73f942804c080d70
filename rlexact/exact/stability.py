"""Where a linear system goes: x' = -A x and x ← M x, decided exactly where the numbers are.

    x' = -A x dies out from everywhere   ⟺   every Re λ(A) > 0                                             [H1]
    det(sI + A) = Σ_k c_k s^k,   M_1 = I,  c_{n-k} = tr(A M_k) / k,  M_{k+1} = c_{n-k} I - A M_k           [H2]
    every Re λ(A) > 0   ⟺   the first column of Routh's table of the c_k is positive                       [H3]
    every |λ(M)| < 1    ⟺   I + M is regular and every Re λ((I + M)⁻¹ (I - M)) > 0                         [H4]
    every |1 - α λ| < 1 ⟺   0 < α < min 2 Re λ / |λ|²                                                      [H5]

[H2] is Faddeev and LeVerrier's recursion, [H3] the criterion of Routh (1877) and Hurwitz (1895), [H4] Cayley's map
λ ↦ (1 - λ) / (1 + λ) of the disc to the half-plane; Gantmacher (1959), I §IV.5 and II §XV.3. In floats the eigenvalues
themselves are judged.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array


@dataclass(frozen=True, eq=False)
class Stability:
    """The spectrum of A in x' = -A x, in floats: `eigenvalues` (n,) by rising real part.

    `rounding` is what the eigenvalues of a well-conditioned A may have lost: within it the verdict is open.
    """

    eigenvalues: Array
    rounding: float

    @cached_property
    def margin(self) -> Any:
        """min Re λ: the slowest rate of decay, and below 0 the fastest rate of growth."""
        return self.eigenvalues.real.min()

    @property
    def stable(self) -> bool:
        """Every solution dies out."""
        return bool(self.margin > self.rounding)

    @property
    def unstable(self) -> bool:
        """Some solution grows without bound."""
        return bool(self.margin < -self.rounding)

    @property
    def largest_step(self) -> Any:
        """The α up to which x ← x - α A x converges [H5].  Raises `ValueError` where no step does."""
        if not self.stable:
            raise ValueError(f"min Re λ = {self.margin}: no step size makes these updates converge")
        return (2 * self.eigenvalues.real / abs(self.eigenvalues) ** 2).min()


def spectrum(A: Any, idle: int = 0) -> Stability:
    """Eigenvalues and verdict of x' = -A x, floats only: (n, n) -> stability.

    `idle` eigenvalues, the smallest, are left out: directions known to stand still. Raises `NotExact` for exact numbers,
    of which `positive_stable` decides.
    """
    if ar.is_exact(A):
        raise ar.NotExact("this spectrum is in floats: ask positive_stable, or take the model to_float()")
    values = ar.eigenvalues(A)
    moving = values[np.argsort(abs(values), kind="stable")[idle:]]
    lost = A.shape[0] * 2 * ar.unit_roundoff(A) * np.sqrt((ar.dense_array(A) ** 2).sum())
    return Stability(moving[np.argsort(moving.real, kind="stable")], float(lost))


def positive_stable(A: Any, idle: int = 0) -> bool:
    """Whether every Re λ(A) > 0, but for `idle` eigenvalues known to be 0 [H1]: (n, n) -> bool.

    Exact in rationals [H3]. Raises `NotExact` where symbols leave it open.
    """
    if not ar.is_exact(A):
        return spectrum(A, idle).stable
    coefficients = characteristic(A)[: A.shape[0] - idle + 1]
    upper, lower = coefficients[::2], coefficients[1::2]
    while lower:
        if not positive(lower[0]):
            return False
        ratio = upper[0] / lower[0]
        below = [ar.tidy(np.array([x - ratio * y]))[0] for x, y in zip_longest(upper[1:], lower[1:], fillvalue=0)]
        upper, lower = lower, below
    return True


def schur_stable(M: Any) -> bool:
    """Whether every |λ(M)| < 1, so that x ← M x + b converges from everywhere [H4]: (n, n) -> bool.  Exact in rationals."""
    I = ar.eye(M)  # noqa: E741
    if not ar.is_exact(M):
        return bool((abs(ar.eigenvalues(M)) < 1).all())
    try:
        return positive_stable(ar.kernel_from(ar.solve(I + M, ar.dense_array(I - M))))
    except ar.SingularSystem:
        return False


def characteristic(A: Any) -> list[Any]:
    """det(sI + A), highest power of s first [H2]: (n, n) -> n + 1 coefficients."""
    I = ar.eye(A)  # noqa: E741
    found, M = [ar.number(A, 1)], I
    for k in range(1, A.shape[0] + 1):
        AM = A @ M
        found.append(ar.tidy(np.array([ar.dense_array(AM).diagonal().sum() / k]))[0])
        M = found[-1] * I - AM
    return found


def positive(x: Any) -> bool:
    """Raises `NotExact` where symbols leave it open."""
    return bool(ar.largest(np.array([x, 0 * x])) != 0 * x)
