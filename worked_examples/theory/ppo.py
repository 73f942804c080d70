# %% [markdown]
# # Proximal policy optimisation
#
# *Document `theory`, lines 193 to 199 and 219 to 227.* The objective is right, and so is each number of the worked example. What the
# document says the clip *does* is not: it keeps no ratio inside $[1-\varepsilon, 1+\varepsilon]$. It takes away the gradient of those
# samples that have left, and nothing brings them back. The document's own example has a ratio of 1.8 at ε = 0.2.

# %%
from fractions import Fraction
from math import log

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Qualitative,
    Section,
    Wrong,
    against,
    agrees,
    claim,
    close,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    shows,
    sourced,
    swept,
)
from rlexact.exact.difference import surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, visits
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.trpo import trpo_step
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.off_policy import importance_weighted_surrogate
from rlexact.formulas.ppo import (
    clip_only_surrogate,
    clipped_surrogate,
    clipped_surrogate_gradient,
    ppo_clip_loss_gradient,
)
from rlexact.formulas.ppo_value import ppo_loss, ppo_loss_gradient
from rlexact.learning.ppo import Steps
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("theory", "ppo", "Proximal policy optimisation")

ONE, HALF, FIFTH, EPS = Fraction(1), Fraction(1, 2), Fraction(1, 5), Fraction(1, 5)
LOW, HIGH = 1 - EPS, 1 + EPS
RATIOS = [Fraction(k, 20) for k in range(61)]  # from 0 to 3, the ends of the band among them

# %% [markdown]
# ## The ratio, and the surrogate without a clip
#
# Three displays are lost. The first is $r_t(\theta) = \pi_\theta(a_t|s_t) / \pi_{old}(a_t|s_t)$, which code computes from a difference of
# logarithms. What makes it the right weight: under the old policy its mean is 1, and $E_{old}[r\,f] = E_{new}[f]$ for any $f$.


# %%
@claim(
    "theory-216",
    says=r"(lost display) $r_t(\theta) = \pi_\theta(a_t | s_t) / \pi_{\theta_{old}}(a_t | s_t)$",
    verdict=Holds(note="where the old policy takes every action that the new one takes"),
    about=importance_ratios,
)
def the_ratio():
    p, q = sympy.symbols("p q", positive=True)
    new, old = [p, 1 - p], [q, 1 - q]
    ratios = importance_ratios([sympy.log(x) for x in new], [sympy.log(x) for x in old])
    yield proved(ratios - np.array([p / q, (1 - p) / (1 - q)]), "exp(log π_θ - log π_old), two actions")
    yield proved(ratios @ np.array(old) - 1, "mean 1 under the old policy")
    f = np.array(sympy.symbols("f:2", real=True))
    yield proved((ratios * f) @ np.array(old) - f @ np.array(new), "E_old[r f] = E_new[f]")


the_ratio

# %% [markdown]
# The second is $L^{CPI}(\theta) = \hat E_t[r_t(\theta)\hat A_t]$. With exact advantages, and states weighted as the old policy visits them,
# $\gamma^t$ included, it is TRPO's surrogate up to the constant $J(\theta_{old})$ and the factor $1/(1-\gamma)$.


# %%
@claim(
    "theory-217",
    says=r"(lost display) TRPO's surrogate objective is $L^{CPI}(\theta) = \hat E_t[r_t(\theta)\hat A_t]$",
    verdict=Holds(
        note="up to J(old) and the factor 1/(1 - γ), with time t weighted by γ^t; code weighs all steps alike"
    ),
    about=(importance_weighted_surrogate, surrogate_gain),
)
def the_surrogate():
    model = gallery.left_right_loop().replace(initial=0)
    old, new = uniform(model), np.array([[FIFTH, 4 * FIFTH], [3 * FIFTH, 2 * FIFTH]])
    terms = old * importance_weighted_surrogate(new / old, advantage(model, old))
    by_samples = visits(model, old) @ terms.sum(axis=1)
    v = [Fraction(1700, 139), Fraction(1460, 139)]  # V = (2 + .45 (V_A + V_B), 5 + .45 V_A)
    eta = [Fraction(400, 139), Fraction(180, 139)]  # visits (1 + .45 (η_A + η_B), .45 η_A)
    right_less_left = [2 + Fraction(9, 10) * (v[1] - v[0]), 10 - Fraction(9, 10) * v[0]]
    by_hand = eta[0] * Fraction(3, 10) * right_less_left[0] - eta[1] * Fraction(1, 10) * right_less_left[1]
    yield equal(surrogate_gain(model, new, old), by_hand, "from A: shifts of .3 and -.1 towards right, L - J(old)")
    yield equal(by_samples, by_hand, "Σ_s η(s) Σ_a π_old r Â")


