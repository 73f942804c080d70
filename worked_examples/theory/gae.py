# %% [markdown]
# # Generalised advantage estimation
#
# *Document `theory`, lines 200 to 218.* How much of the advantage to see, and how much to take from the critic. The formulas and
# every number of the worked trajectory are right. One statement needs a condition: *bias* and *variance* of the two ends are no laws.
# And one needs care in use: at λ = 1 the estimate is the Monte Carlo advantage where nothing cuts the trajectory.

# %%
from fractions import Fraction
from itertools import pairwise

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    agrees,
    claim,
    equal,
    exceeds,
    printed,
    proved,
    shows,
    swept,
)
from rlexact.exact.return_estimators import lambda_advantage_law, lambda_return_law
from rlexact.formulas.gae import gae, gae_forward, lambda_weights, td_errors
from rlexact.formulas.returns import monte_carlo_advantages, n_step_advantages
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("theory", "gae", "Generalised advantage estimation")

ONE, HALF, QUARTER, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(9, 10)
ENDS = [False, False, False, True]
GOES_ON = [False] * 4

# %% [markdown]
# ## The two ends
#
# The one-step error trusts the critic for everything but one reward; the return trusts it for nothing but the baseline. As
# *targets for the value*, $r + \gamma\hat V(s')$ and $\hat G$, they are as the document says: from the middle of the random walk
# (true value ½), a critic that says 0 makes the first wrong by ½ and certain, the second right on average with variance ¼.
#
# As *estimates of the advantage*, which is what the document writes, both carry the critic's error at $s$: with $e = \hat V - V^\pi$,
#
# $$E[\delta] - A = \gamma\,E[e(s')] - e(s), \qquad E[\hat G - \hat V(s)] - A = -e(s).$$
#
# A stream of 1s is worth 10 at γ = 0.9. A critic that says 9 makes δ too large by 1/10, and the Monte Carlo advantage by 1. (The
# error is the same for every action, so the policy *gradient* does not see it.) Nor is variance a matter of length alone: in
# *quits*, a coin pays ±1 and the next step pays it back. One step is noisy, the whole return is always 0.


# %%
def numbers(*xs):
    """Numbers as an exact vector."""
    return np.array([Fraction(x) for x in xs], dtype=object)


def quits():
    """From state 0 a coin pays 1 and leads to state 1, or -1 and leads to 2; from there the opposite is paid, and the end."""
    there = [(HALF, 1, 1, False), (HALF, 2, -1, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, -1, True)], (2, 0): [(ONE, None, 1, True)]}, ONE, 0)


def steady():
    """One state that pays 1 for ever, γ = 9/10: V = 10."""
    return MDP.chain([[1]], [1], NINE_TENTHS, 0)


def two_ends(law, model, v, s):
    """[(bias, variance) at λ = 0, the same at λ = 1] of an estimate in state s, under the critic v."""
    found = [law(model, uniform(model), v, lam) for lam in (0, 1)]
    return [tuple(np.ravel(moment[s])[0] for moment in (x.bias, x.variance)) for x in found]


@claim(
    "theory-227",
    says=r"$\delta_t$ has low variance and high bias; $\hat G_t - \hat V(s_t)$ has no bias and high variance",
    verdict=Conditional(
        given="the bias is that of the targets r + γV̂(s') and G, or V̂(s) is right, and the critic is close enough to V^π not to "
        "add noise; as estimates of the advantage both are off by -V̂(s) + V^π(s), whole or in part"
    ),
    about=(lambda_return_law, lambda_advantage_law),
)
def the_two_ends():
    walk = gallery.random_walk()
    known = numbers(*(Fraction(k, 6) for k in range(1, 6)))
    yield equal(two_ends(lambda_return_law, walk, 0 * known, 2), [(-HALF, 0), (0, QUARTER)], "targets, critic 0")
    yield equal(
        two_ends(lambda_advantage_law, walk, known, 2),
        [(0, Fraction(1, 36)), (0, QUARTER)],
        "right critic: no bias in either, and less variance in δ",
    )
    short, whole = two_ends(lambda_advantage_law, steady(), numbers(9), 0)
    yield equal(
        [short, whole], [(Fraction(1, 10), 0), (1, 0)], "a stream of 1s, V̂ = 9: advantages too large by .1 and 1"
    )
    yield exceeds(whole[0], short[0], "bias of the Monte Carlo advantage against that of δ")
    short, whole = two_ends(lambda_advantage_law, quits(), numbers(0, 0, 0), 0)
    yield exceeds(short[1], whole[1], "quits, V̂ = 0: variance of δ against that of the return")


the_two_ends

