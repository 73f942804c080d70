# %% [markdown]
# # Proximal policy optimisation, with a price and with a clip
#
# *Document `notes`, lines 1653 to 1772.* The penalised problem and its gradient are right, once the gradient is not called the objective and the
# penalty is averaged over states like everything else. The step from the penalty to the clip is not: a small divergence allows any ratio for
# a rare action, and clipping bounds neither. Two lines of the clip say the opposite of what is computed: the rule as printed clips the wrong
# side, and in case 3 it is the *unclipped* term that counts, or there would be no gradient.

# %%
from fractions import Fraction
from math import log, sqrt

import numpy as np
import sympy

from rlexact import gallery
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
    printed,
    proved,
    same_as,
    sourced,
)
from rlexact.exact.difference import surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, occupancy
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.regularised import near_reverse_kl
from rlexact.formulas.categorical import softmax
from rlexact.formulas.divergence import kl, kl_logit_gradient, total_variation
from rlexact.formulas.entropy import entropy
from rlexact.formulas.kl_estimators import k1
from rlexact.formulas.off_policy import importance_weighted_surrogate
from rlexact.formulas.ppo import (
    active_set,
    clip_only_surrogate,
    clip_only_surrogate_gradient,
    clipped_surrogate,
    clipped_surrogate_gradient,
)
from rlexact.formulas.ppo_penalty import ppo_penalty_loss_gradient
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic_policies

SECTION = Section("notes", "ppo", "Proximal policy optimisation, with a price and with a clip")

ONE, HALF, QUARTER, TENTH, FIFTH = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(1, 5)
EPS = FIFTH
LOW, HIGH, WIDE = 1 - EPS, 1 + EPS, Fraction("0.28")

# %%
chatgpt = same_as("notes-305", of="theory-247", says="PPO was used for ChatGPT's policy in its RLHF stage")
chatgpt

# %% [markdown]
# ## The problem
#
# Two gates, γ = ½. At each one may *stop*, which ends the episode and pays nothing, or *go*: through the first gate go pays 1, through the second it costs 8. The
# old policy μ goes one time in ten. A policy that goes with probabilities $p$ and then $q$ returns $p(1 - 4q)$, best at $p = 1$, $q = 0$.


# %%
def two_gates():
    """Stop (0, the end) or go: 1 at the first gate, on to the second; -8 at the second, the end."""
    stop = (ONE, None, 0, True)
    return MDP.from_outcomes([[[stop], [(ONE, 1, 1, False)]], [[stop], [(ONE, None, -8, True)]]], HALF, 0)


def going(p, q):
    """The policy that goes with these probabilities at the two gates."""
    return np.array([[1 - p, p], [1 - q, q]])


OLD = going(TENTH, TENTH)
advantage(two_gates(), OLD)

# %% [markdown]
# With states as μ meets them, discounted and normalised, the first term is linear in the policy, 0 at μ, and has there $1 - \gamma$ times the slope of the return, .3 and -.2. A divergence that is smooth at μ
# adds nothing to that slope. The one that the document chooses, $KL(\mu \| \pi)$, is that of PPO's variant with a penalty (the algorithm of that name is the clipped one). It has an optimum in closed form too,
# up to one number: $\pi(a) = \alpha\mu(a) / (\nu - A(a))$, with ν such that the sum is 1. Take two arms that pay 1 and 3, and an even μ, so $A = \mp 1$. At $\alpha = \frac32$ this is $\nu = 2$ and
# $\pi = (\frac14, \frac34)$.
#
# As printed, both times, the bracket of $E_{s \sim d^\mu}$ closes before the penalty (line 1445 of the document has it inside), and $D$ is defined for one state, at line 1544. A divergence of one state leaves
# the others without a price: the same two arms in a second room are pulled greedily, at an infinite divergence.


# %%
def gain(p):
    """E_π A = E_μ[r A] for the even μ and A = -1, 1, at π = (1 - p, p)."""
    return sum(importance_weighted_surrogate([2 * (1 - p), 2 * p], [-ONE, ONE])) / 2


@claim(
    "notes-306",
    "notes-307",
    says=r"$\max_\pi E_{s \sim d^\mu}[E_{a \sim \pi}[A^\mu(s, a)]] - \alpha D(\pi, \mu)$; for PPO $D = D_{KL}(\mu(\cdot|s) \| \pi_\theta(\cdot|s))$",
    verdict=Conditional(
        given="there is one state, or the mean over s covers D too; and PPO's penalised variant is meant"
    ),
    about=(occupancy, advantage, expected_return, near_reverse_kl, gain),
)
def the_penalised_problem():
    p, q = sympy.symbols("p q", positive=True)
    tenth, model, new = sympy.Rational(1, 10), two_gates().to_symbolic(), going(p, q)
    old = going(tenth, tenth)
    first_term = occupancy(model, old) @ (new * advantage(model, old)).sum(axis=1)
    yield proved(first_term - (3 * (p - tenth) - 2 * (q - tenth)) / 10, ".3 (p - .1) - .2 (q - .1): 0 at μ")
    J = expected_return(model, new)
    yield proved(J - p * (1 - 4 * q), "J = p (1 - 4q), which has the slopes .6 and -.4 at μ")
    found = near_reverse_kl([-1.0, 1.0], [0.5, 0.5], multiplier=1.5)
    yield close(found.policy, [0.25, 0.75], 1e-9, "a root finder in double precision", "one state, α = 3/2: π")
    objective = 2 * p - 1 + sympy.Rational(3, 4) * sympy.log(4 * p * (1 - p))
    yield proved(sympy.diff(objective, p).subs(p, sympy.Rational(3, 4)), "slope of 2p - 1 - α KL at p = 3/4")
    yield equal([gain(3 * QUARTER), gain(ONE)], [HALF, ONE], "E_π A at p = 3/4, and at p = 1")
    yield exceeds((gain(ONE) + HALF) / 2, HALF, "two rooms, only the first one's D charged: p = 3/4 in both is best")
    yield sourced("Schulman et al. (2017), (8): E[r A - β KL(π_old ‖ π)], both terms inside the mean; (7) is the clip")