the_surrogate

# %% [markdown]
# ## The clip
#
# The third is $L^{CLIP} = \hat E_t[\min(r_t\hat A_t, \mathrm{clip}(r_t, 1-\varepsilon, 1+\varepsilon)\hat A_t)]$. The minimum matters: it makes the objective a
# lower bound of the surrogate, and leaves a gradient to samples that have gone the *wrong* way. Everything is piecewise linear in
# $r$, so agreement at the ends of the band, and at two points of each piece, is agreement everywhere; and both sides scale with
# $|\hat A|$.


# %%
@claim(
    "theory-218",
    says=r"(lost display) $L^{CLIP} = \hat E_t[\min(r_t\hat A_t, \mathrm{clip}(r_t, 1-\varepsilon, 1+\varepsilon)\hat A_t)]$",
    verdict=Holds(
        note="the clip without the minimum is another objective: it gives a sample gone the wrong way no gradient"
    ),
    about=(clipped_surrogate, clipped_surrogate_gradient),
)
def the_clipped_objective():
    corners = [Fraction(x) for x in ("0.5", "0.8", "1", "1.2", "1.5")]
    up = [Fraction(x) for x in ("0.5", "0.8", "1", "1.2", "1.2")]
    down = [Fraction(x) for x in ("-0.8", "-0.8", "-1", "-1.2", "-1.5")]
    yield equal(clipped_surrogate(corners, [1] * 5, EPS), up, "Â = 1, by the definition")
    yield equal(clipped_surrogate(corners, [-1] * 5, EPS), down, "Â = -1")
    yield swept(lambda a: clipped_surrogate(RATIOS, [a] * 61, EPS) - a * np.array(RATIOS), (-3, -1, 1, 3), "L ≤ r Â")
    yield equal(clipped_surrogate_gradient([1, 1], [3, -3], EPS), [3, -3], "at r = 1 the slope is that of r Â")
    wrong_way = clipped_surrogate_gradient([HALF, 3 * HALF], [1, -1], EPS)
    yield equal(wrong_way, [1, -1], "a sample gone the wrong way keeps its slope")


the_clipped_objective


# %%
@figure
def the_two_cases():
    """One sample's objective as a function of its ratio: the surrogate, the clip with the minimum, and the clip alone (dotted)."""
    from matplotlib import pyplot as plt

    ratios = np.linspace(0, 2, 201)
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.0))
    for ax, adv in zip(axes, (1.0, -1.0), strict=True):
        ax.axvspan(0.8, 1.2, color=COLOURS[6], alpha=0.06, lw=0)
        ax.plot(ratios, ratios * adv, color=COLOURS[6], lw=1, ls="--", label=r"$r\hat A$")
        ax.plot(
            ratios, clip_only_surrogate(ratios, np.full(201, adv), 0.2), color=COLOURS[1], ls=":", label="clip alone"
        )
        ax.plot(ratios, clipped_surrogate(ratios, np.full(201, adv), 0.2), color=COLOURS[0], label=r"$L^{CLIP}$")
        ax.set(title=rf"$\hat A = {adv:+.0f}$", xlabel=r"$r$")
    axes[0].legend()
    return fig


the_two_cases

# %% [markdown]
# ### The two cases
#
# For $\hat A > 0$ only the upper end of the band appears, for $\hat A < 0$ only the lower one. Both short forms are right.


# %%
@claim(
    "theory-220",
    "theory-223",
    says=r"$\hat A > 0$: $L = \min(r\hat A, (1+\varepsilon)\hat A)$. $\hat A < 0$: $L = \min(r\hat A, (1-\varepsilon)\hat A)$",
    verdict=Holds(),
    about=clipped_surrogate,
)
def the_short_forms():
    for eps in (Fraction(1, 10), EPS, HALF):
        for a, end in ((3, 1 + eps), (-3, 1 - eps)):
            short = [min(r * a, end * a) for r in RATIOS]
            yield equal(clipped_surrogate(RATIOS, [a] * 61, eps), short, f"Â = {a}, ε = {eps}: 61 ratios from 0 to 3")


the_short_forms

# %% [markdown]
# Where the sample is past its end of the band, its slope is 0. *At* the end there is a kink: the slope is $\hat A$ on one side and 0 on
# the other, and the formula that code differentiates (the unclipped term where the two are equal) gives $\hat A$.


