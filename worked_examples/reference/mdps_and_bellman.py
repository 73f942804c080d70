# %% [markdown]
# # Decision processes and Bellman equations
#
# *Document `reference`, lines 13 to 59.* The tuple, returns, three value functions, two pairs of Bellman equations and the greedy
# policy. Every equation is right. What needs a condition is around them: the tuple says nothing of where episodes start, γ = 1 is
# allowed beside a sum without an end, and *the* argmax is written where several actions may tie.
#
# $R_{t+1}$ is the reward of $(S_t, A_t)$.

# %%
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import Conditional, Holds, Section, against, claim, differs, equal, proved, refuses, same_as
from rlexact.exact.bellman import backup, bellman_optimal, optimal_actions
from rlexact.exact.evaluation import action_value, advantage, expected_return, policy_value
from rlexact.exact.moments import return_variance
from rlexact.exact.paths import expect, path_probability, paths
from rlexact.formulas.q_learning import q_learning_targets
from rlexact.formulas.returns import discounted_return, returns_to_go
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("reference", "mdps_and_bellman", "Decision processes and Bellman equations")

ONE, HALF, THIRD, QUARTER, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(9, 10)

# %% [markdown]
# ## The tuple
#
# $(S, A, P, R, \gamma)$ fixes what every state is worth, and which policies are optimal. It does not fix where a trajectory starts, and the
# objective of line 62, a mean over trajectories, is another number for another start. In the two-state loop of the document
# `theory`, going round is worth $\frac{300}{19}$ from A and $\frac{270}{19}$ from B.


# %%
@claim(
    "reference-001",
    says=r"A decision process is defined by the tuple $(S, A, P, R, \gamma)$",
    verdict=Conditional(
        given="values and optimal policies are asked for; the law of trajectories, and the J of line 62, need a start law too"
    ),
    about=(policy_value, expected_return),
)
def what_the_tuple_leaves_open():
    loop = gallery.left_right_loop()
    round_and_round = deterministic(loop, ["right", "left"])
    worth = [Fraction(300, 19), Fraction(270, 19)]
    yield equal(policy_value(loop, round_and_round), worth, "values, by 3/(1 - .81) and .9 of it: no start is needed")
    from_a, from_b = (expected_return(loop.replace(initial=s), round_and_round) for s in ("A", "B"))
    yield equal([from_a, from_b], worth, "J, started at A and at B")
    yield differs(from_a, from_b, "so one tuple has two objectives")


what_the_tuple_leaves_open

# %%
dynamics = same_as(
    "reference-002", of="theory-002", says=r"the dynamics are probabilities $P(s' \mid s, a)$ of next states"
)
dynamics

# %% [markdown]
# **Two kinds of reward.** $R(s, a, s')$ says more than $R(s, a)$. Averaged over $s'$ the first becomes the second, and then every value
# is the same; the spread of the returns is not. The model `trip` has chance, rewards on transitions, and is over after three steps.


# %%
def trip(rewards=None, gamma=NINE_TENTHS):
    """Four states, two actions, chance, rewards R(s, a, s') unless others are given, and over after three steps at most."""
    P = np.full((4, 2, 4), Fraction(0), dtype=object)
    P[0, 0, [1, 2]], P[0, 1, [1, 3]] = HALF, [THIRD, 2 * THIRD]
    P[1, 0, 2], P[1, 1, [2, 3]] = ONE, HALF
    P[2, :, 3] = ONE
    paid = [[[3 * s - 2 * a + k * k if P[s, a, k] else 0 for k in range(4)] for a in range(2)] for s in range(4)]
    return MDP(P, paid if rewards is None else rewards, gamma, initial=[HALF, HALF, 0, 0], terminal=[3])


def tilted(mdp):
    """The first action with probability 1/4."""
    return np.tile([QUARTER, 3 * QUARTER], (mdp.n_states, 1))


def discounted(path):
    """Σ γ^k R_{k+1} of a path, γ = 9/10."""
    return sum(NINE_TENTHS**k * r for k, r in enumerate(path.rewards))


