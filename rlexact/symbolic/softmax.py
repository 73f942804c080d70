"""The softmax π_a = exp(z_a) / Σ_b exp(z_b) and its derivatives.

    ∂log π_a / ∂z_b = 1[a = b] - π_b              ∂π_a / ∂z_b = π_a (1[a = b] - π_b)                       [S1]
    F = E[∇log π ∇log πᵀ] = diag(π) - π πᵀ         F A = π (A - E A): advantages are the natural gradient   [S2]

Bridle (1990); Sutton and Barto (2018), §13.3; Kakade (2002) for [S2].
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import entropy_of, gradient, logs, mean, normalised, reals, softmax_of, tau

N = 3
z, q = reals("z", N), reals("q", N)
pi = softmax_of(z)
FISHER = sympy.diag(*pi) - sympy.Matrix(pi) * sympy.Matrix(pi).T


@identity(r"\frac{\partial \log\pi_a}{\partial z_b} = 1[a = b] - \pi_b", "Sutton and Barto (2018), exercise 13.3")
def softmax_score() -> Any:
    return sympy.Matrix(logs(pi)).jacobian(z), sympy.Matrix(N, N, lambda a, b: int(a == b) - pi[b])


@identity(r"\frac{\partial \pi_a}{\partial z_b} = \pi_a (1[a = b] - \pi_b)", "Bridle (1990)")
def softmax_jacobian() -> Any:
    return sympy.Matrix(pi).jacobian(z), FISHER


@identity(r"\mathbb{E}_\pi[\nabla\log\pi\, \nabla\log\pi^\top] = \mathrm{diag}(\pi) - \pi\pi^\top", "Kakade (2002)")
def softmax_fisher() -> Any:
    scores = [gradient(x, z) for x in logs(pi)]
    return sum((x * s * s.T for x, s in zip(pi, scores, strict=True)), sympy.zeros(N, N)), FISHER


@identity(r"\mathrm{softmax}(z + c) = \mathrm{softmax}(z)", "the reason why the largest logit is subtracted")
def softmax_ignores_a_shift() -> Any:
    c = sympy.Symbol("c", real=True)
    return softmax_of([x + c for x in z]), pi


@identity(r"\nabla_z \mathbb{E}_\pi q = \pi \odot (q - \mathbb{E}_\pi q)", "Sutton and Barto (2018), §2.8")
def softmax_gradient_bandit() -> Any:
    return gradient(mean(pi, q), z), [x * (y - mean(pi, q)) for x, y in zip(pi, q, strict=True)]


@identity(r"F (q - \mathbb{E}_\pi q) = \nabla_z \mathbb{E}_\pi q", "Kakade (2002), Theorem 1")
def softmax_natural_gradient() -> Any:
    """The advantages solve F x = ∇J: a natural gradient step adds them to the logits."""
    return FISHER * sympy.Matrix([y - mean(pi, q) for y in q]), gradient(mean(pi, q), z)


@identity(r"\frac{\partial \pi_a}{\partial \tau} = -\frac{\pi_a}{\tau^2}(z_a - \mathbb{E}_\pi z)", "the quotient rule")
def softmax_temperature() -> Any:
    warm = softmax_of(z, tau)
    return [sympy.diff(x, tau) for x in warm], [-x * (y - mean(warm, z)) / tau**2 for x, y in zip(warm, z, strict=True)]


@identity(r"\frac{\partial H}{\partial z_a} = -\pi_a(\log\pi_a + H)", "the gradient of an entropy bonus")
def softmax_entropy_gradient() -> Any:
    h = entropy_of(pi)
    return gradient(h, z), [-x * (sympy.log(x) + h) for x in pi]


@identity(
    r"\mathrm{softmax}(\log \pi + \eta A)\propto \pi e^{\eta A}", "Agarwal et al. (2021), the natural gradient step"
)
def softmax_multiplicative_update() -> Any:
    """Logits plus η times advantages reweight the policy by exp(η A): the baseline cancels."""
    eta, adv = sympy.Symbol("eta", positive=True), reals("A", N)
    weights = [x * sympy.exp(eta * a) for x, a in zip(pi, adv, strict=True)]
    return softmax_of([x + eta * a for x, a in zip(z, adv, strict=True)]), normalised(weights)
