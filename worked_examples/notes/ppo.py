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
    swept,
)
from rlexact.exact.difference import surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, occupancy
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.regularised import near_reverse_kl
from rlexact.formulas.categorical import softmax
from rlexact.formulas.divergence import kl, kl_logit_gradient, total_variation
from rlexact.formulas.dual_clip import dual_clip_surrogate_gradient
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
from rlexact.plotting import COLOURS, clip_objective, figure
from rlexact.policy import deterministic_policies

SECTION = Section("notes", "ppo", "Proximal policy optimisation, with a price and with a clip")

ONE, HALF, QUARTER, TENTH, FIFTH = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(1, 5)
EPS = FIFTH
LOW, HIGH = 1 - EPS, 1 + EPS

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
# With states as μ meets them, discounted and normalised, the first term is linear in the policy, 0 at μ, and has there $1 - \gamma$ times the slope of the return.
# A divergence that is smooth at μ adds nothing to that slope.


# %%
@claim(
    "notes-306",
    says=r"The general problem is $\max_\pi E_{s \sim d^\mu}[E_{a \sim \pi}[A^\mu(s, a)]] - \alpha D(\pi, \mu)$",
    verdict=Holds(note="(1 - γ)(J(π) - J(μ)) to first order in π - μ; how far that is trusted is up to α and D"),
    about=(occupancy, advantage, expected_return),
)
def the_general_problem():
    p, q = sympy.symbols("p q", positive=True)
    model = two_gates().to_symbolic()
    old, new = OLD * sympy.Integer(1), going(p, q)
    first_term = occupancy(model, old) @ (new * advantage(model, old)).sum(axis=1)
    tenth = sympy.Rational(1, 10)
    by_hand = (sympy.Rational(3, 5) * (p - tenth) - sympy.Rational(2, 5) * (q - tenth)) / 2
    yield proved(first_term - by_hand, "(.6 (p - .1) - .4 (q - .1)) / 2: 0 at μ")
    J = expected_return(model, new)
    yield proved(J - p * (1 - 4 * q), "J = p (1 - 4q)")
    at_mu = {p: tenth, q: tenth}
    yield proved(
        [sympy.diff(first_term - J / 2, x).subs(at_mu) for x in (p, q)], "the slopes of (1 - γ) J at μ: .3 and -.2"
    )


the_general_problem

# %% [markdown]
# ### PPO's penalty
#
# The divergence that the document chooses, $KL(\mu \| \pi)$, is that of PPO's variant with a penalty (the algorithm of that name is the clipped one). It has an optimum in closed form too, up to
# one number: $\pi(a) = \alpha\mu(a) / (\nu - A(a))$, with ν such that the sum is 1. Take two arms that pay 1 and 3, and an even μ, so $A = \mp 1$. At $\alpha = \frac32$ this is
# $\nu = 2$ and $\pi = (\frac14, \frac34)$.
#
# As printed, the bracket of $E_{s \sim d^\mu}$ closes before the penalty, where $s$ is then no state at all. If it were the divergence of a single state, the other states would have no
# price: the same two arms in a second room are pulled greedily, at an infinite divergence.


# %%
def price(p):
    """KL(μ ‖ π) of an even μ from (1 - p, p), in nats."""
    return -log(4 * p * (1 - p)) / 2


def gain(p):
    """E_π A = E_μ[r A] for the even μ and A = -1, 1, at π = (1 - p, p)."""
    return sum(importance_weighted_surrogate([2 * (1 - p), 2 * p], [-ONE, ONE])) / 2