# %%
def one_sided(ratio, adv):
    """The slopes of one sample's objective to the left and to the right of a ratio, by differences."""
    h = Fraction(1, 1000)
    left, here, right = clipped_surrogate([ratio - h, ratio, ratio + h], [adv] * 3, EPS)
    return [(here - left) / h, (right - here) / h]


@claim(
    "theory-222",
    "theory-225",
    says=r"The gradient is zero once $r \ge 1+\varepsilon$ (for $\hat A > 0$), or $r \le 1-\varepsilon$ (for $\hat A < 0$)",
    verdict=Conditional(given="strictly beyond; at the end itself only the slope outwards is 0, the other is Â"),
    about=(clipped_surrogate_gradient, one_sided),
)
def no_gradient_beyond():
    beyond = [r for r in RATIOS if r > HIGH], [r for r in RATIOS if r < LOW]
    for side, a in zip(beyond, (3, -3), strict=True):
        yield equal(clipped_surrogate_gradient(side, [a] * len(side), EPS), [0] * len(side), f"Â = {a}, beyond its end")
    yield equal(
        [one_sided(Fraction(3, 2), 3), one_sided(HALF, -3)], [[0, 0], [0, 0]], "by differences, at 1.5 and at .5"
    )
    yield equal([one_sided(HIGH, 3), one_sided(LOW, -3)], [[3, 0], [0, -3]], "slopes left and right of 1.2, and of .8")
    yield differs([0, 0], clipped_surrogate_gradient([HIGH, LOW], [3, -3], EPS), "what is propagated at 1.2 and at .8")


no_gradient_beyond

# %% [markdown]
# ## What the clip does to the ratio
#
# The document's two-armed bandit (line 94: the arms pay 1 and 3), and an old policy that pulls the better arm with probability $q$.
# Probabilities share a sum, so one number $p$ moves both ratios. Advantages and means are exact: no noise is to blame for what
# follows. Ascent in $p$ by steps of η times the slope of $E_{old}[L^{CLIP}]$.


# %%
def two_arms(p, q):
    """(ratios, advantages) of the arms that pay 1 and 3, as the probability of the second goes from q to p."""
    value = (1 - q) + 3 * q
    return [(1 - p) / (1 - q), p / q], [1 - value, 3 - value]


def objective(p, q=FIFTH):
    """E_old[L^CLIP], over both arms."""
    return np.array([1 - q, q]) @ clipped_surrogate(*two_arms(p, q), EPS)


def slope(p, q=FIFTH):
    """Its derivative in p: each old probability cancels against its ratio's."""
    first, second = clipped_surrogate_gradient(*two_arms(p, q), EPS)
    return second - first


def ascent(eta, steps, q=FIFTH):
    """p after so many steps of gradient ascent from the old policy, all on the same batch."""
    p = q
    for _ in range(steps):
        p = min(p + eta * slope(p, q), ONE)
    return p


SMALL = Fraction(1, 100)

[float(ascent(SMALL, steps)) for steps in (1, 4, 10, 100)]

# %% [markdown]
# From 0.2 the good arm passes $1.2 \cdot 0.2 = 0.24$ after two steps, and goes on: the *bad* arm's sample is still inside its band, until
# $p = 0.36$. There the ratio of the good arm is 1.8. Beyond it the objective is flat as far as $p = 1$: the policy that
# does nothing else, with a ratio of 5, has the same objective as one that stays at 0.36.


# %%
@figure
def flat_to_the_end():
    """The mean surrogate and the mean clipped objective of the bandit. Dots: ascent in small steps. Square: one step of η = 2/5."""
    from matplotlib import pyplot as plt

    grid = [Fraction(k, 200) for k in range(20, 201)]
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.axvspan(0.16, 0.24, color=COLOURS[6], alpha=0.06, lw=0)
    ax.plot([float(p) for p in grid], [float(2 * (p - FIFTH)) for p in grid], color=COLOURS[6], ls="--", lw=1)
    ax.plot([float(p) for p in grid], [float(objective(p)) for p in grid], color=COLOURS[0])
    small = [ascent(SMALL, k) for k in range(0, 60, 2)]
    ax.plot([float(p) for p in small], [float(objective(p)) for p in small], "o", ms=4, color=COLOURS[2])
    large = ascent(2 * FIFTH, 1)
    ax.plot([float(large)], [float(objective(large))], "s", color=COLOURS[1])
    ax.annotate("band of the good arm", (0.2, 0.45), ha="center", fontsize=8)
    ax.annotate(r"$E\,[r\hat A]$", (0.41, 0.34), fontsize=9)
    ax.annotate(r"$E\,[L^{CLIP}]$", (0.6, 0.15), fontsize=9, color=COLOURS[0])
    ax.set(xlabel="probability of the good arm", ylabel="objective", ylim=(-0.25, 0.5))
    return fig


