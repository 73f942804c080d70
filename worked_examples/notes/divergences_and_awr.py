# %% [markdown]
# # Divergences, and advantage-weighted regression
#
# *Document `notes`, lines 1541 to 1651.* How far may a new policy π be from the policy μ that collected the data? Three
# measures are offered. One of them, $\mathrm{KL}(\pi\|\mu)$, leads to a policy in closed form and to a regression that fits it.
#
# The closed form is right. Total variation is defined without its factor ½, which makes both lines of Pinsker's inequality
# false. "Labels" are called what are weights. Most of what is said of the regression holds for a table and for data of one
# policy, and needs a condition beyond.

# %%
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import sympy

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
    exceeds,
    proved,
    proved_at_most,
    same_as,
    shows,
    sourced,
    swept,
    tight,
)
from rlexact.exact.difference import occupancy_shift
from rlexact.exact.evaluation import advantage, expected_return, policy_value
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.regularised import near_kl, near_reverse_kl
from rlexact.formulas.awr import (
    advantage_weights,
    awr_loss,
    awr_loss_gradient,
    normalised_advantage_weights,
    weighted_regression_loss,
)
from rlexact.formulas.divergence import kl, l1_distance, pinsker_bound, total_variation
from rlexact.formulas.gaussian import gaussian_kl
from rlexact.formulas.importance import effective_sample_size, importance_ratios
from rlexact.formulas.kl_optimum import kl_regularised_policy, kl_regularised_value, partition
from rlexact.formulas.ppo import clipped_surrogate
from rlexact.formulas.reps import reps_dual_loss_gradient
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform
from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.divergence import pinsker_by_its_slope
from rlexact.symbolic.enclosure import enclosure
from rlexact.symbolic.normal_form import normal_form
from rlexact.symbolic.notation import beta, reals, simplex

SECTION = Section("notes", "divergences_and_awr", "Divergences, and advantage-weighted regression")

F, ratio, log = Fraction, sympy.Rational, sympy.log
LOG2, LOG3 = log(2), log(3)

# %% [markdown]
# ## Total variation
#
# The distance of two distributions is the largest difference that they make to the probability of an event: something between 0
# and 1. Adding up $|p(x) - q(x)|$ counts it twice, once where $p$ is larger and once where $q$ is. Pinsker's inequality (line 1578) says
# $\frac12\|p - q\|_1 \le \sqrt{\mathrm{KL}/2}$. With the whole sum on the left it is false in *every* neighbourhood of $p = q$: for a fair
# coin against one of chance ¼ it claims $0.5 \le 0.268$.


# %%
def largest_event_gap(p, q):
    """max over events of p(event) - q(event), by trying all of them."""
    outcomes = range(len(p))
    events = [event for size in range(len(p) + 1) for event in combinations(outcomes, size)]
    return max(sum((p[x] - q[x] for x in event), F(0)) for event in events)


def random_law(rng, n):
    """n positive probabilities, rational."""
    weights = rng.integers(1, 20, n)
    return [F(int(w), int(weights.sum())) for w in weights]


def pair(seed, n=4):
    rng = np.random.default_rng(seed)
    return random_law(rng, n), random_law(rng, n)


def floats(law):
    return np.array(law, dtype=float)


def beyond_pinsker(seed):
    """½ Σ|p - q| less √(KL/2), both orders, and less the largest gap of any event."""
    p, q = pair(seed)
    half = l1_distance(p, q)[()] / 2
    roots = [float(pinsker_bound(*map(floats, order))) for order in ((p, q), (q, p))]
    return [float(half) - root for root in roots] + [abs(half - largest_event_gap(p, q))]


@claim(
    "notes-275",
    "notes-276",
    "notes-283",
    "notes-284",
    says=r"$D_{TV}(p, q) = \sum_x |p(x) - q(x)|$, or $\int |p(x) - q(x)|\, dx$; it is at most $\sqrt{\frac12 D_{KL}(p\|q)}$ and "
    r"$\sqrt{\frac12 D_{KL}(q\|p)}$",
    verdict=Wrong(
        because="the factor 1/2 is missing: this sum, up to 2, is the L1 distance, and fails both lines of Pinsker's inequality",
        instead="½ Σ|p - q|, ½ ∫|p - q| dx, the largest gap of any event, is at most √(KL/2), in either order; so Σ|p - q| ≤ √(2 KL)",
    ),
    about=(l1_distance, total_variation, kl, pinsker_bound),
)
def half_the_sum():
    p, q = [F(1, 2), F(1, 2), F(0)], [F(1, 4), F(1, 2), F(1, 4)]
    yield differs(l1_distance(p, q)[()], largest_event_gap(p, q), "the sum, against the largest gap of any event")
    yield equal(total_variation(p, q)[()], largest_event_gap(p, q), "half the sum is that gap")
    for n in (2, 100):
        bins = [F(2 * k - 1, n * n) for k in range(1, n + 1)], [F(1, n)] * n
        found = [l1_distance(*bins)[()], total_variation(*bins)[()]]
        yield equal(
            found, [F(1, 2), F(1, 4)], f"2x and 1 in {n} bins: ∫|2x - 1| dx = 1/2, and the gap of x > 1/2 is 1/4"
        )
    p, q = [ratio(1, 2), ratio(1, 2)], [ratio(1, 4), ratio(3, 4)]
    there, back = LOG2 - LOG3 / 2, 3 * LOG3 / 4 - LOG2
    found = [sympy.expand_log(k.item(), force=True) for k in (kl(p, q), kl(q, p))]
    yield proved([found[0] - there, found[1] - back], "KL(½‖¼) = log 2 - ½ log 3, KL(¼‖½) = ¾ log 3 - log 2")
    for name, divergence in (("KL(p‖q)", there), ("KL(q‖p)", back)):
        low, high = enclosure(divergence / 2)
        yield exceeds(l1_distance(p, q)[()] ** 2, high, f"(Σ|p - q|)² against {name}/2")
        yield below(total_variation(p, q)[()] ** 2, low, f"(½ Σ|p - q|)² against {name}/2")
    yield proved(pinsker_by_its_slope().residual(), "two outcomes: KL - 2 TV² falls to 0 at q = p, and rises after")
    yield swept(beyond_pinsker, range(20), "½ Σ|p - q|, four outcomes", 1e-12, "roundings of numbers below 1")
    yield tight(0.01, float(pinsker_bound([0.51, 0.49], [0.5, 0.5])), "chance .51 against ½: half the sum is .01")


