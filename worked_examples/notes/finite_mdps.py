# %% [markdown]
# # Finite decision processes, and what is learned
#
# *Document `notes`, lines 15 to 90.* The tuple, policies and plans, the Markov property, returns, and the two ways to learn: values
# first, or the policy itself. The formulas are the usual ones. What needs a condition are the sentences that say what they
# are good for: what the tuple fixes, when a plan is enough, when history can be thrown away, what is maximised, when a sum is
# finite, what can be read off a value, and whether a step uphill ends higher.
#
# $R_{t+1}$ is the reward of $(S_t, A_t)$.

# %%
from fractions import Fraction
from itertools import product

import numpy as np

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    against,
    at_most,
    below,
    claim,
    differs,
    equal,
    exceeds,
    refuses,
    same_as,
    tight,
)
from rlexact.exact.aliased import shared_choice
from rlexact.exact.bellman import greedy
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import action_value, expected_return, policy_value
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.gradient_estimators import reinforce
from rlexact.exact.horizon import backward_induction, policy_values_over_horizon
from rlexact.exact.moments import return_variance
from rlexact.exact.parameterisation import softmax_at, with_jacobian
from rlexact.exact.paths import paths
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.formulas.returns import returns_to_go
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("notes", "finite_mdps", "Finite decision processes, and what is learned")

ONE, HALF, THIRD, QUARTER, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(9, 10)

# %% [markdown]
# ## The tuple
#
# $(S, A, p, r, \gamma)$ decides what every state is worth. Two things it leaves open. Where an episode starts: the $U(\theta)$ of line 113 is a mean over
# trajectories, and another start gives another mean. And how rewards are drawn: line 40 speaks of the joint law of $R_{t+1}$ and
# $S_{t+1}$, of which $p$ and a mean reward $r$ are only two marks.


# %%
def two_rooms(spread=0, start=0):
    """A room that pays 2 and one that pays 1, each 2 or 1 give or take `spread` by a coin, for ever; γ = 1/2."""
    law = [[[(HALF, s, 2 - s + spread, False), (HALF, s, 2 - s - spread, False)]] for s in (0, 1)]
    return MDP.from_outcomes(law, HALF, start)


@claim(
    "notes-001",
    says=r"A finite decision process is a tuple $(S, A, p, r, \gamma)$, with $S$ and $A$ finite",
    verdict=Conditional(
        given="values are asked for; the mean over trajectories of line 113 needs a start law as well, and line 40 the law of "
        "rewards"
    ),
    about=(policy_value, expected_return, return_variance),
)
def what_the_tuple_decides():
    steady, noisy, elsewhere = two_rooms(), two_rooms(spread=3), two_rooms(start=1)
    values = [policy_value(mdp, uniform(mdp)) for mdp in (steady, noisy, elsewhere)]
    yield equal(
        np.array(values), [[4, 2]] * 3, "one tuple, three processes: the same values, 2/(1 - 1/2) and 1/(1 - 1/2)"
    )
    spreads = [return_variance(mdp, uniform(mdp))[0] for mdp in (steady, noisy)]
    yield equal(spreads, [0, 12], "variance of the return: 0, and 9 + 9/4 + 9/16 + … = 12")
    yield differs(spreads[0], spreads[1], "so the tuple does not fix the law of rewards")
    means = [expected_return(mdp, uniform(mdp)) for mdp in (steady, elsewhere)]
    yield equal(means, [4, 2], "the mean over trajectories, from one room and from the other")
    yield differs(means[0], means[1], "so the tuple does not fix the objective")


what_the_tuple_decides

# %%
discount_range = same_as(
    "notes-002", of="reference-004", says=r"the discount factor is in $[0, 1]$, both ends included"
)
discount_range

# %% [markdown]
# ## Policies and plans
#
# $\pi(a \mid s) = \Pr(A_t = a \mid S_t = s)$ for every $t$: a stationary policy does give these probabilities. An agent with a memory may give them
# too. Let it toss a coin once and repeat the first action: each single action still looks like a coin. It is no stationary
# policy, but no *mean* can tell: whoever has the same $\Pr(A_t \mid S_t)$ has the same expected return (Puterman 1994, theorem 5.5.1).


# %%
def one_room():
    """One state, for ever: action a pays a; γ = 1/2."""
    return MDP([[[ONE], [ONE]]], [[0, 1]], HALF, initial=[1])


def swapping():
    """Action a leads to state a with probability 3/4; state s pays s."""
    to = [[3 * QUARTER, QUARTER], [QUARTER, 3 * QUARTER]]
    return MDP([to, to], [[0, 0], [1, 1]], HALF, initial=[THIRD, 2 * THIRD])