the_penalised_problem

# %% [markdown]
# The optimum of AWR's problem, with the arguments exchanged, is $\pi \propto \mu e^{A/\alpha}$, and at $\alpha = \frac32$ it is $(0.209, 0.791)$: another policy, of the same kind. What is called *reverse* here is
# the order that maximum likelihood minimises, which most texts call forward.
#
# ## Importance sampling
#
# The identity is judged at its first appearance: it needs $q > 0$ wherever $p f \neq 0$. With $p = \pi_\theta$, $q = \mu$, $f = A^\mu$ it is the second one. A μ that pulls the first arm only gives 0 for the reweighted
# mean of $(0, 2)$, and any π that pulls the other has a positive one.

# %%
the_identity = same_as(
    "notes-308",
    "notes-309",
    of="reference-091",
    says=r"$E_p[f] = E_q[\tfrac{p}{q} f]$; with actions, $E_{a \sim \pi_\theta}[A^\mu] = E_{a \sim \mu}[\tfrac{\pi_\theta}{\mu} A^\mu]$",
)
the_identity

# %% [markdown]
# The line after it calls this the *importance-weighted policy gradient*. It is a number, the objective, and at $\pi_\theta = \mu$ it is 0 whatever the gradient is. (And a replay buffer
# holds the actions of many policies: each needs the probability with which its own policy took it.) Nine lines on the names are exchanged: *the full PPO objective* is printed with
# $\nabla_\theta$ in front. That is its gradient, which is 0 at the maximum, where the objective is not.

# %%
the_ratio = same_as("notes-311", of="theory-216", says=r"$r(\theta) = \pi_\theta(a|s) / \mu(a|s)$")
the_ratio


# %%
def logs(p):
    return [sympy.log(x) for x in p]


def uphill(pi, mu, A, alpha):
    """∇ (E_μ[r A] - α KL(μ ‖ π)) in the logits of one state, from the weight of each sample's score."""
    weights = -np.array(mu) * ppo_penalty_loss_gradient(logs(pi), logs(mu), A, alpha)
    return weights @ (np.eye(len(mu), dtype=int) - np.array(pi))


def rationals(*numbers):
    return [sympy.Rational(x) for x in numbers]


EVEN, BEST, ALPHA = rationals("1/2", "1/2"), rationals("1/4", "3/4"), sympy.Rational(3, 2)


@claim(
    "notes-310",
    "notes-312",
    says=r"$E_\mu[\frac{\pi_\theta}{\mu} A^\mu]$ is the policy gradient; the full objective is $\nabla_\theta [E_\mu[\frac{\pi_\theta}{\mu} A^\mu] - \alpha D_{KL}(\mu \| \pi_\theta)]$",
    verdict=Wrong(
        because="the first is the objective, 0 at π_θ = μ where the gradient is (-½, ½); the second its gradient, 0 at the best policy",
        instead=r"objectives without ∇ (the mean over s outside both terms); the gradient is $E_\mu[(r A + \alpha) \nabla \log\pi_\theta]$",
    ),
    about=(importance_weighted_surrogate, policy_gradient, uphill, ppo_penalty_loss_gradient, kl),
)
def names_exchanged():
    model = gallery.two_armed_bandit()
    gradient = policy_gradient(model, softmax_at(model, np.array([[HALF, HALF]])))[0]
    value = sum(importance_weighted_surrogate([ONE, ONE], [-ONE, ONE])) / 2
    yield equal([value, *gradient], [0, -HALF, HALF], "at π_θ = μ, A = ∓1: line 1690, and ∇J, π(a) A(a)")
    yield differs([value, value], gradient, "line 1690 and the gradient")
    top = BEST[1] - BEST[0] - ALPHA * kl(EVEN, BEST).item()
    yield proved(top - (1 - ALPHA * sympy.log(sympy.Rational(4, 3))) / 2, "the objective at (¼, ¾): ½ - ¾ log 4/3")
    yield equal([*uphill(BEST, EVEN, [-1, 1], ALPHA)], [0, 0], "line 1704 there")
    yield against(bool(float(top) > 0.28), "where the objective is .28, the display called objective is 0")
    z, a = sympy.symbols("z1:3", real=True), sympy.symbols("A1:3", real=True)
    pi = softmax(z)
    inside = np.array(EVEN) @ importance_weighted_surrogate(2 * pi, a) - ALPHA * kl(EVEN, pi).item()
    slopes = [sympy.diff(inside, x) for x in z]
    yield proved(uphill(pi, EVEN, a, ALPHA) - slopes, "E_μ[(r A + α) ∇ log π] is its gradient: any logits and A")


