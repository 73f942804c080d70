"""The Gaussian, in one dimension and with a full covariance: scores, information, entropy, divergence.

    log N(x; μ, σ) = -½ ((x - μ)/σ)² - log σ - ½ log 2π
    ∂_μ = (x - μ)/σ²           ∂_σ = ((x - μ)² - σ²)/σ³         ∂_log σ = (x - μ)²/σ² - 1                     [G1]
    ∇_μ = Σ⁻¹ (x - μ)          ∂_Σ = ½ (Σ⁻¹ (x - μ)(x - μ)ᵀ Σ⁻¹ - Σ⁻¹)                                       [G2]
    KL = ½ (tr Σ₂⁻¹ Σ₁ + (μ₂ - μ₁)ᵀ Σ₂⁻¹ (μ₂ - μ₁) - n + log det Σ₂ / det Σ₁)                                [G3]

x = μ + L z with z standard; Σ = L Lᵀ, L lower triangular with a positive diagonal. Expectations of polynomials use
E zᵏ = (k - 1)!! for even k and 0 for odd k, which `standard_moments` proves by integration.

Bishop (2006), §2.3; Petersen and Pedersen (2012), (57) and (61) for [G2]; Kullback (1959), §9.1 for [G3].
"""

from collections.abc import Sequence
from typing import Any

import sympy

from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import gradient, reals
from rlexact.symbolic.small_model import inverse

x, m, m2, z = sympy.symbols("x mu mu_2 z", real=True)
s, s2 = sympy.symbols("sigma sigma_2", positive=True)
noise = reals("z", 2)
BISHOP = "Bishop (2006), §2.3"
HIGHEST = 6


def log_density(x: Any, mean: Any, std: Any) -> Any:
    """log N(x; μ, σ)."""
    return -(((x - mean) / std) ** 2) / 2 - sympy.log(std) - sympy.log(2 * sympy.pi) / 2


def log_density_full(x: Any, mean: Any, cov: Any) -> Any:
    """log N(x; μ, Σ) in n dimensions."""
    d = x - mean
    return -(d.T * inverse(cov) * d)[0] / 2 - sympy.log(cov.det()) / 2 - len(x) * sympy.log(2 * sympy.pi) / 2


def expectation(f: Any, z: Sequence[Any]) -> Any:
    """E f over independent standard normal z, for f a polynomial in z: Σ of coefficients times moments."""
    terms = sympy.Poly(f, *z).terms()
    return sum((c * sympy.prod([moment(k) for k in powers]) for powers, c in terms), sympy.Integer(0))


def moment(k: int) -> Any:
    """E zᵏ = (k - 1)!! for even k, 0 for odd."""
    return sympy.factorial2(k - 1) if k % 2 == 0 else sympy.Integer(0)


def triangular(name: str) -> Any:
    """(2, 2) lower triangular with a positive diagonal: the Cholesky factor of any covariance."""
    a, c = sympy.symbols(f"{name}_11 {name}_22", positive=True)
    return sympy.Matrix([[a, 0], [sympy.Symbol(f"{name}_21", real=True), c]])


L, L2 = triangular("L"), triangular("K")
mu, mu2 = sympy.Matrix(reals("mu", 2)), sympy.Matrix(reals("nu", 2))


@identity(r"\int z^k \varphi(z)\,dz = (k-1)!!\ [k \text{ even}]", BISHOP, f"k = 0 … {HIGHEST}")
def standard_moments() -> Any:
    """By integration: the one place where an integral over the line is done."""
    density = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    ks = range(HIGHEST + 1)
    return [sympy.integrate(z**k * density, (z, -sympy.oo, sympy.oo)) for k in ks], [moment(k) for k in ks]


@identity(
    r"\nabla \log N = \left(\tfrac{x-\mu}{\sigma^2},\ \tfrac{(x-\mu)^2-\sigma^2}{\sigma^3}\right)", "Williams (1992)"
)
def gaussian_score() -> Any:
    return gradient(log_density(x, m, s), [m, s]), [(x - m) / s**2, ((x - m) ** 2 - s**2) / s**3]


@identity(r"\frac{\partial \log N}{\partial \log\sigma} = \frac{(x-\mu)^2}{\sigma^2} - 1", "the chain rule on [G1]")
def gaussian_score_of_log_std() -> Any:
    rho = sympy.Symbol("rho", real=True)
    return sympy.diff(log_density(x, m, sympy.exp(rho)), rho), (x - m) ** 2 / sympy.exp(2 * rho) - 1


@identity(r"F = \mathrm{diag}(1/\sigma^2,\ 2/\sigma^2)", "Amari (1998)")
def gaussian_fisher() -> Any:
    score = gradient(log_density(x, m, s), [m, s]).subs(x, m + s * z)
    return (score * score.T).applyfunc(lambda e: expectation(sympy.expand(e), [z])), sympy.diag(1 / s**2, 2 / s**2)


@identity(r"H = \tfrac12 \log 2\pi e \sigma^2", BISHOP)
def gaussian_entropy() -> Any:
    return -expectation(log_density(m + s * z, m, s), [z]), sympy.log(2 * sympy.pi * s**2) / 2 + sympy.Rational(1, 2)