half_the_sum


# %%
@figure
def coin_against_a_fair_one():
    """A coin of chance q and a fair one: the sum of |p - q| is above Pinsker's bound everywhere, half of it below."""
    from matplotlib import pyplot as plt

    q = np.linspace(0.01, 0.99, 197)
    coins, fair = np.stack([q, 1 - q], axis=1), np.full((197, 2), 0.5)
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.plot(q, l1_distance(coins, fair), "--", color=COLOURS[1], label="Σ|p - q|, as defined")
    ax.plot(q, pinsker_bound(fair, coins), color=COLOURS[6], label=r"$\sqrt{KL(fair\|q)/2}$")
    ax.plot(q, pinsker_bound(coins, fair), ":", color=COLOURS[6], label=r"$\sqrt{KL(q\|fair)/2}$")
    ax.plot(q, total_variation(coins, fair), color=COLOURS[0], label="½ Σ|p - q|")
    ax.set(xlabel="chance q", ylim=(0, 1.05))
    ax.legend(fontsize=8, loc="upper center")
    return fig


coin_against_a_fair_one

# %% [markdown]
# As a picture of $\sum|p - q|$ the paragraph below the definition is right: a unit of probability that has to be moved to turn $p$ into $q$
# shows twice, where it is missing and where it arrives. And as $D$ total variation is natural indeed, whatever its factor. With
# an average under $d^\mu$, which is what line 1445 averages, $\|d^\pi - d^\mu\|_1 \le \frac{2\gamma}{1-\gamma}\, \mathbb{E}_{d^\mu}[\frac12\|\pi - \mu\|_1]$,
# attained where one decision picks the room in which one stays for ever.


# %%
def two_rooms(gamma):
    """One decision between two absorbing states."""
    P = np.zeros((3, 2, 3), dtype=object) + F(0)
    P[0, 0, 1] = P[0, 1, 2] = P[1, :, 1] = P[2, :, 2] = F(1)
    return MDP(P, [[F(0)] * 2] * 3, gamma, [F(1), F(0), F(0)])


def choosing(p):
    """The policy that takes the second room with probability p."""
    return np.array([[1 - p, p]] + [[F(1), F(0)]] * 2)


def shift_beyond_bound(seed):
    """How far the shift exceeds its bound, between two random policies of a random model."""
    rng = np.random.default_rng(seed)
    pair = (np.array([random_law(rng, 2) for _ in range(3)]) for _ in range(2))
    shift = occupancy_shift(gallery.random_mdp(seed, 3, 2), *pair)
    return shift.left - shift.right


@claim(
    "notes-274",
    "notes-277",
    says=r"$D(\pi, \mu) = D_{TV}(\pi(\cdot|s), \mu(\cdot|s))$ is natural: it adds up what the two disagree by, point by point",
    verdict=Holds(note="one number for each state, averaged over the states of μ; moved probability is counted twice"),
    about=(occupancy_shift, l1_distance),
)
def natural_divergence():
    p, q = [F(1, 2), F(3, 10), F(1, 5)], [F(1, 5), F(3, 10), F(1, 2)]
    yield equal(
        l1_distance(p, q)[()], 2 * (1 - F(1, 5) - F(3, 10) - F(1, 5)), "point by point: twice what is not shared"
    )
    model, new, old = two_rooms(F(9, 10)), choosing(F(3, 4)), choosing(F(1, 2))
    shift = occupancy_shift(model, new, old)
    met = l1_distance(new, old) @ np.array([F(1, 10), F(9, 20), F(9, 20)])
    yield equal(met, F(1, 20), "mean of the document's D: state 0 has 1/10 of the time, and D = 1/2 there")
    yield equal(shift.right, F(9, 10) / F(1, 10) * met, "the bound, γ/(1 - γ) times it")
    yield at_most(shift.left, shift.right, "shift of the visited states")
    yield tight(F(9, 20), shift.right, "and it is 2 · γ · 1/4, by hand")
    yield swept(shift_beyond_bound, range(12), "random models and policies")


natural_divergence

# %% [markdown]
# ### Is it hard to estimate?
#
# From bare samples of two unknown laws, yes, and KL is no easier. But a policy's probabilities are known; line 1690 divides them. Then $D_{TV} = \mathbb{E}_{a\sim p}[(1 - q(a)/p(a))_+]$, halved as it should be, is the mean of a number
# in $[0, 1]$: its standard error is at most $1/(2\sqrt n)$ for *any* number of actions. No such bound exists for the log-ratio of KL.


# %%
def sampled(p, q):
    """Mean and variance of (1 - q/p)₊ for one action drawn from p."""
    shortfall = [max(1 - b / a, F(0)) for a, b in zip(p, q, strict=True)]
    mean = sum(a * x for a, x in zip(p, shortfall, strict=True))
    return mean, sum(a * x * x for a, x in zip(p, shortfall, strict=True)) - mean**2


