# %% [markdown]
# # Reward processes and their values
#
# *Document `foundations`, lines 109 to 210.* A reward is added to each transition, rewards are summed into a return, returns are
# averaged into a value, and the Bellman equation is derived in five lines. The derivation is right, for γ < 1 and an
# endless horizon. Around it the index of the reward changes between conventions, and that changes values.

# %%
from fractions import Fraction

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
    differs,
    equal,
    printed,
    proved,
    refuses,
    shows,
)
from rlexact.exact.chain import closed_classes
from rlexact.exact.evaluation import policy_value
from rlexact.exact.paths import expect
from rlexact.learning.simulate import trajectory
from rlexact.mdp import MDP
from rlexact.plotting import figure
from rlexact.policy import uniform

SECTION = Section("foundations", "reward_processes", "Reward processes and their values")

HALF = Fraction(1, 2)


def value(process):
    """V of a chain without choices: (S,)."""
    return policy_value(process, uniform(process))


def weighted(gamma):
    """The discounted sum of a path's rewards, the first with weight 1."""
    return lambda path: sum(gamma**t * reward for t, reward in enumerate(path.rewards))


# %% [markdown]
# ## What a reward belongs to
#
# The document's reward belongs to the transition $(s_t, s_{t+1})$; its mean over the next state is the $r(s)$ that a solver needs.


# %%
@claim(
    "foundations-014",
    says="R is defined on transitions (s_t, s_{t+1}), and r_t is the reward of that transition",
    verdict=Holds(note="values need only its mean over s_{t+1}"),
    about=policy_value,
)
def a_reward_for_each_transition():
    P = [["1/3", "2/3"], ["3/4", "1/4"]]
    on_transitions = MDP.chain(P, [[3, 0], [-4, 8]], "1/2")
    averaged = MDP.chain(P, [1, -1], "1/2")
    yield equal(value(on_transitions), value(averaged), "R(s, s') and its mean r(s) have the same V")
    yield equal(value(averaged), [Fraction(26, 29), Fraction(-22, 29)], "by Cramer's rule")


a_reward_for_each_transition


# %%
@claim(
    "foundations-015",
    says="R(s_t, s_{t+1}) is the mean of the reward's distribution",
    verdict=Conditional(given="only expected returns are asked for"),
    about=(policy_value, expect),
)
def the_mean_is_not_the_law():
    coin = MDP.from_outcomes([[[(HALF, 0, 1, False), (HALF, 0, -1, False)]]], HALF, 0)
    sure = MDP.from_outcomes([[[(Fraction(1), 0, 0, False)]]], HALF, 0)
    yield equal(value(coin), value(sure), "a coin of ±1 and a sure 0 have the same V")
    yield equal(value(coin), [0])
    variances = [expect(m, None, 1, lambda path: sum(path.rewards) ** 2, start=0) for m in (coin, sure)]
    yield equal(variances, [1, 0], "variances of one reward")
    yield differs(*variances, "one reward's variance is not told by the mean")


the_mean_is_not_the_law


# %%
@claim(
    "foundations-016",
    says="To simplify, the reward of a transition may be attached to the state s_{t+1}",
    verdict=Conditional(given="R(s, s') does not depend on s"),
    about=policy_value,
)
def attached_to_arrival():
    P = [["1/3", "2/3"], ["3/4", "1/4"]]
    arrival = MDP.chain(P, [[5, 2], [5, 2]], "1/2")
    yield equal(
        value(arrival), [Fraction(194, 29), Fraction(224, 29)], "R(s') = (5, 2): r = P R = (3, 17/4), by Cramer's rule"
    )
    first_time = MDP.chain([["0", 1], [0, 1]], [[0, 1], [0, 0]], "1/2")
    yield equal(value(first_time), [1, 0], "only the first arrival in state 1 is paid")
    same = [value(MDP.chain([["0", 1], [0, 1]], [[0, x], [0, x]], "1/2")) for x in (0, 1, 2)]
    yield shows(all(v[0] == v[1] for v in same), "with any R(s'), both states of this chain have equal values")
    yield differs(value(first_time)[0], value(first_time)[1], "the two values")


attached_to_arrival


