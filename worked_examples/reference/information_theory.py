# %% [markdown]
# # Information theory
#
# *Document `reference`, lines 188 to 207.* Entropy, two divergences, mutual information. Every formula is right. One property needs
# care: that KL is not symmetric means that its two orders differ for *some* pairs of distributions, not for all.
#
# Logarithms are natural, so that everything is in nats, and $0 \log 0 = 0$. Probabilities below are symbols wherever possible: what
# is proved for $p = (p_1, p_2, p_3)$ with free entries holds for each choice of them.

# %%

import numpy as np
import sympy

from rlexact.claims import Conditional, Holds, Section, against, claim, close, proved, proved_at_most, shows
from rlexact.formulas.beta import beta_entropy
from rlexact.formulas.categorical import categorical_entropy
from rlexact.formulas.divergence import jensen_shannon, kl
from rlexact.formulas.entropy import conditional_entropy, cross_entropy, entropy, mutual_information
from rlexact.formulas.gaussian import gaussian_entropy
from rlexact.plotting import COLOURS, figure
from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.notation import simplex

SECTION = Section("reference", "information_theory", "Information theory")

HALF, QUARTER, ZERO = sympy.Rational(1, 2), sympy.Rational(1, 4), sympy.Integer(0)
LOG2, LOG3 = sympy.log(2), sympy.log(3)
P, Q = simplex("v", 3), simplex("w", 3)

# %% [markdown]
# ## Entropy
#
# The surprise of an outcome is $-\log p(x)$; entropy is the mean surprise. Over outcomes of chance ½, ¼, ¼, that are told apart by
# one, two and two yes-or-no questions, the mean number of questions is 1½, and the entropy is 1½ times $\log 2$.


# %%
def plain(x):
    """A symbolic number with its logarithms taken apart, so that sums of them can cancel."""
    return sympy.expand_log(sympy.sympify(np.asarray(x).item()), force=True)


def mean(p, values):
    """Σ p x."""
    return sum(a * b for a, b in zip(p, values, strict=True))


@claim(
    "reference-127",
    says=r"$H(X) = -\sum_x p(x) \log p(x) = \mathbb{E}_X[-\log p(X)]$",
    verdict=Holds(note="with 0 log 0 = 0; in nats for the natural logarithm, in bits for base 2"),
    about=(entropy, cross_entropy),
)
def mean_surprise():
    yield proved(plain(entropy(P)) - plain(-mean(P, map(sympy.log, P))), "-Σ p log p, three free probabilities")
    yield proved(plain(entropy([HALF, QUARTER, QUARTER])) - LOG2 * mean([HALF, QUARTER, QUARTER], [1, 2, 2]), "1½ bits")
    yield proved(plain(entropy([HALF, HALF, ZERO])) - LOG2, "an outcome that never comes adds nothing")
    yield proved(plain(cross_entropy(P, P)) - plain(mean(P, [-sympy.log(x) for x in P])), "E_p of the surprise -log p")


mean_surprise

# %% [markdown]
# For a density the sum becomes an integral, and two properties are lost. $-\int p \log p$ can be negative ($p = 2x$ on [0, 1] has
# $\frac12 - \log 2$), and it depends on the unit: doubling $x$ adds $\log 2$. It is what remains of the entropy of ever finer bins
# once $\log$ of their number per unit is taken away.


# %%
def by_integral(density, x, low, high):
    """-∫ p log p over [low, high]."""
    return sympy.integrate(sympy.expand(-density * sympy.expand_log(sympy.log(density), force=True)), (x, low, high))


@claim(
    "reference-128",
    says=r"For a density $H(X) = -\int p(x) \log p(x)\, dx$",
    verdict=Holds(note="where the integral exists; it may be negative, and it changes with the unit of x"),
    about=(gaussian_entropy, beta_entropy, entropy),
)
def differential_entropy():
    x, w = sympy.Symbol("x", positive=True), sympy.Symbol("w", positive=True)
    line, s = sympy.Symbol("x", real=True), sympy.Integer(2)
    normal = sympy.exp(-(line**2) / (2 * s**2)) / (s * sympy.sqrt(2 * sympy.pi))
    yield proved(by_integral(normal, line, -sympy.oo, sympy.oo) - HALF - sympy.log(8 * sympy.pi) / 2, "normal, σ = 2")
    told = (1 + np.log(8 * np.pi)) / 2
    yield close(gaussian_entropy(2.0), told, 1e-15, "one rounding of a number near 2", "the library's")
    yield proved(by_integral(2 * x, x, 0, 1) - HALF + LOG2, "p = 2x on [0, 1]: ½ - log 2, below 0")
    yield close(beta_entropy(2.0, 1.0), 0.5 - np.log(2), 1e-14, "a few roundings", "the same as Beta(2, 1)")
    yield proved(by_integral(2 * x / w**2, x, 0, w) - (HALF - LOG2 + sympy.log(w)), "x in other units: plus log w")
    n = 1000
    bins = np.array([2 * k - 1 for k in range(1, n + 1)]) / n**2
    yield close(
        entropy(bins) - np.log(n),
        0.5 - np.log(2),
        1e-5,
        "the bins' error falls as log n / n²",
        "bins of 2x, less log n",
    )


