"""The Gaussian with a full covariance.

    log N(x; μ, Σ) = -½ (x - μ)ᵀ Σ⁻¹ (x - μ) - ½ log det Σ - (n/2) log 2π
    ∇_μ = Σ⁻¹ (x - μ)              ∂_Σ = ½ (Σ⁻¹ (x - μ)(x - μ)ᵀ Σ⁻¹ - Σ⁻¹)
    H = ½ log det 2πe Σ            KL = ½ (tr Σ₂⁻¹ Σ₁ + Δᵀ Σ₂⁻¹ Δ - n + log det Σ₂ - log det Σ₁),  Δ = μ₁ - μ₂
    x = μ + C z,  C Cᵀ = Σ         C lower triangular with a positive diagonal

One covariance (n, n), points and means (n,) or (..., n). ∂_Σ is a matrix G such that moving Σ along a symmetric H changes
the value by tr(G H); no convention about its two off-diagonal halves is needed. Scores, samples and information matrices
are rational and run on Fractions. Σ = L D Lᵀ is computed by elimination, whose pivots are above 0 exactly for a covariance.
Bishop (2006), §2.3; Petersen and Pedersen (2012), (57) and (61); Kullback (1959), §9.1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, of_shape, positive, read, refuse_where, vectors
from rlexact.formulas.gaussian import LOG_2PI


@dataclass(frozen=True, eq=False)
class FullGaussianKlGradient:
    """Derivatives of KL(N₁ ‖ N₂) in μ₁, Σ₁, μ₂ and Σ₂."""

    mean: Array
    covariance: Array
    other_mean: Array
    other_covariance: Array


def factor(covariance: Array, name: str = "covariance") -> tuple[Array, Array]:
    """(n, n) -> (n, n), (n,): L unit lower triangular and D > 0 with Σ = L D Lᵀ.  Raises `InvalidBatch` for no covariance."""
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or covariance.size == 0:
        raise InvalidBatch(f"{name} has shape {covariance.shape}: give a square (n, n) matrix")
    slack = 8 * ar.unit_roundoff(covariance) * ar.largest(np.abs(np.real(covariance)))  # rounding of C @ C.T
    refuse_where(
        ar.apart(np.real(covariance - covariance.T), 0, slack), name, covariance, "symmetric about the diagonal"
    )
    left, rest, pivots = covariance * 0, covariance.copy(), covariance[0] * 0
    for k in range(len(covariance)):
        positive(**{f"pivot of {name}": np.asarray(rest[k, k])})
        pivots[k], left[k:, k] = rest[k, k], rest[k:, k] / rest[k, k]
        rest = rest - pivots[k] * left[:, k, None] * left[None, :, k]
    return left, pivots


def precision(covariance: Array, name: str = "covariance") -> Array:
    """(n, n) -> (n, n): Σ⁻¹ = L⁻ᵀ D⁻¹ L⁻¹."""
    left, pivots = factor(covariance, name)
    whitener = whitened(left, ar.ones(covariance, len(pivots)) * np.eye(len(pivots), dtype=int))
    return np.asarray((whitener / pivots) @ whitener.T)


def whitened(left: Array, rows: Array) -> Array:
    """(n, n), (..., n) -> (..., n): L⁻¹ of each row, by forward substitution."""
    out = rows + 0 * left[0]
    for k in range(1, len(left)):
        out[..., k] = out[..., k] - (out[..., :k] * left[k, :k]).sum(axis=-1)
    return np.asarray(out)


def full_arguments(x: Any, mean: Any, covariance: Any) -> tuple[Array, Array]:
    """x - μ (..., n) and Σ (n, n)."""
    x, mu, cov = read(x=x, mean=mean, covariance=covariance)
    coordinates = vectors(x=x, mean=mu)[-1]
    if cov.ndim != 2 or len(cov) != coordinates:
        raise InvalidBatch(f"covariance has shape {cov.shape}: give ({coordinates}, {coordinates})")
    return x - mu, cov


def full_gaussian_log_density(x: Any, mean: Any, covariance: Any) -> Array:
    """(..., n), (..., n), (n, n) -> (...): log N(x; μ, Σ), in nats.

        log N(x; μ, Σ) = -½ (x - μ)ᵀ Σ⁻¹ (x - μ) - ½ log det Σ - (n/2) log 2π

    Raises `InvalidBatch` where Σ is no covariance (not symmetric, or with a pivot ≤ 0), `NotExact` for exact numbers.
    Source: Bishop (2006), (2.43).

    >>> full_gaussian_log_density([2.0, 0.0], [0.0, 0.0], [[2.0, 1.0], [1.0, 1.0]]) + np.log(2 * np.pi)
    np.float64(-2.0)
    """
    d, cov = full_arguments(x, mean, covariance)
    left, pivots = factor(cov)
    squares = (whitened(left, d) ** 2 / pivots).sum(axis=-1)
    log_det = ar.log(pivots).sum()
    return np.asarray(-(squares + log_det + len(pivots) * ar.number(pivots, LOG_2PI)) / 2)


def full_gaussian_score_mean(x: Any, mean: Any, covariance: Any) -> Array:
    """(..., n), (..., n), (n, n) -> (..., n): ∇ log N in the mean; it runs on Fractions.

        ∇_μ log N = Σ⁻¹ (x - μ)

    Raises `InvalidBatch` where Σ is no covariance.
    Source: Petersen and Pedersen (2012), §8.1.

    >>> full_gaussian_score_mean([2.0, 0.0], [0.0, 0.0], [[2.0, 1.0], [1.0, 1.0]])
    array([ 2., -2.])
    """
    d, cov = full_arguments(x, mean, covariance)
    return np.asarray(d @ precision(cov))


def full_gaussian_score_covariance(x: Any, mean: Any, covariance: Any) -> Array:
    """(..., n), (..., n), (n, n) -> (..., n, n): ∇ log N in the covariance, symmetric; it runs on Fractions.

        ∂_Σ log N = ½ (Σ⁻¹ (x - μ)(x - μ)ᵀ Σ⁻¹ - Σ⁻¹)

    Along a symmetric H the derivative is tr(∂_Σ H). Raises `InvalidBatch` where Σ is no covariance.
    Source: Petersen and Pedersen (2012), (57) and (61).

    >>> full_gaussian_score_covariance([3.0], [1.0], [[2.0]])
    array([[0.25]])
    """
    d, cov = full_arguments(x, mean, covariance)
    inverse = precision(cov)
    pulled = d @ inverse
    return np.asarray((pulled[..., :, None] * pulled[..., None, :] - inverse) / 2)


def full_gaussian_entropy(covariance: Any) -> Array:
    """(n, n) -> (): H, in nats.

        H = ½ log det 2πe Σ

    Raises `InvalidBatch` where Σ is no covariance, `NotExact` for exact numbers.
    Source: Bishop (2006), exercise 2.15.

    >>> full_gaussian_entropy([[2.0, 1.0], [1.0, 1.0]]) - np.log(2 * np.pi)
    np.float64(1.0)
    """
    _, pivots = factor(read(covariance=covariance)[0])
    return np.asarray((ar.log(pivots).sum() + len(pivots) * (ar.number(pivots, LOG_2PI) + 1)) / 2)


def full_gaussian_entropy_gradient(covariance: Any) -> Array:
    """(n, n) -> (n, n): dH/dΣ, symmetric; it runs on Fractions.

        ∂_Σ H = ½ Σ⁻¹

    Raises `InvalidBatch` where Σ is no covariance.
    Source: Petersen and Pedersen (2012), (57).

    >>> full_gaussian_entropy_gradient([[2.0, 1.0], [1.0, 1.0]])
    array([[ 0.5, -0.5],
           [-0.5,  1. ]])
    """
    return np.asarray(precision(read(covariance=covariance)[0]) / 2)


def full_gaussian_kl(mean: Any, covariance: Any, other_mean: Any, other_covariance: Any) -> Array:
    """(..., n), (n, n), (..., n), (n, n) -> (...): KL(N(μ₁, Σ₁) ‖ N(μ₂, Σ₂)), in nats.

        KL = ½ (tr Σ₂⁻¹ Σ₁ + Δᵀ Σ₂⁻¹ Δ - n + log det Σ₂ - log det Σ₁),   Δ = μ₁ - μ₂

    Raises `InvalidBatch` where Σ₁ or Σ₂ is no covariance, `NotExact` for exact numbers.
    Source: Kullback (1959), §9.1.

    >>> full_gaussian_kl([1.0, 0.0], np.eye(2), [0.0, 0.0], [[2.0, 1.0], [1.0, 1.0]])
    array(1.)
    """
    gap, cov_1, cov_2 = kl_arguments(mean, covariance, other_mean, other_covariance)
    inverse = precision(cov_2, "other_covariance")
    squares = ((gap @ inverse) * gap).sum(axis=-1)
    log_dets = ar.log(factor(cov_2)[1]).sum() - ar.log(factor(cov_1)[1]).sum()
    return np.asarray(((inverse * cov_1).sum() - len(cov_1) + squares + log_dets) / 2)


def kl_arguments(mean: Any, covariance: Any, other_mean: Any, other_covariance: Any) -> tuple[Array, Array, Array]:
    """μ₁ - μ₂, Σ₁ and Σ₂."""
    m_1, cov_1, m_2, cov_2 = read(
        mean=mean, covariance=covariance, other_mean=other_mean, other_covariance=other_covariance
    )
    n = vectors(mean=m_1, other_mean=m_2)[-1]
    for name, cov in (("covariance", cov_1), ("other_covariance", cov_2)):
        if cov.ndim != 2:
            raise InvalidBatch(f"{name} has shape {cov.shape}: give ({n}, {n})")
        of_shape((n, n), **{name: cov})
    return m_1 - m_2, cov_1, cov_2


def full_gaussian_kl_gradient(
    mean: Any, covariance: Any, other_mean: Any, other_covariance: Any
) -> FullGaussianKlGradient:
    """(n,), (n, n), (n,), (n, n) -> the same: the derivatives of KL(N₁ ‖ N₂); it runs on Fractions.

        ∂_μ₁ = Σ₂⁻¹ Δ = -∂_μ₂,   ∂_Σ₁ = ½ (Σ₂⁻¹ - Σ₁⁻¹),   ∂_Σ₂ = ½ (Σ₂⁻¹ - Σ₂⁻¹ (Σ₁ + Δ Δᵀ) Σ₂⁻¹)

    Along a symmetric H the derivative is tr(∂_Σ H). Raises as `full_gaussian_kl`.
    Source: differentiated from Kullback (1959), §9.1.

    >>> full_gaussian_kl_gradient([3.0], [[1.0]], [1.0], [[2.0]]).other_covariance
    array([[-0.375]])
    """
    gap, cov_1, cov_2 = kl_arguments(mean, covariance, other_mean, other_covariance)
    inverse = precision(cov_2, "other_covariance")
    pull = np.asarray(gap @ inverse)
    away = (inverse - inverse @ cov_1 @ inverse - pull[..., :, None] * pull[..., None, :]) / 2
    return FullGaussianKlGradient(pull, np.asarray((inverse - precision(cov_1)) / 2), -pull, np.asarray(away))


def cholesky(covariance: Any) -> Array:
    """(n, n) -> (n, n): C, lower triangular with a positive diagonal.

        C Cᵀ = Σ

    Fractions keep their world where the pivots are squares (`NotExact` otherwise). Raises `InvalidBatch` where Σ is no
    covariance.
    Source: Golub and Van Loan (2013), §4.2.

    >>> cholesky([[4.0, 2.0], [2.0, 10.0]])
    array([[2., 0.],
           [1., 3.]])
    """
    left, pivots = factor(read(covariance=covariance)[0])
    return np.asarray(left * ar.square_root(pivots))


def full_gaussian_sample(mean: Any, root: Any, noise: Any) -> Array:
    """(..., n), (n, n), (..., n) -> (..., n): the sample that standard normal noise is carried to.

        x = μ + C z

    `root` is C, as `cholesky` finds it or as a network puts it out. ∂x/∂μ is the identity.
    Source: Kingma and Welling (2014), §2.4.

    >>> full_gaussian_sample([1.0, 1.0], [[2.0, 0.0], [1.0, 3.0]], [1.0, -1.0])
    array([ 3., -1.])
    """
    mu, c, z = read(mean=mean, root=root, noise=noise)
    n = vectors(mean=mu, noise=z)[-1]
    if c.shape != (n, n):
        raise InvalidBatch(f"root has shape {c.shape}: give ({n}, {n})")
    return np.asarray(mu + z @ c.T)


def full_gaussian_sample_jacobian(noise: Any) -> Array:
    """(n,) -> (n, n, n): ∂x_i/∂C_kl of x = μ + C z.

        ∂x_i/∂C_kl = 1[i = k] z_l

    Read l ≤ k where C is lower triangular.
    Source: Kingma and Welling (2014), §2.4.

    >>> full_gaussian_sample_jacobian([3.0, 5.0])[0]
    array([[3., 5.],
           [0., 0.]])
    """
    (z,) = read(noise=noise)
    if z.ndim != 1:
        raise InvalidBatch(f"noise has shape {z.shape}: give one draw, shape (n,)")
    return np.asarray(np.eye(len(z), dtype=int)[:, :, None] * z)


def full_gaussian_fisher_mean(covariance: Any) -> Array:
    """(n, n) -> (n, n): E[∇_μ log N ∇_μ log Nᵀ]; it runs on Fractions.

        F = Σ⁻¹

    Raises `InvalidBatch` where Σ is no covariance.
    Source: Amari (1998), "Natural Gradient Works Efficiently in Learning", §2.

    >>> full_gaussian_fisher_mean([[2.0, 1.0], [1.0, 1.0]])
    array([[ 1., -1.],
           [-1.,  2.]])
    """
    return precision(read(covariance=covariance)[0])


def full_gaussian_fisher_covariance(covariance: Any) -> Array:
    """(n, n) -> (n², n²): E[vec ∂_Σ log N vec ∂_Σ log Nᵀ], on symmetric directions; it runs on Fractions.

        vec(H)ᵀ F vec(K) = ½ tr(Σ⁻¹ H Σ⁻¹ K),   F = ½ Σ⁻¹ ⊗ Σ⁻¹

    Between mean and covariance the information is 0. Raises `InvalidBatch` where Σ is no covariance.
    Source: Magnus and Neudecker (2019), chapter 15, §4.

    >>> full_gaussian_fisher_covariance([[0.5]])
    array([[2.]])
    """
    inverse = precision(read(covariance=covariance)[0])
    return np.asarray(np.kron(inverse, inverse) / 2)
