"""Sabotage: with a function that a claim is about perturbed, the claim must fail.  A claim that still passes checks nothing.

A perturbation keeps the world of the numbers (× 1001/1000, a sign, a shift, a truth turned round), reaches every binding of
the function in the library and in the section, which is executed afresh, and counts only where it changes what the function
returns. Each function needs one perturbation that turns a check false; an exception is no catch. A claim about printed
numbers alone is run with those numbers shifted by two units in their last place.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from types import GeneratorType, ModuleType
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic.rational import RationalMatrix
from rlexact.claims import Check, Claim, Printed, Qualitative
from rlexact.ledger import SectionFile, claims_in
from rlexact.mdp import MDP

SECONDS = 30
KINDS = ("scale", "shift", "sign")


def survivors(file: SectionFile, claim: Claim) -> list[str]:
    """The functions (or 'the printed numbers') whose sabotage the claim does not notice: empty for a good claim."""
    if isinstance(claim.verdict, Qualitative):
        return []
    if not claim.about:
        return [] if only_sourced(claim) or caught_in_print(file, claim) else ["the printed numbers"]
    return [name_of(f) for f in claim.about if not any(caught(file, claim, f, kind) for kind in KINDS)]


def only_sourced(claim: Claim) -> bool:
    return all(check.rung == "sourced" for check in claim.run().checks)


def name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def caught(file: SectionFile, claim: Claim, function: Callable[..., Any], kind: str) -> bool:
    saboteur = Saboteur(function, kind)
    with bindings_replaced(function, saboteur):
        module = file.execute()
        local = getattr(module, function.__name__, None)
        if function.__module__ == module.__name__ and callable(local):
            saboteur = Saboteur(local, kind)
            setattr(module, function.__name__, saboteur)
        checks = checks_of(module, claim)
    return saboteur.changed and any(not check.passed for check in checks)


def caught_in_print(file: SectionFile, claim: Claim) -> bool:
    import rlexact.claims as claims

    honest = claims.printed

    def shifted(text: Any, digits: int | None = None) -> Any:
        found = honest(text, digits)
        if isinstance(found, list):
            return [shifted(entry, digits) for entry in text]
        return Printed(found.text, found.value + (4 * found.half_unit or 1), found.half_unit)

    with bindings_replaced(honest, shifted):
        return any(not check.passed for check in checks_of(file.execute(), claim))


def checks_of(module: ModuleType, claim: Claim) -> list[Check]:
    """The checks of the same claim in a freshly executed section, up to the first that fails, an exception or the limit."""
    fresh = next(c for c in claims_in(module) if c.name == claim.name)
    found: list[Check] = []
    with time_limit(SECONDS):
        try:
            for check in fresh.function():
                found.append(check)
                if not check.passed:
                    break
        except Exception:
            return found
    return found


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise TimeoutError(f"no answer within {seconds} s")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def bindings_replaced(target: Any, substitute: Any) -> Iterator[None]:
    """Every name in the library that is bound to `target`, in modules and as a method, bound to `substitute` for a while."""
    held = [
        (owner, name)
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").startswith("rlexact")
        for owner in (module, *classes_of(module))
        for name, value in list(vars(owner).items())
        if value is target
    ]
    for owner, name in held:
        setattr(owner, name, substitute)
    try:
        yield
    finally:
        for owner, name in held:
            setattr(owner, name, target)


def classes_of(module: ModuleType) -> list[type]:
    return [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]


class Saboteur:
    """Stands in for a function and perturbs what it returns."""

    def __init__(self, function: Callable[..., Any], kind: str) -> None:
        self.function, self.kind, self.changed = function, kind, False
        self.__name__, self.__module__ = function.__name__, function.__module__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.perturb(self.function(*args, **kwargs))

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else lambda *args, **kwargs: self(instance, *args, **kwargs)

    def perturb(self, x: Any) -> Any:
        if isinstance(x, (bool, np.bool_)):
            return self.note(not x) if self.kind == "shift" else x
        if isinstance(x, np.ndarray):
            return self.array(x)
        if isinstance(x, MDP):
            return self.model(x)
        if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
            return type(x)(self.perturb(e) for e in x)
        if isinstance(x, (set, frozenset)):
            return type(x)(self.perturb(e) for e in x)
        if isinstance(x, dict):
            return {key: self.perturb(e) for key, e in x.items()}
        if isinstance(x, GeneratorType):
            return (self.perturb(e) for e in x)
        if is_dataclass(x) and not isinstance(x, type):
            return replace(x, **{f.name: self.perturb(getattr(x, f.name)) for f in fields(x) if f.init})
        if isinstance(x, RationalMatrix) or hasattr(x, "tocsr") or type(x).__name__ == "SymbolicMatrix":
            return (
                self.note(x * (Fraction(1001, 1000) if self.kind != "sign" else -1))
                if exact(x)
                else self.note(x * 1.001)
            )
        return self.number(x)

    def note(self, x: Any) -> Any:
        self.changed = True
        return x

    def array(self, x: Any) -> Any:
        if x.dtype == bool:
            return self.note(~x) if self.kind == "shift" and x.size else x
        if x.dtype == object:
            out = np.empty(x.size, dtype=object)
            out[:] = [self.perturb(e) for e in x.flat]
            return out.reshape(x.shape)
        if x.dtype.kind not in "fiu":
            return x
        out = {"scale": x * 1.001, "shift": x + 0.001, "sign": -x}[self.kind]
        if x.dtype.kind in "iu":
            out = x if self.kind == "scale" else x + 1 if self.kind == "shift" else -x
        self.changed |= not np.array_equal(out, x)
        return out

    def number(self, x: Any) -> Any:
        if x is None or isinstance(x, (str, complex)) or callable(x):
            return x
        exactly = not isinstance(x, (float, np.floating))
        factor, step = (Fraction(1001, 1000), Fraction(1, 1000)) if exactly else (1.001, 0.001)
        if type(x).__module__.partition(".")[0] == "sympy":
            import sympy

            factor, step = sympy.Rational(1001, 1000), sympy.Rational(1, 1000)
        if isinstance(x, (int, np.integer)):  # a count or an index: a thousandth more of it would be no integer
            factor, step = 1, 1
        try:
            out = {"scale": x * factor, "shift": x + step, "sign": -x}[self.kind]
        except TypeError:
            return x
        return self.note(out) if out != x else x

    def model(self, mdp: MDP) -> MDP:
        """The same model with its rewards perturbed; a shift also moves a thousandth of every row to the first state."""
        parts = mdp._parts
        paid = np.where(mdp.available, self.perturb(parts.r), parts.r)
        law = parts.law and (*parts.law[:3], self.perturb(parts.law[3]))
        changed = replace(parts, r=paid, R=paid if np.ndim(parts.R) != 3 else self.perturb(parts.R), law=law)
        if self.kind == "shift" and mdp.world != "sparse float64":
            changed = replace(changed, kernel=self.note(leaning(parts.kernel)))
        return MDP.of_parts(changed)


def leaning(kernel: Any) -> Any:
    """Rows with a thousandth of their mass moved to the first state."""
    dense = ar.dense_array(kernel)
    part = ar.number(dense, "1/1000")
    moved = (1 - part) * dense
    moved[:, 0] = moved[:, 0] + part * dense.sum(axis=1)
    return ar.kernel_from(ar.tidy(moved))


def exact(x: Any) -> bool:
    return isinstance(x, RationalMatrix) or type(x).__name__ == "SymbolicMatrix"
