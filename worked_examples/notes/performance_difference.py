# %% [markdown]
# # The performance difference lemma
#
# *Document `notes`, lines 1223 to 1391.* Two policies, one exact formula: the gap between their returns is what the one policy's
# visits make of the other's advantages. The formula is right, and so is the way to it. Some lines along
# the way are not. A random quantity is said to *be* its mean, twice; a mean over trajectories is explained by the wrong fact; two lines
# average over the first state on one side only; and γ < 1 alone does not let the unrolling go on for ever.

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
    below,
    claim,
    differs,
    equal,
    proved,
    same_as,
    shows,
    swept,
)
from rlexact.exact.difference import mean_advantage, performance_difference, surrogate_gain
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import action_value, advantage, expected_return, policy_value
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.gradient_estimators import reinforce
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect, paths
from rlexact.exact.trust_region import state_law
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("notes", "performance_difference", "The performance difference lemma")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)

# %% [markdown]
# ## Two models
#
# In the *errand* everything can be counted by hand. At 0 one takes 2 and is done, or goes on, to 1 or to 2 by the toss of a coin. At 1
# there is 1 or 4 to be had, at 2 there is 0 or 6, and that is the end. With γ = 1/2 and even choices (μ), $V^\mu = (27/16, 5/2, 3)$. The best
# policy (π) goes on and takes the larger sum: $V^\pi = (5/2, 4, 6)$.
#
# The *ferry* never ends: two states, and each action leads to state 1 with a probability of its own. There γ and both
# probabilities of π are symbols.


# %%
def errand(gamma=HALF, start=0):
    """0: take 2 and stop, or go on to 1 or 2; then a smaller or a larger sum, and the end."""
    table = {(0, 0): [(ONE, None, 2, True)], (0, 1): [(HALF, 1, 0, False), (HALF, 2, 0, False)]}
    for s, pays in ((1, (1, 4)), (2, (0, 6))):
        table |= {(s, a): [(ONE, None, pays[a], True)] for a in (0, 1)}
    return MDP.from_outcomes(table, gamma, start)


def best_and_even(model):
    """π goes on and takes the larger sum, μ chooses evenly."""
    return deterministic(model, [1, 1, 1]), uniform(model)


def ferry(y=None):
    """(model, π, μ): to state 1 with probability 1/4 or 1/2 from state 0, 1/3 or 2/3 from state 1; γ, x and y are symbols."""
    gamma, x = sympy.symbols("gamma x", positive=True)
    y = sympy.Symbol("y", positive=True) if y is None else y
    rows = [[[1 - p, p] for p in pair] for pair in ((QUARTER, HALF), (Fraction(1, 3), Fraction(2, 3)))]
    model = MDP(rows, [[1, 0], [3, 5]], gamma, [Fraction(2, 3), Fraction(1, 3)])
    return model, np.array([[1 - x, x], [1 - y, y]]), np.array([[HALF, HALF], [QUARTER, 3 * QUARTER]])


def mean_of(model, policy, f, s):
    """E f(s, a, s') with a ~ policy, s' ~ p: one step from s."""
    return sum(
        policy[s, a] * model.P[s, a, z] * f(s, a, z) for a in range(model.n_actions) for z in range(model.n_states)
    )


def discounted_along(model, table):
    """path -> Σ_t γ^t table(s_t, a_t)."""
    return lambda path: sum(
        (model.gamma**t * table[s, a] for t, (s, a) in enumerate(zip(path.states, path.actions, strict=False))),
        start=0 * model.gamma,
    )


def discounted_rewards(model):
    """path -> Σ_t γ^t r_t."""
    return lambda path: sum(model.gamma**t * r for t, r in enumerate(path.rewards))


# %% [markdown]
# ## Whose data?
#
# Policy gradients are introduced as bound to the data of the current policy. The plain score estimate is: with two arms, 4 and 0, and a policy that
# pulls the first one time in four, its mean is $p(1-p) \cdot 4 = 3/4$ on own data and twice that on even data. One weight $\pi/\mu$ per
# action repairs it, so "must" is too much. Q-learning needs no repair: its mean update leaves $Q^*$ alone, whoever acts.


