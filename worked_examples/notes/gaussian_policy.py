# %% [markdown]
# # The Gaussian policy
#
# *Document `notes`, lines 238 to 320.* A continuous action, drawn around a mean that depends on θ with a spread that does not. The densities and the
# one-dimensional score are right. In two dimensions the printed product is in the wrong order for its shapes, and the
# geometry beside it holds for axes and free means, not in general.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    below,
    claim,
    close,
    differs,
    equal,
    exceeds,
    proved,
    sourced,
)
from rlexact.formulas.full_gaussian import full_gaussian_log_density, full_gaussian_sample, full_gaussian_score_mean
from rlexact.formulas.gaussian import gaussian_log_density, gaussian_sample, gaussian_score
from rlexact.plotting import COLOURS, figure
from rlexact.symbolic.gaussian import expectation, log_density, log_density_full

SECTION = Section("notes", "gaussian_policy", "The Gaussian policy")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
a, m, z = sympy.symbols("a mu z", real=True)
sigma = sympy.Symbol("sigma", positive=True)
theta = sympy.symbols("theta1:3", real=True)

# %% [markdown]
# ## One dimension
#
# $a = \mu_\theta(s) + \sigma z$ with a standard normal $z$ has the density of line 244: its total is 1, its mean μ, its variance $\sigma^2$.


# %%
def density(at):
    """The normal density of mean μ and variance σ², written out."""
    return sympy.exp(-((at - m) ** 2) / (2 * sigma**2)) / sympy.sqrt(2 * sympy.pi * sigma**2)


@claim(
    "notes-032",
    "notes-033",
    says=r"$\pi_\theta(a \mid s) = N(a \mid \mu_\theta(s), \sigma^2)$ with σ fixed, and $a_t \sim N(\mu_\theta(s_t), \sigma^2)$",
    verdict=Holds(note="a density, not a probability: it exceeds 1 near the mean where σ is below 0.3989"),
    about=(gaussian_sample, gaussian_log_density),
)
def mean_and_spread():
    drawn = gaussian_sample(m, sigma, z).item()
    scaled = sympy.simplify(density(drawn) * sigma)
    total = sympy.integrate(scaled, (z, -sympy.oo, sympy.oo))
    yield proved(total - 1, "the density integrates to 1, by a = μ + σz")
    moments = [expectation(sympy.expand((drawn - m) ** k), [z]) for k in (1, 2, 3, 4)]
    yield proved([e - f for e, f in zip(moments, (0, sigma**2, 0, 3 * sigma**4), strict=True)], "its central moments")
    for point in ((0.5, 0.0, 1.0), (-1.0, 2.0, 0.5), (3.0, 1.0, 4.0)):
        stated = float(sympy.log(density(a)).subs({a: point[0], m: point[1], sigma: point[2]}))
        yield close(
            gaussian_log_density(*point).item(), stated, 1e-12, "roundings of numbers below 20", f"log N at {point}"
        )


mean_and_spread

# %% [markdown]
# The logarithm is a square and a constant, $C = -\log\sigma - \frac12 \log 2\pi$. Constant in $a$, and in θ because σ is fixed. (A σ that
# depends on θ would add $((a-\mu)^2/\sigma^2 - 1)\, \nabla\log\sigma$, of which $C$ contributes the $-\nabla\log\sigma$.)


# %%
@claim(
    "notes-034",
    "notes-035",
    says=r"$\log \pi_\theta(a \mid s) = -\frac{1}{2\sigma^2}(a - \mu_\theta(s))^2 + C$, and $C$ vanishes under the gradient",
    verdict=Holds(note="because σ is fixed; with a learned σ the constant is none, and its gradient is -∇log σ"),
    about=log_density,
)
def a_square_and_a_constant():
    mean = sympy.Function("mu")(*theta)
    constant = log_density(a, mean, sigma) + (a - mean) ** 2 / (2 * sigma**2)
    yield proved(constant + sympy.log(sigma) + sympy.log(2 * sympy.pi) / 2, "C = -log σ - ½ log 2π")
    yield proved(
        [sympy.diff(constant, t) for t in (*theta, a)], "its derivatives in θ and in a, any μ of two parameters"
    )
    yield proved(sympy.exp(log_density(a, m, sigma)) - density(a), "and the whole is the log of the density")
    width = sympy.Function("sigma", positive=True)(theta[0])
    moving = log_density(a, m, width) + (a - m) ** 2 / (2 * width**2)
    yield proved(sympy.diff(moving, theta[0]) + sympy.diff(sympy.log(width), theta[0]), "with σ(θ): ∇C = -∇log σ")


a_square_and_a_constant


