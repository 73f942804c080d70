"""Statements as objects: an equality whose residual is proved zero, an inequality whose slack is a sum of non-negative terms.

    Identity     left = right     proved when the normal form of left - right is 0
    Inequality   left ≤ right     proved when right - left = Σ terms, and each term is non-negative by its form

A proof that does not finish is undecided (`None`), never a refutation; a refutation is a named rational point where the two
sides differ by a rational other than 0, or by an interval without 0. `says` is the statement as a textbook prints it; the
sides are that statement on a small model with every number free, as `given` tells.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

import sympy

from rlexact.symbolic.enclosure import enclosure
from rlexact.symbolic.normal_form import is_zero, normal_form
from rlexact.symbolic.points import points

READABLE = 120  # characters: longer sides are not printed


@dataclass(frozen=True)
class Witness:
    """A rational point where a statement fails, with lower ≤ left - right ≤ upper in the entry that shows it."""

    point: dict[Any, Any]
    lower: Any
    upper: Any

    def __repr__(self) -> str:
        where = ", ".join(f"{symbol} = {value}" for symbol, value in self.point.items())
        gap = self.lower if self.lower == self.upper else sympy.Float(self.lower, 6)
        return f"left - right = {gap} at {where or 'every point'}"


@dataclass(frozen=True, eq=False)
class Identity:
    """left = right under `given`: texts, SymPy conditions, and the assumptions that the symbols carry."""

    name: str
    left: Any
    right: Any
    given: tuple[Any, ...] = ()
    source: str = ""
    says: str = ""

    SIGN = "="

    def difference(self) -> Any:
        """left - right, as written."""
        return self.left - self.right

    def residual(self) -> Any:
        """What the proof has to bring to 0, in normal form: an expression or a matrix of them."""
        return normal_form(self.difference())

    def proved(self) -> Literal[True] | None:
        """True where the residual is zero; None where the proof does not finish, which refutes nothing."""
        return True if all(map(is_zero, entries(self.difference()))) else None

    def refuted_at(self, seed: int = 0, tries: int = 8) -> Witness | None:
        """A rational point where the statement fails; None if none of `tries` points shows one."""
        return next((w for w in self.gaps(seed, tries) if self.fails(w)), None)

    def agrees_at(self, seed: int = 0, tries: int = 3) -> bool:
        """Whether the statement stands at random rational points: evaluated as written, no normal form taken."""
        return not any(map(self.fails, self.gaps(seed, tries)))

    def fails(self, gap: Witness) -> bool:
        return bool(gap.lower > 0 or gap.upper < 0)

    def gaps(self, seed: int, tries: int) -> Iterator[Witness]:
        """left - right, enclosed, entry by entry, at `tries` random rational points."""
        difference = (self.left - self.right).doit()
        symbols = self.left.free_symbols | self.right.free_symbols
        for point in islice(points(symbols, self.conditions, seed), tries):
            for entry in entries(difference):
                value = entry.xreplace(point).doit()
                if not value.has(sympy.zoo, sympy.nan, sympy.oo):
                    yield Witness(point, *enclosure(value))

    @property
    def conditions(self) -> tuple[Any, ...]:
        """The part of `given` that a point can be tested against."""
        return tuple(g for g in self.given if isinstance(g, sympy.Basic))

    def with_right(self, right: Any) -> "Identity":
        """The same statement with another right side: a variant to be refuted."""
        return replace(self, right=side(right))

    def __repr__(self) -> str:
        plain = f"{self.left} {self.SIGN} {self.right}"
        given = f", given {'; '.join(map(str, self.given))}" if self.given else ""
        return f"{self.name}: {plain if len(plain) < READABLE else self.says}{given}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.says or f'{sympy.latex(self.left)} = {sympy.latex(self.right)}'}$"


@dataclass(frozen=True, eq=False, repr=False)
class Inequality(Identity):
    """left ≤ right, since right - left is the sum of `terms`, each of them non-negative by its form."""

    terms: tuple[Any, ...] = ()

    SIGN = "<="

    def difference(self) -> Any:
        """right - left - Σ terms, as written."""
        return self.right - self.left - sum(self.terms)

    def proved(self) -> Literal[True] | None:
        """True where the terms add up and each is non-negative; None else."""
        return super().proved() if all(term.is_nonnegative for term in self.terms) else None

    def fails(self, gap: Witness) -> bool:
        return bool(gap.lower > 0)


def entries(x: Any) -> list[Any]:
    return list(x) if isinstance(x, sympy.MatrixBase) else [x]


def side(x: Any) -> Any:
    """A side as SymPy holds it: a list becomes a column, a matrix immutable."""
    return sympy.ImmutableMatrix(x) if isinstance(x, (list, tuple, sympy.MatrixBase)) else sympy.sympify(x)


CATALOGUE: dict[str, Callable[[], Identity]] = {}


def identity(says: str, source: str, *given: Any) -> Callable[[Callable[[], Any]], Callable[[], Identity]]:
    """Makes a function that returns (left, right) return the `Identity`, and enters it in the catalogue."""
    return entered(lambda name, left, right: Identity(name, side(left), side(right), given, source, says))


def inequality(says: str, source: str, *given: Any) -> Callable[[Callable[[], Any]], Callable[[], Identity]]:
    """Makes a function that returns (left, right, terms) return the `Inequality`, and enters it in the catalogue."""
    return entered(
        lambda name, left, right, terms: Inequality(name, side(left), side(right), given, source, says, tuple(terms))
    )


def entered(built: Callable[..., Identity]) -> Callable[[Callable[[], Any]], Callable[[], Identity]]:
    def enter(sides: Callable[[], Any]) -> Callable[[], Identity]:
        def statement() -> Identity:
            return built(sides.__name__.replace("_", " "), *sides())

        statement.__name__, statement.__doc__, statement.__module__ = sides.__name__, sides.__doc__, sides.__module__
        statement.__qualname__ = sides.__qualname__
        if CATALOGUE.setdefault(sides.__name__, statement).__module__ != sides.__module__:
            raise ValueError(f"two statements are called {sides.__name__}: names are unique in the catalogue")
        return statement

    return enter