# %%
def score_mean(behaviour, weighted):
    """Mean REINFORCE slope for the logit of the first of two arms (4 and 0), π = (1/4, 3/4), from the behaviour's pulls."""
    model = gallery.bandit((4, 0))
    now = np.array([[QUARTER, 3 * QUARTER]])
    plain = reinforce(model, softmax_at(model, now))
    ratio = now / behaviour
    return estimator_law(
        model, behaviour, 1, lambda path: (ratio[0, path.actions[0]] if weighted else ONE) * plain(path)
    ).mean[0, 0]


@claim(
    "notes-219",
    says="Policy gradients must collect data with the current policy; value-based methods like Q-learning may use any",
    verdict=Conditional(
        given="no importance weights: with a ratio for each action, data of any policy that tries what π tries give the same mean gradient"
    ),
    about=(reinforce, expected_q_learning),
)
def whose_data():
    own, even = np.array([[QUARTER, 3 * QUARTER]]), np.array([[HALF, HALF]])
    yield equal(score_mean(own, False), 3 * QUARTER, "own data: p (1 - p) (4 - 0)")
    yield shows(score_mean(even, False) == 3 * HALF, "even data, unweighted: 1/2 · 3/4 · 4, twice too much")
    yield against(score_mean(even, True) == 3 * QUARTER, "even data with π/μ: the same gradient, not from π's own data")
    loop = gallery.left_right_loop()
    best = np.max([action_value(loop, policy) for policy in deterministic_policies(loop)], axis=0)
    for behaviour in ([[HALF, HALF], [HALF, HALF]], [[QUARTER, 3 * QUARTER], [ONE / 5, 4 * ONE / 5]]):
        found = expected_q_learning(loop, best, HALF, np.array(behaviour))
        yield equal(found, best, "Q-learning: Q* by brute force stays, whoever acts")


whose_data

# %% [markdown]
# ## The lemma
#
# The advantage and its zero mean are judged elsewhere, in the same words.

# %%
the_advantage = same_as(
    "notes-220", of="reference-016", says=r"$A^\mu = Q^\mu - V^\mu$ compares an action with the average of its state"
)
the_advantage

# %%
its_mean = same_as("notes-221", of="notes-103", says=r"$E_{a \sim \mu}[A^\mu(s, a)] = 0$")
its_mean

# %% [markdown]
# On the errand: $A^\mu(0, \text{on}) = \tfrac12 \cdot \tfrac{11}{4} - \tfrac{27}{16} = -\tfrac{5}{16}$, and the larger sums have advantages
# 3/2 and 3. Along π that makes $-\tfrac5{16} + \tfrac12 \cdot \tfrac12 (\tfrac32 + 3) = \tfrac{13}{16}$, which is $\tfrac52 - \tfrac{27}{16}$. Whose states and whose
# advantages matters: with the states that *μ* visits, the same advantages and π's actions make 1/4.


# %%
def random_pair(seed):
    model = gallery.random_mdp(seed, 3, 3)
    weights = np.random.default_rng(seed).integers(1, 9, (2, 3, 3)) * ONE
    return model, *(w / w.sum(axis=1)[:, None] for w in weights)


@claim(
    "notes-222",
    "notes-223",
    "notes-247",
    says=r"$J(\pi) - J(\mu) = E_{\tau \sim p_\pi}[\sum_t \gamma^t A^\mu(s_t, a_t)]$: states and actions of π, advantages of μ",
    verdict=Holds(
        note="for any two policies of a finite MDP from one start law, γ < 1, or γ = 1 where both policies end"
    ),
    about=(performance_difference, expected_return, advantage, surrogate_gain),
)
def the_lemma():
    for gamma, gap in ((HALF, Fraction(13, 16)), (ONE, 5 - Fraction(19, 8))):
        model = errand(gamma)
        best, even = best_and_even(model)
        along = expect(model, best, 2, discounted_along(model, advantage(model, even)))
        both = performance_difference(model, best, even)
        yield equal([along, both.left, both.right], [gap] * 3, f"errand, γ = {gamma}: every path, and by hand")
    yield proved(performance_difference(*ferry()).gap, "ferry: any γ and any π")
    model = errand()
    yield equal(expected_return(model, best), Fraction(5, 2), "J(π) = γ (4 + 6)/2")
    yield equal(surrogate_gain(model, best, even), QUARTER, "the states that μ visits: -5/16 + 1/8 (3/2 + 3)")
    other = expect(model, even, 2, discounted_along(model, advantage(model, best)))
    yield equal(other, Fraction(-13, 16), "states of μ, advantages of π: J(μ) - J(π)")
    yield swept(
        lambda seed: abs(performance_difference(*random_pair(seed)).gap), range(12), "random models and policies"
    )


