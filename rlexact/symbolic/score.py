"""The score ∇log p and its first facts.

    ∇p = p ∇log p        ∇E f = E[f ∇log p]        E[∇log p] = 0        E[∇log p ∇log pᵀ] = -E[∇² log p]   [L1]

Three outcomes whose odds move along any direction.  Williams (1992); Fisher (1925) for the last.
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import along, eps, logs, mean, normalised, positives, reals

odds, direction, f = positives("w", 3), reals("h", 3), reals("f", 3)
moving = normalised([w + eps * h for w, h in zip(odds, direction, strict=True)])
p = [x.subs(eps, 0) for x in moving]
score = [along(sympy.log(x)) for x in moving]


@identity(r"\nabla p = p\, \nabla \log p", "Williams (1992)", "p > 0")
def log_derivative_trick() -> Any:
    return [along(x) for x in moving], [x * s for x, s in zip(p, score, strict=True)]


@identity(r"\nabla \mathbb{E}_p f = \mathbb{E}_p[f\, \nabla \log p]", "Williams (1992)", "f does not move")
def score_function_gradient() -> Any:
    return along(mean(moving, f)), mean(p, [x * s for x, s in zip(f, score, strict=True)])


@identity(
    r"\nabla \mathbb{E}_p f = \mathbb{E}_p[f\, \nabla \log p] + \mathbb{E}_p \nabla f",
    "the product rule",
    "f moves too",
)
def score_function_gradient_of_moving_f() -> Any:
    """What an entropy bonus or a learned reward adds."""
    g = reals("g", 3)
    left = along(mean(moving, [x + eps * y for x, y in zip(f, g, strict=True)]))
    return left, mean(p, [x * s + y for x, s, y in zip(f, score, g, strict=True)])


@identity(r"\mathbb{E}_p \nabla \log p = 0", "Fisher (1925)")
def score_has_mean_zero() -> Any:
    """Written as p_3 s_3 = -(p_1 s_1 + p_2 s_2)."""
    return p[2] * score[2], -mean(p[:2], score[:2])


@identity(r"\mathbb{E}_p[(\nabla \log p)^2] = -\mathbb{E}_p \nabla^2 \log p", "Fisher (1925)")
def fisher_information_two_ways() -> Any:
    bend = [sympy.diff(x, eps, 2).subs(eps, 0) for x in logs(moving)]
    return mean(p, [s**2 for s in score]), -mean(p, bend)


@identity(r"\mathbb{E}_\mu\left[\tfrac{p}{\mu} f\right] = \mathbb{E}_p f", "Kahn and Marshall (1953)", "μ > 0")
def importance_sampling() -> Any:
    behaviour = normalised(positives("v", 3))
    return mean(behaviour, [a / b * x for a, b, x in zip(p, behaviour, f, strict=True)]), mean(p, f)


@identity(
    r"\nabla \mathbb{E}_p f = \mathbb{E}_\mu\left[\tfrac{p}{\mu}\, f\, \nabla\log p\right]",
    "Degris, White and Sutton (2012)",
    "μ > 0",
)
def off_policy_score_gradient() -> Any:
    behaviour = normalised(positives("v", 3))
    right = mean(behaviour, [a / b * x * s for a, b, x, s in zip(p, behaviour, f, score, strict=True)])
    return along(mean(moving, f)), right