# %%
@claim(
    "notes-036",
    says=r"$\nabla \log \pi_\theta(a_t \mid s_t) = \frac{a_t - \mu_\theta(s_t)}{\sigma^2} \nabla \mu_\theta(s_t)$",
    verdict=Holds(note="σ fixed"),
    about=gaussian_score,
)
def the_score():
    mean = sympy.Function("mu")(*theta)
    log_pi = -((a - mean) ** 2) / (2 * sigma**2)
    score = gaussian_score(a, m, sigma).mean.item().subs(m, mean)
    yield proved([sympy.diff(log_pi, t) - score * sympy.diff(mean, t) for t in theta], "any μ of two parameters")
    yield equal(gaussian_score(3 * ONE, ONE, 2 * ONE).mean.item(), HALF, "a = 3, μ = 1, σ = 2: (3 - 1)/4")


the_score

# %% [markdown]
# ## Two dimensions
#
# The mean is a vector, Σ a covariance: symmetric, with positive eigenvalues, or there is no $\Sigma^{-1}$ and no density. $a = \mu + Cz$ with $CC^\top = \Sigma$ draws it.

# %%
COVARIANCE = [[4 * ONE, 2 * ONE], [2 * ONE, 5 * ONE]]  # C Cᵀ for the root below
ROOT = [[2 * ONE, 0 * ONE], [ONE, 2 * ONE]]
points = sympy.symbols("a1:3", real=True)
means = sympy.symbols("mu1:3", real=True)


def moments_of(sample, noise):
    """Mean and covariance of a polynomial in standard normal noise."""
    mean = [expectation(sympy.expand(e), noise) for e in sample]
    off = [e - f for e, f in zip(sample, mean, strict=True)]
    return mean, [[expectation(sympy.expand(p * q), noise) for q in off] for p in off]


@claim(
    "notes-037",
    "notes-038",
    "notes-039",
    says=r"$\mu_\theta(s) = (\mu_1(s), \mu_2(s))$, $\pi_\theta(a \mid s) = N(a \mid \mu_\theta(s), \Sigma)$ and $a \sim N(\mu_\theta(s), \Sigma)$",
    verdict=Holds(
        note="Σ fixed, symmetric and positive definite; both entries of μ depend on θ, which the vector leaves out"
    ),
    about=full_gaussian_sample,
)
def a_vector_and_a_covariance():
    noise = sympy.symbols("z1:3", real=True)
    drawn = full_gaussian_sample(means, ROOT, noise)
    mean, spread = moments_of(list(drawn), noise)
    yield proved([e - f for e, f in zip(mean, means, strict=True)], "mean of μ + Cz: μ")
    yield equal(spread, COVARIANCE, "its covariance: C Cᵀ")


a_vector_and_a_covariance


# %%
@claim(
    "notes-040",
    says=r"$\log \pi_\theta(a \mid s) = -\frac12 (a - \mu_\theta(s))^\top \Sigma^{-1} (a - \mu_\theta(s)) + C$",
    verdict=Holds(note="C = -½ log det Σ - log 2π in two dimensions"),
    about=(log_density_full, full_gaussian_log_density),
)
def a_quadratic_form():
    p, q = sympy.symbols("p q", positive=True)
    r = sympy.Symbol("r", real=True)
    cov = sympy.Matrix([[p, r], [r, q]])
    d = sympy.Matrix(points) - sympy.Matrix(means)
    square = (q * d[0] ** 2 - 2 * r * d[0] * d[1] + p * d[1] ** 2) / (p * q - r**2)
    rest = log_density_full(sympy.Matrix(points), sympy.Matrix(means), cov) + square / 2
    yield proved(
        rest + sympy.log(p * q - r**2) / 2 + sympy.log(2 * sympy.pi), "any covariance: C = -½ log det Σ - log 2π"
    )
    by_hand = -(5 * 9 - 2 * 2 * 3 * 1 + 4 * 1) / 32 - np.log(16) / 2 - np.log(2 * np.pi)
    found = full_gaussian_log_density([3.0, 1.0], [0.0, 0.0], [[4.0, 2.0], [2.0, 5.0]]).item()
    yield close(found, by_hand, 1e-13, "a few roundings of numbers below 10", "Σ = ((4, 2), (2, 5)), a - μ = (3, 1)")


a_quadratic_form

# %% [markdown]
# **The score.** $\Sigma^{-1}(a - \mu)$ is a column of two numbers; $\nabla_\theta \mu$ holds two rows, one for each entry of μ, and as many columns as θ has entries. A
# column of two times a matrix of two rows is not defined. What is meant is
#
# $$\nabla_\theta \log \pi = \Big(\frac{\partial \mu}{\partial \theta}\Big)^{\!\top} \Sigma^{-1} (a - \mu) .$$
#
# Where θ happens to have two entries, the product *can* be formed with the factors turned round, without the transpose. Then it
# is a wrong number, unless $\partial\mu/\partial\theta$ is symmetric.