@claim(
    "notes-278",
    says="Total variation is very hard to compute by sampling in a very large action space",
    verdict=Wrong(
        because="a policy's probabilities are known, and then 1024 actions are as easy to sample as 4",
        instead="it is the mean of (1 - q/p)₊ over p, a number in [0, 1]: error at most 1/(2√n) at any number of actions",
    ),
    about=(total_variation, sampled),
)
def hard_to_sample():
    yield swept(lambda s: abs(sampled(*pair(s))[0] - total_variation(*pair(s))[()]), range(20), "with ratios: unbiased")
    halves = {n: ([F(1, n)] * n, [F(2, n)] * (n // 2) + [F(0)] * (n // 2)) for n in (4, 64, 1024)}
    found = [sampled(*halves[n]) for n in halves]
    yield equal(found, [(F(1, 2), F(1, 4))] * 3, "p uniform, q on half of the actions: mean and variance of one sample")
    yield against(found[0][1] == found[-1][1], "1024 actions are as easy to sample as 4")
    yield swept(lambda s: sampled(*pair(s))[1] - F(1, 4), range(20), "variance at most 1/4")


hard_to_sample

# %% [markdown]
# ## The Kullback-Leibler divergence
#
# The sum is the usual one. The integral is, too, once its $dx$ is supplied. Unlike the entropy of a density it does not depend on the
# unit of $x$: with $p = 2x$ and $q = 1$ on $[0, w]$, rescaled, it is $\log 2 - \frac12$ for every $w$.

# %%
kl_of_a_table = same_as(
    "notes-281", of="reference-076", says=r"$D_{KL}(p\|q) = \sum_x p(x) \log(p(x)/q(x))$, the same formula"
)
kl_of_a_table


# %%
@claim(
    "notes-282",
    says=r"For densities $D_{KL}(p\|q) = \int_x p(x) \log(p(x)/q(x))$",
    verdict=Holds(note="with dx, which is not printed; infinite where q = 0 < p on more than a null set"),
    about=gaussian_kl,
)
def kl_of_densities():
    x, w = sympy.symbols("x w", positive=True)
    found = sympy.integrate(sympy.expand(2 * x / w**2 * sympy.expand_log(log(2 * x / w), force=True)), (x, 0, w))
    yield proved(found - LOG2 + ratio(1, 2), "2x/w² against 1/w on [0, w]: log 2 - 1/2 for every w")
    y = sympy.Symbol("y", real=True)
    normal = sympy.exp(-((y - 1) ** 2) / 2) / sympy.sqrt(2 * sympy.pi)
    by_integral = sympy.integrate(normal * ((y + 1) ** 2 / 8 - (y - 1) ** 2 / 2 + LOG2), (y, -sympy.oo, sympy.oo))
    yield proved(by_integral - LOG2 - ratio(1, 8), "N(1, 1) against N(-1, 2²), by the integral")
    yield close(gaussian_kl([1.0], [1.0], [-1.0], [2.0]), np.log(2) + 1 / 8, 1e-12, "roundings", "by the closed form")


kl_of_densities

# %% [markdown]
# ### From policies to states
#
# With Pinsker the shift of the visited states is at most $\frac{2\gamma}{1-\gamma}\mathbb{E}_{d^\mu}\sqrt{\mathrm{KL}/2}$. This helps where $\sqrt{\mathrm{KL}}$ is small
# *against* $1 - \gamma$. Let μ stay in a room and π leave it for good with chance 1/10 a step. Then KL(μ‖π) is $\log\frac{10}{9} \approx 0.105$, and at
# γ = 0.99 the two laws of states share a tenth of their mass: $d^\pi \approx d^\mu$ is not justified.


# %%
@claim(
    "notes-285",
    says="These inequalities bound how different the state distributions are, which justifies replacing one by the other",
    verdict=Conditional(given="γ < 1, and √(KL/2), averaged over the states of μ, is small against (1 - γ)/(2γ)"),
    about=(occupancy_shift, kl, pinsker_bound),
)
def from_policies_to_states():
    step = float(pinsker_bound([0.49, 0.51], [0.5, 0.5]))
    near = occupancy_shift(two_rooms(F(1, 2)), choosing(F(51, 100)), choosing(F(1, 2))).left
    yield equal(near, F(1, 100), "two rooms, γ = ½, chance .51 for ½: the shift, by hand")
    yield at_most(float(near), 2 * 0.5 * step, "the bound, 2γ √(KL/2)")
    yield tight(float(near), 2 * 0.5 * step, "attained as π → μ")
    P = [[[F(1), F(0)], [F(0), F(1)]], [[F(0), F(1)], [F(0), F(1)]]]
    model = MDP(P, [[F(0)] * 2] * 2, F(99, 100), [F(1), F(0)])
    yield proved(kl([ratio(1), ratio(0)], [ratio(9, 10), ratio(1, 10)]) - log(ratio(10, 9)), "stay or leave: KL(μ‖π)")
    far = occupancy_shift(model, [[F(9, 10), F(1, 10)], [F(1), F(0)]], [[F(1), F(0)]] * 2)
    time = F(1, 100) / (1 - F(99, 100) * F(9, 10))
    yield equal(far.left, 2 * (1 - time), "γ = .99: π spends (1 - γ)/(1 - .9 γ) of its time in the room")
    yield exceeds(far.left, F(9, 5), "shift, of at most 2, after a KL of 0.105")


from_policies_to_states

# %% [markdown]
# ## Two orders, two algorithms
#
# $\mathrm{KL}(\pi\|\mu)$ is what π pays, in nats for each of its own actions, for being described by μ. As a penalty it gives the tilt of
# μ by $e^{A/\alpha}$, which AWR fits. An example to carry along: three actions, $\mu = (\frac12, \frac14, \frac14)$, advantages $(-\log 2, 2\log 2, 0)$,
# whose mean under μ is 0. At α = 1 the weights are ½, 4, 1, and the tilt is $(\frac16, \frac23, \frac16)$.

# %%
MU = [ratio(1, 2), ratio(1, 4), ratio(1, 4)]
ADV = [-LOG2, 2 * LOG2, sympy.Integer(0)]
TILT = [ratio(1, 6), ratio(2, 3), ratio(1, 6)]


def vanishes(residual, what):
    """The proof that a list of expressions with logarithms is zero."""
    return proved([normal_form(sympy.sympify(x)) for x in residual], what)


@claim(
    "notes-279",
    says=r"$D_{KL}(\pi\|\mu)$, the information lost when μ approximates π, leads to AWR",
    verdict=Holds(note="nats per action of π; AWR bounds its mean over states and penalises it"),
    about=(kl, near_kl),
)
def the_first_choice():
    bits = kl([ratio(1, 2), ratio(1, 4), ratio(1, 4)], [ratio(1, 4), ratio(1, 4), ratio(1, 2)])
    yield proved(bits - LOG2 / 4, "a code for μ costs 1¾ questions per action of π, its own 1½: ¼ log 2 lost")
    yield equal(near_kl(ADV, MU, multiplier=1).policy, TILT, "the penalty's optimum: weights exp(A/α)")
    yield equal(near_kl(ADV, MU, multiplier=ratio(1, 2)).policy, [ratio(k, 35) for k in (1, 32, 2)], "and at α = 1/2")
    yield sourced(
        "Peng et al. (2019), §3: maximise the advantage subject to KL(π(·|s) ‖ μ(·|s)) ≤ ε, then fit exp(A/β)"
    )


the_first_choice

# %% [markdown]
# The other order is indeed TRPO's constraint and the penalty of PPO's KL variant. The PPO in common use has no divergence: its
# clip goes flat beyond ratio 1 ± ε, as content with an infinite $\mathrm{KL}(\mu\|\pi)$ as with a small one.
#
# Then the names. Where distributions are fitted, the divergence with the *fitted* one second is called forward: it covers, for
# what the reference does must not be dropped. With the fitted one first it is the reverse: what the reference never does is excluded.
# The document calls $\mathrm{KL}(\pi\|\mu)$, π being fitted, forward. As an order of letters, $D(\pi, \mu)$ and back, its words make
# sense; as names they are exchanged.


# %%
@claim(
    "notes-280",
    "notes-286",
    says=r"$D_{KL}(\pi\|\mu)$ is the 'forward' direction and gives AWR; $D_{KL}(\mu\|\pi)$, the reverse, leads to PPO and TRPO",
    verdict=Conditional(
        given="forward and reverse are the order of D(π, μ) and its opposite (as names they are exchanged, π being fitted), and PPO is the "
        "variant with a KL penalty: the clip holds no divergence"
    ),
    about=(near_kl, near_reverse_kl, kl, clipped_surrogate),
)
def two_orders():
    yield equal(near_kl(ADV, MU, multiplier=1).policy, TILT, "π first, μ second: AWR's policy")
    A, mu = np.array([-1.0, 2.0, 0.0]), np.array([0.5, 0.25, 0.25])
    best = near_reverse_kl(A, mu, multiplier=1.0)
    slopes = A + mu / best.policy
    yield close(slopes, best.normaliser, 1e-12, "roundings", "μ first: slope A + α μ/π, the same for all actions")
    yield close(best.policy.sum(), 1.0, 1e-12, "roundings", "a distribution")
    yield sourced("Schulman et al. (2015), (12): KL(π_old‖π) bounded; (2017), §4: the same divergence as a penalty")
    ratios = [[F(4, 5), F(9, 5)], [F(0), F(5)]]
    worth = [clipped_surrogate(r, [F(-1, 2), F(2)], F(1, 5)) @ np.array([F(4, 5), F(1, 5)]) for r in ratios]
    yield equal(worth, [F(4, 25)] * 2, "clipped objective, μ(good) = 1/5 and π(good) = 9/25 or 1: .2 · 2.4 - .8 · .4")
    yield against(bool(np.isposinf(kl([0.8, 0.2], [0.0, 1.0]))), "KL(μ‖π) of the second: infinite, and just as good")
    yield sourced("Murphy (2022), §6.2.6: KL(p‖q) with q fitted to p is forwards, KL(q‖p) reverse", against=True)
    dropped = kl([ratio(1), ratio(0)], [ratio(1, 2)] * 2)
    yield proved(dropped - LOG2, "KL(π‖μ) lets π drop an action of μ, for log 2 here: it does not cover")
    yield against(bool(np.isposinf(kl([0.5, 0.5], [1.0, 0.0]))), "and forbids new actions: the mark of the reverse")


two_orders

# %% [markdown]
# ## The closed form
#
# The small problem and its answer are judged elsewhere, in other letters; nothing changes. One line shows both, for every $p$:
# $\mathbb{E}_p f - \alpha\,\mathrm{KL}(p\|q) = \alpha\log Z - \alpha\,\mathrm{KL}(p\|p^*)$. So no gradient has to be followed, in a table and for a given α. If instead a
# *budget* for KL is given, the form stays, and α is the root of one equation in one unknown.

# %%
small_problem = same_as(
    "notes-288",
    of="theory-412",
    says=r"$\max_p \mathbb{E}_p[f] - \alpha D_{KL}(p\|q)$; there p, q, f, α are π, π_ref, r, β",
)
small_problem

# %%
its_solution = same_as(
    "notes-289",
    of="theory-425",
    says=r"$p^* \propto q\, e^{f/\alpha}$; there with its normaliser Z, and in the letters of RLHF",
)
its_solution


# %% [markdown]
# What is good is relative: a value counts as large if it exceeds $\alpha\log Z$, the certainty equivalent of $q$, since
# $\log(p^*/q) = (f - \alpha\log Z)/\alpha$. Halving α doubles every difference between the logarithms.
#
# With $f = A^\mu$ this is the oracle of AWR: the optimum of the penalised objective of line 1445, state by state. What it is worth in the
# MDP is another matter, as $A^\mu$ is the advantage for those who return to μ. In the loop of two states (from A right pays 3
# and goes to B, left pays 1; from B right pays 10 and ends, left goes back; γ = 9/10), μ uniform, advantages are ±31/139 in A, ±70/139 in B.


# %%
@claim(
    "notes-287",
    "notes-290",
    "notes-291",
    says=r"The penalised problem is solved by reweighting q with exp(f/α), up where f is large, down where small, α setting how aggressively; "
    r"so $\pi^* \propto \mu \exp(A^\mu/\alpha)$ is the optimal policy",
    verdict=Holds(
        note="optimal for the penalised objective with the states of μ, in a table; not for the MDP. Large means above α log Z; a budget "
        "KL ≤ δ leaves α to a root"
    ),
    about=(near_kl, kl_regularised_value, kl_regularised_policy, reps_dual_loss_gradient, advantage),
)
def no_gradient_needed():
    q, f, p = simplex("w", 3), reals("f", 3), simplex("v", 3)
    best = near_kl(f, q, multiplier=beta)
    weights = [m * sympy.exp(x / beta) for m, x in zip(q, f, strict=True)]
    star, line = [w / sum(weights) for w in weights], beta * log(sum(weights))
    yield vanishes(
        [*(best.policy - star), best.normaliser - line], "the library's optimum and its α log Z, free q and f"
    )
    worth = sum(a * x - beta * a * (log(a) - log(m)) for a, x, m in zip(p, f, q, strict=True))
    short = beta * sum(a * (log(a) - log(s)) for a, s in zip(p, star, strict=True))
    yield vanishes([worth + short - line], "every p is short of α log Z by α KL(p‖p*)")
    found, level = kl_regularised_policy(q, f, beta), kl_regularised_value(q, f, beta)[()]
    growth = [log(a) - log(b) for a, b in zip(found, q, strict=True)]
    yield vanishes([beta * g - (x - level) for g, x in zip(growth, f, strict=True)], "α log(p*/q) = f - α log Z")
    yield vanishes([growth[0] - growth[1] - (f[0] - f[1]) / beta], "log-ratios differ by (f - f')/α")
    yield vanishes([kl_regularised_value(MU, ADV, 1)[()] - log(ratio(3, 2))], "three actions: the line is log 3/2")
    spent = float(ratio(7, 6) * LOG2 - log(ratio(3, 2)))
    budgeted = near_kl(floats(ADV), floats(MU), budget=spent)
    yield close(budgeted.policy, floats(TILT), 1e-9, "a root to 1e-12", "budget KL ≤ 7/6 log 2 - log 3/2")
    yield close(reps_dual_loss_gradient(floats(MU), floats(ADV), 1.0, spent), 0.0, 1e-12, "roundings", "its α is 1")
    loop = gallery.left_right_loop()
    A = advantage(loop, uniform(loop))
    yield equal(A, [[F(-31, 139), F(31, 139)], [F(70, 139), F(-70, 139)]], "the loop's advantages, by hand")
    scores = [ratio(x.numerator, x.denominator) for x in A[0]]
    tilt = kl_regularised_policy([ratio(1, 2)] * 2, scores, ratio(31, 139) / LOG2)
    yield equal(tilt, [ratio(1, 5), ratio(4, 5)], "in A, with α = 31/(139 log 2): weights 1/2 and 2")


no_gradient_needed

# %% [markdown]
# Which actions gain? Those with $A > \alpha\log Z$. As the mean advantage under μ is 0, the line is never below 0, so an action of
# negative advantage always loses. One of positive advantage may lose too, even one that is much better than average, if another is
# better still. Three actions, equally likely, with advantages $3\log 2$, $2\log 2$ and $-5\log 2$: at α = 1 the second falls to 128/385, at
# α = ½ to about a fifth.
#
# As α → 0 all mass goes to the best action, if one alone is best among those that μ takes. Two best ones share it in the proportions of μ,
# which is no deterministic policy; a best action that μ never takes gets nothing. As α → ∞ the policy returns to μ: $|\log \pi^*/\mu|$ is
# at most the range of the advantages over α.


# %%
@claim(
    "notes-292",
    "notes-293",
    says="High positive advantages get upweighted exponentially, negative ones downweighted; a very small α puts all mass on the single best "
    "action, a large one keeps the policy close to μ",
    verdict=Conditional(
        given="high means above α log Z(s), not above 0 (negative ones always lose); one action alone is best, and μ takes it; large is large "
        "against the range of the advantages"
    ),
    about=(kl_regularised_policy, advantage_weights),
)
def which_actions_gain():
    third, A = [ratio(1, 3)] * 3, [3 * LOG2, 2 * LOG2, -5 * LOG2]
    yield equal(sum(advantage_weights(A, 1)), 12 + ratio(1, 32), "weights 8, 4 and 1/32")
    at_one, at_half = (kl_regularised_policy(third, A, alpha) for alpha in (1, ratio(1, 2)))
    yield equal(at_one, [ratio(k, 385) for k in (256, 128, 1)], "π* at α = 1")
    yield exceeds(ratio(1, 3), at_one[1], "A = 2 log 2: its chance under μ, said to grow, and under π*")
    yield equal(at_half[1], 16 / (80 + ratio(1, 1024)), "at α = 1/2: about a fifth")
    w, f = simplex("w", 3), reals("f", 3)
    mean = sum(a * x for a, x in zip(w, f, strict=True))
    line = sum(a * sympy.exp((x - mean) / beta) for a, x in zip(w, f, strict=True))
    terms = [a * log_gap(sympy.exp((x - mean) / beta)) for a, x in zip(w, f, strict=True)]
    residual = sympy.expand(line - 1 - sum(t.doit() for t in terms))
    yield vanishes([residual], "with A = f - E f: Z - 1 = Σ μ ℓ(exp(A/α)), free μ, f and α")
    yield proved_at_most(0, sum(terms), terms, "each term is at least 0: so α log Z ≥ 0, and A < 0 always loses")
    stated = [ratio(1, 16) / (16 + ratio(5, 16)), 16 / (16 + ratio(5, 16)), ratio(1, 4) / (16 + ratio(5, 16))]
    yield equal(kl_regularised_policy(MU, ADV, ratio(1, 3)), stated, "the first example at α = 1/3: weights 1/8, 64, 1")
    tied = kl_regularised_policy([0.5, 0.25, 0.25], [1.0, 1.0, -3.0], 1e-3)
    yield close(tied, [2 / 3, 1 / 3, 0.0], 1e-12, "roundings; e^-4000 is 0", "two best actions, α = 0.001")
    yield differs([1.0, 0.0, 0.0], tied, "no deterministic policy", apart=0.1)
    unseen = kl_regularised_policy([1.0, 0.0], [0.0, 5.0], 1e-3)
    yield against(bool(unseen[1] == 0), "a best action that μ never takes: probability 0 at every α")
    yield close(
        kl_regularised_policy([0.5, 0.25, 0.25], [-1.0, 2.0, 0.0], 1e9), [0.5, 0.25, 0.25], 1e-8, "range/α", "α = 1e9"
    )
    rare = kl_regularised_policy([1e-6, 1 - 1e-6], [1.0, 0.0], 10.0)
    yield at_most(np.log(rare[0] / 1e-6), 0.1, "|log π*/μ| against range/α, a rare best action")
    yield tight(np.log(rare[0] / 1e-6), 0.1, "attained as its μ → 0")


which_actions_gain


# %%
@figure
def who_gains():
    """π*/μ of three equally likely actions against α: A = 2 log 2 gains only at large α, where the best one gains little."""
    from matplotlib import pyplot as plt

    A, alphas = np.log(2) * np.array([3.0, 2.0, -5.0]), np.logspace(-1, 1.5, 121)
    found = 3 * np.array([kl_regularised_policy(np.full(3, 1 / 3), A, a) for a in alphas])
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    for k, name in enumerate(("3 log 2", "2 log 2", "-5 log 2")):
        ax.semilogx(alphas, found[:, k], ("-", "--", ":")[k], color=COLOURS[k], label=f"A = {name}")
    ax.axhline(1, color="0.6", lw=1)
    ax.set(xlabel="temperature α", ylabel="π*/μ")
    ax.legend()
    return fig


who_gains

# %% [markdown]
# ## Fitting a network
#
# Which divergence is minimised? With π\* *first*, $\mathrm{KL}(\pi^*\|\pi_\theta) = \text{const} - \mathbb{E}_\mu[\frac{w}{Z}\log\pi_\theta]$, a weighted
# log-likelihood. With π\* second it is not: if the first two of the three actions must share a probability θ, the likelihood takes the
# mean of theirs, 5/12, and $\mathrm{KL}(\pi_\theta\|\pi^*)$, up to scale, their geometric mean, 2/5.
#
# And the objective of line 1624 has no $1/Z(s)$. In a table that changes nothing. A network that must compromise gives states with a
# large $Z$ more say. Two states, met equally often, share one probability; μ is even, the weights are (2, ½) and (¼, 4). The KL fit is 73/170,
# the mean of 4/5 and 1/17. The regression gives 1/3.


# %%
def sampled_loss(log_probs):
    """AWR's loss at α = 1 on four samples in the proportions of μ: two of the first action, one of each other."""
    batch = [0, 0, 1, 2]
    return awr_loss([log_probs[a] for a in batch], [ADV[a] for a in batch], 1).sum()


def regressed(*weights):
    """The probability p of the first action that fits all of these (w of the first, w of the second), one p for all."""
    p = sympy.Symbol("p", positive=True)
    loss = sum(weighted_regression_loss([log(p), log(1 - p)], w).sum() for w in weights)
    return sympy.solve(sympy.diff(loss, p), p)[0]


@claim(
    "notes-294",
    "notes-296",
    says=r"Fitting $\pi_\theta$ to $\pi^*$ by KL is maximum likelihood, $\max_\theta \mathbb{E}_{d^\mu, \mu}[\exp(A^\mu/\alpha) \log\pi_\theta]$",
    verdict=Conditional(
        given="it is KL(π*‖π_θ), the fitted policy second, and the family holds π* in every state (a table) or Z(s) is the same in "
        "all; else each state's weights are to be divided by Z(s)"
    ),
    about=(awr_loss, kl, advantage_weights, partition, weighted_regression_loss),
)
def fitting_by_likelihood():
    pi, theta = simplex("v", 3), sympy.Symbol("theta", positive=True)
    loss = sampled_loss([log(x) for x in pi])
    constant = sum(p * log(p) for p in TILT)
    yield vanishes([kl(TILT, pi)[()] - constant - loss / 6], "KL(π*‖π) = const + mean loss / Z, Z = 3/2, free π")
    tied = [theta, theta, 1 - 2 * theta]
    slope = sympy.diff(sampled_loss([log(x) for x in tied]), theta)
    yield proved(slope.subs(theta, ratio(5, 12)), "likelihood, first two tied: level at θ = 5/12")
    other = sympy.diff(kl(tied, TILT)[()], theta)
    yield proved(sympy.expand_log(other.subs(theta, ratio(2, 5)), force=True), "KL(π_θ‖π*): level at θ = 2/5")
    yield differs(F(5, 12), F(2, 5), "the two fits")
    A = [[LOG2, -LOG2], [-2 * LOG2, 2 * LOG2]]
    w = [advantage_weights(row, 1) for row in A]
    z = [partition([ratio(1, 2)] * 2, row, sympy.Integer(1))[()] for row in A]
    yield equal(z, [ratio(5, 4), ratio(17, 8)], "Z of the two states")
    yield equal([regressed(w[0]), regressed(w[1])], [ratio(4, 5), ratio(1, 17)], "a table: each state gets its π*")
    yield differs(regressed(*w), ratio(73, 170), "one policy for both: regression, against the least mean KL(π*‖π)")
    yield equal(regressed(*w), ratio(1, 3), "2 + ¼ against ½ + 4")
    yield equal(
        regressed(w[0] / z[0], w[1] / z[1]), ratio(73, 170), "weights divided by Z(s): the mean of 4/5 and 1/17"
    )


fitting_by_likelihood

# %% [markdown]
# In that regression the *labels* are the actions of the data, and $e^{A/\alpha}$ is how much each counts. (As soft labels one could take $\pi^*$
# itself, $\mu w/Z$.) Taken for labels, the numbers $w$ would be fitted without μ: three samples of one action and one of another, with
# weights ½ and 8, give chances in the ratio 3 : 16, not 1 : 16. Six lines on, the document calls them weights.


# %%
def weighted_batch():
    """log p and log (1 - p), three samples and one; advantages -log 2 and 3 log 2, of mean 0."""
    p = sympy.Symbol("p", positive=True)
    return p, [log(1 - p)] * 3 + [log(p)], [-LOG2] * 3 + [3 * LOG2]


@claim(
    "notes-295",
    says="In the maximum likelihood estimation the 'labels' are the exponential weights",
    verdict=Wrong(
        because="they multiply the log-likelihood; what is predicted are the actions, and taking w for labels loses μ",
        instead="the labels are the sampled actions (softly: μ w/Z), and exp(A/α) are the weights",
    ),
    about=(advantage_weights, weighted_regression_loss),
)
def labels_and_weights():
    p, logs, A = weighted_batch()
    w = advantage_weights(A, 1)
    yield equal(w, [ratio(1, 2)] * 3 + [8], "weights, sample by sample")
    level = sympy.solve(sympy.diff(weighted_regression_loss(logs, w).sum(), p), p)
    yield differs(F(16, 17), F(16, 19), "chance of the good action: w itself as the label, against the fit")
    yield equal(level, [ratio(16, 19)], "3 · ½ : 1 · 8, actions as labels, w as weights")
    yield vanishes(
        weighted_regression_loss(logs, 2 * w) - 2 * weighted_regression_loss(logs, w), "doubled, no label would do"
    )
    yield sourced("notes, line 1627: 'weights are the exponentiated advantages'", against=True)


labels_and_weights


# %%
@claim(
    "notes-297",
    "notes-299",
    says=r"A weighted maximum likelihood on the buffer, $\max_\theta \mathbb{E}_D[\exp(A^\mu/\alpha) \log\pi_\theta(a|s)]$: good actions count more, "
    "and are made more probable",
    verdict=Holds(
        note="sample by sample; no weight is negative, so bad actions are pulled up too, by less. What is tilted are the buffer's own "
        "frequencies, which are μ's only if μ filled it; its states come undiscounted"
    ),
    about=(awr_loss, awr_loss_gradient, kl_regularised_policy),
)
def weights_on_the_likelihood():
    logs = [log(ratio(1, 2))] * 2
    yield equal(awr_loss_gradient(logs, [LOG3, -LOG3], 1), [-3, ratio(-1, 3)], "pull on log π: A = log 3 and -log 3")
    yield vanishes(awr_loss(logs, [LOG3, -LOG3], 1) - np.array([3, ratio(1, 3)]) * LOG2, "their losses at π = ½")
    p, batch, A = weighted_batch()
    fit = sympy.solve(sympy.diff(awr_loss(batch, A, 1).sum(), p), p)
    yield equal(fit, [ratio(16, 19)], "three bad samples of weight ½, a good one of weight 8")
    tilt = kl_regularised_policy([ratio(3, 4), ratio(1, 4)], [-LOG2, 3 * LOG2], 1)
    yield equal(tilt, [ratio(3, 19), ratio(16, 19)], "the tilt of the frequencies ¾ and ¼")


weights_on_the_likelihood

# %% [markdown]
# ## The algorithm
#
# Collect, fit the critic, regress; then collect with the new policy. With an exact critic and a table each round is one tilt. It never
# lowers the value of any state, since $\sum_a \pi^* A^\mu \ge \alpha\,\mathrm{KL}(\pi^*\|\mu)$; in the loop it goes to the optimum, 300/19 and 270/19.


# %%
def rounds(model, alpha, n):
    """The policies of n rounds of AWR with an exact critic, from uniform."""
    policies = [uniform(model)]
    for _ in range(n):
        policies.append(kl_regularised_policy(policies[-1], advantage(model, policies[-1]), alpha))
    return policies


@claim(
    "notes-298",
    says=r"AWR: collect with μ into a buffer, train a critic for $A^\mu$, solve the weighted regression",
    verdict=Holds(
        note="with a critic that is right; a noisy return in its place favours actions that are merely risky"
    ),
    about=(advantage, kl_regularised_policy, awr_loss_gradient),
)
def the_algorithm():
    loop = gallery.left_right_loop().to_float()
    A = advantage(loop, uniform(loop))[0]
    yield close(A, [-31 / 139, 31 / 139], 1e-12, "roundings", "the critic's answer in A")
    tilt, pulls = kl_regularised_policy([0.5, 0.5], A, 1.0), 0.5 * awr_loss_gradient([0.0, 0.0], A, 1.0)
    odds = np.exp(62 / 139)
    yield close(tilt, [1 / (1 + odds), odds / (1 + odds)], 1e-12, "roundings", "the tilt in A, by hand")
    yield close(pulls / pulls.sum(), tilt, 1e-12, "roundings", "where the regression's pulls balance in the logits")
    yield close(pulls[1], -0.5 * np.exp(31 / 139), 1e-12, "roundings", "the pull of right")
    found = [policy_value(loop, policy) for policy in rounds(loop, 1.0, 60)]
    yield close(found[0], [1700 / 139, 1460 / 139], 1e-12, "roundings", "the uniform start, by hand")
    yield shows(all((b > a - 1e-12).all() for a, b in pairwise(found)), "no round lowers a value")
    yield close(
        found[-1], [300 / 19, 270 / 19], 1e-6, "sixty rounds at α = 1", "the optimum, from the walk round the loop"
    )


the_algorithm

# %% [markdown]
# ## Any behaviour, old data
#
# No action of π is needed: true. With the data's *own* policy as μ (for a mixture of policies, their mixture in each state) and its own
# advantage, the tilt is no worse than the data in any state. "Any behaviour" and "just like DQN's buffer" go further, and fail twice. An action that
# is not in the data stays out: in the loop, data that always take the 10 never teach the walk. And a tilt *starts from the
# data's policy*: data of an old, poor policy, weighted with the present policy's advantages, give a policy between the two,
# worse than the present one. DQN's target does not depend on who acted.
#
# A large α is no way out. Weights of 1 make the regression plain imitation of the *buffer*: nothing changes if the present policy filled
# it, and if older ones did, the result is they. At α → ∞ those old data turn a policy of return 0.9 into one of 0.1.
#
# And must REINFORCE discard? Fed with old samples as they are, it has the wrong mean: with samples of (½, ½) and a present policy of (1/5, 4/5),
# 1/10 where the gradient is 4/25. With importance weights the same samples have the right one, at a price in variance. Which
# of the two needs fewer samples is a matter of experiments.


# %%
def improvement_missed(seed):
    """Largest loss of value in any state, from a random policy to its tilt, at a random α."""
    model = gallery.random_mdp(seed, 4, 3, exact=False)
    rng = np.random.default_rng(seed)
    mu = np.array([floats(random_law(rng, 3)) for _ in range(4)])
    tilt = kl_regularised_policy(mu, advantage(model, mu), float(rng.uniform(0.1, 3)))
    return policy_value(model, mu) - policy_value(model, tilt)


@claim(
    "notes-300",
    "notes-301",
    "notes-303",
    says="Any behaviour's data, and old data, will do, as in DQN's buffer; REINFORCE must discard them, so AWR is much more sample-efficient; a "
    "large α, all weights near 1, is safe: little changes",
    verdict=Conditional(
        given="μ and A^μ are those of whoever filled the buffer, who took the actions that matter: the result is near *them*, and near the "
        "present policy only if that is theirs. REINFORCE goes without importance weights; how much is saved is experience"
    ),
    about=(kl_regularised_policy, policy_value, advantage, advantage_weights, policy_gradient, importance_ratios),
)
def any_behaviour():
    loop = gallery.left_right_loop()
    taken = deterministic(loop, ["right", "right"])
    yield equal(advantage(loop, taken)[1], [F(4, 5), 0], "data always right: walking back from B is .9 · 12 against 10")
    kept = kl_regularised_policy([ratio(0), ratio(1)], [ratio(4, 5), ratio(0)], ratio(1, 100))
    yield equal(kept, [0, 1], "in B, even at α = 1/100: not in the data, not in the fit")
    yield swept(improvement_missed, range(20), "the tilt against its own data, every state", 1e-10, "roundings")
    yield differs(policy_value(loop, taken)[1], F(270, 19), "B for ever after, against the optimum")
    old, present = [ratio(9, 10), ratio(1, 10)], [ratio(1, 10), ratio(9, 10)]
    arms = gallery.bandit((0, 1))
    A = advantage(arms, np.array([[F(1, 10), F(9, 10)]]))[0]
    yield equal(A, [F(-9, 10), F(1, 10)], "two arms that pay 0 and 1: advantages of a present policy (.1, .9)")
    scores = [ratio(x.numerator, x.denominator) for x in A]
    mixed = kl_regularised_policy(old, scores, 1 / LOG2)
    yield equal(mixed, [ratio(9, 11), ratio(2, 11)], "old data (.9, .1), α = 1/log 2: odds 1/9 doubled")
    yield exceeds(present[1], mixed[1], "return, present policy and what the regression makes of it")
    w = advantage_weights([-0.9, 0.1], 1e6)
    yield close(w, [1 - 0.9e-6, 1 + 0.1e-6], 1e-12, "the next term of exp", "α = 10⁶: weights 1 + A/α")
    own, cloned = (kl_regularised_policy(floats(data), [-0.9, 0.1], 1e6) for data in (present, old))
    yield close(own, [0.1 - 0.9e-7, 0.9 + 0.9e-7], 1e-12, "the next term", "own data: moved by μ (A - E A)/α")
    yield differs(floats(present), cloned, "old data: the present policy, and what becomes of it", apart=0.5)
    now = [ratio(1, 5), ratio(4, 5)]
    slope = policy_gradient(arms, softmax_at(arms, np.array([[F(1, 5), F(4, 5)]]))).ravel()[1]
    yield equal(slope, F(4, 5) * F(1, 5), "the gradient in the logit of the arm that pays")
    score = 1 - now[1]
    uncorrected = ratio(1, 2) * 1 * score
    yield equal(uncorrected, F(1, 10), "mean of R ∇log π over samples of (½, ½): not that")
    rho = importance_ratios([log(x) for x in now], [log(ratio(1, 2))] * 2)
    yield equal(rho, [ratio(2, 5), ratio(8, 5)], "ratios of the old samples")
    yield against(
        bool(ratio(1, 2) * rho[1] * score == ratio(4, 25)),
        "weighted, the old samples have the right mean: they can stay",
    )


any_behaviour

# %% [markdown]
# ## Temperature, in a finite buffer
#
# Small α: the weights of three samples with advantages log 2, 0 and -log 2 are worth 7/3 samples at α = 1, and hardly more than one
# at α = 1/5. Overfitting is easy to show where returns stand in for the critic. One arm pays 1; the other pays 4 with chance 1/5,
# which is worth 0.8. Two samples of each: in 9 of 25 buffers a 4 turns up, and at α → 0 the fit then takes the worse arm for ever.
#
# The last remark is exact: rewards times $c$ give advantages times $c$, and only $A/\alpha$ matters. So the same policy comes out at $c\,\alpha$.


# %%
def fit_from_returns(k):
    """{lottery tickets that paid: chance of the lottery in the fit}, two samples of each arm, weights 2^(k R)."""
    fits = {}
    for won in range(3):
        weights = normalised_advantage_weights([1, 1] + [4] * won + [0] * (2 - won), 1 / (k * LOG2))
        fits[won] = weights[2:].sum()
    return fits


@claim(
    "notes-302",
    "notes-304",
    says="A very small α concentrates on the best observed actions: fast, at the risk of overfitting; a very large one hardly improves; the "
    "right one scales with the rewards",
    verdict=Holds(
        note="the risk is that of a noisy critic, or of returns in its place. Rewards × c and α × c give exactly the same policy"
    ),
    about=(
        effective_sample_size,
        normalised_advantage_weights,
        advantage_weights,
        advantage,
        kl_regularised_policy,
        expected_return,
    ),
)
def a_small_temperature():
    for k, worth in ((0, ratio(3)), (1, ratio(7, 3)), (5, (33 + ratio(1, 32)) ** 2 / (1025 + ratio(1, 1024)))):
        w = advantage_weights([k * LOG2, sympy.Integer(0), -k * LOG2], 1)
        yield equal(w, [ratio(2) ** k, 1, ratio(2) ** -k], f"weights at α = 1/{k}" if k else "weights at α = ∞")
        yield equal(effective_sample_size(w), worth, "what three samples are worth")
    mild, sharp = fit_from_returns(ratio(1, 2)), fit_from_returns(20)
    yield equal(mild[2], 8 / (8 + 2 * sympy.sqrt(2)), "both tickets paid, α = 2/log 2: 4 + 4 against √2 + √2")
    yield equal(sharp[0], 1 / (1 + ratio(2) ** 20), "none paid, α = 1/(20 log 2): the safe arm, but for a millionth")
    yield equal(sharp[1], (ratio(2) ** 80 + 1) / (ratio(2) ** 80 + 1 + ratio(2) ** 21), "one paid: the lottery")
    yield equal(1 - F(4, 5) ** 2, F(9, 25), "buffers in which a ticket paid")
    yield below(1 - sharp[1] / 5, 1 - ratio(1, 2) / 5, "its return, about .8, against .9 of the data")
    ten = F(10)
    scaled = MDP.from_outcomes(
        [[[(1, 0, 1 * ten, False)], [(1, 1, 3 * ten, False)]], [[(1, 0, 0, False)], [(1, None, 10 * ten, True)]]],
        F(9, 10),
        0,
    )
    yield equal(
        advantage(scaled, uniform(scaled))[0],
        [F(-310, 139), F(310, 139)],
        "the loop with rewards × 10: advantages × 10",
    )
    mu, f, c = simplex("w", 3), reals("f", 3), sympy.Symbol("c", positive=True)
    same = kl_regularised_policy(mu, [c * x for x in f], c * beta) - kl_regularised_policy(mu, f, beta)
    yield vanishes(same, "values × c at c α: the same policy, free μ, f, α and c")
    tenfold = kl_regularised_policy([ratio(1, 2)] * 2, [-10 * LOG2, 10 * LOG2], 1)
    yield equal(
        tenfold[1], ratio(4**10, 4**10 + 1), "advantages ∓log 2 give 4/5; ten times them, α kept, all but a millionth"
    )
    arms = gallery.bandit((0, 1)).to_float()
    earned = [expected_return(arms, kl_regularised_policy([0.5, 0.5], [-0.5, 0.5], a)[None, :]) for a in (0.02, 1e6)]
    yield close(
        earned, [1.0, 0.5 + 0.25e-6], 1e-12, "e^-50 and the next term", "too small: one arm alone; too large: no gain"
    )


a_small_temperature