flat_to_the_end


# %%
@claim(
    "theory-219",
    says=r"Maximising $L^{CPI}$ can make the ratio explode; PPO clips it so that it stays in $[1-\varepsilon, 1+\varepsilon]$",
    verdict=Wrong(
        because="only the copy inside the objective is clipped: the policy that makes L^CPI explode, with a ratio of 5, is a "
        "maximiser of L^CLIP as well",
        instead="clip(r) stays in the band, and there is nothing more to gain outside of it; r itself is not constrained",
    ),
    about=(clipped_surrogate, clip_only_surrogate),
)
def the_ratio_is_free():
    ratios, advantages = two_arms(ONE, FIFTH)
    yield equal(importance_weighted_surrogate(ratios, advantages) @ [4 * FIFTH, FIFTH], 8 * FIFTH, "E[r Â] at p = 1")
    grid = [Fraction(k, 100) for k in range(101)]
    most = max(objective(p) for p in grid)
    yield equal([p for p in grid if objective(p) == most], [p for p in grid if p >= Fraction(36, 100)], "maximisers")
    yield equal(objective(ONE), Fraction("0.128"), "objective at p = 1: .2 · 1.2 · 1.6 - .8 · .8 · .4")
    yield exceeds(ratios[1], HIGH, "ratio of the good arm at a maximiser of L^CLIP")
    kept = clip_only_surrogate(RATIOS, [1] * 61, EPS)
    yield equal([min(kept), max(kept)], [LOW, HIGH], "the clipped copy, over ratios from 0 to 3")


the_ratio_is_free


# %%
@claim(
    "theory-221",
    "theory-224",
    says="The clip prevents r from exceeding 1 + ε where Â > 0, and from dropping below 1 - ε where Â < 0",
    verdict=Wrong(
        because="a sample beyond its end loses its gradient, but others move the same parameters, and one step can jump over the "
        "end: 1.82 and 0.18 for ε = 0.2, in steps of a hundredth",
        instead="the clip removes the sample's own incentive to go further; it neither stops the ratio nor brings it back",
    ),
    about=(clipped_surrogate_gradient, ascent),
)
def the_clip_stops_no_ratio():
    p = ascent(SMALL, 100)
    ratios, advantages = two_arms(p, FIFTH)
    yield equal([p, ratios[1]], [Fraction("0.364"), Fraction("1.82")], "old probability 1/5: p, ratio of the good arm")
    yield exceeds(ratios[1], HIGH, "Â > 0: the ratio")
    yield exceeds(printed("1.8").value, HIGH, "the document's own example, line 225")
    low = ascent(SMALL, 100, q=4 * FIFTH)
    bad = two_arms(low, 4 * FIFTH)[0][0]
    yield equal([low, bad], [Fraction("0.964"), Fraction("0.18")], "old probability 4/5: p, ratio of the bad arm")
    yield exceeds(LOW, bad, "Â < 0: the ratio is at least .8")
    yield exceeds(ascent(2 * FIFTH, 1) / FIFTH, HIGH, "one step with η = 2/5: p = 1, a ratio of 5")
    yield equal(clipped_surrogate_gradient(ratios, advantages, EPS), [0, 0], "what holds: no incentive is left there")


the_clip_stops_no_ratio

# %% [markdown]
# ### A trust region?
#
# A zone without gradient is not a region with a wall. One large step jumps over it, to $p = 1$ here. In small steps, ascent ends where
# the last sample leaves its band, and that can be anywhere in terms of the others' ratios: had the good arm had probability
# 0.01, the bad arm's sample would push it up to 0.208, 20.8 times as much. With *shared* parameters there are samples outside the
# batch as well. In the next model two states share one parameter, the odds $o$ of the second action in state A, and $o^{10}/99$ in
# state B. State A's samples push $o$ from 1 to 3/2, which is as far as their band reaches, $p_A = 0.6$. If B, one state in a
# hundred, is not in the batch, its probability goes from 0.01 to 0.37. There the action costs 100, and the return falls from 0.485
# to 0.226.


# %%
def shared(odds):
    """The policy of states A and B, (2, 2), that share the odds as their only parameter."""
    both = [odds, odds**10 / 99]
    return np.array([[1 / (1 + o), o / (1 + o)] for o in both])


def two_states():
    """One decision in A (99 of 100 starts; the second action pays 1) or in B (it costs 100); the first action pays 0."""
    rows = [[[(ONE, None, 0, True)], [(ONE, None, paid, True)]] for paid in (1, -100)]
    return MDP.from_outcomes(rows, ONE, [Fraction(99, 100), Fraction(1, 100)])


