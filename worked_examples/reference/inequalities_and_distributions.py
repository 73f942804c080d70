# %% [markdown]
# # Inequalities and distributions
#
# *Document `reference`, lines 208 to 232.* Four inequalities, three distributions, the derivative of a logarithm. All are right but
# for one that leaves a word out: Hoeffding's bound needs *independent* variables. Copies of one coin are bounded, too, and their
# mean never comes closer to ½.

# %%
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    below,
    claim,
    close,
    equal,
    exceeds,
    proved,
    proved_at_most,
    shows,
    swept,
)
from rlexact.formulas.beta import beta_log_density, beta_mean, beta_variance
from rlexact.formulas.categorical import categorical_entropy, categorical_log_prob, categorical_score, softmax
from rlexact.formulas.concentration import hoeffding_bound, hoeffding_one_sided_bound
from rlexact.formulas.full_gaussian import full_gaussian_entropy, full_gaussian_log_density
from rlexact.formulas.gaussian import gaussian_entropy, gaussian_log_density, gaussian_score
from rlexact.formulas.inequalities import cauchy_schwarz_gap, jensen_gap
from rlexact.formulas.reinforce import batch_mean_baseline
from rlexact.plotting import COLOURS, figure
from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.notation import mean, positives, reals, simplex

SECTION = Section("reference", "inequalities_and_distributions", "Inequalities and distributions")

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
P, X, Y = simplex("w", 3), reals("x", 3), reals("y", 3)
PAIRS = [(0, 1), (0, 2), (1, 2)]
ROUNDING = "a few roundings of numbers of this size"

# %% [markdown]
# ## Jensen
#
# A convex function lies above each of its tangents. Take the one at the mean, $f(\bar x) + c\,(x - \bar x)$, and average: the last term goes. So
# the gap $\mathbb{E} f(X) - f(\mathbb{E} X)$ is a mean of distances to a tangent, none of them negative, whatever $f$ is. For the square
# it is the variance. A concave function is the same upside down.


# %%
def of_arrays(f):
    """A scalar function made to take an array of objects."""
    return np.vectorize(f, otypes=[object])


def plain(x):
    """A symbolic number with its logarithms taken apart."""
    return sympy.expand_log(sympy.sympify(np.asarray(x).item()), force=True)


@claim(
    "reference-142",
    says=r"$f(\mathbb{E}[X]) \le \mathbb{E}[f(X)]$ for convex f",
    verdict=Holds(note="where both means exist; equality where f is affine on the values that X takes"),
    about=jensen_gap,
)
def jensen_convex():
    f, c, m = sympy.Function("f"), sympy.Symbol("c", real=True), mean(P, X)
    above = mean(P, [f(x) - f(m) - c * (x - m) for x in X])
    yield proved(jensen_gap(P, X, of_arrays(f)).item() - above, "any f, any slope c: the mean distance to a tangent")
    spread = [P[i] * P[j] * (X[i] - X[j]) ** 2 for i, j in PAIRS]
    yield proved_at_most(0, jensen_gap(P, X, np.square).item(), spread, "the square: the gap is the variance")
    yield equal(jensen_gap([HALF, HALF], [-1, 3], np.abs), 1, "|x| at -1 and 3: 2 against 1")
    yield equal(jensen_gap([HALF, HALF], [1, 3], np.abs), 0, "|x| at 1 and 3, where it is a straight line")
    yield equal(
        jensen_gap([HALF, HALF], [-3, 1], lambda x: x**3), -12, "x³, convex only for x > 0: the other way round"
    )


jensen_convex


