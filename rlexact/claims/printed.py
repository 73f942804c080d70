"""A number as a document prints it, with the tolerance that its own digits imply.

`printed("3.33")` stands for every number that rounds to it, both ends included: 3.33 ± 0.005. It needs a decimal point or
a mantissa; a bare integer is exact, unless `digits=` says to how many significant digits the document rounds.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Printed:
    """A printed number: its text, its value, and half a unit in its last place (0 for a bare integer)."""

    text: str
    value: Fraction
    half_unit: Fraction

    def __str__(self) -> str:
        return self.text

    def holds(self, x: Any) -> bool:
        """Whether `x` (exact, or a float read exactly) rounds to what is printed."""
        return abs(exactly(x) - self.value) <= self.half_unit


def exactly(x: Any) -> Fraction:
    """A number as the rational it is: floats in binary, SymPy rationals as they stand."""
    if isinstance(x, Printed):
        return x.value
    if type(x).__module__.partition(".")[0] == "sympy":
        return Fraction(int(x.p), int(x.q))
    return Fraction(x.item() if hasattr(x, "item") else x)


def printed(text: Any, digits: int | None = None) -> Any:
    """The document's number `text`, or a (nested) list of them.  Raises `ValueError` for what is not a number."""
    if isinstance(text, (list, tuple)):
        return [printed(entry, digits) for entry in text]
    try:
        value = Decimal(text)
    except (InvalidOperation, TypeError):
        raise ValueError(f"printed({text!r}): give the document's digits as a string") from None
    if not value.is_finite():
        raise ValueError(f"printed({text!r}) is not a finite number")
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if digits is not None:
        exponent = value.adjusted() - digits + 1
    elif "." not in text and "e" not in text.lower():
        return Printed(text, Fraction(value), Fraction(0))
    return Printed(text, Fraction(value), Fraction(10) ** exponent / 2)