def push(odds):
    """What samples of A alone say about p_A: the derivative of their mean L^CLIP, from even odds."""
    ratios = shared(odds)[0] / HALF
    first, second = clipped_surrogate_gradient(ratios, [-HALF, HALF], EPS)
    return second - first


@claim(
    "theory-226",
    says="The clip creates a trust region in ratio space: the policy can change, but not too much",
    verdict=Wrong(
        because="nothing bounds the change: with ε = 0.2, ratios of 5 (one step), 20.8 (small steps, a rare action) and 36.8 (small "
        "steps, a parameter shared with a state outside the batch)",
        instead="the clip creates a zone without gradient, for each sample on one side of its band only, by the sign of Â",
    ),
    about=(clipped_surrogate_gradient, ascent, shared, slope),
)
def a_region_without_a_wall():
    yield exceeds(ascent(2 * FIFTH, 1) / FIFTH, HIGH, "one step of η = 2/5: ratio of the good arm")
    rare = Fraction(1, 100)
    yield equal(
        [slope(Fraction(k, 1000), rare) for k in (10, 100, 208, 209)], [2, rare * 2, rare * 2, 0], "rare good arm"
    )
    yield exceeds(Fraction("0.208") / rare, HIGH, "small steps carry it to .208: its ratio")
    yield equal([push(Fraction(k, 10)) for k in (10, 12, 14, 15)], [1, 1, 1, 1], "A's push up to odds of 3/2: p_A = .6")
    yield equal([push(Fraction(k, 10)) for k in (16, 20)], [0, 0], "and beyond")
    end = shared(Fraction(3, 2))
    hand = Fraction(3**10, 99 * 2**10 + 3**10)
    yield equal([end[0, 1], end[1, 1]], [Fraction(3, 5), hand], "p_A and p_B when A's samples stop pushing")
    yield exceeds(hand * 100, HIGH, "B's ratio")
    outside = clipped_surrogate_gradient([HALF, 3 * HALF] * 2, [3, 3, -3, -3], EPS)
    yield equal(outside, [3, 0, 0, -3], "slopes at r = .5 and 1.5: for Â = 3, then for Â = -3")


a_region_without_a_wall

# %% [markdown]
# ### Nearly the effect of TRPO?
#
# In the bandit, small steps end where a TRPO step ends whose budget is KL(0.2 ‖ 0.36) = 0.061. As optimisation problems the two
# have little in common: TRPO's has one solution, inside its budget, and the clipped objective's maximisers reach to a
# policy at an infinite divergence. (TRPO needs no Fisher matrix either, only its products with vectors, as line 181 says.)


# %%
def spent(p):
    """KL of the old policy (.8, .2) from (1 - p, p)."""
    return 0.8 * log(0.8 / (1 - p)) + 0.2 * log(0.2 / p)


@claim(
    "theory-215",
    says="PPO reaches nearly the same effect as TRPO, with a clipped objective and ordinary gradient steps",
    verdict=Conditional(
        given="the gradient steps are small and few; the clipped objective itself bounds no divergence"
    ),
    about=(trpo_step, clipped_surrogate, clipped_surrogate_gradient),
)
def nearly_trpo():
    model, old = gallery.two_armed_bandit().to_float(), np.array([[0.8, 0.2]])
    step = trpo_step(model, old, spent(0.36)).policy[0, 1]
    yield close(step, 0.36, 1e-9, "a root finder in double precision", "TRPO with the budget KL(.2 ‖ .36)")
    yield equal(ascent(SMALL / 10, 400), Fraction("0.3604"), "PPO in steps of a thousandth")
    yield equal(objective(ONE), objective(Fraction("0.36")), "L^CLIP at p = 1, and at .36")
    yield equal(objective(Fraction("0.36")), Fraction("0.128"), "by hand: .2 · 1.2 · 1.6 - .8 · .8 · .4")
    greedy = Fraction(999999, 1000000)
    yield against(bool(objective(greedy) == objective(ONE) and spent(float(greedy)) > 10), "KL above 10 at a maximiser")


nearly_trpo

# %% [markdown]
# ### 20 per cent
#
# With ε = 0.2, then, it is not true that an update changes each probability by at most 20 %. The good arm went from 0.2 to 0.364, and
# the document's own action from 0.4 to 0.72.