names_exchanged


# %%
@claim(
    "notes-313",
    "notes-314",
    says=r"$D_{KL}(\mu \| \pi_\theta) = E_\mu[\log\mu(a|s) - \log\pi_\theta(a|s)]$, $\nabla_\theta D_{KL} = -E_\mu[\nabla_\theta \log\pi_\theta(a|s)]$",
    verdict=Holds(note="π_θ > 0 where μ > 0, μ held fixed, and the actions μ's; on π's own the second mean would be 0"),
    about=(kl, k1, kl_logit_gradient),
)
def the_divergence():
    mu, pi = rationals("1/2", "1/4", "1/4"), rationals("1/4", "1/4", "1/2")
    samples = k1(logs(mu), logs(pi))
    yield proved(samples - np.array([1, 0, -1]) * sympy.log(2), "log μ - log π of three actions: log 2, 0, -log 2")
    yield proved(kl(mu, pi).item() - sympy.log(2) / 4, "KL = log 2/4")
    yield proved(samples @ np.array(mu) - sympy.log(2) / 4, "the samples' mean under μ: the same")
    o, z = sympy.symbols("o1:3", positive=True), sympy.symbols("z1:4", real=True)
    mu, pi = [x / (1 + sum(o)) for x in (*o, 1)], softmax(z)
    stated = [-sum(m * sympy.diff(sympy.log(q), x) for m, q in zip(mu, pi, strict=True)) for x in z]
    found = kl_logit_gradient(mu, pi).q
    yield proved(found - np.array(stated), "three logits: the gradient is -E_μ ∇ log π")
    yield proved(found - (pi - np.array(mu)), "which is π - μ")


the_divergence

# %% [markdown]
# ## Is the penalty needed?
#
# Without it the objective is maximal at the policy that is greedy for $A^\mu$. In a table, with exact advantages and every state met by μ, that is the step of policy iteration: it never degrades
# anything. At the two gates it finds the best policy in one step, with a ratio of 10. The danger is elsewhere. Let *one* probability serve both gates. The surrogate
# rises in it for ever, the return collapses to -3: the old policy meets the second gate so rarely that its cost weighs little.


# %%
@claim(
    "notes-315",
    says="Maximising the importance-weighted objective without constraint makes updates too large and degrades the policy catastrophically",
    verdict=Conditional(
        given="parameters are shared or advantages estimated; in a table with exact ones, each state met by μ, it is policy iteration's step"
    ),
    about=(surrogate_gain, expected_return),
)
def without_a_constraint():
    model = two_gates()
    promised = [surrogate_gain(model, going(p, p), OLD) for p in (TENTH, HALF, ONE)]
    yield equal(promised, [0, Fraction(2, 25), Fraction(9, 50)], "one probability: the surrogate's gain, (p - .1)/5")
    earned = [expected_return(model, going(p, p)) for p in (TENTH, HALF, ONE)]
    yield equal(earned, [Fraction(3, 50), -HALF, -3], "the return, p - 4p²: the maximiser degrades from .06 to -3")
    table = [surrogate_gain(model, going(ONE * p, ONE * q), OLD) for p in (0, 1) for q in (0, 1)]
    yield equal(max(table), table[2], "two probabilities: the surrogate is largest at p = 1, q = 0")
    best = max(expected_return(model, policy) for policy in deterministic_policies(model))
    yield against(bool(expected_return(model, going(ONE, 0)) == best == 1), "a ratio of 10, and the best of all, J = 1")


without_a_constraint


# %%
@figure
def promise_and_return():
    """One probability for both gates. The surrogate promises more and more, the return collapses; with a price of 0.8 for each visit the top (dot) is near the return's best (0.125)."""
    from matplotlib import pyplot as plt

    p = np.linspace(0.01, 0.6, 200)
    surrogate = 0.06 + (p - 0.1) / 5
    penalised = surrogate - 0.84 * (0.9 * np.log(0.9 / (1 - p)) + 0.1 * np.log(0.1 / p))
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.plot(p, surrogate, color=COLOURS[6], ls="--", label="surrogate")
    ax.plot(p, p - 4 * p**2, color=COLOURS[1], label="return")
    ax.plot(p, penalised, color=COLOURS[0], label="surrogate - 0.8 · 1.05 KL(μ‖π)")
    k = int(np.argmax(penalised))
    ax.plot(p[k], penalised[k], "o", color=COLOURS[0])
    ax.plot(0.1, 0.06, "s", color="0.3", label="μ")
    ax.set(xlabel="probability of go, at both gates", ylim=(-0.5, 0.22))
    ax.legend(loc="lower left")
    return fig


promise_and_return