def action_given_state(joint, t, s):
    """Pr(A_t = 1 | S_t = s) from a joint law [(probability, states, actions)]."""
    met = [(p, actions[t]) for p, states, actions in joint if states[t] == s]
    return sum(p for p, a in met if a == 1) / sum(p for p, _ in met)


@claim(
    "notes-003",
    says=r"A policy is $\pi(a \mid s) = \Pr(A_t = a \mid S_t = s)$, the same at every $t$",
    verdict=Holds(
        note="at states that are reached; the action is drawn afresh, for an agent with a memory may give the same "
        "probabilities, and then has the same expected return but not the same law of returns"
    ),
    about=(paths, policy_values_over_horizon),
)
def the_same_at_every_time():
    mdp, pi = swapping(), [[HALF, HALF], [THIRD, 2 * THIRD]]
    joint = [(w.probability, w.states, w.actions) for w in paths(mdp, pi, 3)]
    found = [[action_given_state(joint, t, s) for s in (0, 1)] for t in range(3)]
    yield equal(np.array(found), [[HALF, 2 * THIRD]] * 3, "π(1 | s) recovered from every path, t = 0, 1, 2")
    yield equal(sum(p for p, _, _ in joint), 1, "those are all the paths")
    repeater = [(HALF, (0, 0), (a, a)) for a in (0, 1)]
    yield equal(
        [action_given_state(repeater, t, 0) for t in (0, 1)], [HALF, HALF], "one coin for both steps looks fair"
    )
    room = one_room()
    fair = policy_values_over_horizon(room, uniform(room), 2).v[0, 0]
    yield equal(fair, sum(p * (a[0] + HALF * a[1]) for p, _, a in repeater), "and earns the same in the mean: 3/4")
    spread = [sum(p * (a[0] + HALF * a[1] - fair) ** 2 for p, _, a in law) for law in (fair_coins(), repeater)]
    yield below(spread[0], spread[1], "but its returns vary more, 9/16 against 5/16")


def fair_coins():
    return [(QUARTER, (0, 0), actions) for actions in product((0, 1), repeat=2)]


the_same_at_every_time

# %% [markdown]
# **A plan** that is a sequence of actions is made before anything is seen. Where moves are certain that loses nothing. Where they are
# not, a policy may look first: behind the door below lies one of two rooms, and which action pays depends on which.


# %%
def door(chance):
    """A door to the left room with this chance, else to the right one. There action 0 pays 1 on the left, action 1 on the right."""
    P = np.full((4, 2, 4), Fraction(0), dtype=object)
    P[0, :, 1], P[0, :, 2] = chance, 1 - chance
    P[[1, 2], :, 3] = ONE
    return MDP(P, [[0, 0], [1, 0], [0, 1], [0, 0]], ONE, 0, terminal=[3])


def best_sequence(mdp, steps):
    """The largest expected return of any sequence of actions fixed in advance, by trying all."""
    tables = [deterministic(mdp, [a] * mdp.n_states) for a in range(mdp.n_actions)]
    return max(
        policy_values_over_horizon(mdp, [tables[a] for a in plan], steps).v[0, 0]
        for plan in product(range(mdp.n_actions), repeat=steps)
    )


@claim(
    "notes-004",
    says="A plan, made with a model to choose actions that achieve a goal, is a sequence of actions",
    verdict=Conditional(given="moves are certain; otherwise the next action has to depend on what was met: a policy"),
    about=(policy_values_over_horizon, backward_induction),
)
def a_plan_that_looks():
    certain, chancy = door(ONE), door(HALF)
    yield equal(
        [best_sequence(certain, 2), backward_induction(certain, 2).v[0, 0]], [1, 1], "certain: a sequence does it"
    )
    yield equal(backward_induction(chancy, 2).v[0, 0], 1, "by chance: a policy that looks still earns 1")
    yield differs(best_sequence(chancy, 2), ONE, "the best of all four sequences of two actions")
    yield equal(best_sequence(chancy, 2), HALF, "it is right half the time")


a_plan_that_looks

# %% [markdown]
# ## The Markov property
#
# The condition in line 40 lists states and actions. It does not list rewards, and a reward can tell what no state does. Two arms, one of
# which pays 1; which one was decided by a coin, once. The agent sees one state, always the same. Given the states and
# actions alone, the next reward is a coin, whatever went before: the equation of line 40 holds. But who has just been paid 1
# knows which arm to pull. With $R_1, \ldots, R_t$ in the condition the property says what the heading promises.