# %%
@claim(
    "reference-143",
    says=r"$f(\mathbb{E}[X]) \ge \mathbb{E}[f(X)]$ for concave f",
    verdict=Holds(note="where both means exist"),
    about=jensen_gap,
)
def jensen_concave():
    f, c, m = sympy.Function("f"), sympy.Symbol("c", real=True), mean(P, X)
    beneath = mean(P, [f(m) + c * (x - m) - f(x) for x in X])
    yield proved(-jensen_gap(P, X, of_arrays(f)).item() - beneath, "any f: the mean distance below a tangent")
    x = positives("x", 3)
    gaps = [a * log_gap(b / mean(P, x)) for a, b in zip(P, x, strict=True)]
    found = plain(jensen_gap(P, x, of_arrays(sympy.log)))
    yield proved(
        found + sum(plain(sympy.factor(g.doit(), deep=True)) for g in gaps), "log: E log x - log E x = -Σ p ℓ(x/x̄)"
    )
    yield proved_at_most(0, sum(gaps), gaps, "ℓ(t) = t - 1 - log t is at least 0")
    yield equal(jensen_gap([HALF, HALF], [0, 4], lambda x: -x * x), -4, "-x² at 0 and 4: -8 against -4")


jensen_concave

# %% [markdown]
# ## Cauchy and Schwarz
#
# The difference of the two sides is a sum of squares, one for each pair of outcomes. It vanishes where $Y$ is a multiple of $X$.


# %%
@claim(
    "reference-144",
    says=r"$|\mathbb{E}[XY]|^2 \le \mathbb{E}[X^2]\, \mathbb{E}[Y^2]$",
    verdict=Holds(note="X and Y real; for complex ones the squares are |X|² and |Y|²"),
    about=cauchy_schwarz_gap,
)
def cauchy_schwarz():
    squares = [P[i] * P[j] * (X[i] * Y[j] - X[j] * Y[i]) ** 2 for i, j in PAIRS]
    yield proved_at_most(0, cauchy_schwarz_gap(P, X, Y).item(), squares, "the gap is Σ p p' (x y' - x' y)²")
    c = sympy.Symbol("c", real=True)
    yield proved(cauchy_schwarz_gap(P, X, [c * x for x in X]).item(), "Y = c X: equality")
    yield equal(cauchy_schwarz_gap([HALF, HALF], [1, 1], [1, -1]), 1, "X = 1 and Y a sign: 0 against 1")


cauchy_schwarz

# %% [markdown]
# ## Hoeffding
#
# Why the exponent is $-2n\varepsilon^2/(b-a)^2$: on [0, 1] a chord lies above $e^{hx}$, so $\log \mathbb{E}\, e^{h(X-p)} \le \varphi(h)$ with
# $\varphi'' = v(1-v) \le \frac14$, and so $\varphi(h) \le h^2/8$. For $n$ *independent* variables these add up, Markov's inequality gives
# $e^{-sn\varepsilon + ns^2(b-a)^2/8}$ for one side, and the best $s$ completes the square. The factor 2 is for the other side.
#
# Independence enters where exponentials of a sum become products. Without it nothing is left: if all $X_i$ are one fair
# coin, their mean is 0 or 1, always ½ off.


# %%
def chance_of_straying(chances, deviation):
    """P(|X̄ - μ| ≥ ε) for independent coins, by enumeration: exact."""
    n, mu = len(chances), Fraction(sum(chances), len(chances))
    total = Fraction(0)
    for outcome in product((0, 1), repeat=n):
        if abs(Fraction(sum(outcome), n) - mu) >= deviation:
            total += np.prod([p if x else 1 - p for p, x in zip(chances, outcome, strict=True)])
    return total


def coins(seed, cases):
    """Up to eight independent coins, each with a chance of its own, and a deviation."""
    draw = np.random.default_rng(seed)
    for _ in range(cases):
        n = int(draw.integers(1, 9))
        yield [Fraction(int(k), 16) for k in draw.integers(1, 16, n)], Fraction(int(draw.integers(1, 12)), 24)


