# %% [markdown]
# # The summary: algorithms, equations, budgets
#
# *Document `theory`, lines 396 to 422.* The last chapter repeats the lesson in tables. A line that says again what an earlier one said
# refers to its verdict. But a summary drops words, and often the words were the condition: an expectation over the next state, the
# distribution under an E, what the letter r stands for. These lines are judged as they stand. At the end a million steps are divided
# between two algorithms, and most of the counts are right on average only.

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
    below,
    claim,
    close,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    same_as,
    shows,
    sourced,
)
from rlexact.exact.bellman import bellman_policy
from rlexact.exact.difference import performance_difference, surrogate_gain
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import policy_value
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.gradient import policy_gradient, undiscounted_direction, weighted_gradient
from rlexact.exact.gradient_estimators import actor_critic_mean, reinforce
from rlexact.exact.linear_td import linear_td
from rlexact.exact.offline import iql_value
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import paths
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.target_network import hard_target, soft_target
from rlexact.formulas.a2c import a2c_loss_gradient
from rlexact.formulas.cql_bound import cql_minimiser, cql_pointwise_minimiser
from rlexact.formulas.dpo import dpo_margin, dpo_weight, implicit_rewards
from rlexact.formulas.importance import importance_sampling_estimate
from rlexact.formulas.iql import iql_weights
from rlexact.formulas.ppo import clipped_surrogate, clipped_surrogate_gradient
from rlexact.formulas.replay import expected_uses, expected_uses_in_run, updates_in_run
from rlexact.formulas.sac import sac_target
from rlexact.formulas.sac_discrete import sac_discrete_target
from rlexact.formulas.target_network import hard_update
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform
from rlexact.symbolic.gaussian import expectation

SECTION = Section("theory", "summary_and_reference", "The summary: algorithms, equations, budgets")

HALF, THIRD, QUARTER, FIFTH = (Fraction(1, n) for n in (2, 3, 4, 5))
NINE_TENTHS = Fraction(9, 10)
MILLION = Fraction(10**6)

# %% [markdown]
# ## Eight algorithms
#
# **REINFORCE, A2C and PPO** are called on-policy and fit for any actions. Both have a computable meaning. On-policy: the mean of the
# estimate is the gradient when the current policy collected the data, and something else when another one did. Any actions: only
# $\log\pi(a|s)$ and its slope are asked for, which a softmax and a Gaussian have alike.


# %%
ARMS = gallery.bandit((1, 3))


def reinforce_mean(behaviour, policy):
    """Mean of REINFORCE's estimate for `policy`, over samples that `behaviour` collected."""
    estimate = reinforce(ARMS, softmax_at(ARMS, policy))
    return estimator_law(ARMS, behaviour, 1, estimate).mean


@claim(
    "theory-457",
    says="REINFORCE: policy gradient, on-policy, any actions, Monte Carlo",
    verdict=Holds(note="any actions for which log π has a slope; other data need importance weights"),
    about=(reinforce, estimator_law, expectation),
)
def row_of_reinforce():
    now = np.array([[THIRD, 2 * THIRD]])
    yield equal(reinforce_mean(now, now), [[-Fraction(4, 9), Fraction(4, 9)]], "own data: p(1 - p)(3 - 1) each way")
    yield equal(reinforce_mean(uniform(ARMS), now), [[-Fraction(1, 6), Fraction(1, 6)]], "even data: another vector")
    mu, sigma, z = sympy.Symbol("mu", real=True), sympy.Symbol("sigma", positive=True), sympy.Symbol("z", real=True)
    a = mu + sigma * z
    yield proved(expectation(a**2 * z / sigma, [z]) - 2 * mu, "Gaussian actions paid a²: E[a² (a-μ)/σ²] = d(μ²+σ²)/dμ")


row_of_reinforce


# %%
def evenly_from_a():
    """The two-state loop, begun at A, with both actions equally likely: V = 1700/139 and 1460/139."""
    loop = gallery.left_right_loop().replace(initial=0)
    return loop, softmax_at(loop, uniform(loop))


def gradient_by_hand():
    """η(s) π_r π_l (Q_r - Q_l), towards right, at A and at B: η solves 1 + .45 (η_A + η_B) and .45 η_A."""
    v, eta = Fraction(1700, 139), [Fraction(400, 139), Fraction(180, 139)]
    gaps = [2 + NINE_TENTHS * (Fraction(1460, 139) - v), 10 - NINE_TENTHS * v]
    return np.array([[-n * gap / 4, n * gap / 4] for n, gap in zip(eta, gaps, strict=True)])