def values_by_paths(mdp):
    """V of the tilted policy from every path of three steps."""
    return [expect(mdp, tilted(mdp), 3, discounted, start=s) for s in range(4)]


def coin(paid):
    """One step to either of two terminal states, by a fair coin; γ = 1."""
    P = np.full((3, 1, 3), Fraction(0), dtype=object)
    P[0, 0, [1, 2]] = HALF
    return MDP(P, paid, ONE, 0, terminal=[1, 2])


@claim(
    "reference-003",
    says="The reward is a function R(s, a), or a function R(s, a, s')",
    verdict=Holds(note="with R(s, a) = Σ P R(s, a, s') all values agree; the variance of the return does not"),
    about=(policy_value, return_variance),
)
def two_kinds_of_reward():
    full = trip()
    mean = [[sum(p * r for p, _, r, _ in full.outcomes(s, a)) for a in range(2)] for s in range(3)] + [[0, 0]]
    yield equal(policy_value(trip(mean), tilted(full)), values_by_paths(full), "averaged rewards, against R(s, a, s')")
    on_arrival = coin([[[0, 0, 2]], [[0, 0, 0]], [[0, 0, 0]]])
    spread = [return_variance(model, uniform(model))[0] for model in (on_arrival, coin([[1], [0], [0]]))]
    yield equal(spread, [1, 0], "0 or 2 by a coin, or 1 for certain: the same value, variance 1 and 0")


two_kinds_of_reward

# %% [markdown]
# **The closed interval.** At γ = 0 only the next reward counts. At γ = 1 the random walk of five states, which ends, is worth $k/6$; a
# reward of 1 for ever is worth $1/(1-\gamma)$ for γ < 1 and nothing finite at γ = 1. The sum of line 24 has no end, so both cases are meant.


# %%
def stream(gamma):
    """A reward of 1 for ever."""
    return MDP.chain([[1]], [1], gamma, 0)


@claim(
    "reference-004",
    says=r"The discount factor is in $[0, 1]$",
    verdict=Conditional(given="at γ = 1 episodes end with probability 1; without an end γ must be below 1"),
    about=(policy_value, discounted_return),
)
def the_closed_interval():
    gamma = sympy.Symbol("gamma", nonnegative=True)
    endless = stream(gamma)
    yield proved(policy_value(endless, uniform(endless)) - 1 / (1 - gamma), "1 for ever, γ < 1")
    short = trip(gamma=Fraction(0))
    by_hand = [sum(p * q for p, q in zip((QUARTER, 3 * QUARTER), short.r[s], strict=True)) for s in range(4)]
    yield equal(policy_value(short, tilted(short)), by_hand, "γ = 0: the next reward")
    walk = gallery.random_walk()
    yield equal(policy_value(walk, uniform(walk)), [Fraction(k, 6) for k in range(1, 6)], "γ = 1, and an end: k/6")
    yield refuses(InvalidPolicy, lambda: policy_value(stream(ONE), [[ONE]]), "γ = 1, and no end")
    sums = [discounted_return([ONE] * n, ONE) for n in (1, 10, 100)]
    yield against(sums == [1, 10, 100], "after n rewards of 1 the sum is n: it passes every number")


the_closed_interval

# %% [markdown]
# ## The Markov property
#
# The formula has $S_t$ *and* $A_t$ in its condition, and is right whatever chose $A_t$. The sentence beside it is about the future as a
# whole. That has actions in it, and an agent may choose them from memory. Let action 0 stay and action 1 switch between two
# states, and let the agent toss a coin once and then do the same again: where it goes from state 0 depends on how it came there.

# %%
markov = same_as(
    "reference-005", of="theory-006", says=r"$P(S_{t+1} \mid S_t, A_t, \ldots, S_0, A_0) = P(S_{t+1} \mid S_t, A_t)$"
)
markov


# %%
def stay_or_switch():
    """Action 0 stays, action 1 switches; fair start."""
    return MDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [[0, 0], [0, 0]], HALF, initial=[HALF, HALF])


