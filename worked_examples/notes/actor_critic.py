# %% [markdown]
# # Actor-critic
#
# *Document `notes`, lines 626 to 679.* An actor that follows advantages and a critic that supplies them: first with whole returns, then
# with one step and the critic's word for the rest, and last as a soft form of policy iteration. Three images, two algorithm boxes and
# a picture, are lost; the standard form stands in for each. What needs most care is small print: which trajectories the critic was
# fitted to, what an estimate is called, and how long the step is.

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
    Wrong,
    against,
    claim,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    same_as,
    shows,
    sourced,
)
from rlexact.exact.bellman import greedy
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import action_value, advantage, policy_value
from rlexact.exact.fisher import natural_gradient
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.gradient_estimators import actor_critic
from rlexact.exact.howard import improved
from rlexact.exact.parameterisation import log_linear_at, softmax_at
from rlexact.exact.paths import paths
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.return_estimators import lambda_advantage_law
from rlexact.formulas.actor_critic import td_actor_critic_step
from rlexact.formulas.gae import td_errors
from rlexact.formulas.returns import monte_carlo_advantages, n_step_advantages, returns_to_go
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("notes", "actor_critic", "Actor-critic")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)

# %% [markdown]
# ## Four small models
#
# In the *relay* two decisions follow each other and pay 0 or 1, then 0 or 4. At the *crossroads* one way leads to a state that pays 0 or 2
# by chance, the other to one that pays nothing. *Three arms* pay 4, 3 and 0. In the *long way*, taking 1 at once competes with walking
# on for two steps to a 10.


# %%
def vector(*numbers):
    """Numbers as an exact vector."""
    return np.array([Fraction(x) for x in numbers], dtype=object)


def relay(gamma=ONE):
    """Two decisions: state 0 pays 0 or 1 and leads on; state 1 pays 0 or 4 and ends."""
    first = {(0, a): [(ONE, 1, a, False)] for a in (0, 1)}
    return MDP.from_outcomes(first | {(1, a): [(ONE, None, 4 * a, True)] for a in (0, 1)}, gamma, 0)


def crossroads():
    """From 0, action 0 leads to state 1, which pays 0 or 2 and ends; action 1 to state 2, which pays 0 and ends.  γ = 1/2."""
    ways = {(0, a): [(ONE, 1 + a, 0, False)] for a in (0, 1)}
    coin = [(HALF, None, 0, True), (HALF, None, 2, True)]
    return MDP.from_outcomes(ways | {(1, 0): coin, (2, 0): [(ONE, None, 0, True)]}, HALF, 0)


def three_arms():
    """Arms that pay 4, 3, 0, pulled with 1/2, 1/4, 1/4: the average is 11/4."""
    model = gallery.bandit((4, 3, 0))
    return model, softmax_at(model, np.array([[HALF, QUARTER, QUARTER]]))


def long_way():
    """At 0: take 1 and stop, or walk to 1, then 2, where 10 is paid.  γ = 9/10."""
    table = {(0, 0): [(ONE, None, 1, True)], (0, 1): [(ONE, 1, 0, False)], (1, 0): [(ONE, 2, 0, False)]}
    return MDP.from_outcomes(table | {(2, 0): [(ONE, None, 10, True)]}, Fraction(9, 10), 0)


# %% [markdown]
# ## Whole returns
#
# The objective of this document is the plain sum of rewards, and so is $G_t$: the two fit, and no $\gamma^t$ is missing. Any fixed critic then
# leaves the mean of $\hat g$ at $\nabla U$, since a number that depends on $s_t$ alone meets a score of mean 0.
#
# But the text fits the critic *after collecting the trajectories*, and uses the same trajectories for the gradient. Then the
# critic has seen the very returns that it is subtracted from. For two arms, 0 and 1, and a critic that is the mean of the batch, the mean
# step is $(1 - 1/N)\,\nabla U$: nothing at all from one trajectory, half of it from two. The lost box (basic
# actor-critic; Sutton and Barto 2018, §13.4 for the baseline) has the same order of steps.


