# %% [markdown]
# # Direct preference optimisation
#
# *Document `theory`, lines 367 to 395.* The derivation, the gradient and the worked example are right. What is said *around* them needs
# more care: what a gradient step does to the winner, when a weight is near 1, what u > 0 means, where the pairs must come from, and
# whether DPO is safer, steadier or noisier than the road through a reward model.
#
# The model is the one of the section on RLHF: three answers to one prompt, reference (1/2, 1/4, 1/4), rewards 0, log 4 and log 2, and
# at β = 1 the optimum (1/4, 1/2, 1/4).

# %%
from itertools import pairwise

import sympy

from rlexact.claims import (
    Conditional,
    Holds,
    Qualitative,
    Section,
    Wrong,
    against,
    agrees,
    below,
    claim,
    close,
    equal,
    exceeds,
    printed,
    proved,
    proved_at_most,
)
from rlexact.formulas.divergence import kl
from rlexact.formulas.dpo import dpo_loss, dpo_loss_gradient, dpo_margin, dpo_weight, implicit_rewards
from rlexact.formulas.dpo_variants import conservative_dpo_loss, ipo_loss_gradient
from rlexact.formulas.kl_optimum import kl_regularised_policy
from rlexact.formulas.preference import preference_accuracy, reward_model_loss
from rlexact.formulas.rlhf import greedy_limit, regularised_objective_logit_gradient, reward_of_policy
from rlexact.formulas.sigmoid import sigmoid
from rlexact.plotting import COLOURS, figure
from rlexact.symbolic.normal_form import normal_form
from rlexact.symbolic.notation import beta, reals, sigmoid_of, simplex, softmax_of

SECTION = Section("theory", "dpo", "Direct preference optimisation")

ratio, log = sympy.Rational, sympy.log
REFERENCE = [ratio(1, 2), ratio(1, 4), ratio(1, 4)]
REWARDS = [sympy.Integer(0), log(4), log(2)]
OPTIMUM = [ratio(1, 4), ratio(1, 2), ratio(1, 4)]
PAIRS = [(1, 0), (1, 2), (2, 0)]  # the better answer first

# %% [markdown]
# ## Free letters
#
# For identities the policy π, the reference μ, three rewards and β are symbols: probabilities by positive odds, so that they sum
# to 1 by form. The optimum, written out by hand, is $\mu(y) e^{r(y)/\beta}$ over its sum $Z$.


# %%
def letters():
    """(π, μ, r, z): a policy, a reference, rewards and logits, three of each, all free."""
    return simplex("v", 3), simplex("w", 3), reals("r", 3), reals("z", 3)


def tilted():
    """(μ e^{r/β} / Z, Z), by hand."""
    _, mu, r, _ = letters()
    weights = [m * sympy.exp(x / beta) for m, x in zip(mu, r, strict=True)]
    return [w / sum(weights) for w in weights], sum(weights)


def logs(p):
    return [log(x) for x in p]


def pair(policy, reference, w, other):
    """The four arguments of a DPO function for the answers w and other: log-probabilities, one comparison each."""
    return [[log(x)] for x in (policy[w], policy[other], reference[w], reference[other])]


def vanishes(residual, what):
    """The proof that a list of expressions with logarithms is zero."""
    return proved([normal_form(sympy.sympify(x)) for x in residual], what)


# %% [markdown]
# ## DPO from the optimum
#
# In Bradley and Terry's model only $r_w - r_l$ appears, and $\beta\log Z(x)$ is the same for both answers to a prompt. So the chance
# of a preference is a function of the optimal policy. With the policy that is being trained in its place, minus the logarithm
# of that chance is the (lost) loss: $-\log\sigma\big(\beta\log\tfrac{\pi(y_w)}{\pi_{ref}(y_w)} -
# \beta\log\tfrac{\pi(y_l)}{\pi_{ref}(y_l)}\big)$.