@claim(
    "reference-145",
    says=r"$P(|\bar X - \mu| \ge \varepsilon) \le 2\exp(-2n\varepsilon^2/(b-a)^2)$ for bounded $X_i \in [a, b]$",
    verdict=Conditional(given="the X_i are independent, and μ is the mean of their expectations"),
    about=(hoeffding_bound, hoeffding_one_sided_bound),
)
def hoeffding():
    h, s, e = sympy.symbols("h s epsilon", real=True)
    n, w = sympy.symbols("n w", positive=True)
    p, rest = simplex("w", 2)
    phi, v = sympy.log(rest + p * sympy.exp(h)) - p * h, p * sympy.exp(h) / (rest + p * sympy.exp(h))
    yield proved([phi.subs(h, 0), sympy.diff(phi, h).subs(h, 0)], "φ(0) = φ'(0) = 0")
    slack = sympy.Rational(1, 4) - sympy.diff(phi, h, 2)
    yield proved(slack - (sympy.Rational(1, 2) - v) ** 2, "¼ - φ'' = (½ - v)²: so φ(h) ≤ h²/8")
    best = -s * n * e + n * s**2 * w**2 / 8 - n * (s * w - 4 * e / w) ** 2 / 8
    yield proved(best + 2 * n * e**2 / w**2, "the exponent less a square is -2nε²/(b - a)²")
    for args, exponent in (((4, HALF, 0, 1), -2), ((4, HALF, -1, 3), sympy.Rational(-1, 8))):
        numbers = [sympy.Rational(x) for x in args]
        yield proved(
            hoeffding_one_sided_bound(*numbers).item() - sympy.exp(exponent), f"n, ε, a, b = {args}: exp({exponent})"
        )
        yield proved(hoeffding_bound(*numbers).item() - 2 * sympy.exp(exponent), "twice that for both sides")
    yield equal(chance_of_straying([HALF] * 4, HALF), Fraction(1, 8), "four fair coins, all alike")
    yield swept(
        lambda case: chance_of_straying(*case) - Fraction(float(hoeffding_bound(len(case[0]), float(case[1]), 0, 1))),
        coins(7, 40),
        "independent coins, enumerated, less the bound",
    )
    copies = [sympy.Rational(x) for x in (2, HALF, 0, 1)]
    yield exceeds(1, hoeffding_bound(*copies).item(), "two copies of one fair coin are ½ off with certainty")


hoeffding


# %%
@figure
def straying():
    """How often a mean of n fair coins is off by ¼ or more, exactly, and the bound. Copies of one coin obey no such bound."""
    from math import comb

    from matplotlib import pyplot as plt

    n = np.arange(1, 41)
    exact = [sum(comb(m, k) for k in range(m + 1) if abs(2 * k - m) * 2 >= m) / 2**m for m in n.tolist()]
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.semilogy(n, [float(hoeffding_bound(int(m), 0.25, 0, 1)) for m in n], color=COLOURS[0], label="the bound")
    ax.semilogy(n, exact, "o", color=COLOURS[2], markersize=4, label="independent coins")
    ax.semilogy(n, np.ones(40), color=COLOURS[1], linestyle="--", label="n copies of one coin")
    ax.set(xlabel="n", ylabel="P(|X̄ - ½| ≥ ¼)")
    ax.legend()
    return fig


straying

# %% [markdown]
# The mean itself: its expectation is μ however the $X_i$ depend on each other; its variance is $\sigma^2/n$ if they are independent. The
# library meets it as the baseline of a batch.


# %%
@claim(
    "reference-146",
    says=r"$\bar X = \frac1n \sum_i X_i$",
    verdict=Holds(note="E X̄ = μ always; Var X̄ = σ²/n for independent X_i of variance σ²"),
    about=batch_mean_baseline,
)
def sample_mean():
    yield equal(batch_mean_baseline([Fraction(x) for x in (1, 2, 6)]), [3, 3, 3], "1, 2 and 6")
    outcomes = [
        (np.prod([QUARTER if x else 1 - QUARTER for x in xs]), batch_mean_baseline([Fraction(x) for x in xs])[0])
        for xs in product((0, 1), repeat=3)
    ]
    mu = sum(p * m for p, m in outcomes)
    yield equal(mu, QUARTER, "three coins of chance ¼: the mean of X̄")
    yield equal(sum(p * (m - mu) ** 2 for p, m in outcomes), Fraction(1, 16), "its variance, ¼ · ¾ / 3")


sample_mean

# %% [markdown]
# ## The Gaussian
#
# A density is judged by its integrals: total 1, mean μ, variance σ². The second argument of $N(x; \mu, \sigma^2)$ is a variance. Code
# mostly takes σ, and the library has both: `full_gaussian_log_density` takes the covariance, `gaussian_log_density` the deviation.


# %%
def gaussian(x, mu, s):
    """The document's density."""
    return sympy.exp(-((x - mu) ** 2) / (2 * s**2)) / sympy.sqrt(2 * sympy.pi * s**2)


