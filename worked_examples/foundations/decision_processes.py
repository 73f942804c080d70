# %% [markdown]
# # Decision processes
#
# *Document `foundations`, lines 288 to 413.* Actions enter: the next state now depends on what is chosen, values on a policy. Most
# of this is right once the policy is named. Two sentences are not: a transition matrix does not determine the states that are
# visited, and $V^\pi$ must not be conditioned on the action, which is the whole difference between it and $Q^\pi$.

# %%
from bisect import bisect
from fractions import Fraction
from itertools import accumulate, product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    agrees,
    claim,
    differs,
    equal,
    printed,
    proved,
    shows,
)
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.paths import path_probability, paths
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.plotting import figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("foundations", "decision_processes", "Decision processes")

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
STEPS, EPOCHS = 10, 10_000

# %% [markdown]
# ## What the transition matrix determines
#
# The probabilities of the states, once the start is given; not the states. With every entry of $P$ one half, each of the $2^T$
# sequences from a given start is as likely as any other.


# %%
@claim(
    "foundations-050",
    says="In a Markov process the sequence of states visited is determined entirely by P",
    verdict=Wrong(
        because="P holds conditional probabilities: it fixes neither the start nor, unless its entries are 0 and 1, the states",
        instead="the probability law of the sequence is determined by p(s_0) and P",
    ),
    about=path_probability,
)
def a_law_not_a_sequence():
    fair = [["1/2", "1/2"], ["1/2", "1/2"]]
    from_zero = MDP.chain(fair, initial=0)
    chances = [path_probability(from_zero, None, (0, *rest)) for rest in product((0, 1), repeat=3)]
    yield equal(chances, [Fraction(1, 8)] * 8, "one P, one start, three steps: the chance of each of eight sequences")
    yield against(chances[0] > 0 and chances[1] > 0, "0, 0, 0, 0 and 0, 0, 0, 1 can both happen")
    stay = [["1", 0], [0, 1]]
    here, there = (path_probability(MDP.chain(stay, initial=s), None, [0, 0]) for s in (0, 1))
    yield differs(here, there, "P = identity, the chance of 0, 0 when the start is 0, and when it is 1")
    skewed = MDP.chain([["1/3", "2/3"], ["3/4", "1/4"]], initial=["1/5", "4/5"])
    yield equal(
        path_probability(skewed, None, [1, 0, 1]),
        Fraction(4, 5) * Fraction(3, 4) * Fraction(2, 3),
        "p(s_0) and P give the law",
    )


a_law_not_a_sequence

# %% [markdown]
# ## What an action changes
#
# The document draws a row of next-state probabilities for every state *and* action. How far an action can push the next state
# is the total variation distance between its row and the other's: half the sum of the absolute differences.


# %%
def before_learning():
    """The document's decision process, and the generator as it is once the process is made."""
    draw = np.random.RandomState(0)
    gallery.foundations_process(draw)
    draw.random_sample(1 + STEPS)  # the first walk: a start and ten steps
    process = gallery.foundations_reward_process(draw)
    draw.random_sample(1 + STEPS)  # the second walk
    draw.random_sample(5 + EPOCHS * (1 + STEPS))  # a first table V, and one number for each start and step
    gallery.foundations_sticky_process(draw, process)
    draw.random_sample(5 + EPOCHS * (1 + STEPS))  # the same again
    return gallery.foundations_decision_process(draw), draw


@claim(
    "foundations-051",
    says="By its action the agent can influence the law of the next state",
    verdict=Holds(note="can, not must: a model whose rows are equal for all actions is a decision process too"),
    about=gallery.foundations_decision_process,
)
def actions_matter():
    mdp, _ = before_learning()
    apart = np.abs(mdp.P[:, 0] - mdp.P[:, 1]).sum(axis=1) / 2
    yield agrees(
        printed(["0.5181", "0.3146", "0.3825", "0.4159", "0.4666"]),
        apart,
        "total variation between the two rows, by state",
    )


actions_matter