# %%
@claim(
    "theory-429",
    "theory-430",
    says=r"$p^*(y_w \succ y_l) = \sigma(\beta\log\frac{\pi^*(y_w)}{\pi_{ref}(y_w)} - \beta\log\frac{\pi^*(y_l)}{\pi_{ref}(y_l)})$: "
    "the partition function cancels",
    verdict=Holds(note="for two answers to the same prompt"),
    about=implicit_rewards,
)
def the_partition_cancels():
    _, mu, r, _ = letters()
    star, z = tilted()
    found = implicit_rewards([log(star[0])], [log(star[1])], [log(mu[0])], [log(mu[1])], beta)
    yield vanishes([found.chosen[0] - r[0] + beta * log(z), found.rejected[0] - r[1] + beta * log(z)], "r - β log Z")
    yield vanishes([found.chosen[0] - found.rejected[0] - (r[0] - r[1])], "in the difference Z is gone")
    exact = implicit_rewards(*pair(OPTIMUM, REFERENCE, 1, 0), 1)
    shares = [sympy.exp(exact.chosen[0]), sympy.exp(exact.rejected[0])]
    yield equal(shares[0] / sum(shares), ratio(4, 5), "three answers: 4/5, as from the rewards")


the_partition_cancels


# %%
def pulls(policy, reference, b, votes, answers=3):
    """Σ votes · ∂L/∂log π(y), answer by answer: `votes` maps (preferred, other) to a number of comparisons."""
    out = [sympy.Integer(0)] * answers
    for (w, other), count in votes.items():
        slopes = dpo_loss_gradient(*pair(policy, reference, w, other), b)
        out[w] += count * slopes.policy_chosen[0]
        out[other] += count * slopes.policy_rejected[0]
    return out


def both_ways(chance, weight):
    """{pair: weight · chance that it is ranked so}, every pair in both orders."""
    return {(i, j): weight(i, j) * chance(i, j) for w, b in PAIRS for i, j in ((w, b), (b, w))}


def by_rewards(i, j):
    """Bradley and Terry's chance in our three answers, whose weights are 1, 4 and 2."""
    return ratio((1, 4, 2)[i], (1, 4, 2)[i] + (1, 4, 2)[j])


@claim(
    "theory-431",
    says=r"(lost display) $L_{DPO} = -E[\log\sigma(\beta\log\frac{\pi_\theta(y_w)}{\pi_{ref}(y_w)} - "
    r"\beta\log\frac{\pi_\theta(y_l)}{\pi_{ref}(y_l)})]$",
    verdict=Holds(note="the reward model's loss, with β log(π/π_ref) for the reward"),
    about=(dpo_loss, implicit_rewards, reward_model_loss, dpo_loss_gradient),
)
def the_dpo_loss():
    a, b, c, d = reals("l", 4)
    r_hat = implicit_rewards([a], [b], [c], [d], beta)
    yield proved(dpo_loss([a], [b], [c], [d], beta)[0] + log(sigmoid_of(beta * (a - c - b + d))), "as displayed")
    yield proved(
        reward_model_loss(r_hat.chosen, r_hat.rejected)[0] + log(sigmoid_of(beta * (a - c) - beta * (b - d))),
        "the reward model's loss of the implicit rewards",
    )
    yield equal(pulls(OPTIMUM, REFERENCE, 1, both_ways(by_rewards, lambda i, j: 1)), [0, 0, 0], "at π* it is level")


the_dpo_loss

# %% [markdown]
# ## Reward hacking without a reward model
#
# The table says that DPO runs a lower risk, having no reward model to exploit. Let annotators be fooled as the reward model was: 10⁴ to
# 1 for gibberish. Then DPO's loss is level at the *same* hacked policy. And what no pair mentions costs DPO nothing: two policies
# with the same odds between the compared answers have the same loss, though one puts 98 % elsewhere.


# %%
HONEST = [ratio(100, 101), ratio(1, 101)]  # a good answer, and gibberish
FOOLED = [sympy.Integer(0), log(10**4)]  # gibberish overrated by log 10⁴


@claim(
    "theory-445",
    says="Reward hacking: a higher risk in RLHF (imperfect reward model), a lower one in DPO (no reward model to exploit)",
    verdict=Wrong(
        because="the policy itself is the fitted reward model: from the same preferences DPO has the same optimum, errors included",
        instead="the same risk where all answers are compared, and no hold at all on answers that no pair mentions",
    ),
    about=(dpo_loss_gradient, kl_regularised_policy, dpo_loss),
)
def hacking_in_dpo():
    fooled = {(1, 0): ratio(10**4, 10**4 + 1), (0, 1): ratio(1, 10**4 + 1)}
    by_rlhf = kl_regularised_policy(HONEST, FOOLED, 1)
    level = pulls(by_rlhf, HONEST, 1, fooled, answers=2)
    yield equal(by_rlhf, HONEST[::-1], "RLHF on the fooled rewards: 100 to 1 for gibberish")
    yield equal(level, [0, 0], "DPO on the fooled preferences is level there")
    yield against(bool(by_rlhf[1] == ratio(100, 101)) and level == [0, 0], "the same mass on gibberish, not less")
    tame, wild = [ratio(1, 3)] * 3, [ratio(1, 100), ratio(1, 100), ratio(98, 100)]
    losses = [dpo_loss(*pair(p, REFERENCE, 0, 1), 1)[0] for p in (tame, wild)]
    yield proved([x - log(3) for x in losses], "98 % on an answer outside the pairs, or 1/3: the same loss, log 3")


