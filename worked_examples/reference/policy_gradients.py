# %% [markdown]
# # Policy gradients
#
# *Document `reference`, lines 60 to 75.* REINFORCE, its estimate from N trajectories, baselines, and the scores of a Gaussian and a
# softmax policy. The scores are right as they stand. The gradient needs a condition, because three lines do not fit together: the
# objective of line 62 adds rewards up without a discount, the return $G_t$ of line 24 discounts them, and line 24 starts it
# at $R_{t+1}$ where line 63 calls the reward of $a_t$ $r_t$.

# %%
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    below,
    claim,
    close,
    differs,
    equal,
    exceeds,
    proved,
    refuses,
    shows,
    sourced,
)
from rlexact.exact.baselines import optimal_baseline
from rlexact.exact.estimator_law import law_of
from rlexact.exact.evaluation import advantage, expected_return, policy_value
from rlexact.exact.gradient_estimators import reward_to_go, reward_to_go_law
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect, paths
from rlexact.formulas.categorical import categorical_log_prob, softmax, softmax_policy_score
from rlexact.formulas.gaussian import gaussian_log_density, gaussian_score
from rlexact.formulas.reinforce import reinforce_loss_gradient, score_gradient
from rlexact.formulas.returns import discounted_return, monte_carlo_advantages, returns_to_go
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.plotting import COLOURS, figure
from rlexact.symbolic.gaussian import log_density

SECTION = Section("reference", "policy_gradients", "Policy gradients")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
X, Y, GAMMA = sympy.symbols("x y gamma", positive=True)

# %% [markdown]
# ## The errand
#
# Two decisions. At home one takes 1 and is done, or goes out for nothing, with probability $x$. Outside one gives up, or fetches a
# 4, with probability $y$. The return discounted from the start and the plain sum have the means and the slopes
#
# $$J_\gamma = (1 - x) + 4\gamma xy, \quad \nabla J_\gamma = (4\gamma y - 1,\ 4\gamma x); \qquad
# J_1 = (1 - x) + 4xy, \quad \nabla J_1 = (4y - 1,\ 4x).$$


# %%
def errand(gamma):
    """Home: take 1, or go out; outside: give up, or fetch 4."""
    table = [[[(ONE, None, 1, True)], [(ONE, 1, 0, False)]], [[(ONE, None, 0, True)], [(ONE, None, 4, True)]]]
    mdp = MDP.from_outcomes(table, ONE, 0)
    return mdp.to_symbolic(gamma=gamma) if isinstance(gamma, sympy.Basic) else mdp.replace(gamma=gamma)


POLICY = [[1 - X, X], [1 - Y, Y]]


def scores(path):
    """∂ log π(a_t | s_t) in (x, y), one row for each step."""
    return [
        [sympy.diff(sympy.log(POLICY[s][a]), z) for z in (X, Y)]
        for s, a in zip(path.states, path.actions, strict=False)
    ]


def returns(path, gamma):
    """G_t, reading R_{t+1} of line 24 as the r_t of line 63."""
    ended = [False] * (len(path.rewards) - 1) + [True]
    return returns_to_go(path.rewards, ended, None, gamma)


def estimate(path, gamma, weights=returns):
    """Σ_t ∇ log π(a_t | s_t) G_t of one trajectory: steps times the mean over steps."""
    return len(path.actions) * score_gradient(scores(path), weights(path, gamma))


def mean_estimate(gamma, weights=returns):
    """Its expectation over every trajectory."""
    return expect(errand(sympy.Integer(1)), POLICY, 2, lambda path: estimate(path, gamma, weights))


# %% [markdown]
# ## REINFORCE
#
# With $G_t$ discounted, the two terms have means $(4\gamma y - 1, 0)$ and $(0, 4x)$. The second lacks the γ of $\nabla J_\gamma$: the
# weight $\gamma^t$ that belongs in front of it. The first has a γ that $\nabla J_1$ does not. So it is the slope of neither; and
# since $\partial_y(4\gamma y - 1) \neq \partial_x 4x$ unless γ = 1, of no function at all. With $G_t$ the plain sum of line 22, it is right.