# %%
@figure
def two_rows_for_each_state():
    """The document's decision process: next-state probabilities under either action, and how far apart the rows are (TV)."""
    from matplotlib import pyplot as plt

    mdp, _ = before_learning()
    apart = np.abs(mdp.P[:, 0] - mdp.P[:, 1]).sum(axis=1) / 2
    fig, both = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
    for a, ax in enumerate(both):
        ax.imshow(mdp.P[:, a], cmap="cividis", vmin=0, vmax=mdp.P.max())
        for s, n in np.ndindex(5, 5):
            p = mdp.P[s, a, n]
            ax.text(n, s, f"{p:.2f}", ha="center", va="center", fontsize=8, color="white" if p < 0.25 else "black")
        ax.set(xlabel="to", title=f"action {a}")
        ax.grid(False)
    both[0].set_ylabel("from")
    both[1].set_yticks(range(5))
    for s, x in enumerate(apart):
        both[1].text(4.7, s, f"TV {x:.2f}", va="center", fontsize=9)
    return fig


two_rows_for_each_state

# %% [markdown]
# ## The value of an action
#
# The document defines $Q(s, a)$ before there is a policy, and says itself that later actions are then undefined. Two choices
# in a row, each paying 0 or 1, with $\gamma = 1/2$, show how much they matter; all four paths can be listed.


# %%
def two_choices():
    """Two decisions, then the end; action a pays a; γ = 1/2."""
    table = {("first", a): [(Fraction(1), "second", a, False)] for a in (0, 1)}
    table |= {("second", a): [(Fraction(1), None, a, True)] for a in (0, 1)}
    return MDP.from_outcomes(table, HALF, "first", states=("first", "second"), actions=(0, 1))


def listed(policy, first_action=None):
    """E[G], or E[G | a_0], of the two choices: a weighted mean over the list of paths."""
    chosen = [p for p in paths(two_choices(), policy, 2) if first_action in (None, p.actions[0])]
    total = sum(p.probability * (p.rewards[0] + HALF * p.rewards[1]) for p in chosen)
    return total / sum(p.probability for p in chosen)


def pick(one, two):
    return deterministic(two_choices(), [one, two])


@claim(
    "foundations-052",
    says="Q(s_t, a_t) = E[G_t | s_t, a_t], trajectories being conditional on s_t, a_t and the transition matrix",
    verdict=Conditional(
        given="a policy for the actions after a_t; the document adds one at line 316. (And the matrix is P, not S.)"
    ),
    about=(action_value, paths),
)
def an_action_has_no_value_alone():
    later = [action_value(two_choices(), pick(0, b))[0, 0] for b in (0, 1)]
    yield equal(later, [0, HALF], "Q(first, 0) when the later choice is 0, and when it is 1")
    yield equal([listed(pick(0, b), 0) for b in (0, 1)], [0, HALF], "the same by listing the paths")
    yield differs(*later, "same state, same action, same P")


an_action_has_no_value_alone


# %%
@claim(
    "foundations-053",
    says=r"$Q(s_t, a_t) = E[r_t + \gamma Q(s_{t+1}, a_{t+1}) \mid s_t, a_t]$",
    verdict=Conditional(
        given="a_{t+1} is drawn from the policy that Q belongs to, which does not change with time, and γ < 1 or an end"
    ),
    about=action_value,
)
def the_bellman_equation_for_q():
    p, u, w, gamma = sympy.symbols("p u w gamma", positive=True)
    r = sympy.symbols("r0:4", real=True)
    slips = [[p, 1 - p], [1 - p, p]]
    mdp = MDP([slips, slips], [r[:2], r[2:]], gamma)
    q = action_value(mdp, np.array([[u, 1 - u], [w, 1 - w]]))
    v = [u * q[0, 0] + (1 - u) * q[0, 1], w * q[1, 0] + (1 - w) * q[1, 1]]
    right = [[r[2 * s + a] + gamma * (slips[a][0] * v[0] + slips[a][1] * v[1]) for a in (0, 1)] for s in (0, 1)]
    yield proved(q - np.array(right), "two states, two actions, all numbers symbols, any stationary policy")
    coin = action_value(two_choices(), uniform(two_choices()))
    yield equal(coin, [[QUARTER, Fraction(5, 4)], [0, 1]], "Q of the uniform policy on the two choices, by hand")
    yield differs(
        coin[0],
        [a + HALF * max(coin[1]) for a in (0, 1)],
        "with a_{t+1} the best action instead, the right side is another",
    )


