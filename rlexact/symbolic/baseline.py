"""Baselines: what they leave alone, and which one is best.

    E[∇log π (Q - b)] = E[∇log π Q]                                                                        [B1]
    Var(g_b) = Var(g_b*) + E[s²] (b - b*)²,   g_b = s (Q - b),   b* = E[s² Q] / E[s²],   s = ∇log π            [B2]
    E (1/n) Σ_i s_i (Q_i - Q̄) = (1 - 1/n) ∇J            with the batch mean Q̄, which holds the sample's own Q [B3]
    E (1/n) Σ_i s_i (Q_i - mean of the others) = ∇J                                                        [B4]

Williams (1992); Greensmith, Bartlett and Baxter (2004) for [B2]; Kool, van Hoof and Welling (2019) for [B4].
"""

from itertools import product
from math import prod
from typing import Any

import sympy

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import along, mean, reals, simplex
from rlexact.symbolic.score import moving, p, score

q = reals("q", 3)
any_p, free = simplex("v", 3), reals("s", 2)
any_score = [
    *free,
    -mean(any_p[:2], free) / any_p[2],
]  # the mean under any_p is zero: all that the variance asks of a score
b = sympy.Symbol("b", real=True)
BATCH = 2
GRADIENT = along(mean(moving, q))
squares = [s**2 for s in any_score]
best_baseline = mean(any_p, [w * x for w, x in zip(squares, q, strict=True)]) / mean(any_p, squares)


def estimate(score: Any, b: Any) -> list[Any]:
    """s (Q - b), per outcome."""
    return [s * (x - b) for s, x in zip(score, q, strict=True)]


def variance(b: Any) -> Any:
    """Var(g_b) under any distribution and any score with mean zero."""
    g = estimate(any_score, b)
    return mean(any_p, [x**2 for x in g]) - mean(any_p, g) ** 2


def batch_mean(baseline: Any) -> Any:
    """E (1/n) Σ_i s_i (Q_i - baseline(i, batch)), over every batch of two independent draws."""
    total = sympy.Integer(0)
    for batch in product(range(3), repeat=BATCH):
        terms = [score[k] * (q[k] - baseline(i, batch)) for i, k in enumerate(batch)]
        total += prod(p[k] for k in batch) * sum(terms) / BATCH
    return total


@identity(r"\mathbb{E}[\nabla\log\pi\,(Q - b)] = \nabla J", "Williams (1992)", "b does not depend on the action")
def baseline_invariance() -> Any:
    return mean(p, estimate(score, b)), GRADIENT


@identity(
    r"\mathrm{Var}(g_b) = \mathrm{Var}(g_{b^*}) + \mathbb{E}[s^2](b-b^*)^2,\quad b^* = \frac{\mathbb{E}[s^2Q]}{\mathbb{E}[s^2]}",
    "Greensmith, Bartlett and Baxter (2004)",
)
def optimal_baseline() -> Any:
    return variance(b), variance(best_baseline) + mean(any_p, squares) * (b - best_baseline) ** 2


@identity(r"\frac{d}{db}\mathrm{Var}(g_b) = 2\,\mathbb{E}[s^2]\,(b - b^*)", "Greensmith, Bartlett and Baxter (2004)")
def slope_of_the_variance() -> Any:
    """So the best b is E[s² Q] / E[s²], the mean of Q under weights π s²: not the value."""
    return sympy.diff(variance(b), b), 2 * mean(any_p, squares) * (b - best_baseline)


@identity(r"\mathbb{E}\,\tfrac1n\sum_i s_i (Q_i - \bar Q) = (1-\tfrac1n)\nabla J", "by independence", f"n = {BATCH}")
def batch_mean_baseline_shrinks_the_gradient() -> Any:
    """The batch mean depends on the action it is subtracted from: a factor 1 - 1/n."""
    left = batch_mean(lambda i, batch: sum(q[k] for k in batch) / BATCH)
    return left, (1 - sympy.Rational(1, BATCH)) * GRADIENT


@identity(r"\mathbb{E}\,\tfrac1n\sum_i s_i (Q_i - \bar Q_{-i}) = \nabla J", "Kool et al. (2019)", f"n = {BATCH}")
def leave_one_out_baseline_is_unbiased() -> Any:
    return batch_mean(lambda i, batch: q[batch[1 - i]]), GRADIENT