# %%
JACOBIAN = [[1, 1], [0, 1]]  # μ = (θ1 + θ2, θ2)


def log_pi_of_theta():
    """log π up to its constant, for μ = (θ1 + θ2, θ2) and the covariance above, by SymPy's own inverse."""
    d = sympy.Matrix(points) - sympy.Matrix([theta[0] + theta[1], theta[1]])
    return -(d.T * sympy.Matrix([[4, 2], [2, 5]]).inv() * d)[0] / 2


@claim(
    "notes-041",
    says=r"$\nabla_\theta \log \pi_\theta(a \mid s) = \Sigma^{-1}(a - \mu_\theta(s))\, \nabla_\theta \mu_\theta(s)$",
    verdict=Wrong(
        because="a (2, 1) column times a matrix (2, K) is not defined; turned round without the transpose it is another number",
        instead="(∂μ/∂θ)ᵀ Σ⁻¹(a - μ)",
    ),
    about=full_gaussian_score_mean,
)
def the_order_of_the_factors():
    at_zero = dict(zip(theta, (0, 0), strict=True))
    slopes = [sympy.diff(log_pi_of_theta(), t).subs(at_zero) for t in theta]
    pull = full_gaussian_score_mean(points, [0 * ONE, 0 * ONE], COVARIANCE)
    yield proved(
        np.array(JACOBIAN).T @ pull - slopes, "θ = 0: (∂μ/∂θ)ᵀ Σ⁻¹ (a - μ), against SymPy's derivative of log π"
    )
    there = dict(zip(points, (3, 1), strict=True))
    number = full_gaussian_score_mean([3 * ONE, ONE], [0 * ONE, 0 * ONE], COVARIANCE)
    yield equal(number, [Fraction(13, 16), Fraction(-1, 8)], "a - μ = (3, 1): Σ⁻¹ (3, 1) = (13, -2)/16")
    truth = [Fraction(str(e.subs(there))) for e in slopes]
    yield equal(np.array(JACOBIAN).T @ number, truth, "the score (13, 11)/16")
    yield differs(np.array(JACOBIAN) @ number, truth, "the factors turned round without the transpose")
    yield differs(np.array(JACOBIAN) * number[:, None] @ np.array([1, 1]), truth, "row by row, and added up")


the_order_of_the_factors

# %% [markdown]
# ## The geometry
#
# **Amplified and damped.** Along a principal axis of variance λ the factor is $1/\lambda$. So a direction of low variance counts for more than one of high
# variance. Whether it is *amplified* depends on the unit: below variance 1 it is, above it is damped. With $\Sigma = \mathrm{diag}(4, 9)$ both are
# damped. And with correlation the variances along the coordinate axes do not decide it.


# %%
def scaled(direction, covariance):
    """By how much Σ⁻¹ stretches a direction along itself: dᵀ Σ⁻¹ d / dᵀ d."""
    d = [Fraction(e) for e in direction]
    pull = full_gaussian_score_mean(d, [0 * ONE] * len(d), [[Fraction(e) for e in row] for row in covariance])
    return sum(p * q for p, q in zip(pull, d, strict=True)) / sum(q * q for q in d)


@claim(
    "notes-042",
    says=r"$\Sigma^{-1}$ amplifies directions of low variance and damps directions of high variance",
    verdict=Conditional(
        given="along the principal axes, 'low' is below 1 and 'high' above; otherwise the low one is only damped less than the high"
    ),
    about=(scaled, full_gaussian_score_mean),
)
def more_or_less_than_one():
    either = [[QUARTER, 0], [0, 4]]
    yield equal([scaled((1, 0), either), scaled((0, 1), either)], [4, QUARTER], "variances 1/4 and 4: times 4 and 1/4")
    wide = [[4, 0], [0, 9]]
    low, high = scaled((1, 0), wide), scaled((0, 1), wide)
    yield equal([low, high], [QUARTER, Fraction(1, 9)], "variances 4 and 9: times 1/4 and 1/9")
    yield against(low < 1, "the direction of the lower variance is damped")
    yield below(high, low, "though less than the other")
    metres, centimetres = scaled((1, 0), either), scaled((1, 0), [[2500, 0], [0, 40000]])
    yield against(
        metres > 1 > centimetres, "variance 1/4 in metres, 2500 in centimetres: amplified, or damped, by the unit"
    )
    leaning = [[1, Fraction(9, 10)], [Fraction(9, 10), 1]]
    yield exceeds(
        scaled((1, 0), leaning), 1, "variance 1 along the first coordinate, correlation 9/10: still stretched"
    )