# %%
def batch_step(n, critic):
    """E ĝ for the logit of arm 1 of two fair arms that pay 0 and 1: n pulls, the critic a function of their rewards."""
    total = Fraction(0)
    for pulls in product((0, 1), repeat=n):
        rewards = [Fraction(a) for a in pulls]
        credit = monte_carlo_advantages([rewards], [[critic(rewards)] * n], [[True] * n], None, 1)[0]
        total += sum((a - HALF) * c for a, c in zip(pulls, credit, strict=True)) / n / 2**n
    return total


def whole_return_step(model, family, v, first=0):
    """E Σ_{t ≥ first} ∂log π(a_t | s_t) (G_t - v(s_t)) over all paths of the relay: (S, A)."""
    total = 0 * family.policy
    for path in paths(model, family.policy, 2):
        credit = monte_carlo_advantages(path.rewards, [v[s] for s in path.states[:2]], [False, True], None, 1)
        for t in range(first, 2):
            s, a, c = path.states[t], path.actions[t], credit[t]
            total[s] = total[s] + path.probability * c * (np.array([1 - a, a]) - family.policy[s])
    return total


@claim(
    "notes-097",
    "notes-x07",
    says=r"$\nabla U \approx \hat g = \frac1N \sum_i \sum_t \nabla\log\pi(a_t \mid s_t)\,(G_t - V_\phi(s_t))$ after fitting $V_\phi$ to the roll-outs "
    "(lost box: unbiased whatever the critic)",
    verdict=Conditional(
        given="the critic was fixed before these trajectories were drawn; fitted to the same ones it takes part of the gradient with it, "
        "1/N of it for a batch mean. And the sum counts every action, the first (line 102: a_0) too, and U is not discounted"
    ),
    about=(monte_carlo_advantages, policy_gradient),
)
def the_batch_gradient():
    model = relay()
    family = softmax_at(model, uniform(model))
    by_hand = [[-QUARTER, QUARTER], [-1, 1]]
    yield equal(policy_gradient(model, family), by_hand, "relay: ∇U")
    v = np.array(sympy.symbols("v:2", real=True))
    yield proved(whole_return_step(model, family, v) - np.array(by_hand), "E ĝ, any fixed critic v(0), v(1)")
    fixed = [batch_step(n, lambda _: Fraction(7)) for n in (1, 2, 3)]
    yield equal(fixed, [QUARTER] * 3, "two arms, critic 7: ∇U = 1/4")
    fitted = [batch_step(n, lambda rewards: sum(rewards) / len(rewards)) for n in (1, 2, 3, 4)]
    yield equal(fitted, [QUARTER * (1 - Fraction(1, n)) for n in (1, 2, 3, 4)], "fitted first: (1 - 1/N)/4, N = 1 to 4")
    late = whole_return_step(model, family, v, first=1)
    yield differs(late[0], by_hand[0], "line 102 begins with step 0, the sum with 1: at state 0 nothing is left")
    yield differs(QUARTER, fitted[0], "one trajectory, critic fitted to it: E ĝ")


the_batch_gradient

# %% [markdown]
# ## An estimate by the name of what it estimates
#
# Line 633 and line 642 put an equals sign between $A^\pi(s_t, a_t)$, which line 654 defines as $Q^\pi - V^\pi$, and a number that depends on what
# happened *after* $s_t, a_t$ and on a fitted critic. With $e = V_\phi - V^\pi$ the means given $(s, a)$ are
#
# $$E[G_t - V_\phi] = A^\pi - e(s), \qquad E[r + \gamma V_\phi(s') - V_\phi(s)] = A^\pi + \gamma E[e(s')] - e(s).$$


# %%
def any_two_states():
    """(model, policy, where the pairs lead): two states, each action moves surely, for any rewards; γ = 1/2."""
    r, leads = sympy.symbols("r:4", real=True), np.array([[0, 1], [1, 0]])
    model = MDP(np.eye(2, dtype=int)[leads].tolist(), [r[:2], r[2:]], HALF, initial=0)
    return model, np.array([[sympy.Rational(3, 4), sympy.Rational(1, 4)], [sympy.Rational(1, 2)] * 2]), leads