def next_is_zero(past, repeats):
    """P(S_2 = 0 | S_1 = 0, S_0 = past), a coin at each step or one coin for both."""
    mdp = stay_or_switch()
    both = 2 if repeats else 1
    joint = {
        end: sum(
            both * path_probability(mdp, uniform(mdp), (past, 0, end), acts)
            for acts in product(range(2), repeat=2)
            if not repeats or acts[0] == acts[1]
        )
        for end in range(2)
    }
    return joint[0] / sum(joint.values())


@claim(
    "reference-006",
    says="The future depends only on the present, not on the past",
    verdict=Conditional(
        given="actions too are chosen from the present state alone; or only the next state is meant, given the state and the action"
    ),
    about=path_probability,
)
def the_present_decides():
    fair = [next_is_zero(past, repeats=False) for past in (0, 1)]
    yield equal(fair, [HALF, HALF], "a coin at each step: P(S2 = 0 | S1 = 0), came from 0, from 1")
    mdp = stay_or_switch()
    steps = [path_probability(mdp, uniform(mdp), (past, 0, 0), (past, 0)) for past in (0, 1)]
    yield equal(
        steps, [Fraction(1, 8)] * 2, "given the action 'stay' as well: P(S0, A0, S1 = 0, A1, S2 = 0) = 1/2 · 1/2 · 1/2"
    )
    differing = [next_is_zero(past, repeats=True) for past in (0, 1)]
    yield differs(differing[0], differing[1], "one coin for both steps: P(S2 = 0 | S1 = 0), came from 0 and from 1")


the_present_decides

# %% [markdown]
# ## Returns
#
# With a last time $T$ there are $T - t$ rewards left, and what a state is worth depends on $t$ as well. Without an end the weights
# $\gamma^k$ make the sum converge. The recursion is that of the discounted sum, and of the finite one at γ = 1.


# %%
@claim(
    "reference-007",
    says=r"Finite horizon: $G_t = R_{t+1} + R_{t+2} + \dots + R_T$",
    verdict=Holds(note="T - t rewards, undiscounted; the same state is worth less when the end is nearer"),
    about=returns_to_go,
)
def the_finite_return():
    r = sympy.symbols("R1:5", real=True)
    found = returns_to_go(r, [False, False, False, True], None, 1)
    yield proved([found[t] - sum(r[t:]) for t in range(4)], "T = 4: the returns from t = 0, 1, 2, 3")
    yield equal(
        returns_to_go([ONE] * 3, [False] * 3, None, ONE), [3, 2, 1], "1 per step, T = 3: one state, three values"
    )


the_finite_return


# %%
@claim(
    "reference-008",
    "reference-009",
    says=r"$G_t = R_{t+1} + \gamma R_{t+2} + \dots = \sum_k \gamma^k R_{t+k+1}$, and so $G_t = R_{t+1} + \gamma G_{t+1}$",
    verdict=Holds(note="γ < 1 and bounded rewards, or an end; for the undiscounted sum of line 22 read γ = 1"),
    about=(returns_to_go, policy_value),
)
def the_discounted_return():
    r, gamma = sympy.symbols("R1:5", real=True), sympy.Symbol("gamma", nonnegative=True)
    found = returns_to_go(r, [False, False, False, True], None, gamma)
    yield proved([found[t] - sum(gamma**k * r[t + k] for k in range(4 - t)) for t in range(4)], "Σ γ^k R_{t+k+1}")
    yield proved([found[t] - r[t] - gamma * found[t + 1] for t in range(3)], "G_t - R_{t+1} - γ G_{t+1}")
    turns = MDP.chain([[0, 1], [1, 0]], [1, 0], gamma, 0)
    v = policy_value(turns, uniform(turns))
    yield proved(v - [1 / (1 - gamma**2), gamma / (1 - gamma**2)], "1, 0, 1, 0, … without end: Σ γ^2k, and γ times it")
    yield proved(v[0] - 1 - gamma * v[1], "their recursion")


