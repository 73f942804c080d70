# %% [markdown]
# # Natural evolution strategies
#
# *Document `notes`, lines 810 to 892.* A Gaussian over the parameters of a policy, moved up the gradient of its mean fitness. The
# derivation and the update are right, given that there is a mean fitness to differentiate. What needs a word is the name: with the
# spread σ held fixed, what is derived is the ordinary gradient, and the methods that are called NES move σ as well.
#
# $F$ is the fitness, $\theta = \mu + \sigma\varepsilon$ a sample, $U(\mu) = E\,F(\theta)$. Means over ε are exact: a polynomial in ε is averaged by
# the moments $E\,\varepsilon^k = (k-1)!!$ of a standard normal.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    against,
    claim,
    close,
    differs,
    equal,
    proved,
    shows,
)
from rlexact.formulas.cem import cem_update
from rlexact.formulas.gaussian import diagonal_gaussian_log_density, gaussian_fisher, gaussian_sample, gaussian_score
from rlexact.formulas.gaussian_smoothing import es_covariance, expected_quadratic, expected_quadratic_gradient
from rlexact.formulas.nes import SearchGradient, es_gradient, es_update, natural_gradient, search_gradient
from rlexact.formulas.reinforce import score_gradient
from rlexact.formulas.xnes import SearchState, snes_update, xnes_update
from rlexact.plotting import COLOURS, figure
from rlexact.symbolic.gaussian import expectation, log_density

SECTION = Section("notes", "nes", "Natural evolution strategies")

ONE, HALF = Fraction(1), Fraction(1, 2)
MU = sympy.Symbol("mu", real=True)
SIGMA, ALPHA = sympy.symbols("sigma alpha", positive=True)
EPS = sympy.symbols("epsilon_1 epsilon_2", real=True)
C = sympy.symbols("c_0:4", real=True)


def fractions(*rows):
    """An object array of Fractions."""
    return np.array(rows, dtype=object) * ONE


def cubic(theta):
    """Any polynomial fitness of degree 3."""
    return sum(c * theta**k for k, c in enumerate(C))


def mean(g):
    """E g over independent standard normal ε₁, ε₂."""
    return expectation(sympy.expand(g), EPS)


# %% [markdown]
# ## Everybody counts
#
# The cross-entropy method fits its Gaussian to the elites: how good they are in detail, and what the others score, does not matter.
# Here each sample pulls μ along its own ε, as strongly as its fitness says.


# %%
@claim(
    "notes-135",
    says="Every offspring contributes to the update, weighted by its fitness; CEM keeps the elites and throws the rest away",
    verdict=Holds(note="by its raw fitness: adding 100 to all of them changes the step, though not its mean"),
    about=(es_update, cem_update),
)
def every_offspring():
    draws, fitness = fractions([1, 0], [0, -1], [2, 2], [-1, 1]), fractions(3, 1, 0, -2)
    start = fractions(5, 5)
    before = es_update(start, fitness, draws, HALF, ONE)
    yield equal(
        before, [5 + Fraction(5, 2), 5 - Fraction(3, 2)], "four samples, σ = 1/2: 5 + (3 + 2)/2, 5 + (-1 - 2)/2"
    )
    for i in range(4):
        raised = fitness + fractions(*np.eye(4, dtype=int)[i])
        moved = es_update(start, raised, draws, HALF, ONE) - before
        yield equal(moved, draws[i] / 2, f"one more for sample {i + 1} moves μ by α/(Nσ) ε")
    kept = [cem_update(draws, f, 2).mean for f in (fitness, fractions(90, 80, 0, -70))]
    yield equal(kept, [[HALF, -HALF]] * 2, "CEM with two elites: the same step, however good they are")


every_offspring

# %% [markdown]
# ## The search distribution
#
# $N(\mu, \sigma^2 I)$: independent coordinates around μ, all with the same spread.