@claim(
    "notes-098",
    "notes-100",
    says=r"the advantage is $A^\pi(s_t, a_t) = G_t - V_\phi(s_t)$, for A2C $R(s_t, a_t) + \gamma V_\phi(s_{t+1}) - V_\phi(s_t)$",
    verdict=Conditional(
        given="estimates are meant, as line 639 has it, which have mean A^π if V_φ = V^π, discounted as G_t is (or all that follows is sure); as a "
        "definition or an identity see notes-151, notes-237"
    ),
    about=(lambda_advantage_law, monte_carlo_advantages, td_errors, advantage),
)
def an_estimate_and_its_target():
    model, policy, leads = any_two_states()
    e = np.array(sympy.symbols("e:2", real=True))
    v, a = policy_value(model, policy), advantage(model, policy)
    yield proved(lambda_advantage_law(model, policy, v + e, 1).mean - a + e[:, None], "mean of G - V_φ: A - e(s)")
    one_step = lambda_advantage_law(model, policy, v + e, 0).mean
    yield proved(one_step - a - model.gamma * e[leads] + e[:, None], "mean of the one-step form: A + γ e(s') - e(s)")
    yield equal(advantage(crossroads(), uniform(crossroads()))[1, 0], 0, "crossroads, state 1: the advantage is 0")
    seen = [monte_carlo_advantages([Fraction(pay)], [1], [True], None, HALF)[0] for pay in (0, 2)]
    yield equal(seen, [-1, 1], "what is seen there with the right critic, by chance: G - V")
    yield differs(seen, 0, "the advantage")
    one, off = (td_errors([Fraction(0)], [QUARTER], [Fraction(v)], [False], HALF)[0] for v in (0, 4))
    yield equal(one, -QUARTER, "the one-step form on the way to state 2, critic right: A(0, 1) = 0 - 1/4")
    yield differs(off, one, "with a critic that says 4 for state 2")


an_estimate_and_its_target

# %% [markdown]
# ## What A2C is
#
# The text separates A2C from actor-critic by the bootstrap. Bootstrapping is older, and is what makes a method actor-critic at all: without
# it, returns less a critic are REINFORCE with a baseline. The *advantage actor-critic* of 2016 uses returns
# of up to $n$ steps: the last step of a segment one-step, the first one $n$-step, and an episode that ends within the segment gets its full
# returns, the critic only subtracted. The second A of A2C stands against A3C: synchronous, which is how line 700 uses it.


# %%
@claim(
    "notes-099",
    says="A2C's innovation is how it computes the advantage: by a bootstrapped estimate instead of the full return less a baseline",
    verdict=Wrong(
        because="bootstrapping is the mark of every actor-critic, from 1983 on; and where an episode ends within its segment, A2C does use "
        "the full return less the critic",
        instead="A2C is A3C with workers that wait for each other; its advantages are n-step returns, bootstrapped where the segment is cut",
    ),
    about=n_step_advantages,
)
def what_the_name_means():
    yield sourced("Barto, Sutton and Anderson (1983): the actor is driven by the TD error of the critic", against=True)
    yield sourced("Sutton and Barto (2018), §13.5: REINFORCE with a baseline is no actor-critic: no bootstrap")
    r, v, g = sympy.symbols("r:3", real=True), sympy.symbols("v:4", real=True), sympy.Symbol("gamma", positive=True)
    cut = n_step_advantages(r, v[:3], v[1:], [False] * 3, None, g, 3)
    steps = [r[0] + g * r[1] + g**2 * r[2] + g**3 * v[3], r[1] + g * r[2] + g**2 * v[3], r[2] + g * v[3]]
    yield proved(cut - np.array(steps) + np.array(v[:3]), "segment of three, cut: 3, 2, 1 steps, less V")
    rewards, critic = [ONE, 2, 4], vector(5, 5, 5)
    ended = n_step_advantages(rewards, critic, critic, [False, False, True], None, HALF, 3)
    yield equal(ended, [-2, -1, -1], "rewards 1, 2, 4 and the end, γ = 1/2, critic 5: returns 3, 4, 4 less 5")
    one_step = [1 + HALF * 5 - 5, 2 + HALF * 5 - 5, Fraction(4) - 5]
    yield against(list(ended) != one_step, "they are not the one-step form of line 642")


what_the_name_means

# %% [markdown]
# **One step** is the TD error. Line 654 is the usual definition, and line 658 follows from $V = E_a Q$.