hacking_in_dpo

# %% [markdown]
# ## The gradient of DPO
#
# Both displayed lines are right, proved in the logits of a policy over three answers. For one pair, a step down is a positive multiple
# of $\nabla\log\pi(y_w) - \nabla\log\pi(y_l)$.


# %%
@claim(
    "theory-433",
    "theory-434",
    "theory-439",
    says=r"$\nabla L = -\beta E[\sigma(-u)(\nabla\log\pi(y_w) - \nabla\log\pi(y_l))]$, $u = \beta(\log\frac{\pi(y_w)}{\pi_{ref}(y_w)} - "
    r"\log\frac{\pi(y_l)}{\pi_{ref}(y_l)})$; a step goes along the difference of the scores",
    verdict=Holds(note="the direction pair by pair; over a batch it is their weighted mean"),
    about=(dpo_loss, dpo_margin, dpo_weight, dpo_loss_gradient),
)
def the_gradient():
    _, mu, _, z = letters()
    pi = softmax_of(z)
    u = beta * (z[0] - log(mu[0]) - z[1] + log(mu[1]))  # log π(w) - log π(l) is a difference of logits
    yield vanishes([dpo_margin(*pair(pi, mu, 0, 1), beta)[0] - u], "u")
    a, b, c, d = reals("l", 4)
    weight = sigmoid_of(-beta * (a - c - b + d))
    at = [[a], [b], [c], [d], beta]
    yield proved(dpo_weight(*at)[0] - weight, "the weight σ(-u)")
    slopes = [sympy.diff(dpo_loss(*at)[0], x) for x in (a, b)]
    found = dpo_loss_gradient(*at)
    yield proved([slopes[0] + beta * weight, slopes[1] - beta * weight], "∓β σ(-u), by differentiating the loss")
    yield proved([found.policy_chosen[0] - slopes[0], found.policy_rejected[0] - slopes[1]], "the library's slopes")
    scores = [sympy.diff(log(pi[0]) - log(pi[1]), x) for x in z]
    through = [sympy.diff(-log(sigmoid_of(u)), x) for x in z]
    yield vanishes(
        [t + beta * sigmoid_of(-u) * s for t, s in zip(through, scores, strict=True)], "the chain rule, in three logits"
    )


the_gradient

# %% [markdown]
# ### The weight
#
# $\sigma(-u) = 1/(1 + e^u)$: far above 0 it fades like $e^{-u}$. Below 0 it is above a half, and no more is sure: the document's own
# example, further down, has u = -0.02 and a weight of 0.505. To reach 0.95, u must be below -log 19 ≈ -2.94; at β = 0.1 the odds
# between the answers have to be off by a factor of $19^{10}$.


# %%
@claim(
    "theory-435",
    says="When u is large and positive, σ(-u) is near 0: almost no gradient",
    verdict=Holds(note="below e^-u; large means many times 1, and u carries the factor β"),
    about=dpo_weight,
)
def the_weight_fades():
    x = sympy.Symbol("x", positive=True)
    weight = dpo_weight([x], [0], [0], [0], 1)[0]
    yield proved_at_most(weight, sympy.exp(-x), [sympy.exp(-x) / (1 + sympy.exp(x))], "σ(-u) ≤ e^-u")
    yield equal(sympy.limit(weight, x, sympy.oo), 0, "the limit")
    yield equal(dpo_weight([log(999)], [0], [0], [0], 1)[0], ratio(1, 1000), "u = log 999")


the_weight_fades


