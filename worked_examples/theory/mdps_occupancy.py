# %% [markdown]
# # Which states are visited, what is seen, and how value flows back
#
# *Document `theory`, lines 41 to 47.* The discounted state distribution (its display is lost), partial observability, and a
# chain of three states. The normaliser $1 - \gamma$ is right for processes that never end, and only for them; a belief is
# not always needed; and the chain's numbers depend on where its reward of 10 is thought to be paid.

# %%
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import Conditional, Holds, Section, against, agrees, claim, differs, equal, printed, proved, shows
from rlexact.exact.belief import belief_update
from rlexact.exact.evaluation import absorbing_occupancy, occupancy, policy_value, visits
from rlexact.exact.paths import expect
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("theory", "mdps_occupancy", "Which states are visited, what is seen, and how value flows back")

NINE_TENTHS = Fraction(9, 10)

# %% [markdown]
# ## The discounted state distribution
#
# The standard form is $d^\pi(s) = (1-\gamma) \sum_{t \ge 0} \gamma^t \Pr(s_t = s \mid \pi, \rho_0)$ (Puterman 1994, §6.9; Kakade and
# Langford 2002). One linear solve gives it. For a chain that swaps two states the series can be summed by hand.


# %%
def swapping(gamma=NINE_TENTHS):
    """Two states that swap for ever, started in the first."""
    return MDP([[["0", 1]], [[1, 0]]], [0, 0], gamma, initial=0)


@claim(
    "theory-053",
    says=r"(lost display) $d^\pi(s) = (1-\gamma) \sum_t \gamma^t \Pr(s_t = s \mid \pi, \rho_0)$",
    verdict=Holds(),
    about=(occupancy, visits),
)
def the_discounted_state_distribution():
    swap = swapping()
    yield equal(
        occupancy(swap, uniform(swap)), [Fraction(10, 19), Fraction(9, 19)], "0, 1, 0, 1, …: .1/(1 - .81), and .9 of it"
    )
    yield equal(
        visits(swap, uniform(swap)),
        [Fraction(100, 19), Fraction(90, 19)],
        "without the factor: 1/(1 - .81), and .9 of it",
    )
    gamma = sympy.Symbol("gamma", positive=True)
    d = occupancy(swapping(gamma), uniform(swapping(gamma)))
    yield proved([d[0] - 1 / (1 + gamma), d[1] - gamma / (1 + gamma)], "1/(1 + γ) and γ/(1 + γ) for every γ")


the_discounted_state_distribution


# %%
@claim(
    "theory-054",
    says="The factor 1 - γ makes d^π a probability distribution",
    verdict=Conditional(given="γ < 1 and nothing ends, or a terminal state is drawn as a loop that keeps the agent"),
    about=(occupancy, absorbing_occupancy, expect),
)
def the_normaliser():
    swap = swapping()
    yield equal(occupancy(swap, uniform(swap)).sum(), 1, "two states that swap for ever")
    chain = gallery.three_state_chain()
    yield differs(Fraction(1), occupancy(chain, uniform(chain)).sum(), "A, B, C and then the end: .1 (1 + .9 + .81)")
    drawn = gallery.three_state_chain(paid_on_arrival=True)
    yield equal(
        absorbing_occupancy(drawn, uniform(drawn)),
        [Fraction(1, 10), Fraction(9, 100), Fraction(81, 100)],
        "C as a loop",
    )
    weights = lambda path: sum(NINE_TENTHS**t for t, _ in enumerate(path.rewards))  # noqa: E731
    ten = (1 - NINE_TENTHS) * expect(swap, None, 10, weights)
    yield differs(Fraction(1), ten, "ten steps: 1 - .9^10")
    yield equal(ten / (1 - NINE_TENTHS**10), 1, "a horizon of H steps needs (1 - γ)/(1 - γ^H)")


the_normaliser