@identity(
    r"\mathrm{KL} = \log\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1-\mu_2)^2}{2\sigma_2^2} - \frac12", BISHOP
)
def gaussian_kl() -> Any:
    y = m + s * z
    left = expectation(log_density(y, m, s) - log_density(y, m2, s2), [z])
    return left, sympy.log(s2 / s) + (s**2 + (m - m2) ** 2) / (2 * s2**2) - sympy.Rational(1, 2)


@inequality(r"0 \le \mathrm{KL}(N_1\|N_2)", "Kullback (1959), §9.1")
def gaussian_kl_is_non_negative() -> Any:
    """½ ℓ(σ₁²/σ₂²) for the variances and a square for the means."""
    kl = sympy.log(s2 / s) + (s**2 + (m - m2) ** 2) / (2 * s2**2) - sympy.Rational(1, 2)
    return 0, kl, [log_gap(s**2 / s2**2) / 2, (m - m2) ** 2 / (2 * s2**2)]


@identity(r"\nabla_\mu \log N = \Sigma^{-1}(x-\mu)", "Petersen and Pedersen (2012), §8.1", "n = 2, full covariance")
def full_gaussian_score_of_the_mean() -> Any:
    point, cov = sympy.Matrix(reals("x", 2)), L * L.T
    return gradient(log_density_full(point, mu, cov), list(mu)), inverse(cov) * (point - mu)


@identity(
    r"\frac{\partial \log N}{\partial \Sigma} = \tfrac12\left(\Sigma^{-1}(x-\mu)(x-\mu)^\top\Sigma^{-1} - \Sigma^{-1}\right)",
    "Petersen and Pedersen (2012), (57) and (61)",
    "n = 2; Σ moves along H = Hᵀ, the derivative is tr(right · H)",
    m**2 < s * s2,
)
def full_gaussian_score_of_the_covariance() -> Any:
    """Along each symmetric direction, so that no convention about the two off-diagonal entries is needed."""
    point, cov = sympy.Matrix(reals("x", 2)), sympy.Matrix([[s, m], [m, s2]])
    inv, d = inverse(cov), point - mu
    right = (inv * d * d.T * inv - inv) / 2
    along = [right[0, 0], right[0, 1] + right[1, 0], right[1, 1]]
    return gradient(log_density_full(point, mu, cov), [s, m, s2]), along


@identity(
    r"\mathbb{E}\,\nabla_\mu\log N\,\nabla_\mu\log N^\top = \Sigma^{-1}", "Amari (1998)", "n = 2, full covariance"
)
def full_gaussian_fisher_of_the_mean() -> Any:
    score = inverse(L * L.T) * L * sympy.Matrix(noise)
    return (score * score.T).applyfunc(lambda e: expectation(sympy.expand(e), noise)), inverse(L * L.T)


@identity(r"H = \tfrac12\log\det(2\pi e\Sigma)", BISHOP, "n = 2, full covariance")
def full_gaussian_entropy() -> Any:
    left = -expectation(sympy.cancel(quadratic(mu, L)) + constant(L), noise)
    return left, sympy.log((2 * sympy.pi) ** 2 * (L * L.T).det()) / 2 + 1


@identity(
    r"\mathrm{KL} = \tfrac12\left(\mathrm{tr}\,\Sigma_2^{-1}\Sigma_1 + \Delta^\top\Sigma_2^{-1}\Delta - n"
    r" + \log\frac{\det\Sigma_2}{\det\Sigma_1}\right)",
    "Kullback (1959), §9.1",
    "n = 2, full covariances, Δ = μ₂ - μ₁",
)
def full_gaussian_kl() -> Any:
    first = sympy.cancel(quadratic(mu, L)) + constant(L)
    second = sympy.cancel(quadratic(mu2, L2)) + constant(L2)
    cov, inv, gap = L * L.T, inverse(L2 * L2.T), mu2 - mu
    dets = sympy.log((L2 * L2.T).det()) - sympy.log(cov.det())
    return expectation(first - second, noise), ((inv * cov).trace() + (gap.T * inv * gap)[0] - 2 + dets) / 2


def quadratic(mean: Any, factor: Any) -> Any:
    """-½ (x - mean)ᵀ (F Fᵀ)⁻¹ (x - mean) at x = μ + L z."""
    d = mu + L * sympy.Matrix(noise) - mean
    return -(d.T * inverse(factor * factor.T) * d)[0] / 2


def constant(factor: Any) -> Any:
    """-½ log det(F Fᵀ) - log 2π."""
    return -sympy.log((factor * factor.T).det()) / 2 - sympy.log(2 * sympy.pi)


@identity(
    r"\log(1-\tanh^2 u) = 2(\log 2 - u - \log(1 + e^{-2u}))", "Haarnoja et al. (2018), appendix C, in stable form"
)
def tanh_correction() -> Any:
    """The log-Jacobian of a squashed Gaussian."""
    u = sympy.Symbol("u", real=True)
    return sympy.log(1 - sympy.tanh(u) ** 2), 2 * (sympy.log(2) - u - sympy.log(1 + sympy.exp(-2 * u)))