# %%
@claim(
    "foundations-017",
    says="The states s_0, …, s_T come with rewards r_1, …, r_T",
    verdict=Wrong(
        because="with r_t the reward of (s_t, s_{t+1}), as the document defines and its code computes, the first is r_0",
        instead="r_0, …, r_{T-1}; r_1, …, r_T belongs to the other convention, where r_{t+1} follows s_t",
    ),
    about=expect,
)
def which_rewards_there_are():
    chain = MDP.chain([["0", 1], [0, 1]], [[0, 7], [0, 3]], "1/2", initial=0)
    one = expect(chain, None, 1, lambda path: path.rewards[0])
    yield equal(one, 7, "T = 1: the only reward is R(s_0, s_1), which is r_0")
    yield differs(one, Fraction(3), "r_1 = R(s_1, s_2) is another number, of a state that T = 1 does not have")
    yield equal(expect(chain, None, 4, lambda path: len(path.rewards)), 4, "T rewards for T + 1 states")


which_rewards_there_are


# %%
@claim(
    "foundations-018",
    says="The return R_t is the sum of the rewards from t to T",
    verdict=Conditional(
        given="there is no r_T, so that the sum ends at T - 1; with rewards paid on arrival it would begin at t + 1"
    ),
    about=expect,
)
def where_the_sum_begins():
    arrival = MDP.chain([["0", 1], [0, 1]], [[1, 5], [1, 5]], "1/2", initial=0)
    yield equal(
        expect(arrival, None, 2, lambda path: sum(path.rewards)), 10, "R(s') = (1, 5) from state 0, T = 2: r_0 + r_1"
    )
    by_state = [1, 5, 5]
    yield differs(
        expect(arrival, None, 2, lambda path: sum(path.rewards)),
        Fraction(sum(by_state)),
        "r_t as the reward of s_t, from t to T",
    )


where_the_sum_begins


# %%
@claim(
    "foundations-019",
    says="A process with finite T is episodic, with infinite T continuous, and T is its time horizon",
    verdict=Conditional(
        given="T may be random and finite with probability 1; the field's word for the other case is 'continuing'"
    ),
    about=(policy_value, expect),
)
def finite_or_not():
    fixed = MDP.chain([["1"]], [1], 1, initial=0)
    yield equal(expect(fixed, None, 3, lambda path: len(path.rewards)), 3, "a fixed T = 3")
    stops = MDP.from_outcomes([[[(HALF, 0, 1, False), (HALF, None, 1, True)]]], 1, 0)
    yield equal(value(stops), [2], "stop with probability 1/2 each step: mean length 2, by a solve at γ = 1")
    still_going = [expect(stops, None, k, lambda path: int(not path.terminated)) for k in (5, 10)]
    yield equal(still_going, [HALF**5, HALF**10], "still running after 5 and 10 steps")
    yield against(all(x > 0 for x in still_going), "its episodes end, yet no finite T bounds them")


finite_or_not

# %% [markdown]
# ## Returns that are infinite, and the discount
#
# Rewards of 1 and rewards of 100, for ever, both sum to infinity. A discount tells them apart, as long as it is below 1: the document's
# range (0, 1] admits the very value that brings the problem back.


# %%
@claim(
    "foundations-020",
    says="1, 1, 1, … and 100, 100, 100, … have the same infinite return",
    verdict=Holds(note="the second is larger after every number of steps, and in its average"),
    about=(policy_value, expect),
)
def two_infinite_returns():
    one, hundred = (MDP.chain([["1"]], [x], 1, initial=0) for x in (1, 100))
    for m in (one, hundred):
        yield refuses(ValueError, lambda m=m: value(m), "no finite undiscounted value")
    n = [expect(m, None, 50, lambda path: sum(path.rewards)) for m in (one, hundred)]
    yield equal(n, [50, 5000], "after 50 steps")
    with_discount = [value(m.replace(gamma=Fraction(99, 100)))[0] for m in (one, hundred)]
    yield equal(with_discount, [100, 10000], "at γ = .99")


two_infinite_returns


# %%
@claim(
    "foundations-021",
    says="The discounted return uses a factor γ in (0, 1]",
    verdict=Conditional(given="γ < 1 where T is infinite, the case the discount is introduced for; γ = 1 needs an end"),
    about=policy_value,
)
def the_range_of_gamma():
    one = MDP.chain([["1"]], [1], "99/100")
    yield equal(value(one), [100], "γ = .99")
    undiscounted = one.replace(gamma=Fraction(1))
    yield refuses(ValueError, lambda: value(undiscounted), "γ = 1, for ever")
    trapped = closed_classes(undiscounted, uniform(undiscounted))
    yield against(trapped == [[0]], "(0, 1] admits γ = 1, where this process is paid in a state that it never leaves")
    ends = gallery.three_state_chain(Fraction(1))
    yield equal(value(ends), [8, 9, 10], "γ = 1 where episodes end")


the_range_of_gamma