# %%
@claim(
    "theory-249",
    says="ε = 0.2 means that each action probability changes by at most 20 % per update",
    verdict=Wrong(
        because="the update of the bandit changes one by 82 %, and the document's example, line 225, one by 80 %",
        instead="beyond a change of 20 % in the direction of its advantage, a sample has no gradient of its own",
    ),
    about=(ascent, clipped_surrogate_gradient),
)
def twenty_per_cent():
    change = ascent(SMALL, 100) / FIFTH - 1
    yield equal(change, Fraction("0.82"), "from .2 to .364")
    yield exceeds(change, FIFTH, "relative change of the good arm in one update")
    yield exceeds(printed("0.72").value / printed("0.4").value - 1, FIFTH, "and from .4 to .72")
    near = [Fraction("1.19"), Fraction("1.21")]
    yield equal(clipped_surrogate_gradient(near, [3, 3], EPS), [3, 0], "the slope of a sample at +19 % and at +21 %")


twenty_per_cent

# %% [markdown]
# ## The algorithm
#
# Its box is lost: collect $N \cdot T$ steps with $\pi_{old}$, compute $\hat A$ by GAE, and for $K$ epochs of minibatches ascend
#
# $$\hat E_t\left[L^{CLIP} - c_1 (V_\phi(s_t) - V_t^{targ})^2 + c_2 H(\pi_\theta(\cdot|s_t))\right],$$
#
# then let $\pi_{old} \leftarrow \pi_\theta$. The first step of each batch is taken at $r = 1$, where nothing is clipped: it is along the policy
# gradient.


# %%
@claim(
    "theory-246",
    says=r"(lost algorithm) N·T steps of $\pi_{old}$; GAE; K epochs of ascent on $E[L^{CLIP} - c_1(V - V^{targ})^2 + c_2 H]$",
    verdict=Holds(
        note="a loss to be minimised has all three signs turned; the first step of a batch is an actor-critic step"
    ),
    about=(ppo_loss, ppo_loss_gradient, ppo_clip_loss_gradient, policy_gradient),
)
def the_algorithm():
    found = ppo_loss([log(0.72)], [log(0.4)], [3.0], [2.0], [5.0], [0.6], 0.2, 0.5, 0.01)
    by_hand = -(1.2 * 3 - 0.5 * (2 - 5) ** 2 + 0.01 * 0.6)
    yield close(found.total, by_hand, 1e-12, "double precision", "loss of one sample: -(3.6 - .5 · 9 + .006)")
    slopes = ppo_loss_gradient([log(0.4)], [log(0.4)], [3.0], [2.0], [5.0], [0.6], 0.2, 0.5, 0.01)
    parts = [slopes.log_probs[0], slopes.values[0], slopes.entropies[0]]
    yield close(parts, [-3, -3, -0.01], 1e-12, "double precision", "at r = 1: -Â, 2 · .5 · (2 - 5), -.01")
    model = gallery.two_armed_bandit()
    family = softmax_at(model, np.array([[4 * FIFTH, FIFTH]]))
    pi, adv = np.array([0.8, 0.2]), np.array([-0.4, 1.6])
    weights = -ppo_clip_loss_gradient(np.log(pi), np.log(pi), adv, 0.2)
    scores = np.eye(2) - pi  # ∇ log π(a) of logits, one row per action
    yield close(
        (pi * weights) @ scores, [-0.32, 0.32], 1e-12, "double precision", "mean first step of a batch, in logits"
    )
    yield equal(policy_gradient(model, family)[0], [-Fraction("0.32"), Fraction("0.32")], "∇J: π(a) A(a)")


the_algorithm

# %% [markdown]
# ## Using a batch several times
#
# Four epochs of small steps on one batch gain more than one: from 0.2 the bandit reaches 0.264 and not only 0.22. That is a gain as long
# as samples are inside their bands *and the batch is right*. Past 0.36 another epoch adds nothing. And a batch whose advantages
# have, by bad luck, the wrong sign is believed four times as well. Against methods that keep old data, line 228 of the document calls
# the same algorithm wasteful. (Nor is it the clip that makes PPO stable, which the same line says: see the two states above.)


# %%
def misled(eta, steps, q=HALF):
    """As `ascent`, on a batch in which chance has turned the sign of both advantages."""
    p = q
    for _ in range(steps):
        ratios, advantages = two_arms(p, q)
        first, second = clipped_surrogate_gradient(ratios, [-a for a in advantages], EPS)
        p = max(p + eta * (second - first), 0 * ONE)
    return p


def earned(p):
    """J of the bandit where the good arm has probability p."""
    return expected_return(gallery.two_armed_bandit(), np.array([[1 - p, p]]))