# %%
def hidden_arm():
    """Two arms; the true state, which the agent does not see, is the one that pays 1."""
    stay = [[[ONE, 0], [ONE, 0]], [[0, ONE], [0, ONE]]]
    return MDP(stay, [[1, 0], [0, 1]], ONE, initial=[HALF, HALF])


def chance_of_pay(met, seen, paid):
    """Pr(R_2 = paid | what was seen), over a list of paths of two steps."""
    told = [w for w in met if seen(w)]
    return sum(w.probability for w in told if w.rewards[1] == paid) / sum(w.probability for w in told)


@claim(
    "notes-005",
    says=r"Markov: $\Pr(R_{t+1}, S_{t+1} \mid S_0, A_0, \ldots, S_t, A_t) = \Pr(R_{t+1}, S_{t+1} \mid S_t, A_t)$, so history can be "
    "thrown away",
    verdict=Conditional(
        given="the rewards up to t stand in the condition as well, or tell nothing that states and actions do not"
    ),
    about=paths,
)
def what_rewards_tell():
    mdp = hidden_arm()
    met = list(paths(mdp, uniform(mdp), 2))
    for arms in product((0, 1), repeat=2):
        found = chance_of_pay(met, lambda w, arms=arms: w.actions == arms, 1)
        yield equal(found, HALF, f"one visible state: Pr(R_2 = 1 | A_0, A_1 = {arms}), the equation as printed")
    again = chance_of_pay(met, lambda w: w.actions == (0, 0) and w.rewards[0] == 1, 1)
    yield differs(HALF, again, "the same with R_1 = 1 known: the past decides the future")
    for state, arm in product((0, 1), repeat=2):
        here = [w for w in met if (w.states[1], w.actions[1]) == (state, arm)]
        told = [chance_of_pay(here, lambda w, b=before: w.actions[0] == b, int(state == arm)) for before in (0, 1)]
        yield equal(told, [ONE, ONE], f"true state {state} known, arm {arm}: whatever was done and paid before")
    yield equal(sum(w.probability for w in met), 1, "over every path of two steps")


what_rewards_tell

# %% [markdown]
# ## Rewards and returns
#
# $r(s, a)$ is a mean; it does not depend on $t$ because the law of the step does not.


# %%
def ladder():
    """Two states, random rewards of 0, 2 or 6, random moves, and an end."""
    law = {
        (0, 0): [(HALF, 0, 0, False), (HALF, 1, 2, False)],
        (0, 1): [(THIRD, 1, 6, False), (2 * THIRD, 1, 0, False)],
        (1, 0): [(QUARTER, 0, 2, False), (3 * QUARTER, None, 6, True)],
        (1, 1): [(ONE, None, 2, True)],
    }
    return MDP.from_outcomes(law, ONE, 0)


MEANS = [[1, 2], [5, 2]]


@claim(
    "notes-006",
    says=r"$r(s, a) = E[R_{t+1} \mid S_t = s, A_t = a]$",
    verdict=Holds(note="the same at every t; it fixes values, not how returns spread"),
    about=(paths, policy_value),
)
def the_mean_reward():
    mdp = ladder()
    met = list(paths(mdp, uniform(mdp), 3))
    for t in (1, 2):
        table = [[], []]
        for s, a in product((0, 1), repeat=2):
            here = [w for w in met if len(w.actions) > t and (w.states[t], w.actions[t]) == (s, a)]
            table[s].append(sum(w.probability * w.rewards[t] for w in here) / sum(w.probability for w in here))
        yield equal(np.array(table), MEANS, f"E[R | s, a] at step t = {t}, from every path")
    drawn, averaged = policy_value(mdp, uniform(mdp)), policy_value(with_mean_rewards(), uniform(mdp))
    yield equal(
        [drawn, averaged], [[Fraction(44, 7), Fraction(30, 7)]] * 2, "drawn rewards, and their means: the same values"
    )


def with_mean_rewards():
    """The moves of `ladder`, paying r(s, a)."""
    law = {
        (0, 0): [(HALF, 0, 1, False), (HALF, 1, 1, False)],
        (0, 1): [(ONE, 1, 2, False)],
        (1, 0): [(QUARTER, 0, 5, False), (3 * QUARTER, None, 5, True)],
        (1, 1): [(ONE, None, 2, True)],
    }
    return MDP.from_outcomes(law, ONE, 0)


the_mean_reward

# %% [markdown]
# The episodic return counts every reward once, up to the last, which belongs to the step that ends the episode. $T$ is random in
# general. In a game that pays 1 a step and ends with chance 1/3, $G_0 = T$ and its mean is 3.