more_or_less_than_one

# %% [markdown]
# **Towards the action.** The line is about $\nabla \log \pi$, before $G_t$ enters. If the two means are free parameters, a short step along it moves μ by $\Sigma^{-1}(a - \mu)$,
# which makes an acute angle with $a - \mu$: nearer, indeed. If μ moves through a network it moves by $JJ^\top \Sigma^{-1}(a - \mu)$, and nothing
# makes that angle acute. One parameter that shifts both means alike, $\Sigma = \mathrm{diag}(1, 4)$ and an action at $(1, -2)$ from the mean: the likelihood of
# the action rises, and the mean moves *away* from it. And in REINFORCE the step is multiplied by $G_t$, which may be negative.


# %%
def approach(jacobian, d, covariance, gain=1):
    """-½ d/dt |a - μ|² along the step G J Jᵀ Σ⁻¹ (a - μ): positive where the mean comes nearer to the action."""
    d = np.array([Fraction(e) for e in d])
    pull = full_gaussian_score_mean(d, 0 * d, [[Fraction(e) for e in row] for row in covariance])
    J = np.array([[Fraction(e) for e in row] for row in jacobian])
    return d @ (J @ (J.T @ pull)) * gain


@claim(
    "notes-043",
    says="The gradient moves the mean toward the sampled action, trusting directions where the policy is more confident",
    verdict=Conditional(
        given="the step is short, the entries of μ are free (or Σ is a multiple of the identity), and the weight G_t is positive"
    ),
    about=(approach, full_gaussian_score_mean),
)
def nearer_or_not():
    free, shared, narrow = [[1, 0], [0, 1]], [[1], [1]], [[1, 0], [0, 4]]
    p, q, u, v = sympy.symbols("p q u v", positive=True)
    form = (sympy.Matrix([[u, v]]) * sympy.diag(p, q).inv() * sympy.Matrix([u, v]))[0]
    yield proved(form - u**2 / p - v**2 / q, "free means: dᵀ Σ⁻¹ d is a sum of positive terms, in the axes of Σ")
    yield equal(approach(free, (1, -2), narrow), 2, "free means, Σ = diag(1, 4), a - μ = (1, -2): 1 + 4/4, nearer")
    yield equal(
        approach(shared, (1, -2), [[3, 0], [0, 3]]), Fraction(1, 3), "one shared parameter, Σ = 3 I: (1 - 2)²/3, nearer"
    )
    away = approach(shared, (1, -2), narrow)
    yield equal(away, -HALF, "one shared parameter, Σ = diag(1, 4): (1 - 2)(1 - 1/2)")
    yield against(away < 0, "the mean moves away from the action that was drawn")
    yield against(approach(free, (1, -2), narrow, gain=-1) < 0, "so it does with a return of -1, free means and all")


nearer_or_not

# %% [markdown]
# **The update.** Times $G_t$, and the same order of factors. With the order put right it is, in the mean, the gradient: with the return a quadratic of the action,
# $G = g^\top a - \frac12 a^\top H a$, $E[\Sigma^{-1}(a-\mu)\, G] = g - H\mu$, the slope of $E\,G$ in μ, whatever Σ.


# %%
def quadratic_return(action):
    """3 a1 - a2 - (a1² + a1 a2 + 2 a2²)."""
    p, q = action
    return 3 * p - q - (p**2 + p * q + 2 * q**2)


@claim(
    "notes-044",
    says=r"$\Delta\theta \propto \Sigma^{-1}(a_t - \mu_\theta(s_t))\, \nabla_\theta \mu_\theta(s_t)\, G_t$",
    verdict=Wrong(
        because="it has the product of line 297, whose shapes do not fit, and which turned round points elsewhere",
        instead="(∂μ/∂θ)ᵀ Σ⁻¹(a - μ) G: summed over the steps its mean is the gradient",
    ),
    about=(full_gaussian_score_mean, full_gaussian_sample),
)
def the_update_in_the_mean():
    noise = sympy.symbols("z1:3", real=True)
    drawn = full_gaussian_sample(theta_means(), ROOT, noise)
    score = full_gaussian_score_mean(drawn, theta_means(), COVARIANCE)
    pull = [expectation(sympy.expand(e * quadratic_return(drawn)), noise) for e in score]
    mean_return = expectation(sympy.expand(quadratic_return(drawn_by_hand(noise))), noise)
    slopes = [sympy.diff(mean_return, t) for t in theta]
    update = np.array(JACOBIAN).T @ np.array(pull)
    yield proved(update - slopes, "E[(∂μ/∂θ)ᵀ Σ⁻¹(a - μ) G] = ∇ E G, for μ = (θ1 + θ2, θ2)")
    numbers = dict(zip(theta, (1, 1), strict=True))
    turned = [Fraction(str(sympy.sympify(e).subs(numbers))) for e in np.array(JACOBIAN) @ np.array(pull)]
    truth = [Fraction(str(e.subs(numbers))) for e in slopes]
    yield differs(turned, truth, "θ = (1, 1), without the transpose: another direction")