# %%
delta = same_as("notes-101", of="reference-060", says="the one-step advantage is the one-step TD error")
delta


# %%
the_advantage = same_as("notes-102", of="reference-016", says=r"$A^\pi(s, a) = Q^\pi(s, a) - V^\pi(s)$")
the_advantage


# %%
@claim(
    "notes-103",
    says=r"$E_{a \sim \pi}[A^\pi(s, a)] = 0$",
    verdict=Holds(note="π's own advantage; under another policy the mean is what that one gains"),
    about=advantage,
)
def the_mean_advantage():
    model, policy, _ = any_two_states()
    a = advantage(model, policy)
    yield proved((policy * a).sum(axis=1), "two states, any rewards")


the_mean_advantage

# %% [markdown]
# ## The lost box of A2C
#
# One-step actor-critic (Sutton and Barto 2018, §13.5): $\delta = r + \gamma V(s') - V(s)$, then $w \leftarrow w + \beta\,\delta\,\nabla V$ and
# $\theta \leftarrow \theta + \alpha\,\delta\,\nabla\log\pi$. In the book the actor's step carries a factor $\gamma^t$. With it, and with the right
# critic, the summed steps of an episode have mean $\alpha\nabla J$. Without it, and γ < 1, the direction is another; with a wrong critic too.


# %%
def episode_step(model, v, discount):
    """E of the actor's steps over an episode of the relay, θ and w held, α = 1: (S, A)."""
    family = softmax_at(model, uniform(model))
    return estimator_law(model, family.policy, 2, actor_critic(model, family, v, discount=discount)).mean


@claim(
    "notes-x08",
    says=r"(lost box) $\delta = r + \gamma V(s') - V(s)$; critic and actor both step along δ; with $V = V^\pi$ the actor's mean step is the exact "
    "gradient",
    verdict=Conditional(given="the step at time t counts γ^t, as in the book, and θ is held over the episode"),
    about=(td_actor_critic_step, actor_critic, policy_gradient),
)
def the_one_step_box():
    model = relay(HALF)
    gradient = policy_gradient(model, softmax_at(model, uniform(model)))
    yield equal(gradient, [[-QUARTER, QUARTER], [-HALF, HALF]], "relay, γ = 1/2: ∇J")
    right = vector(Fraction(3, 2), 2)
    yield equal(episode_step(model, right, HALF), gradient, "right critic, γ^t kept")
    yield differs(episode_step(model, right, ONE), gradient, "γ^t left out")
    moved = td_actor_critic_step([0], [3], [1], [1], 5, 3, 10, False, gamma=HALF, actor_step=1, critic_step=HALF)
    yield equal([*moved.theta, *moved.w], [7, 3 + HALF * 7], "δ = 5 + 10/2 - 3 = 7; both move along it")


the_one_step_box

# %% [markdown]
# ## 995 steps, and variance
#
# Counted from 1, as in line 630, step 5 of 1000 has 995 after it. That a bootstrap trades noise for bias needs a critic near the truth.


# %%
@claim(
    "notes-104",
    says="In an episode of 1000 steps the advantage at t = 5 depends on the next 995 steps",
    verdict=Holds(note="with steps counted from 1; its own reward comes on top, 996 in all"),
    about=returns_to_go,
)
def later_steps():
    g = returns_to_go([ONE] * 1000, [False] * 999 + [True], None, 1)
    yield equal(g[5 - 1] - 1, printed("995"), "a reward of 1 per step: the return at t = 5 less its own reward")


later_steps


# %%
trade = same_as(
    "notes-105",
    of="theory-142",
    says="bootstrapping from the learned value reduces variance dramatically, and brings bias where the value is wrong",
)
trade

# %% [markdown]
# ## Policy iteration
#
# "Greedy" is explained as switching to actions with a higher Q than the average. Such a switch does improve the policy, but it is not the
# greedy one: of arms 4, 3 and 0 under even choices, 3 lies above the average 7/3. The greedy policy takes a *maximiser*.


