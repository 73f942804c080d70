# %% [markdown]
# # How far to step: the lemmas
#
# *Document `theory`, lines 152 to 174.* A gradient says where to go, not how far. Two identities (how discounted sums become
# averages over visited states, and how two policies' returns differ) and one inequality (what a small change of policy can
# do to the states visited) give an answer. The identities are right and their proofs complete. The inequality is right too,
# and attained; its proof is not, in three sentences out of three. And the surrogate is no lower bound until its penalty is
# subtracted.

# %%
from fractions import Fraction

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
    differs,
    equal,
    exceeds,
    proved,
    proved_at_most,
    shows,
    sourced,
    swept,
    tight,
)
from rlexact.exact.difference import mean_advantage, performance_difference, surrogate, surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, occupancy, policy_value, visits
from rlexact.exact.paths import expect
from rlexact.exact.policy_distance import maximal_coupling, total_variation
from rlexact.exact.trust_region import (
    conservative_witness,
    coupling_bound,
    penalty_bound,
    penalty_witness,
    state_law,
)
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, mixture, uniform

SECTION = Section("theory", "trust_regions_lemmas", "How far to step: the lemmas")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
NINE_TENTHS = Fraction(9, 10)

# %% [markdown]
# ## Too small, too large
#
# Two states. Staying pays nothing; leaving state 0, for good, pays 1; trying to leave state 1 costs 1. The old policy stays.
# Its advantages know nothing of what happens in state 1 afterwards, so they recommend leaving with all one's might. A
# policy that leaves with probability $w$ everywhere is worth $2w/(1 - \gamma(1 - w)) - w/(1 - \gamma)$.


# %%
def worth_of_leaving(w, gamma=NINE_TENTHS):
    model, leave, stay = conservative_witness(ONE, gamma)
    return expected_return(model, mixture(model, stay, leave, w))


@claim(
    "theory-162",
    says="A step that is too small wastes samples, one that is too large destroys a good policy in a single update",
    verdict=Holds(note="where the states visited change with the policy; on a bandit no exact step is too large"),
    about=expected_return,
)
def too_small_and_too_large():
    for w in (Fraction(1, 1000), Fraction(1, 22), ONE):
        yield equal(worth_of_leaving(w), 2 * w / (1 - NINE_TENTHS * (1 - w)) - 10 * w, f"worth of w = {w}, by hand")
    yield below(
        worth_of_leaving(Fraction(1, 1000)), worth_of_leaving(Fraction(1, 22)) / 15, "a timid step gains little"
    )
    yield equal(worth_of_leaving(ONE), -8, "the full step: from 0 to -8")


too_small_and_too_large


# %%
@figure
def promise_and_truth():
    """The surrogate (straight line) keeps promising more; the return turns back; the guarantee is honest but timid."""
    from matplotlib import pyplot as plt

    w = np.linspace(0, 0.08, 161)
    fig, ax = plt.subplots(figsize=(6.0, 3.4))
    ax.plot(w, 10 * w, color=COLOURS[1], label=r"surrogate $L$")
    ax.plot(w, 2 * w / (0.1 + 0.9 * w) - 10 * w, color=COLOURS[0], label=r"return $V$")
    ax.plot(w, 10 * w - 360 * w**2, color=COLOURS[2], ls="--", label=r"$L - 4\varepsilon\gamma\alpha^2/(1-\gamma)^2$")
    ax.axhline(0, color="0.4", lw=0.8)
    ax.set(xlabel=r"probability $w$ of leaving ($= \alpha$), $\gamma = 0.9$", ylabel="value", ylim=(-0.4, 0.8))
    ax.legend(loc="upper left")
    return fig


promise_and_truth

# %% [markdown]
# ## Sums over time are averages over visited states
#
# In the model below action 0 stays and action 1 swaps two states. Chances of swapping, payments $f(s, a)$ and the discount
# are symbols. The left side of the lemma is solved backwards in time, as a value; the right side forwards, as visits; and a
# third route sums the closed form of $\Pr(s_t)$ by hand, $\Pr(s_t = 0) = \frac{b + a\,(1 - a - b)^t}{a + b}$ from state 0.