the_bellman_equation_for_q

# %% [markdown]
# ## What a policy should maximise
#
# Not $G_t$, which is random and known only afterwards, but its expectation. A sure 1 against a 3 that comes one time in four:
# neither choice has the larger return in every case, while the expectations, 1 and 3/4, are clear.


# %%
def a_gamble():
    table = {
        ("now", "sure"): [(Fraction(1), None, 1, True)],
        ("now", "risky"): [(QUARTER, None, 3, True), (1 - QUARTER, None, 0, True)],
    }
    return MDP.from_outcomes(table, HALF, "now", states=("now",), actions=("sure", "risky"))


@claim(
    "foundations-054",
    says="The policy should select actions that maximise the discounted return G_t",
    verdict=Conditional(given="nothing is random; otherwise its expectation E[G_t | s_t] is what can be maximised"),
    about=(policy_iteration, paths),
)
def the_expected_return():
    gamble = a_gamble()
    returns = {p.rewards[0] for p in paths(gamble, deterministic(gamble, ["risky"]), 1)}
    yield equal(returns, {0, 3}, "returns of the risky choice")
    yield against(
        min(returns) < 1 < max(returns),
        "no action has the larger G on every outcome: 1 is above one of them, below the other",
    )
    yield equal(policy_iteration(gamble).q, [[1, Fraction(3, 4)]], "the expectations decide")
    loop = gallery.left_right_loop(HALF)
    found = [sum(HALF**t * x for t, x in enumerate(p.rewards)) for p in paths(loop, uniform(loop), 6, start="A")]
    yield equal(max(found), 8, "without chance: the largest return of all paths from A in the two-state loop, γ = 1/2")
    yield equal(policy_iteration(loop).v[0], 8, "is the value of A")


the_expected_return

# %% [markdown]
# ## Two kinds of policy
#
# A deterministic policy $\mu$ is the stochastic one that puts all its weight on $\mu(s)$. In the model where action $a$ leads to state $a$ and
# arriving in state 1 pays 1, the four of them have values that can be summed by hand.


# %%
def go_where_you_like():
    """Two states; action a leads to state a; arriving in 1 pays 1; γ = 1/2."""
    return MDP([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], [[0, 1], [0, 1]], HALF)


@claim(
    "foundations-055",
    says="Policies are deterministic, a = μ(s), or stochastic, a ~ π(· | s); the first kind is a special case of the second",
    verdict=Holds(),
    about=(deterministic, deterministic_policies, policy_value),
)
def a_point_mass():
    mdp = go_where_you_like()
    by_hand = {(0, 0): [0, 0], (0, 1): [0, 2], (1, 0): [Fraction(4, 3), Fraction(2, 3)], (1, 1): [2, 2]}
    for mu, value in by_hand.items():
        pi = deterministic(mdp, mu)
        yield equal(pi, [[int(a == b) for b in (0, 1)] for a in mu], f"μ = {mu} as rows of probabilities")
        yield equal(policy_value(mdp, pi), value, "its value as a stochastic policy, and summed along its one path")
    every = deterministic_policies(mdp)
    yield equal(
        sorted(p.tolist() for p in every),
        sorted([[int(a == b) for b in (0, 1)] for a in mu] for mu in by_hand),
        "there are four",
    )
    yield shows(not any((p == uniform(mdp)).all() for p in every), "the uniform policy is none of them")


a_point_mass

# %% [markdown]
# ## V and Q of a policy
#
# The document writes the same condition, $s_t, a_t, \pi$, for both. With the action in the condition, the expectation is $Q^\pi$: for the coin on
# the two choices 1/4 or 5/4, according to the action, while $V^\pi$ is the 3/4 between them. The words beside the formula leave
# the action out, and are right.