differential_entropy

# %% [markdown]
# For a policy there is one entropy for each state. Of $|A|$ actions the uniform choice has the most, $\log|A|$. The proof is the one
# inequality behind this whole section: $\ell(t) = t - 1 - \log t \ge 0$, a logarithm lies below its tangent. Here
# $\log n - H(p) = \sum_i p_i\, \ell(1/(n p_i))$, a sum of terms that cannot be negative.


# %%
@claim(
    "reference-129",
    says=r"$H(\pi(\cdot|s)) = -\sum_a \pi(a|s) \log \pi(a|s)$",
    verdict=Holds(note="a number for each state; for a density over actions the sum is an integral"),
    about=(entropy, categorical_entropy),
)
def entropy_of_a_policy():
    found = entropy([[HALF, HALF, ZERO], [QUARTER, QUARTER, HALF], [1, ZERO, ZERO]])
    yield proved([plain(h) for h in found - np.array([LOG2, 3 * LOG2 / 2, ZERO])], "three states, by hand")
    z = [sympy.log(x) for x in P]
    yield proved(plain(categorical_entropy(z)) - plain(-mean(P, z)), "from logits log π, free probabilities")


entropy_of_a_policy


# %%
@claim(
    "reference-130",
    says=r"The maximum is that of the uniform policy, $H(\text{uniform}) = \log |A|$",
    verdict=Holds(note="|A| actions, or a set of volume |A|; over an unbounded set of actions nothing has the most"),
    about=entropy,
)
def uniform_has_the_most():
    terms = [p * log_gap(1 / (3 * p)) for p in P]
    left = plain(entropy(P))
    gap = sympy.expand_log(sum(t.doit() for t in terms), force=True)
    yield proved(LOG3 - left - gap, "log 3 - H(p) = Σ p ℓ(1/3p), three free probabilities")
    yield proved_at_most(0, sum(terms), terms, "and every such term is at least 0")
    for n in (1, 2, 4, 7):
        yield proved(plain(entropy([sympy.Rational(1, n)] * n)) - sympy.log(n), f"uniform over {n}: log {n}")


uniform_has_the_most

# %% [markdown]
# ## The Kullback-Leibler divergence
#
# The mean of $\log p - \log q$ *under p*: what is lost, per outcome, by taking $q$ for the truth. An outcome with $p = 0$ counts
# nothing, one with $q = 0 < p$ costs infinitely much.


# %%
@claim(
    "reference-131",
    "reference-132",
    says=r"$\mathrm{KL}(p\|q) = \mathbb{E}_p[\log p(X) - \log q(X)] = \sum_x p(x) \log\frac{p(x)}{q(x)}$",
    verdict=Holds(note="infinite where q = 0 < p; a term with p = 0 is 0"),
    about=(kl, cross_entropy, entropy),
)
def divergence_as_a_mean():
    surprise = [sympy.log(a) - sympy.log(b) for a, b in zip(P, Q, strict=True)]
    yield proved(plain(kl(P, Q)) - plain(mean(P, surprise)), "E_p[log p - log q], all probabilities free")
    yield proved(
        plain(kl(P, Q)) - plain(cross_entropy(P, Q)) + plain(entropy(P)), "the two means apart: H(p, q) - H(p)"
    )
    yield proved(plain(kl([HALF, HALF], [QUARTER, 3 * QUARTER])) - sympy.log(sympy.Rational(4, 3)) / 2, "½ log 4/3")
    yield proved(plain(kl([1, ZERO], [HALF, HALF])) - LOG2, "p = (1, 0), q fair: log 2")
    yield proved(plain(cross_entropy([1, ZERO], [HALF, HALF])) - LOG2, "which is the cross-entropy, as H(p) = 0")
    yield proved(plain(entropy([HALF, HALF])) - LOG2, "H of a fair coin")
    yield shows(bool(np.isposinf(kl([0.5, 0.5], [1.0, 0.0]))), "p fair, q = (1, 0): infinite")


divergence_as_a_mean

# %% [markdown]
# It is a sum of the same terms as before, $\mathrm{KL}(p\|q) = \sum_i p_i\, \ell(q_i/p_i)$, since both sum to 1. So it is never negative;
# and as $\ell$ falls before $t = 1$, is 0 there and rises after it, the sum vanishes only if every $q_i/p_i = 1$. Where $p$ has a zero,
# what $q$ puts there is added, and must be 0 too.