the_discounted_return

# %% [markdown]
# ## Values and their equations
#
# In `trip` a mean over trajectories is a finite sum over paths. The linear solves must give the same fractions, whether counting
# starts at $t = 0$ or at $t = 1$: that is why neither side needs a $t$. (With the finite-horizon return of line 22 it would.)


# %%
def from_second_state(mdp, s):
    """E[G_1 | S_1 = s], by Bayes over every path of four steps from the model's start."""
    met = [p for p in paths(mdp, tilted(mdp), 4) if len(p.states) > 1 and p.states[1] == s]
    later = [p.probability * sum(NINE_TENTHS**k * r for k, r in enumerate(p.rewards[1:])) for p in met]
    return sum(later) / sum(p.probability for p in met)


@claim(
    "reference-010",
    "reference-011",
    "reference-013",
    "reference-014",
    says=r"$V^\pi(s) = E_\pi[G_t \mid S_t = s] = E_\pi[\sum_k \gamma^k R_{t+k+1} \mid S_t = s]$; $Q^\pi(s, a)$ likewise given $A_t = a$",
    verdict=Holds(note="for the endless return and a policy that does not change with time, whatever t is"),
    about=(policy_value, action_value),
)
def values_are_means():
    mdp = trip()
    v, q = policy_value(mdp, tilted(mdp)), action_value(mdp, tilted(mdp))
    yield equal(v, values_by_paths(mdp), "V, every path from t = 0")
    yield equal([v[1], v[2]], [from_second_state(mdp, s) for s in (1, 2)], "V, every path that is there at t = 1")
    for s, a in product(range(3), range(2)):
        onward = sum(
            p * (r + NINE_TENTHS * expect(mdp, tilted(mdp), 2, discounted, start=n))
            for p, n, r, _ in mdp.outcomes(s, a)
        )
        yield equal(q[s, a], onward, f"Q({s}, {a}), every path that starts with it")


values_are_means

# %% [markdown]
# With all numbers symbols, each equation is an identity of rational functions: for rewards $R(s, a, s')$, and for $R(s, a)$.


# %%
def two_states(per_transition):
    """Two states and two actions, one chance, rewards, γ and the policy symbols."""
    p, x, y, gamma = sympy.symbols("p x y gamma", positive=True)
    r = np.array(sympy.symbols("r:8", real=True), dtype=object)
    third = sympy.Rational(1, 3)
    P = [[[p, 1 - p], [third, 2 * third]], [[0, 1], [2 * third, third]]]
    rewards = np.where(np.array(P) != 0, r.reshape(2, 2, 2), 0) if per_transition else r[:4].reshape(2, 2)
    mdp = MDP(P, rewards, gamma)
    return mdp, np.array([[x, 1 - x], [y, 1 - y]], dtype=object)


@claim(
    "reference-012",
    "reference-015",
    "reference-023",
    "reference-025",
    says=r"$V^\pi = \sum_a \pi \sum_{s'} P\,[R + \gamma V^\pi(s')]$, "
    r"$Q^\pi = \sum_{s'} P\,[R + \gamma \sum_{a'} \pi Q^\pi(s', a')]$; the same with $R(s, a)$ before the sum over $s'$",
    verdict=Holds(note="wherever the values exist: γ < 1, or γ = 1 and an end, where terminal states are worth 0"),
    about=(policy_value, action_value),
)
def bellman_equations():
    walk, sixths = gallery.random_walk(), [Fraction(k, 6) for k in range(1, 6)]
    yield equal(
        policy_value(walk, uniform(walk)), sixths, "γ = 1: random walk, each the mean of its neighbours 0, …, 1"
    )
    yield equal(action_value(walk, uniform(walk)), sixths, "Q, with one action")
    for per_transition in (True, False):
        mdp, pi = two_states(per_transition)
        v, q = policy_value(mdp, pi), action_value(mdp, pi)
        form = "R(s, a, s')" if per_transition else "R(s, a)"

        def backed_up(s, a, after, mdp=mdp, each=per_transition):
            """Σ P [R + γ after(s')], or R + γ Σ P after(s'): written out."""
            paid = [mdp.R[s, a, n] if each else 0 for n in range(2)]
            first = 0 if each else mdp.R[s, a]
            return first + sum(mdp.P[s, a, n] * (paid[n] + mdp.gamma * after(n)) for n in range(2))

        mixed = [sum(pi[s, a] * backed_up(s, a, lambda n, v=v: v[n]) for a in range(2)) - v[s] for s in range(2)]
        yield proved(mixed, f"V, {form}")
        again = [
            backed_up(s, a, lambda n, q=q, pi=pi: sum(pi[n] * q[n])) - q[s, a] for s, a in product(range(2), range(2))
        ]
        yield proved(again, f"Q, {form}")


