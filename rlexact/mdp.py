"""A finite Markov decision process, validated once and frozen.

    kernel[s·A + a, s'] = p(s' | s, a)          (S·A, S)
    r[s, a] = E[r_t | s_t = s, a_t = a]         (S, A)
    P_π = Σ_a π(a | s) p(s' | s, a),  r_π = Σ_a π(a | s) r(s, a)        `under`

The reward r_t belongs to (s_t, a_t): it is the R_{t+1} of Sutton and Barto. A terminal state is a zero row with zero
reward, so V = 0 there follows from every equation and no solver mentions termination; an occupancy then counts a
terminal state once, when it is entered. A step may also end an episode by itself: its mass is in `ends`, and its row sums
to 1 - ends.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP, InvalidPolicy, Parts

__all__ = ["MDP", "InvalidMDP", "InvalidPolicy"]

Outcome = tuple[Any, Any, Any, bool]  # probability, next state (None once ended), reward, terminated


class MDP:
    """A finite MDP.  P (S, A, S), R (S,) | (S, A) | (S, A, S), gamma in [0, 1], initial (S,).

    Parameters: `P` dense, nested lists, or scipy.sparse (S·A, S) with row s·A + a; `R` told apart by rank; `initial` a
    distribution or one state (needed only where a start matters); `terminal` states by index or name; `available` a
    boolean (S, A) mask; `states` and `actions` names. One Fraction or decimal string makes the model exact, one SymPy
    expression makes it symbolic; floats, or integers alone, make it float64.

    Raises `InvalidMDP`, which says where, what was found and what to do.

    >>> chain = MDP([[[0, 1]], [[0, 1]]], R=[["1/2"], [0]], gamma="0.9", terminal=[1])
    >>> chain
    MDP(2 states, 1 action, gamma = 9/10, rational, 1 terminal)
    """

    __slots__ = ("_parts",)
    _parts: Parts
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        P: Any,
        R: Any,
        gamma: Any,
        initial: Any = None,
        *,
        terminal: Any = (),
        available: Any = None,
        states: Sequence[Any] | None = None,
        actions: Sequence[Any] | None = None,
    ) -> None:
        object.__setattr__(self, "_parts", door.admit(P, R, gamma, initial, terminal, available, states, actions))

    @classmethod
    def of_parts(cls, parts: Parts) -> "MDP":
        """A model whose parts have passed the door (used by conversions and loaders)."""
        mdp = cls.__new__(cls)
        object.__setattr__(mdp, "_parts", parts)
        return mdp

    @classmethod
    def from_outcomes(
        cls,
        outcomes: Mapping[tuple[Any, Any], Sequence[Outcome]] | Sequence[Sequence[Sequence[Outcome]]],
        gamma: Any,
        initial: Any = None,
        **names: Any,
    ) -> "MDP":
        """A model from lists of (probability, next state, reward, terminated), one list per state and action.

        `outcomes[s][a]` or `outcomes[s, a]`. Equal outcomes are merged, the law of the rewards is kept (`outcomes`), and
        a terminated outcome keeps its reward and has no successor. Takes `terminal`, `states`, `actions` as `MDP` does;
        a pair that is missing from a mapping is an action that is not available.
        """
        from rlexact.outcomes import parts_from_outcomes

        return cls.of_parts(parts_from_outcomes(outcomes, gamma, initial, **names))

    @classmethod
    def chain(cls, P: Any, R: Any = None, gamma: Any = 1, initial: Any = None, **names: Any) -> "MDP":
        """A Markov process (R=None) or Markov reward process: P (S, S), R (S,) or (S, S), a single action."""
        rows, rewards = as_given(P), as_given(R)
        if rows.ndim != 2 or rows.shape[0] != rows.shape[1]:
            raise InvalidMDP(f"P has shape {rows.shape}: a chain has one row and one column per state")
        if R is None:
            rewards = np.zeros(rows.shape[0], dtype=int)
        elif not scipy.sparse.issparse(rewards) and rewards.shape == rows.shape:
            rewards = rewards[:, None, :]
        return cls(rows if scipy.sparse.issparse(rows) else rows[:, None, :], rewards, gamma, initial, **names)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an MDP is frozen: use replace({name}=...) or build another")

    def __copy__(self) -> "MDP":
        return self

    def __deepcopy__(self, memo: object) -> "MDP":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return unpickled, (self._parts,)

    # -- what it holds ------------------------------------------------------------------------------------------------

    @property
    def n_states(self) -> int:
        return int(self._parts.available.shape[0])

    @property
    def n_actions(self) -> int:
        return int(self._parts.available.shape[1])

    @property
    def kernel(self) -> Any:
        """p(s' | s, a) as (S·A, S), row s·A + a, in the model's own world."""
        return shared(self._parts.kernel)

    @property
    def P(self) -> Array:
        """p(s' | s, a) as a read-only (S, A, S) array; a sparse model refuses (`kernel` is its form)."""
        if scipy.sparse.issparse(self.kernel):
            raise InvalidMDP("a sparse model has no dense P: use mdp.kernel, (S·A, S), or to_dense()")
        dense = ar.dense_array(self.kernel).reshape(self.n_states, self.n_actions, self.n_states)
        dense.flags.writeable = False
        return dense

    @property
    def R(self) -> Any:
        """The reward as it was given: (S,), (S, A), (S, A, S) or sparse (S·A, S)."""
        return shared(self._parts.R)

    @property
    def r(self) -> Array:
        """Expected reward r(s, a), (S, A)."""
        return self._parts.r

    @property
    def gamma(self) -> Any:
        return self._parts.gamma

    @property
    def ends(self) -> Array:
        """Probability that the step (s, a) ends the episode without a successor, (S, A)."""
        return self._parts.ends

    @property
    def terminal(self) -> Array:
        """Which states are terminal, (S,) booleans."""
        return self._parts.terminal

    @property
    def available(self) -> Array:
        """Which actions may be taken, (S, A) booleans; none at a terminal state."""
        return self._parts.available

    @property
    def states(self) -> tuple[Any, ...] | None:
        return self._parts.states

    @property
    def actions(self) -> tuple[Any, ...] | None:
        return self._parts.actions

    @property
    def initial(self) -> Array:
        """The start distribution, (S,).  Raises `InvalidMDP` if the model was built without one."""
        if self._parts.initial is None:
            raise InvalidMDP("this model has no initial distribution: MDP(..., initial=...), or replace(initial=...)")
        return self._parts.initial

    @property
    def has_initial(self) -> bool:
        return self._parts.initial is not None

    @property
    def world(self) -> str:
        """What its numbers are: 'float64', 'sparse float64', 'rational' or 'symbolic'."""
        return str(ar.of(self.kernel).NAME)

    def state(self, name: Any) -> int:
        """The index of a state given by name or index (by name only where names are integers)."""
        return door.place_of(name, self.states, self.n_states, "state")

    def action(self, name: Any) -> int:
        """The index of an action given by name or index."""
        return door.place_of(name, self.actions, self.n_actions, "action", "action")

    def outcomes(self, state: Any, action: Any) -> list[Outcome]:
        """The law of one step: [(probability, next state or None, reward, terminated), ...], in the model's numbers."""
        from rlexact.outcomes import outcomes_of

        return outcomes_of(self, self.state(state), self.action(action))

    def under(self, policy: Any) -> tuple[Any, Array]:
        """The chain of a policy: (S, A) -> P_π (S, S) kernel, r_π (S,).  Raises `InvalidPolicy`."""
        pi = self.admit(policy)
        return ar.mix(pi, self.kernel), ar.average(pi, self.r)

    def admit(self, policy: Any) -> Array:
        """The policy in this model's numbers, checked, terminal rows zero: (S, A) -> (S, A).  Raises `InvalidPolicy`."""
        return door.admit_policy(policy, self._parts)

    def beside(self, name: str, values: Any) -> Array:
        """`values` in this model's own numbers; `name` is for messages.

        Raises `MixedNumbers` where the model's world cannot hold them, `NotANumber`.
        """
        return door.beside(self._parts, name, values)

    # -- other forms --------------------------------------------------------------------------------------------------

    def replace(self, **changes: Any) -> "MDP":
        """The same model with another `gamma`, `initial`, `states` or `actions`."""
        unknown = set(changes) - {"gamma", "initial", "states", "actions"}
        if unknown:
            raise TypeError(f"replace() takes gamma, initial, states and actions, not {', '.join(sorted(unknown))}")
        from rlexact.conversion import read_beside

        return read_beside(self, changes)

    def to_rational(self, floats: str | Callable[[float], Fraction] | None = None) -> "MDP":
        """The same model in rationals.

        A float is refused where its decimal and its binary reading differ, unless `floats` says how to read it:
        'decimal' (0.1 is 1/10), 'binary' (0.1 is 3602879701896397/2**55) or a function from float to Fraction.
        Raises `InvalidMDP` where the numbers so read are not a model (rows that do not sum to 1 exactly), `NotExact`.
        """
        from rlexact.conversion import to_rational

        return to_rational(self, floats)

    def to_float(self) -> "MDP":
        """The same model in dense float64 (rationals rounded to nearest; a sparse model stays as it is)."""
        from rlexact.conversion import to_float

        return to_float(self)

    def to_sparse(self) -> "MDP":
        """The same model in float64 with a scipy.sparse kernel."""
        from rlexact.conversion import to_sparse

        return to_sparse(self)

    def to_dense(self) -> "MDP":
        """A sparse model written out in dense float64."""
        from rlexact.conversion import to_dense

        return to_dense(self)

    def to_symbolic(self, **values: Any) -> "MDP":
        """An exact model in SymPy numbers; `to_symbolic(gamma=Symbol('gamma'))` also replaces the discount."""
        from rlexact.conversion import to_symbolic

        return to_symbolic(self, **values)

    def save(self, path: Any) -> None:
        """Write a float model to `.npz`, an exact one to `.json`; `MDP.load` reads back an equal model."""
        from rlexact.storage import save

        save(self, path)

    @classmethod
    def load(cls, path: Any) -> "MDP":
        """Read what `save` wrote.  Raises `InvalidMDP` if the file is damaged or not a model."""
        from rlexact.storage import load

        return load(path)

    # -- looks --------------------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        from rlexact.conversion import same_model

        return isinstance(other, MDP) and same_model(self, other)

    def __repr__(self) -> str:
        from rlexact.display import text

        return text(self)

    def _repr_html_(self) -> str:
        from rlexact.display import html

        return html(self)


def as_given(values: Any) -> Any:
    """Arrays as they are, nested lists as objects, so that the reader sees each entry as it was given."""
    return (
        values if isinstance(values, np.ndarray) or scipy.sparse.issparse(values) else np.asarray(values, dtype=object)
    )


def shared(matrix: Any) -> Any:
    """A sparse matrix in a shell of its own: its read-only arrays are shared, and a new entry stays outside the model."""
    return copy.copy(matrix) if scipy.sparse.issparse(matrix) else matrix


def unpickled(parts: Parts) -> MDP:
    return MDP.of_parts(door.freeze(parts))