# %%
FOUR = sympy.symbols("f:4", real=True)


def symbolic_swapper(f=FOUR):
    """(model, new policy, old policy): payments f, discount γ, chances a, b (new) and c, d (old) of swapping, all symbols."""
    gamma, a, b, c, d = sympy.symbols("gamma a b c d", positive=True)
    model = MDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [f[:2], f[2:]], gamma, initial=0)
    return model, np.array([[1 - a, a], [1 - b, b]]), np.array([[1 - c, c], [1 - d, d]])


def visits_by_hand(model, policy):
    """Σ_t γ^t Pr(s_t) from the closed form of a two-state chain: two geometric series."""
    a, b, gamma = policy[0, 1], policy[1, 1], model.gamma
    here = b / ((a + b) * (1 - gamma)) + a / ((a + b) * (1 - gamma * (1 - a - b)))
    return [sympy.cancel(here), sympy.cancel(1 / (1 - gamma) - here)]


@claim(
    "theory-165",
    says=r"$\sum_t \gamma^t \Pr(s_t = s) = d^\pi(s) / (1 - \gamma)$",
    verdict=Holds(),
    about=(visits, occupancy),
)
def visits_and_occupancy():
    model, policy, _ = symbolic_swapper()
    hand = visits_by_hand(model, policy)
    yield proved(visits(model, policy) - hand, "visits are the two series summed by hand")
    yield proved(occupancy(model, policy) / (1 - model.gamma) - hand, "and d/(1 - γ) is the same")


visits_and_occupancy


# %%
@claim(
    "theory-163",
    "theory-164",
    "theory-166",
    says=r"$E[\sum_t \gamma^t f(s_t, a_t)] = \sum_t \gamma^t \sum_s \Pr(s_t = s) \sum_a \pi(a|s) f(s, a)"
    r" = \frac{1}{1-\gamma} E_{s \sim d^\pi, a \sim \pi} f$",
    verdict=Holds(
        note="the sums may be exchanged because f is bounded and γ < 1; where episodes end, f counts as 0 afterwards"
    ),
    about=(expected_return, occupancy, expect),
)
def sums_over_time():
    model, policy, _ = symbolic_swapper()
    mean = (policy * model.r).sum(axis=1)
    yield proved(expected_return(model, policy) - visits_by_hand(model, policy) @ mean, "left side, against the series")
    yield proved(occupancy(model, policy) @ mean / (1 - model.gamma) - expected_return(model, policy), "both ends")
    model = gallery.random_mdp(1, 3, 2)
    policy = uniform(model)
    along = expect(model, policy, 4, lambda p: sum(NINE_TENTHS**t * model.r[s, a] for t, (s, a) in enumerate(steps(p))))
    exchanged = sum(NINE_TENTHS**t * state_law(model, policy, t) @ (policy * model.r).sum(axis=1) for t in range(4))
    yield equal(along, exchanged, "Step 1, over every path of four steps of a random model")


def steps(path):
    return zip(path.states, path.actions, strict=False)


sums_over_time

# %% [markdown]
# ## The performance difference lemma
#
# The gap between two returns is the *new* policy's visits times the *old* policy's advantages, both from the same start.
# Each step of the proof is an identity; they are checked one by one, then the lemma itself, on the symbolic model.


# %%
@claim(
    "theory-167",
    "theory-172",
    says=r"$V(\pi) - V(\pi') = \frac{1}{1-\gamma} E_{s \sim d^\pi, a \sim \pi}[A^{\pi'}(s, a)]$",
    verdict=Holds(note="d is the new policy's and A the old one's; both returns are from one start"),
    about=(performance_difference, expected_return, advantage),
)
def the_performance_difference_lemma():
    for unit in np.eye(4, dtype=int):  # both sides are linear in the rewards
        model, new, old = symbolic_swapper(tuple(unit))
        gained = visits_by_hand(model, new) @ (new * advantage(model, old)).sum(axis=1)
        gap = expected_return(model, new) - expected_return(model, old)
        yield proved(gap - gained, f"discount and both policies free, rewards {unit}")
    stay, hand = deterministic(swapper(), [0, 0]), Fraction(90, 19)
    both = performance_difference(swapper(), deterministic(swapper(), [1, 1]), stay)
    yield equal([both.left, both.right], [hand, hand], "swapping against staying where state 1 pays 1: .9/(1 - .81)")