# %%
@claim(
    "foundations-022",
    says="For large γ the sequence γ, γ², … decays slowly, so later rewards weigh more; for small γ quickly",
    verdict=Holds(note="at γ = 1 it does not decay at all"),
    about=policy_value,
)
def how_fast_weights_decay():
    def late(gamma):
        """Value of one unit that arrives with the tenth step."""
        model = gallery.two_streams(gamma, delay=10, late=1 - gamma)
        return value(model.replace(initial=2))[2] * gamma

    weights = [late(g) for g in (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))]
    yield equal(
        weights, [HALF**10, Fraction(9, 10) ** 10, Fraction(99, 100) ** 10], "weight of step 10 at γ = .5, .9, .99"
    )
    yield below(weights[0], weights[1])
    yield below(weights[1], weights[2])


how_fast_weights_decay


# %%
@claim(
    "foundations-023",
    says="The weights of future rewards are γ, γ², γ³, …",
    verdict=Conditional(
        given="these weigh r_{t+1}, r_{t+2}, …; r_t itself has weight 1, as in the derivation at line 209"
    ),
    about=policy_value,
)
def the_first_weight_is_one():
    once = MDP.chain([["0", 1], [0, 1]], [1, 0], "1/2")
    later = MDP.chain([["0", 1, 0], [0, 0, 1], [0, 0, 1]], [0, 1, 0], "1/2")
    yield equal(value(later)[0], HALF, "a reward at t + 1 weighs γ")
    yield equal(value(once)[0], 1, "a reward at t weighs 1")
    yield differs(HALF, value(once)[0], "with weights γ, γ², … from r_t on")


the_first_weight_is_one


# %%
@claim(
    "foundations-024",
    says="In practice γ is often 0.99 or 0.999",
    verdict=Qualitative(why="a statement about how often values are used; the document's own runs use 0.99"),
)
def usual_discounts():
    return iter(())


usual_discounts


# %%
@claim(
    "foundations-025",
    says="In practice R(s_t, s_{t+1}) = R(s_{t+1}): the reward only depends on where you end up, not on how you got there",
    verdict=Conditional(
        given="no two transitions into the same state pay differently; the cliff of the document's own example does"
    ),
    about=gallery.cliff_walk,
)
def how_you_got_there():
    cliff = gallery.cliff_walk()
    into_start = set()
    for s in range(cliff.n_states):
        for a in np.flatnonzero(cliff.available[s]):
            for _, nxt, reward, _ in cliff.outcomes(s, int(a)):
                if nxt is not None and cliff.initial[nxt] == 1:
                    into_start.add(reward)
    yield equal(into_start, {-1, -100}, "rewards on arriving at the start of the cliff walk: by a step, and by a fall")
    yield against(len(into_start) == 2, "one state, two rewards: no R(s') gives both")
    walk = gallery.foundations_reward_process(np.random.RandomState(0))
    yield shows(bool((walk.R == walk.R[0, 0]).all()), "the document's class: one reward for each state arrived in")


how_you_got_there

# %% [markdown]
# ## The code, reproduced
#
# The stream continues where the first walk left it: a table, a start law, five normal rewards, a walk.


# %%
def reward_process_and_walk():
    """The document's second model and its walk: what the generator gives after the first section's draws."""
    draw = np.random.RandomState(0)
    trajectory(gallery.foundations_process(draw), None, draw, 10)
    process = gallery.foundations_reward_process(draw)
    return process, trajectory(process, None, draw, 10)


@claim(
    "foundations-026",
    "foundations-027",
    "foundations-028",
    says="The class adds normal rewards R, and a walk gives T + 1 states and T rewards r_t = R[s_{t+1}]; both lists are printed",
    verdict=Holds(note="R of the starting state is never paid"),
    about=(trajectory, gallery.foundations_reward_process),
)
def the_printed_rewards():
    _, walk = reward_process_and_walk()
    yield equal(walk.states, [0, 1, 3, 0, 3, 2, 1, 3, 0, 3, 4], "eleven states")
    stated = [
        "-0.027971183469780222",
        "0.6467800971387857",
        "0.42539339846964996",
        "0.6467800971387857",
        "1.4759898324822718",
    ]
    stated += [
        "-0.027971183469780222",
        "0.6467800971387857",
        "0.42539339846964996",
        "0.6467800971387857",
        "-0.3643343119343121",
    ]
    yield agrees(printed(stated), walk.rewards, "ten rewards, R of the state arrived in, to the last digit")


the_printed_rewards

# %% [markdown]
# ## The value, and the Bellman equation in five lines


