# %% [markdown]
# # Markov processes
#
# *Document `foundations`, lines 11 to 108.* A random process on five states, drawn from NumPy's legacy generator and printed. Every
# printed digit can be reproduced. The words around them need more care: the Markov property is stated for a history that
# leaves out its first state, a sequence is written as a set, and the rows of a matrix are called columns.

# %%
from fractions import Fraction

import numpy as np

from rlexact import gallery
from rlexact.claims import Conditional, Holds, Section, Wrong, against, agrees, claim, differs, equal, printed, shows
from rlexact.exact.paths import path_probability, paths
from rlexact.learning.simulate import trajectory
from rlexact.mdp import MDP
from rlexact.plotting import figure

SECTION = Section("foundations", "markov_processes", "Markov processes")

# %% [markdown]
# ## What goals a reward can express
#
# The post opens with the reward hypothesis: every goal is the maximisation of a cumulative scalar reward. For goals that are
# *policies* it is true, since a reward of 1 for the wanted action makes any chosen policy the only optimum. For goals that are
# sets of acceptable *outcomes* it needs the axioms of expected utility: with two independent choices, no sum of rewards
# can rank "exactly one of the two" above "both" and "neither".


# %%
def best_policies(reward):
    """The optimal deterministic policies of two one-step decisions, taken one after the other, for rewards (S, A)."""
    from rlexact.exact.evaluation import policy_value
    from rlexact.policy import deterministic_policies

    P = [[[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]
    mdp = MDP(P, [*reward, [0, 0]], Fraction(1), initial=0, terminal=[2])
    values = {tuple(int(a) for a in p.argmax(axis=1)[:2]): policy_value(mdp, p)[0] for p in deterministic_policies(mdp)}
    return {actions for actions, value in values.items() if value == max(values.values())}


@claim(
    "foundations-001",
    says="Every action of a rational agent can be seen as maximising some cumulative scalar reward",
    verdict=Conditional(
        given="'rational' means preferences that satisfy the axioms of expected utility, or the goal is one policy"
    ),
    about=best_policies,
)
def the_reward_hypothesis():
    for wanted in ((0, 0), (0, 1), (1, 0), (1, 1)):
        reward = [[Fraction(int(a == w)) for a in (0, 1)] for w in wanted]
        yield equal(best_policies(reward), {wanted}, f"a reward of 1 for {wanted} makes it the only optimum")
    goal = {(0, 1), (1, 0)}
    grid = [Fraction(k, 2) for k in range(-4, 5)]
    tables = [[[0, x], [0, y]] for x in grid for y in grid]
    reached = [best_policies(table) == goal for table in tables]
    yield against(not any(reached), "'exactly one of the two': no table of rewards on a grid has just these optima")
    a, b, c, d = (Fraction(k) for k in (3, -1, 5, 2))
    yield equal(
        (a + d) + (b + c), (a + c) + (b + d), "in general v(01) + v(10) = v(00) + v(11): both pairs cannot be apart"
    )


the_reward_hypothesis

# %% [markdown]
# ## The Markov property
#
# The document's history runs from $s_1$ to $s_{t-1}$. Leaving out $s_0$ is not harmless: the process with a fair $s_0$, then $s_1 = 2$,
# then $s_2 = s_0$ satisfies the property as stated, since for $t = 1$ the list of earlier states is empty. Its path
# probabilities are not the products that the property is meant to give.


# %%
def echo():
    """The law of a process that visits 2 and then returns to where it began: {(s0, s1, s2): probability}."""
    return {(0, 2, 0): Fraction(1, 2), (1, 2, 1): Fraction(1, 2)}


def chance(law, event, given=lambda path: True):
    return sum(p for path, p in law.items() if given(path) and event(path)) / sum(
        p for path, p in law.items() if given(path)
    )


@claim(
    "foundations-002",
    says="Markov property: the next state is independent of s_1, …, s_{t-1} given s_t",
    verdict=Wrong(because="the history leaves out s_0", instead="s_{t+1} is independent of s_0, …, s_{t-1} given s_t"),
    about=(echo, path_probability),
)
def the_missing_first_state():
    law = echo()
    yield equal(chance(law, lambda s: s[2] == 0, lambda s: s[1] == 2), Fraction(1, 2), "P(s2 = 0 | s1 = 2)")
    yield differs(
        chance(law, lambda s: s[2] == 0, lambda s: s[1] == 2),
        chance(law, lambda s: s[2] == 0, lambda s: s[1] == 2 and s[0] == 0),
        "with s0 = 0 added, though nothing in s_1, …, s_{t-1} has changed",
    )
    one_step = [[0, 0, 1], [0, 0, 1], ["1/2", "1/2", 0]]
    process = MDP.chain(one_step, initial=["1/2", "1/2", 0])
    yield equal(
        path_probability(process, None, [0, 2, 0]),
        Fraction(1, 4),
        "the product of one-step laws, true if s_0 is included",
    )
    yield equal(law[0, 2, 0], Fraction(1, 2), "against the process that the stated property admits")


the_missing_first_state


# %%
@claim(
    "foundations-003",
    says="A Markov process is a tuple (S, P) with P(s_t, s_{t+1}) the probability of a transition",
    verdict=Conditional(
        given="the transitions do not change with time, and a start law is added (the document adds it at line 33)"
    ),
    about=path_probability,
)
def a_process_is_more_than_a_table():
    swap = [[0, 1], [1, 0]]
    began = [MDP.chain([["0", 1], [1, 0]], initial=s) for s in (0, 1)]
    yield equal([path_probability(m, None, [0, 1, 0]) for m in began], [1, 0], "same table, started in 0 and in 1")
    yield against(
        path_probability(began[0], None, [0, 1, 0]) != path_probability(began[1], None, [0, 1, 0]),
        "(S, P) alone does not say which process it is",
    )
    stays_on_odd = [(0, 1, 1), (1, 0, 0)]
    one_table = [MDP.chain([["0", 1], [1, 0]], initial=path[0]) for path in stays_on_odd]
    found = [path_probability(m, None, path) for m, path in zip(one_table, stays_on_odd, strict=True)]
    yield equal(
        found,
        [0, 0],
        f"swapping at even and staying at odd times is Markov, but needs P(1, 0) = P(1, 1) = 1: the table {swap} misses it",
    )


a_process_is_more_than_a_table


# %%
@claim(
    "foundations-004",
    says="A trajectory is the set {s_0, …, s_T}",
    verdict=Wrong(because="a set forgets order and repetition", instead="the sequence (s_0, …, s_T)"),
    about=path_probability,
)
def a_trajectory_is_a_sequence():
    process = MDP.chain([["0", 1], ["1/2", "1/2"]], initial=["1/2", "1/2"])
    forth, back = (path_probability(process, None, path) for path in ([0, 1], [1, 0]))
    yield equal([forth, back], [Fraction(1, 2), Fraction(1, 4)], "0 then 1, and 1 then 0")
    yield differs(forth, back, "both are the set {0, 1}")
    walk = (1, 3, 3, 3, 0, 2, 2, 2, 3, 4, 1)
    yield equal(len(set(walk)), 5, "the printed trajectory has 11 entries, its set")


a_trajectory_is_a_sequence

# %% [markdown]
# ## The probability of a trajectory


# %%
@claim(
    "foundations-005",
    says=r"$p(\tau) = p(s_0) \prod_{t=0}^{T-1} P(s_t, s_{t+1})$",
    verdict=Holds(note="by the Markov property with s_0 in the history; see foundations-002"),
    about=(path_probability, paths),
)
def the_probability_of_a_trajectory():
    process = MDP.chain([["1/3", "2/3"], ["3/4", "1/4"]], initial=["1/5", "4/5"])
    every = {path.states: path.probability for path in paths(process, None, 3)}
    yield equal(sum(every.values()), 1, "the 16 trajectories of three steps")
    third, fifth = Fraction(1, 3), Fraction(1, 5)
    yield equal(every[0, 1, 0, 0], fifth * 2 * third * Fraction(3, 4) * third, "0, 1, 0, 0 by hand")
    yield equal([path_probability(process, None, path) for path in every], list(every.values()), "the product for each")
    last = [sum(p for path, p in every.items() if path[-1] == s) for s in (0, 1)]
    yield equal(last, [Fraction(239, 432), Fraction(193, 432)], "where they end, by p(s_0) P³")


the_probability_of_a_trajectory


# %%
def two_rows():
    return MDP.chain([["1/2", "1/2"], [1, 0]], initial=[1, 0])


@claim(
    "foundations-006", says="P_ij = p(s_j | s_i): row i is the current state", verdict=Holds(), about=path_probability
)
def a_row_for_each_state():
    onward = [path_probability(two_rows(), None, [0, j]) for j in (0, 1)]
    yield equal(onward, [Fraction(1, 2), Fraction(1, 2)], "from state 0: the first row")
    yield equal(sum(onward), 1)


a_row_for_each_state


# %%
@claim(
    "foundations-011",
    says="The columns S[i] of the transition matrix give the probabilities of transition to another state j",
    verdict=Wrong(
        because="the columns need not sum to 1, and S is the set of states; the document's own P[3] is a row",
        instead="the row P[i] gives the probabilities of going from i to each j",
    ),
    about=two_rows,
)
def rows_not_columns():
    P = two_rows().P[:, 0]
    yield differs(P.sum(axis=0), [Fraction(1), Fraction(1)], "columns' sums")
    yield equal(P.sum(axis=0), [Fraction(3, 2), Fraction(1, 2)])
    yield equal(P.sum(axis=1), [1, 1], "rows' sums")


rows_not_columns

# %% [markdown]
# ## The code, reproduced
#
# The document seeds NumPy's global generator with 0, draws five rows of uniform numbers, divides each by its sum, and draws a
# start law the same way. A draw from a distribution spends one uniform number: the first state whose cumulative probability
# exceeds it. The gallery's model consumes the generator in the same order, so its table is the printed one, to all
# eight digits.

# %%
PRINTED_P = [
    ["0.19356424", "0.25224431", "0.21259213", "0.19217803", "0.14942128"],
    ["0.19440831", "0.13170981", "0.26841564", "0.29005381", "0.11541244"],
    ["0.27439982", "0.18330691", "0.19687558", "0.32079767", "0.02462001"],
    ["0.03366488", "0.00781195", "0.32170632", "0.30066296", "0.3361539"],
    ["0.31185458", "0.25466645", "0.14705881", "0.24872985", "0.0376903"],
]


def as_printed(rows):
    """NumPy prints eight decimals and drops trailing zeros: put them back, so that each number rounds at the eighth."""
    return [printed(text.ljust(10, "0")) for row in rows for text in row]


@claim(
    "foundations-007",
    "foundations-009",
    "foundations-010",
    "foundations-012",
    says="With seed 0 the rows are uniform numbers over their sums, and the printed 5 × 5 table and its row 3 follow",
    verdict=Holds(note="such rows are not uniform on the simplex: for two states P(p ≤ 1/4) is 1/6, not 1/4"),
    about=gallery.foundations_process,
)
def the_printed_table():
    process = gallery.foundations_process(np.random.RandomState(0))
    yield agrees(as_printed(PRINTED_P), process.P[:, 0], "25 numbers, to the eighth decimal")
    yield agrees(as_printed(PRINTED_P[3:4]), process.P[3, 0], "row 3")
    raw = np.random.RandomState(0).random_sample((5, 5))
    yield shows(
        bool((process.P[:, 0] == raw / raw.sum(axis=1)[:, None]).all()), "bit by bit, uniform rows over their sums"
    )
    share = Fraction(1, 2) * 1 * Fraction(1, 3)
    yield equal(share, Fraction(1, 6), "area of the unit square where x/(x + y) ≤ 1/4: below the line x = y/3")


the_printed_table


# %%
@claim(
    "foundations-008",
    "foundations-013",
    says="generate_trajectory(T) gives T + 1 states; for T = 10 the printed ones",
    verdict=Holds(),
    about=trajectory,
)
def the_printed_walk():
    draw = np.random.RandomState(0)
    states = trajectory(gallery.foundations_process(draw), None, draw, 10).states
    yield equal(states, [1, 3, 3, 3, 0, 2, 2, 2, 3, 4, 1], "the trajectory, state by state")
    yield equal(len(states), printed("10").value + 1, "T + 1 states")
    library = np.random.RandomState(0)
    process = gallery.foundations_process(library)
    states = [library.choice(5, p=process.initial)]
    for _ in range(10):
        states.append(library.choice(5, p=process.P[states[-1], 0]))
    yield equal(states, [1, 3, 3, 3, 0, 2, 2, 2, 3, 4, 1], "the same from NumPy's own choice()")


the_printed_walk


# %%
@figure
def a_table_as_a_picture():
    """The printed transition table: each row sums to 1, the columns do not."""
    from matplotlib import pyplot as plt

    P = gallery.foundations_process(np.random.RandomState(0)).P[:, 0]
    fig, ax = plt.subplots(figsize=(5.2, 3.8))
    image = ax.imshow(P, cmap="cividis", vmin=0)
    for i in range(5):
        for j in range(5):
            ax.text(
                j,
                i,
                f"{P[i, j]:.2f}",
                ha="center",
                va="center",
                color="white" if P[i, j] < 0.2 else "black",
                fontsize=8,
            )
    sums = P.sum(axis=0)
    ax.set_xticks(range(5), [f"{j}\nΣ {sums[j]:.2f}" for j in range(5)])
    ax.set_yticks(range(5), [f"{i}   Σ 1" for i in range(5)])
    ax.set(xlabel="to", ylabel="from")
    ax.grid(False)
    fig.colorbar(image)
    return fig


a_table_as_a_picture
