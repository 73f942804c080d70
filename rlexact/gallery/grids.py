"""Gridworlds.  A state is a cell (row, column), counted from the top left, unless a docstring says otherwise.

A move that would leave the grid leaves the agent where it is.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from rlexact.mdp import MDP, Outcome

Cell = tuple[int, int]
ONE = Fraction(1)  # a certain step; its exactness makes the whole model exact
COMPASS = {"north": (-1, 0), "south": (1, 0), "east": (0, 1), "west": (0, -1)}
KING = COMPASS | {"north-east": (-1, 1), "south-east": (1, 1), "south-west": (1, -1), "north-west": (-1, -1)}
LAKE_MOVES = {"left": (0, -1), "down": (1, 0), "right": (0, 1), "up": (-1, 0)}  # Gymnasium's order, a quarter turn each
LAKES = {
    4: ("SFFF", "FHFH", "FFFH", "HFFG"),
    8: ("SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"),
}


def rectangle(rows: int, columns: int) -> list[Cell]:
    return [(i, j) for i in range(rows) for j in range(columns)]


def onto(cell: Cell, cells: Sequence[Cell]) -> Cell:
    """The nearest cell of the full rectangle that `cells` spans."""
    (last_row, last_column) = cells[-1]
    return min(max(cell[0], 0), last_row), min(max(cell[1], 0), last_column)


def grid(
    cells: Sequence[Cell],
    moves: Iterable[str],
    outcomes: Callable[[Cell, str], list[Outcome]],
    gamma: Any,
    start: Sequence[Cell],
    terminal: Sequence[Cell] = (),
) -> MDP:
    """A model over cells: `outcomes(cell, move)` for every cell that is not terminal, started evenly over `start`."""
    names = tuple(moves)
    return MDP.from_outcomes(
        {(cell, move): outcomes(cell, move) for cell in cells if cell not in terminal for move in names},
        gamma,
        initial=[Fraction(start.count(cell), len(start)) for cell in cells],
        terminal=[cells.index(cell) for cell in terminal],
        states=cells,
        actions=names,
    )


def sutton_barto_grid(gamma: Any = Fraction(9, 10)) -> MDP:
    """The 5 x 5 grid of Sutton and Barto (2018), Examples 3.5 and 3.8: never ends, started evenly over all cells.

    Every move from A = (0, 1) pays +10 and lands in (4, 1), from B = (0, 3) +5 and (2, 3); bumping into the edge pays
    -1.
    """
    cells, jumps = rectangle(5, 5), {(0, 1): ((4, 1), 10), (0, 3): ((2, 3), 5)}

    def outcomes(cell: Cell, move: str) -> list[Outcome]:
        landing = onto((cell[0] + COMPASS[move][0], cell[1] + COMPASS[move][1]), cells)
        landing, reward = jumps.get(cell, (landing, -1 if landing == cell else 0))
        return [(ONE, landing, reward, False)]

    return grid(cells, COMPASS, outcomes, gamma, start=cells)


def sutton_barto_small_grid(size: int = 4, gamma: Any = ONE) -> MDP:
    """The grid of Sutton and Barto (2018), Example 4.1: two opposite corners are terminal and every step pays -1.

    Started evenly over the other cells.
    """
    cells = rectangle(size, size)
    corners = [cells[0], cells[-1]]

    def outcomes(cell: Cell, move: str) -> list[Outcome]:
        return [(ONE, onto((cell[0] + COMPASS[move][0], cell[1] + COMPASS[move][1]), cells), -1, False)]

    return grid(cells, COMPASS, outcomes, gamma, start=cells[1:-1], terminal=corners)


def cliff_walk(rows: int = 4, columns: int = 12, gamma: Any = ONE) -> MDP:
    """Sutton and Barto (2018), Example 6.6: along the bottom edge runs a cliff, from the start to the terminal goal.

    Every step pays -1; a step over the cliff pays -100 and lands on the start. Cliff cells are not states.
    """
    full, start, goal = rectangle(rows, columns), (rows - 1, 0), (rows - 1, columns - 1)
    cliff = {(rows - 1, j) for j in range(1, columns - 1)}

    def outcomes(cell: Cell, move: str) -> list[Outcome]:
        landing = onto((cell[0] + COMPASS[move][0], cell[1] + COMPASS[move][1]), full)
        return [(ONE, start, -100, False)] if landing in cliff else [(ONE, landing, -1, False)]

    return grid([c for c in full if c not in cliff], COMPASS, outcomes, gamma, start=[start], terminal=[goal])


def windy_grid(kings_moves: bool = False, gamma: Any = ONE) -> MDP:
    """Sutton and Barto (2018), Example 6.5: 7 x 10, -1 per step, from (3, 0) to the terminal (3, 7).

    The wind of the column that is left pushes the agent north by 0 0 0 1 1 1 2 2 1 0. `kings_moves` adds the
    diagonals of Exercise 6.9.
    """
    cells, wind, moves = rectangle(7, 10), (0, 0, 0, 1, 1, 1, 2, 2, 1, 0), KING if kings_moves else COMPASS

    def outcomes(cell: Cell, move: str) -> list[Outcome]:
        (i, j), (down, right) = cell, moves[move]
        return [(ONE, onto((i + down - wind[j], j + right), cells), -1, False)]

    return grid(cells, moves, outcomes, gamma, start=[(3, 0)], terminal=[(3, 7)])


def frozen_lake(
    size: int = 4, slippery: bool = True, gamma: Any = Fraction(99, 100), *, rows: Sequence[str] | None = None
) -> MDP:
    """Gymnasium's FrozenLake, 4 x 4 or 8 x 8, or `rows` of S (start), F (ice), H (hole), G (goal), in its numbering.

    +1 for the step onto the goal; holes and goal are terminal. On slippery ice the agent goes where it meant to, or a
    quarter turn to either side, each with probability exactly 1/3.
    """
    lake = rows or LAKES[size]
    cells, names = rectangle(len(lake), len(lake[0])), list(LAKE_MOVES)
    where = {letter: [(i, j) for i, j in cells if lake[i][j] == letter] for letter in "SHG"}

    def outcomes(cell: Cell, move: str) -> list[Outcome]:
        turns = (-1, 0, 1) if slippery else (0,)
        taken = [LAKE_MOVES[names[(names.index(move) + turn) % 4]] for turn in turns]
        landings = [onto((cell[0] + down, cell[1] + right), cells) for down, right in taken]
        return [(ONE / len(turns), landing, int(landing in where["G"]), False) for landing in landings]

    return grid(cells, names, outcomes, gamma, start=where["S"], terminal=where["H"] + where["G"])


def aima_grid(living: Any = Fraction(-1, 25), gamma: Any = ONE) -> MDP:
    """The 4 x 3 world of Russell and Norvig, AIMA, §17.1, its squares named (x, y) from the bottom left.

    (2, 2) is a wall. A move goes as meant with probability 8/10 and to either side with 1/10. Each step in an
    ordinary square pays `living`; a step in the exit (4, 3) pays +1 and ends, in (4, 2) -1, so that V there is ±1 as
    in their figures.
    """
    moves = {"up": (0, 1), "right": (1, 0), "down": (0, -1), "left": (-1, 0)}
    squares = [(x, y) for y in (1, 2, 3) for x in (1, 2, 3, 4) if (x, y) != (2, 2)]
    exits, names = {(4, 3): 1, (4, 2): -1}, list(moves)

    def step(square: Cell, move: str) -> Cell:
        there = (square[0] + moves[move][0], square[1] + moves[move][1])
        return there if there in squares else square

    def outcomes(square: Cell, move: str) -> list[Outcome]:
        if square in exits:
            return [(ONE, None, exits[square], True)]
        turned = [names[(names.index(move) + turn) % 4] for turn in (-1, 0, 1)]
        odds = (Fraction(1, 10), Fraction(8, 10), Fraction(1, 10))
        return [(p, step(square, taken), living, False) for p, taken in zip(odds, turned, strict=True)]

    return grid(squares, moves, outcomes, gamma, start=[(1, 1)])