@claim(
    "theory-458",
    says="A2C: actor-critic, on-policy, any actions, learned baseline and bootstrapping",
    verdict=Holds(note="right in the mean where the critic is; with another one it follows that critic"),
    about=(actor_critic_mean, a2c_loss_gradient),
)
def row_of_a2c():
    loop, family = evenly_from_a()
    right, nothing = [Fraction(1700, 139), Fraction(1460, 139)], [0 * HALF, 0 * HALF]
    yield equal(actor_critic_mean(loop, family, right).mean, gradient_by_hand(), "critic V: the mean is the gradient")
    eta = [Fraction(400, 139), Fraction(180, 139)]
    blind = [[-n * gap / 4, n * gap / 4] for n, gap in zip(eta, (2, 10), strict=True)]
    yield equal(actor_critic_mean(loop, family, nothing).mean, blind, "critic 0: the gap of the next rewards alone")
    slopes = a2c_loss_gradient([-log(2)], [11.0], [3.0], [14.0], [log(2)], 0.5, 0.0)
    yield shows((slopes.log_probs[0], slopes.values[0]) == (-11, -11), "line 149: δ = 11 moves both log π and V̂")


row_of_a2c


# %%
@claim(
    "theory-459",
    says="PPO: actor-critic, on-policy, any actions, clipped surrogate objective",
    verdict=Holds(
        note="each batch is its own policy's at the first step only; the ratio stands in for that afterwards"
    ),
    about=(clipped_surrogate, clipped_surrogate_gradient),
)
def row_of_ppo():
    one, adv = Fraction(1), [Fraction(11), Fraction(-4)]
    yield equal(clipped_surrogate_gradient([one, one], adv, FIFTH), adv, "ratio 1: the actor-critic step, whatever ε")
    yield equal(clipped_surrogate([Fraction(9, 5)], [Fraction(3)], FIFTH), [Fraction(18, 5)], "line 225: min(5.4, 3.6)")
    beyond = clipped_surrogate_gradient([Fraction(9, 5), HALF], adv, FIFTH)
    yield equal(beyond, [0, 0], "no slope for samples that have left the band on the side they were pushed to")


row_of_ppo

# %% [markdown]
# **SAC** is published for continuous actions, where an action must be sampled and its density known. Nothing in the method needs that:
# over finitely many actions the expectation in its target is a sum. **DQN** is different. Its network has one output per action, and the
# maximum runs over them; off-policy it is by construction, since $Q^*$ stays put whichever pairs the data hold.


# %%
@claim(
    "theory-460",
    says="SAC: actor-critic, off-policy, continuous actions, maximum entropy and replay buffer",
    verdict=Conditional(
        given="SAC as published; the same targets exist for finitely many actions, where nothing is sampled"
    ),
    about=(sac_target, sac_discrete_target),
)
def row_of_sac():
    one, half = sympy.Integer(1), sympy.Rational(1, 2)
    sampled = sac_target([one], [4 * one], [2 * one], [-2 * one], [False], half, one)
    yield equal(sampled, [3], "1 + (min(4, 2) + 2)/2, with a' drawn afresh: no matter who chose the stored action")
    p, q = sympy.Rational(3, 4), sympy.Rational(1, 4)
    logs = [[sympy.log(p), sympy.log(q)]]
    summed = sac_discrete_target([one], [[4 * one, 2 * one]], [[3 * one, 5 * one]], logs, [False], half, one)[0]
    by_hand = 1 + (p * (3 - sympy.log(p)) + q * (2 - sympy.log(q))) / 2
    yield proved(summed - by_hand, "two actions: Σ π (min Q - log π), exactly")
    yield against(bool(summed.is_real and summed > 2), "a well-defined target without a continuous action")
    yield sourced("Christodoulou (2019), Soft Actor-Critic for Discrete Action Settings", against=True)


row_of_sac