# %%
@claim(
    "theory-436",
    says="When u is negative, σ(-u) is near 1: a strong gradient",
    verdict=Conditional(
        given="u is far below 0 (σ(-u) ≥ .95 from u = -log 19 ≈ -2.94 down); just below 0 the weight is just above 1/2"
    ),
    about=dpo_weight,
)
def the_weight_below_zero():
    yield equal(dpo_weight([-log(19)], [0], [0], [0], 1)[0], ratio(19, 20), "u = -log 19")
    yield equal(dpo_weight([-log(999)], [0], [0], [0], 1)[0], ratio(999, 1000), "u = -log 999")
    yield equal(dpo_weight([sympy.Integer(0)], [0], [0], [0], 1)[0], ratio(1, 2), "u = 0")
    own = float(dpo_weight([0.3], [0.5], [0.0], [0.0], 0.1)[0])
    yield agrees(printed("0.505"), own, "the document's example, u = -.02")
    yield exceeds(0.95, own, "stated near 1 for every u < 0")


the_weight_below_zero


# %%
@figure
def weight_against_margin():
    """The weight of a pair: near 0 or 1 only when |u| is several units; the worked example, u = -0.02, sits in the middle."""
    import matplotlib.pyplot as plt
    import numpy as np

    u = np.linspace(-6, 6, 241)
    fig, ax = plt.subplots()
    ax.plot(u, sigmoid(-u), color=COLOURS[0])
    ax.axvspan(-6, -np.log(19), color=COLOURS[2], alpha=0.12)
    ax.axvspan(np.log(19), 6, color=COLOURS[2], alpha=0.12)
    ax.plot([-0.02], [sigmoid(0.02)], "o", color=COLOURS[1])
    ax.annotate("u = -0.02: 0.505", (-0.02, 0.505), (0.5, 0.62), color=COLOURS[1])
    ax.text(-5.8, 0.06, "above 0.95", color="0.3")
    ax.text(4.0, 0.9, "below 0.05", color="0.3")
    ax.set(xlabel="u", ylabel="σ(-u)", xlim=(-6, 6))
    return fig


weight_against_margin

# %% [markdown]
# ### What u > 0 says
#
# u compares the policy *with the reference*. A policy that raised the winner from 10 % to 30 % and lowered the loser from 50 % to 40 % has
# u > 0, and still says the loser more often.


# %%
@claim(
    "theory-437",
    says="u > 0: the model prefers y_w; u < 0: it prefers y_l",
    verdict=Conditional(
        given="'prefers' compares the implicit rewards β log(π/π_ref), or the reference gives both answers the same probability"
    ),
    about=(dpo_margin, preference_accuracy),
)
def what_the_sign_says():
    a, b, c = reals("l", 3)
    yield proved(dpo_margin([a], [b], [c], [c], beta)[0] - beta * (a - b), "equal references: u = β log(π(w)/π(l))")
    w, other = ratio(3, 10), ratio(4, 10)
    u = dpo_margin([log(w)], [log(other)], [log(ratio(1, 10))], [log(ratio(5, 10))], 1)[0]
    yield proved(u - log(ratio(15, 4)), "π = .3 and .4 against π_ref = .1 and .5: u = log 15/4")
    yield equal(preference_accuracy([float(u)], [0.0]).astype(int)[()], 1, "counted as ranked rightly")
    yield exceeds(other, w, "yet the loser is the more probable answer")


what_the_sign_says

# %% [markdown]
# ### Up with the winner, down with the loser?
#
# In free logits, yes: only two of them move, and $\log\pi(y_w)$ gains $\beta\sigma(-u)(1 - \pi_w + \pi_l)$ while $\log\pi(y_l)$ loses
# $\beta\sigma(-u)(1 - \pi_l + \pi_w)$. With shared parameters only the *difference* must grow. Let one parameter θ give the
# winner, the loser and a third answer the logits θ, 0 and 3θ. DPO raises θ, since $u = \beta\theta$; the third answer takes all. From θ
# = 0 to log 2 the loss falls from log 2 to log 3/2, the loser falls from 1/3 to 1/11, and the *winner* falls from 1/3 to 2/11.


# %%
def shared(theta):
    """(winner, loser, third) with logits θ, 0, 3θ."""
    return softmax_of([theta, sympy.Integer(0), 3 * theta])


def free_changes():
    """Rates of (log π(w), log π(l)) when free logits descend the DPO loss, beside (π, β σ(-u))."""
    pi, mu, _, _ = letters()
    slopes = dpo_loss_gradient(*pair(pi, mu, 0, 1), beta)
    g = [slopes.policy_chosen[0], slopes.policy_rejected[0]]
    step = [-sum(g[i] * (int(i == j) - pi[j]) for i in range(2)) for j in range(3)]
    rates = [sum(step[j] * (int(i == j) - pi[j]) for j in range(3)) for i in range(2)]
    u = beta * (log(pi[0]) - log(mu[0]) - log(pi[1]) + log(mu[1]))
    return rates, pi, beta * sigmoid_of(-u)