def swapper():
    """The same moves, with 1 paid for every action in state 1."""
    return MDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [[0, 0], [1, 1]], NINE_TENTHS, initial=0)


the_performance_difference_lemma


# %%
@claim(
    "theory-168",
    says=r"Step 1: $V(\pi) = E[\sum_t \gamma^t r_t] = \frac{1}{1-\gamma} E_{d^\pi, \pi}[r]$",
    verdict=Holds(),
    about=(expected_return, occupancy),
)
def the_return_as_an_average():
    model, new, _ = symbolic_swapper()
    paid = (new * model.r).sum(axis=1)
    yield proved(expected_return(model, new) - visits_by_hand(model, new) @ paid, "the lemma above with f = r")
    d = occupancy(swapper(), deterministic(swapper(), [1, 1]))
    yield equal(d, [Fraction(10, 19), Fraction(9, 19)], "d of swapping for ever: 1/1.9 and .9/1.9")
    yield equal(10 * d[1], expected_return(swapper(), deterministic(swapper(), [1, 1])), "V = d(1) · 1 / (1 - γ)")


the_return_as_an_average


# %%
@claim(
    "theory-169",
    "theory-170",
    says=r"Step 2: $r = A^{\pi'} + V^{\pi'} - \gamma E[V^{\pi'}(s')]$, because $A = Q - V$ and $Q = r + \gamma E[V(s')]$",
    verdict=Holds(),
    about=(advantage, policy_value),
)
def the_reward_rebuilt():
    model, _, old = symbolic_swapper()
    A, v = advantage(model, old), policy_value(model, old)
    ahead = np.array([[v[0], v[1]], [v[1], v[0]]])  # stay, swap
    yield proved(A + v[:, None] - model.gamma * ahead - model.r, "every pair, the old policy's chances free")
    yield proved((old * A).sum(axis=1), "and its mean advantage is zero in each state")


the_reward_rebuilt

# %% [markdown]
# The telescope leaves a boundary term at the far end, $\gamma^T V'(s_T)$. It vanishes because $V'$ is bounded and γ < 1; at a
# finite horizon it must be kept.


# %%
@claim(
    "theory-171",
    says=r"Step 3: $\sum_t \gamma^t (V'(s_t) - \gamma V'(s_{t+1}))$ telescopes to $V'(s_0)$",
    verdict=Holds(note="after T steps γ^T V'(s_T) is left over, which tends to 0 for γ < 1"),
    about=expect,
)
def the_telescope():
    model = gallery.random_mdp(1, 3, 2)
    new, v = uniform(model), policy_value(model, deterministic(model, [0, 1, 0]))

    def telescoped(path):
        here, there = path.states[:-1], path.states[1:]
        return sum(
            NINE_TENTHS**t * (v[s] - NINE_TENTHS * v[z]) for t, (s, z) in enumerate(zip(here, there, strict=True))
        )

    for T in (1, 2, 5):
        left = expect(model, new, T, telescoped)
        over = NINE_TENTHS**T * state_law(model, new, T) @ v
        yield equal(left, model.initial @ v - over, f"T = {T}, every path: V'(s_0) less the boundary term")
    symbolic, pi, old = symbolic_swapper()
    w = policy_value(symbolic, old)
    ahead = np.array([(1 - pi[0, 1]) * w[0] + pi[0, 1] * w[1], (1 - pi[1, 1]) * w[1] + pi[1, 1] * w[0]])
    yield proved(visits_by_hand(symbolic, pi) @ (w - symbolic.gamma * ahead) - w[0], "the whole series, in symbols")


the_telescope