# %%
@claim(
    "notes-007",
    says=r"Episodic return: $G_t = R_{t+1} + R_{t+2} + \dots + R_T$, $T$ the last step of the episode",
    verdict=Holds(note="T is random, and finite with probability 1 where the episode must end; γ = 1"),
    about=(returns_to_go, policy_value),
)
def the_episodic_return():
    for rewards in ([3], [1, 2, 4], [0, 5, -1, 7]):
        ended = [False] * (len(rewards) - 1) + [True]
        by_hand = [sum(rewards[t:]) for t in range(len(rewards))]
        yield equal(returns_to_go([Fraction(r) for r in rewards], ended, None, ONE), by_hand, f"rewards {rewards}")
    game = MDP.from_outcomes([[[(2 * THIRD, 0, 1, False), (THIRD, None, 1, True)]]], ONE, 0)
    yield equal(policy_value(game, uniform(game)), [3], "1 a step, the end with chance 1/3: E[G_0] = E[T] = 3")


the_episodic_return

# %% [markdown]
# **What is maximised.** $G_t$ is a random number. Three lines earlier the text speaks of the *expected* cumulative reward; here the
# word is missing, and where chance plays no part it is not missed.


# %%
def gamble():
    """A sure 1, or a 3 with probability 1/4 and nothing otherwise."""
    table = {(0, 0): [(ONE, None, 1, True)], (0, 1): [(QUARTER, None, 3, True), (3 * QUARTER, None, 0, True)]}
    return MDP.from_outcomes(table, ONE, 0)


@claim(
    "notes-008",
    says=r"The agent's objective is to maximise the return $G_t$",
    verdict=Conditional(given="nothing is random; otherwise it is the expected return, as line 48 says"),
    about=(action_value, policy_iteration),
)
def what_is_maximised():
    mdp = gamble()
    drawn = sorted({w.rewards[0] for w in paths(mdp, deterministic(mdp, [1]), 1)})
    yield equal(action_value(mdp, uniform(mdp)), [[1, Fraction(3, 4)]], "expected returns: the sure 1 is better")
    yield exceeds(drawn[-1], 1, "a return of the gamble against the sure 1")
    yield against(drawn[0] < 1 < drawn[-1], "neither action has the larger G on every draw")
    way = gallery.corridor(2)
    best = max(sum(w.rewards) for w in paths(way, uniform(way), 5) if w.terminated)
    yield equal([best, policy_iteration(way).v[0]], [-2, -2], "no chance, -1 a step: the largest return is V*")


what_is_maximised

# %% [markdown]
# **When the sum is finite.** In a finite process mean rewards are bounded, so a discount below 1 is enough, and $r_{\max}/(1 - \gamma)$ is the bound. But
# line 21 lets γ be 1.


# %%
def stream(reward, gamma):
    """The same reward for ever."""
    return MDP.chain([[1]], [reward], gamma, 0)


@claim(
    "notes-009",
    says="In continuing tasks the discount ensures that the total reward remains finite",
    verdict=Conditional(given="γ < 1; at γ = 1, which line 21 allows, a continuing task may sum to infinity"),
    about=policy_value,
)
def finite_totals():
    ends = [policy_value(stream(r, NINE_TENTHS), [[ONE]])[0] for r in (1, -1)]
    yield at_most([ends[0], -ends[1]], 10, "γ = 9/10, |r| ≤ 1: |V| ≤ r_max / (1 - γ)")
    yield tight(ends[0], 10, "1 for ever")
    yield equal(ends, [10, -10], "1 and -1 for ever")
    yield refuses(InvalidPolicy, lambda: policy_value(stream(1, ONE), [[ONE]]), "γ = 1")
    so_far = [sum(w.rewards) for n in (1, 10, 100) for w in paths(stream(1, ONE), None, n)]
    yield against(so_far == [1, 10, 100], "γ = 1: the first 1, 10, 100 rewards add up to 1, 10, 100")


finite_totals

# %%
discounted_return = same_as(
    "notes-010", of="reference-008", says=r"$G_t = R_{t+1} + \gamma R_{t+2} + \dots = \sum_k \gamma^k R_{t+k+1}$"
)
discounted_return

# %% [markdown]
# ## Values first, or the policy itself
#
# A value of state-action pairs contains a policy: take the largest. A value of *states* does not, unless a model says where actions lead. Two
# bandits, one paying $(0, 1)$ and one paying $(1, 0)$, have the same $V^* = 1$ and opposite best arms. (And ε-greedy, the example given for taking the
# highest value, is how one explores: it takes the other arm with probability ε/2.) The second half needs no condition: the score-function
# estimate has the gradient for its mean, with no value function anywhere.