# %%
@claim(
    "notes-106",
    says="greedy with respect to the values: switching to actions whose Q is higher than the average",
    verdict=Wrong(
        because="an action can be better than the average and not be the best",
        instead="the greedy policy takes argmax Q; an action above the average improves on π as well",
    ),
    about=(action_value, greedy),
)
def greedy_is_the_maximum():
    model = gallery.bandit((4, 3, 0))
    even = uniform(model)
    q, v = action_value(model, even), policy_value(model, even)
    above = {k for k in range(3) if q[0, k] > v[0]}
    yield equal(above, {0, 1}, "arms above the average 7/3")
    chosen = {int(k) for k in np.flatnonzero(greedy(model, v)[0] == 1)}
    yield equal(chosen, {0}, "the greedy arm")
    yield against(above != chosen, "the two descriptions differ")


greedy_is_the_maximum

# %% [markdown]
# The lost picture shows evaluation and improvement in turn. In a finite model, and with evaluation *carried to the end*, no value ever falls
# and the optimum is reached after finitely many policies (Howard 1960). That is the guarantee of line 671. Under the wider name of
# *generalised* policy iteration, evaluation may stop early. Then a policy can get worse on the way (one sweep from 0 makes the long
# way look worthless), and values need not arrive in finitely many rounds.


# %%
def best_of_all_policies(model):
    """V* by brute force."""
    return np.max([policy_value(model, policy) for policy in deterministic_policies(model)], axis=0)


def models():
    return gallery.left_right_loop(), long_way(), gallery.forest().to_rational(str)


def ladder(model, policy):
    """The values of the policies that `improved` goes through, from a first policy on."""
    found, better = [], policy
    while not found or better is not policy:
        policy = better
        found.append(policy_value(model, policy))
        better = improved(model, policy, found[-1])
    return found


@claim(
    "notes-107",
    says="Policy iteration is guaranteed to converge to the optimal policy under certain conditions",
    verdict=Holds(note="finitely many states and actions, exact evaluation, γ < 1: it even arrives"),
    about=(policy_iteration, policy_value),
)
def policy_iteration_arrives():
    loop = gallery.left_right_loop()
    yield equal(policy_iteration(loop).v, [Fraction(300, 19), Fraction(270, 19)], "the two-state loop: 3/(1 - .81)")
    for model in models():
        listed, truth = deterministic_policies(model), best_of_all_policies(model)
        answers = [policy_iteration(model, policy=policy) for policy in listed]
        found = [list(answer.v) for answer in answers]
        yield equal(found, [list(truth)] * len(listed), f"from each of {len(listed)} policies: V*")
        yield shows(max(a.iterations for a in answers) <= len(listed), "no policy is met twice")


policy_iteration_arrives


# %%
def one_sweep(model, policy, v):
    """r_π + γ P_π v."""
    P, r = model.under(policy)
    return r + model.gamma * (P @ v)


@claim(
    "notes-x09",
    says="(lost picture) Generalised policy iteration: evaluation and greedy improvement in turn never lower the value, and end at the "
    "optimum in finitely many rounds",
    verdict=Conditional(
        given="states and actions are finite and every evaluation is carried to the end; with evaluation cut short a policy can get worse "
        "on the way, and the values may only converge"
    ),
    about=(policy_value, one_sweep),
)
def in_turn():
    for model in models():
        climbs = [ladder(model, policy) for policy in deterministic_policies(model)]
        falls = [max(b - a) for climb in climbs for a, b in zip(climb[1:], climb, strict=False)]
        yield shows(max(falls, default=0) <= 0, f"full evaluation, {len(climbs)} starts: no value ever falls")
        ends = [list(climb[-1]) for climb in climbs]
        yield equal(ends, [list(best_of_all_policies(model))] * len(climbs), "the last value is V*")
    model = long_way()
    good = deterministic(model, [1, 0, 0])
    v = one_sweep(model, good, vector(0, 0, 0))
    before, after = policy_value(model, good)[0], policy_value(model, greedy(model, v))[0]
    yield equal([before, after], [Fraction(81, 10), 1], "the long way, one sweep from 0: value before and after")
    yield exceeds(before, after, "the value fell")
    still, v = MDP.chain([[1]], [1], HALF, 0), vector(0)
    for _ in range(20):
        v = one_sweep(still, greedy(still, v), v)
    yield equal(v, [2 - Fraction(1, 2**19)], "one reward for ever, one sweep per round: after 20 rounds not yet 2")


