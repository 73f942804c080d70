"""What a solver answers: values with a guaranteed distance from the truth, or a loud refusal that carries the best it had."""

from dataclasses import dataclass
from typing import Any

from rlexact.arithmetic import Array


@dataclass(frozen=True, eq=False)
class Solution:
    """An answer about optimal control.

    `v` (S,) and `q` (S, A) with ‖v - V*‖∞ ≤ `error_bound` (0 in exact worlds); `policy` (S, A) takes the first maximiser
    of q, `optimal_actions` (S, A) marks every action within the bound of the best; `iterations` counts improvement steps
    or sweeps. 'The truth' is the optimum of the stored numbers read as exact.
    """

    v: Array
    q: Array
    policy: Array
    optimal_actions: Array
    iterations: int
    error_bound: Any

    def __repr__(self) -> str:
        return f"Solution(v={self.v!r}, iterations={self.iterations}, error_bound={self.error_bound})"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The value of one policy: `v` (S,) and `q` (S, A), with ‖v - V^π‖∞ ≤ `error_bound` (0 in exact worlds)."""

    v: Array
    q: Array
    error_bound: Any


class NotConverged(ArithmeticError):
    """The tolerance was not met.  `best` carries the best answer found, with the bound it does have."""

    def __init__(self, message: str, best: Any) -> None:
        super().__init__(message)
        self.best = best


class Unbounded(ArithmeticError):
    """At γ = 1 the total reward has no finite value: the message names the closed set of states and why."""
