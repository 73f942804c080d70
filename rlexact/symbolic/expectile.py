"""Expectiles, as implicit Q-learning fits them.

    m = argmin Σ p |κ - 1[x < m]| (x - m)²        κ Σ_{x>m} p (x - m) = (1 - κ) Σ_{x<m} p (m - x)            [X1]
    so m is the mean under weights κ p above it and (1 - κ) p below it                                   [X2]

Three outcomes m - d_1 < m < m + u_1 < m + u_2 around the expectile.  Newey and Powell (1987), §2; Kostrikov et al. (2022), §4.1.
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import below_one, mean, simplex

kappa, low, rise, t = sympy.symbols("kappa a d t", positive=True)
m = sympy.Symbol("m", real=True)
p = simplex("w", 3)
x = sympy.symbols("x1:4", real=True)
weights = [(1 - kappa) * p[0], kappa * p[1], kappa * p[2]]
NEWEY = "Newey and Powell (1987), §2"
ORDER = (x[0] < m, m < x[1], m < x[2], *below_one(kappa))
TWO = "two outcomes a and a + d with chances p and 1 - p"
chance, rest = simplex("w", 2)
expectile = low + kappa * rest * rise / ((1 - kappa) * chance + kappa * rest)


def loss(m: Any) -> Any:
    """Σ p |κ - 1[x < m]| (x - m)², on the stretch of `ORDER`."""
    return mean(weights, [(y - m) ** 2 for y in x])


@identity(r"\mathcal{L}'(m) = 2(1-\kappa)\,\mathbb{E}(m-x)_+ - 2\kappa\,\mathbb{E}(x-m)_+", NEWEY, *ORDER)
def expectile_condition() -> Any:
    """The slope of the loss: zero exactly where the two sides balance."""
    above = mean(p[1:], [y - m for y in x[1:]])
    return sympy.diff(loss(m), m), 2 * (1 - kappa) * p[0] * (m - x[0]) - 2 * kappa * above


@identity(r"\mathcal{L}(m) = \mathcal{L}(m^*) + \textstyle\sum w\,(m-m^*)^2,\ m^* = \sum w x/\sum w", NEWEY, *ORDER)
def expectile_as_weighted_mean() -> Any:
    """On each stretch between outcomes the loss is a parabola around the weighted mean."""
    centre = mean(weights, x) / sum(weights)
    return loss(m), loss(centre) + sum(weights) * (m - centre) ** 2


@identity(r"\kappa\,\mathbb{E}(x-m)_+ = (1-\kappa)\,\mathbb{E}(m-x)_+", NEWEY, TWO, *below_one(kappa))
def expectile_of_two_outcomes() -> Any:
    """The closed form meets the condition."""
    return kappa * rest * (low + rise - expectile), (1 - kappa) * chance * (expectile - low)


@identity(
    r"m_{1/2} = \mathbb{E}x,\quad m_{\kappa\to 0} = \min,\quad m_{\kappa\to 1} = \max",
    "Kostrikov et al. (2022), Lemma 1",
    TWO,
)
def expectile_limits() -> Any:
    ends = [expectile.subs(kappa, sympy.Rational(1, 2)), *(sympy.limit(expectile, kappa, k) for k in (0, 1))]
    return ends, [chance * low + rest * (low + rise), low, low + rise]


@inequality(r"0 \le \frac{dm}{d\kappa}", "Kostrikov et al. (2022), Lemma 2", TWO, "κ = t / (1 + t)")
def expectile_rises() -> Any:
    """By t, which rises with κ: the slope is one product of positive factors."""
    slope = sympy.diff(expectile.subs(kappa, t / (1 + t)), t)
    return 0, slope, [chance * rest * rise / (chance + t * rest) ** 2]