# %%
@claim(
    "reference-033",
    says=r"$\nabla_\theta J(\theta) = E_\tau[\sum_t \nabla_\theta \log \pi_\theta(a_t \mid s_t)\, G_t]$",
    verdict=Conditional(
        given="G_t is undiscounted, as J is, and episodes end; for γ < 1 term t needs a factor γ^t, and J a discount"
    ),
    about=(returns_to_go, score_gradient, expected_return),
)
def reinforce_gradient():
    plain, weighted = (expected_return(errand(g), POLICY) for g in (sympy.Integer(1), GAMMA))
    yield proved(plain - (1 - X + 4 * X * Y), "J, the plain sum")
    found = mean_estimate(GAMMA)
    yield proved(mean_estimate(sympy.Integer(1)) - [sympy.diff(plain, z) for z in (X, Y)], "γ = 1: E[Σ ∇log π G] = ∇J")

    def with_powers(path, gamma):
        return [gamma**t * g for t, g in enumerate(returns(path, gamma))]

    yield proved(
        mean_estimate(GAMMA, with_powers) - [sympy.diff(weighted, z) for z in (X, Y)],
        "any γ, with γ^t in front: the slope of E[Σ γ^t r_t]",
    )
    yield proved(found - [4 * GAMMA * Y - 1, 4 * X], "without it: (4γy - 1, 4x)")
    half = {X: HALF, Y: HALF, GAMMA: HALF}
    slopes = [found, *([sympy.diff(j, z) for z in (X, Y)] for j in (plain, weighted))]
    at_half = [[sympy.sympify(e).subs(half) for e in pair] for pair in slopes]
    yield differs(at_half[0], at_half[1], "γ = x = y = ½: against the slope of E[Σ r_t]")
    yield differs(at_half[0], at_half[2], "and against the slope of E[Σ γ^t r_t]")
    curl = sympy.diff(found[0], Y) - sympy.diff(found[1], X)
    yield proved(curl - 4 * (GAMMA - 1), "its curl is 4(γ - 1): for γ ≠ 1 the slope of no function")


reinforce_gradient

# %% [markdown]
# **Which reward is the first?** Two conventions meet. In $\tau = (s_0, a_0, r_0, \ldots)$ the reward of $a_t$ is $r_t$; in
# $G_t = R_{t+1} + \ldots$ it is $R_{t+1}$. Read as two names of one number, all is well. Read as one name, $G_t$ leaves out the reward of the
# very action that it weighs: the 1 for staying at home counts for nothing, and the second decision is never weighed at all.


# %%
def shifted(path, gamma):
    """The weights r_{t+1} + γ r_{t+2} + …, without r_t."""
    return [*returns(path, gamma)[1:], 0]


@claim(
    "reference-034",
    says=r"The weight of $a_t$ is $G_t = R_{t+1} + \gamma R_{t+2} + \dots$, in trajectories $(s_0, a_0, r_0, s_1, \ldots)$",
    verdict=Conditional(
        given="R_{t+1} of line 24 is r_t of line 63; as r_{t+1} it would drop the reward of a_t itself"
    ),
    about=(returns_to_go, score_gradient),
)
def which_reward_is_first():
    one = sympy.Integer(1)
    slope = [4 * Y - 1, 4 * X]
    yield proved(mean_estimate(one) - slope, "γ = 1, R_{t+1} = r_t: ∇J, from the polynomial above")
    late = mean_estimate(one, shifted)
    yield proved(late - [4 * Y, 0], "γ = 1, R_{t+1} = r_{t+1}: the first reward and the last decision are lost")
    at = {X: HALF, Y: Fraction(1, 8)}
    pair = [[sympy.sympify(e).subs(at) for e in side] for side in (late, slope)]
    yield differs(*pair, "x = ½, y = ⅛: it points out of the door, where ∇J says to stay")


which_reward_is_first

# %% [markdown]
# **The objective.** $\sum_t r_t$ is the return of line 22. For the discounted return of line 24 it is another number, and another
# optimum: with $y = 1$ going out is better by 3 in the plain sum, and worse at γ = $\frac15$.