@claim(
    "notes-307",
    says=r"PPO: $\max_\theta E_{s \sim d^\mu}[E_{a \sim \pi_\theta}[A^\mu(s, a)]] - \alpha D_{KL}(\mu(\cdot|s) \| \pi_\theta(\cdot|s))$",
    verdict=Conditional(
        given="the mean over s covers the penalty as well; and this is PPO with a penalty, not the clipped objective that the name stands for"
    ),
    about=(near_reverse_kl, gain),
)
def the_penalised_problem():
    found = near_reverse_kl([-1.0, 1.0], [0.5, 0.5], multiplier=1.5)
    yield close(found.policy, [0.25, 0.75], 1e-9, "a root finder in double precision", "one state, α = 3/2: π")
    p = sympy.Symbol("p", positive=True)
    objective = 2 * p - 1 + sympy.Rational(3, 4) * sympy.log(4 * p * (1 - p))
    yield proved(sympy.diff(objective, p).subs(p, sympy.Rational(3, 4)), "slope of 2p - 1 - α KL at p = 3/4")
    yield proved(
        sympy.diff(objective, p, 2) + sympy.Rational(3, 4) * (1 / p**2 + 1 / (1 - p) ** 2), "concave in p: a maximum"
    )
    best, greedy = gain(3 * QUARTER), gain(ONE)
    yield equal([best, greedy], [HALF, ONE], "E_π A at p = 3/4, and at p = 1")
    yield exceeds((best + greedy) / 2, best, "two rooms, only the first one's KL charged: p = 3/4 in both is best")
    yield sourced("Schulman et al. (2017), (8): E[r A - β KL(π_old ‖ π)], both terms inside the mean; (7) is the clip")


the_penalised_problem

# %% [markdown]
# The optimum of AWR's problem, with the arguments exchanged, is $\pi \propto \mu e^{A/\alpha}$, and at $\alpha = \frac32$ it is $(0.209, 0.791)$: another policy, of the same kind. What is called *reverse* here is
# the order that maximum likelihood minimises, which most texts call forward.
#
# ## Importance sampling
#
# The identity is judged at its first appearance. Applied to a policy it asks that μ takes, with positive probability, whatever $\pi_\theta$ takes and has a non-zero advantage.

# %%
the_identity = same_as(
    "notes-308", of="reference-091", says=r"$E_{x \sim p}[f(x)] = E_{x \sim q}[\tfrac{p(x)}{q(x)} f(x)]$"
)
the_identity


# %%
@claim(
    "notes-309",
    says=r"$E_{a \sim \pi_\theta}[A^\mu(s, a)] = E_{a \sim \mu}[\frac{\pi_\theta(a|s)}{\mu(a|s)} A^\mu(s, a)]$",
    verdict=Conditional(
        given="μ(a|s) > 0 wherever π_θ(a|s) A(s, a) ≠ 0: a deterministic μ says nothing of other actions"
    ),
    about=(importance_weighted_surrogate, advantage),
)
def reweighted_actions():
    pi, mu, A = (np.array(sympy.symbols(f"{x}1:4", positive=True)) for x in ("p", "m", "A"))
    weighted = mu @ importance_weighted_surrogate(pi / mu, A)
    yield proved(weighted - pi @ A, "three actions, all of them taken by μ")
    A = advantage(gallery.two_armed_bandit(), np.array([[ONE, 0]]))[0]
    yield equal(A, [0, 2], "μ pulls the first arm only: A")
    seen = importance_weighted_surrogate([HALF], A[:1])
    yield differs(seen, [HALF * 0 + HALF * 2], "π even: what μ's samples say, and E_π A")


reweighted_actions

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
    yield proved(
        top - (1 - ALPHA * sympy.log(sympy.Rational(4, 3))) / 2, "the objective at (¼, ¾): ½ - ¾ log 4/3 > .28"
    )
    yield equal([*uphill(BEST, EVEN, [-1, 1], ALPHA)], [0, 0], "line 1704 there")
    yield against(bool(float(top) > 0.28), "where the objective is .28, the display called objective is 0")
    z, a, m = (
        sympy.symbols("z1:3", real=True),
        sympy.symbols("A1:3", real=True),
        1 / (1 + sympy.Symbol("o", positive=True)),
    )
    mu, pi = [m, 1 - m], softmax(z)
    objective = np.array(mu) @ importance_weighted_surrogate(pi / np.array(mu), a)
    inside = objective - ALPHA * sum(x * (sympy.log(x) - sympy.log(y)) for x, y in zip(mu, pi, strict=True))
    yield proved(
        uphill(pi, mu, a, ALPHA) - [sympy.diff(inside, x) for x in z], "E_μ[(r A + α) ∇ log π], any logits, μ, A"
    )


names_exchanged