# %%
@claim(
    "theory-461",
    says="DQN: value-based, off-policy, discrete actions, target network and replay",
    verdict=Holds(
        note="off-policy in a table; with function approximation off-policy data can make it diverge (theory-351)"
    ),
    about=(expected_q_learning, hard_update),
)
def row_of_dqn():
    loop = gallery.left_right_loop()
    best = np.array([[Fraction(289, 19), Fraction(300, 19)], [Fraction(270, 19), Fraction(10)]])
    for data in ([[1, 1], [1, 1]], [[6, 1], [2, 5]]):
        weights = np.array(data) * Fraction(1, 14)
        yield equal(expected_q_learning(loop, best, HALF, weights), best, f"Q* is at rest under data {data}")
    zero = expected_q_learning(loop, 0 * best, HALF, np.full((2, 2), QUARTER))
    yield equal(zero, np.array([[1, 3], [0, 10]]) * Fraction(1, 8), "from 0, one step of ½ · ¼ towards the rewards")
    frozen = [hard_update(Fraction(0), Fraction(5), step, 3) for step in (1, 2, 3)]
    yield equal(frozen, [0, 0, 5], "the target stands still and is then copied")


row_of_dqn

# %% [markdown]
# **IQL and CQL** are both called value-based, and fit for any actions. Line 458 defines the word: find $Q^*$, take the argmax, *limited
# to discrete actions*. One table cannot have both. IQL's values never ask for an unseen action; its policy is a third network, a
# weighted copy of the data, and it is what makes continuous actions possible. CQL's lower bound is judged above (theory-393): it is a bound
# on the value of the policy, not on Q.


# %%
@claim(
    "theory-462",
    says="IQL: value-based, offline, any actions; expectile regression avoids unseen actions",
    verdict=Conditional(
        given="'value-based' is said of how Q and V are learned; its policy is no argmax but a network fitted by weighted regression"
    ),
    about=(iql_value, iql_weights),
)
def row_of_iql():
    for unseen in (-1000, 1000):
        v = iql_value(gallery.bandit((8, unseen)), np.array([[1, 0]]) * Fraction(1), NINE_TENTHS)
        yield equal(v, [8], f"an unseen arm worth {unseen} changes nothing")
    w = iql_weights([sympy.log(3), sympy.S.Zero], [sympy.S.Zero, sympy.S.Zero], sympy.S.One)
    yield equal(w / w.sum(), [3 * QUARTER, QUARTER], "advantages log 3 and 0, seen equally often, β = 1: the policy")
    yield against(bool(w[1] / w.sum() > 0), "which is not the argmax of Q")
    yield sourced(
        "line 458: value-based means argmax, limited to discrete actions; line 403: any actions", against=True
    )


row_of_iql


# %%
@claim(
    "theory-463",
    says="CQL: value-based, offline, any actions; a conservative lower bound on Q",
    verdict=Conditional(
        given="the penalty lacks its term -E_β Q; the usual CQL bounds Σ π Q, and raises Q where μ < π_β"
    ),
    about=(cql_minimiser, cql_pointwise_minimiser),
)
def row_of_cql():
    true = np.array([[6, 3]]) * Fraction(1)
    mu, beta, one = np.array([[THIRD, 2 * THIRD]]), np.array([[HALF, HALF]]), Fraction(1)
    lower = cql_pointwise_minimiser(true, mu, beta, one)
    yield equal(lower, [[6 - 2 * THIRD, 3 - 4 * THIRD]], "exact backups 6 and 3, the penalty E_μ Q alone: y - α μ/π_β")
    usual = cql_minimiser(true, mu, beta, one)
    yield equal(usual, [[6 + THIRD, 3 - THIRD]], "the penalty E_μ Q - E_β Q: y - α (μ/π_β - 1)")
    yield exceeds(usual[0, 0], 6, "Q of the first action")
    yield below((mu * usual).sum(), 4, "the value under μ, 35/9, is below the true 4")


row_of_cql

# %% [markdown]
# **DPO's action** is in the column "LM tokens". In its derivation the action is the whole answer: a reward per answer, a partition function
# over answers, and one comparison per pair of answers. Tokens enter because the log-probability of an answer is a sum over them.
# Comparing token by token is another model: with two tokens whose ratios to the reference are 2 and 3, against a loser at ratio 1, the
# preference is $6/7$; the product of two token preferences would be $2/3 \cdot 3/4 = 1/2$.


