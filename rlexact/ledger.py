"""The ledger: every place of the documents, the sections that judge them, and what their claims report.

The sections are py:percent files in `worked_examples/` (inside `rlexact` once installed). They are loaded by path, so that
importing one has no side effect but its definitions, and can be executed afresh.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from rlexact.claims import Claim, Qualitative, Repeat, Report, Section, Wrong
from rlexact.claims.claim import Conditional

DOCUMENTS = ("foundations", "theory", "intro", "reference", "notes")
WORST_FIRST = ("wrong", "conditional", "holds", "qualitative")


def root() -> Path:
    """Where the sections and places lie: beside this file in an installation, beside the package in a checkout."""
    inside = Path(__file__).parent / "worked_examples"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "worked_examples"


@cache
def places() -> dict[str, dict[str, Any]]:
    """Every checkable statement: {place id: its document, line, kind and statement}.

    `own.jsonl` holds places of our own: what the documents show as images that are lost, in the standard form, sourced.
    """
    files = [root() / "places" / f"{name}.jsonl" for name in (*DOCUMENTS, "own")]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return {record["id"]: record for record in map(json.loads, lines)}


def derivations() -> dict[str, dict[str, str]]:
    """{place: the verdict that was derived a second time, from the document's line alone, with its decisive number}.

    `settled` says, where the two derivations differed, how a computation decided.
    """
    files = [root() / "derivations" / f"{d}.jsonl" for d in DOCUMENTS]
    lines = [line for file in files if file.exists() for line in file.read_text("utf-8").splitlines()]
    return {record["place"]: record for record in map(json.loads, lines)}


def section_of() -> dict[str, str]:
    """{place id: 'document/section'}, one section for every place."""
    table: dict[str, str] = json.loads((root() / "sections.json").read_text("utf-8"))
    return table


@dataclass(frozen=True)
class SectionFile:
    """One section: a py:percent file with prose, figures and claims."""

    path: Path

    @property
    def name(self) -> str:
        """'document/section'."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def module_name(self) -> str:
        return f"rlexact.worked_examples.{self.path.parent.name}.{self.path.stem}"

    def execute(self) -> ModuleType:
        """The section executed afresh, as a module."""
        spec = importlib.util.spec_from_file_location(self.module_name, self.path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module_name] = module
        spec.loader.exec_module(module)
        return module

    @cached_property
    def module(self) -> ModuleType:
        return self.execute()

    @property
    def section(self) -> Section:
        section: Section = self.module.SECTION
        return section

    @property
    def claims(self) -> list[Claim]:
        return claims_in(self.module)

    @property
    def repeats(self) -> list[Repeat]:
        return [x for x in vars(self.module).values() if isinstance(x, Repeat)]

    @property
    def covers(self) -> set[str]:
        return {place for c in self.claims for place in c.places} | {place for r in self.repeats for place in r.places}


def claims_in(module: ModuleType) -> list[Claim]:
    """The claims of a section in their order."""
    return [x for x in vars(module).values() if isinstance(x, Claim)]


def sections() -> list[SectionFile]:
    """Every section that exists, in the order of the documents and of their places."""
    files = [SectionFile(p) for d in DOCUMENTS for p in sorted((root() / d).glob("*.py")) if p.stem != "__init__"]
    order = {name: i for i, name in reversed(list(enumerate(section_of().values())))}
    return sorted(files, key=lambda f: order.get(f.name, len(order)))


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: a claim's report, or a repeat of another place, with the section it stands in."""

    file: SectionFile
    report: Report | None
    repeat: Repeat | None = None

    @property
    def places(self) -> tuple[str, ...]:
        return self.report.claim.places if self.report else self.repeat.places if self.repeat else ()


def entries(
    chosen: Iterable[tuple[SectionFile, Claim | Repeat]], tick: Callable[[], Any] = lambda: None
) -> Iterator[Entry]:
    """Run what was chosen, one entry at a time."""
    for file, item in chosen:
        yield Entry(file, item.run()) if isinstance(item, Claim) else Entry(file, None, item)
        tick()


def items(files: Iterable[SectionFile]) -> list[tuple[SectionFile, Claim | Repeat]]:
    return [(f, item) for f in files for item in vars(f.module).values() if isinstance(item, (Claim, Repeat))]


def row(entry: Entry, judged: dict[str, Entry]) -> dict[str, Any]:
    """The entry as it stands in the JSON ledger; a repeat carries the verdict of the place it repeats."""
    if entry.repeat is not None:
        first = judged.get(entry.repeat.of)
        base = row(first, judged) if first is not None else unjudged()
        own = {
            "id": f"{entry.repeat.places[0]}/same_as",
            "covers": list(entry.repeat.places),
            **whereabouts(entry.file),
        }
        return {**base, **own, "stated": entry.repeat.says, "same_as": entry.repeat.of}
    assert entry.report is not None
    claim = entry.report.claim
    verdict = claim.verdict
    correct = (
        verdict.instead if isinstance(verdict, Wrong) else verdict.given if isinstance(verdict, Conditional) else ""
    )
    because = verdict.because if isinstance(verdict, Wrong) else verdict.why if isinstance(verdict, Qualitative) else ""
    return {
        "id": claim.id,
        "covers": list(claim.places),
        **whereabouts(entry.file),
        "verdict": verdict.word,
        "evidence": entry.report.evidence,
        "passed": entry.report.passed,
        "stated": claim.says,
        "correct": correct,
        "because": because or getattr(verdict, "note", "") or entry.report.missing,
    }


def unjudged() -> dict[str, Any]:
    return {
        "verdict": "qualitative",
        "evidence": None,
        "passed": False,
        "correct": "",
        "because": "it repeats no judged place",
    }


def whereabouts(file: SectionFile) -> dict[str, str]:
    return {"document": file.section.document, "section": file.section.name}


def judgements(done: Iterable[Entry]) -> dict[str, Entry]:
    """{place: the entry that judges it}, the worst verdict of several; places that repeats point to are judged too."""
    done = list(done)
    table: dict[str, Entry] = {}
    elsewhere = {e.repeat.of for e in done if e.repeat} - {p for e in done if e.report for p in e.places}
    homes = {name for place, name in section_of().items() if place in elsewhere}
    more = [(f, x) for f, x in items(f for f in sections() if f.name in homes) if elsewhere & set(x.places)]
    for entry in (*done, *entries((f, x) for f, x in more if isinstance(x, Claim))):
        for place in entry.places if entry.report else ():
            if place not in table or rank(entry) < rank(table[place]):
                table[place] = entry
    return table


def rank(entry: Entry) -> int:
    assert entry.report is not None
    return WORST_FIRST.index(entry.report.claim.verdict.word)


def document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The ledger as JSON data: {"claims": [...], "uncovered": [...]}."""
    covered = {place for row in rows for place in row["covers"]}
    return {"claims": rows, "uncovered": [p for p in places() if p not in covered]}