# %% [markdown]
# ## Only old data: the surrogate
#
# The lemma needs visits of a policy that has not been run. The definition that follows in the document is lost; the standard
# one (Schulman et al. 2015, eq. 3) takes the old policy's visits instead,
# $L_{\pi'}(\pi) = V(\pi') + \frac{1}{1-\gamma} E_{s \sim d^{\pi'}, a \sim \pi}[A^{\pi'}(s, a)]$. It agrees with $V$ at $\pi = \pi'$ in value and slope.


# %%
@claim(
    "theory-173",
    says="The lemma needs the state distribution of the new policy, but the data come from the old one",
    verdict=Holds(note="weights would be needed for whole histories, not for single actions, to correct old data"),
    about=(performance_difference, surrogate_gain),
)
def whose_states():
    model, leave, stay = conservative_witness(ONE, NINE_TENTHS)
    yield equal(performance_difference(model, leave, stay).right, -8, "the new policy's states: 1 - 9")
    yield equal(surrogate_gain(model, leave, stay), 10, "the old policy's states: 1/(1 - γ), with the wrong sign")


whose_states


# %%
@claim(
    "theory-174",
    says=r"(lost display) $L_{\pi'}(\pi) = V(\pi') + \frac{1}{1-\gamma} E_{s \sim d^{\pi'}, a \sim \pi}[A^{\pi'}(s, a)]$",
    verdict=Holds(),
    about=surrogate,
)
def the_surrogate():
    model, new, old = symbolic_swapper((0, 1, 2, 0))
    by_hand = visits_by_hand(model, old) @ (new * advantage(model, old)).sum(axis=1) + policy_value(model, old)[0]
    L = surrogate(model, new, old)
    yield proved(L - by_hand, "as defined, with rewards 1 for swapping in state 0 and 2 for staying in state 1")
    a, b, c, d = new[0, 1], new[1, 1], old[0, 1], old[1, 1]
    J = expected_return(model, new)
    yield proved((L - J).subs({a: c, b: d}), "at π = π' it is the return")
    yield proved([sympy.diff(L - J, x).subs({a: c, b: d}) for x in (a, b)], "and so are its slopes")


the_surrogate

# %% [markdown]
# ## Policies drawn together
#
# A coupling draws one action for each policy, from a joint law with the right margins. The best one agrees on the mass that
# the policies share, and draws *what is left over of each* independently; its chance of disagreeing is the total variation.
# The document's wording can be read as drawing from the policies themselves. Then the margins come out wrong.


# %%
def three_actions():
    """(model, new, old): one choice among three; the policies share 3/4 of their mass."""
    return gallery.fork(), np.array([[HALF, QUARTER, QUARTER]]), np.array([[HALF, HALF, 0 * ONE]])


@claim(
    "theory-175",
    says="α-coupled: in each state the same action with probability 1 - α, an independent choice with probability α",
    verdict=Conditional(
        given="the shared action is drawn from the mass that the policies share and the independent ones from what is left of "
        "each, not from the policies; and α is the smallest possible, if it is to measure a distance"
    ),
    about=maximal_coupling,
)
def drawn_together():
    model, new, old = three_actions()
    joint = maximal_coupling(model, new, old)[0]
    yield equal([joint.sum(axis=1), joint.sum(axis=0)], [new[0], old[0]], "the leftovers drawn apart: both margins")
    yield equal(1 - joint.trace(), QUARTER, "disagreeing with probability α = 1/4")
    literal = Fraction(3, 4) * np.diag(new[0]) + QUARTER * np.outer(new[0], old[0])
    yield differs(literal.sum(axis=0), old[0], "drawn from the policies themselves: the old policy's margin")
    fair = np.outer([HALF, HALF], [HALF, HALF])
    yield differs(ONE, 1 - fair.trace(), "one fair coin twice, all independent (α = 1): chance of differing")


drawn_together


# %%
@claim(
    "theory-176", says="α = 0: the policies are identical", verdict=Holds(), about=(maximal_coupling, total_variation)
)
def never_apart():
    model, new, old = three_actions()
    yield equal(total_variation(model, old, old), [0], "identical policies: total variation 0")
    yield equal(maximal_coupling(model, old, old)[0], np.diag(old[0]), "always the same action")
    p = sympy.symbols("p:3", nonnegative=True)
    always_same = np.diag(p)
    yield proved(always_same.sum(axis=0) - always_same.sum(axis=1), "a joint law on the diagonal has equal margins")
    yield equal(total_variation(model, new, old), [QUARTER], "and different policies are some way apart")