# %%
@claim(
    "reference-133",
    "reference-134",
    says=r"$\mathrm{KL}(p\|q) \ge 0$, and $\mathrm{KL}(p\|q) = 0$ iff $p = q$",
    verdict=Holds(note="for densities: p = q almost everywhere"),
    about=kl,
)
def never_negative():
    terms = [a * log_gap(b / a) for a, b in zip(P, Q, strict=True)]
    apart = sympy.expand_log(sum(t.doit() for t in terms), force=True)
    yield proved(plain(kl(P, Q)) - apart, "KL = Σ p ℓ(q/p), all probabilities free")
    yield proved_at_most(0, sum(terms), terms, "each term is at least 0")
    t = sympy.Symbol("t", positive=True)
    gap = log_gap(t).doit()
    yield proved([gap.subs(t, 1), sympy.diff(gap, t) - (t - 1) / t], "ℓ(1) = 0, and ℓ' = (t - 1)/t: no other zero")
    held = [HALF * log_gap(2 * q).doit() for q in Q[:2]]
    left_out = plain(kl([HALF, HALF, ZERO], Q)) - sympy.expand_log(sum(held), force=True)
    yield proved(left_out - Q[2], "p = (½, ½, 0): the same terms, plus what q puts on the third outcome")
    yield proved(plain(kl(P, P)), "KL(p‖p) = 0")


never_negative

# %% [markdown]
# ## Not symmetric
#
# For a fair coin and one of chance ¼ the two orders give 0.1438 and 0.1308. But $\mathrm{KL}(p\|q) \ne \mathrm{KL}(q\|p)$ does not hold for every pair:
# exchanging the two outcomes exchanges (¼, ¾) with (¾, ¼), so these two cannot have different divergences.


# %%
@claim(
    "reference-135",
    says=r"$\mathrm{KL}(p\|q) \ne \mathrm{KL}(q\|p)$ (not symmetric)",
    verdict=Conditional(
        given="it is read as 'not for all p and q', as the bracket says: the two orders agree at p = q, and wherever a "
        "relabelling exchanges p and q, as for (a, b) and (b, a)"
    ),
    about=kl,
)
def not_symmetric():
    fair, bent = [HALF, HALF], [QUARTER, 3 * QUARTER]
    there, back = plain(kl(fair, bent)), plain(kl(bent, fair))
    yield proved(there - sympy.log(sympy.Rational(4, 3)) / 2, "KL(½‖¼) = ½ log 4/3")
    yield proved(there - back - plain(sympy.log(sympy.Rational(256, 243)) / 4), "it exceeds KL(¼‖½) by ¼ log 256/243")
    a, b = simplex("v", 2)
    yield proved(plain(kl([a, b], [b, a])) - plain(kl([b, a], [a, b])), "(a, b) and (b, a): equal, whatever a is")
    mirrored = [plain(kl(bent, bent[::-1])), plain(kl(bent[::-1], bent))]
    yield proved(mirrored[0] - LOG3 / 2, "KL(¼‖¾) = ½ log 3")
    yield against(sympy.simplify(mirrored[0] - mirrored[1]) == 0, "and KL(¾‖¼) is ½ log 3 as well, although ¼ ≠ ¾")


not_symmetric


# %%
@figure
def two_orders():
    """A coin of chance ¼ against a coin of chance q. The two orders cross at q = ¼, and again at the mirror image q = ¾."""
    from matplotlib import pyplot as plt

    q = np.linspace(0.02, 0.98, 97)
    fixed, moving = np.tile([0.25, 0.75], (97, 1)), np.stack([q, 1 - q], axis=1)
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.plot(q, kl(fixed, moving), color=COLOURS[0], label="KL(p‖q)")
    ax.plot(q, kl(moving, fixed), color=COLOURS[1], label="KL(q‖p)")
    ax.plot(q, jensen_shannon(fixed, moving), color=COLOURS[2], label="JSD(p‖q)")
    ax.plot([0.75], [np.log(3) / 2], "o", color=COLOURS[6], markersize=4)
    ax.set(xlabel="chance q", ylabel="nats", ylim=(0, 1.2))
    ax.legend()
    return fig


two_orders

# %% [markdown]
# ## Jensen and Shannon's divergence
#
# Comparing both with their mixture gives one number for both orders, finite always: $M > 0$ wherever $p$ or $q$ is. It is at most
# $\log 2$, for distributions with nothing in common. It is *a* symmetric version of KL, not the only one: $\mathrm{KL}(p\|q) +
# \mathrm{KL}(q\|p)$ is another, and may be infinite.