@claim(
    "theory-438",
    "theory-456",
    says="The gradient step raises π(y_w) and lowers π(y_l), at once, relative to the reference",
    verdict=Conditional(
        given="the answers' logits move freely, as in a table; with shared parameters only the ratio π(y_w)/π(y_l) must rise, and "
        "both may fall"
    ),
    about=(dpo_loss_gradient, dpo_loss),
)
def winner_up_loser_down():
    (up, down), pi, weight = free_changes()
    yield vanishes(
        [up - weight * (pi[2] + 2 * pi[1]), down + weight * (pi[2] + 2 * pi[0])],
        "free logits: β σ(-u) times 1 - π_w + π_l > 0 and -(1 - π_l + π_w) < 0",
    )
    start, end = shared(sympy.Integer(0)), shared(log(2))
    slopes = dpo_loss_gradient(*pair(start, start, 0, 1), 1)
    pull = slopes.policy_chosen[0] * (1 - ratio(4, 3)) + slopes.policy_rejected[0] * (0 - ratio(4, 3))
    yield equal(pull, -ratio(1, 2), "shared parameter: the loss falls as θ rises, at a rate of 1/2")
    losses = [dpo_loss(*pair(p, start, 0, 1), 1)[0] for p in (start, end)]
    yield equal(losses, [log(2), log(ratio(3, 2))], "and it does fall, from log 2 to log 3/2")
    yield equal([start[1], end[1]], [ratio(1, 3), ratio(1, 11)], "the loser falls")
    yield exceeds(start[0], end[0], "but so does the winner")


winner_up_loser_down


# %%
@figure
def both_fall():
    """One shared parameter, moved by DPO: the loss falls all the way, and winner and loser lose to an answer that nobody compared."""
    import matplotlib.pyplot as plt
    import numpy as np

    theta = np.linspace(0, 2, 81)
    weights = np.exp([theta, 0 * theta, 3 * theta])
    fig, ax = plt.subplots()
    for name, share, colour in zip(
        ("winner", "loser", "third answer"), weights / weights.sum(axis=0), COLOURS, strict=False
    ):
        ax.plot(theta, share, color=colour, label=f"π({name})")
    start = [np.full(81, np.log(1 / 3))] * 2
    ax.plot(theta, dpo_loss(theta, 0 * theta, *start, 1.0), "k--", lw=1.2, label="DPO loss, β = 1")
    ax.set(xlabel="θ", xlim=(0, 2), ylim=(0, 1))
    ax.legend(loc="center right")
    return fig


both_fall

# %% [markdown]
# ### The worked example
#
# Log-ratios 0.3 and 0.5 at β = 0.1.


# %%
@claim(
    "theory-452",
    "theory-453",
    "theory-454",
    "theory-455",
    says="Log-ratios 0.3 and 0.5, β = 0.1: u = -0.02, σ(u) ≈ 0.495, loss ≈ 0.703",
    verdict=Holds(note="both answers above the reference, the loser more so; possible, since others give way"),
    about=(implicit_rewards, dpo_margin, sigmoid, dpo_loss),
)
def gravity():
    three, five, b = ratio(3, 10), ratio(5, 10), ratio(1, 10)
    found = implicit_rewards([three], [five], [0], [0], b)
    yield equal([found.chosen[0], found.rejected[0]], [ratio(3, 100), ratio(5, 100)], "implicit rewards")
    yield below(ratio(1, 10) * (sympy.exp(three) + sympy.exp(five)), 1, "such a policy exists, for π_ref = .1 and .1")
    yield agrees(printed("-0.02"), dpo_margin([three], [five], [0], [0], b)[0], "u")
    yield agrees(printed("0.495"), float(sigmoid(-0.02)), "σ(-.02)")
    loss = float(dpo_loss([0.3], [0.5], [0.0], [0.0], 0.1)[0])
    yield agrees(printed("0.703"), loss, "the loss")
    yield close(loss, float(log(1 + sympy.exp(ratio(1, 50)))), 1e-14, "a few roundings", "log(1 + e^.02)")


gravity

# %% [markdown]
# ### Who generates, and who can go on
#
# RLHF's gradient is a mean over answers *of the policy as it is now*: with answers of the reference, unweighted, it is another vector. DPO's
# loss is a sum over stored pairs, and its minimum does not ask who wrote them.
#
# That is also why DPO cannot go on by itself. Let it label new pairs by its own preference, $y_w$ with chance σ(u): the expected slope is
# zero, whatever the policy. A reward model, kept apart, can score new answers and still push.