# %%
@claim(
    "reference-035",
    says=r"$J(\theta) = E_{\tau \sim \pi_\theta}[\sum_t r_t]$ is the expected return",
    verdict=Conditional(given="the return is undiscounted and episodes end; that of line 24 has the weights γ^t"),
    about=(expected_return, discounted_return),
)
def the_objective():
    one = sympy.Integer(1)
    by_paths = {
        g: expect(errand(one), POLICY, 2, lambda path, g=g: discounted_return(path.rewards, g)) for g in (one, GAMMA)
    }
    yield proved(expected_return(errand(one), POLICY) - by_paths[one], "γ = 1: E[Σ r_t], every path")
    yield proved(by_paths[one] - (1 - X + 4 * X * Y), "by hand")
    yield proved(expected_return(errand(GAMMA), POLICY) - by_paths[GAMMA], "any γ: E[Σ γ^t r_t], every path")
    out = {
        gamma: [policy_value(errand(gamma), [[1 - x, x], [0, ONE]])[0] for x in (0 * ONE, ONE)]
        for gamma in (ONE, ONE / 5)
    }
    yield equal([out[ONE], out[ONE / 5]], [[1, 4], [1, Fraction(4, 5)]], "stay or go out, γ = 1 and γ = 1/5")
    yield differs(out[ONE], out[ONE / 5], "E[Σ r_t] against the expected discounted return")
    endless = MDP.chain([[1]], [1], ONE, 0)
    yield refuses(InvalidPolicy, lambda: expected_return(endless, [[ONE]]), "without an end E[Σ r_t] need not exist")


the_objective


# %%
@claim(
    "reference-036",
    says=r"A trajectory is $\tau = (s_0, a_0, r_0, s_1, a_1, r_1, \ldots)$",
    verdict=Holds(note="r_t belongs to (s_t, a_t): it is the R_{t+1} of lines 19 to 47"),
    about=paths,
)
def the_trajectory():
    mdp = errand(ONE)
    found = list(paths(mdp, [[HALF, HALF], [QUARTER, 3 * QUARTER]], 2))
    told = [(p.states, p.actions, p.rewards) for p in found]
    expected = [((0,), (0,), (1,)), ((0, 1), (1, 0), (0, 0)), ((0, 1), (1, 1), (0, 4))]
    yield equal(told, expected, "states, actions, rewards of every errand")
    yield equal([p.probability for p in found], [HALF, Fraction(1, 8), Fraction(3, 8)], "Π π(a_t | s_t) P")
    paid = [[mdp.r[s, a] for s, a in zip(p.states, p.actions, strict=True)] for p in found]
    yield equal(paid, [list(p.rewards) for p in found], "r_t is that of (s_t, a_t)")


the_trajectory

# %% [markdown]
# ## The estimate
#
# An average over $N$ independent trajectories of the *present* policy has the mean of one of them, and $1/N$ of its variance. So it
# inherits the condition. With $x = y = \frac12$, θ the two probabilities, and γ = 1, $\nabla J = (1, 2)$.


# %%
def batch_law(gamma, n):
    """Mean and variance of 1/N Σ_i Σ_t ∇ log π G over every batch of n trajectories, x = y = 1/2."""
    even = {X: HALF, Y: HALF}
    policy = [[HALF, HALF], [HALF, HALF]]
    single = [
        (p.probability, [Fraction(str(sympy.sympify(e).subs(even))) for e in estimate(p, gamma)])
        for p in paths(errand(ONE), policy, 2)
    ]
    batches = list(product(single, repeat=n))
    chances = np.array([np.prod([p for p, _ in batch]) for batch in batches], dtype=object)
    means = np.array([[sum(g[k] for _, g in batch) / n for k in range(2)] for batch in batches], dtype=object)
    return law_of(chances, means)


@claim(
    "reference-037",
    says=r"$\nabla_\theta J \approx \frac1N \sum_i \sum_t \nabla_\theta \log \pi_\theta(a_t^i \mid s_t^i)\, G_t^i$",
    verdict=Conditional(given="γ = 1 as in reference-033, and trajectories drawn independently from π_θ itself"),
    about=(returns_to_go, score_gradient),
)
def the_sample_estimate():
    one, two, three = (batch_law(ONE, n) for n in (1, 2, 3))
    yield equal([one.mean, two.mean, three.mean], [[1, 2]] * 3, "γ = 1: ∇J = (4y - 1, 4x), for N = 1, 2, 3")
    yield equal([2 * two.variance, 3 * three.variance], [one.variance] * 2, "the variance falls as 1/N")
    yield equal(one.variance, [17, 12], "N = 1: (-2, 0), (0, 0) or (8, 8) with chances ½, ¼, ¼")
    half = batch_law(HALF, 2)
    yield equal(half.mean, [0, 2], "γ = ½, N = 2")
    yield differs(half.mean, [ONE, 2 * ONE], "against the slope of E[Σ r_t]")
    yield differs(half.mean, [0 * ONE, ONE], "against the slope of E[Σ γ^t r_t]")