def moments(density, x, low, high, centre, k):
    return sympy.integrate(sympy.expand((x - centre) ** k) * density, (x, low, high))


@claim(
    "reference-147",
    "reference-148",
    says=r"$N(x;\mu,\sigma^2) = \frac{1}{\sqrt{2\pi\sigma^2}} e^{-(x-\mu)^2/2\sigma^2}$, "
    r"$\log N = -\frac12\left[\frac{(x-\mu)^2}{\sigma^2} + \log 2\pi\sigma^2\right]$",
    verdict=Holds(note="σ² > 0 is the variance; code that takes σ must be given its root"),
    about=(gaussian_log_density, full_gaussian_log_density),
)
def gaussian_density():
    x, mu, z = sympy.symbols("x mu z", real=True)
    s = sympy.Symbol("sigma", positive=True)
    line = (-sympy.oo, sympy.oo)
    standard = sympy.simplify(gaussian(mu + s * z, mu, s) * s)
    found = [moments(standard, z, *line, 0, k) for k in range(3)]
    yield proved(
        [a - b for a, b in zip(found, (1, 0, 1), strict=True)], "with x = μ + σz: total 1, and z has mean 0, variance 1"
    )
    logarithm = -((x - mu) ** 2 / s**2 + sympy.log(2 * sympy.pi * s**2)) / 2
    yield proved(
        sympy.expand_log(sympy.log(gaussian(x, mu, s)), force=True) - sympy.expand_log(logarithm), "its logarithm"
    )
    for at, centre, spread in ((3, 1, 2), (-1, 0, QUARTER)):
        told = float(logarithm.subs({x: at, mu: centre, s: sympy.Rational(spread)}).evalf(30))
        by_std = gaussian_log_density(float(at), float(centre), float(spread))
        by_variance = full_gaussian_log_density([float(at)], [float(centre)], [[float(spread) ** 2]])
        yield close(
            [by_std, by_variance], told, 1e-14, ROUNDING, f"x = {at}, μ = {centre}, σ = {spread}, from σ and σ²"
        )


gaussian_density


# %%
@claim(
    "reference-149",
    says=r"$H(N(\mu,\sigma^2)) = \tfrac12 \log 2\pi e \sigma^2$",
    verdict=Holds(note="in nats, whatever μ is; below 0 for σ < 1/√(2πe) ≈ 0.24197"),
    about=(gaussian_entropy, full_gaussian_entropy),
)
def entropy_of_a_gaussian():
    z, s = sympy.Symbol("z", real=True), sympy.Symbol("sigma", positive=True)
    standard = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    surprise = z**2 / 2 + sympy.log(2 * sympy.pi) / 2 + sympy.log(s)
    integral = sympy.integrate(sympy.expand(surprise) * standard, (z, -sympy.oo, sympy.oo))
    stated = sympy.log(2 * sympy.pi * sympy.E * s**2) / 2
    yield proved(sympy.expand_log(integral - stated, force=True), "-∫ N log N, with x = μ + σz")
    for spread in (2.0, 0.25):
        told = float(stated.subs(s, sympy.Rational(spread)).evalf(30))
        found = [gaussian_entropy(spread), full_gaussian_entropy([[spread**2]])]
        yield close(found, told, 1e-14, ROUNDING, f"σ = {spread}")
    yield below(gaussian_entropy(0.241), 0, "σ = 0.241: just below 0")
    yield below(0, gaussian_entropy(0.242), "σ = 0.242: just above")


entropy_of_a_gaussian

# %% [markdown]
# ## The categorical distribution
#
# Probabilities in a list. From logits $z_i = \log p_i$ the softmax gives $p$ back, exactly; an outcome of chance 0 has no logit, its
# log-probability is $-\infty$.