# %%
@claim(
    "theory-464",
    says="DPO: preference-based, offline, actions are LM tokens; the reward is reparameterised into the policy",
    verdict=Conditional(
        given="log-probabilities of tokens are summed to that of the answer, which is the action of the derivation"
    ),
    about=(dpo_weight, implicit_rewards),
)
def row_of_dpo():
    zero, one = sympy.S.Zero, sympy.S.One
    first, second = sympy.log(2), sympy.log(3)
    wins = 1 - dpo_weight([first + second], [zero], [zero], [zero], one)[0]
    yield proved(wins - sympy.Rational(6, 7), "the answer: σ(log 2 + log 3)")
    tokens = [1 - dpo_weight([x], [zero], [zero], [zero], one)[0] for x in (first, second)]
    yield equal([sympy.simplify(x) for x in tokens], [2 * THIRD, 3 * QUARTER], "each token by itself")
    yield against(bool(sympy.simplify(tokens[0] * tokens[1] - wins) != 0), "the product of the two, 1/2, is not 6/7")
    beta = sympy.Symbol("beta", positive=True)
    reward = implicit_rewards([first + second], [zero], [zero], [zero], beta).chosen[0]
    yield proved(reward - beta * (first + second), "the implicit reward is β times the same sum")


row_of_dpo

# %% [markdown]
# ## Nine equations
#
# Three are as they were, with the words that go with them.

# %%
advantage_again = same_as("theory-467", of="theory-138", says=r"$A^\pi = Q^\pi - V^\pi$, how much better than average")
advantage_again

# %%
td_error_again = same_as(
    "theory-468", of="theory-140", says=r"$r + \gamma V(s') - V(s)$, an estimate of $A$ from one step"
)
td_error_again

# %%
gae_again = same_as("theory-469", of="theory-152", says=r"GAE: $\sum_l (\gamma\lambda)^l \delta_{t+l}$")
gae_again

# %% [markdown]
# Two have lost the expectation over the next state. Line 408 averages over the action only, line 414 over nothing. Where the action decides
# the next state nothing is missing. Where it does not, the right side is a random number. Take a coin: toss, and be worth 4 or 0
# one step later, γ = ½. Tossing is worth 1. The right sides are 2 and 0.


# %%
def coin():
    """One choice, between 1/4 at once and a coin that leads to 4 or to nothing, a step later; γ = 1/2."""
    half = Fraction(1, 2)
    toss = [(half, "heads", 0, False), (half, "tails", 0, False)]
    table = {
        ("start", "toss"): toss,
        ("start", "stop"): [(Fraction(1), None, Fraction(1, 4), True)],
        ("heads", "go"): [(Fraction(1), None, 4, True)],
        ("tails", "go"): [(Fraction(1), None, 0, True)],
    }
    return MDP.from_outcomes(table, half, states=["start", "heads", "tails"], actions=["toss", "stop", "go"])


@claim(
    "theory-465",
    "theory-471",
    says=r"$V^\pi(s) = E_{a\sim\pi}[r + \gamma V^\pi(s')]$ and $Q^* = r + \gamma\max_{a'} Q^*$",
    verdict=Conditional(
        given="the action decides the next state; otherwise the right sides need the expectation over s' as well"
    ),
    about=(policy_value, bellman_policy, policy_iteration),
)
def without_the_next_state():
    loop = gallery.left_right_loop()
    v = policy_value(loop, uniform(loop))
    yield equal(
        v, [(4 + NINE_TENTHS * v.sum()) / 2, (10 + NINE_TENTHS * v[0]) / 2], "the loop: E over actions is enough"
    )
    yield equal(v, [Fraction(1700, 139), Fraction(1460, 139)], "its solution")
    model = coin()
    start, heads, tails = (model.states.index(name) for name in ("start", "heads", "tails"))
    toss = deterministic(model, ["toss", "go", "go"])
    v = policy_value(model, toss)
    yield equal([v[start], v[heads], v[tails]], [1, 4, 0], "the coin, always tossed")
    yield equal(bellman_policy(model, toss, v), v, "with E over s': ½ (½ 4 + ½ 0) = 1")
    yield differs(v[start], HALF * v[heads], "r + γ V(s') after heads")
    yield differs(v[start], HALF * v[tails], "r + γ V(s') after tails")
    found = policy_iteration(model).v
    yield equal([found[start], found[heads], found[tails]], [1, 4, 0], "V*: tossing is best")
    yield differs(found[start], HALF * found[heads], "r + γ max Q*(s', ·) after heads")