the_sample_estimate

# %% [markdown]
# ## Baselines
#
# A baseline that looks only at the state adds nothing to the mean. Whether it *reduces the variance* is a question of its size.
# For one choice between two arms that pay 1 and 0, the first taken with probability $p$, a constant $b$ leaves in each
# component of the logits the variance
#
# $$p(1-p)\,(b - b^*)^2, \qquad b^* = 1 - p,$$
#
# whereas $V^\pi = p$. At $p = \frac12$ they agree, and the value removes the noise altogether. At $p = \frac9{10}$ it
# makes the variance 64 times what it was without a baseline.


# %%
def two_arms(p):
    """Arms that pay 1 and 0, and the softmax policy that takes the first with probability p."""
    arms = gallery.bandit((ONE, 0 * ONE))
    return arms, softmax_at(arms, [[p, 1 - p]])


def noise(p, b):
    """Variance of a component of the one-sample gradient with baseline b."""
    arms, family = two_arms(p)
    return reward_to_go_law(arms, family, 1, [b]).variance[0, 0]


@claim(
    "reference-038",
    says="A baseline reduces the variance",
    verdict=Conditional(
        given="b is near enough to the best one, for one decision between 0 and twice it; V^π itself may lie beyond"
    ),
    about=(reward_to_go_law, policy_value, optimal_baseline),
)
def when_a_baseline_helps():
    even, greedy = HALF, Fraction(9, 10)
    for p in (even, Fraction(3, 4), greedy):
        arms, family = two_arms(p)
        yield equal(optimal_baseline(arms, reward_to_go(arms, family), 1)(0, 0), 1 - p, f"p = {p}: b* = 1 - p")
        stated = [p * (1 - p) * (b - (1 - p)) ** 2 for b in (0 * ONE, 1 - p, 2 * (1 - p), p)]
        yield equal([noise(p, b) for b in (0 * ONE, 1 - p, 2 * (1 - p), p)], stated, "variance at b = 0, b*, 2b*, p")
    values = [policy_value(arms, family.policy)[0] for arms, family in map(two_arms, (even, greedy))]
    yield equal(values, [even, greedy], "V^π = p")
    yield below(noise(even, values[0]), noise(even, 0 * ONE), "p = ½, b = V")
    yield exceeds(noise(greedy, values[1]), noise(greedy, 0 * ONE), "p = 9/10: b = V against no baseline")
    yield equal(noise(greedy, values[1]) / noise(greedy, 0 * ONE), 64, "by what factor")


when_a_baseline_helps


# %%
@figure
def three_parabolas():
    """Variance of the one-sample gradient against the baseline, for p = 1/2, 3/4, 9/10. Circles: no baseline. Discs: b = V. The
    value is the best baseline at even odds, and far to the right of it when the better arm is already likely."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    grid = np.linspace(-0.05, 1, 106)
    for k, p in enumerate((HALF, Fraction(3, 4), Fraction(9, 10))):
        ax.plot(
            grid, [float(p * (1 - p) * (Fraction(b) - 1 + p) ** 2) for b in grid], color=COLOURS[k], label=f"p = {p}"
        )
        ax.plot([0], [float(noise(p, 0 * ONE))], "o", mfc="white", color=COLOURS[k], zorder=3)
        ax.plot([float(p)], [float(noise(p, p))], "o", color=COLOURS[k], zorder=3)
    ax.set(xlabel="baseline b", ylabel="variance", ylim=(-0.003, 0.08))
    ax.legend()
    return fig


three_parabolas


# %%
def with_baseline(path, gamma, b):
    """Σ_t ∇ log π (G_t - b(s_t)), by the gradient of REINFORCE's loss in log π."""
    at = [b[s] for s in path.states[: len(path.actions)]]
    log_probs = [sympy.log(POLICY[s][a]) for s, a in zip(path.states, path.actions, strict=False)]
    slopes = reinforce_loss_gradient(log_probs, returns(path, gamma), at)
    return -np.array(slopes) @ np.array(scores(path))