# %%
@claim(
    "notes-137",
    says=r"$\theta \sim P_\mu = N(\mu, \sigma^2 I_d)$, σ a hyperparameter",
    verdict=Holds(note="diagonal, and isotropic as well: one σ for all coordinates"),
    about=gaussian_sample,
)
def the_search_distribution():
    centre = np.array(sympy.symbols("mu_1 mu_2", real=True))
    theta = gaussian_sample(centre, np.array([SIGMA, SIGMA]), np.array(EPS))
    yield proved([mean(t) - m for t, m in zip(theta, centre, strict=True)], "E θ = μ, for θ = μ + σ ε")
    away = theta - centre
    covariance = [[mean(x * y) for y in away] for x in away]
    yield proved(np.array(covariance) - SIGMA**2 * np.eye(2, dtype=int), "covariance σ² I")


the_search_distribution

# %% [markdown]
# That σ is *fixed* is a choice of one variant (Salimans et al. 2017), which spends its numbers on networks with millions of weights. The family
# that is named NES (Wierstra et al. 2014) adapts the spread: SNES one σ for each coordinate, just as cheap; xNES the whole covariance.
# In the draws below a step of either leaves $\sigma^2 I$ behind.


# %%
@claim(
    "notes-136",
    says="NES uses a diagonal covariance with fixed variance, to be tractable for networks",
    verdict=Conditional(
        given="the variant for large networks is meant; SNES adapts a diagonal at the same cost, xNES a full covariance"
    ),
    about=(es_update, snes_update, xnes_update),
)
def which_covariance():
    theta = es_update(fractions(0, 0), fractions(1, 1), fractions([1, 2], [-1, 0]), HALF, ONE)
    yield equal(theta, [0, 2], "the variant: a step returns a mean and nothing else; σ stays 1/2")
    state, halves = SearchState(np.zeros(2), np.ones(2)), np.array([0.5, 0.5])
    diagonal = snes_update(state, np.array([[1.0, 2.0], [-1.0, -2.0]]), halves, 1.0, 2 / 3)
    yield close(
        diagonal.factor, [1, np.e], 1e-12, "one exponential in doubles", "SNES, draws ±(1, 2): σ = exp((0, 3)/3)"
    )
    yield against(bool(diagonal.factor[1] > 2), "after one step its variances are neither fixed nor equal")
    full = xnes_update(SearchState(np.zeros(2), np.eye(2)), np.array([[1.0, 1.0], [-1.0, -1.0]]), halves, 1.0, 2.0, 2.0)
    turned = [[np.cosh(1), np.sinh(1)], [np.sinh(1), np.cosh(1)]]
    yield close(
        full.factor, turned, 1e-12, "a matrix exponential in doubles", "xNES, draws ±(1, 1): A = exp [[0, 1], [1, 0]]"
    )
    yield against(bool(full.factor[0, 1] > 1), "and its covariance is not diagonal")


which_covariance

# %% [markdown]
# ## What is maximised
#
# The mean over the cloud, not the fitness of its centre. For quadratic fitness that only costs a constant, $\tfrac12\sigma^2\,\mathrm{tr}A$. In
# general the best centre is not the best policy: with $F = -(\theta^2 - 1)^2$, best at ±1, a cloud of σ = 1 is best placed at 0,
# between them.


# %%
def two_peaks(theta):
    """Fitness 0 at -1 and 1, -1 in the valley at 0."""
    return -((theta**2 - 1) ** 2)


def smoothed(f):
    """U(μ) = E f(μ + σ ε)."""
    return mean(f(MU + SIGMA * EPS[0]))