bellman_equations

# %%
value_from_actions = same_as(
    "reference-021",
    "reference-022",
    of="theory-033",
    says=r"$V^\pi(s) = \sum_a \pi(a \mid s) Q^\pi(s, a) = E_{a \sim \pi}[Q^\pi(s, a)]$",
)
value_from_actions


# %%
@claim(
    "reference-024",
    "reference-026",
    says=r"$V^\pi(s) = E_\pi[R_{t+1} + \gamma V^\pi(S_{t+1}) \mid s]$, $Q^\pi(s, a) = E_\pi[R_{t+1} + \gamma Q^\pi(S_{t+1}, A_{t+1}) \mid s, a]$",
    verdict=Holds(note="A_{t+1} drawn from π, the policy in the subscript; 0 follows a terminal state"),
    about=expect,
)
def compact_forms():
    mdp = trip()
    pi = tilted(mdp)
    v, q = policy_value(mdp, pi), action_value(mdp, pi)

    def one_action(path):
        return path.rewards[0] + NINE_TENTHS * v[path.states[1]]

    def two_actions(path):
        return path.rewards[0] + (NINE_TENTHS * q[path.states[1], path.actions[1]] if len(path.actions) > 1 else 0)

    yield equal([expect(mdp, pi, 1, one_action, start=s) for s in range(3)], v[:3], "V: one step and then V")
    for s, a in product(range(3), range(2)):
        first = np.where(np.arange(4)[:, None] == s, [[Fraction(int(a == b)) for b in range(2)]], pi)
        yield equal(expect(mdp, first, 2, two_actions, start=s), q[s, a], f"Q({s}, {a}): a draw of A_(t+1), and then Q")


compact_forms

# %% [markdown]
# ## Advantages
#
# An advantage compares with the average *under π*, not with the plain mean of the actions. At a fork worth 8, 2 and 5, a policy that goes
# left half the time averages 5¾: going straight, which is worth the plain mean 5, is worse than average. What makes
# $Q - V$ a comparison with the average is that it averages to zero.


# %%
def lopsided(arms):
    """Left half of the time, right and straight a quarter each."""
    return np.array([[HALF, QUARTER, QUARTER]], dtype=object)


@claim(
    "reference-016",
    "reference-017",
    "reference-018",
    "reference-019",
    "reference-020",
    says=r"$A^\pi = Q^\pi - V^\pi$ compares an action with the average one: above 0 better, below 0 worse, 0 average",
    verdict=Holds(note="the average under π, as in line 44; the plain mean of the actions may lie elsewhere"),
    about=advantage,
)
def better_than_average():
    fork = gallery.fork()
    uneven = [Fraction(9, 4), Fraction(-15, 4), Fraction(-3, 4)]
    yield equal(advantage(fork, lopsided(fork))[0], uneven, "8, 2 and 5 less ½ · 8 + ¼ · 2 + ¼ · 5 = 23/4")
    yield equal(advantage(fork, uniform(fork))[0], [3, -3, 0], "even choices: straight is average")
    q, shares = sympy.symbols("q:3", real=True), sympy.symbols("w:3", positive=True)
    arms = advantage(gallery.bandit(q), [[w / sum(shares) for w in shares]])[0]
    mean = sum(w * x for w, x in zip(shares, q, strict=True)) / sum(shares)
    yield proved(arms - [x - mean for x in q], "any three actions and any shares: Q less its mean under π")
    mdp, pi = two_states(per_transition=False)
    yield proved((pi * advantage(mdp, pi)).sum(axis=1), "two states, all numbers symbols: the mean of A under π is 0")


