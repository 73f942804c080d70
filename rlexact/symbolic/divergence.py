"""Divergences between distributions: closed forms, decompositions, bounds.

    KL(p‖q) = Σ p log(p/q)               KL of pairs = KL of the first + E KL of the second given it        [K1]
    JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m) = H(m) - ½ H(p) - ½ H(q),  m = (p + q)/2,      0 ≤ JS ≤ log 2         [K2]
    k1 = -log r, k2 = ½ (log r)², k3 = r - 1 - log r,  r = p/q under q:  E k1 = E k3 = KL(q‖p)             [K3]

Kullback and Leibler (1951); Lin (1991), §IV for [K2]; Schulman (2020), 'Approximating KL divergence', for [K3].
"""

from itertools import product
from typing import Any

import sympy

from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import along, below_one, entropy_of, eps, kl_of, logs, mean, reals, simplex

N = 3
p, q = simplex("v", N), simplex("w", N)
m = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
chance = sympy.Symbol("q", positive=True)
ratio = [a / b for a, b in zip(p, q, strict=True)]


def jensen_shannon(p: Any, q: Any) -> Any:
    return (kl_of(p, m) + kl_of(q, m)) / 2


@identity(r"\mathrm{KL}(p\|q) = H(p, q) - H(p)", "Cover and Thomas (2006), §2.3")
def kl_from_cross_entropy() -> Any:
    return kl_of(p, q), -mean(p, logs(q)) - entropy_of(p)


@identity(
    r"\mathrm{KL}(p_{xy}\|q_{xy}) = \mathrm{KL}(p_x\|q_x) + \mathbb{E}_{p}\,\mathrm{KL}(p_{y|x}\|q_{y|x})",
    "Cover and Thomas (2006), Theorem 2.5.3",
)
def kl_chain_rule() -> Any:
    """Two outcomes each: why KL between paths adds up over time."""
    first = [simplex("a", 2), simplex("b", 2)]
    then = [[simplex(f"{name}{i}_", 2) for i in range(2)] for name in "cd"]
    joint = [[first[k][i] * then[k][i][j] for i, j in product(range(2), repeat=2)] for k in range(2)]
    return kl_of(*joint), kl_of(*first) + mean(first[0], [kl_of(x, y) for x, y in zip(*then, strict=True)])


@identity(r"\mathrm{JS}(p,q) = H(m) - \tfrac12 H(p) - \tfrac12 H(q)", "Lin (1991), §IV")
def jensen_shannon_by_entropies() -> Any:
    return jensen_shannon(p, q), entropy_of(m) - (entropy_of(p) + entropy_of(q)) / 2


@inequality(r"0 \le \mathrm{JS}(p, q)", "Lin (1991), §IV")
def jensen_shannon_is_non_negative() -> Any:
    return 0, jensen_shannon(p, q), [x / 2 * log_gap(c / x) for d in (p, q) for x, c in zip(d, m, strict=True)]


@inequality(r"\mathrm{JS}(p, q) \le \log 2", "Lin (1991), §IV, at equal weights")
def jensen_shannon_at_most_log_two() -> Any:
    """log 2 - JS = ½ Σ p log(1 + q/p) + ½ Σ q log(1 + p/q)."""
    pairs = [*zip(p, q, strict=True), *zip(q, p, strict=True)]
    return jensen_shannon(p, q), sympy.log(2), [a / 2 * sympy.log(1 + b / a) for a, b in pairs]


@inequality(r"\mathrm{KL}(p\|q) \le \chi^2(p\|q)", "Gibbs and Su (2002), Theorem 5")
def kl_below_chi_square() -> Any:
    """The slack is Σ p ℓ(p / q)."""
    chi_square = mean(q, [(r - 1) ** 2 for r in ratio])
    return kl_of(p, q), chi_square, [a * log_gap(r) for a, r in zip(p, ratio, strict=True)]


@identity(r"\mathbb{E}_q[r - 1 - \log r] = \mathrm{KL}(q\|p),\quad r = p/q", "Schulman (2020), k3")
def k3_is_unbiased() -> Any:
    return mean(q, [r - 1 - sympy.log(r) for r in ratio]), kl_of(q, p)


@inequality(r"0 \le r - 1 - \log r", "Schulman (2020), k3", "r > 0")
def k3_is_non_negative() -> Any:
    """Sample by sample, unlike k1 = -log r."""
    r = sympy.Symbol("r", positive=True)
    return 0, r - 1 - sympy.log(r), [log_gap(r)]


@identity(
    r"\left.\nabla^2\right|_{q=p} \mathrm{KL}(p\|q) = F,\quad \left.\nabla\right|_{q=p} = 0", "Kullback (1959), §2.6"
)
def kl_is_fisher_to_second_order() -> Any:
    """Along any direction of the odds; the slope is 0 on both sides."""
    h = reals("h", N)
    moving = [a + eps * b for a, b in zip(p, h, strict=True)]
    moving = [x / sum(moving) for x in moving]
    kl, score = kl_of(p, moving), [along(x) for x in logs(moving)]
    return [along(sympy.diff(kl, eps)), along(kl)], [mean(p, [s**2 for s in score]), 0]


@identity(
    r"\frac{\partial}{\partial q}\left(\mathrm{KL}(p\|q) - 2(p-q)^2\right) = (q-p)\frac{(1-2q)^2}{q(1-q)}",
    "Pinsker (1964), with Csiszár's constant; two outcomes",
    *below_one(chance),
)
def pinsker_by_its_slope() -> Any:
    """So KL - 2 TV² falls until q = p, where it is 0, and rises after: KL ≥ 2 TV²."""
    p, _ = simplex("v", 2)
    slack = p * sympy.log(p / chance) + (1 - p) * sympy.log((1 - p) / (1 - chance)) - 2 * (p - chance) ** 2
    return sympy.diff(slack, chance), (chance - p) * (1 - 2 * chance) ** 2 / (chance * (1 - chance))


@inequality(r"H(p) \le \log n", "Cover and Thomas (2006), Theorem 2.6.4")
def entropy_at_most_log_n() -> Any:
    """log n - H(p) = KL(p‖uniform) = Σ p ℓ(1 / (n p))."""
    return entropy_of(p), sympy.log(N), [a * log_gap(1 / (N * a)) for a in p]


@inequality(r"0 \le H(p)", "Cover and Thomas (2006), Lemma 2.1.1")
def entropy_is_non_negative() -> Any:
    return 0, entropy_of(p), [a * sympy.log(1 + sympy.cancel(1 / a - 1)) for a in p]


@identity(r"\mathrm{KL}(p\|u) = \log n - H(p)", "Cover and Thomas (2006), proof of Theorem 2.6.4", "u uniform")
def kl_to_the_uniform() -> Any:
    return kl_of(p, [sympy.Rational(1, N)] * N), sympy.log(N) - entropy_of(p)