@claim(
    "notes-138",
    says=r"The goal is $\max_\mu U(\mu) = E_{\theta \sim P_\mu}[F(\theta)]$",
    verdict=Holds(note="the mean fitness around μ; where it is largest, F(μ) need not be"),
    about=(expected_quadratic, smoothed),
)
def the_objective():
    a, b, c = C[:3]
    formula = expected_quadratic(a, np.array([b]), np.array([[c]]), np.array([MU]), np.array([[SIGMA**2]]))
    yield proved(formula - smoothed(lambda x: a + b * x + c * x**2 / 2), "quadratic F: F(μ) + σ² c/2")
    valley = smoothed(two_peaks)
    yield proved(valley.subs(SIGMA, 1) - (-(MU**4) - 4 * MU**2 - 2), "two peaks, σ = 1: U = -μ⁴ - 4μ² - 2, best at 0")
    yield equal([valley.subs({SIGMA: 1, MU: m}) for m in (0, 1)], [-2, -7], "U in the valley and at a peak")


the_objective


# %%
@figure
def what_a_cloud_sees():
    """Two peaks, and the mean fitness of clouds of three widths centred at μ: from σ = 0.58 on, the best centre is the valley."""
    import matplotlib.pyplot as plt

    m = np.linspace(-1.7, 1.7, 341)
    fig, ax = plt.subplots(figsize=(6.2, 3.3))
    ax.plot(m, two_peaks(m), color="black", lw=1.2, label=r"$F(\mu)$")
    for s, colour in zip((0.25, 0.45, 0.7), COLOURS, strict=False):
        u = -(m**4 + 6 * m**2 * s**2 + 3 * s**4 - 2 * m**2 - 2 * s**2 + 1)
        ax.plot(m, u, color=colour, label=rf"$U(\mu)$, $\sigma$ = {s}")
        ax.plot(m[u > u.max() - 1e-9], u[u > u.max() - 1e-9], "o", color=colour)
    ax.set(xlabel=r"centre $\mu$", ylabel="fitness", ylim=(-3, 0.2))
    ax.legend(loc="lower center", fontsize=8)
    return fig


what_a_cloud_sees

# %% [markdown]
# ## The derivation, line by line
#
# Writing the mean as an integral is its definition: the integral of density times fitness, here done once for any quadratic.


# %%
def integral(g):
    """∫ g(θ) dθ over the line, for g = polynomial times the normal density of mean μ and variance 1."""
    theta = sympy.Symbol("theta", real=True)
    density = sympy.exp(-((theta - MU) ** 2) / 2) / sympy.sqrt(2 * sympy.pi)
    return sympy.simplify(sympy.integrate(sympy.expand(g(theta)) * density, (theta, -sympy.oo, sympy.oo)))


@claim(
    "notes-139",
    "notes-140",
    says=r"$\nabla_\mu U = \nabla_\mu E_{\theta\sim P_\mu}[F] = \nabla_\mu \int P_\mu(\theta) F(\theta)\,d\theta$",
    verdict=Holds(),
    about=(integral, expected_quadratic_gradient),
)
def mean_as_an_integral():
    a, b, c = C[:3]
    found = integral(lambda t: a + b * t + c * t**2 / 2)
    yield proved(found - (a + b * MU + c * (MU**2 + 1) / 2), "∫ P F for any quadratic, σ = 1: F(μ) + c/2")
    slope = expected_quadratic_gradient(
        a, np.array([b]), np.array([[c]]), np.array([MU]), np.array([[sympy.Integer(1)]])
    )
    yield proved(sympy.diff(found, MU) - slope.mean[0], "its derivative is b + c μ")


mean_as_an_integral

# %% [markdown]
# **Gradient and integral change places.** For bounded fitness this is always allowed, however rough $F$ is: the step function $F = 1\{\theta > 0\}$ has no
# useful derivative, its mean $\Phi(\mu/\sigma)$ has one, and the right side finds it. In general $U$ has to be finite around μ. A return need not
# be bounded. Take the plant $x_{t+1} = \theta x_t$ from $x_0 = 1$, paying $-x_t^2$ at each step with γ = 1/2: every gain with $|\theta| < \sqrt 2$ has the
# return $-1/(1 - \theta^2/2)$, but the tails of the Gaussian reach the gains that blow up. Over more and more steps $U$ falls below
# every bound, and the limit has no gradient, for any μ and any σ.


