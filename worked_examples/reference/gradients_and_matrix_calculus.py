# %% [markdown]
# # Gradients of expectations, matrix calculus, notation
#
# *Document `reference`, lines 233 to 271.* Two ways to differentiate an expectation, the layout of Jacobians, and the table of symbols.
#
# The formulas are the right ones. Both derivations move a derivative through an integral, and each of them says nothing of when
# that may be done. The score-function gradient fails where the *support* moves with θ, the reparameterised one where $f$ jumps. A
# row is called the gradient that other lines need as a column, and three rows of the table of symbols name fewer meanings than the
# document's own algorithms use.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
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
    refuses,
    shows,
    sourced,
)
from rlexact.exact.evaluation import action_value, advantage, policy_value
from rlexact.exact.gradient import policy_gradient, trajectory_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import paths
from rlexact.formulas.actor_critic import value_loss, value_loss_gradient
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.categorical import categorical_score, inverse_cdf_sample, softmax
from rlexact.formulas.divergence import kl
from rlexact.formulas.entropy import entropy
from rlexact.formulas.exploration import epsilon_greedy
from rlexact.formulas.gae import gae
from rlexact.formulas.gaussian import gaussian_sample, gaussian_sample_gradient, gaussian_score
from rlexact.formulas.jacobian import (
    chain_rule,
    elementwise_jacobian,
    jacobian,
    linear_weight_jacobian,
    quadratic_form_jacobian,
    softmax_jacobian,
)
from rlexact.formulas.ppo import clipped_surrogate
from rlexact.formulas.q_learning import td_update
from rlexact.formulas.reinforce import score_gradient
from rlexact.formulas.returns import lambda_returns
from rlexact.formulas.sac import soft_value_sample
from rlexact.formulas.target_network import soft_update
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform
from rlexact.symbolic.gaussian import expectation
from rlexact.symbolic.notation import mean, reals

SECTION = Section("reference", "gradients_and_matrix_calculus", "Gradients of expectations, matrix calculus, notation")

HALF, QUARTER, NINE_TENTHS = Fraction(1, 2), Fraction(1, 4), Fraction(9, 10)
MU, X, Z = sympy.symbols("mu x z", real=True)
SIGMA, THETA = sympy.Symbol("sigma", positive=True), sympy.Symbol("theta", positive=True)
C = reals("c", 4)

# %% [markdown]
# ## The score-function gradient, line by line
#
# Four lines lead from $\nabla \mathbb{E} f$ to $\mathbb{E}[f\, \nabla \log p]$. The test functions are every cubic $f$ under a Gaussian, and any $f$ on
# three outcomes under a softmax. $f$ does not depend on θ (if it did, $\mathbb{E} \nabla f$ would be added).


# %%
def cubic(x):
    """Any polynomial of degree three: its coefficients are symbols."""
    return mean(C, [x**k for k in range(4)])


def density(x):
    return sympy.exp(-((x - MU) ** 2) / (2 * SIGMA**2)) / (SIGMA * sympy.sqrt(2 * sympy.pi))