# %% [markdown]
# ### Two forces
#
# In logits the penalty pushes by $\alpha(\mu - \pi)$. Along the way to μ its component is $KL(\mu\|\pi) + KL(\pi\|\mu)$, positive wherever the two differ: it does push back. But it is 0 at
# $\pi = \mu$, where every batch begins. The first step is the same for every α, and however long it is nothing resists.


# %%
@claim(
    "notes-316",
    says="The gradient of the KL term pushes θ back toward μ at the same time as the advantage pushes away, and resists large changes",
    verdict=Conditional(given="π has left μ; at π = μ, where a batch begins, the KL term has no gradient"),
    about=(kl_logit_gradient, uphill),
)
def pushed_back():
    o, u = sympy.symbols("o u", positive=True)
    mu, pi = [1 / (1 + o), o / (1 + o)], [1 / (1 + u), u / (1 + u)]
    way = np.array(logs(mu)) - np.array(logs(pi))
    both = sum((m - p) * w for m, p, w in zip(mu, pi, way, strict=True))
    yield proved(-kl_logit_gradient(mu, pi).q @ way - both, "push · (log μ - log π) = KL(μ‖π) + KL(π‖μ) > 0")
    yield equal(uphill(BEST, EVEN, [0, 0], 1), [QUARTER, -QUARTER], "at (¼, ¾): the penalty's push alone, α = 1")
    first = [uphill(EVEN, EVEN, [-1, 1], alpha) for alpha in (0, 1, 100)]
    yield equal(first[0], [-HALF, HALF], "the first direction without a penalty")
    yield against(all(list(x) == list(first[0]) for x in first), "the same direction at α = 1 and 100")


pushed_back

# %% [markdown]
# So the forces do not balance at any given step: at the first one, one of them is absent. They balance at the maximum, and only there. That policy is what the sentence describes at its end: better on the
# advantage objective, and not far from μ.


# %%
@claim(
    "notes-317",
    says="At any given gradient step the two forces balance each other",
    verdict=Wrong(
        because="where they balance the gradient is 0 and there is no step; at the first step they are (-½, ½) and 0",
        instead="they balance at the maximum of the penalised objective: (-3/8, 3/8) against (3/8, -3/8) in the example",
    ),
    about=uphill,
)
def balance_only_at_the_end():
    first = [uphill(EVEN, EVEN, [-1, 1], 0), uphill(EVEN, EVEN, [0, 0], ALPHA)]
    yield equal([*first[0], *first[1]], [-HALF, HALF, 0, 0], "the first step: the advantage's push, the penalty's")
    yield differs(first[0], -first[1], "balance would be a push equal and opposite")
    last = [uphill(BEST, EVEN, [-1, 1], 0), uphill(BEST, EVEN, [0, 0], ALPHA)]
    yield equal([*(8 * last[0]), *(8 * last[1])], [-3, 3, 3, -3], "in eighths, at (¼, ¾), the maximum for α = 3/2")


balance_only_at_the_end

# %% [markdown]
# What α does to the maximum is as stated: $p = \frac12 + \frac{1}{2\nu}$ with $\nu - \frac1\nu = \alpha$, from a greedy policy at $\alpha \to 0$ to μ at $\alpha \to \infty$. What it does to a fixed number of gradient
# steps is another matter, because the penalty's curvature grows with it: a step that is not small against $1/\alpha$ is thrown across μ and further away.


# %%
def two_steps(alpha, eta=1.0):
    """π(second arm) after two gradient steps in logits, from the even μ with A = -1, 1."""
    p, odds = 0.5, 0.0  # odds: the difference of the two logits
    for _ in range(2):
        odds += 2 * eta * (2 * p * (1 - p) + alpha * (0.5 - p))
        p = 1 / (1 + np.exp(-odds))
    return p


@claim(
    "notes-318",
    says="A large α keeps π_θ very close to μ, a small one lets the advantage dominate and allows larger updates",
    verdict=Conditional(given="the problem is solved, or steps are small against 1/α; else it can end further away"),
    about=(near_reverse_kl, two_steps),
)
def strength_of_the_resistance():
    for nu in (1.1, 2.0, 10.0):
        found = near_reverse_kl([-1.0, 1.0], [0.5, 0.5], multiplier=nu - 1 / nu).policy[1]
        yield close(found, 0.5 + 0.5 / nu, 1e-9, "a root finder in double precision", f"α = {nu - 1 / nu:.3g}: maximum")
    free, small, large = (two_steps(alpha) for alpha in (0.0, 0.5, 100.0))
    by_hand = 1 / (1 + np.exp(-(1 + 4 * np.exp(-1) / (1 + np.exp(-1)) ** 2)))
    yield close(free, by_hand, 1e-12, "double precision", "two steps of size 1 without penalty: log odds 1, then 1.79")
    yield below(abs(small - 0.5), abs(free - 0.5), "two steps with α = ½: nearer to μ than with none")
    yield exceeds(abs(large - 0.5), abs(free - 0.5), "two steps with α = 100: as near as with none")


strength_of_the_resistance