the_lemma

# %% [markdown]
# To improve on μ is therefore to make that sum positive. Preferring actions of high advantage in *every* state does so, one mean at a time.
# It does not make the sum largest: on the errand the greedy step takes the 2 at once (advantage 5/16), while the best policy begins
# with an action of advantage -5/16.


# %%
@claim(
    "notes-224",
    says=r"To improve π over μ, maximise the expected sum of $A^\mu$ along π; with a good $A^\mu$, let π take actions of high advantage",
    verdict=Holds(
        note="a greedy step over μ improves and need not maximise: the best policy may take actions of negative advantage"
    ),
    about=(performance_difference, advantage),
)
def what_the_lemma_is_for():
    model = errand()
    best, even = best_and_even(model)
    a = advantage(model, even)
    yield equal(a, [[Fraction(5, 16), -Fraction(5, 16)], [-HALF * 3, HALF * 3], [-3, 3]], "advantages of μ, by hand")
    greedy = deterministic(model, np.argmax(a, axis=1))
    yield equal(performance_difference(model, greedy, even).right, Fraction(5, 16), "greedy for them: 2 - 27/16")
    yield below(Fraction(5, 16), performance_difference(model, best, even).right, "the best policy gains more")

    def order(seed):
        model, _, old = random_pair(seed)
        every = deterministic_policies(model)
        sums = [performance_difference(model, p, old).right for p in every]
        returns = [expected_return(model, p) for p in every]
        step = deterministic(model, np.argmax(advantage(model, old), axis=1))
        gained = policy_value(model, step) - policy_value(model, old)
        return [max(returns) - returns[int(np.argmax(sums))], *-gained]

    yield swept(order, range(8), "the largest sum has the largest return, and a greedy step loses in no state")


what_the_lemma_is_for

# %% [markdown]
# ## From trajectories to first states
#
# The return is defined as everywhere. The next line says that "the entire sum of rewards is just" $V^\pi(s_0)$. From state 0 of the errand an even
# chooser collects 2, 0, 1/2, 2 or 3 according to luck, and never $V^\mu(0) = 27/16$. The *mean given* $s_0$ is meant.

# %%
the_return = same_as("notes-225", of="theory-025", says=r"$J(\pi) = E_{\tau \sim p_\pi}[\sum_t \gamma^t r(s_t, a_t)]$")
the_return


# %%
@claim(
    "notes-226",
    says=r"The entire sum of rewards is just $V^\pi(s_0)$",
    verdict=Wrong(
        because="the sum is random and V is a number: an even chooser at the errand collects 0, 1/2, 2 or 3, and V = 27/16",
        instead="the mean of the sum, given $s_0$, is V; the sum itself is where actions and transitions are sure",
    ),
    about=policy_value,
)
def a_sum_and_its_mean():
    model = errand()
    _, even = best_and_even(model)
    v, total = policy_value(model, even), discounted_rewards(model)
    yield equal(v, [Fraction(27, 16), Fraction(5, 2), 3], "V of even choices, by hand")
    yield equal([expect(model, even, 2, total, start=s) for s in range(3)], v, "mean of the sum, given the first state")
    sums = sorted({total(path) for path in paths(model, even, 2)})
    yield equal(sums, [0, HALF, 2, 3], "the sums that occur from state 0")
    yield differs([v[0]] * len(sums), sums, "V(0), for each sum that occurs")
    yield against(v[0] not in sums, "V(0) = 27/16 is none of them")
    sure = deterministic(model, [0, 1, 1])
    yield equal([total(path) for path in paths(model, sure, 2)], policy_value(model, sure)[:1], "taking the 2: sure")


a_sum_and_its_mean


# %%
def spread(model):
    """The same model, begun at 0 half of the time and at 1 and 2 a quarter each."""
    return model.replace(initial=[HALF, QUARTER, QUARTER])