in_turn

# %% [markdown]
# ## What a gradient step does
#
# For a softmax table the gradient at $\theta[s, a]$ is $\eta(s)\,\pi(a \mid s)\,A(s, a)$. So every *logit* moves by the sign of its advantage. A
# probability moves by its logit less the average logit. With two actions that is the same sign. With three it is not: arms 4, 3, 0
# at ½, ¼, ¼ have advantages 5/4, 1/4, −11/4, and the middle one loses.


# %%
@claim(
    "notes-108",
    says="the gradient update raises the probability of actions with positive advantage and lowers that of the others",
    verdict=Conditional(
        given="a softmax table with two actions per state, or the natural gradient; with three, an action above the average can lose to a "
        "better one, and shared parameters can do anything"
    ),
    about=(policy_gradient, advantage, natural_gradient),
)
def signs_of_probabilities():
    for p in (Fraction(1, 10), HALF, Fraction(9, 10)):
        two = gallery.bandit((1, 5))
        family = softmax_at(two, np.array([[1 - p, p]]))
        g = policy_gradient(two, family)[0]
        slope = 4 * p * (1 - p)
        yield equal(g, [-slope, slope], f"arms 1 and 5, p = {p}: the better logit rises, the other falls")
    model, family = three_arms()
    a, slopes = advantage(model, family.policy)[0], family.jacobian[0, :, 0]
    yield equal(a, [Fraction(5, 4), QUARTER, Fraction(-11, 4)], "three arms: advantages")
    moved = slopes @ policy_gradient(model, family)[0]
    yield equal(moved, [Fraction(15, 64), Fraction(-3, 128), Fraction(-27, 128)], "change of the probabilities")
    yield against(bool(a[1] > 0 > moved[1]), "the middle arm is above the average, and its probability falls")
    natural = slopes @ natural_gradient(model, family).direction[0]
    yield equal(natural, [Fraction(5, 8), Fraction(1, 16), Fraction(-11, 16)], "natural gradient: π A, as stated")


signs_of_probabilities


# %%
@figure
def the_middle_arm():
    """Gradient flow on arms 4, 3, 0. While the middle arm is above the average (shaded), its probability rises, and then falls."""
    from matplotlib import pyplot as plt

    pay, logits, seen = np.array([4.0, 3.0, 0.0]), np.log([0.25, 0.25, 0.5]), []
    for _ in range(1000):
        seen.append(np.exp(logits) / np.exp(logits).sum())
        logits = logits + 0.01 * seen[-1] * (pay - seen[-1] @ pay)
    seen, time = np.array(seen), 0.01 * np.arange(1000)
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.axvspan(0, time[np.argmax(seen @ pay >= 3)], color="0.92", lw=0)
    for k, name in enumerate(("pays 4", "pays 3", "pays 0")):
        ax.plot(time, seen[:, k], color=COLOURS[k], label=name)
    ax.set(xlabel="α × steps", ylabel="probability", ylim=(0, 1), xlim=(0, 10))
    ax.legend(loc="center right")
    return fig


the_middle_arm

# %% [markdown]
# ### Is one step an improvement?
#
# For the exact gradient of a softmax table it is, whatever the step size. With $w = \pi A$, which sums to 0, the new policy is
# $\pi' \propto \pi e^{\alpha\eta w}$, and
#
# $$\sum_a \pi'(a) A(a) \;\propto\; \sum_a w_a e^{\alpha\eta w_a} \;\ge\; \sum_a w_a = 0,$$
#
# since $x e^{cx} \ge x$. So $V$ rises in every state, by the policy improvement theorem. Two things break it. States that *share* parameters:
# if one logit must go right and then left, J is $p(1-p)$, and a long step overshoots. And a *wrong critic*: at the
# crossroads one that takes the two states for each other pushes to the worse way.


# %%
def stepped(model, policy, base):
    """Softmax logits moved along ∇J so far that a logit's slope of 1 multiplies its odds by `base`: (S, A), exact."""
    slope = policy_gradient(model, softmax_at(model, policy))
    scale = int(np.lcm.reduce([x.denominator for x in slope.flat]))
    weights = policy * np.array([[Fraction(base) ** int(scale * x) for x in row] for row in slope], dtype=object)
    return weights / weights.sum(axis=1, keepdims=True)