# %%
def mean_of_scores(sampled_from, policy):
    """E[R(y) ∇_z log π(y)], y from the first distribution, R the penalised reward at β = 1, in three logits."""
    shaped = [x - log(p) + log(m) for x, p, m in zip(REWARDS, policy, REFERENCE, strict=True)]
    return [sum(sampled_from[i] * shaped[i] * (int(i == j) - policy[j]) for i in range(3)) for j in range(3)]


@claim(
    "theory-442",
    says="RLHF generates during training, DPO does not",
    verdict=Holds(
        note="the gradient of RLHF is an expectation under the current policy; that of DPO is over stored pairs"
    ),
    about=(regularised_objective_logit_gradient, dpo_loss_gradient),
)
def who_generates():
    now = [ratio(1, 3)] * 3
    truth = regularised_objective_logit_gradient(now, REWARDS, REFERENCE, 1)
    yield vanishes(truth - mean_of_scores(now, now), "answers of the policy give the gradient of RLHF")
    stale = mean_of_scores(REFERENCE, now)
    yield vanishes([truth[0] + log(2) / 9], "it lowers the first logit, at a rate of (log 2)/9")
    yield vanishes([stale[0] - log(ratio(9, 8)) / 12], "answers of the reference raise it, by (log 9/8)/12")
    weights = sympy.symbols("a:9", positive=True)
    stored = both_ways(by_rewards, lambda i, j: weights[i + j])
    yield proved(pulls(OPTIMUM, REFERENCE, 1, stored), "DPO is level at π* for every weighting of stored pairs")


who_generates


# %%
@claim(
    "theory-446",
    says="Iterating is natural in RLHF (generate, relabel); DPO requires new preference data",
    verdict=Holds(
        note="labels for new pairs may come from people or from a reward model, but not from the policy itself"
    ),
    about=(dpo_loss_gradient, regularised_objective_logit_gradient),
)
def going_on():
    a, b, c, d = reals("l", 4)
    prefers = sigmoid_of(beta * (a - c - b + d))
    one, other = (dpo_loss_gradient([w], [x], [y], [z], beta) for w, x, y, z in ((a, b, c, d), (b, a, d, c)))
    pull = prefers * one.policy_chosen[0] + (1 - prefers) * other.policy_rejected[0]
    yield proved(pull, "its own labels: no slope on average, at any policy")
    push = regularised_objective_logit_gradient(REFERENCE, REWARDS, REFERENCE, 1)
    yield proved(push - [-3 * log(2) / 8, 5 * log(2) / 16, log(2) / 16], "a reward model's scores push: π (r - E r)")
    yield proved(
        pulls([ratio(1, 3)] * 3, REFERENCE, 1, {(1, 0): 1})[2], "answers outside the pairs get no slope from DPO"
    )


going_on

# %% [markdown]
# ### Simpler, and more stable?
#
# *Ten times simpler* has no unit. *Stable* can be asked precisely. On a stored batch DPO's gradient is a number, while RLHF's is estimated
# from samples that vary. Where a pair has votes both ways, the loss is strictly convex in u with its minimum at the log-odds of the
# votes. But most data sets hold each pair once. Then $\log(1 + e^{-u})$ falls for ever: there is no minimum, for any β, and the
# penalty towards the reference is gone (Azar et al., 2024).


# %%
@claim(
    "theory-432",
    says="DPO is ten times simpler to implement",
    verdict=Qualitative(why="'simpler' has no unit in which one method has ten times as much of it as another"),
)
def ten_times_simpler():
    """No check: nothing is computed."""


ten_times_simpler