# %% [markdown]
# ## The definition
#
# The display is lost. It can only be
#
# $$\hat A_t = \sum_{l \ge 0} (\gamma\lambda)^l \delta_{t+l} = (1-\lambda) \sum_{n \ge 1} \lambda^{n-1} \hat A_t^{(n)},$$
#
# with $\hat A^{(n)}$ the n-step advantage. The second form is for λ < 1; with $N$ steps left, everything from $N$ on is the same
# $\hat A^{(N)}$, whose weight is $\lambda^{N-1}$. The library runs on symbols, so that both forms are compared as polynomials in four
# rewards, five values, γ and λ.


# %%
def stretch():
    """(r, v, γ, λ): four rewards and five values, all free."""
    gamma, lam = sympy.symbols("gamma lambda", nonnegative=True)
    return sympy.symbols("r:4", real=True), sympy.symbols("v:5", real=True), gamma, lam


def errors(r, v, gamma):
    """δ_0 ... δ_3 written out."""
    return [r[t] + gamma * v[t + 1] - v[t] for t in range(4)]


def of_four(f, *more, lam=(), ended=GOES_ON):
    """One of the library's estimators on the free stretch, cut after its last step or `ended`."""
    r, v, gamma, _ = stretch()
    return f(r, v[:4], v[1:], ended, None, gamma, *([lam] if lam != () else []), *more)


@claim(
    "theory-228",
    "theory-229",
    says=r"(lost display) $\hat A_t = \sum_l (\gamma\lambda)^l \delta_{t+l} = \delta_t + \gamma\lambda\,\delta_{t+1} + \dots$, "
    r"for $\lambda < 1$ the mixture of all n-step advantages with weights $(1-\lambda)\lambda^{n-1}$",
    verdict=Holds(
        note="the sum serves λ = 1 too, the mixture does not (reference-058); a stretch of N steps gives its last term the weight λ^(N-1)"
    ),
    about=(gae, gae_forward, n_step_advantages, lambda_weights),
)
def the_definition():
    r, v, gamma, lam = stretch()
    delta, found = errors(r, v, gamma), of_four(gae, lam=lam)
    series = [sum((gamma * lam) ** k * delta[t + k] for k in range(4 - t)) for t in range(4)]
    yield proved(found - np.array(series), "GAE = Σ (γλ)^l δ, for each of four steps")
    n_step = [
        sum(gamma**k * r[k] for k in range(n)) + gamma**n * v[n] - v[0] for n in range(1, 5)
    ]  # of the first step, written without δ
    yield proved(
        np.array([of_four(n_step_advantages, n)[0] for n in range(1, 5)]) - np.array(n_step), "n-step advantages"
    )
    weights = [1 - lam, (1 - lam) * lam, (1 - lam) * lam**2, lam**3]
    yield proved(found[0] - sum(w * a for w, a in zip(weights, n_step, strict=True)), "GAE = their mixture")
    yield proved(of_four(gae_forward, lam=lam) - found, "the library's own mixture, every step")
    yield equal(lambda_weights(HALF, 4), [HALF, QUARTER, HALF**3, HALF**3], "weights at λ = ½: they sum to 1")
    after = of_four(n_step_advantages, 9, ended=ENDS) - of_four(n_step_advantages, 4, ended=ENDS)
    yield proved(after, "after the end of the episode, more steps change nothing")


the_definition

# %% [markdown]
# The next display, the one that "substituting δ" leads to, is lost as well. Sorted by rewards and values it shows what λ does: at
# each step a share 1 - λ of the future is taken from the critic, and the rest is looked at for one step more.


# %%
@claim(
    "theory-230",
    says=r"(lost display) $\hat A_t = -\hat V(s_t) + r_t + \gamma(1-\lambda)\hat V(s_{t+1}) + "
    r"\gamma\lambda\,(r_{t+1} + \gamma(1-\lambda)\hat V(s_{t+2})) + \dots$",
    verdict=Holds(note="where the stretch is cut, the last value comes whole, without the factor 1 - λ"),
    about=gae,
)
def the_expansion():
    r, v, gamma, lam = stretch()
    inner = r[3] + gamma * v[4]
    for t in (2, 1, 0):
        inner = r[t] + gamma * (1 - lam) * v[t + 1] + gamma * lam * inner
    yield proved(of_four(gae, lam=lam)[0] - (inner - v[0]), "four steps, cut after the last")
    end = gae(r, v[:4], v[1:], ENDS, None, gamma, lam)[0] - (inner - v[0]).subs(v[4], 0)
    yield proved(end, "four steps, ended after the last")


the_expansion