# %%
@claim(
    "foundations-029",
    says="V(s_t) = E[G_t | s_t], the expected discounted return from s_t",
    verdict=Conditional(
        given="the horizon is endless (or the end is part of the state): with a fixed T the value depends on t too"
    ),
    about=(policy_value, expect),
)
def the_value():
    chain = gallery.three_state_chain(HALF)
    by_paths = [expect(chain, None, 3, weighted(HALF), start=s) for s in range(3)]
    yield equal(value(chain), by_paths, "V by a solve and over every path, in a chain that ends")
    yield equal(value(chain), [1, 4, 10], "by hand, γ = 1/2")
    single = MDP.chain([["1"]], [1], 1, initial=0)
    at = [expect(single, None, 2 - t, lambda path: sum(path.rewards)) for t in (0, 1)]
    yield differs(at[0], at[1], "T = 2, one state with reward 1: the value at t = 0, and at t = 1")


the_value


# %%
@claim(
    "foundations-030",
    says="Trajectories are conditional on 'the state transition matrix S'",
    verdict=Wrong(
        because="S is the set of states, which does not determine a distribution of trajectories",
        instead="the transition matrix P",
    ),
    about=policy_value,
)
def the_matrix_is_p():
    stay, swap = (MDP.chain(P, [1, 0], "1/2") for P in ([["1", 0], [0, 1]], [["0", 1], [1, 0]]))
    yield differs(value(stay)[0], value(swap)[0], "same S, same R, γ = 1/2: V(0) when states stay, and when they swap")
    yield equal(value(stay), [2, 0], "P = identity")
    yield equal(value(swap), [Fraction(4, 3), Fraction(2, 3)], "P = swap: 1 + 0 + 1/4 + …")


the_matrix_is_p


# %%
@claim(
    "foundations-031",
    "foundations-032",
    "foundations-033",
    says=r"$E[G_t] = E[r_t + \gamma r_{t+1} + \ldots] = E[r_t + \gamma (r_{t+1} + \gamma r_{t+2} + \ldots)] = E[r_t + \gamma G_{t+1}]$",
    verdict=Holds(note="the first line gives r_t weight 1; the prose at line 131 starts at γ, see foundations-023"),
    about=expect,
)
def factoring_the_discount():
    gamma, *r = sympy.symbols("gamma r0:6")
    whole = sum(gamma**k * x for k, x in enumerate(r))
    yield proved(
        whole - (r[0] + gamma * sum(gamma**k * x for k, x in enumerate(r[1:]))), "five further rewards, all symbols"
    )
    process = MDP.chain([["1/3", "2/3"], ["3/4", "1/4"]], [1, -1], "1/2", initial=0)
    split = expect(
        process, None, 4, lambda path: path.rewards[0] + HALF * sum(HALF**t * x for t, x in enumerate(path.rewards[1:]))
    )
    by_hand = 1 + HALF * Fraction(-1, 3) + HALF**2 * Fraction(2, 9) + HALF**3 * Fraction(-1, 108)
    yield equal(split, by_hand, "a two-state chain over four steps, by its eigenvalue -5/12")


factoring_the_discount


# %%
@claim(
    "foundations-034",
    says=r"Bellman equation: $V(s_t) = E[r_t + \gamma V(s_{t+1}) \mid s_t]$",
    verdict=Conditional(
        given="a Markov process whose rules do not change with time, endless or with its end in the state, γ < 1"
    ),
    about=(policy_value, expect),
)
def the_bellman_equation():
    p, q, gamma = sympy.symbols("p q gamma", positive=True)
    a, b = sympy.symbols("a b", real=True)
    process = MDP.chain([[p, 1 - p], [1 - q, q]], [a, b], gamma)
    v = value(process)
    yield proved(
        [v[0] - (a + gamma * (p * v[0] + (1 - p) * v[1])), v[1] - (b + gamma * ((1 - q) * v[0] + q * v[1]))],
        "two states, all numbers symbols",
    )
    single = MDP.chain([["1"]], [1], 1, initial=0)
    two, one = (expect(single, None, steps, lambda path: sum(path.rewards)) for steps in (2, 1))
    yield equal([two, one], [2, 1], "T = 2, one state with reward 1: values at t = 0 and 1")
    yield differs(two, 1 + two, "one function V for every t would need V = 1 + V")


the_bellman_equation


# %%
@figure
def how_the_discount_sees():
    """What a reward is worth by the step on which it comes: at γ = 1, which the stated range admits, nothing decays."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots()
    k = np.arange(0, 101)
    for gamma in (0.5, 0.9, 0.99, 1.0):
        ax.plot(k, gamma**k, label=f"γ = {gamma:g}")
    ax.set(xlabel="steps from now", ylabel="weight γ^k")
    ax.legend(loc="center right")
    return fig


how_the_discount_sees
