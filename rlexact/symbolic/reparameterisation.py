"""Gradients through the sample: x = μ + σ z, and why they agree with the score.

    ∂_θ p = -∂_x (p ∂_θ x)         the density is carried along by the sample (a continuity equation)         [R1]
    ∇_θ E f(x) = E[f'(x) ∂_θ x] = E[f(x) ∂_θ log p]                                                        [R2]

[R1] and integration by parts give [R2] for every smooth f of moderate growth; below [R2] is also proved outright for
every polynomial of degree at most 3, with free coefficients.

Kingma and Welling (2014), §2.4; Price (1958); Bonnet (1964); Silver et al. (2014) for the deterministic policy gradient.
"""

from typing import Any

import sympy

from rlexact.symbolic.gaussian import expectation, log_density, m, s, x, z
from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import gradient, mean, reals

coefficients = reals("c", 4)
CUBIC = "f any polynomial of degree at most 3"
sample = m + s * z


def f(x: Any) -> Any:
    return mean(coefficients, [x**k for k in range(4)])


slope = sympy.diff(f(x), x).subs(x, sample)
bend = sympy.diff(f(x), x, 2).subs(x, sample)


def expected(g: Any) -> Any:
    return expectation(sympy.expand(g), [z])


GRADIENT = gradient(expected(f(sample)), [m, s])


@identity(
    r"\partial_\theta \log p = -\partial_x\partial_\theta x - \partial_\theta x\,\partial_x\log p",
    "Kingma and Welling (2014)",
)
def transport_of_the_density() -> Any:
    """[R1] divided by p, for θ = μ and θ = σ, where ∂_θ x is 1 and (x - μ)/σ."""
    log_p, velocity = log_density(x, m, s), [sympy.Integer(1), (x - m) / s]
    return gradient(log_p, [m, s]), [-sympy.diff(v, x) - v * sympy.diff(log_p, x) for v in velocity]


@identity(r"\partial_\sigma p = \sigma\,\partial_x^2 p", "Price (1958): the heat equation")
def heat_equation() -> Any:
    p = sympy.exp(log_density(x, m, s))
    return sympy.diff(p, s) / p, s * sympy.diff(p, x, 2) / p


@identity(r"\nabla \mathbb{E} f(\mu+\sigma z) = \mathbb{E}[f'(x)\,(1, z)]", "Kingma and Welling (2014), §2.4", CUBIC)
def reparameterisation() -> Any:
    return GRADIENT, [expected(slope), expected(slope * z)]


@identity(r"\mathbb{E}[f'(x)\,(1, z)] = \mathbb{E}[f(x)\,\nabla\log p]", "Mohamed et al. (2020), §5", CUBIC)
def pathwise_equals_score() -> Any:
    scores = gradient(log_density(x, m, s), [m, s]).subs(x, sample)
    return [expected(slope), expected(slope * z)], [expected(f(sample) * g) for g in scores]


@identity(r"\mathbb{E}[f(x)(x-\mu)] = \sigma^2\,\mathbb{E}f'(x)", "Stein (1981), Lemma 1", CUBIC)
def stein() -> Any:
    return expected(f(sample) * s * z), s**2 * expected(slope)


@identity(
    r"\partial_\mu\mathbb{E}f = \mathbb{E}f',\quad \partial_\sigma\mathbb{E}f = \sigma\,\mathbb{E}f''",
    "Bonnet (1964); Price (1958)",
    CUBIC,
)
def bonnet_and_price() -> Any:
    return GRADIENT, [expected(slope), s * expected(bend)]


@identity(
    r"\nabla_\theta Q(\mu_\theta) = \nabla_\theta\mu_\theta\,\left.\nabla_a Q\right|_{a=\mu_\theta}",
    "Silver et al. (2014), (9)",
    CUBIC,
    "μ_θ = θ₁ φ₁ + θ₂ φ₂",
)
def deterministic_policy_gradient() -> Any:
    """One state: the chain rule, for a linear policy."""
    theta, features = reals("theta", 2), reals("phi", 2)
    action = mean(theta, features)
    return gradient(f(action), theta), [phi * sympy.diff(f(x), x).subs(x, action) for phi in features]