# %%
@claim(
    "notes-011",
    says="From a learned value function, of states or of pairs, the policy is implicit: the highest value; a policy-based method "
    "needs no value function",
    verdict=Conditional(
        given="the value is one of state-action pairs, or a model is known; state values alone do not tell"
    ),
    about=(greedy, action_value, reinforce),
)
def what_a_value_contains():
    first, second = gallery.bandit((Fraction(0), 1)), gallery.bandit((Fraction(1), 0))
    tables = [action_value(mdp, uniform(mdp)) for mdp in (first, second)]
    yield equal([list(map(int, q.argmax(axis=1))) for q in tables], [[1], [0]], "the largest Q: the arm that pays")
    yield equal([q.max(axis=1) for q in tables], [[1], [1]], "V* = 1 in both")
    chosen = [greedy(mdp, [ONE]) for mdp in (first, second)]
    yield equal(np.array(chosen), [[[0, 1]], [[1, 0]]], "what the model makes of it")
    yield against(bool((chosen[0] != chosen[1]).all()), "the same state values, opposite policies")
    family = softmax_at(first, uniform(first))
    estimate = estimator_law(first, family.policy, 1, reinforce(first, family))
    yield equal(
        estimate.mean, [[-QUARTER, QUARTER]], "without any value: E[R ∇log π] = π(1 - π)(1 - 0), and its opposite"
    )


what_a_value_contains

# %% [markdown]
# ## Gradient ascent
#
# $\nabla U$ points uphill, so a *small* step along it ends higher: the slope along the step is $|\nabla U|^2$. How small is small, the rule does not say. In
# the corridor of Sutton and Barto's Example 13.1, where going right has the same probability θ in all three cells,
# $U(\theta) = (2\theta - 4)/(\theta - \theta^2)$. From $\theta = \frac12$, where $U = -12$ and $U' = 8$, $\alpha = \frac1{200}$ climbs, $\alpha = \frac1{20}$ falls to $-24.4$.


# %%
def corridor_return(theta):
    mdp = gallery.short_corridor()
    return expected_return(mdp, shared_choice(mdp, theta))


def corridor_slope(theta):
    mdp = gallery.short_corridor()
    family = with_jacobian(mdp, shared_choice(mdp, theta), [[[-1], [1]]] * 3)
    return policy_gradient(mdp, family)[0]


@claim(
    "notes-012",
    says=r"$\theta_{new} = \theta_{old} + \alpha \nabla U(\theta)$ improves the policy",
    verdict=Conditional(
        given="α is small enough: below 2/L where the gradient has Lipschitz constant L; a larger step may fall"
    ),
    about=(corridor_return, corridor_slope),
)
def how_far_to_step():
    stated = lambda t: (2 * t - 4) / (t - t * t)  # noqa: E731
    yield equal([corridor_return(t) for t in (HALF, THIRD)], [stated(HALF), stated(THIRD)], "U by hand, at 1/2 and 1/3")
    yield equal(corridor_slope(HALF), 8, "U' at 1/2: 2/(1/4)")
    small, large = (
        corridor_return(HALF + alpha * corridor_slope(HALF)) for alpha in (Fraction(1, 200), Fraction(1, 20))
    )
    yield below(-12, small, "α = 1/200: higher than the -12 it came from")
    yield equal(large, Fraction(-220, 9), "α = 1/20: θ = 9/10")
    yield exceeds(Fraction(-12), large, "where it came from, against where it went")


how_far_to_step


# %%
@figure
def steps_on_the_hill():
    """The corridor's return against θ. From θ = 1/2 the step with α = 1/200 ends higher, the one with α = 1/20 overshoots the top
    at 2 - √2 and ends lower than it began."""
    from matplotlib import pyplot as plt

    theta = np.linspace(0.25, 0.93, 200)
    u = lambda t: (2 * t - 4) / (t - t * t)  # noqa: E731
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    ax.plot(theta, u(theta), color=COLOURS[6], lw=1.2)
    for alpha, colour in ((1 / 200, COLOURS[2]), (1 / 20, COLOURS[1])):
        end = 0.5 + 8 * alpha
        ax.annotate("", (end, u(end)), (0.5, -12), arrowprops={"arrowstyle": "->", "color": colour, "lw": 2})
        ax.plot([end], [u(end)], "o", color=colour, label=f"α = 1/{round(1 / alpha)}: U = {u(end):.2f}")
    ax.plot([0.5], [-12], "o", mfc="white", color=COLOURS[6])
    ax.set(xlabel="θ, probability of going right", ylabel="U(θ)")
    ax.legend(loc="lower center")
    return fig


steps_on_the_hill