never_apart


# %%
def pairs_of_four():
    """(model, new, old): even on the first two of four actions, and on the last two."""
    return gallery.bandit((ONE, ONE, ONE, ONE)), np.array([[HALF, HALF, 0, 0]]), np.array([[0, 0, HALF, HALF]])


@claim(
    "theory-177",
    says="α = 1: the policies are independent",
    verdict=Conditional(
        given="α is the weight of an independent draw; as a distance, α = 1 means that the policies share no action, and says "
        "nothing of independence"
    ),
    about=(maximal_coupling, total_variation),
)
def all_apart():
    model, new, old = pairs_of_four()
    yield equal(total_variation(model, new, old), [1], "no action in common")
    yield equal(
        maximal_coupling(model, new, old)[0], np.outer(new[0], old[0]), "leftovers drawn apart: the product law"
    )
    paired = HALF * np.eye(4, k=2, dtype=int)
    yield equal([paired.sum(axis=1), paired.sum(axis=0)], [new[0], old[0]], "a joint law of the same two policies")
    yield against(
        paired.trace() == 0 and (paired != np.outer(new[0], old[0])).any(), "it always differs, and is not independent"
    )
    yield differs(ONE, total_variation(model, new, new)[0], "a policy beside an independent copy of itself: distance")


all_apart


# %%
def random_policies(seed):
    model = gallery.random_mdp(seed, 3, 3)
    weights = np.random.default_rng(seed).integers(1, 9, (2, 3, 3)) * ONE
    return model, *(w / w.sum(axis=1)[:, None] for w in weights)


@claim(
    "theory-184",
    says="Small α means that the new policy is close to the old one in total variation",
    verdict=Holds(note="the smallest α of any coupling is the largest total variation over the states"),
    about=(maximal_coupling, total_variation),
)
def distance_by_coupling():
    model, new, old = three_actions()
    yield equal(total_variation(model, new, old), [QUARTER], "½ (0 + 1/4 + 1/4)")
    yield equal(1 - np.trace(maximal_coupling(model, new, old)[0]), QUARTER, "attained by the coupling")

    def gap(seed):
        model, new, old = random_policies(seed)
        agree = np.trace(maximal_coupling(model, new, old), axis1=1, axis2=2)
        most = np.minimum(new, old).sum(axis=1)  # Pr(both a) ≤ min(π(a), μ(a)) in any joint law
        return np.abs([agree - most, 1 - agree - total_variation(model, new, old)])

    yield swept(gap, range(20), "no coupling agrees more often, and what is left is the total variation")


distance_by_coupling

# %% [markdown]
# ## Mean advantages of a close policy
#
# The statement is right, and its 2 is needed. With the old policy's own mean advantage zero,
# $\sum_a \pi A = \sum_a (\pi - \pi') A$, which is at most $\|\pi - \pi'\|_1\, \varepsilon = 2 \alpha \varepsilon$.


# %%
@claim(
    "theory-179",
    says=r"If $\pi, \pi'$ are α-coupled, $|E_{a \sim \pi} A^{\pi'}(s, a)| \le 2 \alpha \max |A^{\pi'}|$",
    verdict=Holds(note="the maximum runs over all actions, also those that the old policy never takes"),
    about=(coupling_bound, mean_advantage),
)
def the_coupling_lemma():
    model, new, old = penalty_witness(QUARTER, HALF)
    bound = coupling_bound(model, new, old)
    yield equal(bound.right, [HALF, HALF], "2 α ε with α = 1/4, ε = 1")
    yield equal(mean_advantage(model, new, old), [HALF, -HALF], "mean advantages")
    yield at_most(bound.left, bound.right, "in both states")
    yield tight(bound.left[0], bound.right[0], "the factor 2 is needed")

    def gap(seed):
        model, new, old = random_policies(seed)
        return np.abs(mean_advantage(model, new, old)) - coupling_bound(model, new, old).right

    yield swept(gap, range(20), "random models and policies")