# %%
@claim(
    "theory-432",
    "theory-444",
    says="DPO is supervised learning, and much more stable: RLHF is sensitive to hyperparameters, DPO robust",
    verdict=Conditional(
        given="'stable' means no sampled answers in the gradient, and every pair has votes both ways; on pairs labelled one way the "
        "loss has no minimum for any β"
    ),
    about=(dpo_loss, dpo_loss_gradient, regularised_objective_logit_gradient),
)
def stability():
    mean = regularised_objective_logit_gradient(REFERENCE, REWARDS, REFERENCE, 1)[0]
    samples = [x * (int(i == 0) - REFERENCE[0]) for i, x in enumerate(REWARDS)]  # at the reference the penalty is 0
    spread = sum(p * (s - mean) ** 2 for p, s in zip(REFERENCE, samples, strict=True))
    yield proved(spread - 11 * log(2) ** 2 / 64, "RLHF, one sampled answer: variance 11 (log 2)²/64 in the first logit")
    u = sympy.Symbol("u", real=True)
    loss = dpo_loss([u], [0], [0], [0], 1)[0]
    curvature = sigmoid_of(u) * sigmoid_of(-u)
    yield proved_at_most(0, sympy.diff(loss, u, 2), [curvature], "DPO: convex in u")
    halves = [ratio(1, 2), ratio(1, 2)]
    share = {(0, 1): ratio(4, 5), (1, 0): ratio(1, 5)}
    yield equal(pulls([ratio(4, 5), ratio(1, 5)], halves, 1, share, 2), [0, 0], "4 votes of 5: level at odds of 4")
    for b in (ratio(1, 10), sympy.Integer(10)):
        falling = [float(dpo_loss([k * 2.0], [0.0], [0.0], [0.0], float(b))[0]) for k in range(6)]
        yield against(all(x > y for x, y in pairwise(falling)), f"one vote, β = {b}: it falls on")


stability


# %% [markdown]
# ## What can go wrong
#
# ### Whose pairs?
#
# The derivation asks that *labels* follow Bradley and Terry's model, not that *answers* come from the optimal policy, which nobody has.
# The population loss is level at π* for every weighting of the pairs. What matters is coverage: without the third answer in any
# pair, nothing says how much mass it gets. (With a policy class too small for π*, the weighting does choose the compromise.)


# %%
@claim(
    "theory-448",
    says="DPO assumes that the preference data were generated by the optimal policy under π_ref; else it may not converge to the "
    "right solution",
    verdict=Wrong(
        because="the pairs may come from any distribution: π* is level for every weighting of the pairs, the reference's own included",
        instead="it assumes labels by the Bradley-Terry model and pairs that connect all answers; the rest is coverage",
    ),
    about=(dpo_loss_gradient, dpo_loss),
)
def whose_pairs():
    from_reference = both_ways(by_rewards, lambda i, j: REFERENCE[i] * REFERENCE[j])
    uniform = both_ways(by_rewards, lambda i, j: 1)
    level = [pulls(OPTIMUM, REFERENCE, 1, pairs) for pairs in (from_reference, uniform)]
    yield against(level == [[0, 0, 0]] * 2, "pairs of the reference, or uniform pairs: level at π* all the same")
    weights = sympy.symbols("a:9", positive=True)
    yield proved(pulls(OPTIMUM, REFERENCE, 1, both_ways(by_rewards, lambda i, j: weights[i + j])), "any weighting")
    elsewhere = pulls(REFERENCE, REFERENCE, 1, from_reference)
    yield equal(elsewhere, [ratio(7, 120), -ratio(23, 480), -ratio(1, 96)], "it is not level everywhere")
    tame, wild = OPTIMUM, [ratio(1, 40), ratio(1, 20), ratio(37, 40)]
    unseen = [dpo_loss(*pair(p, REFERENCE, 1, 0), 1)[0] for p in (tame, wild)]
    yield proved([x - log(ratio(5, 4)) for x in unseen], "only one pair seen: the third answer may have 1/4 or 37/40")


whose_pairs

# %% [markdown]
# ### Noise
#
# The contrast drawn between averaging and using pairs directly is not there. Both losses are $-\log\sigma$ of a gap. Of $n$ annotations, $k$
# for one answer: their mean DPO loss is the loss at the averaged label, and its minimum has σ(u) = k/n, as for the reward model.


# %%
@claim(
    "theory-451",
    says="A reward model can average several annotations of a pair; DPO uses each pair directly, so that noise passes into its loss",
    verdict=Wrong(
        because="the two losses are one function of a gap; repeated labels average in DPO exactly as in the reward model",
        instead="in both, k votes of n give the loss at the averaged label, least at σ(gap) = k/n",
    ),
    about=(dpo_loss, reward_model_loss, conservative_dpo_loss, dpo_loss_gradient),
)
def annotations_average():
    k, n = 4, 5
    up, down = ([log(3)], [log(2)]), ([log(2)], [log(3)])
    dpo = (k * dpo_loss(*up, [0], [0], 1)[0] + (n - k) * dpo_loss(*down, [0], [0], 1)[0]) / n
    model = (k * reward_model_loss(*up)[0] + (n - k) * reward_model_loss(*down)[0]) / n
    yield against(
        sympy.simplify(sympy.expand_log(dpo - model)) == 0, "five annotations of a pair: the same mean loss in both"
    )
    yield proved(sympy.expand_log(dpo - (log(5) - (4 * log(3) + log(2)) / 5)), "its value: log 5 - (4 log 3 + log 2)/5")
    averaged = conservative_dpo_loss(*up, [0], [0], 1, ratio(1, 5))[0]
    yield proved(sympy.expand_log(averaged - dpo), "the loss at the averaged label")
    halves, votes = [ratio(1, 2), ratio(1, 2)], {(0, 1): k, (1, 0): n - k}
    yield equal(pulls([ratio(4, 5), ratio(1, 5)], halves, 1, votes, 2), [0, 0], "least at σ(u) = 4/5")


