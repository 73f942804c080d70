# %% [markdown]
# # The cross-entropy method and CMA-ES
#
# *Document `notes`, lines 706 to 807.* Search in parameter space that sees scores alone: a Gaussian is sampled, the best samples are kept, and the
# Gaussian is fitted to them. The steps of CEM are right; the law displayed for it has one variance where the updates give one to
# each coordinate. What is displayed as the covariance update of CMA-ES belongs to another method, and on a slope the two do opposite things.

# %%
from fractions import Fraction
from itertools import product
from math import sqrt

import numpy as np
import sympy
from scipy.stats import norm, truncnorm

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    at_most,
    below,
    claim,
    close,
    differs,
    equal,
    printed,
    proved,
    proved_at_most,
    refuses,
    sourced,
    tight,
)
from rlexact.exact.evaluation import expected_return, policy_value
from rlexact.exact.paths import paths
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cem import (
    average_score,
    cem_update,
    diagonal_samples,
    elite_count,
    elite_cross_entropy_gradient,
    elites,
    refit,
    truncated_gaussian,
)
from rlexact.formulas.cma_es import (
    cma_samples,
    covariance_update,
    elite_covariance,
    start,
    update,
    weighted_mean_update,
)
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("notes", "cross_entropy_and_cma_es", "The cross-entropy method and CMA-ES")

ONE, HALF = Fraction(1), Fraction(1, 2)


# %%
def exact(rows):
    """Numbers as an exact array."""
    return np.array(rows, dtype=object) + Fraction(0)


def corners(d):
    """All 2^d vectors of ±1: a standard normal's mean and covariance, exactly."""
    return exact(list(product((-1, 1), repeat=d)))


def spread(samples):
    """The covariance of a list of samples, each counted alike."""
    off = samples - samples.sum(axis=0) / len(samples)
    return off.T @ off / len(samples)


def relay():
    """Two decisions, γ = 1: state 0 pays 0 or 1 and leads on; state 1 pays 0 or 4 and ends."""
    first = {(0, a): [(ONE, 1, a, False)] for a in (0, 1)}
    return MDP.from_outcomes(first | {(1, a): [(ONE, None, 4 * a, True)] for a in (0, 1)}, ONE, 0)


def share_of_ones(model, p):
    """The policy that takes action 1 with probability p, in every state."""
    return exact([[1 - p, p]] * model.n_states)


# %% [markdown]
# ## A black box
#
# The objective is the same expected return as before. All that a black-box method gets is a list of scores: a relay with two decisions
# and a single choice that pays the same are one to it, and so are a smooth score and its rounded steps, whose derivative is 0
# wherever it exists.


# %%
CANDIDATES = exact([[Fraction(k, 8)] for k in (1, 3, 5, 7)])


def scores(model):
    return [expected_return(model, share_of_ones(model, p)) for p in CANDIDATES[:, 0]]