the_coupling_lemma

# %% [markdown]
# The document's proof takes another way: where the actions agree, the advantage is said to be zero, and where they do not, the
# contribution is said to be up to $2\varepsilon$. Both are off. An *action's* advantage is not zero; a *mean* is, over all of the old
# policy. Below, the coupled draw is taken apart on the model that attains the bound: agreeing and differing draws contribute
# $\alpha\varepsilon$ each.


# %%
def taken_apart(model, new, old, s=0):
    """The new policy's mean advantage in state s, from coupled draws that agree and that differ."""
    joint, A = maximal_coupling(model, new, old)[s], advantage(model, old)[s]
    agreeing = np.diag(joint) @ A
    return agreeing, joint.sum(axis=1) @ A - agreeing


@claim(
    "theory-180",
    says="With probability 1 - α both take the same action, and there the advantage is zero by definition of V",
    verdict=Wrong(
        because="the mean over all of the old policy's actions is zero, not the advantage of the action drawn, nor the mean over "
        "draws that agree; only a deterministic old policy has A(s, π'(s)) = 0, and the chapter's policies are not",
        instead="the difference A(a) - A(a') of the two draws is zero where they agree",
    ),
    about=(taken_apart, advantage, mean_advantage),
)
def where_they_agree():
    model, new, old = penalty_witness(QUARTER, HALF)
    agreeing, _ = taken_apart(model, new, old)
    A = advantage(model, old)[0]
    yield differs(0 * ONE, agreeing, "contribution of the draws that agree")
    yield equal(agreeing, QUARTER, "it is ½ · 1 - ¼ · 1")
    yield differs([0 * ONE, 0 * ONE], A[:2], "advantages of the two actions that the old policy takes")
    joint = maximal_coupling(model, new, old)[0]
    pairs = (joint * (A[:, None] - A[None, :])).sum()
    yield equal(
        pairs, mean_advantage(model, new, old)[0], "the mean of A(a) - A(a') is the new policy's mean advantage"
    )
    sure = deterministic(model, [0, 0])
    yield equal(np.diag(advantage(model, sure)[:, [0, 0]]), [0, 0], "a deterministic old policy: zero")


where_they_agree


# %%
@claim(
    "theory-181",
    says="On the α-part the advantage is bounded by ε, which contributes α · 2ε",
    verdict=Wrong(
        because="an advantage of at most ε contributes at most αε; the missing αε comes from the draws that agree, which the "
        "proof has set to zero",
        instead="on draws that differ the difference A(a) - A(a') is at most 2ε, which contributes 2αε",
    ),
    about=(taken_apart, advantage),
)
def where_they_differ():
    model, new, old = penalty_witness(QUARTER, HALF)
    agreeing, differing = taken_apart(model, new, old)
    A, joint = advantage(model, old)[0], maximal_coupling(model, new, old)[0]
    epsilon = max(abs(A))
    yield differs(
        2 * QUARTER * epsilon, differing, "contribution of the draws that differ, where the bound is attained"
    )
    yield equal([agreeing, differing], [QUARTER, QUARTER], "αε from each part")
    off = joint - np.diag(np.diag(joint))
    yield equal(
        (off * (A[:, None] - A[None, :])).sum(), HALF, "A(a) - A(a') over the draws that differ: 2αε, all of it"
    )


where_they_differ


# %%
@claim(
    "theory-182",
    says="The 2 appears because the mean advantage is zero, so that an independent action can be up to 2ε away from 0",
    verdict=Wrong(
        because="ε is the largest |A|: no action's advantage is further than ε from 0",
        instead="two actions' advantages can be 2ε apart, from -ε to ε",
    ),
    about=advantage,
)
def where_the_two_comes_from():
    model, _, old = penalty_witness(QUARTER, HALF)
    A = advantage(model, old)[0]
    yield equal(A, [1, -1, 1], "advantages, by hand: ε = 1")
    yield differs(2 * max(abs(A)), max(abs(A - 0)), "largest distance from 0")
    yield equal(max(A) - min(A), 2, "largest distance between two actions, 2ε")


