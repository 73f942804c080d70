"""The checks that a claim yields: what was compared, whether it passed, and how strong the evidence is.

A check *supports* the statement (or its corrected form), or it *refutes* the statement as it stands. An exact comparison
takes exact numbers only; floats need a tolerance and a reason. An unfinished proof is undecided, which is a failure, never
a refutation.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact.claims.printed import Printed, exactly
from rlexact.claims.wording import show

RUNGS = ("proved", "exact", "enclosed", "close", "swept", "sourced")


@dataclass(frozen=True)
class Check:
    """One piece of evidence.  `kind` is 'support', 'refutation', 'bound', 'tight' or 'source'."""

    what: str
    rung: str
    passed: bool
    kind: str = "support"

    def __str__(self) -> str:
        return f"{'ok ' if self.passed else 'NOT'} {self.rung:8} {self.what}"


# -- equalities -------------------------------------------------------------------------------------------------------


def equal(left: Any, right: Any, what: str = "") -> Check:
    """Exactly equal: numbers, arrays, sets, tuples.  Floats are refused (use `close`, or `agrees` for printed ones)."""
    for side in (left, right):
        if has_float(side):
            raise TypeError(f"equal() compares exact values; {show(side)} holds floats: use close() or agrees()")
        if any(isinstance(x, Printed) and x.half_unit for x in leaves(side)):
            raise TypeError(f"equal() compares exact values; {show(side)} is rounded print: use agrees()")
    return Check(told(what, f"{show(left)} = {show(right)}"), "exact", same(left, right))


def agrees(stated: Any, value: Any, what: str = "") -> Check:
    """A printed number, or a list of them, agrees with a value to its own last digit."""
    pairs = list(zip(leaves(stated), leaves(value), strict=True))
    if not pairs or not all(isinstance(x, Printed) for x, _ in pairs):
        raise TypeError("agrees(printed(...), value): the first argument is what the document prints")
    rung = "close" if has_float(value) else "exact"
    return Check(told(what, f"printed {show(stated)}, is {show(value)}"), rung, all(x.holds(y) for x, y in pairs))


def close(left: Any, right: Any, tol: float, because: str, what: str = "") -> Check:
    """|left - right| ≤ tol everywhere; `because` says where the tolerance comes from."""
    gap = distance(left, right)
    seen = f"within {tol:.2g}" if gap <= tol else f"gap {gap:.2g} above {tol:.2g}"
    text = f"{show(above(tol, left))} ≈ {show(above(tol, right))}, {seen}: {because}"
    return Check(told(what, text), "close", gap <= tol)


def proved(residual: Any, what: str) -> Check:
    """A symbolic left - right is identically zero.  A residual that cannot be brought to zero is undecided: a failure."""
    import sympy

    left_over = [e for e in map(sympy.sympify, leaves(residual)) if sympy.simplify(sympy.cancel(e)) != 0]
    return Check(what + (f"; undecided residual {left_over[0]}" if left_over else ""), "proved", not left_over)


def enclosed(value: Any, lower: Any, upper: Any, what: str = "") -> Check:
    """lower ≤ value ≤ upper, where [lower, upper] is a rigorous enclosure."""
    inside = all(
        exactly(a) <= exactly(x) <= exactly(b) for a, x, b in zip(*map(leaves, (lower, value, upper)), strict=True)
    )
    return Check(told(what, f"{show(value)} in [{show(lower)}, {show(upper)}]"), "enclosed", inside)


# -- inequalities -----------------------------------------------------------------------------------------------------


def at_most(left: Any, right: Any, what: str = "") -> Check:
    """A bound left ≤ right, everywhere.  A claim that yields one also yields a `tight` witness."""
    rung = "close" if has_float(left) or has_float(right) else "exact"
    return Check(told(what, f"{show(left)} ≤ {show(right)}"), rung, ordered(left, right), "bound")


def below(left: Any, right: Any, what: str = "") -> Check:
    """left < right for these very numbers: a comparison, not a bound with a constant to test."""
    rung = "close" if has_float(left) or has_float(right) else "exact"
    return Check(told(what, f"{show(left)} < {show(right)}"), rung, ordered(left, right, strict=True))


def tight(left: Any, right: Any, what: str = "") -> Check:
    """A witness that a bound left ≤ right cannot be 0.1 % smaller: 0.999 right < left ≤ right."""
    low, high = exactly(left), exactly(right)
    passed = low <= high and high - abs(high) / 1000 < low and high != 0
    return Check(told(what, f"tight: {show(left)} against the bound {show(right)}"), "exact", passed, "tight")


def proved_at_most(left: Any, right: Any, terms: Iterable[Any], what: str) -> Check:
    """left ≤ right, proved: right - left is the sum of `terms`, each non-negative by its form (SymPy's assumptions)."""
    import sympy

    parts = [sympy.sympify(t) for t in terms]
    exact = sympy.simplify(sympy.cancel(right - left - sum(parts))) == 0
    unsure = [t for t in parts if not t.is_nonnegative]
    note = "" if exact and not unsure else f"; undecided: {unsure[0] if unsure else 'the terms do not add up'}"
    return Check(what + note, "proved", exact and not unsure)


def swept(gap: Callable[[Any], Any], cases: Iterable[Any], what: str, tol: Any = 0, because: str = "") -> Check:
    """`gap(case)` is at most `tol` in every seeded case (0 and exact cases where arithmetic is exact); the worst is shown."""
    gaps = [max(map(exactly, leaves(gap(case)))) for case in cases]
    worst = max(gaps)
    passed = worst <= exactly(tol)
    seen = f"within {tol:.2g}: {because}" if tol and passed else f"worst {show(worst)}, at most {tol:.2g}"
    return Check(f"{what}: {len(gaps)} cases, {seen}", "swept", passed)


# -- facts ------------------------------------------------------------------------------------------------------------


def shows(fact: Any, what: str) -> Check:
    """A decided yes-or-no fact, computed: a set is this, an order is that."""
    return Check(what, "exact", as_fact(fact))


def refuses(error: type[Exception], call: Callable[[], Any], what: str) -> Check:
    """`call()` raises `error`: the thing asked for does not exist."""
    try:
        call()
    except error as found:
        return Check(f"{what}: {found}", "exact", True)
    return Check(f"{what}: no {error.__name__} was raised", "exact", False)


def sourced(citation: str, *, against: bool = False) -> Check:
    """A citation (a date, a page, two lines of the document that contradict each other) where nothing is computed."""
    return Check(citation, "sourced", bool(citation.strip()), "refutation" if against else "source")


# -- refutations ------------------------------------------------------------------------------------------------------


def differs(stated: Any, truth: Any, what: str = "", apart: float = 0.0) -> Check:
    """The stated value is not the true one: an exact non-zero gap; for floats a gap above `apart`, which must be given.

    A printed number differs when the truth does not round to it.
    """
    inexact = has_float(stated) or has_float(truth)
    if inexact and not apart and not any(isinstance(x, Printed) for x in leaves(stated)):
        raise TypeError("differs() on floats needs apart=: the smallest gap that rounding cannot make")
    gap = distance(stated, truth)
    room = max([x.half_unit for x in leaves(stated) if isinstance(x, Printed)], default=Fraction(0))
    passed = (
        gap > max(float(room), apart)
        if inexact
        else not same(stated, truth) and (not room or gap_exact(stated, truth) > room)
    )
    rung = "close" if inexact else "exact"
    return Check(told(what, f"stated {show(stated)}, but {show(truth)}"), rung, passed, "refutation")


def exceeds(left: Any, right: Any, what: str = "") -> Check:
    """A stated left ≤ right fails at this point: left > right, exactly."""
    rung = "close" if has_float(left) or has_float(right) else "exact"
    return Check(
        told(what, f"stated {show(left)} ≤ {show(right)}, but it is larger"),
        rung,
        ordered(right, left, True),
        "refutation",
    )


def against(fact: Any, what: str) -> Check:
    """A decided fact that contradicts the statement."""
    return Check(what, "exact", as_fact(fact), "refutation")


# -- reading values ---------------------------------------------------------------------------------------------------


def above(tol: float, x: Any) -> Any:
    """The value as it is shown: floats within the tolerance of 0 as 0, since their digits differ between machines."""
    if isinstance(x, (list, tuple)):
        return type(x)(above(tol, entry) for entry in x)
    if isinstance(x, np.ndarray):
        return above(tol, x.tolist())
    return 0.0 if isinstance(x, (float, np.floating)) and abs(float(x)) <= tol else x


def told(what: str, shown: str) -> str:
    return f"{what}: {shown}" if what else shown


def as_fact(fact: Any) -> bool:
    if not isinstance(fact, (bool, np.bool_)):
        raise TypeError(f"a fact is True or False, not {fact!r}")
    return bool(fact)


def leaves(x: Any) -> list[Any]:
    """Numbers out of arrays, lists, tuples and dicts, in order."""
    if isinstance(x, np.ndarray):
        return list(x.flat)
    if isinstance(x, dict):
        return [leaf for value in x.values() for leaf in leaves(value)]
    if isinstance(x, (list, tuple)):
        return [leaf for value in x for leaf in leaves(value)]
    return [x]


def has_float(x: Any) -> bool:
    return any(isinstance(leaf, (float, np.floating)) for leaf in leaves(x))


def same(left: Any, right: Any) -> bool:
    if isinstance(left, (set, frozenset, str)) or isinstance(right, (set, frozenset, str)):
        return bool(left == right)
    a, b = leaves(left), leaves(right)
    return len(a) == len(b) and all(bool(value_of(x) == value_of(y)) for x, y in zip(a, b, strict=True))


def value_of(x: Any) -> Any:
    if isinstance(x, Printed):
        return x.value
    if type(x).__module__.partition(".")[0] == "sympy":
        import sympy

        reduced = sympy.cancel(x)
        return Fraction(int(reduced.p), int(reduced.q)) if reduced.is_Rational else reduced
    return x


def broadcast(left: Any, right: Any) -> list[tuple[Any, Any]]:
    a, b = leaves(left), leaves(right)
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        raise ValueError(f"{len(a)} values against {len(b)}")
    size = max(len(a), len(b))
    return list(zip(a * (size // len(a)), b * (size // len(b)), strict=True))


def distance(left: Any, right: Any) -> float:
    gaps = [
        abs(float(x.value if isinstance(x, Printed) else x) - float(y.value if isinstance(y, Printed) else y))
        for x, y in broadcast(left, right)
    ]
    return float("inf") if any(np.isnan(gap) for gap in gaps) else max(gaps)


def gap_exact(left: Any, right: Any) -> Fraction:
    return max(abs(exactly(x) - exactly(y)) for x, y in broadcast(left, right))


def ordered(left: Any, right: Any, strict: bool = False) -> bool:
    pairs = [(value_of(x), value_of(y)) for x, y in broadcast(left, right)]
    return all(bool(x < y) if strict else bool(x <= y) for x, y in pairs)