# %% [markdown]
# ## From the divergence to the ratio
#
# This is the step on which the clip is said to rest: a small $KL(\mu\|\pi)$ makes all ratios close to 1, so one may as well bound the ratio. The first half is not true. A mean under μ does not see what μ rarely
# does: an action of probability 0.001 can become ten times as likely, or a thousand times less, at a divergence of 0.007, less than TRPO's 0.01. As its probability goes to 0
# any ratio is free. What a small divergence does bound is the *mean* distance of the ratio from 1: $E_\mu|r - 1| = \sum_a|\pi - \mu| \le \sqrt{2\,KL}$.


# %%
@claim(
    "notes-319",
    says="A small KL(μ‖π) means that all ratios are close to 1, so constraining the ratio instead is equivalent",
    verdict=Wrong(
        because="at a divergence below .007 the ratio of an action with μ = 1/1000 can be 10 or 1/1000; and PPO's clip constrains neither",
        instead="it bounds the mean: E_μ|r - 1| ≤ √(2 KL). Conversely all ratios within 1 ± ε give KL ≤ -½ log(1 - ε²), by convexity",
    ),
    about=(kl, total_variation),
)
def small_divergence_any_ratio():
    m = Fraction(1, 1000)
    for ratio, by_hand in ((10 * ONE, log(111 / 110) * 0.999 - 0.001 * log(10)), (m, log(999000 / 999999) * 0.999)):
        mu, pi = [1 - m, m], [1 - ratio * m, ratio * m]
        by_hand += 0.001 * log(1000) if ratio == m else 0
        found = kl([float(x) for x in mu], [float(x) for x in pi])
        yield close(found, by_hand, 1e-12, "double precision", f"KL at a ratio of {ratio}")
        yield against(bool(found < 0.007 and pi[1] == ratio * mu[1]), f"KL below .007 at a ratio of {ratio}")
        yield equal(2 * total_variation(mu, pi), 2 * m * abs(ratio - 1), "E_μ|r - 1|, by hand")
        yield below(2 * float(total_variation(mu, pi)), sqrt(2 * found), "E_μ|r - 1| and √(2 KL)")
    t, r = sympy.symbols("t r", positive=True)
    yield proved(sympy.limit((1 - t) * sympy.log((1 - t) / (1 - r * t)) - t * sympy.log(r), t, 0), "KL → 0 as μ(a) → 0")
    worst = kl([0.5, 0.5], [0.4, 0.6])
    yield close(worst, -log(0.96) / 2, 1e-12, "double precision", "ratios .8 and 1.2: -½ log(1 - ε²), attained")
    yield below(float(kl([1 / 3, 2 / 3], [0.8 / 3, 2.2 / 3])), float(worst), "ratios .8 and 1.1")


small_divergence_any_ratio