where_the_two_comes_from

# %% [markdown]
# ## The guarantee
#
# The theorem's display is lost; it is $V(\pi) \ge L_{\pi'}(\pi) - 4\varepsilon\gamma\alpha^2/(1-\gamma)^2$ with $\varepsilon = \max |A^{\pi'}|$ and
# α the largest total variation (Schulman et al. 2015, Theorem 1). At time t the policies have parted with probability at most $1 - (1-\alpha)^t$,
# which costs at most $4\alpha\varepsilon(1 - (1-\alpha)^t)$; the series of these is summed and rounded up.


# %%
@claim(
    "theory-178",
    says=r"(lost display) $V(\pi) \ge L_{\pi'}(\pi) - 4 \varepsilon \gamma \alpha^2 / (1-\gamma)^2$",
    verdict=Holds(note="attained in the limit of small α; the largest total variation over states is meant"),
    about=(penalty_bound, surrogate),
)
def the_guarantee():
    k, alpha, eps = sympy.symbols("k alpha epsilon", positive=True)  # k = γ/(1 - γ)
    gamma = k / (1 + k)
    summed = 4 * alpha * eps * (1 / (1 - gamma) - 1 / (1 - gamma * (1 - alpha)))
    penalty = 4 * eps * gamma * alpha**2 / (1 - gamma) ** 2
    rest = 4 * eps * alpha**3 * k**2 * (1 + k) / (1 + alpha * k)
    yield proved_at_most(summed, penalty, [rest], "Σ γ^t 4αε (1 - (1-α)^t) is at most the penalty")
    model, new, old = penalty_witness(Fraction(1, 10**6), HALF)
    bound = penalty_bound(model, new, old)
    yield equal(bound.right, Fraction(8, 10**12), "4 · 1 · ½ · α² / ¼ at α = 10⁻⁶")
    L = surrogate(model, new, old)
    yield equal(L, Fraction(4, 10**6), "L = 0 + 2α · 2: it stays in state 0")
    yield at_most(L - bound.right, expected_return(model, new), "the return is above the guarantee")
    yield tight(bound.left, bound.right, "L - V against the penalty")
    yield swept(lambda seed: -penalty_bound(*random_policies(seed)).slack, range(20), "random models and policies")


the_guarantee


# %%
@claim(
    "theory-183",
    says="For small α the surrogate L is a good lower bound on V",
    verdict=Wrong(
        because="L is not a lower bound for any α > 0: it exceeds V by a term in α² that can be as large as the penalty",
        instead="L minus the penalty is the lower bound; L alone is an approximation, with an error of order α²",
    ),
    about=(surrogate, expected_return, penalty_bound),
)
def no_lower_bound():
    alpha, gamma = sympy.symbols("alpha gamma", positive=True)
    model, new, old = penalty_witness(alpha, gamma)
    over = 4 * alpha**2 * gamma / ((1 - gamma) * (1 - gamma * (1 - alpha)))
    yield proved(
        surrogate(model, new, old) - expected_return(model, new) - over, "L - V is positive for every α and γ > 0"
    )
    for alpha in (Fraction(1, 10), Fraction(1, 100), Fraction(1, 10**6)):
        model, new, old = penalty_witness(alpha, NINE_TENTHS)
        L, V = surrogate(model, new, old), expected_return(model, new)
        yield exceeds(L, V, f"L at α = {alpha}")
        penalty = penalty_bound(model, new, old).right
        yield equal(penalty, 360 * alpha**2, "the penalty, 4 · .9 / .01 · α²")
        yield shows(L - penalty <= V, "subtracted, it makes a lower bound")


no_lower_bound


# %%
@claim(
    "theory-185",
    says="This bound is the theoretical foundation of trust region policy optimisation",
    verdict=Holds(
        note="the algorithm itself replaces the penalty by a constraint, and the guarantee does not survive that"
    ),
)
def what_trpo_rests_on():
    yield sourced(
        "Schulman, Levine, Moritz, Jordan and Abbeel (2015): Theorem 1 is this bound, §4 derives TRPO from it"
    )


what_trpo_rests_on
