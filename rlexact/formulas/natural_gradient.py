"""The natural gradient: the direction that gains most for each unit of change in the policy, not in its parameters.

    F = E_π[ψ ψᵀ],   ψ = ∂ log π(a | s) / ∂θ                     the Fisher matrix; scores as rows of (N, K)
    (F + λ I) x = g                                             λ ≥ 0 the damping
    θ' = θ + α x                                                a step of fixed size
    KL(π_θ ‖ π_θ+d) = ½ dᵀ F d + O(|d|³)                         in either order
    β = √(2δ / gᵀ F⁻¹ g)                                        the size at which the quadratic model spends a budget δ

F is singular wherever two parameters move the policy alike (softmax: a constant added to all logits); damping makes it
regular, and bends the direction. Amari (1998); Kakade (2001); Schulman et al. (2015), appendix C.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, positive, read, refuse_where, within
from rlexact.formulas.reinforce import score_rows


def fisher_matrix(scores: Any, probs: Any) -> Array:
    """(N, K), (N,) -> (K, K): the Fisher matrix of scores with their probabilities, symmetric, never indefinite.

        F = Σ_i p_i ψ_i ψ_iᵀ

    Exact where the rows are all state-action pairs and p their probabilities under the policy itself. Raises `InvalidBatch`
    for a negative p; p need not sum to 1 (visits are allowed).
    Source: Amari (1998), (2.1); Kakade (2001), §2.

    >>> fisher_matrix([[0.5, -0.5], [-0.5, 0.5]], [0.5, 0.5])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    psi, p = score_rows(scores, probs)
    within(0, None, probs=p)
    return np.asarray(psi.T @ (p[:, None] * psi))


def empirical_fisher(scores: Any) -> Array:
    """(N, K) -> (K, K): the Fisher matrix estimated from a batch.

        F̂ = 1/N Σ_i ψ_i ψ_iᵀ

    It estimates F only where the actions were drawn from the policy whose scores these are: of a data set's actions it is
    the second moment of something else.
    Source: Kakade (2001), §2; the warning: Kunstner, Balles and Hennig (2019).

    >>> empirical_fisher([[1.0, 0.0], [1.0, 2.0]])
    array([[1., 1.],
           [1., 2.]])
    """
    (psi,) = read(scores=scores)
    n = psi.shape[0] if psi.ndim == 2 else 0
    return fisher_matrix(psi, ar.ones(psi, n)) / n if n else fisher_matrix(psi, ar.ones(psi, 0))


def kl_quadratic(fisher: Any, step: Any) -> Any:
    """(K, K), (K,) -> (): the divergence a step makes, to second order, in nats.

        KL(π_θ ‖ π_θ+d) ≈ ½ dᵀ F d

    Source: Amari (1998), §2; Schulman et al. (2015), appendix C.

    >>> float(kl_quadratic([[0.25, -0.25], [-0.25, 0.25]], [2.0, 0.0]))
    0.5
    """
    F, d = square_beside(fisher, step)
    return d @ (F @ d) / 2


def natural_gradient(fisher: Any, gradient: Any, damping: Any = 0) -> Array:
    """(K, K), (K,) -> (K,): the natural gradient; exact on Fractions.

        (F + λ I) x = g

    Raises `arithmetic.SingularSystem` where F + λ I is singular: give `damping`, or drop a parameter. `InvalidBatch` for
    λ below 0 and where F is not square beside g.
    Source: Amari (1998), theorem 1; Kakade (2001), §2.

    >>> natural_gradient([[2.0, 0.0], [0.0, 0.5]], [1.0, 1.0])
    array([0.5, 2. ])
    """
    F, g = square_beside(fisher, gradient)
    _, lam = read(fisher=fisher, damping=damping)
    within(0, None, damping=lam)
    kernel = ar.kernel_from(F)
    return ar.solve(kernel + lam[()] * ar.eye(kernel), g)


def natural_gradient_step(theta: Any, fisher: Any, gradient: Any, step_size: Any, damping: Any = 0) -> Array:
    """(K,), (K, K), (K,) -> (K,): parameters after a step of fixed size, upwards.

        θ' = θ + α (F + λ I)⁻¹ g

    Raises as `natural_gradient`, and for α below 0.
    Source: Kakade (2001), §2.

    >>> natural_gradient_step([1.0, 1.0], [[2.0, 0.0], [0.0, 0.5]], [1.0, 1.0], 0.5)
    array([1.25, 2.  ])
    """
    params, size = read(theta=theta, step_size=step_size)
    within(0, None, step_size=size)
    return np.asarray(params + size * natural_gradient(fisher, gradient, damping))


def kl_step_size(gradient: Any, direction: Any, kl_budget: Any) -> Any:
    """(K,), (K,), () -> (): how far along x = F⁻¹ g the quadratic model spends the budget δ, in nats.

        β = √(2δ / gᵀ x),   ½ (βx)ᵀ F (βx) = δ

    The step βx gains β gᵀx = √(2δ gᵀF⁻¹g) to first order, whatever the parameters are. Raises `InvalidBatch` for δ of at
    most 0 and where gᵀx is not above 0 (no gradient, or x no solution); `NotExact` for an irrational root.
    Source: Schulman et al. (2015), appendix C; Peters and Schaal (2008), §4.

    >>> float(kl_step_size([1.0, 1.0], [0.5, 1.5], 0.04))
    0.2
    """
    g, x, delta = read(gradient=gradient, direction=direction, kl_budget=kl_budget)
    if g.ndim != 1 or g.shape != x.shape:
        raise InvalidBatch(f"gradient has shape {g.shape}, direction {x.shape}: give (K,) and (K,)")
    positive(kl_budget=delta)
    slope = np.asarray(g @ x)
    positive(**{"gradient @ direction": slope})
    return ar.square_root(np.asarray(2 * delta / slope))[()]


def square_beside(matrix: Any, vector: Any) -> tuple[Array, Array]:
    """(K, K) symmetric and (K,), checked."""
    F, g = read(fisher=matrix, vector=vector)
    if g.ndim != 1 or F.shape != (g.size, g.size) or not g.size:
        raise InvalidBatch(
            f"fisher has shape {F.shape} beside a vector of shape {g.shape}: give (K, K) and (K,), K above 0"
        )
    scale = ar.largest(abs(F))
    refuse_where(ar.apart(F, F.T, 2**-30 * scale if not ar.is_exact(F) else 0), "fisher", F, "in a symmetric matrix")
    return F, g