@claim(
    "reference-039",
    says=r"$\nabla_\theta J \approx \frac1N \sum_i \sum_t \nabla_\theta \log \pi_\theta(a_t^i \mid s_t^i)\,(G_t^i - b(s_t^i))$",
    verdict=Conditional(
        given="γ = 1 as in reference-033; and b is the same whatever the sampled actions and returns were"
    ),
    about=(reinforce_loss_gradient, returns_to_go),
)
def a_baseline_is_free():
    b, one = sympy.symbols("b_home b_out", real=True), sympy.Integer(1)
    found = {g: expect(errand(one), POLICY, 2, lambda path, g=g: with_baseline(path, g, b)) for g in (one, GAMMA)}
    yield proved(found[one] - [4 * Y - 1, 4 * X], "γ = 1: ∇J for every b")
    yield proved(found[GAMMA] - [4 * GAMMA * Y - 1, 4 * X], "any γ: what it is without b")
    at = {X: HALF, Y: HALF, GAMMA: HALF}
    pair = [[sympy.sympify(e).subs(at) for e in side] for side in (found[GAMMA], [4 * GAMMA * Y - 1, 4 * GAMMA * X])]
    yield differs(*pair, "γ = x = y = ½: against the slope of E[Σ γ^t r_t]")
    own = expect(errand(one), POLICY, 2, lambda path: with_baseline(path, one, [*returns(path, one), 0]))
    yield differs(own[1].subs(at), 4 * X.subs(at), "γ = 1, b the sample's own return in the state: against ∂J/∂y")


a_baseline_is_free

# %% [markdown]
# What recommends $V^\pi$ is not the least variance but the meaning: the weight $G_t - V^\pi(s_t)$ is, in the mean, the advantage.


# %%
@claim(
    "reference-040",
    says=r"A common baseline is $b(s) = V^\pi(s)$",
    verdict=Holds(note="usually an estimate of it; its weights average to the advantage. It need not be the best one"),
    about=(monte_carlo_advantages, advantage),
)
def the_value_as_baseline():
    mdp, even = errand(ONE), [[HALF, HALF], [HALF, HALF]]
    v = [Fraction(3, 2), Fraction(2)]
    gaps = {}
    for path in paths(mdp, even, 2):
        ended = [False] * (len(path.actions) - 1) + [True]
        found = monte_carlo_advantages(path.rewards, [v[s] for s in path.states[: len(ended)]], ended, None, ONE)
        for s, a, gap in zip(path.states, path.actions, found, strict=False):
            gaps.setdefault((s, a), []).append((path.probability, gap))
    mean = {pair: sum(p * g for p, g in drawn) / sum(p for p, _ in drawn) for pair, drawn in gaps.items()}
    table = [[mean[s, a] for a in range(2)] for s in range(2)]
    yield equal(table, [[-HALF, HALF], [-2, 2]], "E[G - V | s, a], V = 3/2 and 2: home, outside")
    yield equal(table, advantage(mdp, even), "the advantages")
    yield sourced("Sutton and Barto (2018), §13.4: an estimate of the state value as a natural choice of baseline")


the_value_as_baseline

# %% [markdown]
# ## Scores: Gaussian
#
# With a σ that no parameter moves, the score has one part. A σ that is learned has a second one, $((a-\mu)^2/\sigma^2 - 1)\nabla\log\sigma$.


# %%
def stated_log_density(a, mu, sigma):
    """Line 70."""
    return -((a - mu) ** 2 / sigma**2 + sympy.log(2 * sympy.pi * sigma**2)) / 2


@claim(
    "reference-041",
    "reference-042",
    says=r"$\pi_\theta(a \mid s) = N(\mu_\theta(s), \sigma^2)$, $\log \pi_\theta = -\frac12[(a - \mu_\theta)^2/\sigma^2 + \log(2\pi\sigma^2)]$",
    verdict=Holds(note="one action dimension; a density, which exceeds 1 near μ where σ < 0.3989"),
    about=(gaussian_log_density, log_density),
)
def gaussian_policy():
    points = [(0.3, -1.0, 0.5), (2.0, 2.0, 0.1), (-4.0, 1.0, 3.0)]
    by_hand = [float(stated_log_density(*point)) for point in points]
    yield close(gaussian_log_density(*zip(*points, strict=True)), by_hand, 1e-12, "a few roundings of numbers below 10")
    peaks = gaussian_log_density([0.0, 0.0], [0.0, 0.0], [0.3989, 0.399])
    yield shows(bool(peaks[0] > 0 > peaks[1]), "at μ the density is above 1 for σ = 0.3989 and below 1 for 0.399")
    a, mu = sympy.symbols("a mu", real=True)
    sigma = sympy.Symbol("sigma", positive=True)
    stated = stated_log_density(a, mu, sigma)
    yield proved(
        sympy.expand_log(log_density(a, mu, sigma) - stated, force=True), "the library's log-density is line 70"
    )
    standard = sympy.exp(stated).subs({a: mu + sigma * a}) * sigma
    moments = [sympy.integrate(sympy.simplify(standard) * a**k, (a, -sympy.oo, sympy.oo)) for k in range(3)]
    yield proved([m - e for m, e in zip(moments, (1, 0, 1), strict=True)], "z = (a - μ)/σ: total 1, mean 0, variance 1")