# %% [markdown]
# ### The divergence and its gradient


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
    yield proved(
        [kl(mu, pi).item() - sympy.log(2) / 4, samples @ np.array(mu) - sympy.log(2) / 4], "KL, and E_μ: log 2/4"
    )
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
        given="parameters are shared between states (estimated advantages do it too); in a table with exact advantages, every state met by "
        "μ, the maximiser is policy iteration's next policy, at least as good everywhere"
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
    yield against(
        bool(expected_return(model, going(ONE, 0 * ONE)) == best == 1),
        "a ratio of 10, and the best of all policies, J = 1",
    )


without_a_constraint


# %%
@figure
def promise_and_return():
    """One probability for both gates. The surrogate promises more and more, the return collapses; with a price of 0.8 the top (dot) is near the return's best (0.125)."""
    from matplotlib import pyplot as plt

    p = np.linspace(0.01, 0.6, 200)
    divergence = 0.9 * np.log(0.9 / (1 - p)) + 0.1 * np.log(0.1 / p)
    penalised = 0.06 + (p - 0.1) / 5 - 0.8 * 1.05 * divergence
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.plot(p, 0.06 + (p - 0.1) / 5, color=COLOURS[6], ls="--", label="surrogate")
    ax.plot(p, p - 4 * p**2, color=COLOURS[1], label="return")
    ax.plot(p, penalised, color=COLOURS[0], label="surrogate - 0.8 KL(μ‖π)")
    k = int(np.argmax(penalised))
    ax.plot(p[k], penalised[k], "o", color=COLOURS[0])
    ax.axvline(0.1, color="0.7", lw=0.8, ls=":")
    ax.annotate("μ", (0.105, 0.17))
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
    verdict=Conditional(
        given="π has already left μ; at π = μ, where the batch begins, the KL term has no gradient and the first step is what it is without it"
    ),
    about=(kl_logit_gradient, uphill),
)
def pushed_back():
    o, u = sympy.symbols("o u", positive=True)
    mu, pi = [1 / (1 + o), o / (1 + o)], [1 / (1 + u), u / (1 + u)]
    push = -kl_logit_gradient(mu, pi).q
    way = [sympy.log(m) - sympy.log(p) for m, p in zip(mu, pi, strict=True)]
    both = sum((m - p) * w for m, p, w in zip(mu, pi, way, strict=True))
    yield proved(push @ np.array(way) - both, "push · (log μ - log π) = KL(μ‖π) + KL(π‖μ) > 0")
    pulled = uphill(BEST, EVEN, [0, 0], 1)
    yield equal(pulled, [QUARTER, -QUARTER], "at (¼, ¾) from an even μ: the penalty's push alone, α = 1")
    first = [uphill(EVEN, EVEN, [-1, 1], alpha) for alpha in (0, 1, 100)]
    yield equal(first[0], [-HALF, HALF], "the first direction without a penalty")
    yield against(
        bool((first[0] == first[1]).all() and (first[0] == first[2]).all()), "α = 1 and 100: the same direction"
    )


pushed_back

# %% [markdown]
# So the forces do not balance at any given step: at the first one, one of them is absent. They balance at the maximum, and only there. That policy is what the sentence describes at its end: better on the
# advantage objective, and not far from μ.


# %%
def forces(pi):
    """What the advantage and the penalty at α = 3/2 say about two logits, from the even μ with A = -1, 1."""
    advantage_alone = uphill(pi, EVEN, [-1, 1], 0)
    return advantage_alone, uphill(pi, EVEN, [-1, 1], ALPHA) - advantage_alone


@claim(
    "notes-317",
    says="At any given gradient step the two forces balance each other",
    verdict=Wrong(
        because="where they balance the gradient is 0 and there is no step; at the first step they are (-½, ½) and 0",
        instead="they balance at the maximum of the penalised objective: (-3/8, 3/8) against (3/8, -3/8) in the example",
    ),
    about=(uphill, forces),
)
def balance_only_at_the_end():
    pushing, resisting = forces(EVEN)
    yield equal([*pushing, *resisting], [-HALF, HALF, 0, 0], "the first step: advantage, penalty")
    yield differs(pushing, -resisting, "balance would be a push equal and opposite")
    pushing, resisting = forces(BEST)
    yield equal(8 * pushing, [-3, 3], "at (¼, ¾), α = 3/2: the advantage's push, in eighths")
    yield equal(8 * resisting, [3, -3], "and the penalty's: balance, at the maximum found above")


balance_only_at_the_end