# %% [markdown]
# ## What is seen instead of the state
#
# An observation drawn from $p(o \mid s)$ turns the state into something to be inferred. The belief, updated by Bayes' rule, is
# all that the past can say: the posterior over every joint history agrees with it.


# %%
def hidden_bit():
    """A bit that never changes, fair at the start; each look shows it with probability 3/4."""
    keeps = MDP([[["1", 0]], [[0, 1]]], [0, 0], NINE_TENTHS, initial=[Fraction(1, 2), Fraction(1, 2)])
    looks = [[Fraction(3, 4), Fraction(1, 4)], [Fraction(1, 4), Fraction(3, 4)]]
    return keeps, looks


def posterior(looks, seen):
    """P(bit = 1 | what was seen), from the joint law of the bit and every look."""
    joint = [Fraction(1, 2) * np.prod([looks[bit][o] for o in seen]) for bit in (0, 1)]
    return joint[1] / sum(joint)


def belief_after(seen):
    mdp, looks = hidden_bit()
    belief = np.array([Fraction(1, 2), Fraction(1, 2)])
    for o in seen:
        belief = belief_update(mdp, looks, belief, 0, o)
    return belief


@claim(
    "theory-055",
    says="In a POMDP the agent sees o drawn from p(o | s) instead of the state",
    verdict=Holds(note="seeing the state itself is the case o = s, where the belief is certain"),
    about=belief_update,
)
def observations():
    _, looks = hidden_bit()
    yield equal(belief_after((1,)), [Fraction(1, 4), Fraction(3, 4)], "belief after one look at a 1")
    for seen in product((0, 1), repeat=3):
        yield equal(belief_after(seen)[1], posterior(looks, seen), f"belief after {seen}, against the joint law")
    mdp, _ = hidden_bit()
    certain = belief_update(mdp, [[1, 0], [0, 1]], mdp.initial, 0, 1)
    yield equal(certain, [0, 1], "o = s leaves no doubt")


observations


# %%
def chance_of_a_right_guess(looks_taken, remembers):
    """Best probability of guessing the bit after some looks, with all of them or only the last in memory."""
    _, looks = hidden_bit()
    total = Fraction(0)
    for seen in product((0, 1), repeat=looks_taken):
        probability = sum(Fraction(1, 2) * np.prod([looks[bit][o] for o in seen]) for bit in (0, 1))
        if remembers:
            total += probability * max(belief_after(seen))
        else:
            total += probability * (posterior(looks, seen) if seen[-1] == 1 else 1 - posterior(looks, seen))
    return total


@claim(
    "theory-056",
    says="The fix: the agent must keep a belief over states, or a recurrent network that tracks history",
    verdict=Conditional(given="what was seen before the last observation can change the best action"),
    about=(belief_update, chance_of_a_right_guess),
)
def memory_helps_when_it_matters():
    yield equal(chance_of_a_right_guess(1, remembers=True), Fraction(3, 4), "one look")
    yield equal(chance_of_a_right_guess(3, remembers=True), Fraction(27, 32), "three looks, all remembered")
    yield shows(
        chance_of_a_right_guess(3, remembers=True) > chance_of_a_right_guess(3, remembers=False) == Fraction(3, 4),
        "the last look alone: 3/4",
    )
    two = [chance_of_a_right_guess(2, remembers) for remembers in (True, False)]
    yield equal(two, [Fraction(3, 4), Fraction(3, 4)], "with two looks, memory and the last look guess equally well")
    yield against(two[0] == two[1], "so nothing 'must' be remembered there")


memory_helps_when_it_matters

# %% [markdown]
# ## A chain of three states
#
# A → B → C with −1 for each step, and "r(C) = +10 (terminal)". The document's numbers need the 10 to be *collected in* C, on one last
# step that ends the episode. Paid on entering a terminal C, or in every step of a C that keeps the agent, it gives others.