# %%
@figure
def what_a_ratio_costs():
    """Divergence against the ratio of one action, for three probabilities of it under μ. Dotted: a budget of 0.01. Shaded: the band of ε = 0.2."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.axvspan(0.8, 1.2, color="0.92")
    for k, m in enumerate((0.3, 0.03, 0.001)):
        r = np.geomspace(0.01, min(30, 0.999 / m), 400)
        divergence = (1 - m) * np.log((1 - m) / (1 - r * m)) - m * np.log(r)
        ax.plot(r, np.maximum(divergence, 1e-7), color=COLOURS[k], label=f"μ(a) = {m}")
    ax.axhline(0.01, color="0.4", ls=":", lw=1)
    ax.set(xscale="log", yscale="log", xlabel="ratio π(a)/μ(a)", ylabel="KL(μ‖π)", ylim=(1e-5, 1), xlim=(0.01, 30))
    ax.legend(loc="lower left")
    return fig


what_a_ratio_costs

# %% [markdown]
# Nor is it an obstacle to the penalty that μ is known for the action taken only. The value of the divergence in one state does depend on all of μ. Its estimate from samples does not, as line 1708 of the document
# says itself; and the gradient, line 1712, needs nothing of μ but its samples.


# %%
@claim(
    "notes-320",
    says="Computing and penalising the KL divergence requires μ's probabilities for all actions",
    verdict=Conditional(given="its exact value is wanted; an estimate needs the action taken only, its gradient no μ"),
    about=(kl, k1, ppo_penalty_loss_gradient),
)
def what_the_penalty_needs():
    pi = rationals("1/4", "1/4", "1/2")
    first, second = rationals("1/2", "1/4", "1/4"), rationals("1/2", "1/2", "0")
    yield proved(kl(first, pi).item() - sympy.log(2) / 4, "μ(a₁) = ½, the rest (¼, ¼): KL = log 2/4")
    yield proved(kl(second, pi).item() - sympy.log(2), "μ(a₁) = ½, the rest (½, 0): KL = log 2")
    sampled = k1(logs(first), logs(pi)) @ np.array(first)
    yield proved(sampled - sympy.log(2) / 4, "E_μ of one action's log μ - log π: the KL")
    slopes = [ppo_penalty_loss_gradient([log(0.25)], [log(m)], [0.0], 3.0)[0] for m in (0.5, 0.1)]
    yield equal([Fraction(x) for x in slopes], [-3, -3], "slope of 3 (log μ - log π) in log π, for μ(a) = .5 and .1")
    yield against(bool(slopes[0] == slopes[1]), "the penalty's gradient on a sample is the same whatever μ(a) is")


what_the_penalty_needs

# %% [markdown]
# ## The clip
#
# The objective comes in two forms under one name. The first, the clip alone, is said to be the practical implementation. It is not: a sample that has gone the *wrong* way is outside its band as well, and without the
# minimum nothing brings it back. The second form, ten lines below, is PPO's.


# %%
@claim(
    "notes-321",
    says=r"Practical PPO: $L^{CLIP} = E[\mathrm{clip}(\frac{\pi_\theta}{\mu}, 1-\varepsilon, 1+\varepsilon) A^\mu]$",
    verdict=Wrong(
        because="a good action gone down to r = ½ gets no gradient, nor a bad one gone up to 3/2; and it exceeds r A there",
        instead="the minimum of it and r A, line 1744: never above r A, and such samples keep their gradient",
    ),
    about=(clip_only_surrogate, clip_only_surrogate_gradient, clipped_surrogate, clipped_surrogate_gradient),
)
def the_clip_alone():
    r, A = [HALF, 3 * HALF], [ONE, -ONE]
    alone, with_min = clip_only_surrogate(r, A, EPS), clipped_surrogate(r, A, EPS)
    yield equal(alone, [LOW, -HIGH], "good at r = ½, bad at r = 3/2: the clip alone")
    yield equal(with_min, [HALF, -3 * HALF], "with the minimum: r A")
    yield exceeds(alone, with_min, "the clip alone is a lower bound of r A")
    yield equal(clip_only_surrogate_gradient([ONE], [ONE], EPS), [1], "slope of the clip alone at r = 1")
    yield differs(clip_only_surrogate_gradient(r, A, EPS), clipped_surrogate_gradient(r, A, EPS), "slopes outside")
    yield equal(clipped_surrogate_gradient(r, A, EPS), [1, -1], "with the minimum: A")


the_clip_alone

# %% [markdown]
# The rule in words has one sign turned: "if $r < 1 + \epsilon$, we use $1 + \epsilon$". Read as printed, 1.1 becomes 1.2, and 1.5 stays. (The usual values, 0.1 and 0.2, are right. That ε controls how much
# the policy may change is judged at theory-498: the first step is the same for every ε.)


# %%
def as_printed(r, eps):
    """The rule in the order and with the signs of line 1737."""
    return 1 - eps if r < 1 - eps else 1 + eps if r < 1 + eps else r


@claim(
    "notes-322",
    says="If r < 1 - ε use 1 - ε; if r < 1 + ε use 1 + ε; otherwise r as it is. ε is typically 0.1 or 0.2",
    verdict=Wrong(
        because="the second comparison is turned: 1.1 would become 1.2, and 1.5 would stay",
        instead="if r < 1 - ε use 1 - ε; if r > 1 + ε use 1 + ε; otherwise r",
    ),
    about=(as_printed, clip_only_surrogate),
)
def the_rule():
    ratios = [Fraction(x) for x in ("0.5", "1.1", "1.5")]
    for eps in (printed("0.1").value, printed("0.2").value):
        middle = [sorted([1 - eps, r, 1 + eps])[1] for r in ratios]
        yield equal(clip_only_surrogate(ratios, [ONE] * 3, eps), middle, f"clip = the middle one of three, ε = {eps}")
    yield equal([as_printed(r, EPS) for r in ratios], [LOW, HIGH, 3 * HALF], "as printed, ε = .2")
    yield differs([as_printed(r, EPS) for r in ratios], middle, "printed rule and clip at .5, 1.1, 1.5")


the_rule

# %% [markdown]
# What follows is claimed of every clip, that it prevents runaway updates, and is not true of either form. In the two arms, with an even μ, take one step of size ¼ in $p$. The first gradient is that of the surrogate,
# and the step goes to $p = 1$, a ratio of 2. There the gradient is 0, in both directions. Small steps do better, but do not prevent it either: a good arm of probability 0.01 is carried on
# by the *other* arm's samples, which stay in their band until it has 0.208.


# %%
def slope_of(gradient, p, q=HALF):
    """d/dp of the mean objective over arms that pay 1 and 3, from μ = (1 - q, q): each μ cancels against its ratio's."""
    first, second = gradient([(1 - p) / (1 - q), p / q], [-2 * q, 2 * (1 - q)], EPS)
    return second - first


@claim(
    "notes-323",
    says="Outside the band the gradient pushes no further; this prevents the runaway updates of the unpenalised objective",
    verdict=Wrong(
        because="the first step is not clipped: p goes from ½ to 1 and no gradient brings it back; small steps take a rare action to a ratio of 20",
        instead="a sample outside its band stops pushing; how far the policy runs is up to the size and number of steps",
    ),
    about=(slope_of, clip_only_surrogate_gradient, clipped_surrogate_gradient),
)
def runaway():
    forms = {"clip alone": clip_only_surrogate_gradient, "with the minimum": clipped_surrogate_gradient}
    for name, gradient in forms.items():
        p = HALF + QUARTER * slope_of(gradient, HALF)
        yield equal([p, slope_of(gradient, p)], [1, 0], f"{name}: p after one step of ¼, and the slope there")
        yield exceeds(p / HALF, HIGH, f"{name}: the ratio is kept near the band")
    back = [slope_of(g, FIFTH) for g in forms.values()]
    yield equal(back, [0, 2], "after a misleading step to p = .2, ratios 1.6 and .4: the slopes")
    small = [[slope_of(g, Fraction(k, 1000), ONE / 100) for k in (10, 100, 209)] for g in forms.values()]
    yield equal(small, [[2, ONE / 50, 0]] * 2, "from μ = .01: slopes at .01, .1 (a ratio of 10) and .209")