without_the_next_state

# %% [markdown]
# Two have an E without a law. The policy gradient is a sum over *discounted visits*. With the normalised $d^\pi$, which the document
# uses wherever it writes $s \sim d^\pi$, a factor $1/(1-\gamma)$ is missing; with states counted as they come, the direction is another
# one. The performance difference has its factor; it needs states and actions of the *new* policy.


# %%
@claim(
    "theory-466",
    says=r"$\nabla_\theta V = E[\nabla\log\pi \cdot Q^\pi]$",
    verdict=Conditional(
        given="E is the sum over discounted visits; under the normalised d^π the factor 1/(1-γ) is missing, and under plain visits it is no gradient"
    ),
    about=(policy_gradient, weighted_gradient, undiscounted_direction),
)
def the_theorem_without_its_law():
    loop, family = evenly_from_a()
    truth = gradient_by_hand()
    yield equal(policy_gradient(loop, family), truth, "∇V, against η π_r π_l (Q_r - Q_l) by hand")
    eta = np.array([Fraction(400, 139), Fraction(180, 139)])
    yield equal(weighted_gradient(loop, family, eta), truth, "states weighted by discounted visits")
    normalised = weighted_gradient(loop, family, eta / 10)
    yield equal(normalised, truth / 10, "by d = (1 - γ) η")
    yield differs(normalised, truth, "E over d and π, as line 409 has it")
    plain = undiscounted_direction(loop, family)
    by_hand = truth * (np.array([[4], [2]]) / eta[:, None])
    yield equal(plain, by_hand, "plain visits, 4 and 2: 1 + x_A/2 + x_B/2 and x_A/2")
    yield against(
        plain[0, 1] * truth[1, 1] != plain[1, 1] * truth[0, 1], "they do not even point where the gradient does"
    )


the_theorem_without_its_law


# %%
@claim(
    "theory-472",
    says=r"$V(\pi) - V(\pi') = \frac{1}{1-\gamma} E[A^{\pi'}]$",
    verdict=Conditional(given="E is over states and actions of the new policy: s ~ d^π, a ~ π (line 160 says so)"),
    about=(performance_difference, surrogate_gain),
)
def the_difference_without_its_law():
    loop = gallery.left_right_loop().replace(initial=0)
    old, new = (deterministic(loop, ["right", b]) for b in ("right", "left"))
    sides = performance_difference(loop, new, old)
    gap = Fraction(300, 19) - 12
    yield equal(sides.left, gap, "from A: the loop for ever, against 3 and then the 10")
    yield equal(sides.right, Fraction(90, 19) * Fraction(4, 5), "visits of B under the new, times (10.8 - 10)")
    yield equal(surrogate_gain(loop, new, old), NINE_TENTHS * Fraction(4, 5), "visits of B under the old policy: .9")
    yield differs(surrogate_gain(loop, new, old), gap, "E over the old policy's states")


the_difference_without_its_law

# %% [markdown]
# PPO's objective is right, and its purpose is said too strongly. The clip takes gradients away; it prevents nothing (theory-226). With
# old probabilities (1/5, 4/5) and advantages 4 and -1 the objective is level from $p = 9/25$ on: the policy with $p = 1$, ratio 5, is as
# good a maximiser as any. And if the estimate had the wrong sign, that policy takes the worse arm for ever.


# %%
def clipped_bandit(p):
    """L^CLIP of the policy (p, 1 - p): old probabilities 1/5 and 4/5, advantages 4 and -1, ε = 1/5."""
    old = np.array([FIFTH, 4 * FIFTH])
    return (old * clipped_surrogate(np.array([p, 1 - p]) / old, [Fraction(4), Fraction(-1)], FIFTH)).sum()


@claim(
    "theory-470",
    says=r"$L^{CLIP} = E[\min(r\hat A, clip(r)\hat A)]$: clip the ratio to prevent catastrophic updates",
    verdict=Conditional(given="steps are small and few: 'prevent' names the aim, the objective itself bounds no ratio"),
    about=clipped_bandit,
)
def the_aim_of_the_clip():
    yield equal(clipped_bandit(FIFTH), 0, "at the old policy")
    yield equal(clipped_bandit(Fraction(6, 25)), FIFTH, "ratios 1.2 and .95: .96 - .76")
    yield equal(clipped_bandit(Fraction(9, 25)), Fraction(8, 25), "ratios 1.8 and .8: .96 - .64, both clipped")
    yield against(clipped_bandit(Fraction(1)) == Fraction(8, 25), "ratio 5: the same, a maximiser as well")