def right_then_left(p):
    """(model, family): state 0 must go right, state 1 left, for a reward of 1; one logit for 'right' in both states."""
    table = {(0, 0): [(ONE, None, 0, True)], (0, 1): [(ONE, 1, 0, False)]}
    table |= {(1, 0): [(ONE, None, 1, True)], (1, 1): [(ONE, None, 0, True)]}
    model = MDP.from_outcomes(table, ONE, 0)
    return model, log_linear_at(model, np.array([[1 - p, p]] * 2), np.array([[[0], [1]]] * 2))


@claim(
    "notes-109",
    says="this single gradient step is the policy improvement, a soft version of the greedy switch",
    verdict=Conditional(
        given="the advantages are those of π and each pair has its own logit (then for any step size); with shared parameters the step must "
        "be short, and with a wrong critic or a few samples it can go the wrong way"
    ),
    about=(policy_gradient, stepped, lambda_advantage_law),
)
def is_it_an_improvement():
    relays, fair = relay(), uniform(relay())
    odds = [[Fraction(1, 5), Fraction(4, 5)], [Fraction(1, 257), Fraction(256, 257)]]
    yield equal(stepped(relays, fair, 2), odds, "relay, slopes ±1/4 and ±1: odds 4 and 256")
    uneven = np.array([[HALF, QUARTER, QUARTER]])
    pairs = [(gallery.bandit(pays), uneven) for pays in ((4, 3, 0), (4, 3, 1), (-2, 5, 4))]
    pairs.append((relays, np.array([[3 * QUARTER, QUARTER], [HALF, HALF]])))
    cases = [(*pair, base) for pair in pairs for base in (Fraction(21, 20), 2, 16)]
    for m, p, base in cases:
        gained = policy_value(m, stepped(m, p, base)) - policy_value(m, p)
        yield shows(min(gained) >= 0, f"own logits, step base {base}: no state loses value")
    model, family = right_then_left(Fraction(1, 5))
    yield equal(policy_gradient(model, family), [Fraction(12, 125)], "shared logit, p = 1/5: slope p(1-p)(1-2p)")
    far = right_then_left(Fraction(9, 10))[1].policy
    near = family.policy
    yield exceeds(*(policy_value(model, p)[0] for p in (near, far)), "odds times 36, p = 9/10: value before, after")
    fork = crossroads()
    reversed_critic = lambda_advantage_law(fork, uniform(fork), vector(QUARTER, 0, 1), 0).mean[0]
    yield equal(reversed_critic, [-QUARTER, QUARTER], "crossroads, critic with 1 and 2 exchanged: both signs wrong")


is_it_an_improvement

# %% [markdown]
# ## On-policy
#
# Averaged over actions of another policy $b$, the same products of score and advantage have another mean; a ratio $\pi/b$ restores it. The
# document later has actor-critics that are off-policy; the one described here is not.


# %%
def pulls_by(behaviour, ratio):
    """E_b of ∇log π · A for the three arms, times π/b or not."""
    model, family = three_arms()
    push, shares = actor_critic(model, family, policy_value(model, family.policy)), (family.policy / behaviour)[0]
    return sum(
        w.probability * push(w)[0] * (shares[w.actions[0]] if ratio else ONE) for w in paths(model, behaviour, 1)
    )


@claim(
    "notes-110",
    says="actor-critic is on-policy: data, values and improvement belong to the current policy",
    verdict=Holds(note="as described; the actor-critics of line 1778 and after learn from a replay buffer and are not"),
    about=(policy_gradient, actor_critic),
)
def own_data():
    model, family = three_arms()
    slope = policy_gradient(model, family)[0]
    yield equal(slope, [Fraction(5, 8), Fraction(1, 16), Fraction(-11, 16)], "∇U = π A")
    yield equal(pulls_by(family.policy, False), slope, "own actions")
    even = np.array([[Fraction(1, 3)] * 3])
    yield shows(list(pulls_by(even, False)) != list(slope), "actions drawn evenly instead: another direction")
    yield equal(pulls_by(even, True), slope, "each multiplied by π/b")


own_data