runaway

# %%
the_minimum = same_as(
    "notes-324", of="theory-218", says=r"$L = E[\min(r A, \mathrm{clip}(r, 1-\varepsilon, 1+\varepsilon) A)]$"
)
the_minimum

# %% [markdown]
# Does the minimum see to it that leaving the band never pays? For one sample's own term, yes; though the clip alone would do that too, and what the minimum adds is that the objective never exceeds $rA$. For the
# *mean*, no: with probabilities that share a sum, another sample may pay for it. From $\mu = (0.8, 0.2)$, the most within both bands is 0.08, at $p = 0.24$; the objective goes on
# to 0.128 at 0.36, where the good arm's ratio is 1.8.


# %%
def clipped_mean(p, q=FIFTH):
    """E_μ[L^CLIP] of the arms that pay 1 and 3, from μ = (1 - q, q) to π = (1 - p, p)."""
    A = [-2 * q, 2 * (1 - q)]
    return np.array([1 - q, q]) @ clipped_surrogate([(1 - p) / (1 - q), p / q], A, EPS)


@claim(
    "notes-325",
    says="The minimum ensures that we never benefit from going outside the trust region",
    verdict=Conditional(given="one sample's own term is meant (the clip alone does it too); the mean may gain outside"),
    about=(clipped_surrogate, clipped_mean),
)
def nothing_to_gain():
    ratios = [Fraction(k, 10) for k in range(31)]
    for A, end in ((ONE, HIGH), (-ONE, LOW)):
        found = clipped_surrogate(ratios, [A] * 31, EPS)
        yield equal(max(found), end * A, f"A = {A}: the most over ratios from 0 to 3, reached at an end of the band")
    inside = max(clipped_mean(Fraction(k, 100)) for k in range(16, 25))
    yield equal(inside, Fraction("0.08"), "both ratios within the band: .2 · 1.2 · 1.6 - .8 · .95 · .4")
    yield exceeds(clipped_mean(Fraction("0.36")), inside, "'no benefit outside', at p = .36: ratios 1.8 and .8")


nothing_to_gain

# %% [markdown]
# ## Four cases
#
# In three of the four the value that is used and the gradient are as the document says. In case 1 what "fires" is the clip of the ratio, and the minimum then discards it. Low and high mean low and high *relative to μ* throughout, and "no gradient"
# means none from this sample: others may move the same probability. DAPO, at the end of the document's section, gives the two ends of the band values of their own, $\epsilon_{low} = 0.2$ and $\epsilon_{high} = 0.28$ in its
# paper, within the same minimum: only the upper end matters for good actions, only the lower one for bad ones.


# %%
@claim(
    "notes-326",
    "notes-327",
    "notes-329",
    "notes-331",
    says=r"Case 1 ($r < 1-\varepsilon$, A > 0): r A, gradient up. Case 2 ($r < 1-\varepsilon$, A < 0): (1-ε) A, none. Case 4 ($r > 1+\varepsilon$, A > 0): clipped, none. "
    r"DAPO: $\mathrm{clip}(r, 1-\varepsilon_{low}, 1+\varepsilon_{high})$ with $\varepsilon_{high} > \varepsilon_{low}$",
    verdict=Holds(note="of the sample's own term; in case 1 the clipped value is computed, and not used"),
    about=(clipped_surrogate, clipped_surrogate_gradient),
)
def three_cases():
    low, mid, far = ([Fraction(x) for x in row.split()] for row in ("0 .5 .79", "1.2 1.21 1.27", "1.29 1.5 5"))
    for case, ratios, A, high, used, slope in (
        ("1", low, 3, EPS, [0, 3 * HALF, Fraction("2.37")], 3),
        ("2", low, -3, EPS, [-3 * LOW] * 3, 0),
        ("4", far, 3, EPS, [3 * HIGH] * 3, 0),
        ("4, ε_high = .28, r < 1.28", mid, 1, WIDE, mid, 1),
        ("4, ε_high = .28, r > 1.28", far, 1, WIDE, [1 + WIDE] * 3, 0),
        ("2, ε_high = .28", low, -3, WIDE, [-3 * LOW] * 3, 0),
    ):
        yield equal(clipped_surrogate(ratios, [A] * 3, EPS, high), used, f"case {case}, A = {A}: the value used")
        yield equal(clipped_surrogate_gradient(ratios, [A] * 3, EPS, high), [slope] * 3, f"case {case}: the slope in r")
    yield sourced("Yu et al. (2025), 'DAPO', (10) and §4.1: ε_low = 0.2, ε_high = 0.28, within the same minimum")


three_cases

