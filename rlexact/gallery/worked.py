"""The worked examples of the study documents as models; lines are those of the documents.

Where a document gives values without a model (theory, line 268), the docstring says which part is ours. The models of
`foundations` are drawn from NumPy's legacy generator in the document's own order, so that handing in a `RandomState`
in the document's state reproduces its tables.
"""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.gallery.classics import ONE, Table, bandit
from rlexact.mdp import MDP


def left_right_loop(gamma: Any = Fraction(9, 10)) -> MDP:
    """theory, line 34: A and B; at A right pays 3 and goes to B, left pays 1 and stays; at B right pays 10 and ends.

    At B left pays 0 and goes to A.
    """
    table: Table = {
        ("A", "left"): [(ONE, "A", 1, False)],
        ("A", "right"): [(ONE, "B", 3, False)],
        ("B", "left"): [(ONE, "A", 0, False)],
        ("B", "right"): [(ONE, None, 10, True)],
    }
    return MDP.from_outcomes(table, gamma, "A", states=("A", "B"), actions=("left", "right"))


def three_state_chain(gamma: Any = Fraction(9, 10), *, paid_on_arrival: bool = False) -> MDP:
    """theory, line 44: A → B → C with -1 per step and +10 for the terminal C.

    The document's V(B) = -1 + γ 10 means that the +10 is collected *in* C: C is left by one more step, which pays 10
    and ends, so V(C) = 10. With `paid_on_arrival` C is terminal and the step into it pays -1 + 10: V(B) = 9, V(C) =
    0.
    """
    table: Table = {("A", "right"): [(ONE, "B", -1, False)]}
    if paid_on_arrival:
        table["B", "right"] = [(ONE, "C", 9, False)]
    else:
        table["B", "right"], table["C", "right"] = [(ONE, "C", -1, False)], [(ONE, None, 10, True)]
    ended = ["C"] if paid_on_arrival else []
    return MDP.from_outcomes(table, gamma, "A", terminal=ended, states=("A", "B", "C"), actions=("right",))


def two_streams(gamma: Any = Fraction(9, 10), delay: int = 10, late: Any = 2) -> MDP:
    """theory, line 15: one choice between +1 for ever (A) and nothing for `delay` steps, then `late` for ever (B).

    Q(start, A) = 1 / (1 - γ) and Q(start, B) = γ^delay · late / (1 - γ). Only the start offers both actions.
    """
    waiting = [f"wait {k}" for k in range(1, delay)] + ["late"]
    table: Table = {
        ("start", "A"): [(ONE, "steady", 1, False)],
        ("start", "B"): [(ONE, waiting[0], 0, False)],
        ("steady", "A"): [(ONE, "steady", 1, False)],
        ("late", "B"): [(ONE, "late", late, False)],
    }
    table |= {(here, "B"): [(ONE, there, 0, False)] for here, there in pairwise(waiting)}
    return MDP.from_outcomes(table, gamma, "start", states=("start", "steady", *waiting), actions=("A", "B"))


def go_then_stay(gamma: Any = Fraction(9, 10)) -> MDP:
    """theory, line 281: A offers only go, which pays 2 and leads to B; B offers only stay, which pays 1 and stays."""
    table: Table = {("A", "go"): [(ONE, "B", 2, False)], ("B", "stay"): [(ONE, "B", 1, False)]}
    return MDP.from_outcomes(table, gamma, "A", states=("A", "B"), actions=("go", "stay"))


def half_contraction() -> MDP:
    """theory, line 268 states only V* = (10, 8) and γ = 1/2; this model, ours, has both.

    Staying pays 5 and 4, swapping 5 and 2. From (0, 0) and from (20, 20) the two iterations stay exactly 20 / 2^k
    apart: the document's bounds are attained.
    """
    table: Table = {
        (0, "stay"): [(ONE, 0, 5, False)],
        (0, "swap"): [(ONE, 1, 5, False)],
        (1, "stay"): [(ONE, 1, 4, False)],
        (1, "swap"): [(ONE, 0, 2, False)],
    }
    return MDP.from_outcomes(table, Fraction(1, 2), 0, actions=("stay", "swap"))


def two_armed_bandit() -> MDP:
    """theory, line 94: left pays 1, right pays 3."""
    return bandit((1, 3), actions=("left", "right"))


def fork() -> MDP:
    """theory, line 118: a fork where left is worth 8, right 2 and straight 5; choosing evenly is worth 5."""
    return bandit((8, 2, 5), actions=("left", "right", "straight"))


def normalized(draw: np.random.RandomState, rows: int, columns: int) -> Array:
    """Rows of uniform numbers, each divided by its sum: (rows, columns)."""
    numbers = draw.rand(rows, columns)
    return np.asarray(numbers / numbers.sum(axis=1)[:, None])


def arrival(reward: Array, n_actions: int) -> Array:
    """R(s, a, s') that pays reward[s'] for arriving: (S,) -> (S, A, S)."""
    return np.array(np.broadcast_to(reward, (reward.size, n_actions, reward.size)))


def foundations_process(draw: np.random.RandomState, n_states: int = 5) -> MDP:
    """foundations, line 64: a Markov process; draws the transition rows, then the start law."""
    P, start = normalized(draw, n_states, n_states), normalized(draw, 1, n_states)[0]
    return MDP.chain(P, None, 1.0, start)


def foundations_reward_process(draw: np.random.RandomState, n_states: int = 5, gamma: float = 0.99) -> MDP:
    """foundations, line 145: the same with a standard normal reward for arriving in each state, drawn last."""
    process = foundations_process(draw, n_states)
    reward = draw.randn(n_states)
    return MDP.chain(process.P[:, 0], arrival(reward, 1)[:, 0], gamma, process.initial)


def foundations_sticky_process(draw: np.random.RandomState, before: MDP) -> MDP:
    """foundations, lines 244-260: `before` with reward 10 for arriving in state 0, and new rows.

    State 0 returns to itself with weight 1000 and the others reach it with weight 1/1000, beside uniform weights.
    """
    n_states = before.n_states
    weights = draw.rand(n_states, n_states)
    weights[:, 0] = [1000.0, *[0.001] * (n_states - 1)]
    R = before.R.copy()
    R[..., 0] = 10.0
    return MDP.chain(weights / weights.sum(axis=1)[:, None], R[:, 0], before.gamma, before.initial)


def foundations_decision_process(
    draw: np.random.RandomState, n_states: int = 5, n_actions: int = 2, gamma: float = 0.99
) -> MDP:
    """foundations, line 335: a reward process whose rows are then drawn anew for each state and action."""
    process = foundations_reward_process(draw, n_states, gamma)
    P = normalized(draw, n_states * n_actions, n_states).reshape(n_states, n_actions, n_states)
    return MDP(P, arrival(process.R[0, 0], n_actions), gamma, process.initial)
