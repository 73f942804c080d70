"""Textbook models that are not grids: walks, games, maintenance and control problems."""

from collections.abc import Sequence
from fractions import Fraction
from string import ascii_uppercase
from typing import Any

from rlexact.mdp import MDP, Outcome

ONE = Fraction(1)  # a certain step; its exactness makes the whole model exact
Table = dict[tuple[Any, Any], list[Outcome]]


def bandit(rewards: Sequence[Any], actions: Sequence[str] | None = None) -> MDP:
    """One decision that ends the episode: pulling arm a pays rewards[a].  Sutton and Barto (2018), §2.1, means only."""
    return MDP.from_outcomes([[[(ONE, None, reward, True)] for reward in rewards]], ONE, 0, actions=actions)


def random_walk(n: int = 5, left: Any = 0, right: Any = 1, gamma: Any = ONE) -> MDP:
    """The random walk of Sutton and Barto (2018), Examples 6.2 (n = 5) and 7.1 (n = 19, left = -1): one action.

    n states in a row, started in the middle; each step goes to either side with probability 1/2, and ends past either
    end, where it pays `left` or `right`. Every other step pays 0. V(k) = k / (n + 1) for the k-th state of Example
    6.2.
    """
    half = Fraction(1, 2)

    def towards(s: int, reward: Any) -> Outcome:
        return (half, s, 0, False) if 0 <= s < n else (half, None, reward, True)

    table = [[[towards(s - 1, left), towards(s + 1, right)]] for s in range(n)]
    names = tuple(ascii_uppercase[:n]) if n <= len(ascii_uppercase) else None
    return MDP.from_outcomes(table, gamma, (n - 1) // 2, states=names, actions=("step",))


def gambler(p_heads: Any = Fraction(2, 5), goal: int = 100, gamma: Any = ONE) -> MDP:
    """The gambler's problem of Sutton and Barto (2018), Example 4.3: state s is the capital, action a the stake.

    Stakes run from 1 to min(s, goal - s); a = 0, which would never end, is not available. Reaching the goal pays 1;
    ruin and goal are terminal. Started at half the goal.
    """
    p = Fraction(p_heads) if isinstance(p_heads, str) else p_heads
    table: Table = {
        (s, a): [(p, s + a, int(s + a == goal), False), (1 - p, s - a, 0, False)]
        for s in range(1, goal)
        for a in range(1, min(s, goal - s) + 1)
    }
    return MDP.from_outcomes(table, gamma, goal // 2, terminal=[0, goal])


def corridor(n: int = 5, gamma: Any = ONE) -> MDP:
    """n cells in a row from the left one: left and right, -1 per step, and the step right out of the last cell ends.

    V* = -(steps left) at γ = 1. With n = 150 it is an episode of 150 steps at -1 each (theory, line 290).
    """
    table: Table = {}
    for s in range(n):
        table[s, "left"] = [(ONE, max(s - 1, 0), -1, False)]
        table[s, "right"] = [(ONE, s + 1, -1, False) if s + 1 < n else (ONE, None, -1, True)]
    return MDP.from_outcomes(table, gamma, 0, actions=("left", "right"))


def short_corridor(gamma: Any = ONE) -> MDP:
    """Sutton and Barto (2018), Example 13.1: three cells, -1 per step, and the middle one swaps left and right.

    Their agent cannot tell the cells apart: going right with probability 2 - √2 ≈ 0.59 everywhere is then best, worth
    -11.66.
    """
    table: Table = {
        (0, "left"): [(ONE, 0, -1, False)],
        (0, "right"): [(ONE, 1, -1, False)],
        (1, "left"): [(ONE, 2, -1, False)],
        (1, "right"): [(ONE, 0, -1, False)],
        (2, "left"): [(ONE, 1, -1, False)],
        (2, "right"): [(ONE, None, -1, True)],
    }
    return MDP.from_outcomes(table, gamma, 0, actions=("left", "right"))


def chain(
    n: int = 5, slip: Any = Fraction(1, 5), small: Any = 2, large: Any = 10, gamma: Any = Fraction(99, 100)
) -> MDP:
    """The chain of Dearden, Friedman and Russell (1998) and Strens (2000); Gym's NChain.

    'forward' moves on and pays nothing, or `large` at the end, where it stays; 'back' returns to the start and pays
    `small`. With probability `slip` the other action happens instead.
    """

    def law(s: int, chosen: Any) -> list[Outcome]:
        ahead = (chosen, min(s + 1, n - 1), large if s == n - 1 else 0, False)
        return [ahead, (1 - chosen, 0, small, False)]

    table: Table = {}
    for s in range(n):
        table[s, "forward"], table[s, "back"] = law(s, 1 - slip), law(s, slip)
    return MDP.from_outcomes(table, gamma, 0, actions=("forward", "back"))


def river_swim(n: int = 6, gamma: Any = Fraction(95, 100)) -> MDP:
    """River swim, Strehl and Littman (2008), with the numbers of Osband, Russo and Van Roy (2013), Figure 3.

    'left' drifts with the stream, and pays 5/1000 at the left bank; 'right' swims on with probability 35/100, holds
    with 6/10 and is carried back with 5/100 (6/10 and 4/10 at the banks), and pays 1 at the right bank.
    """
    ahead, hold, back = Fraction(35, 100), Fraction(6, 10), Fraction(5, 100)
    table: Table = {(s, "left"): [(ONE, max(s - 1, 0), Fraction(5, 1000) if s == 0 else 0, False)] for s in range(n)}
    for s in range(1, n - 1):
        table[s, "right"] = [(ahead, s + 1, 0, False), (hold, s, 0, False), (back, s - 1, 0, False)]
    table[0, "right"] = [(1 - hold, 0, 0, False), (hold, 1, 0, False)]
    table[n - 1, "right"] = [(hold, n - 1, 1, False), (1 - hold, n - 2, 1, False)]
    return MDP.from_outcomes(table, gamma, 0, actions=("left", "right"))


def forest(
    n_states: int = 3, old: Any = 4, cut: Any = 2, fire: Any = Fraction(1, 10), gamma: Any = Fraction(9, 10)
) -> MDP:
    """pymdptoolbox's `forest(S, r1, r2, p)`: the state is the age of the forest, 0 to n_states - 1.

    'wait' lets it age, unless it burns down with probability `fire`, and pays `old` in the oldest state; 'cut'
    returns it to age 0 and pays 1, or `cut` in the oldest state, or 0 at age 0.
    """
    last = n_states - 1
    table: Table = {}
    for s in range(n_states):
        kept = old if s == last else 0
        table[s, "wait"] = [(fire, 0, kept, False), (1 - fire, min(s + 1, last), kept, False)]
        table[s, "cut"] = [(ONE, 0, cut if s == last else min(s, 1), False)]
    return MDP.from_outcomes(table, gamma, 0, actions=("wait", "cut"))


def puterman_two_state(gamma: Any = Fraction(19, 20)) -> MDP:
    """Puterman (1994), §3.1: in s1 'stay' pays 5 and stays with probability 1/2, 'move' pays 10; both else go to s2.

    s2 pays -1 for ever. V*(s2) = -1 / (1 - γ); in s1 'move' is best up to γ = 10/11 and 'stay' from there on.
    """
    half = Fraction(1, 2)
    table: Table = {
        ("s1", "stay"): [(half, "s1", 5, False), (half, "s2", 5, False)],
        ("s1", "move"): [(ONE, "s2", 10, False)],
        ("s2", "stay"): [(ONE, "s2", -1, False)],
    }
    return MDP.from_outcomes(table, gamma, "s1", states=("s1", "s2"), actions=("stay", "move"))


def racing(gamma: Any = Fraction(9, 10)) -> MDP:
    """The racing car of Berkeley's CS 188: cool, warm, and overheated, which is terminal.

    'slow' pays 1 and cools a warm engine with probability 1/2. 'fast' pays 2 and warms a cool engine with probability
    1/2; it overheats a warm one and pays -10.
    """
    half = Fraction(1, 2)
    table: Table = {
        ("cool", "slow"): [(ONE, "cool", 1, False)],
        ("cool", "fast"): [(half, "cool", 2, False), (half, "warm", 2, False)],
        ("warm", "slow"): [(half, "cool", 1, False), (half, "warm", 1, False)],
        ("warm", "fast"): [(ONE, "overheated", -10, False)],
    }
    names = ("cool", "warm", "overheated")
    return MDP.from_outcomes(table, gamma, "cool", terminal=["overheated"], states=names, actions=("slow", "fast"))