# %% [markdown]
# What α does to the maximum is as stated: $p = \frac12 + \frac{1}{2\nu}$ with $\nu - \frac1\nu = \alpha$, from a greedy policy at $\alpha \to 0$ to μ at $\alpha \to \infty$. What it does to a fixed number of gradient
# steps is another matter, because the penalty's curvature grows with it: a step that is not small against $1/\alpha$ is thrown across μ and further away.


# %%
def two_steps(alpha, eta=1.0):
    """π(second arm) after two gradient steps in logits, from the even μ with A = -1, 1."""
    p = 0.5
    odds = 0.0  # the difference of the two logits
    for _ in range(2):
        push = p * (1 - p) * 2 + alpha * (0.5 - p)
        odds += 2 * eta * push
        p = 1 / (1 + np.exp(-odds))
    return p


@claim(
    "notes-318",
    says="A large α keeps π_θ very close to μ, a small one lets the advantage dominate and allows larger updates",
    verdict=Conditional(
        given="the penalised problem is solved, or the steps are small against 1/α; with a fixed step size a larger α can end further away"
    ),
    about=(near_reverse_kl, two_steps),
)
def strength_of_the_resistance():
    for nu in (1.1, 2.0, 10.0):
        found = near_reverse_kl([-1.0, 1.0], [0.5, 0.5], multiplier=nu - 1 / nu).policy[1]
        yield close(
            found, 0.5 + 0.5 / nu, 1e-9, "a root finder in double precision", f"maximum for α = {nu - 1 / nu:.3g}"
        )
    free, small, large = (two_steps(alpha) for alpha in (0.0, 0.5, 100.0))
    by_hand = 1 / (1 + np.exp(-(1 + 4 * np.exp(-1) / (1 + np.exp(-1)) ** 2)))
    yield close(free, by_hand, 1e-12, "double precision", "two steps of size 1 without penalty: log odds 1, then 1.79")
    yield below(abs(small - 0.5), abs(free - 0.5), "two steps with α = ½: nearer to μ than with none")
    yield exceeds(price(large), price(free), "two steps with α = 100, KL(μ‖π) at most that with none")


strength_of_the_resistance

# %% [markdown]
# ## From the divergence to the ratio
#
# This is the step on which the clip is said to rest: a small $KL(\mu\|\pi)$ makes all ratios close to 1, so one may as well bound the ratio. The first half is not true. A mean under μ does not see what μ rarely
# does: an action of probability 0.001 can become ten times as likely, or a thousand times less, at a divergence of 0.007, less than TRPO's 0.01. As its probability goes to 0
# any ratio is free. What a small divergence does bound is the *mean* distance of the ratio from 1: $E_\mu|r - 1| = \sum_a|\pi - \mu| \le \sqrt{2\,KL}$.


# %%
def rare(m, ratio):
    """(μ, π): an action of probability m under μ and ratio · m under π, and the rest."""
    return [1 - m, m], [1 - ratio * m, ratio * m]


