"""What an audit finds, in words and numbers."""

from dataclasses import dataclass
from html import escape
from typing import Any

from rlexact.mdp import MDP


class InvalidValues(ValueError):
    """Values that do not fit their model: wrong shape, or entries that are not finite numbers."""


@dataclass(frozen=True, eq=False)
class Cause:
    """A mistake that would have given this answer, up to `distance`."""

    name: str
    says: str
    distance: float

    def __repr__(self) -> str:
        return f"equals what '{self.name}' would give (distance {self.distance:.1e}): {self.says}"


@dataclass(frozen=True, eq=False)
class Finding:
    """One answer against the truth: how far, where it is worst, and what it equals instead.

    `distance` is known within `error_bound` to either side, and the answer `agrees` if it can be within `tol`.
    `place` is the worst state, or state and action, with the `given` and the `true` number there. `residual` is that
    of the answer (None for a policy); `greedy_regret` is what is lost by acting greedily on it (None where that has
    no finite value).
    """

    asked: str
    truth: str
    distance: Any
    error_bound: Any
    tol: Any
    place: str
    given: Any
    true: Any
    residual: Any = None
    greedy_regret: Any = None
    causes: tuple[Cause, ...] = ()
    note: str = ""

    @property
    def agrees(self) -> bool:
        return bool(self.distance - self.error_bound <= self.tol)

    def __repr__(self) -> str:
        bound = f" ± {float(self.error_bound):.1e}" if self.error_bound else ""
        what = "regret" if self.asked == "policy" else f"distance to {self.truth}"
        lines = [f"{self.asked}: {'right' if self.agrees else 'WRONG'}, {what} {float(self.distance):.3g}{bound}"]
        if not self.agrees:
            lines += [f"  worst at {self.place}: {float(self.given):.10g}, true {float(self.true):.10g}"]
        if self.residual is not None and not self.agrees:
            lines += [f"  Bellman residual {float(self.residual):.3g}"]
        if self.greedy_regret is not None and not self.agrees:
            lines += [f"  acting greedily on it loses {float(self.greedy_regret):.3g}"]
        return "\n".join([*lines, *(f"  {cause!r}" for cause in self.causes), *([f"  {self.note}"] * bool(self.note))])


@dataclass(frozen=True, eq=False)
class Audit:
    """What `audit` found: a `Finding` for each answer handed in, and the names of the mistakes that were tried."""

    model: MDP
    v: Finding | None
    q: Finding | None
    policy: Finding | None
    tried: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(f for f in (self.v, self.q, self.policy) if f is not None)

    @property
    def agrees(self) -> bool:
        """Whether every answer is right."""
        return all(finding.agrees for finding in self.findings)

    def __repr__(self) -> str:
        return "\n".join([f"Audit of {self.model!r}", *map(repr, self.findings)])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"