@claim(
    "notes-227",
    "notes-229",
    says=r"$J(\pi) = E_{s_0 \sim p(s_0)}[V^\pi(s_0)]$, and the same for μ",
    verdict=Holds(),
    about=(expected_return, policy_value),
)
def averaged_over_first_states():
    model = spread(errand())
    for policy, v, j in zip(
        best_and_even(model),
        ([Fraction(5, 2), 4, 6], [Fraction(27, 16), Fraction(5, 2), 3]),
        (Fraction(15, 4), Fraction(71, 32)),
        strict=True,
    ):
        yield equal(expect(model, policy, 2, discounted_rewards(model)), j, "J over every path")
        yield equal(model.initial @ policy_value(model, policy), j, "the first states' values averaged")
        yield equal(expected_return(model, policy), j, "the solver")
        yield equal(policy_value(model, policy), v, "values by hand")


averaged_over_first_states

# %% [markdown]
# The reason given is not the reason. That $s_0$ is drawn independently of the policy turns no mean over trajectories into one over first states:
# averaging the rest of the trajectory *given* $s_0$ does, whatever law $s_0$ has. What independence buys is the next line,
# where two means are put under one $E_{s_0}$. Below, a policy that may choose its first state keeps the first and loses the second.


# %%
@claim(
    "notes-228",
    says=r"Since $s_0$ is sampled independently of the policy, the expectation over trajectories becomes one over the initial state",
    verdict=Wrong(
        because="the equality holds just as well where the law of $s_0$ depends on the policy, and independence alone leaves the rest "
        "of the trajectory random",
        instead="the rest is averaged given $s_0$ (the tower rule), for any law of $s_0$; a law common to both policies is what lets the two "
        "means be combined in the next line",
    ),
    about=(expected_return, policy_value),
)
def the_reason():
    base = errand()
    best, even = best_and_even(base)
    own = base.replace(initial=[QUARTER, HALF, QUARTER])
    yield equal(
        expect(own, best, 2, discounted_rewards(own)), Fraction(33, 8), "π starts by a law of its own: every path"
    )
    yield equal(expected_return(own, best), Fraction(33, 8), "and E V(s_0) all the same: 5/8 + 2 + 3/2")
    yield against(
        own.initial.tolist() != spread(base).initial.tolist()
        and own.initial @ policy_value(own, best) == Fraction(33, 8),
        "the equality without the independence that is said to bring it about",
    )
    total = discounted_rewards(base)
    yield differs(total(next(iter(paths(base, even, 2)))), policy_value(base, even)[0], "s_0 = 0 for sure: one sum")
    gap = Fraction(33, 8) - Fraction(71, 32)
    yield equal(expected_return(own, best) - expected_return(spread(base), even), gap, "start laws of their own")
    combined = spread(base).initial @ (policy_value(base, best) - policy_value(base, even))
    yield equal(combined, Fraction(49, 32), "one start law: combined")
    yield shows(combined != gap, "with two laws the next line fails: that is where independence is used")


the_reason


# %%
@claim(
    "notes-230",
    "notes-231",
    "notes-245",
    says=r"$J(\pi) - J(\mu) = E_{s_0}[V^\pi(s_0)] - E_{s_0}[V^\mu(s_0)] = E_{s_0}[V^\pi(s_0) - V^\mu(s_0)]$",
    verdict=Holds(note="one law of s_0 for both"),
    about=(expected_return, policy_value),
)
def the_difference():
    model = spread(errand())
    best, even = best_and_even(model)
    gap = Fraction(49, 32)
    yield equal(expected_return(model, best) - expected_return(model, even), gap, "J(π) - J(μ) = 15/4 - 71/32")
    apart = policy_value(model, best) - policy_value(model, even)
    yield equal(apart, [Fraction(13, 16), HALF * 3, 3], "state by state")
    yield equal(model.initial @ apart, gap, "averaged: 13/32 + 3/8 + 3/4")
    ferried, new, old = ferry()
    v, w = policy_value(ferried, new), policy_value(ferried, old)
    start = [sympy.Rational(2, 3), sympy.Rational(1, 3)]
    yield proved(expected_return(ferried, new) - expected_return(ferried, old) - (v - w) @ start, "ferry: any γ, any π")


the_difference