# %%
@claim(
    "reference-150",
    "reference-151",
    says=r"$\mathrm{Cat}(x; p) = p_x$, so $\log \mathrm{Cat}(x; p) = \log p_x$",
    verdict=Holds(note="the logarithm where p_x > 0"),
    about=(softmax, categorical_log_prob),
)
def categorical():
    logits = [sympy.log(p) for p in P]
    yield proved([a - b for a, b in zip(softmax(logits), P, strict=True)], "softmax(log p) = p, free probabilities")
    for x in range(3):
        found = sympy.simplify(categorical_log_prob(logits, x).item())
        yield proved(plain(found) - plain(sympy.log(P[x])), f"log Cat({x}; p)")
    thirds = [sympy.log(k) for k in (1, 2, 3)]
    yield proved(softmax(thirds) - np.array([sympy.Rational(k, 6) for k in (1, 2, 3)]), "weights 1, 2, 3")


categorical


# %%
@claim(
    "reference-152",
    says=r"$H(\mathrm{Cat}(p)) = -\sum_i p_i \log p_i$",
    verdict=Holds(note="with 0 log 0 = 0"),
    about=categorical_entropy,
)
def entropy_of_a_categorical():
    logits = [sympy.log(p) for p in P]
    yield proved(
        plain(sympy.simplify(categorical_entropy(logits).item())) + plain(mean(P, logits)), "free probabilities"
    )
    yield proved(plain(categorical_entropy([sympy.Integer(0)] * 4)) - 2 * sympy.log(2), "four alike: two bits")
    yield proved(
        plain(categorical_entropy([sympy.log(3), sympy.Integer(0)])) - plain(sympy.log(4) - sympy.log(27) / 4), "¾, ¼"
    )


entropy_of_a_categorical

# %% [markdown]
# ## The Beta distribution
#
# $B(a, b)$ is the integral of the rest, so that the total is 1, for $a, b > 0$. One more power of $x$ turns it into $B(a+1, b)$: mean and
# variance are ratios of neighbouring $B$.


# %%
def beta_function(a, b):
    return sympy.gamma(a) * sympy.gamma(b) / sympy.gamma(a + b)


@claim(
    "reference-153",
    says=r"$\mathrm{Beta}(x; \alpha, \beta) = x^{\alpha-1}(1-x)^{\beta-1}/B(\alpha, \beta)$",
    verdict=Holds(note="on 0 < x < 1, for α, β > 0: else the integral is infinite"),
    about=beta_log_density,
)
def beta_density():
    x = sympy.Symbol("x", positive=True)
    for a, b in ((1, 1), (3, 2), (2, 5)):
        total = sympy.integrate(sympy.expand(x ** (a - 1) * (1 - x) ** (b - 1)), (x, 0, 1))
        yield proved(total - beta_function(a, b), f"B({a}, {b}) = Γ Γ / Γ is the integral {total}")
        told = float(sympy.log(sympy.Rational(1, 4) ** (a - 1) * sympy.Rational(3, 4) ** (b - 1) / total).evalf(30))
        yield close(beta_log_density(0.25, float(a), float(b)), told, 1e-14, ROUNDING, "the library's log at x = ¼")
    arcsine = sympy.integrate(1 / sympy.sqrt(x * (1 - x)), (x, 0, 1))
    yield proved(arcsine - beta_function(sympy.Rational(1, 2), sympy.Rational(1, 2)), "B(½, ½) = π: unbounded, total 1")
    yield shows(sympy.integrate(1 / x, (x, 0, 1)) == sympy.oo, "α = 0, β = 1: no density")


beta_density


# %%
@claim(
    "reference-154",
    "reference-155",
    says=r"mean $\frac{\alpha}{\alpha+\beta}$, variance $\frac{\alpha\beta}{(\alpha+\beta)^2(\alpha+\beta+1)}$",
    verdict=Holds(),
    about=(beta_mean, beta_variance),
)
def beta_moments():
    a, b = sympy.symbols("a b", positive=True)
    first, second = (sympy.gammasimp(beta_function(a + k, b) / beta_function(a, b)) for k in (1, 2))
    yield proved(beta_mean([a], [b]) - first, "E x = B(a + 1, b) / B(a, b)")
    yield proved(beta_variance([a], [b]) - (second - first**2), "E x² - (E x)², with E x² = B(a + 2, b) / B(a, b)")
    x = sympy.Symbol("x")
    found = [sympy.integrate(12 * x**2 * (1 - x) * x**k, (x, 0, 1)) for k in (1, 2)]
    yield proved(found[0] - beta_mean(sympy.Integer(3), sympy.Integer(2)).item(), "Beta(3, 2), integrated: 3/5")
    yield proved(found[1] - found[0] ** 2 - beta_variance(sympy.Integer(3), sympy.Integer(2)).item(), "and 1/25")