# %%
@claim(
    "foundations-056",
    says=r"$V^\pi(s_t) = E[G_t \mid s_t]$ with $\tau \sim p(\tau \mid s_t, a_t, \pi)$",
    verdict=Wrong(
        because="conditioned on a_t the expectation is Q^π(s_t, a_t), which depends on a_t",
        instead="τ ~ p(τ | s_t, π, P): the first action is drawn from π too, as the words beside the formula say",
    ),
    about=(policy_value, paths),
)
def no_action_in_the_condition():
    v = policy_value(two_choices(), uniform(two_choices()))
    given = [listed(uniform(two_choices()), a) for a in (0, 1)]
    yield equal(given, [QUARTER, Fraction(5, 4)], "E[G | first, a] for a = 0 and 1")
    yield differs(given, [v[0], v[0]], "the expectation with a_t in the condition is not V")
    yield equal(v[0], Fraction(3, 4), "V(first): (0 + 1)/2 + (1/2)(0 + 1)/2")
    yield equal(listed(uniform(two_choices())), v[0], "E[G | first], the action drawn as well")


no_action_in_the_condition


# %%
@claim(
    "foundations-057",
    "foundations-058",
    says=r"$Q^\pi(s_t, a_t)$ takes a specific first action and follows π afterwards; $V^\pi$ follows π from the first action on",
    verdict=Holds(
        note="also for actions that π never takes: the action is set, not observed. The dynamics are P, where S is written"
    ),
    about=(action_value, policy_value),
)
def a_specific_first_action():
    mdp, coin = two_choices(), uniform(two_choices())
    yield equal(
        action_value(mdp, coin)[0], [listed(coin, a) for a in (0, 1)], "Q(first, ·) of the coin, by listing the paths"
    )
    yield equal(policy_value(mdp, coin)[0], listed(coin), "V(first), by listing them all")
    never = pick(0, 0)
    yield equal(action_value(mdp, never)[0, 1], 1, "π always takes 0: taking 1 first, then 0, is worth 1")
    yield equal(listed(pick(1, 0)), action_value(mdp, never)[0, 1], "by the path that takes 1 first")


a_specific_first_action


# %%
@claim(
    "foundations-059",
    says=r"$V^\pi(s_t) = E_{a_t \sim \pi}[Q^\pi(s_t, a_t)]$",
    verdict=Holds(),
    about=(policy_value, action_value),
)
def the_mean_of_q():
    p, u, w, gamma = sympy.symbols("p u w gamma", positive=True)
    r = sympy.symbols("r0:4", real=True)
    slips = [[p, 1 - p], [1 - p, p]]
    mdp = MDP([slips, slips], [r[:2], r[2:]], gamma)
    pi = np.array([[u, 1 - u], [w, 1 - w]])
    v, q = policy_value(mdp, pi), action_value(mdp, pi)
    yield proved(v - (pi * q).sum(axis=1), "two states, two actions, all numbers symbols")
    yield equal(
        policy_value(two_choices(), uniform(two_choices())),
        [Fraction(3, 4), HALF],
        "the coin: (1/4 + 5/4)/2 and (0 + 1)/2",
    )


the_mean_of_q

# %% [markdown]
# ## The code
#
# The class first lets its parents draw a 5 × 5 table, a start law and rewards, then throws the table away and draws a row for every state and
# action. The generator moves on by all of it, so the discarded table must be drawn here too.


# %%
@claim(
    "foundations-060",
    says="P becomes an array (states, actions, states), each P[s, a] a distribution over next states",
    verdict=Holds(),
    about=gallery.foundations_decision_process,
)
def a_row_for_each_pair():
    mdp, after = before_learning()
    yield equal(mdp.P.shape, (5, 2, 5))
    draw = np.random.RandomState(0)
    draw.random_sample(5 * 5 + 5 + 1 + STEPS + 5 * 5 + 5)
    draw.randn(5)
    draw.random_sample(1 + STEPS + 2 * (5 + EPOCHS * (1 + STEPS)) + 5 * 5)
    draw.random_sample(5 * 5)  # the table that is thrown away
    start, rewards, raw = draw.random_sample(5), draw.randn(5), draw.random_sample((5, 2, 5))
    yield shows(
        bool((raw / raw.sum(axis=2, keepdims=True) == mdp.P).all()), "bit by bit, ten uniform rows over their sums"
    )
    yield shows(
        bool((mdp.initial == start / start.sum()).all() and (rewards == mdp.R).all()),
        "start law and rewards, bit by bit",
    )
    yield shows(after.random_sample() == draw.random_sample(), "and the generator is left in the same state")


a_row_for_each_pair