# %% [markdown]
# ## λ = 0 and λ = 1
#
# The first is immediate. For the second the sum telescopes, and leaves one term behind:
#
# $$\sum_{l<n} \gamma^l \delta_{t+l} = \sum_{l<n} \gamma^l r_{t+l} - \hat V(s_t) + \gamma^n \hat V(s_{t+n}).$$
#
# It goes away where the episode ends, or with a bounded critic, γ < 1 and a sum without end. It does not where data are cut: the
# document's own PPO batch has 256 steps of each environment (line 221), and a stretch that is cut keeps $\gamma^n\hat V(s_{t+n})$ at
# λ = 1 as at any other λ.


# %%
@claim("theory-231", says=r"$\lambda = 0$: $\hat A_t = \delta_t$", verdict=Holds(), about=(gae, td_errors))
def without_trace():
    r, v, gamma, _ = stretch()
    delta = np.array(errors(r, v, gamma))
    yield proved(of_four(gae, lam=0) - delta, "GAE at λ = 0")
    yield proved(td_errors(r, v[:4], v[1:], GOES_ON, gamma) - delta, "the library's TD error")


without_trace


# %%
def stream_cut_after(n):
    """GAE at λ = 1 from the start of n steps that pay 1, under a critic that says 9; γ = 9/10."""
    return gae([ONE] * n, [9 * ONE] * n, [9 * ONE] * n, [False] * n, None, NINE_TENTHS, ONE)[0]


@claim(
    "theory-232",
    says=r"$\lambda = 1$: $\hat A_t = \sum_l \gamma^l r_{t+l} - \hat V(s_t) = \hat G_t - \hat V(s_t)$, the full Monte Carlo advantage",
    verdict=Holds(
        note="the sum without end, γ < 1 and V̂ bounded, or an episode that ends; on a stretch that is cut, γⁿV̂(s_{t+n}) stays"
    ),
    about=(gae, monte_carlo_advantages, lambda_advantage_law),
)
def with_full_trace():
    r, v, gamma, _ = stretch()
    monte_carlo = np.array([sum(gamma**k * r[t + k] for k in range(4 - t)) - v[t] for t in range(4)])
    yield proved(of_four(gae, lam=1, ended=ENDS) - monte_carlo, "an episode that ends: G - V̂, every step")
    yield proved(monte_carlo_advantages(r, v[:4], ENDS, None, gamma) - monte_carlo, "the library's G - V̂")
    for_ever = lambda_advantage_law(steady(), uniform(steady()), numbers(9), 1).mean[0, 0]
    yield equal(for_ever, 10 - 9, "a stream of 1s without end, V̂ = 9: G - V̂")
    left = [gamma ** (4 - t) * v[4] for t in range(4)]
    yield proved(of_four(gae, lam=1) - monte_carlo - np.array(left), "a cut stretch: the remainder stays")
    yield equal(stream_cut_after(10), 1 - NINE_TENTHS**10, "the stream cut after ten steps: 10 - 9 less γ¹⁰ (10 - 9)")
    seen = sum(NINE_TENTHS**k for k in range(10)) - 9
    yield shows(
        for_ever > stream_cut_after(10) > seen, "between the full Monte Carlo advantage and the ten rewards less V̂"
    )


with_full_trace

# %% [markdown]
# ## Between them
#
# An error $l$ steps away has weight $(\gamma\lambda)^l$, which falls since γ < 1 in this document; and $\hat A_t$ is a polynomial in λ,
# so that it moves smoothly from one end to the other. It need not stay *between* the two numbers. In the worked example that
# follows, $\hat A_0$ is -0.04 at λ = 0 and 0.92 at λ = 1, and above both for every λ from 0.28 on: a mixture of n-step advantages lies between the
# smallest and the largest of *all* of them, -0.04 and 3.86.


# %%
def example(lam="0.95"):
    """(δ, Â) of the document's trajectory, by the library."""
    rewards, values, gamma = [1, 2, 3, 0], [5, 4, 6, 2, 0], Fraction("0.99")
    delta = td_errors(rewards, values[:4], values[1:], ENDS, gamma)
    return delta, gae(rewards, values[:4], values[1:], ENDS, None, gamma, Fraction(lam))