# %%
def plant(theta, steps):
    """Return of the gain θ over some steps: -Σ_t 2^-t x_t², with x_t = θ^t."""
    return -sum(theta ** (2 * t) / sympy.Integer(2) ** t for t in range(steps))


def score_mean(f):
    """E[F(θ) ∇_μ log P(θ)], from one draw of the library's estimate."""
    theta = MU + SIGMA * EPS[0]
    return mean(es_gradient(np.array([f(theta)]), np.array([[EPS[0]]]), SIGMA)[0])


@claim(
    "notes-141",
    "notes-144",
    says=r"The gradient moves inside: $\nabla_\mu U = \int \nabla_\mu P_\mu\, F\, d\theta = E[\nabla_\mu \log P_\mu(\theta)\, F(\theta)]$",
    verdict=Conditional(
        given="U is finite around μ: always so for bounded returns, not for returns with heavy enough tails"
    ),
    about=(smoothed, score_mean, es_gradient, gaussian_score),
)
def gradient_moves_inside():
    yield proved(sympy.diff(smoothed(cubic), MU) - score_mean(cubic), "any cubic F: both sides, by the moments")
    t = sympy.Symbol("t", positive=True)
    density = sympy.exp(log_density(t, MU, SIGMA))
    score = gaussian_score(np.array([t]), np.array([MU]), np.array([SIGMA])).mean[0]
    inside = sympy.integrate(sympy.expand(score * SIGMA**2) * density, (t, 0, sympy.oo)) / SIGMA**2
    normal = sympy.exp(-(MU**2) / (2 * SIGMA**2)) / (SIGMA * sympy.sqrt(2 * sympy.pi))
    yield proved(inside - normal, "a step at 0: E[(θ - μ)/σ² 1{θ > 0}] is the slope of Φ(μ/σ)")
    falls = [smoothed(lambda x, n=n: plant(x, n)).subs({MU: 0, SIGMA: 1}) for n in (3, 12, 18)]
    yield equal(falls[0], -1 - HALF - Fraction(3, 4), "the plant, μ = 0, σ = 1, three steps: 1 + 1/2 + 3/4")
    yield against(bool(falls[1] < -(10**6)), "U over 12 steps is below -10^6")
    yield against(bool(falls[2] < -(10**12)), "over 18 below -10^12: terms grow by (2t + 1)/2, U has no limit")
    steep = score_mean(lambda x: plant(x, 12)).subs({MU: HALF, SIGMA: 1})
    yield shows(bool(steep < -(10**7)), "its slope at μ = 1/2 goes the same way: below -10^7 over 12 steps")


gradient_moves_inside

# %% [markdown]
# **The log-likelihood trick** is algebra, and a Gaussian density is never 0, so nothing is divided by 0.


# %%
@claim(
    "notes-142",
    "notes-143",
    says=r"$\int \nabla_\mu P\, F = \int P\,\tfrac{\nabla_\mu P}{P}\, F = \int P\, \nabla_\mu \log P\; F$",
    verdict=Holds(note="P > 0 everywhere, as σ > 0"),
    about=gaussian_score,
)
def the_trick():
    theta = sympy.Symbol("theta", real=True)
    density = sympy.exp(log_density(theta, MU, SIGMA))
    score = gaussian_score(np.array([theta]), np.array([MU]), np.array([SIGMA])).mean[0]
    yield shows(bool(density.is_positive), "P > 0 for every θ, μ and σ > 0")
    yield proved(sympy.diff(density, MU) / density - score, "∇P / P = ∇ log P")
    yield proved(sympy.diff(density, MU) - density * score, "∇P = P ∇ log P")


the_trick

# %% [markdown]
# **The same trick as REINFORCE.** There a score of actions, here a score of parameters; the estimate is one line of code for both.