@claim(
    "notes-112",
    "notes-113",
    says=r"$\max_\theta U(\theta) = E_{\tau \sim \pi_\theta}[R(\tau)]$ is only queried: no gradient, no value function, no Markov structure",
    verdict=Holds(note="over the start and the environment too; the bar in the display repeats the subscript"),
    about=(cem_update, expected_return),
)
def only_scores():
    listed = [
        sum(x.probability * sum(x.rewards) for x in paths(relay(), share_of_ones(relay(), p), 2)) for p in (HALF, ONE)
    ]
    found = [expected_return(relay(), share_of_ones(relay(), p)) for p in (HALF, ONE)]
    yield equal(found, listed, "relay, p = 1/2 and 1: U against the sum over trajectories")
    one, two = scores(relay()), scores(gallery.bandit((Fraction(0), Fraction(5))))
    yield equal(one, two, "the relay and a single choice of 0 or 5: the same four scores")
    yield equal(one, [5 * Fraction(k, 8) for k in (1, 3, 5, 7)], "5p")
    for fitness in (one, two, [x**3 for x in one], [x // 1 for x in one]):
        found = cem_update(CANDIDATES, fitness, 2)
        yield equal([*found.mean, *found.variance], [Fraction(3, 4), Fraction(1, 64)], "the update keeps 5/8 and 7/8")


only_scores

# %% [markdown]
# The loop of lines 720 to 727, in its plainest form: on the two-state loop of `theory`, θ is the probability of *right* at A and at B. Perturb
# each by nothing or 1/8, evaluate all nine, keep the best.


# %%
def worth(model, theta):
    """V(A) of the policy that goes right with probabilities θ."""
    return policy_value(model, exact([[1 - p, p] for p in theta]))[0]


def one_round(model, theta):
    """Perturb, evaluate, select one, move there."""
    nearby = [theta + exact(step) / 8 for step in product((-1, 0, 1), repeat=2)]
    nearby = [x for x in nearby if min(x) >= 0 and max(x) <= 1]
    return cem_update(np.array(nearby), [worth(model, x) for x in nearby], 1).mean


@claim(
    "notes-114",
    says="The algorithm: initialise, perturb, evaluate, select, update toward the better, repeat",
    verdict=Holds(note="a frame, which promises no arrival"),
    about=(cem_update, policy_value),
)
def the_frame():
    model, theta = gallery.left_right_loop(), exact([HALF, HALF])
    walk = [theta := one_round(model, theta) for _ in range(5)]
    yield equal(walk[0], [Fraction(5, 8), Fraction(3, 8)], "first round: more right at A, less at B")
    yield equal(walk[-2:], [[1, 0], [1, 0]], "after four rounds: right at A, left at B, and it stays")
    yield equal(worth(model, theta), Fraction(300, 19), "which is the optimum, 3/(1 - .81)")


the_frame

# %% [markdown]
# ## The law that CEM samples from
#
# Line 733 says: a Gaussian with a *diagonal* covariance. So it is: one variance for each coordinate, axes that stay upright, each scaled
# by itself. The display $N(\mu, \sigma^2 I)$ has one variance for all. It is right at the start, $100 I$. After one fit the $\sigma^2(j)$ of
# line 759 differ, and the law is $N(\mu, \mathrm{diag}(\sigma^2))$, of which $\sigma^2 I$ is a careless spelling.


# %%
@claim(
    "notes-115",
    "notes-128",
    says="CEM's Gaussian has a diagonal covariance: axis-aligned, scaled along the coordinate axes only",
    verdict=Holds(note="one variance per axis; the mean may move anywhere"),
    about=diagonal_samples,
)
def upright():
    found = diagonal_samples(exact([1, -1]), exact([4, 9]), corners(2))
    yield equal(spread(found), [[4, 0], [0, 9]], "variances 4 and 9: covariance of the samples of all sign patterns")
    yield equal(found.sum(axis=0) / 4, [1, -1], "their mean")


upright


# %%
@claim(
    "notes-116",
    "notes-118",
    "notes-126",
    says=r"CEM draws $\theta_1, \ldots, \theta_n$ from $N(\mu, \sigma^2 I)$",
    verdict=Conditional(
        given="all variances are equal, as before the first update, or σ²I is read as diag(σ²(1), …, σ²(d))"
    ),
    about=(diagonal_samples, refit),
)
def one_variance_or_many():
    first = diagonal_samples(exact([0, 0]), Fraction(100), corners(2))
    yield equal(spread(first), [[100, 0], [0, 100]], "at the start: 100 I")
    fitted = refit(exact([[0, 0], [2, 6]]))
    yield equal(fitted.variance, [1, 9], "elites (0, 0) and (2, 6): the σ²(j) of line 759")
    then = spread(diagonal_samples(fitted.mean, fitted.variance, corners(2)))
    yield equal(then, [[1, 0], [0, 9]], "next law, σ² a vector")
    yield differs(then[0, 0], then[1, 1], "no multiple of I has both")


one_variance_or_many

# %% [markdown]
# ## The five steps


# %%
@claim(
    "notes-117",
    says=r"Start with $\mu = 0$, $\sigma^2 = 100 I$: a wide search",
    verdict=Holds(note="a standard deviation of 10: wide against parameters of order 1"),
    about=diagonal_samples,
)
def the_start():
    yield sourced("Szita and Lőrincz (2006), Tetris: every weight begins as N(0, 100)")
    variance = printed("100").value
    found = diagonal_samples(exact([0, 0, 0]), variance, exact([[1, -1, Fraction(1, 2)]]))
    yield equal(found, [[10, -10, 5]], "draws 1, -1 and 1/2 become ±10 and 5")


the_start


# %%
@claim(
    "notes-119",
    says="Fitness of a sample: the average score over L episodes",
    verdict=Holds(note="unbiased, its variance that of one return over L; the *best* of noisy scores is biased upward"),
    about=average_score,
)
def the_average():
    model = relay()
    listed = list(paths(model, uniform(model), 2))
    law = [(path.probability, sum(path.rewards)) for path in listed]
    for L in (1, 2, 3):
        runs = [
            (np.prod([p for p, _ in run]), average_score([[g for _, g in run]])[0]) for run in product(law, repeat=L)
        ]
        mean = sum(p * x for p, x in runs)
        yield equal(mean, Fraction(5, 2), f"relay, fair choices, L = {L}: mean ½ + 2")
        yield equal(sum(p * (x - mean) ** 2 for p, x in runs), Fraction(17, 4 * L), "variance (¼ + 4)/L")


the_average


# %%
@claim(
    "notes-120",
    says=r"Keep only the top $[\rho n]$ of $n$ samples, $\rho \le 1$, often 0.1 or 0.2",
    verdict=Holds(note="[ρn] has to be a whole number of at least 1, and of 2 for a variance to be left"),
    about=(elite_count, elites),
)
def the_elites():
    yield equal([elite_count(50, printed(x).value) for x in ("0.1", "0.2")], [5, 10], "of 50: a tenth, a fifth")
    samples, fitness = exact([[k] for k in range(10)]), [Fraction(-((k - 6) ** 2)) for k in range(10)]
    kept = elites(samples, fitness, elite_count(10, printed("0.2").value))
    yield equal(kept[:, 0], [6, 5], "ten samples, fitness -(θ - 6)²: the best two, of equals the first")
    yield refuses(InvalidBatch, lambda: elite_count(5, printed("0.1").value), "a tenth of five")


the_elites


# %%
@claim(
    "notes-121",
    "notes-122",
    "notes-123",
    says=r"$\mu(j)$ is the mean of the elites' coordinate, $\sigma^2(j) = \frac{1}{[\rho n]}\sum_i [\theta'_i(j) - \mu(j)]^2 + \eta$; η prevents collapse",
    verdict=Holds(note="about the new mean; without η the likeliest diagonal Gaussian, with it at least η everywhere"),
    about=(refit, elite_cross_entropy_gradient),
)
def the_fit_and_its_floor():
    (a, b, c), eta = sympy.symbols("a b c", real=True), sympy.Symbol("eta", positive=True)
    found, mean = refit([[a], [b], [c]], eta), (a + b + c) / 3
    yield proved(found.mean[0] - mean, "the mean of three")
    yield proved(found.variance[0] - ((a**2 + b**2 + c**2) / 3 - mean**2 + eta), "mean square less squared mean, and η")
    chosen = exact([[1, 4], [3, 5], [8, 0]])
    fitted = refit(chosen)
    yield equal([*fitted.mean, *fitted.variance * 3], [4, 3, 26, 14], "elites (1, 4), (3, 5), (8, 0); 3 σ²")
    slope = elite_cross_entropy_gradient(chosen, fitted.mean, fitted.variance)
    yield equal([slope.mean, slope.variance], [[0, 0], [0, 0]], "the likelihood is level there")
    off = elite_cross_entropy_gradient(chosen, exact([5, 3]), fitted.variance).mean
    yield equal(off, [Fraction(3, 26), 0], "and not with a mean of 5")
    eta = Fraction(1, 4)
    for kept in (chosen, corners(2), exact([[1, 0], [1, 2]])):
        yield at_most([eta] * 2, refit(kept, eta).variance, "η ≤ σ²")
    alone, together = (refit(exact([[2], [2]]), noise).variance[0] for noise in (0, eta))
    yield equal([alone, together], [0, eta], "elites that agree: 0, and η")
    yield tight(eta, together, "η is the least")
    variance, seen = ONE, []
    for _ in range(4):
        samples = diagonal_samples(exact([0]), variance, exact([[-1], [-HALF], [HALF], [1]]))
        variance = cem_update(samples, list(samples[:, 0]), 2).variance[0]
        seen.append(variance)
    yield equal(seen, [Fraction(1, 16**k) for k in (1, 2, 3, 4)], "no η, on a slope, draws ±½ and ±1: collapse")


the_fit_and_its_floor

# %% [markdown]
# ## The lost picture: CEM on a parabola
#
# Fitness $-(\theta - \theta^*)^2$, and so many samples that they are the Gaussian itself. *Far* from the top the elites are a tail, and a fit
# leaves the share $v(\rho)$ of the variance. *At* the top they are the middle, and leave $1 - 2c\,\varphi(c)/\rho$ with
# $\Phi(c) = (1 + \rho)/2$. Either way the variance falls geometrically. All steps together carry the mean at most
# $\kappa\sigma/(1 - \sqrt v)$ along a slope: from σ = 1 with ρ = 0.1 about 3, and a top at 10 is never reached. With $\sigma = 10$ or with η it is.


# %%
def searched(top, sigma, noise, generations, rho=0.1):
    """Means and variances of CEM on -(θ - top)², from N(0, σ²), with 4000 quantiles of the normal law as draws."""
    draws = norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None]
    mean, variance, seen = np.zeros(1), np.full(1, sigma**2), []
    for _ in range(generations):
        samples = diagonal_samples(mean, variance, draws)
        fitted = cem_update(samples, -((samples[:, 0] - top) ** 2), int(rho * len(draws)), noise)
        mean, variance = fitted.mean, fitted.variance
        seen.append((float(mean[0]), float(variance[0])))
    return np.array(seen).T


@claim(
    "notes-x13",
    says="(lost picture) CEM on a quadratic: refitted without noise, the variance contracts geometrically, and too fast a contraction stops "
    "short of the optimum; noise keeps it above zero",
    verdict=Holds(note="it stops short when the optimum is further than κσ/(1 - √v) away, 2.98 σ for a tenth"),
    about=(cem_update, truncated_gaussian),
)
def on_a_parabola():
    grid, (kappa, v) = "4000 quantiles in place of the normal law", truncated_gaussian(0.1)
    tail = truncnorm(norm.ppf(0.9), np.inf)
    yield close([kappa, v], [tail.mean(), tail.var()], 1e-9, "SciPy's truncated normal law", "the tail: κ and v")
    means, variances = searched(1e6, 1.0, 0, 12)
    yield close(variances[1:] / variances[:-1], [v] * 11, 5e-3, grid, "far away: each variance over the last")
    c = norm.ppf(0.55)
    _, middle = searched(0.0, 1.0, 0, 12)
    centred = 1 - 2 * c * norm.pdf(c) / 0.1
    yield close(middle[1:] / middle[:-1], [centred] * 11, 1e-4, grid, "at the top: 1 - 2 c φ(c)/ρ")
    means, variances = searched(10.0, 1.0, 0, 60)
    reach = kappa / (1 - sqrt(v))
    yield close(means[-1], reach, 2e-2, grid, "top at 10, σ = 1: the mean rests at κ/(1 - √v)")
    yield below(variances[-1], 1e-20, "and nothing is left to search with")
    yield close(searched(10.0, 10.0, 0, 60)[0][-1], 10, 1e-6, "the middle of a tenth is the top", "σ = 10: it arrives")
    means, variances = searched(10.0, 1.0, 0.01, 60)
    yield close(means[-1], 10, 1e-3, grid, "σ = 1 and η = 1/100: it arrives too")
    yield close(variances[-1], 0.01 / (1 - centred), 1e-5, grid, "its variance stays at η/(1 - share left)")


on_a_parabola


# %%
@figure
def three_searches():
    """Distance of the mean from the top, and σ, generation by generation, for a top at 10. Without noise and from σ = 1 it stops."""
    from matplotlib import pyplot as plt

    fig, panels = plt.subplots(1, 2, figsize=(8, 3.3))
    cases = (("σ = 1, no noise", 1.0, 0), ("σ = 10, no noise", 10.0, 0), ("σ = 1, η = 1/100", 1.0, 0.01))
    for (name, sigma, noise), colour, ls in zip(cases, COLOURS, ("-", "--", "-."), strict=False):
        means, variances = searched(10.0, sigma, noise, 30)
        panels[0].plot([10, *np.abs(10 - means)], color=colour, ls=ls, label=name)
        panels[1].semilogy([sigma, *np.sqrt(variances)], color=colour, ls=ls)
    panels[0].set(xlabel="generation", ylabel="distance to the top")
    panels[1].set(xlabel="generation", ylabel="σ", ylim=(1e-7, 20))
    panels[0].legend(fontsize=8, loc="upper right")
    return fig


three_searches

# %% [markdown]
# ## Many dimensions
#
# Score $\theta_1 + \dots + \theta_d$, samples at all corners ±1, the best quarter kept. Each coordinate gains 1 for $d = 2$, 5/8 for $d = 4$, 111/256 for
# $d = 8$: selection knows only the sum, and divides itself among the coordinates, like $1/\sqrt d$. But it is the number of coordinates that
# *matter* that counts. If the score is $\theta_1$ alone, the gain is 1 for every $d$.


# %%
def gain(d, fitness):
    """The fitted mean, the best quarter of all corners kept."""
    samples = corners(d)
    return cem_update(samples, [fitness(x) for x in samples], len(samples) // 4).mean


@claim(
    "notes-124",
    says="CEM struggles as the dimension grows: independence is too restrictive, and selection discards most of the samples",
    verdict=Conditional(
        given="the score hangs on many parameters, the more so if jointly; parameters that do not matter cost nothing. (The discarded samples "
        "do count, in setting the bar)"
    ),
    about=cem_update,
)
def the_dimension():
    gains = [gain(d, sum).sum() / d for d in (2, 4, 8)]
    yield equal(gains, [1, Fraction(5, 8), Fraction(111, 256)], "score Σθ: gain per coordinate for d = 2, 4, 8")
    alone = [gain(d, lambda x: x[0])[0] for d in (2, 4, 8)]
    yield equal(alone, [1, 1, 1], "score θ_1: gain for d = 2, 4, 8")
    yield against(alone[0] == alone[2], "the dimension alone makes no difference")


the_dimension

# %% [markdown]
# ## A full covariance
#
# Nine samples on a grid. If the score is $-(x-y)^2$, the best three lie on the diagonal: a full covariance keeps that they go together,
# a diagonal one forgets it. If the score is $-x^2$, the best three stand upright, and both fits are the same law: there a full
# covariance has $d(d+1)/2$ numbers to learn where $d$ do.


# %%
GRID = exact(list(product((-1, 0, 1), repeat=2)))


def two_fits(fitness):
    """The covariance of the best three of nine: in full, and as CEM keeps it."""
    worth = [fitness(x, y) for x, y in GRID]
    return elite_covariance(elites(GRID, worth, 3)), np.diag(cem_update(GRID, worth, 3).variance)


@claim(
    "notes-125",
    says="CEM assumes independent parameters; CMA-ES with its full covariance learns correlations, which makes it dramatically more powerful",
    verdict=Conditional(
        given="the parameters interact in the score; where they do not, a diagonal fits as well, with d numbers"
    ),
    about=(elite_covariance, cem_update),
)
def what_a_diagonal_forgets():
    two_thirds = Fraction(2, 3)
    full, diagonal = two_fits(lambda x, y: -((x - y) ** 2))
    yield equal(full, [[two_thirds, two_thirds], [two_thirds, two_thirds]], "score -(x - y)²: correlation 1")
    yield equal(diagonal, [[two_thirds, 0], [0, two_thirds]], "CEM's fit: none")
    full, diagonal = two_fits(lambda x, y: -(x**2))
    yield equal(full, [[0, 0], [0, two_thirds]], "score -x²: the full covariance")
    yield against((full == diagonal).all(), "CEM has the very same law")


what_a_diagonal_forgets


# %%
@claim(
    "notes-127",
    "notes-130",
    says=r"CMA-ES samples $\theta \sim N(\mu, \Sigma)$, at iteration $i$ from $N(\mu_i, C_i)$",
    verdict=Holds(note="Σ, C_i the whole covariance; usually C is the shape, and the law N(m, σ² C)"),
    about=cma_samples,
)
def the_general_gaussian():
    sigma = [[5.0, 4.0], [4.0, 5.0]]
    found = cma_samples(start([1.0, -1.0], 1.0, sigma), corners(2).astype(float))
    because = "a square root by eigenvectors in floats"
    yield close(found.mean(axis=0), [1, -1], 1e-12, because, "mean of the samples of all sign patterns")
    yield close(spread(found), sigma, 1e-12, because, "their covariance")
    scaled = cma_samples(start([1.0, -1.0], 2.0, np.array(sigma) / 4), corners(2).astype(float))
    yield close(spread(scaled), sigma, 1e-12, because, "σ = 2 and C = Σ/4: the same law")


the_general_gaussian

# %% [markdown]
# ## Along the valley
#
# A ridge from southwest to northeast, $-(x+y-6)^2/20 - 2(x-y)^2$, forty times as steep across as along, with its top at (3, 3). CMA-ES from
# the origin turns its ellipse along the ridge and arrives. CEM with as many samples stays upright and stops on the way.


# %%
def ridge(theta):
    along, across = theta[:, 0] + theta[:, 1] - 6, theta[:, 0] - theta[:, 1]
    return -(along**2) / 20 - 2 * across**2


def both_searches(generations=60, population=20):
    """(the state of CMA-ES, the mean of CEM) after generations with the same draws."""
    rng = np.random.default_rng(3)
    state, mean, variance = start(np.zeros(2), 1.0), np.zeros(2), np.ones(2)
    for _ in range(generations):
        draws = rng.standard_normal((population, 2))
        state = update(state, draws, ridge(cma_samples(state, draws)))
        samples = diagonal_samples(mean, variance, draws)
        fitted = cem_update(samples, ridge(samples), population // 4)
        mean, variance = fitted.mean, fitted.variance
    return state, mean


@claim(
    "notes-129",
    says="CMA-ES adapts its ellipse to the landscape: along a northeast valley it stretches that way, and searches much more efficiently",
    verdict=Holds(note="for a slanting ridge (fitness is maximised); for an upright one CEM does as well"),
    about=(update, cma_samples),
)
def along_the_ridge():
    state, stopped = both_searches()
    yield close(state.mean, [3, 3], 1e-6, "the seeded search has contracted", "CMA-ES: mean after 60 generations of 20")
    C = state.covariance
    yield below(0.8, float(C[0, 1] / np.sqrt(C[0, 0] * C[1, 1])), "correlation of its Gaussian (of 1/curvature: 39/41)")
    yield below(1e3 * float(np.abs(state.mean - 3).max()), float(np.abs(stopped - 3).max()), "CEM is far behind")


along_the_ridge

# %% [markdown]
# ## The updates of CMA-ES
#
# The mean update is Hansen's, with α for $c_m$. The covariance update is not. The covariance of the elites *about their own mean* is the estimate of
# EMNA (Larrañaga and Lozano 2001), CEM with a full matrix. CMA-ES measures the steps from the *old* mean, mixes the result into the old
# covariance with small rates, adds a path, and keeps a separate step size. The difference is one of direction. Of samples −3, −1, 1, 3 on
# a slope, with variance 5, the upper half has variance 1 about its own mean and 5 about the old one; the best alone, 0 and 9. One
# narrows along the slope that it climbs, the other does not.


# %%
@claim(
    "notes-131",
    says=r"$\mu_{t+1} = \mu_t + \alpha\sum_i w_i(\theta_i - \mu_t)$ over the elites",
    verdict=Holds(note="with weights that sum to 1; then it is the part α of the way to their weighted average"),
    about=weighted_mean_update,
)
def the_mean_update():
    m, x, y, w, alpha = sympy.symbols("m x y w alpha", positive=True)
    found = weighted_mean_update([m], [[x], [y]], [w, 1 - w], alpha)[0]
    yield proved(found - ((1 - alpha) * m + alpha * (w * x + (1 - w) * y)), "two elites: between μ and their average")
    yield proved(found.subs(alpha, 1) - w * x - (1 - w) * y, "α = 1: the average itself")


the_mean_update


# %%
@claim(
    "notes-132",
    says=r"CMA-ES's covariance update: $\Sigma_{t+1} = \mathrm{Cov}(\text{elites}) + \epsilon I$",
    verdict=Wrong(
        because="the covariance of the elites about their own mean is EMNA's estimate; along a slope it shrinks",
        instead="C ← (1 - c_1 - c_μ) C + c_1 p pᵀ + c_μ Σ w_i y_i y_iᵀ, with y_i = (θ_i - old mean)/σ and a path p (Hansen 2016, (47))",
    ),
    about=(elite_covariance, covariance_update),
)
def the_covariance_update():
    line = exact([[-3], [-1], [1], [3]])
    yield equal(spread(line), [[5]], "samples -3, -1, 1, 3 about 0")
    halves = elites(line, list(line[:, 0]), 2)
    own = elite_covariance(halves)
    rank_mu = covariance_update([[Fraction(5)]], exact([0]), halves, exact([HALF, HALF]), 0, 1, 0)
    found = [own, elite_covariance(halves, about=exact([0])), rank_mu]
    yield equal(found, [[[1]], [[5]], [[5]]], "best half: about its own mean, the old mean, and CMA-ES")
    yield differs(own, rank_mu, "c_1 = 0 and c_μ = 1, nothing mixed in")
    best = elites(line, list(line[:, 0]), 1)
    rank_mu = covariance_update([[Fraction(5)]], exact([0]), best, exact([1]), 0, 1, 0)
    yield equal([elite_covariance(best), rank_mu], [[[0]], [[9]]], "the best alone: one shrinks, the other grows")
    C, path, steps = exact([[1, 0], [0, 1]]), exact([1, 0]), exact([[2, 0], [0, 1]])
    mixed = covariance_update(C, path, steps, exact([HALF, HALF]), Fraction(1, 4), HALF, HALF)
    yield equal(mixed, [[Fraction(3, 2), 0], [0, HALF]], "c_1 = ¼, c_μ = ½ by hand: ¼ I + ¼ ppᵀ + ½ (½ yyᵀ + ½ yyᵀ)")


the_covariance_update


# %%
@claim(
    "notes-133",
    says=r"$\epsilon I$ prevents the matrix from becoming singular",
    verdict=Holds(note="the least eigenvalue is at least ε; without it d elites or fewer in d dimensions are singular"),
    about=elite_covariance,
)
def never_singular():
    a, b, c, d = sympy.symbols("a b c d", real=True)
    eps = sympy.Symbol("epsilon", positive=True)
    S = elite_covariance([[a, b], [c, d]], eps)
    determinant = S[0, 0] * S[1, 1] - S[0, 1] * S[1, 0]
    lengths = [eps * (a - c) ** 2 / 4, eps * (b - d) ** 2 / 4]
    yield proved_at_most(eps**2, determinant, lengths, "two elites in the plane: ε² ≤ det Σ")
    flat = elite_covariance(exact([[1, 2], [3, 5]]))
    yield equal(flat[0, 0] * flat[1, 1] - flat[0, 1] ** 2, 0, "elites (1, 2) and (3, 5), no noise: singular")
    same = elite_covariance(exact([[2, 2], [2, 2]]), Fraction(1, 10))
    yield equal(same, exact([[1, 0], [0, 1]]) / 10, "elites that agree leave εI")


never_singular