better_than_average


# %%
@figure
def what_average_means():
    """Action values at the fork, and what they are compared with. Straight is average for even choices and worse than average
    for a policy that goes left half of the time."""
    from matplotlib import pyplot as plt

    fork = gallery.fork()
    fig, both = plt.subplots(1, 2, figsize=(6.8, 2.9), sharey=True)
    for ax, pi, title in zip(both, (uniform(fork), lopsided(fork)), ("⅓, ⅓, ⅓", "½, ¼, ¼"), strict=True):
        level, gaps = float(policy_value(fork, pi)[0]), advantage(fork, pi)[0]
        colours = [COLOURS[0 if g > 0 else 1] for g in gaps]
        ax.bar(range(3), [float(g) for g in gaps], bottom=level, color=colours, width=0.5)
        ax.plot(range(3), [level + float(g) for g in gaps], "k_", ms=22, mew=2)
        ax.axhline(level, color="k", lw=1)
        ax.text(1, level + 0.12, f"V = {level:g}", ha="center")
        ax.set(title=f"π = {title}", xticks=range(3), xticklabels=fork.actions, ylim=(0, 9), xlim=(-0.5, 2.5))
    both[0].set_ylabel("Q, and A from V")
    return fig


what_average_means

# %% [markdown]
# ## Optimality
#
# The optimal value is the best over all policies. In finite models it is enough to look at the deterministic ones, and these can be listed.
# The list knows nothing of maxima inside sums; that it satisfies the equations is what they claim.


# %%
def best_of_all(mdp):
    """V* and Q* as the best values over every deterministic policy."""
    found = list(deterministic_policies(mdp))
    return [np.max([f(mdp, pi) for pi in found], axis=0) for f in (policy_value, action_value)]


def by_pair(mdp, target):
    """E[target(r, s', ended)] for every action of every state that is not terminal."""
    live = np.flatnonzero(~mdp.terminal)
    return [[sum(p * target(r, n, end) for p, n, r, end in mdp.outcomes(s, a)) for a in range(2)] for s in live]


@claim(
    "reference-027",
    "reference-028",
    "reference-029",
    "reference-030",
    says=r"$V^* = \max_a [R + \gamma \sum P V^*]$, $Q^* = R + \gamma \sum P \max_{a'} Q^*$, and both as expectations over a step",
    verdict=Holds(note="finitely many actions; γ < 1, or episodes that end. At γ = 1 there may be other solutions"),
    about=(bellman_optimal, backup, q_learning_targets),
)
def optimality_equations():
    for name, mdp in {"two-state loop": gallery.left_right_loop(), "trip": trip()}.items():
        v, q = best_of_all(mdp)
        live = ~mdp.terminal
        yield equal(bellman_optimal(mdp, v), v, f"{name}: max [R + γ Σ P V*] is the best of all policies")
        yield equal(backup(mdp, q.max(axis=1)), q, f"{name}: so is R + γ Σ P max Q*")
        to_value = by_pair(mdp, lambda r, n, end, v=v: r if end else r + NINE_TENTHS * v[n])
        yield equal([max(row) for row in to_value], v[live], f"{name}: max E[R + γ V*]")
        to_best = by_pair(
            mdp, lambda r, n, end, q=q: q_learning_targets([r], [q[0 if end else n]], [end], NINE_TENTHS)[0]
        )
        yield equal(to_best, q[live], f"{name}: E[R + γ max Q*]")
    yield equal(
        best_of_all(gallery.left_right_loop())[0], [Fraction(300, 19), Fraction(270, 19)], "the loop's V*, by hand"
    )
    idle = MDP.chain([[1]], [0], ONE, 0)
    yield equal(
        bellman_optimal(idle, np.array([5 * ONE])), [5], "γ = 1, nothing ever paid: 5 solves the equation, as 0 does"
    )