# %%
@claim(
    "notes-145",
    says="The trick is that of REINFORCE, applied to the distribution of parameters",
    verdict=Holds(note="the policy itself is never differentiated: F is only evaluated"),
    about=(es_gradient, score_gradient, gaussian_score),
)
def one_trick():
    draws, fitness, centre = fractions([1, 0], [2, -1], [0, 3]), fractions(4, -2, 5), fractions(1, 7)
    sigma = fractions(HALF, HALF)
    scores = np.array([gaussian_score(centre + HALF * z, centre, sigma).mean for z in draws])
    by_hand = [0, Fraction(34, 3)]
    yield equal(
        score_gradient(scores, fitness), by_hand, "REINFORCE with θ for the action: Σ F ε/(3σ), (4 - 4, 2 + 15) · 2/3"
    )
    yield equal(es_gradient(fitness, draws, HALF), by_hand, "NES")


one_trick

# %% [markdown]
# **Sampling.** The average of $N$ samples has the right mean. How large its noise is depends on something the display does not show: for
# $F = f + b\,(\theta - \mu)$ in one dimension the variance of one sample is $f^2/\sigma^2 + 2b^2$. The fitness level $f$ says nothing of the
# direction, and with a small σ it drowns it; subtracting a baseline, or ranks instead of fitness, is what practice adds.


# %%
@claim(
    "notes-146",
    says=r"$\nabla_\mu U \approx \frac1N \sum_i \nabla_\mu \log P_\mu(\theta^{(i)})\, F(\theta^{(i)})$, $\theta^{(i)} \sim P_\mu$",
    verdict=Holds(
        note="unbiased for every N; the variance is that of one sample over N, f²/σ² of it from the level of F"
    ),
    about=(es_gradient, es_covariance),
)
def sampling():
    theta = [MU + SIGMA * e for e in EPS]
    draws = np.array(EPS)[:, None]
    two = es_gradient(np.array([cubic(t) for t in theta]), draws, SIGMA)[0]
    yield proved(mean(two) - sympy.diff(smoothed(cubic), MU), "N = 2, any cubic: the mean of the estimate is ∇U")
    f, b = C[:2]
    linear = es_gradient(np.array([f + b * (t - MU) for t in theta]), draws, SIGMA)[0]
    variance = mean(linear**2) - mean(linear) ** 2
    yield proved(variance - (f**2 / SIGMA**2 + 2 * b**2) / 2, "linear F: variance (f²/σ² + 2b²)/N, N = 2")
    yield equal(
        es_covariance(fractions(10)[0], fractions(1), Fraction(1, 10), 100),
        [[100 + Fraction(1, 50)]],
        "f = 10, σ = 1/10, slope 1, 100 samples: variance 100",
    )


sampling

# %% [markdown]
# ## The score and the update


# %%
@claim(
    "notes-147",
    says=r"$\log P_\mu(\theta) = -\frac{|\theta - \mu|^2}{2\sigma^2} + \mathrm{const}$",
    verdict=Holds(note="the constant is -d log(σ √2π): free of θ and μ, not of σ"),
    about=(log_density, diagonal_gaussian_log_density),
)
def the_log_density():
    theta, centre = sympy.symbols("theta_1 theta_2", real=True), sympy.symbols("mu_1 mu_2", real=True)
    log_p = sum(log_density(t, m, SIGMA) for t, m in zip(theta, centre, strict=True))
    square = sum((t - m) ** 2 for t, m in zip(theta, centre, strict=True)) / (2 * SIGMA**2)
    yield proved(
        log_p + square + 2 * sympy.log(SIGMA) + sympy.log(2 * sympy.pi), "d = 2: what is left is -2 log σ - log 2π"
    )
    coded = diagonal_gaussian_log_density([[3.0, -1.0], [0.0, 0.0]], [[0.0, 0.0]] * 2, [[0.5, 0.5]] * 2)
    yield close(
        coded[0] - coded[1],
        -20.0,
        1e-12,
        "sums of doubles",
        "as coded: log P at (3, -1) less that at the centre, σ = 1/2",
    )
    yield close(coded[1], 2 * np.log(2) - np.log(2 * np.pi), 1e-12, "sums of doubles", "and at the centre")


the_log_density