@claim(
    "theory-233",
    says="λ interpolates smoothly between the TD error and Monte Carlo, and nearby TD errors weigh more than distant ones",
    verdict=Holds(
        note="a path from one to the other, not a number between them: Â_0 of the example is .92 at λ = 1, 1.10 at .95"
    ),
    about=(gae, n_step_advantages),
)
def between_the_ends():
    kappa = Fraction("0.9405")
    marks = [[int(t == k) for t in range(6)] for k in range(6)]
    weights = [gae(m, [0] * 6, [0] * 6, [False] * 6, None, Fraction("0.99"), Fraction("0.95"))[0] for m in marks]
    yield equal(weights, [kappa**k for k in range(6)], "weight of an error l steps away")
    yield shows(all(near > far for near, far in pairwise(weights)), "falling")
    _, _, _, lam = stretch()
    x = sympy.Rational(99, 100) * lam
    by_hand = -sympy.Rational(1, 25) + sympy.Rational(197, 50) * x - sympy.Rational(51, 50) * x**2 - 2 * x**3
    curve = gae([1, 2, 3, 0], [5, 4, 6, 2], [4, 6, 2, 0], ENDS, None, Fraction("0.99"), lam)[0]
    yield proved(curve - by_hand, "Â_0 of the example is a cubic in λ")
    ends = [example(lam=lam)[1][0] for lam in ("0", "0.95", "1")]
    yield equal(ends, [-Fraction("0.04"), Fraction("1.09951873475"), Fraction("0.9203")], "at λ = 0, .95, 1")
    yield shows(example(lam="0.27")[1][0] < ends[2] < example(lam="0.28")[1][0], "it passes its end value near λ = .28")
    v = [5, 4, 6, 2, 0]
    n_step = [n_step_advantages([1, 2, 3, 0], v[:4], v[1:], ENDS, None, Fraction("0.99"), n)[0] for n in (1, 2, 3, 4)]
    yield equal(
        n_step, [Fraction(x) for x in ("-0.04", "3.8606", "2.860898", "0.9203")], "n-step advantages, n = 1 to 4"
    )


between_the_ends


# %%
@figure
def advantages_along_lambda():
    """The four advantages of the worked trajectory as λ varies. The dotted line is 0.95; the dashed ones are the ends of Â_0."""
    from matplotlib import pyplot as plt

    lams = np.linspace(0, 1, 101)
    found = np.array([gae([1, 2, 3, 0], [5, 4, 6, 2], [4, 6, 2, 0], ENDS, None, 0.99, lam) for lam in lams])
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    for t in range(4):
        ax.plot(lams, found[:, t], color=COLOURS[t])
        ax.annotate(rf"$\hat A_{t}$", (0, found[0, t]), xytext=(-18, -3), textcoords="offset points", color=COLOURS[t])
    ax.hlines([found[0, 0], found[-1, 0]], 0, 1, color=COLOURS[0], ls="--", lw=0.9)
    ax.axvline(0.95, color=COLOURS[6], ls=":", lw=1)
    ax.set(xlabel=r"$\lambda$", ylabel="advantage", xlim=(-0.06, 1.01))
    return fig


advantages_along_lambda

# %% [markdown]
# ## A trajectory of four steps
#
# Rewards 1, 2, 3, 0 and values 5, 4, 6, 2, 0, with γ = 0.99 and λ = 0.95. A terminal state is worth 0, and since nothing is
# bootstrapped from the end of an episode, the fifth value plays no part whatever is written there.


# %%
@claim(
    "theory-234",
    says="Four rewards go with five values, the last of them that of the terminal state, 0",
    verdict=Holds(note="a trajectory that is cut instead would have its fifth value, not 0, there"),
    about=(td_errors, monte_carlo_advantages),
)
def five_values():
    ended, cut = (
        td_errors([1, 2, 3, 0], [5, 4, 6, 2], [4, 6, 2, 7], flag, Fraction("0.99")) for flag in (ENDS, GOES_ON)
    )
    yield equal(example()[0][3], -2, "δ_3 with the terminal value 0")
    yield equal(ended[3], -2, "with 7 in its place, and the flag that says the episode ended")
    yield equal(cut[3], Fraction("4.93"), "with 7 and no end: 0 + .99 · 7 - 2")
    seen = monte_carlo_advantages([1, 2, 3, 0], [5, 4, 6, 2], ENDS, None, Fraction("0.99"))
    yield equal(seen, [Fraction(x) for x in ("0.9203", "0.97", "-3", "-2")], "G - V̂, from the rewards by hand")
    telescoped = [sum(Fraction("0.99") ** k * d for k, d in enumerate(example()[0][t:])) for t in range(4)]
    yield equal(telescoped, seen, "Σ γ^l δ with the terminal value 0")


five_values