annotations_average

# %% [markdown]
# ### β
#
# At the optimum a difference of log-ratios is $(r_w - r_l)/\beta$: it grows without bound as β falls, and the policy goes to the best
# answer. As β grows the policy goes back to the reference. Between, KL falls steadily: with $t = 1/\beta$ its derivative is $t$ times
# the variance of the reward. It is the optimum that comes nearer, not the signal that weakens: the first slope of DPO is β/2.
# And large β holds DPO only if the preferences have two sides: a pair labelled once has its best policy infinitely far away at every β,
# which IPO, a square of the same gap, repairs.


# %%
@claim(
    "theory-449",
    says="β too small: the policy can go far from π_ref, and the log-ratios blow up",
    verdict=Holds(note="those of the worse answers; that of the best is at most -log π_ref"),
    about=(kl_regularised_policy, reward_of_policy, greedy_limit),
)
def beta_too_small():
    yield equal(
        kl_regularised_policy(REFERENCE, REWARDS, ratio(1, 10)),
        [ratio(k, 2 + 4**10 + 2**10) for k in (2, 4**10, 2**10)],
        "three answers at β = 1/10: the second has 99.9 %",
    )
    _, mu, r, _ = letters()
    star = kl_regularised_policy(mu, r, beta)
    ratios = reward_of_policy(star, mu, beta) / beta
    yield vanishes([ratios[0] - ratios[1] - (r[0] - r[1]) / beta], "log-ratios differ by (r_w - r_l)/β")
    yield equal(greedy_limit(REFERENCE, REWARDS), [0, 1, 0], "and in the limit everything")


beta_too_small


# %%
@claim(
    "theory-450",
    says="β too large: the policy barely moves from π_ref and does not improve",
    verdict=Conditional(
        given="the rewards are bounded, that is, preferences have two sides; on a pair labelled one way the loss of DPO falls for "
        "ever at every β, and nothing holds the policy"
    ),
    about=(kl_regularised_policy, kl, dpo_loss_gradient, dpo_loss, ipo_loss_gradient),
)
def beta_too_large():
    t, gap, odds = sympy.symbols("t g w", positive=True)
    mu = [odds / (1 + odds), 1 / (1 + odds)]
    star = kl_regularised_policy(mu, [gap, 0], 1 / t)
    yield equal(star[0].subs(t, 0), mu[0], "β → ∞: the reference")
    rise = sympy.diff(star[0], t).subs(t, 0)
    yield proved(rise - mu[0] * mu[1] * gap, "and away from it like π_ref(w) π_ref(l) g / β")
    yield vanishes(
        [sympy.diff(kl(star, mu)[()], t) - t * star[0] * star[1] * gap**2], "dKL/dt = t Var(r): less KL, the larger β"
    )
    first = dpo_loss_gradient(*pair(mu, mu, 0, 1), beta).policy_chosen[0]
    yield proved(first + beta / 2, "the first slope is β/2: it is not the signal that weakens")
    halves, near, far = ([ratio(k, 100), ratio(100 - k, 100)] for k in (50, 51, 99))
    losses = [dpo_loss(*pair(p, halves, 0, 1), 100)[0] for p in (near, far)]
    yield equal(sympy.exp(losses[0]) - 1, ratio(49, 51) ** 100, "β = 100, one vote: loss log(1 + (49/51)^100) at .51")
    yield exceeds(losses[0], losses[1], "stated best near the reference: .51 against .99")
    settled = ipo_loss_gradient([ratio(1, 200)], [0], [0], [0], 100)
    yield equal(settled.policy_chosen[0], 0, "IPO keeps the hold: one vote, least at a log-ratio gap of 1/(2β)")


beta_too_large