# %% [markdown]
# ## Unrolling
#
# The Bellman equation and its use at $s_0$ need no new check. Each of the next lines is then an identity, checked on the ferry with γ
# and π's choice in state 0 free, and 1/5 in state 1.

# %%
bellman = same_as(
    "notes-232",
    "notes-233",
    of="theory-027",
    says=r"$V^\pi(s) = E_{a, s'}[r(s, a) + \gamma V^\pi(s')]$, in particular at $s_0$",
)
bellman


# %%
@claim(
    "notes-234",
    "notes-235",
    "notes-236",
    says=r"$V^\pi(s_0) - V^\mu(s_0) = E[r + \gamma V^\pi(s_1)] - V^\mu(s_0) = E[r + \gamma V^\mu(s_1) - V^\mu(s_0) + \gamma (V^\pi - V^\mu)(s_1)]$",
    verdict=Holds(),
    about=policy_value,
)
def added_and_subtracted():
    model, new, old = ferry(y=sympy.Rational(1, 5))
    v, w, g, r = policy_value(model, new), policy_value(model, old), model.gamma, model.r
    for s in (0, 1):
        subtracted = mean_of(model, new, lambda s, a, z: r[s, a] + g * v[z], s) - w[s]
        inserted = mean_of(model, new, lambda s, a, z: r[s, a] + g * v[z] - g * w[z] + g * w[z], s) - w[s]
        grouped = mean_of(model, new, lambda s, a, z: r[s, a] + g * w[z] - w[s] + g * (v[z] - w[z]), s)
        yield proved([line - (v[s] - w[s]) for line in (subtracted, inserted, grouped)], f"the three lines, s_0 = {s}")
    model = errand()
    best, even = best_and_even(model)
    yield equal(
        policy_value(model, best) - policy_value(model, even), [Fraction(13, 16), HALF * 3, 3], "errand, by hand"
    )


added_and_subtracted

# %% [markdown]
# Then the advantage is "recalled" as $r + \gamma V^\mu(s_1) - V^\mu(s_0)$, with the $s_1$ that was drawn. That is the TD error. On the errand, going on is worth
# $-\tfrac5{16}$, and the formula gives $-\tfrac7{16}$ at one next state and $-\tfrac3{16}$ at the other: $-\tfrac5{16}$ in the mean. Since the next line stands under
# an expectation over $s_1$, nothing is lost.


# %%
@claim(
    "notes-237",
    says=r"$A^\mu(s_0, a_0) = Q^\mu(s_0, a_0) - V^\mu(s_0) = r(s_0, a_0) + \gamma V^\mu(s_1) - V^\mu(s_0)$",
    verdict=Wrong(
        because="$s_1$ stands on the right only: going on is worth -5/16, and the right side is -7/16 or -3/16; it is the TD error",
        instead="the mean over $s_1$: $r + \\gamma E[V^\\mu(s_1) \\mid s_0, a_0] - V^\\mu(s_0)$; the same without it where the next state is sure",
    ),
    about=(advantage, policy_value, action_value),
)
def the_advantage_recalled():
    model = errand()
    _, even = best_and_even(model)
    v, a = policy_value(model, even), advantage(model, even)
    yield equal(a[0], [Fraction(5, 16), -Fraction(5, 16)], "advantages at 0, by hand")
    yield equal(action_value(model, even)[0] - v[0], a[0], "Q - V")
    drawn = [HALF * v[s] - v[0] for s in (1, 2)]
    yield equal(drawn, [-Fraction(7, 16), -Fraction(3, 16)], "going on, with the s_1 that was drawn")
    yield differs(drawn, [a[0, 1]] * 2, "as an equality for each s_1")
    yield equal(sum(drawn) / 2, a[0, 1], "its mean")
    yield equal(2 - v[0], a[0, 0], "taking the 2, after which nothing is random")


the_advantage_recalled