def over_the_line(g):
    """∫ g(x) N(x; μ, σ²) dx, with x = μ + σz."""
    standard = sympy.exp(-(Z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    return sympy.integrate(sympy.expand(g.subs(X, MU + SIGMA * Z)) * standard, (Z, -sympy.oo, sympy.oo))


def by_moments(g):
    """E g(z) for a polynomial in a standard normal z, from E zᵏ = (k - 1)!!."""
    return expectation(sympy.expand(g), [Z])


@claim(
    "reference-158",
    says=r"$\nabla_\theta \mathbb{E}_{x \sim p_\theta}[f(x)] = \nabla_\theta \int p_\theta(x) f(x)\, dx$",
    verdict=Holds(note="what the expectation is, on both sides of a derivative"),
    about=expectation,
)
def expectation_is_an_integral():
    by_law, by_density = by_moments(cubic(MU + SIGMA * Z)), over_the_line(cubic(X))
    for t in (MU, SIGMA):
        yield proved(sympy.diff(by_law, t) - sympy.diff(by_density, t), f"every cubic under a Gaussian, slope in {t}")
    hand = C[0] + C[1] * MU + C[2] * (MU**2 + SIGMA**2) + C[3] * (MU**3 + 3 * MU * SIGMA**2)
    yield proved(by_law - hand, "the mean by hand")


expectation_is_an_integral

# %% [markdown]
# The second line moves ∇ inside. That is Leibniz's rule, and it needs two things: limits of integration that stand still, and a
# bound for $|\nabla p_\theta f|$ near θ that can be integrated. Sums, Gaussians and softmaxes have both. A uniform distribution on
# $[0, \theta]$ has not: its mean is $\theta/2$, with slope $+\frac12$; inside, $p$ only gets *lower*, which makes $-\frac12$. What is missing is
# $p(\theta) f(\theta) = 1$, for the end that moves.


# %%
def uniform_slopes():
    """For p = 1/θ on [0, θ] and f(x) = x: the slope of the mean, ∫ ∇p f, and E[f ∇log p]."""
    p = 1 / THETA
    outside = sympy.diff(sympy.integrate(p * X, (X, 0, THETA)), THETA)
    inside = sympy.integrate(sympy.diff(p, THETA) * X, (X, 0, THETA))
    score = sympy.integrate(p * sympy.diff(sympy.log(p), THETA) * X, (X, 0, THETA))
    return outside, inside, score


@claim(
    "reference-159",
    says=r"$\nabla_\theta \int p_\theta f\, dx = \int \nabla_\theta p_\theta\, f\, dx$",
    verdict=Conditional(
        given="the support of p does not move with θ, and |∇p f| stays below something integrable near θ; any finite sum will do"
    ),
    about=softmax_jacobian,
)
def derivative_moves_inside():
    z, f = reals("z", 3), reals("f", 3)
    p = softmax(z)
    inside = np.array(f) @ softmax_jacobian(p)
    yield proved(inside - [sympy.diff(mean(p, f), t) for t in z], "softmax, any f: Σ ∇p f is the slope of Σ p f")
    value = by_moments(cubic(MU + SIGMA * Z))
    for t in (MU, SIGMA):
        pushed = sympy.simplify(sympy.diff(density(X), t) / density(X)) * cubic(X)  # ∇p f / p, a polynomial
        gap = by_moments(pushed.subs(X, MU + SIGMA * Z)) - sympy.diff(value, t)
        yield proved(gap, f"Gaussian, every cubic: ∫ ∇p f is the slope in {t}")
    outside, inside, _ = uniform_slopes()
    yield differs(inside, outside, "uniform on [0, θ], f = x: ∫ ∇p f")
    yield equal(inside + 1, outside, "what is missing is p(θ) f(θ) = 1, for the end that moves")


derivative_moves_inside

# %% [markdown]
# The third line is $\nabla p = p \nabla \log p$ under the integral. It loses what has probability 0 but is about to get some: for a coin
# with chance θ itself as the parameter, at θ = 0, heads has slope 1 and no logarithm. Softmaxes and Gaussians never are in this place.


# %%
@claim(
    "reference-160",
    says=r"$\int \nabla_\theta p_\theta\, f\, dx = \int p_\theta\, \nabla_\theta \log p_\theta\, f\, dx$",
    verdict=Conditional(given="p_θ(x) > 0 wherever ∇p_θ(x) ≠ 0; inside an open set of parameters that is so"),
    about=(softmax_jacobian, categorical_score),
)
def times_its_logarithm():
    z = reals("z", 3)
    p = softmax(z)
    scores = np.array([categorical_score(z, a) for a in range(3)])
    yield proved(softmax_jacobian(p) - p[:, None] * scores, "softmax: ∇p = p ∇log p, each outcome and logit")
    told = [[p[a] * (int(a == b) - p[b]) for b in range(3)] for a in range(3)]
    yield proved(softmax_jacobian(p) - np.array(told), "both are p_a (1[a = b] - p_b)")
    coin, pays = [1 - THETA, THETA], [0, 1]
    slope = sum(sympy.diff(q, THETA) * f for q, f in zip(coin, pays, strict=True))
    seen = sum(
        q.subs(THETA, 0) * sympy.diff(sympy.log(q), THETA).subs(THETA, 0) * f
        for q, f in zip(coin, pays, strict=True)
        if q.subs(THETA, 0) != 0
    )
    yield equal(slope, 1, "a coin of chance θ, f = 1 for heads: Σ ∇p f")
    yield differs(seen, slope, "Σ p ∇log p f over what can happen at θ = 0")


times_its_logarithm


# %%
@claim(
    "reference-161",
    says=r"$\nabla_\theta \mathbb{E}_{x \sim p_\theta}[f(x)] = \mathbb{E}_{x \sim p_\theta}[f(x) \nabla_\theta \log p_\theta(x)]$",
    verdict=Conditional(
        given="f does not depend on θ, the support of p does not move with θ, and the derivative may go inside"
    ),
    about=(gaussian_score, categorical_score, score_gradient),
)
def score_function_gradient():
    score = gaussian_score([MU + SIGMA * Z], [MU], [SIGMA])
    value = over_the_line(cubic(X))
    for t, s in ((MU, score.mean[0]), (SIGMA, score.std[0])):
        found = by_moments(sympy.cancel(s) * cubic(MU + SIGMA * Z))
        yield proved(found - sympy.diff(value, t), f"Gaussian, every cubic, slope in {t}")
    weights = [sympy.log(k) for k in (1, 2, 1)]
    batch, gains = [0, 1, 1, 2], [sympy.Integer(x) for x in (8, 2, 2, 4)]
    found = score_gradient([categorical_score(weights, a) for a in batch], gains)
    yield equal(found, [1, -1, 0], "softmax ¼, ½, ¼ of f = 8, 2, 4: p (f - 4), from a batch in these shares")
    outside, _, inside = uniform_slopes()
    yield differs(inside, outside, "uniform on [0, θ], f = x: E[f ∇log p]")
    both = gaussian_score([MU + Z], [MU], [1]).mean[0] * MU * (MU + Z)
    half = by_moments(both).subs(MU, 1)
    yield differs(half, 2, "f = μ x, x ~ N(μ, 1), at μ = 1: E f = μ² has slope 2, but E[f ∇log p]")


score_function_gradient

# %% [markdown]
# **Foundation of policy gradients.** Let $x$ be a whole path and $f$ its return: the score of a path is the sum of its actions' scores,
# because start and transitions do not depend on θ. In the two-state loop with fair choices, two steps:


# %%
@claim(
    "reference-162",
    says="The score-function identity is the foundation of policy gradients",
    verdict=Holds(
        note="of REINFORCE and all that follows from it; the deterministic gradient of DDPG is of the other kind, below"
    ),
    about=(trajectory_gradient, policy_gradient),
)
def foundation_of_policy_gradients():
    loop = gallery.left_right_loop()
    fair = uniform(loop)
    x, y = sympy.symbols("x y")
    later = {0: (1 - x) + 3 * x, 1: 10 * y}
    g = sympy.Rational(9, 10)
    worth = (1 - x) * (1 + g * later[0]) + x * (3 + g * later[1])
    at = {x: sympy.Rational(1, 2), y: sympy.Rational(1, 2)}
    slopes = [sympy.diff(worth, t).subs(at) / 4 for t in (x, y)]
    told = [[-slopes[0], slopes[0]], [-slopes[1], slopes[1]]]
    found = trajectory_gradient(loop, softmax_at(loop, fair), 2)
    yield equal(found, told, "E[R(τ) Σ ∇log π] over all paths of two steps: the slopes of the value, by hand")
    arms = gallery.two_armed_bandit()
    yield equal(policy_gradient(arms, softmax_at(arms, uniform(arms))), [[-HALF, HALF]], "pays 1 and 3: π (r - 2)")


foundation_of_policy_gradients

# %% [markdown]
# ## Reparameterisation
#
# Instead of moving the density, move the sample. Every distribution can be written $z = g_\theta(\varepsilon)$: on a line, $g$ is the inverse of
# the distribution function. Whether $g$ is smooth is another matter. For a categorical variable it is a staircase.


# %%
@claim(
    "reference-163",
    says=r"For $z \sim p_\theta$ write $z = g_\theta(\varepsilon)$ with $\varepsilon \sim p(\varepsilon)$",
    verdict=Holds(note="always possible with one uniform number; smooth in θ only for some families"),
    about=(inverse_cdf_sample, gaussian_sample),
)
def noise_first():
    uniforms = (np.arange(8) + 0.5) / 8
    logits = np.log(np.tile([1.0, 3.0, 4.0], (8, 1)))
    found = inverse_cdf_sample(logits, uniforms)
    yield equal(found, [0, 1, 1, 1, 2, 2, 2, 2], "a categorical of ⅛, ⅜, ½ from eight even uniform numbers")
    u, t = sympy.symbols("u t", positive=True)
    wait = -sympy.log(1 - u) / THETA
    yield proved(wait.subs(u, 1 - sympy.exp(-THETA * t)) - t, "exponential: -log(1 - u)/θ inverts 1 - e^{-θt}")
    z = gaussian_sample([MU], [SIGMA], [Z])[0]
    yield proved([by_moments(z) - MU, by_moments((z - MU) ** 2) - SIGMA**2], "μ + σε has mean μ and variance σ²")


noise_first


# %%
@claim(
    "reference-166",
    "reference-167",
    says=r"$z \sim N(\mu_\theta, \sigma_\theta^2)$ as $z = \mu_\theta + \sigma_\theta \cdot \varepsilon$ with $\varepsilon \sim N(0, 1)$",
    verdict=Holds(note="σ is the standard deviation, σ² the variance"),
    about=gaussian_sample,
)
def gaussian_from_noise():
    standard = density(X).subs({MU: 0, SIGMA: 1})
    z = gaussian_sample([MU], [SIGMA], [Z])[0]
    back = (X - MU) / SIGMA
    yield proved(z.subs(Z, back) - X, "x = μ + σ (x - μ)/σ: this noise and no other leads to x")
    yield proved(
        standard.subs(X, back) * sympy.diff(back, X) - density(X), "change of variables: its density is N(μ, σ²)"
    )
    yield equal(gaussian_sample(Fraction(1), Fraction(2), Fraction(-3, 2)), -2, "1 + 2 · (-3/2)")


gaussian_from_noise


# %%
@claim(
    "reference-164",
    says=r"$\nabla_\theta \mathbb{E}_{z \sim p_\theta}[f(z)] = \nabla_\theta \mathbb{E}_{\varepsilon \sim p}[f(g_\theta(\varepsilon))]$",
    verdict=Holds(note="for every f with a mean: the two means are one number, so their slopes agree"),
    about=gaussian_sample,
)
def the_same_mean():
    z = gaussian_sample([MU], [SIGMA], [Z])[0]
    value = over_the_line(cubic(X))
    for t in (MU, SIGMA):
        gap = sympy.diff(by_moments(cubic(z)), t) - sympy.diff(value, t)
        yield proved(gap, f"every cubic: over ε and over z, slope in {t}")
    above = sympy.solve(z, Z)[0]  # z > 0 for ε > -μ/σ
    over_noise = sympy.integrate(density(X).subs({MU: 0, SIGMA: 1}), (X, above, sympy.oo))
    over_z = sympy.integrate(density(X), (X, 0, sympy.oo))
    yield proved(sympy.diff(over_noise - over_z, MU), "the chance of z > 0, a function that jumps: the same slope in μ")
    yield proved(z.subs({MU: 1, SIGMA: 2, Z: -1}) + 1, "1 - 2 = -1")


the_same_mean

# %% [markdown]
# The last line moves ∇ inside once more, and now it meets $f$. Kinks do no harm: $\max(z, 0)$ has the right slope everywhere but at one
# point. A jump does: the indicator of $z > 0$ has slope 0 wherever it has one, while the chance of $z > 0$ does depend on μ, with slope
# $\varphi(\mu/\sigma)/\sigma$. The same happens to every discrete $z$, which jumps itself: this is why discrete actions are left to the score.


# %%
@claim(
    "reference-165",
    "reference-168",
    says=r"$\nabla_\theta \mathbb{E}[f(z)] = \mathbb{E}_{\varepsilon}[\nabla_\theta f(g_\theta(\varepsilon))]$, for the Gaussian "
    r"$\mathbb{E}_\varepsilon[\nabla_\theta f(\mu_\theta + \sigma_\theta \varepsilon)]$",
    verdict=Conditional(
        given="f(g_θ(ε)) is continuous in θ, differentiable but for points, and its slopes stay below something integrable"
    ),
    about=(gaussian_sample, gaussian_sample_gradient),
)
def slope_of_the_sample():
    z, slope = gaussian_sample([MU], [SIGMA], [Z])[0], sympy.diff(cubic(X), X)
    moved = gaussian_sample_gradient([MU], [SIGMA], [Z])
    value = over_the_line(cubic(X))
    for t, along in ((MU, moved.mean[0]), (SIGMA, moved.std[0])):
        found = by_moments(slope.subs(X, z) * along)
        yield proved(found - sympy.diff(value, t), f"every cubic: E[f'(z) ∂z/∂{t}]")
    standard = density(X).subs({MU: 0, SIGMA: 1})
    positive = sympy.integrate(standard, (X, -MU / SIGMA, sympy.oo))
    kink = sympy.integrate((MU + SIGMA * X) * standard, (X, -MU / SIGMA, sympy.oo))
    yield proved(sympy.diff(kink, MU) - positive, "max(z, 0): the slope of its mean is the mean of its slope, P(z > 0)")
    jump = sympy.diff(positive, MU).subs({MU: 0, SIGMA: 1})
    yield proved(jump - 1 / sympy.sqrt(2 * sympy.pi), "indicator of z > 0 at μ = 0, σ = 1: its mean has slope 1/√2π")
    yield differs(0, jump, "the mean of its slope")


slope_of_the_sample


# %%
@figure
def a_jump():
    """Mean (line) and mean of slopes (dashed) as μ moves, σ = 1. Left a kink: the dashed line is the slope. Right a jump: it is not."""
    from matplotlib import pyplot as plt
    from scipy.stats import norm

    mu = np.linspace(-3, 3, 121)
    fig, axs = plt.subplots(1, 2, figsize=(6.8, 3.0), sharex=True)
    curves = {
        "f(z) = max(z, 0)": (mu * norm.cdf(mu) + norm.pdf(mu), norm.cdf(mu), norm.cdf(mu)),
        "f(z) = 1[z > 0]": (norm.cdf(mu), norm.pdf(mu), 0 * mu),
    }
    for ax, (name, (value, slope, inner)) in zip(axs, curves.items(), strict=True):
        ax.plot(mu, value, color=COLOURS[0], label="E f")
        ax.plot(mu, slope, color=COLOURS[2], label="its slope in μ")
        ax.plot(mu, inner, color=COLOURS[1], linestyle="--", label="E of the slope of f")
        ax.set(xlabel="μ", title=name)
    axs[0].legend(fontsize=8)
    return fig


a_jump

# %% [markdown]
# ## Layouts
#
# $J_{ij} = \partial y_i / \partial x_j$: outputs are rows, inputs are columns. A vector that depends on one number then has a column for its
# derivative, and a number that depends on a vector has a row. Everything else follows from multiplying matrices.


# %%
@claim(
    "reference-169",
    "reference-173",
    "reference-174",
    says=r"$J_{ij} = \partial y_i/\partial x_j$ with $J \in \mathbb{R}^{m \times n}$ for $f: \mathbb{R}^n \to \mathbb{R}^m$, so that a vector by "
    "a number is a column",
    verdict=Holds(note="outputs by inputs throughout"),
    about=jacobian,
)
def outputs_by_inputs():
    column = jacobian(lambda t: np.array([t[0], t[0] ** 2, t[0] ** 3]), [2.0])
    matrix = jacobian(lambda x: np.array([x[0] * x[1], x[1] * x[2] ** 2]), [2.0, 3.0, 5.0])
    yield equal([column.shape, matrix.shape], [(3, 1), (2, 3)], "three numbers of one, two numbers of three")
    because = "the complex step subtracts nothing: a few roundings"
    yield close(column, np.array([[1], [4], [12]]), 1e-13, because, "(θ, θ², θ³) at 2")
    yield close(matrix, np.array([[3, 2, 0], [0, 25, 30]]), 1e-13, because, "(xy, yz²) at (2, 3, 5)")


outputs_by_inputs

# %% [markdown]
# By the same rule the derivative of a number is a row. The document adds "gradient", and that name is taken: in line 119 the Fisher matrix
# is $\nabla\log\pi \cdot \nabla\log\pi^\top$ and in line 121 $F^{-1}\nabla J$ is added to θ. With rows the first would be a single number, and
# the second would not multiply. The gradient of those lines is the *transpose* of this row, a column. (In arrays of one
# axis the difference disappears, and most code never meets it.)


# %%
@claim(
    "reference-170",
    says=r"$\partial L/\partial\theta$ with $L \in \mathbb{R}$, $\theta \in \mathbb{R}^n$ is a row in $\mathbb{R}^n$ (gradient)",
    verdict=Conditional(
        given="it is the derivative, the 1 × n Jacobian of line 253; the gradient of lines 119, 121 and 187 is its transpose"
    ),
    about=(jacobian, quadratic_form_jacobian, categorical_score),
)
def scalar_by_vector():
    a = np.array([[1, 2], [0, 3]])
    row = jacobian(lambda x: np.array([x @ a @ x]), [1.0, 2.0])
    yield equal(row.shape, (1, 2), "one number of two: one row, two columns")
    told = quadratic_form_jacobian([[Fraction(int(e)) for e in line] for line in a], [Fraction(1), Fraction(2)])
    yield equal(told, [6, 14], "x² + 2xy + 3y² at (1, 2): 2x + 2y, 2x + 6y")
    yield close(row[0], np.array([6, 14]), 1e-13, "a few roundings", "by complex step")
    rows = [categorical_score([sympy.Integer(0)] * 2, a)[None, :] for a in (0, 1)]
    quarter = sympy.Rational(1, 4)
    columns = sum(g.T @ g for g in rows) / 2
    yield equal(
        columns, [[quarter, -quarter], [-quarter, quarter]], "F of a fair choice of two, ∇ a column: diag π - π πᵀ"
    )
    line_119 = sum(g @ g.T for g in rows) / 2
    yield against(line_119.shape == (1, 1), "with ∇ a row, line 119 makes the number ½ of it")


scalar_by_vector

# %% [markdown]
# ## The chain rule
#
# In this layout the outer derivative stands on the left, and shapes tell: a row of length $m$ times an $m \times n$ Jacobian. The other order
# does not even multiply. For a layer's weights the last factor, a vector differentiated by a matrix, has three axes
# ($\partial h_i/\partial W_{jk} = \delta_{ij}\, x_k$ before the nonlinearity). The product sums over its first; the result has the shape of $W$.


# %%
@claim(
    "reference-171",
    says=r"$\partial L/\partial x = (\partial L/\partial y)(\partial y/\partial x)$",
    verdict=Holds(note="in this order, for rows and Jacobians as laid out here"),
    about=chain_rule,
)
def chain():
    u, v = sympy.symbols("u v")
    y = [u * v, u**2, u + 3 * v]
    loss = y[0] ** 2 + y[1] * y[2]
    at = {u: 2, v: 5}
    outer = [Fraction(int(e)) for e in (20, 14 + 3, 4)]  # (2 y_0, y_2, y_1) at (10, 4, 17)
    inner = [[Fraction(int(sympy.diff(e, t).subs(at))) for t in (u, v)] for e in y]
    told = [sympy.diff(loss, t).subs(at) for t in (u, v)]
    yield equal(chain_rule(outer, inner), told, "two inputs, three between, against differentiating L(x) outright")
    yield refuses(InvalidBatch, lambda: chain_rule(inner, outer), "in the other order")


chain


# %%
def two_layers():
    """h1 = (W x)², h2 = V h1, L = c · h2 with numbers in them: L as a function of the entries of W."""
    w = sympy.symbols("w11 w12 w21 w22")
    x, outer, c = [2, 3], [[1, 2], [0, 1], [4, 1]], [1, 5, 2]
    before = [w[0] * x[0] + w[1] * x[1], w[2] * x[0] + w[3] * x[1]]
    loss = sum(c[k] * sum(outer[k][i] * before[i] ** 2 for i in (0, 1)) for k in (0, 1, 2))
    return w, x, outer, c, before, loss


@claim(
    "reference-172",
    says=r"$\partial L/\partial W^{(1)} = (\partial L/\partial h^{(2)})(\partial h^{(2)}/\partial h^{(1)})(\partial h^{(1)}/\partial W^{(1)})$",
    verdict=Holds(
        note="W of layer 1 acts through h of layer 1 alone, which through h of layer 2; the last factor has three axes, and "
        "products sum over adjacent ones"
    ),
    about=(chain_rule, linear_weight_jacobian, elementwise_jacobian),
)
def chain_through_layers():
    w, x, outer, c, before, loss = two_layers()
    at = dict(zip(w, (1, 0, -1, 2), strict=True))
    told = np.array([sympy.diff(loss, t).subs(at) for t in w]).reshape(2, 2)
    exact = [[Fraction(e) for e in row] for row in outer]
    slopes = elementwise_jacobian([2 * Fraction(int(b.subs(at))) for b in before])
    last = chain_rule(slopes, linear_weight_jacobian([Fraction(e) for e in x], 2))
    yield equal(last.shape, (2, 2, 2), "∂h/∂W: outputs, then the two axes of W")
    found = chain_rule([Fraction(e) for e in c], exact, last)
    yield equal(found, told, "L differentiated in each entry of W outright")
    plain = linear_weight_jacobian([Fraction(2), Fraction(3)], 2)
    yield equal(plain, [[[2, 3], [0, 0]], [[0, 0], [2, 3]]], "∂(W x)/∂W at x = (2, 3)")


chain_through_layers

# %% [markdown]
# ## The table of symbols
#
# A row is judged by what the symbol, read so, makes true, and by whether the formulas of learning use it so throughout. Seven rows pass
# (that π is a number in $2\pi\sigma^2$ and α an argument of a Beta density misleads nobody). Three leave out a meaning that the document's
# algorithms need: whoever looks up $A_t$ of line 91, θ of line 151 or ε of line 148 is sent to the wrong thing.
#
# The example is the two-state loop once more, with the policy that goes right in both states.


# %%
def loop_and_right():
    loop = gallery.left_right_loop()
    return loop, deterministic(loop, ["right", "right"])


@claim(
    "reference-175",
    says="s, S: state; a, A: action; r, R: reward",
    verdict=Conditional(
        given="outside lines 91 to 106, where A_t is an advantage, lines 122 to 125, where r_t(θ) is a ratio of "
        "probabilities, and lines 128 to 131, where S is an entropy"
    ),
    about=policy_value,
)
def states_actions_rewards():
    yield equal(policy_value(*loop_and_right()), [12, 10], "line 31, read so: 3 + .9 · 10 from A, 10 from B")
    yield sourced("lines 50 and 91: A_t is the action taken, then A_t = δ_t is an advantage", against=True)
    yield sourced("lines 97 and 124: r_t is a reward, then r_t(θ) a ratio of two policies", against=True)
    yield sourced("lines 14 and 131: S is the set of states, then the entropy of a policy", against=True)


states_actions_rewards


# %%
@claim(
    "reference-176",
    "reference-177",
    says=r"γ: discount factor; π: policy; $V^\pi(s)$: state value; $Q^\pi(s,a)$: action value; $A^\pi(s,a)$: advantage",
    verdict=Holds(note="as lines 18, 28, 33 and 38 define them; in 2πσ² (lines 70, 217 to 221) π is the number"),
    about=(policy_value, action_value, advantage),
)
def three_value_functions():
    steady = MDP.chain([[1]], [1], NINE_TENTHS, 0)
    yield equal(policy_value(steady, uniform(steady)), [10], "1 at every step, discounted by 9/10: 1/(1 - γ)")
    loop, right = loop_and_right()
    left = deterministic(loop, ["left", "left"])
    yield equal([policy_value(loop, p) for p in (right, left)], [[12, 10], [10, 9]], "V: another policy, other values")
    yield equal(
        action_value(loop, right), [[Fraction(59, 5), 12], [Fraction(54, 5), 10]], "Q: 1 + .9 · 12 for left at A"
    )
    yield equal(advantage(loop, right), [[Fraction(-1, 5), 0], [Fraction(4, 5), 0]], "A = Q - V")


three_value_functions


# %%
@claim(
    "reference-178",
    says="θ: policy parameters",
    verdict=Conditional(
        given="of a policy's formulas; in lines 130 to 151 θ also holds the parameters of values, in 164 to 184 those of models"
    ),
    about=policy_gradient,
)
def parameters_of_the_policy():
    arms = gallery.two_armed_bandit()
    found = policy_gradient(arms, softmax_at(arms, uniform(arms)))
    yield equal(found, [[-HALF, HALF]], "∇J of line 60, θ the logits of a bandit that pays 1 and 3")
    yield sourced("lines 136, 144 and 151: Q(s, a; θ), θ^Q and θ_i are the parameters of action values", against=True)
    yield sourced("lines 165, 167 and 184: f_θ, P_θ and R_θ are models; the policy has θ_π in line 187", against=True)


parameters_of_the_policy


# %%
@claim(
    "reference-179",
    says="φ: parameters of the value function",
    verdict=Holds(
        note="wherever φ occurs (lines 95 and 107); line 130 writes V_θ, as policy and value share their parameters there"
    ),
    about=(value_loss, value_loss_gradient),
)
def parameters_of_the_value():
    phi, gains = sympy.Symbol("phi", real=True), [sympy.Integer(g) for g in (1, 2, 6)]
    loss = sum(value_loss([phi] * 3, gains)) / 3
    yield proved(
        loss - ((phi - 3) ** 2 + sympy.Rational(14, 3)), "line 95, V_φ = φ, returns 1, 2, 6: least at their mean"
    )
    slope = sum(value_loss_gradient([phi] * 3, gains)) / 3
    yield proved(slope - 2 * (phi - 3), "its slope in φ")


parameters_of_the_value


# %%
@claim(
    "reference-180",
    says="α: learning rate or temperature",
    verdict=Holds(
        note="in every update and objective; the α, β of lines 229 and 230 are the arguments of a Beta density"
    ),
    about=(td_update, soft_value_sample),
)
def two_alphas():
    v, target, alpha = sympy.symbols("v G alpha", real=True)
    yield proved(td_update([v], 0, target, alpha)[0] - (v + alpha * (target - v)), "learning rate, lines 79 to 89")
    warm = Fraction(1, 5)
    yield equal(
        soft_value_sample([Fraction(3)], [Fraction(-2)], warm), [Fraction(17, 5)], "temperature, line 156: 3 + ⅕ · 2"
    )


two_alphas


# %%
@claim(
    "reference-181",
    says="ε: clipping parameter of PPO, or exploration of ε-greedy",
    verdict=Conditional(
        given="outside lines 148, 149 and 238 to 244, where ε is noise, and line 214, where it is a deviation"
    ),
    about=(clipped_surrogate, epsilon_greedy),
)
def epsilons():
    fifth, ratios = Fraction(1, 5), [Fraction(1, 2), Fraction(1), Fraction(3, 2)]
    ones = [Fraction(1)] * 3
    yield equal(
        clipped_surrogate(ratios, ones, fifth), [HALF, 1, Fraction(6, 5)], "clipping, line 122: gains end at 1 + ε"
    )
    yield equal(clipped_surrogate(ratios, [-1] * 3, fifth), [Fraction(-4, 5), -1, Fraction(-3, 2)], "losses at 1 - ε")
    found = epsilon_greedy([Fraction(1), Fraction(3), Fraction(2), Fraction(0)], fifth)
    yield equal(
        found, [Fraction(k, 20) for k in (1, 17, 1, 1)], "exploration: 1 - ε + ε/4 for the best, ε/4 for the rest"
    )
    yield sourced("line 149: ε ~ N(0, σ), the smoothing noise of TD3", against=True)
    yield sourced("line 214: P(|X̄ - μ| ≥ ε), the deviation in Hoeffding's bound", against=True)


epsilons


# %%
@claim(
    "reference-182",
    says="τ: trajectory, or soft-update coefficient",
    verdict=Holds(
        note="lines 60 to 64, 135 and 153 have trajectories; the soft update is named here but written nowhere"
    ),
    about=(paths, soft_update),
)
def two_taus():
    loop = gallery.left_right_loop()
    found = {tau.actions: (tau.probability, tau.rewards) for tau in paths(loop, uniform(loop), 2)}
    told = {(0, 0): (1, 1), (0, 1): (1, 3), (1, 0): (3, 0), (1, 1): (3, 10)}
    yield shows(
        found == {actions: (QUARTER, rewards) for actions, rewards in told.items()},
        "four trajectories of two steps, ¼ each",
    )
    yield equal(soft_update([Fraction(0)], [Fraction(8)], QUARTER), [2], "θ⁻ ← (1 - τ) θ⁻ + τ θ: a quarter of the way")


two_taus

# %% [markdown]
# The document has two formulas with λ: the λ-return of line 88 and GAE of line 96. They are one: $A_t^{GAE} = G_t^\lambda - V(S_t)$.


# %%
@claim(
    "reference-183",
    says="λ: GAE parameter",
    verdict=Holds(note="and the λ of the λ-return, line 88, which is the same one"),
    about=(gae, lambda_returns),
)
def one_lambda():
    r, v, g, lam = reals("r", 2), reals("v", 3), *sympy.symbols("gamma lambda", positive=True)
    found = gae(r, v[:2], v[1:], None, None, g, lam)
    delta = [r[t] + g * v[t + 1] - v[t] for t in (0, 1)]
    yield proved(found - np.array([delta[0] + g * lam * delta[1], delta[1]]), "line 96, two steps: δ_0 + γλ δ_1")
    whole = lambda_returns(r, v[1:], None, None, g, lam)
    yield proved(whole - found - np.array(v[:2]), "the λ-return less the value")


one_lambda


# %%
@claim(
    "reference-184",
    says=r"$H(\pi)$: entropy of the policy; $\mathrm{KL}(p\|q)$: divergence from p to q",
    verdict=Holds(
        note="'from p to q' as in lines 195 and 196, the mean under p; other texts say it the other way round"
    ),
    about=(entropy, kl),
)
def entropy_and_divergence():
    fair, sure = [sympy.Rational(1, 2)] * 2, [sympy.Integer(1), sympy.Integer(0)]
    yield proved(entropy(fair).item() - sympy.log(2), "H of a fair choice of two")
    yield proved(kl(sure, fair).item() - sympy.log(2), "from (1, 0) to (½, ½): log 2, the mean under the first")
    yield shows(bool(np.isposinf(kl([0.5, 0.5], [1.0, 0.0]))), "from (½, ½) to (1, 0): infinite")


entropy_and_divergence