# %%
@claim(
    "reference-136",
    "reference-137",
    says=r"$\mathrm{JSD}(p\|q) = \tfrac12 \mathrm{KL}(p\|M) + \tfrac12 \mathrm{KL}(q\|M)$ with $M = (p + q)/2$, symmetric",
    verdict=Holds(note="between 0 and log 2 nats; 0 for p = q alone"),
    about=(jensen_shannon, kl),
)
def symmetric_version():
    p, q = simplex("v", 2), simplex("w", 2)
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    halves = [plain(sympy.factor(kl(d, middle).item(), deep=True)) / 2 for d in (p, q)]
    found = plain(sympy.factor(jensen_shannon(p, q).item(), deep=True))
    yield proved(found - sum(halves), "½ KL(p‖M) + ½ KL(q‖M), two outcomes, chances free")
    yield proved(found - plain(sympy.factor(jensen_shannon(q, p).item(), deep=True)), "the same with p and q exchanged")
    yield proved(plain(kl([1, ZERO], [HALF, HALF])) - LOG2, "p = (1, 0) from the middle (½, ½): log 2")
    yield proved(plain(jensen_shannon([1, ZERO], [ZERO, 1])) - LOG2, "nothing in common: log 2, where KL is infinite")
    terms = [a * sympy.log(1 + b / a) / 2 for a, b in [*zip(p, q, strict=True), *zip(q, p, strict=True)]]
    rest = sum(sympy.expand_log(sympy.factor(t, deep=True), force=True) for t in terms)
    yield proved(LOG2 - found - rest, "log 2 - JSD = ½ Σ p log(1 + q/p) + ½ Σ q log(1 + p/q)")
    yield proved_at_most(0, sum(terms), terms, "terms that are at least 0")


symmetric_version

# %% [markdown]
# ## Mutual information
#
# Four ways to say how much one variable tells of the other. A table of four free probabilities settles the equalities. In the
# worked table below $X = 1$ whenever $Y = 1$: seeing $Y$ leaves $\frac34 \cdot h(\frac13)$ of the $\log 2$ unknown.


# %%
def margins(table):
    """p(x) and p(y)."""
    return [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]


@claim(
    "reference-138",
    "reference-139",
    "reference-140",
    "reference-141",
    says=r"$I(X;Y) = H(X) - H(X|Y) = H(Y) - H(Y|X) = \mathbb{E}\left[\log\frac{p(x,y)}{p(x)p(y)}\right] = "
    r"\mathrm{KL}(p(x,y)\|p(x)p(y))$",
    verdict=Holds(
        note="the differences need entropies that are finite; for densities, differential entropies do as well"
    ),
    about=(mutual_information, conditional_entropy, entropy, kl),
)
def what_one_tells_of_the_other():
    cells = simplex("v", 4)
    table = [cells[:2], cells[2:]]
    p_x, p_y = margins(table)
    told = plain(sympy.factor(mutual_information(table).item(), deep=True))
    for given, of in (("y", p_x), ("x", p_y)):
        unknown = plain(sympy.factor(conditional_entropy(table, given).item(), deep=True))
        alone = plain(sympy.factor(entropy(of).item(), deep=True))
        yield proved(told - alone + unknown, f"H less what is left when {given} is seen, four free probabilities")
    product = [a * b for a in p_x for b in p_y]
    ratios = [sympy.factor(c / d) for c, d in zip(cells, product, strict=True)]
    yield proved(told - plain(mean(cells, map(sympy.log, ratios))), "the mean log ratio")
    yield proved(told - plain(sympy.factor(kl(cells, product).item(), deep=True)), "KL of the pair from the product")
    worked = [[HALF, ZERO], [QUARTER, QUARTER]]
    left = 3 * QUARTER * (LOG3 - 2 * LOG2 / 3)
    yield proved(plain(conditional_entropy(worked, "y")) - left, "worked table: ¾ h(⅓) left unknown of X")
    yield proved(plain(mutual_information(worked)) - LOG2 + left, "and log 2 - ¾ h(⅓) told")
    yield proved(plain(entropy(margins(worked)[0])) - LOG2, "of H(X) = log 2")
    yield proved(plain(kl([HALF, ZERO, ZERO, HALF], [QUARTER] * 4)) - LOG2, "X = Y, a fair coin: log 2, all of H(X)")


what_one_tells_of_the_other

# %% [markdown]
# The symmetry of $I$ is no accident of the notation: the last two forms do not tell $X$ from $Y$. If $Y$ is a copy of $X$ it tells all;
# if they are independent, nothing.

# %%
[round(float(mutual_information(table)), 4) for table in ([[0.5, 0], [0, 0.5]], [[0.25, 0.25], [0.25, 0.25]])]