# %%
@claim(
    "notes-148",
    says=r"$\nabla_\mu \log P_\mu(\theta) = \frac{\theta - \mu}{\sigma^2}$",
    verdict=Holds(),
    about=gaussian_score,
)
def the_score():
    theta = sympy.Symbol("theta", real=True)
    score = gaussian_score(np.array([theta]), np.array([MU]), np.array([SIGMA])).mean[0]
    yield proved(
        score - sympy.diff(log_density(theta, MU, SIGMA), MU), "the derivative of log P, coordinate by coordinate"
    )
    coded = gaussian_score(fractions(3, -1), fractions(1, 1), fractions(2, 2)).mean
    yield equal(coded, [HALF, -HALF], "θ = (3, -1), μ = (1, 1), σ = 2: (2, -2)/4")


the_score


# %%
@claim(
    "notes-149",
    says=r"$\mu_{t+1} = \mu_t + \frac{\alpha}{N\sigma} \sum_i F(\theta_i)\,\epsilon_i$, $\theta_i = \mu_t + \sigma\epsilon_i$, $\epsilon_i \sim N(0, I)$",
    verdict=Holds(note="α times the estimate of ∇U, as (θ - μ)/σ² = ε/σ"),
    about=(es_update, gaussian_score),
)
def the_update():
    theta = np.array([MU + SIGMA * e for e in EPS])
    fitness = np.array([cubic(t) for t in theta])
    moved = es_update(np.array([MU]), fitness, np.array(EPS)[:, None], SIGMA, ALPHA)[0]
    scores = gaussian_score(theta, np.array([MU, MU]), np.array([SIGMA, SIGMA])).mean
    yield proved(moved - MU - ALPHA * (scores * fitness).sum() / 2, "μ + α times the average of score and fitness")
    yield proved(mean(moved) - MU - ALPHA * sympy.diff(smoothed(cubic), MU), "on average α ∇U, for any cubic")


the_update

# %% [markdown]
# ## Is it natural?
#
# A natural gradient is the inverse Fisher matrix times the gradient. For $N(\mu, \sigma^2 I)$ with σ fixed that is $\sigma^2 \nabla_\mu U$: the same
# direction, σ² times as long, and the update would have ασ in the place of α/σ. So the derivation above is that of a *plain* gradient, and the
# name fits only up to the step size. If σ is searched for too, the two part ways: the gradient of σ shrinks by σ²/2 instead.


# %%
@claim(
    "notes-134",
    says="The derived update is named natural evolution strategies",
    verdict=Conditional(
        given="σ is fixed, and the factor σ² between the natural and the plain gradient is taken into the step size"
    ),
    about=(es_update, natural_gradient, search_gradient, gaussian_fisher),
)
def is_it_natural():
    draws, fitness = fractions([1], [-2]), fractions(3, 1)
    plain = search_gradient(fitness, draws, HALF)
    yield equal([*plain.mean, *plain.spread], [1, 3], "ε = 1, -2, F = 3, 1, σ = 1/2: gradients in μ and σ")
    (fisher,) = gaussian_fisher(fractions(HALF))
    inverse_applied = [plain.mean[0] / fisher[0, 0], plain.spread[0] / fisher[1, 1]]
    yield equal(inverse_applied, [Fraction(1, 4), Fraction(3, 8)], "through the Fisher matrix diag(4, 8)")
    natural = natural_gradient(plain, HALF)
    yield equal([*natural.mean, *natural.spread], inverse_applied, "the natural gradient")
    step = es_update(fractions(0), fitness, draws, HALF, ONE)
    yield equal(step, 4 * natural.mean, "the update with α = 1 is the natural one with α = 1/σ² = 4")
    yield differs(step, natural.mean, "with the same α")
    both = SearchGradient(np.array([ONE]), np.array([ONE]))
    turned = natural_gradient(both, HALF)
    yield against(bool(turned.mean[0] == 2 * turned.spread[0]), "in μ and σ together: (1, 1) turns to (2, 1) times 1/8")


is_it_natural