optimality_equations

# %% [markdown]
# ## The greedy policy
#
# With one maximiser in each state, the indicator is a policy and the policy is optimal. With two, the indicator is 1 twice. Choosing
# one of them is always right for γ < 1. At γ = 1, which line 18 allows, it need not be: where one may wait for nothing or take a 1 and
# leave, both are worth 1 as long as one leaves some day, and the choice to wait, made for ever, is worth 0.


# %%
@claim(
    "reference-031",
    says=r"$\pi^*(a \mid s) = 1$ if $a = \arg\max_a Q^*(s, a)$, and 0 otherwise",
    verdict=Conditional(
        given="the maximiser is unique; with ties the indicator adds up to their number, and shares must be given"
    ),
    about=(optimal_actions, policy_value),
)
def the_indicator():
    loop = gallery.left_right_loop()
    v, _ = best_of_all(loop)
    indicator = np.where(optimal_actions(loop, v), ONE, 0 * ONE)
    yield equal(indicator, [[0, 1], [1, 0]], "two-state loop: right at A, left at B")
    yield equal(policy_value(loop, indicator), [Fraction(300, 19), Fraction(270, 19)], "the value of that policy is V*")
    twins = gallery.bandit((ONE, ONE))
    tied = np.where(optimal_actions(twins, np.array([ONE])), ONE, 0 * ONE)
    yield differs(ONE, tied.sum(), "two equal actions: a law adds up to 1, the indicator to 2")
    shared = [policy_value(twins, [[x, 1 - x]])[0] for x in (0 * ONE, THIRD, ONE)]
    yield equal(shared, [1, 1, 1], "while every sharing between them is optimal")


the_indicator


# %%
def wait_or_take(gamma):
    """Wait for nothing, or take 1 and leave."""
    return MDP.from_outcomes([[[(ONE, 0, 0, False)], [(ONE, None, 1, True)]]], gamma, 0, actions=("wait", "take"))


@claim(
    "reference-032",
    says=r"Or simply $\pi^*(s) = \arg\max_a Q^*(s, a)$",
    verdict=Conditional(
        given="ties are broken one way, and γ < 1 or the maximiser is unique: at γ = 1 a tie may go on for ever"
    ),
    about=(optimal_actions, policy_value),
)
def any_maximiser():
    tied = MDP([[[1, 0], [0, 1], [1, 0]], [[1, 0], [1, 0], [0, 1]]], [[2, 2, 1], [2, 2, 0]], NINE_TENTHS)
    v, _ = best_of_all(tied)
    yield equal(v, [20, 20], "two states, three actions, 2 per step at best")
    marks = optimal_actions(tied, v)
    yield equal(marks.astype(int), [[1, 1, 0], [1, 1, 0]], "two maximisers in each: argmax is a set")
    optimal = [pi.argmax(axis=1).tolist() for pi in deterministic_policies(tied) if (policy_value(tied, pi) == v).all()]
    chosen = [list(c) for c in product(*(np.flatnonzero(row).tolist() for row in marks))]
    yield equal(optimal, chosen, "γ = .9: of nine policies the four that choose among them are optimal")
    marks = [optimal_actions(wait_or_take(g), np.array([ONE])).astype(int) for g in (NINE_TENTHS, ONE)]
    yield equal(marks, [[[0, 1]], [[1, 1]]], "wait or take, V* = 1: maximisers at γ = .9 and at γ = 1")
    once, ever = (policy_value(wait_or_take(ONE), deterministic(wait_or_take(ONE), [a]))[0] for a in ("take", "wait"))
    yield equal(once, 1, "γ = 1: take")
    yield differs(once, ever, "γ = 1: wait, a maximiser as well")


any_maximiser