@claim(
    "notes-319",
    says="A small KL(μ‖π) means that all ratios are close to 1, so constraining the ratio instead is equivalent",
    verdict=Wrong(
        because="at a divergence below .007 the ratio of an action with μ = 1/1000 can be 10 or 1/1000; and PPO's clip constrains neither",
        instead="it bounds the mean: E_μ|r - 1| ≤ √(2 KL). Conversely ratios within 1 ± ε give KL ≤ -log(1 - ε): the ratio is the stronger",
    ),
    about=(kl, total_variation),
)
def small_divergence_any_ratio():
    m = Fraction(1, 1000)
    for ratio, by_hand in (
        (10 * ONE, 0.999 * log(99.9 / 99) - 0.001 * log(10)),
        (m, log(0.999 / 0.999999) * 0.999 + 0.001 * log(1000)),
    ):
        mu, pi = rare(m, ratio)
        found = kl([float(x) for x in mu], [float(x) for x in pi])
        yield close(found, by_hand, 1e-12, "double precision", f"KL at a ratio of {ratio}")
        yield against(
            bool(found < 0.007 and abs(pi[1] / mu[1] - 1) > EPS), f"KL < .007, and a ratio of {pi[1] / mu[1]}"
        )
        distance = 2 * total_variation(mu, pi)
        yield equal(distance, 2 * m * abs(ratio - 1), "E_μ|r - 1|, by hand")
        yield below(float(distance), sqrt(2 * found), "and below √(2 KL)")
    t, r = sympy.symbols("t r", positive=True)
    free = (1 - t) * sympy.log((1 - t) / (1 - r * t)) - t * sympy.log(r)
    yield proved(sympy.limit(free, t, 0), "KL → 0 as μ(a) → 0, for every ratio r")
    worst = kl([1.0 / 3, 2.0 / 3], [0.8 / 3, 2.2 / 3])
    yield below(float(worst), -log(0.8), "ratios .8 and 1.1: KL below -log(1 - ε), as Σ μ log 1/r ≤ max log 1/r")


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
    verdict=Conditional(
        given="its exact value in a state is wanted; the estimate log μ(a) - log π(a) needs the action taken, and its gradient no μ at all"
    ),
    about=(kl, k1, ppo_penalty_loss_gradient),
)
def what_the_penalty_needs():
    pi = rationals("1/4", "1/4", "1/2")
    first, second = rationals("1/2", "1/4", "1/4"), rationals("1/2", "1/2", "0")
    values = [kl(mu, pi).item() for mu in (first, second)]
    yield proved([values[0] - sympy.log(2) / 4, values[1] - sympy.log(2)], "μ(a₁) = ½ in both: KL = log 2/4 and log 2")
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
    within = clip_only_surrogate_gradient([ONE], [ONE], EPS)
    yield equal(within, [1], "slope of the clip alone at r = 1")
    yield differs(clip_only_surrogate_gradient(r, A, EPS), clipped_surrogate_gradient(r, A, EPS), "slopes outside")
    yield equal(clipped_surrogate_gradient(r, A, EPS), [1, -1], "with the minimum: A")


the_clip_alone

# %% [markdown]
# The rule in words has one sign turned: "if $r < 1 + \epsilon$, we use $1 + \epsilon$". Read as printed, 1.1 becomes 1.2, and 1.5 stays. (The usual values, 0.1 and 0.2, are right. That ε controls how much
# the policy may change is judged at theory-498: the first step is the same for every ε.)


# %%
def as_printed(r, eps):
    """The rule in the order and with the signs of line 1737."""
    if r < 1 - eps:
        return 1 - eps
    return 1 + eps if r < 1 + eps else r


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
# and the step goes to $p = 1$, a ratio of 2. There the gradient is 0, in both directions.


# %%
def slope_of(gradient, p):
    """d/dp of the mean objective over the two arms, even μ, A = -1, 1: each old probability cancels against its ratio's."""
    first, second = gradient([2 * (1 - p), 2 * p], [-ONE, ONE], EPS)
    return second - first


@claim(
    "notes-323",
    says="Outside the band the gradient pushes no further; this prevents the runaway updates of the unpenalised objective",
    verdict=Wrong(
        because="the first step on a batch is not clipped at all: p goes from ½ to 1 in the example, and no gradient brings it back",
        instead="a sample outside its band stops pushing; how far the policy runs is up to the size and number of steps",
    ),
    about=(slope_of, clip_only_surrogate_gradient, clipped_surrogate_gradient),
)
def runaway():
    for name, gradient in (
        ("clip alone", clip_only_surrogate_gradient),
        ("with the minimum", clipped_surrogate_gradient),
    ):
        p = HALF + QUARTER * slope_of(gradient, HALF)
        yield equal([p, slope_of(gradient, p)], [1, 0], f"{name}: p after one step of ¼, and the slope there")
        yield exceeds(p / HALF, HIGH, f"{name}: the ratio is kept near the band")
    back = [slope_of(g, FIFTH) for g in (clip_only_surrogate_gradient, clipped_surrogate_gradient)]
    yield equal(
        back, [0, 2], "after a misleading step to p = .2, ratios 1.6 and .4: the clip alone, and with the minimum"
    )
    near = [slope_of(clip_only_surrogate_gradient, p) for p in (Fraction("0.59"), Fraction("0.61"))]
    yield equal(near, [2, 0], "small steps stop just beyond p = .6, where both samples leave the band")


runaway