beta_moments

# %% [markdown]
# **What it is for.** A chance lies in [0, 1], and so does a Beta variable. After $s$ successes and $f$ failures the likelihood is
# $x^s(1-x)^f$: times Beta(a, b) it is Beta(a + s, b + f), up to a constant. Thompson sampling draws one chance for each arm from these
# and plays the largest, so that each arm is played as often as it is believed best. With one success on one arm and one
# failure on the other that is 5 times out of 6. A squashed or a truncated Gaussian lives on an interval too; conjugacy is what
# makes Beta convenient here.


# %%
@claim(
    "reference-156",
    says="Used for modelling probabilities and in Thompson sampling",
    verdict=Holds(note="for rewards of 0 or 1, whose likelihood it is conjugate to; other rewards need other families"),
    about=(beta_log_density, beta_mean),
)
def what_beta_is_for():
    s, f, grid = 3, 1, np.array([0.1, 0.4, 0.7, 0.9])
    ones = np.ones(4)
    gain = beta_log_density(grid, (2 + s) * ones, (1 + f) * ones) - beta_log_density(grid, 2 * ones, ones)
    likelihood = s * np.log(grid) + f * np.log1p(-grid)
    told = np.log(30.0 / 2.0)  # 1/B(5, 2) = 30, 1/B(2, 1) = 2
    yield close(gain - likelihood, told, 1e-13, ROUNDING, "posterior over prior over likelihood: the same at every x")
    x = sympy.Symbol("x", positive=True)
    evidence = sympy.integrate(sympy.expand(x**s * (1 - x) ** f), (x, 0, 1))
    rule = sympy.integrate(sympy.expand(x ** (s + 1) * (1 - x) ** f), (x, 0, 1)) / evidence
    yield equal(beta_mean(Fraction(1 + s), Fraction(1 + f)), rule, "3 of 4 from a uniform prior: Laplace's (s+1)/(n+2)")
    y = sympy.Symbol("y", positive=True)
    best = sympy.integrate(2 * x * sympy.integrate(2 * (1 - y), (y, 0, x)), (x, 0, 1))
    yield equal(
        best, sympy.Rational(5, 6), "P(x > y), x from Beta(2, 1), y from Beta(1, 2): how often the first is played"
    )


what_beta_is_for

# %% [markdown]
# ## The derivative of a logarithm
#
# The chain rule, where $p > 0$. Nothing else enters: no sum to 1, no parameter family. The library's scores are the left side; the
# right side is differentiated below without a logarithm.


# %%
@claim(
    "reference-157",
    says=r"$\nabla_\theta \log p_\theta(x) = \nabla_\theta p_\theta(x) / p_\theta(x)$",
    verdict=Holds(
        note="at x with p(x) > 0, where its two sides exist; multiplied out, one side exists at p(x) = 0 too: theory-084"
    ),
    about=(categorical_score, gaussian_score),
)
def log_derivative():
    t = sympy.Symbol("theta", real=True)
    f = sympy.Function("p", positive=True)(t)
    yield proved(sympy.diff(sympy.log(f), t) - sympy.diff(f, t) / f, "any positive p")
    z = reals("z", 3)
    total = sum(map(sympy.exp, z))
    for x in range(3):
        p = sympy.exp(z[x]) / total
        ratio = np.array([sympy.diff(p, b) / p for b in z])
        yield proved(categorical_score(z, x) - ratio, f"softmax, outcome {x}")
    x, mu = sympy.symbols("x mu", real=True)
    s = sympy.Symbol("sigma", positive=True)
    score, density = gaussian_score([x], [mu], [s]), gaussian(x, mu, s)
    yield proved(score.mean[0] - sympy.diff(density, mu) / density, "Gaussian, in μ")
    yield proved(score.std[0] - sympy.diff(density, s) / density, "Gaussian, in σ")


log_derivative