the_aim_of_the_clip

# %% [markdown]
# In the line on DPO, $r$ has to be the *ratio* $\pi_\theta/\pi_{ref}$, as in the line on the clip. In the chapter on preferences $r$ is
# the reward, and with rewards there is no logarithm: the document's own pair has log-ratios 0.3 and 0.5 at β = 0.1, so rewards 0.03 and
# 0.05, and a margin of -0.02. The logarithms of those rewards would give -0.051.


# %%
@claim(
    "theory-473",
    says=r"$L_{DPO} = -\log\sigma(\beta(\log r_w - \log r_l))$: preference learning as classification",
    verdict=Conditional(
        given="r_w and r_l are the ratios π_θ/π_ref; in this document's preference chapter r is the reward"
    ),
    about=(dpo_margin, implicit_rewards),
)
def which_r():
    p_w, p_l, q_w, q_l, beta = sympy.symbols("p_w p_l q_w q_l beta", positive=True)
    margin = dpo_margin(*([sympy.log(x)] for x in (p_w, p_l, q_w, q_l)), beta)[0]
    ratios = beta * (sympy.log(p_w / q_w) - sympy.log(p_l / q_l))
    yield proved(sympy.expand_log(margin - ratios, force=True), "the margin, with r the ratio")
    rewards = implicit_rewards([Fraction("0.3")], [Fraction("0.5")], [0], [0], Fraction("0.1"))
    r_w, r_l = rewards.chosen[0], rewards.rejected[0]
    yield equal([r_w, r_l, r_w - r_l], [Fraction(3, 100), Fraction(1, 20), -Fraction(1, 50)], "lines 392 and 393")
    yield differs(float(r_w - r_l), 0.1 * log(r_w / r_l), "with r the reward", apart=0.03)


which_r

# %% [markdown]
# ## On-policy and off-policy
#
# **Used once.** REINFORCE may use a batch once: at the next policy the same samples have another mean. PPO, which the line names beside it,
# uses each transition four times three lines later, with ratios to pay for it.


# %%
@claim(
    "theory-474",
    says="On-policy (REINFORCE, PPO): data is used once and thrown away",
    verdict=Conditional(
        given="one pass per batch, as in REINFORCE; the document's PPO makes four before it throws the batch away"
    ),
    about=(reinforce, estimator_law),
)
def used_once():
    old, new = uniform(ARMS), np.array([[QUARTER, 3 * QUARTER]])
    yield equal(reinforce_mean(old, old), [[-HALF, HALF]], "first use, at the policy that collected the data")
    yield equal(reinforce_mean(new, new), [[-3 * Fraction(1, 8), 3 * Fraction(1, 8)]], "the gradient after one step")
    yield equal(reinforce_mean(old, new), [[0, 0]], "second use of the old data: it says that nothing is to be gained")
    yield sourced("lines 223 and 420: PPO uses each transition 4 times (K = 4 epochs)", against=True)


used_once

# %% [markdown]
# **Always accurate.** Unbiased, at the policy that collected the data: yes. Accurate it is not. With two arms that pay 1 and 3, every second
# sample has the wrong sign, and the document itself (line 98) has estimates between -500 and 500 of a gradient of 2.


# %%
@claim(
    "theory-475",
    says="On-policy, the gradient is always accurate",
    verdict=Wrong(
        because="a sample of the two-armed example has the wrong sign every second time, with a deviation twice its mean",
        instead="unbiased at the policy that collected the data, as noisy as few samples are, and stale from the second step on a batch on",
    ),
    about=(reinforce, estimator_law),
)
def never_accurate():
    policy = uniform(ARMS)
    estimate = reinforce(ARMS, softmax_at(ARMS, policy))
    law = estimator_law(ARMS, policy, 1, estimate)
    yield equal(law.mean, [[-HALF, HALF]], "unbiased: ½ · ½ · (3 - 1) towards the better arm")
    yield equal(law.variance, [[1, 1]], "from two values, -1/2 and 3/2")
    yield against(bool(law.variance[0, 1] == (2 * law.mean[0, 1]) ** 2), "standard deviation: twice the mean")
    wrong = sum(path.probability for path in paths(ARMS, policy, 1) if estimate(path)[0, 1] < 0)
    yield against(bool(wrong == HALF), "half of the samples lower the better arm")
    stale = reinforce_mean(policy, np.array([[QUARTER, 3 * QUARTER]]))
    yield against(bool(stale[0, 1] == 0), "after a step to (1/4, 3/4), the same data: 0 instead of 3/8")