# %%
@claim(
    "theory-057",
    says="The terminal state's reward of 10 makes V(C) = 10",
    verdict=Conditional(given="the 10 is paid once, on acting in C, and the episode ends there"),
    about=(gallery.three_state_chain, policy_value),
)
def where_the_ten_is_paid():
    chain = gallery.three_state_chain()
    yield equal(policy_value(chain, uniform(chain))[2], printed("10"), "paid in C, then the end")
    arrival = gallery.three_state_chain(paid_on_arrival=True)
    v = policy_value(arrival, uniform(arrival))
    yield differs(printed("10"), v[2], "paid on the step into a terminal C, V(C)")
    yield differs(printed("8.0"), v[1], "and V(B)")
    loop = MDP([[["1"]]], [10], NINE_TENTHS)
    yield differs(printed("10"), policy_value(loop, uniform(loop))[0], "paid at every step of a loop in C, V(C)")


where_the_ten_is_paid


# %%
@claim(
    "theory-058",
    "theory-059",
    says="V(B) = -1 + 0.9 · 10 = 8.0 and V(A) = -1 + 0.9 · 8.0 = 6.2",
    verdict=Holds(note="the two steps; the 10 they start from has its condition in theory-057"),
    about=(policy_value, gallery.three_state_chain),
)
def value_flows_back():
    chain = gallery.three_state_chain()
    a, b, _ = policy_value(chain, uniform(chain))
    yield agrees(printed("8.0"), b, "V(B)")
    yield agrees(printed("6.2"), a, "V(A)")
    yield equal(b, -1 + NINE_TENTHS * 10, "by hand")
    yield equal(a, -1 - NINE_TENTHS + NINE_TENTHS**2 * 10, "by hand, from the start")


value_flows_back


# %%
@claim(
    "theory-060",
    says="Value propagates backward: each state's value depends recursively on the next state's",
    verdict=Holds(
        note="a backward pass computes it where there are no cycles; in a cycle the equations are simultaneous"
    ),
    about=policy_value,
)
def value_propagates_backward():
    def with_last(reward):
        table = [[[(1, 1, -1, False)]], [[(1, 2, -1, False)]], [[(Fraction(1), None, reward, True)]]]
        chain = MDP.from_outcomes(table, NINE_TENTHS, 0)
        return policy_value(chain, uniform(chain))

    change = with_last(11) - with_last(10)
    yield equal(change, [Fraction(81, 100), Fraction(9, 10), 1], "one more unit at C is worth .9 at B and .81 at A")
    loop = gallery.left_right_loop()
    cyclic = policy_value(loop, deterministic(loop, ["right", "left"]))
    one_pass = 3 + NINE_TENTHS * 10
    yield equal(cyclic[0], Fraction(300, 19), "in the two-state loop V(A) solves a simultaneous system")
    yield shows(one_pass != cyclic[0], "one backward pass from the 10 gives 12 there, not 300/19")


value_propagates_backward


# %%
@figure
def what_reaches_back():
    """The chain's values under two readings of the terminal reward: only the first gives the document's numbers."""
    from matplotlib import pyplot as plt

    models = {"collected in C, then the end": False, "paid on entering C": True}
    chains = {label: gallery.three_state_chain(paid_on_arrival=on_entry) for label, on_entry in models.items()}
    readings = {label: policy_value(chain, uniform(chain)).astype(float) for label, chain in chains.items()}
    fig, ax = plt.subplots(figsize=(5.6, 3.0))
    for k, (label, values) in enumerate(readings.items()):
        ax.bar(np.arange(3) + 0.38 * k - 0.19, values, width=0.36, color=COLOURS[k], label=label)
        for i, value in enumerate(values):
            ax.text(i + 0.38 * k - 0.19, value + 0.15, f"{value:.3g}", ha="center", fontsize=9)
    ax.set_xticks(range(3), ["V(A)", "V(B)", "V(C)"])
    ax.set_ylim(0, 13)
    ax.legend(loc="upper left")
    return fig


what_reaches_back