# %%
@claim(
    "notes-238",
    "notes-239",
    "notes-240",
    "notes-241",
    says=r"$V^\pi - V^\mu = E[A^\mu + \gamma (V^\pi - V^\mu)(s')]$ at $s_0$ and $s_1$, nested: "
    r"$E[A^\mu(s_0, a_0)] + \gamma E[A^\mu(s_1, a_1)] + \gamma^2 E[(V^\pi - V^\mu)(s_2)]$",
    verdict=Holds(),
    about=(advantage, policy_value, mean_advantage),
)
def the_recursion():
    model, new, old = ferry(y=sympy.Rational(1, 5))  # γ and x are left free
    apart, a, g = policy_value(model, new) - policy_value(model, old), advantage(model, old), model.gamma
    once = [sympy.cancel(mean_of(model, new, lambda s, b, z: a[s, b] + g * apart[z], s)) for s in (0, 1)]
    yield equal(once, apart, "one step from either state, in lowest terms")
    twice = [sympy.cancel(mean_of(model, new, lambda s, b, z: a[s, b] + g * once[z], s)) for s in (0, 1)]
    yield proved(np.array(twice) - apart, "the second expectation nested in the first")
    first = mean_advantage(model, new, old)
    second = np.array([mean_of(model, new, lambda s, b, z: first[z], s) for s in (0, 1)])
    later = [sympy.cancel(mean_of(model, new, lambda s, b, z: apart[z], s)) for s in (0, 1)]
    third = np.array([mean_of(model, new, lambda s, b, z: later[z], s) for s in (0, 1)])
    yield proved(first + g * second + g**2 * third - apart, "distributed: three terms")
    model = errand()
    best, even = best_and_even(model)
    yield equal(mean_advantage(model, best, even), [-Fraction(5, 16), HALF * 3, 3], "errand: E A at 0, 1 and 2")
    gap = policy_value(model, best) - policy_value(model, even)
    yield equal(
        gap[0], -Fraction(5, 16) + HALF * (HALF * 3 + 3) / 2, "and at 0 the first, and γ times the mean of the others"
    )


the_recursion

# %% [markdown]
# ## For ever
#
# After T steps there remains $\gamma^T E_\pi[(V^\pi - V^\mu)(s_T)]$. In a finite MDP values are bounded, and γ < 1 sends it to zero. γ < 1 alone does
# not: on a *staircase* whose $n$-th step pays $\gamma^{-n}$ for stopping there, μ stops at once and has $V^\mu(n) = \gamma^{-n}$, so climbing has advantage
# $\gamma \cdot \gamma^{-(n+1)} - \gamma^{-n} = 0$ everywhere. A policy that climbs for ever collects nothing, and the series of its advantages is 0, not -1. With N
# steps and nothing to be had above them the whole difference stands in the last term, however late that is.


# %%
def staircase(steps, gamma=HALF):
    """Step n pays γ^-n for stopping; climbing pays nothing, and leads off the top step to the end."""
    table = {(n, 0): [(ONE, None, gamma**-n, True)] for n in range(steps)}
    climb = {(n, 1): [(ONE, n + 1, 0, False)] for n in range(steps - 1)}
    return MDP.from_outcomes(table | climb | {(steps - 1, 1): [(ONE, None, 0, True)]}, gamma, 0)


def remainder(model, new, old, steps):
    """γ^T E_π[(V^π - V^μ)(s_T)]."""
    apart = policy_value(model, new) - policy_value(model, old)
    return model.gamma**steps * (state_law(model, new, steps) @ apart)


@claim(
    "notes-242",
    says="Expanding for ever is valid as long as γ < 1 ensures convergence",
    verdict=Holds(
        note="in a finite MDP (line 15), whose values are bounded; with rewards that grow like γ^-t the remainder stays. And γ < 1 is enough, not "
        "needed: at γ = 1 it is valid where the policies end"
    ),
    about=(policy_value, performance_difference, advantage, state_law),
)
def the_remainder():
    model, new, old = random_pair(3)
    gap, a = performance_difference(model, new, old).left, advantage(model, old)
    for T in (1, 2, 4):
        begun = expect(model, new, T, discounted_along(model, a))
        yield equal(begun + remainder(model, new, old, T), gap, f"T = {T}: every path, and what remains")
    yield below(abs(remainder(model, new, old, 200)), Fraction(1, 10**7), "γ = 9/10, T = 200: what remains")
    plain = errand(ONE)
    sides = performance_difference(plain, *best_and_even(plain))
    yield equal([sides.left, sides.right], [Fraction(21, 8)] * 2, "γ = 1, both end: 5 - 19/8")
    for steps in (3, 10, 20):
        stairs = staircase(steps)
        climb, stop = deterministic(stairs, [1] * steps), deterministic(stairs, [0] * steps)
        below_top = expect(stairs, climb, steps - 1, discounted_along(stairs, advantage(stairs, stop)))
        truth = performance_difference(stairs, climb, stop).left
        yield equal(truth, -1, f"{steps} steps: climbing past all of them gives up the 1 at the foot")
        yield equal(below_top, 0, "all terms but the last one")
        yield equal(remainder(stairs, climb, stop, steps - 1), -1, "and the last one, not small")