@claim(
    "theory-245",
    says="PPO is sample-efficient: each batch is reused for K epochs, not just one gradient step",
    verdict=Conditional(
        given="the samples are still inside their bands, and the batch's advantages have the right sign; against one step per batch, not against off-policy methods"
    ),
    about=(ascent, earned, misled),
)
def reuse():
    yield equal([ascent(SMALL, k) for k in (1, 4)], [Fraction("0.22"), Fraction("0.264")], "p after 1 and 4 epochs")
    yield equal(
        [earned(ascent(SMALL, k)) for k in (0, 1, 4)], [Fraction(x) for x in ("1.4", "1.44", "1.528")], "J = 1 + 2p"
    )
    yield equal([ascent(SMALL, k) for k in (40, 80)], [Fraction("0.364")] * 2, "past the band, 40 epochs more")
    lost = [earned(misled(SMALL, k)) for k in (1, 4)]
    yield equal(lost, [Fraction("1.96"), Fraction("1.84")], "a misleading batch, from J = 2: after 1 and 4 epochs")
    yield exceeds(*lost, "J after one epoch against J after four")
    yield sourced("theory, line 219: sample-efficient; line 228, of the same algorithm: wasteful", against=True)


reuse

# %% [markdown]
# The document adds that with many epochs the gradient becomes that of the old policy. The ratio is there to prevent it: while
# nothing is clipped, $E_{old}[r\hat A\,\nabla\log\pi] = E_{new}[\hat A\,\nabla\log\pi]$. What is stale is the advantages, and which states are visited.


# %%
@claim(
    "theory-248",
    "theory-251",
    says="8 environments × 256 steps = 2048 transitions per update; with K = 4 epochs each is used 4 times",
    verdict=Holds(note="8192 uses; a sample that is clipped is used without effect"),
    about=Steps.minibatches,
)
def four_uses():
    size, epochs = 8 * 256, 4
    yield equal(size, printed("2048"), "transitions")
    batch = Steps(np.arange(size), np.zeros(size, dtype=int), np.zeros(size), np.zeros(size))
    rng = np.random.default_rng(0)
    parts = [part.states for _ in range(epochs) for part in batch.minibatches(rng, 32)]
    yield equal([len(part) for part in parts], [64] * 128, "minibatches of 64, 32 per epoch")
    uses = np.bincount(np.concatenate(parts), minlength=size)
    yield equal(set(uses.tolist()), {4}, "uses of each transition")
    yield equal(int(uses.sum()), 4 * printed("2048").value, "in all")


four_uses

# %% [markdown]
# Is it the clip that makes ten epochs safe? With a large step the first epoch is already too much, and since the gradient beyond is 0
# the other nine cannot repair it. In the two states with a shared parameter, the epochs that A's samples allow ruin B. What does
# bound an update is the number of steps times their size: ten of a thousandth move the bandit by 0.02 at most, clip or no clip.
# Hence small learning rates, and implementations that stop the epochs at a measured divergence.


# %%
@claim(
    "theory-252",
    says="K = 10 with ε = 0.2 usually works, because the clip prevents too-large updates even with stale data",
    verdict=Wrong(
        because="the clip prevents no large update: ten epochs reach p = 1 from .2 in the bandit, or halve the return of the two "
        "states while every sample of the batch stays within its band",
        instead="small steps, or stopping at a measured divergence, are what bounds an update of K epochs",
    ),
    about=(ascent, two_states, expected_return),
)
def ten_epochs():
    yield exceeds(ascent(2 * FIFTH, 10) / FIFTH, HIGH, "ten epochs with η = 2/5: the ratio")
    yield equal([ascent(2 * FIFTH, k) for k in (1, 10)], [1, 1], "the first went to p = 1, nine could not come back")
    before, after = (expected_return(two_states(), shared(o)) for o in (ONE, Fraction(3, 2)))
    p = Fraction(3**10, 99 * 2**10 + 3**10)
    yield equal([before, after], [Fraction("0.485"), Fraction("0.594") - p], "J of the two states, before and after")
    yield against(bool(after < before / 2), "no sample of the batch beyond its band, and the return more than halved")
    yield equal(ascent(SMALL / 10, 10), Fraction("0.22"), "ten epochs of a thousandth: .2 + 10 · .001 · 2")


ten_epochs

# %% [markdown]
# What was observed on the humanoid for other ε and other λ is reported without the runs or their data.


# %%
@claim(
    "theory-250",
    "theory-253",
    says="On the humanoid, ε = 0.1 learned too slowly and ε = 0.5 oscillated; λ = 0.99 was better but slower, λ = 0.8 faster but worse",
    verdict=Qualitative(
        why="reports of runs whose task, seeds, curves and other settings are not given: nothing of them can be recomputed"
    ),
)
def the_reports():
    return ()


the_reports