gaussian_policy


# %%
@claim(
    "reference-043",
    says=r"$\nabla_\theta \log \pi_\theta(a \mid s) = \frac{a - \mu_\theta(s)}{\sigma^2} \nabla_\theta \mu_\theta(s)$",
    verdict=Holds(note="σ does not depend on θ, as line 69 writes it"),
    about=gaussian_score,
)
def gaussian_mean_score():
    a, theta = sympy.Symbol("a", real=True), sympy.symbols("theta1:3", real=True)
    sigma, mu = sympy.Symbol("sigma", positive=True), sympy.Function("mu")(*theta)
    m = sympy.Symbol("m", real=True)
    slopes = [sympy.diff(stated_log_density(a, mu, sigma), t) for t in theta]
    score = sympy.sympify(gaussian_score(a, m, sigma).mean.item()).subs(m, mu)
    yield proved([s - score * sympy.diff(mu, t) for s, t in zip(slopes, theta, strict=True)], "any μ of two parameters")
    yield equal(gaussian_score(Fraction(3), ONE, 2 * ONE).mean.item(), HALF, "a = 3, μ = 1, σ = 2")


gaussian_mean_score

# %% [markdown]
# ## Scores: categorical
#
# Every logit is a function of θ of its own. The score is the slope of the taken logit less the mean slope, so it averages to zero under π:
# which is why a baseline is free.


# %%
@claim(
    "reference-044",
    "reference-045",
    "reference-046",
    says=r"$\pi_\theta(a \mid s) = e^{f_a} / \sum_{a'} e^{f_{a'}}$, $\log \pi_\theta = f_a - \log \sum_{a'} e^{f_{a'}}$, "
    r"$\nabla \log \pi_\theta = \nabla f_a - \sum_{a'} \pi_\theta(a' \mid s) \nabla f_{a'}$",
    verdict=Holds(note="finitely many actions; adding the same number to all logits changes nothing"),
    about=(softmax, categorical_log_prob, softmax_policy_score),
)
def categorical_policy():
    thirds = np.log([1.0, 2.0, 3.0])
    yield close(softmax(thirds), [1 / 6, 2 / 6, 3 / 6], 1e-15, "one rounding of e^log", "logits log 1, log 2, log 3")
    yield close(
        categorical_log_prob(thirds, 2), float(-np.log(2)), 1e-15, "one rounding of a logarithm", "log π of the last"
    )
    theta, weights = sympy.symbols("theta1:3", real=True), sympy.symbols("z:3", real=True)
    pi = [sympy.exp(z) / sum(map(sympy.exp, weights)) for z in weights]
    yield proved(softmax(weights) - pi, "softmax")
    yield proved(sum(softmax(weights)) - 1, "adds up to 1")
    logits = [sympy.Function(f"f{a}")(*theta) for a in range(3)]
    put = dict(zip(weights, logits, strict=True))
    slopes = [[sympy.diff(f, t) for t in theta] for f in logits]
    score_of = [softmax_policy_score(weights, slopes, a) for a in range(3)]
    for a in range(3):
        log_pi = categorical_log_prob(weights, a).item()
        yield proved(log_pi - weights[a] + sympy.log(sum(map(sympy.exp, weights))), f"log π({a})")
        derived = [sympy.diff(sympy.log(pi[a]).subs(put), t) for t in theta]
        yield proved(
            [d - s.subs(put) for d, s in zip(derived, score_of[a], strict=True)], "its slopes, any f of two parameters"
        )
    yield proved(sum(p * s for p, s in zip(pi, score_of, strict=True)), "they average to 0 under π")


categorical_policy