# %%
def multinomial_law(p, draws):
    """The law of the counts in so many draws from p: {counts: probability}."""
    law = {}
    for outcome in product(range(len(p)), repeat=draws):
        counts = tuple(outcome.count(i) for i in range(len(p)))
        law[counts] = law.get(counts, 0) + np.prod([p[i] for i in outcome])
    return law


@claim(
    "foundations-061",
    says="P[s, a] is a multinomial distribution over next states",
    verdict=Conditional(given="a single draw, its outcome read as an index: the categorical distribution"),
    about=multinomial_law,
)
def one_draw():
    mdp = MDP.chain([["1/2", "1/2"], ["1/3", "2/3"]])
    one = multinomial_law(mdp.P[1, 0], 1)
    yield equal(
        [one[1, 0], one[0, 1]],
        [Fraction(1, 3), Fraction(2, 3)],
        "one draw: the counts (1, 0) and (0, 1) stand for states 0 and 1",
    )
    two = multinomial_law(mdp.P[0, 0], 2)
    yield equal(two, {(2, 0): QUARTER, (1, 1): HALF, (0, 2): QUARTER}, "two draws from a fair row")
    yield against(two[1, 1] > 0 and (1, 1) not in one, "the outcome (1, 1) names no next state")


one_draw

# %% [markdown]
# ## A coin for a policy
#
# `choice(2)` takes the lowest bit of one 32-bit word of the generator, whatever the state: exactly one half each, if the words are
# uniform. It spends half of what a uniform number does, and the library's `trajectory` would spend a whole one, so the walk below
# asks its policy for actions as the document does.


# %%
@claim(
    "foundations-062",
    says="The uniform policy picks each of the M actions with equal probability, whatever the state",
    verdict=Holds(),
    about=uniform,
)
def the_coin():
    yield equal(uniform(go_where_you_like()), [[HALF, HALF], [HALF, HALF]], "as a table of probabilities")
    coin, words = np.random.RandomState(0), np.random.RandomState(0)
    bits = words.randint(0, 2**32, 2000, dtype=np.uint64) % 2
    yield equal(
        [int(coin.choice(2)) for _ in range(2000)],
        [int(b) for b in bits],
        "2000 choices are the low bits of 2000 words",
    )


the_coin


# %%
def walked(draw, mdp, choose, steps):
    """(states, rewards, actions) of a walk with a NumPy legacy generator; `choose(state)` is the policy."""
    laws = [[shares(row) for row in rows] for rows in mdp.P.tolist()]
    paid = mdp.R[0, 0].tolist()
    states, rewards, actions = [bisect(shares(mdp.initial.tolist()), draw.random_sample())], [], []
    for _ in range(steps):
        actions.append(int(choose(states[-1])))
        states.append(bisect(laws[states[-1]][actions[-1]], draw.random_sample()))
        rewards.append(paid[states[-1]])
    return states, rewards, actions


def shares(row):
    sums = list(accumulate(row))
    return [x / sums[-1] for x in sums]


@claim(
    "foundations-063",
    "foundations-064",
    "foundations-065",
    says="generate_trajectory(pi, 10) gives the printed eleven states, ten rewards and ten actions",
    verdict=Holds(),
    about=(walked, gallery.foundations_decision_process),
)
def the_printed_walk():
    mdp, draw = before_learning()
    states, rewards, actions = walked(draw, mdp, lambda s: draw.choice(2), STEPS)
    yield equal(printed(["1", "1", "3", "2", "4", "2", "2", "3", "0", "3", "0"]), states, "states")
    three, two, zero = "-0.508447116792912", "-0.24373616170458026", "-0.6787773894547808"
    stated = ["0.44112903184475766", three, two, "-1.0738334450260647", two, two, three, zero, three, zero]
    yield agrees(printed(stated), rewards, "rewards, R of the state arrived in, to the last digit")
    yield equal(printed(["0", "0", "0", "0", "0", "1", "0", "1", "1", "1"]), actions, "actions")
    mdp, draw = before_learning()
    again = [draw.choice(5, p=mdp.initial)]
    for _ in range(STEPS):
        again.append(draw.choice(5, p=mdp.P[again[-1], draw.choice(2)]))
    yield equal([int(s) for s in again], states, "the same states from NumPy's own choice()")


the_printed_walk