# %%
the_minimum = same_as(
    "notes-324",
    of="theory-218",
    says=r"$L^{CLIP} = E[\min(r A, \mathrm{clip}(r, 1-\varepsilon, 1+\varepsilon) A)]$",
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
    verdict=Conditional(
        given="each sample's own term is meant, which the clip alone ensures as well; the mean may be larger outside the bands"
    ),
    about=(clipped_surrogate, clipped_mean),
)
def nothing_to_gain():
    ratios = [Fraction(k, 10) for k in range(31)]
    for A, end in ((ONE, HIGH), (-ONE, LOW)):
        found = clipped_surrogate(ratios, [A] * 31, EPS)
        yield equal(max(found), end * A, f"A = {A}: the most over ratios from 0 to 3, reached at an end of the band")
    yield swept(
        lambda A: clipped_surrogate(ratios, [A] * 31, EPS) - A * np.array(ratios),
        (-3, -1, 1, 3),
        "what the minimum adds: never above r A",
    )
    inside = max(clipped_mean(Fraction(k, 100)) for k in range(16, 25))
    yield equal(inside, Fraction("0.08"), "both ratios within the band: .2 · 1.2 · 1.6 - .8 · .95 · .4")
    yield exceeds(clipped_mean(Fraction("0.36")), inside, "'no benefit outside', at p = .36: ratios 1.8 and .8")


nothing_to_gain

# %% [markdown]
# ## Four cases


# %%
@figure
def four_cases():
    """One sample's objective, ε = 0.2, with the minimum and, dotted, for the clip alone. Cases 1 and 3 keep their slope, 2 and 4 are flat."""
    objectives = {"clip alone": clip_only_surrogate, "with the minimum": clipped_surrogate}
    pair = clip_objective({name: lambda r, A, f=f: f(r, A, 0.2) for name, f in objectives.items()}, 0.2)
    for ax, A, cases in zip(pair, (1.0, -1.0), ({1: 0.4, 4: 1.6}, {2: 0.4, 3: 1.6}), strict=True):
        for case, x in cases.items():
            y = clipped_surrogate([x], [A], 0.2)[0]
            ax.plot(x, y, "o", ms=5, color=COLOURS[1])
            ax.annotate(f"case {case}", (x, y), (x, y - 0.3), ha="center")
    return pair[0].figure


four_cases

# %% [markdown]
# In three of the four the value that is used and the gradient are as the document says. In case 1 what "fires" is the clip of the ratio, and the minimum then discards it. Low and high mean low and high *relative to μ* throughout, and "no gradient"
# means none from this sample: others may move the same probability.


# %%
@claim(
    "notes-326",
    "notes-327",
    "notes-329",
    says="Case 1 (r < 1-ε, A > 0): r A is used, gradient up. Case 2 (r < 1-ε, A < 0): (1-ε) A, none. Case 4 (r > 1+ε, A > 0): clipped, none",
    verdict=Holds(note="of the sample's own term; in case 1 the clipped value is computed, and not used"),
    about=(clipped_surrogate, clipped_surrogate_gradient),
)
def three_cases():
    for case, ratios, A, used, slope in (
        (1, (0, HALF, Fraction("0.79")), 3, (0, 3 * HALF, Fraction("2.37")), 3),
        (2, (0, HALF, Fraction("0.79")), -3, (-3 * LOW,) * 3, 0),
        (4, (Fraction("1.21"), 3 * HALF, 5), 3, (3 * HIGH,) * 3, 0),
    ):
        yield equal(clipped_surrogate(ratios, [A] * 3, EPS), used, f"case {case}, A = {A}: the value used")
        yield equal(clipped_surrogate_gradient(ratios, [A] * 3, EPS), [slope] * 3, f"case {case}: the slope in r")


three_cases

# %% [markdown]
# In case 3 the document lets the clipped value $(1+\epsilon)A$ be used *and* the sample have a gradient. It cannot have both. The minimum takes $rA$, the more negative one; hence the gradient, which is the right behaviour. Nothing bounds that term: dual clip
# puts a floor under it.