def theta_means():
    return [theta[0] + theta[1], theta[1]]


def drawn_by_hand(noise):
    """μ + Cz written out for the root above."""
    first, second = theta_means()
    return [first + 2 * noise[0], second + noise[0] + 2 * noise[1]]


the_update_in_the_mean

# %% [markdown]
# **The picture after it** is missing in our copy. What it must show: with free means the step is along $a - \mu$ if Σ is a multiple of the identity. If not, it is
# turned towards the narrow axis: the slope of the step is that of $a - \mu$ times $\lambda_1/\lambda_2$. (Only on an axis itself is there nothing to turn.)


# %%
@claim(
    "notes-x02",
    says=r"With free means the step is $\Sigma^{-1}(a - \mu) G$: along $a - \mu$ when Σ is a multiple of the identity, otherwise turned toward "
    "the narrow axis, unless $a - \\mu$ lies on an axis",
    verdict=Holds(
        note="the picture is missing in our copy; the standard statement is checked. A negative G turns the step round"
    ),
    about=full_gaussian_score_mean,
)
def turned_toward_the_narrow_axis():
    d = sympy.symbols("d1:3", positive=True)
    nowhere = [0 * ONE, 0 * ONE]
    round_one = full_gaussian_score_mean(d, nowhere, [[3 * ONE, 0 * ONE], [0 * ONE, 3 * ONE]])
    yield proved([e - f / 3 for e, f in zip(round_one, d, strict=True)], "Σ = 3 I: a third of a - μ")
    for first, second in ((ONE, 4 * ONE), (9 * ONE, 2 * ONE)):
        step = full_gaussian_score_mean(d, nowhere, [[first, 0 * ONE], [0 * ONE, second]])
        turn = step[1] / step[0] - (d[1] / d[0]) * sympy.Rational(str(first / second))
        yield proved(turn, f"variances {first} and {second}: slope of the step = slope of a - μ times {first / second}")
    on_axis = full_gaussian_score_mean([2 * ONE, 0 * ONE], nowhere, [[ONE, 0 * ONE], [0 * ONE, 4 * ONE]])
    yield equal(on_axis, [2, 0], "a - μ = (2, 0) on the narrow axis: nothing to turn")
    yield sourced(
        "Williams (1992), §6, for the Gaussian unit; the full covariance by Petersen and Pedersen (2012), §8.1"
    )


turned_toward_the_narrow_axis


# %%
@figure
def two_policies_one_action():
    """The same action seen from two policies. Left: Σ = I, the mean is drawn straight to the action. Right: Σ = diag(1, 4), the step
    (orange) leans to the narrow axis. Lines of equal density at one and two standard deviations."""
    from matplotlib import pyplot as plt

    fig, panels = plt.subplots(1, 2, figsize=(7.0, 3.2), sharex=True, sharey=True)
    angle, d = np.linspace(0, 2 * np.pi, 200), np.array([1.5, 2.0])
    for ax, variances, name in zip(panels, ((1, 1), (1, 4)), ("Σ = I", "Σ = diag(1, 4)"), strict=True):
        for k in (1, 2):
            ax.plot(
                k * variances[0] ** 0.5 * np.cos(angle),
                k * variances[1] ** 0.5 * np.sin(angle),
                color=COLOURS[4],
                lw=1,
            )
        step = d / np.array(variances)
        ax.plot(*zip((0, 0), d, strict=True), ":", color=COLOURS[6], lw=1.2, label="a - μ")
        ax.plot(*d, "o", color=COLOURS[6])
        ax.annotate("", step, (0, 0), arrowprops={"arrowstyle": "->", "color": COLOURS[1], "lw": 2.2})
        ax.plot([], [], color=COLOURS[1], label="Σ⁻¹(a - μ)")
        ax.set(title=name, aspect="equal", xlim=(-3.2, 3.2), ylim=(-4.2, 4.2))
    panels[0].legend(loc="lower left", fontsize=8)
    return fig


two_policies_one_action