never_accurate

# %% [markdown]
# **Dozens of times.** In a full buffer each transition is used as often as the batch size times the updates per step, whatever the capacity.
# The two algorithms of the line are not in the range: DQN's 32 every fourth step make 8, and SAC's 256 at every step make 256.


# %%
@claim(
    "theory-476",
    says="Off-policy (DQN, SAC): each transition is used dozens of times",
    verdict=Conditional(
        given="batch size times updates per step is a few dozen; it is 8 in the published DQN, 256 in line 421"
    ),
    about=expected_uses,
)
def dozens():
    yield equal(expected_uses(Fraction(32), 1), 32, "batches of 32, an update at every step: dozens")
    dqn = expected_uses(Fraction(32), QUARTER)
    yield equal(dqn, 8, "DQN: batches of 32, an update at every fourth step")
    yield sourced("Mnih et al. (2015), Extended Data Table 1: minibatch 32, update frequency 4")
    yield against(bool(dqn < 12), "not one dozen")
    yield equal(expected_uses(Fraction(256), 1), 256, "SAC as in line 421: twenty-one dozen")


dozens

# %% [markdown]
# **Correcting the bias.** Importance ratios correct it. A target network does not touch it: it freezes the value that is bootstrapped from, and
# where it comes to rest is where the learner without it does. One state, two actions paying 0 and 1, γ = ½, data from a coin; wanted is the
# value of always taking the second, 2. TD rests at 1, the value of the coin, and so it does with either kind of target network.


# %%
@claim(
    "theory-477",
    says="The bias of off-policy data must be corrected (importance sampling, target networks, etc.)",
    verdict=Wrong(
        because="a target network has the fixed point of the learner without it: 1 instead of 2 in the example, hard or soft",
        instead="ratios (or targets that ask the current policy for its action) correct the bias; target networks steady the bootstrapping",
    ),
    about=(linear_td, hard_target, soft_target, importance_sampling_estimate),
)
def what_corrects():
    model = MDP([[[1], [1]]], [[0, 1]], HALF)
    wanted = 1 / (1 - HALF)
    td = linear_td(model, uniform(model), np.array([[Fraction(1)]]), np.array([Fraction(1)]))
    yield equal(td.update(HALF).fixed_point(), [1], "TD on the coin's data: ½ / (1 - ½)")
    hard, soft = hard_target(td, HALF, 3), soft_target(td, HALF, QUARTER)
    yield equal(hard.fixed_point(), [1], "with a hard target network, copied every 3 updates")
    yield equal(soft.fixed_point(), [1, 1], "with a soft one, τ = ¼: the learner and its target")
    yield differs(hard.fixed_point(), wanted, "the value of always taking the second action is 2")
    ratios = [Fraction(0), Fraction(2)]
    corrected = importance_sampling_estimate(ratios, [Fraction(0), Fraction(1)])
    yield equal(corrected / (1 - HALF), wanted, "with ratios 0 and 2 the mean reward is 1, and the value 2")


what_corrects

# %% [markdown]
# ## A million steps, twice
#
# **PPO** in batches of 2048: 488 rounds, and four uses of each transition. The number of *gradient steps* follows only if an epoch is one
# step on the whole batch. Published PPO splits its 2048 into minibatches of 64, which makes 32 steps of each epoch.

# %%
four_uses = same_as("theory-479", of="theory-251", says="with K = 4 epochs each transition is used 4 times")
four_uses


# %%
@claim("theory-478", says="1M / 2048 = about 488 policy updates", verdict=Holds(note="488.28; 488 whole rounds"))
def rounds():
    yield agrees(printed("488", digits=3), MILLION / printed("2048").value, "10^6 / 2048")


rounds


# %%
def gradient_steps(steps, batch, epochs, minibatch):
    """PPO: rounds of `batch`, each gone through `epochs` times in pieces of `minibatch`."""
    return Fraction(steps, batch) * epochs * Fraction(batch, minibatch)