# %%
@claim(
    "notes-328",
    says="Case 3 (r > 1+ε, A < 0): the clip fires, (1+ε) A is used, and there is a gradient that unlearns the action",
    verdict=Wrong(
        because="(1+ε) A is constant in r and would give no gradient; of r A and (1+ε) A it is the larger",
        instead="r A is used, with the gradient A: the action is unlearned because nothing is clipped",
    ),
    about=(clipped_surrogate, clipped_surrogate_gradient, clip_only_surrogate_gradient, dual_clip_surrogate_gradient),
)
def the_third_case():
    ratios, A = [Fraction("1.21"), 3 * HALF, 5 * ONE], [-3 * ONE] * 3
    used = clipped_surrogate(ratios, A, EPS)
    yield equal(used, [-Fraction("3.63"), -9 * HALF, -15], "r A, for A = -3 and r = 1.21, 1.5, 5")
    yield differs([-3 * HIGH] * 3, used, "(1 + ε) A, and what is used")
    yield equal(clipped_surrogate_gradient(ratios, A, EPS), A, "the slope: A")
    inside_too = clip_only_surrogate_gradient([ONE, *ratios], [-3 * ONE, *A], EPS)
    yield equal(inside_too, [-3, 0, 0, 0], "the clipped value's own slope: A at r = 1, then none")
    yield equal(
        dual_clip_surrogate_gradient(ratios, A, EPS, 3 * ONE), [-3, -3, 0], "dual clip at 3: none from r = 3 on"
    )


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
    room = clipped_surrogate_gradient([1 / Fraction(83, 100), 1 / Fraction(84, 100)], [3, 3], EPS)
    yield equal(room, [0, 3], "made certain from .83 and from .84: 5/6 lies between")


likelier_not_likely

# %% [markdown]
# ## Two ends
#
# DAPO gives the two ends of the band values of their own: $\epsilon_{low} = 0.2$ and $\epsilon_{high} = 0.28$ in the paper. Only the upper end matters for good actions, only the lower one for bad ones.


# %%
WIDE = Fraction("0.28")


@claim(
    "notes-331",
    says=r"$\mathrm{clip}(r, 1-\varepsilon_{low}, 1+\varepsilon_{high})$ with $\varepsilon_{high} > \varepsilon_{low}$",
    verdict=Holds(note="within the same minimum as before"),
    about=(clipped_surrogate, clip_only_surrogate),
)
def two_ends():
    ratios = [Fraction(x) for x in ("0.5", "1.25", "1.5")]
    yield equal(
        clip_only_surrogate(ratios, [ONE] * 3, EPS, WIDE), [LOW, Fraction("1.25"), 1 + WIDE], "clip to .8, 1.28"
    )
    good, bad = (clipped_surrogate(ratios, [A] * 3, EPS, WIDE) for A in (ONE, -ONE))
    yield equal(good, [HALF, Fraction("1.25"), 1 + WIDE], "A = 1: flat above 1.28")
    yield equal(bad, [-LOW, -Fraction("1.25"), -3 * HALF], "A = -1: flat below .8, as before")
    yield sourced("Yu et al. (2025), 'DAPO', (10) and §4.1: ε_low = 0.2, ε_high = 0.28")


two_ends

# %% [markdown]
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
    verdict=Conditional(
        given="compared with ε_low on both sides, and for good actions that are rare; a common one is made more certain, and entropy falls"
    ),
    about=(active_set, stops_near, entropy),
)
def more_room_upwards():
    ratios = [Fraction(k, 100) for k in (70, 90, 110, 121, 127, 140)]
    counts = [[int((~active_set(ratios, [A] * 6, EPS, high)).sum()) for A in (3, -3)] for high in (EPS, WIDE)]
    yield equal(counts, [[3, 1], [1, 1]], "samples without gradient among six ratios: good, bad; ε_high = .2, then .28")
    ends = [stops_near(q, high)[1] for q in (TENTH, HALF) for high in (EPS, WIDE)]
    yield equal(ends, [Fraction(x) for x in ("0.121", "0.129", "0.601", "0.641")], "stops, from .1 and from .5")
    rare_end, common_end = ([[float(x) for x in stops_near(q, h)] for h in (EPS, WIDE)] for q in (TENTH, HALF))
    by_hand = -0.871 * log(0.871) - 0.129 * log(0.129)
    yield close(entropy(rare_end[1]), by_hand, 1e-12, "double precision", "entropy at .129")
    yield below(float(entropy(rare_end[0])), float(entropy(rare_end[1])), "from .1: more entropy with ε_high = .28")
    yield exceeds(float(entropy(common_end[0])), float(entropy(common_end[1])), "from .5: entropy at .2 against .28")


more_room_upwards
