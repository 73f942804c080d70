"""Target networks with linear values, as operators: what freezing the bootstrap changes, and what it does not.

With C = ΦᵀDΦ and A, b of linear TD, so that Φᵀ D T^λ(Φθ⁻) = b + (C - A) θ⁻:

    one update       θ ← θ + α (b + (C - A) θ⁻ - C θ)                                                      [N1]
    hard, m updates  θ⁻ ← θ after m of [N1] from θ = θ⁻:   I - G_m A,  G_m = α Σ_{i<m} (I - αC)^i          [N2]
    hard, m → ∞      θ⁻ ← argmin ‖Φθ - T^λ(Φθ⁻)‖_d:        I - C⁻¹A         fitted value iteration         [N3]
    soft             [N1], then θ⁻ ← (1 - τ) θ⁻ + τ θ                                                      [N4]

Every one of them has the fixed point of TD, A θ = b; they differ in whether they reach it. [N3] replaces the spectrum of
A by that of C⁻¹A: on the two states of Tsitsiklis and Van Roy (1996) it diverges all the same, by (6 - 4ε)γ/5 a period.
m = 1 and τ = 1 are TD itself. Mnih et al. (2015) for [N2], Lillicrap et al. (2016) for [N4].
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.expected_updates import ExpectedUpdate, step_size
from rlexact.exact.linear_td import LinearTD, standing


def hard_target(td: LinearTD, alpha: Any, updates: int) -> ExpectedUpdate:
    """One period of a hard target network, `updates` ≥ 1 of [N1] and a copy [N2]: a map of θ⁻ (K,).

    Its iterates, fixed point and spectral radius are per period. Raises `ValueError` for a bad α or `updates`.
    """
    if updates < 1:
        raise ValueError(f"{updates} updates between copies: give 1 or more")
    K = td.A.shape[0]
    run = learner(td, alpha).after(updates)
    rows = ar.dense_array(run.matrix)[:K]
    return ExpectedUpdate(ar.kernel_from(ar.tidy(rows[:, :K] + rows[:, K:])), run.offset[:K])


def fitted(td: LinearTD) -> ExpectedUpdate:
    """The hard target network whose inner problem is solved to the end [N3], by least norm: a map of θ⁻ (K,)."""
    C = second_moment(td)
    regular = C + standing(C)
    return ExpectedUpdate(ar.kernel_from(ar.solve(regular, ar.dense_array(C - td.A))), ar.solve(regular, td.b))


def soft_target(td: LinearTD, alpha: Any, tau: Any) -> ExpectedUpdate:
    """One update and one soft copy [N4]: a map of (θ, θ⁻) written one after the other, (2K,), per update.

    Raises `ValueError` for a bad α, and for τ outside [0, 1].
    """
    tau = step_size(td.model, tau)
    if ar.negative(np.array([1 - tau])).any():
        raise ValueError(f"tau = {tau!r}: give a share in [0, 1]")
    I = ar.dense_array(ar.eye(td.A))  # noqa: E741
    copy = joined([[I, 0 * I], [tau * I, (1 - tau) * I]])
    return ExpectedUpdate(copy, np.concatenate([0 * td.b, 0 * td.b])) @ learner(td, alpha)


def learner(td: LinearTD, alpha: Any) -> ExpectedUpdate:
    """[N1] on (θ, θ⁻), the target standing still: a map of (2K,)."""
    alpha, C = step_size(td.model, alpha), second_moment(td)
    I = ar.eye(C)  # noqa: E741
    blocks = [[I - alpha * C, alpha * (C - td.A)], [I - I, I]]
    matrix = joined([[ar.dense_array(block) for block in line] for line in blocks])
    return ExpectedUpdate(matrix, ar.tidy(np.concatenate([alpha * td.b, 0 * td.b])))


def second_moment(td: LinearTD) -> Any:
    """C = Φᵀ D Φ: -> (K, K)."""
    return ar.mix(td.weights[:, None], td.features).T @ td.features


def joined(blocks: list[list[Array]]) -> Any:
    return ar.kernel_from(ar.tidy(np.block(blocks)))