@claim(
    "theory-480",
    "theory-483",
    says="PPO makes about 2000 gradient steps in all, so that SAC does about 500 times as many with the same data",
    verdict=Conditional(
        given="an epoch is one step on the whole batch; minibatches of 64 make 62,500 steps, and a ratio of 16"
    ),
    about=gradient_steps,
)
def steps_of_ppo():
    whole, split = (gradient_steps(10**6, 2048, 4, size) for size in (2048, 64))
    yield equal([whole, split], [Fraction(15625, 8), 62500], "10^6 · 4 / 2048, and 10^6 · 4 / 64")
    yield agrees(printed("2000", digits=1), whole)
    yield agrees(printed("500", digits=1), MILLION / whole, "10^6 / 1953")
    yield differs(printed("2000", digits=1), split, "minibatches of 64")
    yield differs(printed("500", digits=1), MILLION / split, "the ratio then")
    yield sourced("Schulman et al. (2017), table 3: horizon 2048, 10 epochs, minibatch size 64")


steps_of_ppo

# %% [markdown]
# **SAC** with one update per step after a warm-up: about as many updates as steps. A transition is used 256 times if it lives its whole life
# in a full buffer, or on average over the run. In a run of a million steps with room for all of them (line 250 of the document), nobody has
# that life: the first are drawn from a small buffer over and over, the one stored half-way 177 times, the last almost never.


# %%
@claim(
    "theory-481",
    says="SAC: after initial exploration one gradient update per step, batch 256: about 1M gradient steps",
    verdict=Holds(note="990,001 after 10,000 steps of exploration"),
    about=updates_in_run,
)
def steps_of_sac():
    updates = updates_in_run(MILLION, 1, burn_in=10**4)
    yield equal(updates, 990001, "from step 10,000 on")
    yield agrees(printed("1000000", digits=2), updates)


steps_of_sac


# %%
@claim(
    "theory-482",
    says="Each transition is reused about 256 times over its lifetime in the buffer",
    verdict=Conditional(
        given="'each' is the mean, or the buffer is full and the run outlasts it; in the run described it is no one's number"
    ),
    about=(expected_uses, expected_uses_in_run),
)
def lives():
    yield equal(expected_uses(Fraction(256), 1), 256, "a whole life in a full buffer, whatever its capacity")
    uses = expected_uses_in_run(100, Fraction(100), Fraction(256), 1)
    yield equal(uses.sum() / 100, 256, "100 steps, room for all: the mean")
    harmonic = sum(Fraction(256, t) for t in range(1, 101))
    yield equal(
        [uses[0], uses[-1]], [harmonic, Fraction(256, 100)], "the first, 256 (1 + 1/2 + … + 1/100), and the last"
    )
    million = expected_uses_in_run(10**6, 1e6, 256.0, 1.0)
    yield close(million[500_000], 256 * log(2), 1e-3, "a sum of 256/t against its integral", "a million, half-way")
    yield differs(256, million[500_000], "the transition stored half-way", apart=70)


lives


# %%
@figure
def a_life_in_the_buffer():
    """Uses of the transition stored at step i of a million: 256 · log(10⁶/i), 256 on average, and 4 under PPO."""
    import matplotlib.pyplot as plt

    stored = np.arange(0, 10**6, 1000)
    uses = expected_uses_in_run(10**6, 1e6, 256.0, 1.0)[stored]
    ax = plt.subplots(figsize=(6.4, 3.4))[1]
    ax.semilogy(stored / 1e6, uses, color=COLOURS[0], label="SAC, room for all")
    ax.axhline(256, color=COLOURS[1], ls="--", label="SAC, the mean: 256")
    ax.axhline(4, color=COLOURS[2], ls=":", label="PPO, four epochs")
    ax.set(xlabel="stored at step (millions)", ylabel="expected uses", ylim=(0.5, 1e4))
    ax.legend(fontsize=8)
    return ax.figure


a_life_in_the_buffer


# %%
@claim(
    "theory-484",
    says="At $100 per hour of a robot off-policy wins decisively; at 1000 simulated frames per second on-policy often wins",
    verdict=Qualitative(
        why="the prices are given, but not how many steps each method needs on a task, which is measured and not derived; updates cost "
        "as well, and a million of them on the same million steps win nothing by their number"
    ),
)
def who_wins():
    return None


who_wins