# %% [markdown]
# In case 3 the document lets the clipped value $(1+\epsilon)A$ be used *and* the sample have a gradient. It cannot have both. The minimum takes $rA$, the more negative one; hence the gradient, which is the right behaviour. (Nothing bounds
# that term: dual clip puts a floor under it.)


# %%
@claim(
    "notes-328",
    says="Case 3 (r > 1+ε, A < 0): the clip fires, (1+ε) A is used, and there is a gradient that unlearns the action",
    verdict=Wrong(
        because="(1+ε) A is constant in r and would give no gradient; of r A and (1+ε) A it is the larger",
        instead="r A is used, with the gradient A: the action is unlearned because nothing is clipped",
    ),
    about=(clipped_surrogate, clipped_surrogate_gradient, clip_only_surrogate_gradient),
)
def the_third_case():
    ratios, A = [Fraction("1.21"), 3 * HALF, 5 * ONE], [-3 * ONE] * 3
    used = clipped_surrogate(ratios, A, EPS)
    yield equal(used, [-Fraction("3.63"), -9 * HALF, -15], "r A, for A = -3 and r = 1.21, 1.5, 5")
    yield differs([-3 * HIGH] * 3, used, "(1 + ε) A, and what is used")
    yield equal(clipped_surrogate_gradient(ratios, A, EPS), A, "the slope: A")
    inside_too = clip_only_surrogate_gradient([ONE, *ratios], [-3 * ONE, *A], EPS)
    yield equal(inside_too, [-3, 0, 0, 0], "the clipped value's own slope: A at r = 1, then none")


the_third_case

# %% [markdown]
# The remark on case 4 that follows says that the actions without a signal are those *already highly likely*. It is nearly the reverse. A ratio above $1 + \epsilon$ says that an action has become likelier than it was. One that had 0.01 is clipped at 0.012. And one that had more than
# $1/(1 + \epsilon) = \frac56$ can never be: its ratio has no room.


# %%
@claim(
    "notes-330",
    says="The good actions to which case 4 gives no gradient are already highly likely",
    verdict=Wrong(
        because="an action of probability 1/100 is clipped at .013; one of 9/10 never is, its ratio being at most 10/9",
        instead="they have become likelier than 1 + ε times what they were; above μ = 1/(1+ε) no good action is ever clipped",
    ),
    about=clipped_surrogate_gradient,
)
def likelier_not_likely():
    rare_one, likely = Fraction(1, 100), Fraction(9, 10)
    slopes = clipped_surrogate_gradient([Fraction("0.013") / rare_one, ONE / likely], [3, 3], EPS)
    yield equal(slopes, [0, 3], "from .01 to .013, and from .9 to 1: the slopes, A = 3")
    yield against(bool(slopes[0] == 0), "no gradient for a good action of probability .013")
    room = clipped_surrogate_gradient([ONE / Fraction(k, 100) for k in (83, 84)], [3, 3], EPS)
    yield equal(room, [0, 3], "made certain from .83 and from .84: 5/6 lies between")


likelier_not_likely

# %% [markdown]
# ## Two ends
#
# Against a band of $\epsilon_{low}$ on both sides, good actions between 1.2 and 1.28 keep their gradient, and nothing else changes; bad actions are treated as before, not more carefully. Is it exploration? If the good action is rare: alone, pushed in small
# steps from 0.1, it now stops near 0.128 and not near 0.12, and the entropy is larger. If it is not, the same change sharpens the policy: from 0.5 to 0.64 instead of 0.6.


# %%
def stops_near(q, eps_high):
    """The two-armed policy at which a good action of probability q, alone in the batch, loses its gradient."""
    p = q
    while active_set([p / q], [ONE], EPS, eps_high)[0]:
        p += Fraction(1, 1000)
    return [1 - p, p]


@claim(
    "notes-332",
    says="A larger ε_high lets good actions grow more and leaves fewer of them without gradient, decreases stay conservative: more exploration",
    verdict=Conditional(given="compared with ε_low on both sides, and for rare good actions; common ones lose entropy"),
    about=(active_set, stops_near, entropy),
)
def more_room_upwards():
    ratios = [Fraction(k, 100) for k in (70, 90, 110, 121, 127, 140)]
    counts = [[int((~active_set(ratios, [A] * 6, EPS, high)).sum()) for A in (3, -3)] for high in (EPS, WIDE)]
    yield equal(counts, [[3, 1], [1, 1]], "samples without gradient among six ratios: good, bad; ε_high = .2, then .28")
    ends = [stops_near(q, high)[1] for q in (TENTH, HALF) for high in (EPS, WIDE)]
    yield equal(ends, [Fraction(x) for x in ("0.121", "0.129", "0.601", "0.641")], "stops, from .1 and from .5")
    rare_end, common = ([float(entropy(np.array(stops_near(q, h), float))) for h in (EPS, WIDE)] for q in (TENTH, HALF))
    by_hand = -0.871 * log(0.871) - 0.129 * log(0.129)
    yield close(rare_end[1], by_hand, 1e-12, "double precision", "entropy at .129")
    yield below(*rare_end, "from .1: more entropy with ε_high = .28")
    yield exceeds(*common, "from .5: entropy at .2 against .28")


more_room_upwards
