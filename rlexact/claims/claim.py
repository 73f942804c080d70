"""Claims, verdicts and reports: a verdict is what a claim says, a report is whether its checks earn it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rlexact.claims.checks import RUNGS, Check


@dataclass(frozen=True)
class Section:
    """A section of a document, the one that this file is about."""

    document: str
    name: str
    title: str


@dataclass(frozen=True)
class Holds:
    """The statement is right as it stands; `note` may add what it does not say."""

    note: str = ""
    word = "holds"


@dataclass(frozen=True)
class Conditional:
    """The statement is right under a condition that it does not state."""

    given: str
    word = "conditional"


@dataclass(frozen=True)
class Wrong:
    """The statement is wrong: why, and what is right instead."""

    because: str
    instead: str
    word = "wrong"


@dataclass(frozen=True)
class Qualitative:
    """No computation decides the statement: why not."""

    why: str
    word = "qualitative"


Verdict = Holds | Conditional | Wrong | Qualitative


@dataclass(frozen=True)
class Report:
    """A claim after its checks ran."""

    claim: "Claim"
    checks: tuple[Check, ...]
    error: str = ""

    @property
    def evidence(self) -> str | None:
        """The strongest rung among the checks that passed; None for a qualitative claim."""
        rungs = [check.rung for check in self.checks if check.passed]
        return min(rungs, key=RUNGS.index) if rungs and not isinstance(self.claim.verdict, Qualitative) else None

    @cached_property
    def missing(self) -> str:
        """What the verdict still lacks; empty when it is earned."""
        if self.error:
            return self.error
        failed = [check.what for check in self.checks if not check.passed]
        if failed:
            return f"check failed: {failed[0]}"
        kinds = [check.kind for check in self.checks]
        supported = any(kind in ("support", "bound", "tight", "source") for kind in kinds)
        refuted = "refutation" in kinds
        if "bound" in kinds and "tight" not in kinds:
            return "a bound needs a tight witness, on which a constant 0.1 % smaller fails"
        match self.claim.verdict:
            case Qualitative():
                return "a qualitative claim has no checks" if kinds else ""
            case Holds():
                if refuted:
                    return "a statement that holds is not refuted"
                return "" if supported else "no check supports it"
            case Conditional():
                if not refuted:
                    return "no refutation shows it failing without its condition"
                return "" if supported else "no check supports it under its condition"
            case Wrong():
                if not refuted:
                    return "no refutation shows it failing"
                return "" if supported else "no check supports the corrected form"

    @property
    def passed(self) -> bool:
        return not self.missing

    def lines(self) -> list[str]:
        """The report as text, one line per check."""
        claim = self.claim
        head = f"{', '.join(claim.places)}: {claim.verdict.word}" + (f" ({self.evidence})" if self.evidence else "")
        words = [f"  {name}: {value}" for name, value in vars(claim.verdict).items() if value]
        tail = [] if self.passed else [f"  NOT EARNED: {self.missing}"]
        return [head, f"  says: {claim.says}", *words, *(f"  {check}" for check in self.checks), *tail]

    def markdown(self) -> str:
        """The report as a notebook shows it."""
        claim = self.claim
        words = " · ".join(f"**{name}** {value}" for name, value in vars(claim.verdict).items() if value)
        seal = claim.verdict.word if self.passed else f"{claim.verdict.word} — NOT EARNED: {self.missing}"
        head = f"**{seal}**" + (f" · {self.evidence}" if self.evidence else "") + f" · {', '.join(claim.places)}"
        rows = [f"| {'✓' if c.passed else '✗'} | {c.kind} | {c.rung} | {escaped(c.what)} |" for c in self.checks]
        table = ["", "| | | evidence | check |", "|---|---|---|---|", *rows] if rows else []
        return "\n".join([head, "", f"> {claim.says}", "", words, *table])


def escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


@dataclass(frozen=True, eq=False)
class Claim:
    """A statement of the documents, its verdict, and the generator of the checks that earn it.

    `about` names the functions that the evidence rests on: with any of them perturbed, the claim must fail.
    """

    places: tuple[str, ...]
    says: str
    verdict: Verdict
    about: tuple[Callable[..., Any], ...]
    function: Callable[[], Iterator[Check]] = field(repr=False)

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def id(self) -> str:
        return f"{self.places[0]}/{self.name}"

    def run(self) -> Report:
        """Run the checks; an exception is reported, never swallowed."""
        checks: list[Check] = []
        try:
            for check in self.function() or ():
                checks.append(check)
        except Exception as error:
            return Report(self, tuple(checks), f"{type(error).__name__}: {error}")
        return Report(self, tuple(checks))

    def __repr__(self) -> str:
        return "\n".join(self.run().lines())

    def _repr_markdown_(self) -> str:
        return self.run().markdown()


@dataclass(frozen=True)
class Repeat:
    """Places that say the same as a place judged elsewhere."""

    places: tuple[str, ...]
    of: str
    says: str
    name: str = "same_as"

    def __repr__(self) -> str:
        return f"{', '.join(self.places)}: the same as {self.of}. {self.says}"

    def _repr_markdown_(self) -> str:
        return f"*{', '.join(self.places)}* says the same as **{self.of}**: {self.says}"


def claim(
    *places: str, says: str, verdict: Verdict, about: Any = ()
) -> Callable[[Callable[[], Iterator[Check]]], Claim]:
    """Decorator: a generator of checks becomes a claim about these places.

    An empty `about` is for arithmetic on printed numbers, and for qualitative and sourced claims, only.
    """
    if not places:
        raise ValueError("a claim covers at least one place")
    functions = about if isinstance(about, (tuple, list)) else (about,)
    return lambda function: Claim(places, says, verdict, tuple(functions), function)


def same_as(*places: str, of: str, says: str) -> Repeat:
    """These places repeat what place `of` says; it was checked that the words, signs and conditions are the same."""
    return Repeat(places, of, says)