the_remainder


# %%
@figure
def terms_added():
    """Terms added up, relative to the difference: within bounded values the sum arrives; on a long staircase it does not move."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    horizons = range(31)
    model, new, old = random_pair(3)
    gap = float(performance_difference(model, new, old).left)
    ax.plot(
        horizons,
        [1 - float(remainder(model, new, old, T)) / gap for T in horizons],
        color=COLOURS[0],
        label="a random MDP, γ = 0.9",
    )
    stairs = staircase(40)
    climb, stop = deterministic(stairs, [1] * 40), deterministic(stairs, [0] * 40)
    ax.plot(
        horizons,
        [1 + float(remainder(stairs, climb, stop, T)) for T in horizons],
        color=COLOURS[1],
        label="the staircase, γ = 1/2",
    )
    ax.axhline(1, color="0.4", lw=0.8)
    ax.set(xlabel="terms of the series", ylabel="share of the difference")
    ax.legend(loc="center right")
    return fig


terms_added

# %% [markdown]
# ## Which first state?
#
# The series is printed with $V^\pi(s_0) - V^\mu(s_0)$ on the left, a function of $s_0$, and on the right a mean over trajectories that is said to begin with
# $s_0 \sim p(s_0)$, a number. They agree if the first state is given on both sides. The last averaging over $s_0$ then does what is
# intended; read literally it averages a constant, which does no harm.


# %%
@claim(
    "notes-243",
    "notes-244",
    says=r"$V^\pi(s_0) - V^\mu(s_0) = \sum_t \gamma^t E[A^\mu(s_t, a_t)] = E_{\tau \sim p_\pi}[\sum_t \gamma^t A^\mu]$, with $s_0 \sim p(s_0)$ on the right",
    verdict=Wrong(
        because="the left side is a function of $s_0$, the right one an average over it, which is $J(\\pi) - J(\\mu)$",
        instead="$s_0$ given on the right side too: trajectories from that state",
    ),
    about=(policy_value, advantage, performance_difference),
)
def which_first_state():
    model = spread(errand())
    best, even = best_and_even(model)
    apart, along = (
        policy_value(model, best) - policy_value(model, even),
        discounted_along(model, advantage(model, even)),
    )
    yield equal(apart, [Fraction(13, 16), HALF * 3, 3], "left side, by hand")
    yield equal([expect(model, best, 2, along, start=s) for s in range(3)], apart, "trajectories from s_0 = s")
    drawn = expect(model, best, 2, along)
    yield differs([drawn] * 3, apart, "trajectories with s_0 ~ p(s_0)")
    yield equal(drawn, Fraction(49, 32), "which make 13/32 + 3/8 + 3/4")
    yield equal(performance_difference(model, best, even).left, drawn, "and that is J(π) - J(μ)")


which_first_state


# %%
@claim(
    "notes-246",
    says=r"$J(\pi) - J(\mu) = E_{s_0}\left[E_{\tau \sim p_\pi}[\sum_t \gamma^t A^\mu(s_t, a_t)]\right]$",
    verdict=Holds(note="the inner mean is taken given s_0; if it draws s_0 itself, the outer one averages a constant"),
    about=(performance_difference, advantage),
)
def averaged_once_more():
    model = spread(errand())
    best, even = best_and_even(model)
    along = discounted_along(model, advantage(model, even))
    given = sum(p * expect(model, best, 2, along, start=s) for s, p in enumerate(model.initial))
    idle = sum(p * expect(model, best, 2, along) for p in model.initial)
    yield equal([given, idle], [Fraction(49, 32)] * 2, "the inner mean given s_0, and with an s_0 of its own")
    both = performance_difference(model, best, even)
    yield equal([both.left, both.right], [Fraction(49, 32)] * 2, "J(π) - J(μ) = 15/4 - 71/32")


averaged_once_more