# %%
@claim(
    "theory-247",
    says="OpenAI used PPO to train ChatGPT's policy in its RLHF stage",
    verdict=Holds(note="with a KL penalty per token towards the supervised model, as InstructGPT"),
    about=(),
)
def chatgpt():
    yield sourced(
        "OpenAI, 'Introducing ChatGPT' (30 November 2022), Methods: RLHF with the methods of InstructGPT, fine-tuned with PPO; "
        "Ouyang et al. (2022), 'Training language models to follow instructions with human feedback', §3.5: PPO"
    )


chatgpt

# %% [markdown]
# ## One sample, from 0.4 to 0.72
#
# The ratio is 1.8, the clipped ratio 1.2, the two terms are 5.4 and 3.6, and the smaller one has no gradient.


# %%
@claim(
    "theory-254",
    "theory-255",
    says="r = .72 / .4 = 1.8, and clip(1.8, .8, 1.2) = 1.2",
    verdict=Holds(),
    about=(importance_ratios, clip_only_surrogate),
)
def the_sample():
    r = printed("0.72").value / printed("0.4").value
    yield agrees(printed("1.8"), r)
    yield close(importance_ratios([log(0.72)], [log(0.4)]), 1.8, 1e-12, "double precision", "from log-probabilities")
    yield equal(
        clip_only_surrogate([r], [1], printed("0.2").value), [Fraction(6, 5)], "clip(1.8, .8, 1.2), by the library"
    )
    yield agrees(
        printed("1.2"), sorted([printed("0.8").value, r, printed("1.2").value])[1], "the middle one of the three"
    )


the_sample


# %%
@claim(
    "theory-256",
    "theory-257",
    "theory-258",
    says="Â = +3: 1.8 · 3 = 5.4, 1.2 · 3 = 3.6, min = 3.6, and the gradient is zero",
    verdict=Holds(note="the gradient of this sample; others may still move π(a | s), as above"),
    about=(importance_weighted_surrogate, clip_only_surrogate, clipped_surrogate, clipped_surrogate_gradient),
)
def the_two_terms():
    r = [Fraction(9, 5)]
    yield agrees(printed(["5.4"]), importance_weighted_surrogate(r, [3]), "unclipped")
    yield agrees(printed(["3.6"]), clip_only_surrogate(r, [3], EPS), "clipped")
    yield agrees(printed(["3.6"]), clipped_surrogate(r, [3], EPS), "the smaller")
    terms = [importance_weighted_surrogate(r, [3])[0], clip_only_surrogate(r, [3], EPS)[0]]
    yield equal(terms, [Fraction(27, 5), Fraction(18, 5)], "the two terms exactly")
    yield equal(clipped_surrogate_gradient(r, [3], EPS), [0], "the slope")


the_two_terms

# %% [markdown]
# So PPO, the document concludes, lets the policy have 1.2 of the 1.8. But the policy *is* at 1.8, and no gradient takes it back. However many epochs
# follow, this sample leaves it at 0.72, and the next batch is collected there: the old policy of the next update has 0.72 and not
# $1.2 \cdot 0.4 = 0.48$.


# %%
def later(p, epochs, old=2 * FIFTH, eta=SMALL):
    """π(a | s) after more epochs of ascent on this one sample, Â = 3."""
    for _ in range(epochs):
        p = p + eta * clipped_surrogate_gradient([p / old], [3], EPS)[0] / old
    return p


@claim(
    "theory-259",
    says="The policy wanted 1.8 times the probability; PPO slows the change down to 1.2 times for now",
    verdict=Wrong(
        because="the policy is at 1.8 already, and a zero gradient leaves it there: π(a | s) = .72, not .48",
        instead="PPO stops paying for a further increase; had the sample been alone, small steps would have stopped just above 1.2",
    ),
    about=(later, clipped_surrogate),
)
def it_stays_at_1_8():
    old = printed("0.4").value
    after = later(printed("0.72").value, 100) / old
    yield differs(printed("1.2"), after, "the ratio, 100 epochs later")
    yield equal(after, Fraction(9, 5), "where it was")
    flat = clipped_surrogate([Fraction(12, 10), Fraction(15, 10), Fraction(18, 10)], [3] * 3, EPS)
    yield equal(flat, [Fraction(18, 5)] * 3, "the objective at 1.2, 1.5 and 1.8: nothing pulls either way")
    alone = later(old, 100, eta=SMALL / 10) / old
    yield shows(
        HIGH < alone < HIGH + Fraction(1, 50), "from 1, alone, in steps of a thousandth: stops between 1.2 and 1.22"
    )


it_stays_at_1_8