# %%
@claim(
    "theory-235",
    "theory-236",
    "theory-237",
    "theory-238",
    says="δ = 1 + 3.96 - 5 = -.04, 2 + 5.94 - 4 = 3.94, 3 + 1.98 - 6 = -1.02, 0 + 0 - 2 = -2.0",
    verdict=Holds(),
    about=td_errors,
)
def four_errors():
    delta = example()[0]
    yield agrees(printed(["-0.04", "3.94", "-1.02", "-2.0"]), delta)
    yield equal(delta, [Fraction(-1, 25), Fraction(197, 50), Fraction(-51, 50), -2], "exactly")
    carried = [Fraction("0.99") * v for v in (4, 6, 2)]
    yield equal(carried, [printed(x).value for x in ("3.96", "5.94", "1.98")], "the products on the way")
    yield equal(delta, [1 + carried[0] - 5, 2 + carried[1] - 4, 3 + carried[2] - 6, 0 + 0 - 2], "and the sums, by hand")


four_errors


# %%
@claim("theory-240", says="0.99 × 0.95 = 0.9405", verdict=Holds(), about=())
def the_product():
    yield equal(printed("0.99").value * printed("0.95").value, printed("0.9405").value)


the_product


# %%
@claim(
    "theory-239",
    "theory-241",
    "theory-242",
    "theory-243",
    says="Backwards: Â_3 = -2.0, Â_2 = -1.02 - .9405 · 2 = -2.90, Â_1 = 3.94 - .9405 · 2.90 = 1.21, Â_0 = -.04 + .9405 · 1.21 = 1.10",
    verdict=Holds(note="rounding to two digits on the way does no harm here: 1.0980 against 1.0995, both 1.10"),
    about=gae,
)
def four_advantages():
    found = example()[1]
    stated = printed(["1.10", "1.21", "-2.90", "-2.0"])
    yield agrees(stated, found)
    yield equal(found, [Fraction(x) for x in ("1.09951873475", "1.2116095", "-2.901", "-2")], "exactly, by hand")
    kappa, delta = printed("0.9405").value, [printed(x).value for x in ("-0.04", "3.94", "-1.02")]
    rounded = [d + kappa * after.value for d, after in zip(delta, stated[1:], strict=True)]
    yield agrees(stated[:3], rounded, "each step from the rounded number before it")
    forward = gae_forward([1, 2, 3, 0], [5, 4, 6, 2], [4, 6, 2, 0], ENDS, None, Fraction("0.99"), Fraction("0.95"))
    yield equal(found, forward, "by the definition, n-step advantages mixed")


four_advantages

# %% [markdown]
# ## The loop
#
# One pass from the last step to the first takes $T$ multiplications where the definition takes $T^2/2$. A batch of several
# episodes needs one thing more: at each end the loop starts anew, else the next episode's advantages flow into this one's.


# %%
def double_sum(rewards, values, next_values, terminated, gamma, lam):
    """Σ_l (γλ)^l δ_{t+l} up to the end of the episode, by two loops."""
    steps = range(len(rewards))
    delta = [
        r + gamma * (0 if end else n) - v for r, v, n, end in zip(rewards, values, next_values, terminated, strict=True)
    ]
    last = [next((k for k in steps if k >= t and terminated[k]), steps[-1]) for t in steps]
    return [sum((gamma * lam) ** (k - t) * delta[k] for k in range(t, last[t] + 1)) for t in steps]


def random_batch(seed):
    """Eight steps of several episodes in exact numbers."""
    rng = np.random.default_rng(seed)
    rewards, values, following = (numbers(*map(int, rng.integers(-9, 10, 8))) for _ in range(3))
    gamma, lam = (Fraction(int(k), 20) for k in rng.integers(1, 20, 2))
    return rewards, values, following, [bool(x) for x in rng.random(8) < 0.3], gamma, lam


@claim(
    "theory-244",
    says="Computed backwards, Â_t = δ_t + γλ Â_{t+1} for t = T - 1, ..., 0",
    verdict=Holds(note="with 0 behind the last step, and the loop cut at every end of an episode in the batch"),
    about=gae,
)
def the_loop():
    r, v, gamma, lam = stretch()
    found, delta = of_four(gae, lam=lam), errors(r, v, gamma)
    yield proved(found[3] - delta[3], "the last step, on free numbers")
    yield proved(found[:3] - np.array(delta[:3]) - gamma * lam * found[1:], "the recursion, on free numbers")

    def gap(seed):
        *batch, gamma, lam = random_batch(seed)
        return np.abs(gae(*batch, None, gamma, lam) - np.array(double_sum(*batch, gamma, lam)))

    yield swept(gap, range(20), "batches of several episodes: the loop less the double sum")
    pair = gae([1, 1], [0, 0], [0, 0], [True, False], None, HALF, ONE)
    yield equal(pair, [1, 1], "two episodes of one step: the second adds nothing to the first")


the_loop
