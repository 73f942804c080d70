"""The findings of the audit as a reader meets them: ERRATA.md, the table of worked examples, and the index of notebooks.

All three are views of the claims, never sources. `rlexact errata` runs the claims and prints the first; the index reads
verdicts as they are stated, and runs nothing. Findings are ordered by what they would mislead: code first, then proofs,
then numbers, then words; wrong before conditional.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rlexact import ledger
from rlexact.claims import Claim
from rlexact.ledger import Entry, SectionFile

MISLEADS = {
    "code": ("algorithm", "code", "identity", "missing_formula"),
    "a proof": ("theorem", "derivation"),
    "with a number": ("worked_example", "numeric", "table"),
    "by a word": ("definition", "advice"),
}
DECISIVE = ("wrong", "conditional")
PREFACE = """# Errata of the five documents

Written by `rlexact errata` from the claims in `worked_examples/`; a test fails where this page and the claims disagree. Each
finding was earned by running evidence: a counterexample against the statement, and a check that passes for what is right.

- **wrong**: the statement fails as it stands; *right* is what holds in its place.
- **conditional**: the statement holds under a condition that the document does not state. *Right* names the condition, and the
  counterexample shows the statement failing without it. It is no fault of taste: code or a proof that relies on the
  statement without the condition breaks there.
- The word after the verdict is the strongest evidence: proved (a symbolic residual is zero), exact (rationals), enclosed
  (a rigorous interval), close (floats, tolerance stated), swept (seeded random models), sourced (a citation).

Within a document, what would mislead code comes first, then proofs, numbers and words. `rlexact show ID` runs one finding.
"""


@dataclass(frozen=True)
class Finding:
    """A wrong or conditional claim after its run, and the places elsewhere that repeat it."""

    entry: Entry
    claim: Claim
    repeated: tuple[str, ...]
    name: str

    @property
    def misleads(self) -> str:
        """What it would mislead, by the weightiest kind among its places."""
        kinds = {ledger.places()[place]["kind"] for place in self.claim.places if place in ledger.places()}
        return next(what for what, of in MISLEADS.items() if kinds & set(of))

    @property
    def cell(self) -> str:
        return cell_id(self.name)

    @property
    def counterexample(self) -> str:
        assert self.entry.report is not None
        return next((check.what for check in self.entry.report.checks if check.kind == "refutation"), "")

    def lines(self) -> list[str]:
        assert self.entry.report is not None
        verdict = self.claim.verdict
        right = verdict.instead if verdict.word == "wrong" else verdict.given  # type: ignore[union-attr]
        also = f"; repeated at {', '.join(self.repeated)}" if self.repeated else ""
        return [
            f"#### {', '.join(self.claim.places)}: {verdict.word}, {self.entry.report.evidence}{also}\n",
            f"- *Says*: {self.claim.says}",
            f"- *Right*: {'' if verdict.word == 'wrong' else 'only given: '}{right}",
            *([f"- *Because*: {verdict.because}"] if verdict.word == "wrong" else []),  # type: ignore[union-attr]
            f"- *Counterexample*: {self.counterexample}",
            f"- *Cell*: {link(self.entry.file, self.name, 'notebooks/')}\n",
        ]


def link(file: SectionFile, name: str, prefix: str) -> str:
    """A link to the notebook of a section, and the id of the cell in which `name` stands."""
    return f"[{file.name}]({prefix}{file.name}.ipynb), cell `{cell_id(name)}`"


def cell_id(name: str) -> str:
    """The id of the notebook cell that ends with this bare name."""
    return name.replace("_", "-").strip("-")[:60]


def runs() -> list[Entry]:
    """Every claim and repeat of every section, run."""
    return list(ledger.entries(ledger.items(ledger.sections())))


def findings(entries: Iterable[Entry]) -> list[Finding]:
    """What is wrong or conditional, ordered by document and consequence."""
    entries = list(entries)
    repeats = [e.repeat for e in entries if e.repeat]
    order = list(MISLEADS)
    found = [
        Finding(
            e,
            e.report.claim,
            tuple(p for r in repeats if r.of in e.places for p in r.places),
            e.report.claim.name,
        )
        for e in entries
        if e.report and e.report.claim.verdict.word in DECISIVE
    ]
    return sorted(
        found,
        key=lambda f: (
            ledger.DOCUMENTS.index(f.entry.file.path.parent.name),
            order.index(f.misleads),
            DECISIVE.index(f.claim.verdict.word),
        ),
    )


def errata(entries: Iterable[Entry]) -> str:
    """ERRATA.md."""
    found = findings(entries)
    parts = [PREFACE, "| document | wrong | conditional |", "|---|---|---|"]
    for document in ledger.DOCUMENTS:
        counts = Counter(f.claim.verdict.word for f in found if f.entry.file.path.parent.name == document)
        parts.append(f"| {document} | {counts['wrong']} | {counts['conditional']} |")
    heading = ("", "")
    for finding in found:
        document, misleads = finding.entry.file.path.parent.name, finding.misleads
        if document != heading[0]:
            parts.append(f"\n## {document}")
        if (document, misleads) != heading:
            parts.append(f"\n### What would mislead {misleads}\n")
        heading = (document, misleads)
        parts += finding.lines()
    return "\n".join(parts).rstrip("\n") + "\n"


# -- the worked examples ----------------------------------------------------------------------------------------------

EXAMPLES_HEAD = """# The worked examples

Written by `rlexact errata --examples` from the claims. Every place of the documents that works an example or prints a number:
what is printed, what was computed (exactly where the mathematics is exact), the verdict, and the cell.

| places | example | printed | computed | verdict | cell |
|---|---|---|---|---|---|
"""
EXAMPLES = ("worked_example", "numeric")
SHOWN = 5  # checks in a row of the table


def examples(entries: Iterable[Entry]) -> str:
    """docs/worked_examples.md: printed numbers beside exact values, with the cell that compares them."""
    entries = list(entries)
    judged = ledger.judgements(entries)
    repeats = {place: entry.repeat.of for entry in entries if entry.repeat for place in entry.places}
    together: dict[Any, list[str]] = {}
    for place, record in ledger.places().items():
        if record["kind"] in EXAMPLES and (first := repeats.get(place, place)) in judged:
            together.setdefault(judged[first], []).append(place)
    return EXAMPLES_HEAD + "\n".join(example(entry, places) for entry, places in together.items()) + "\n"


def example(entry: Entry, places: list[str]) -> str:
    """A row: the places that one claim settles together."""
    assert entry.report is not None
    claim, records = entry.report.claim, [ledger.places()[place] for place in places]
    stated = "; ".join(f"{k} = {v}" for record in records for k, v in record.get("stated", {}).items())
    columns = [
        ", ".join(places),
        "<br>".join(cell(record["statement"]) for record in records),
        cell(stated) or "in words",
        "<br>".join(cell(check.what) for check in entry.report.checks[:SHOWN]) or "nothing to compute",
        claim.verdict.word,
        link(entry.file, claim.name, "../notebooks/"),
    ]
    return f"| {' | '.join(columns)} |"


def cell(text: Any) -> str:
    """Text as a cell of a Markdown table."""
    return str(text).replace("|", r"\|").replace("\n", " ")


# -- the index --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """Markdown that a notebook displays."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def contents(document: str) -> Page:
    """The sections of a document with their verdicts, as links from the folder of notebooks."""
    lines = ["| section | places | holds | conditional | wrong | qualitative |", "|---|---|---|---|---|---|"]
    for file in sections_of(document):
        counts = Counter(c.verdict.word for c in file.claims)
        tally = " | ".join(str(counts[word]) for word in ("holds", "conditional", "wrong", "qualitative"))
        lines.append(f"| [{file.section.title}]({file.name}.ipynb) | {len(file.covers)} | {tally} |")
    return Page("\n".join(lines))


def findings_of(document: str) -> Page:
    """Every wrong and conditional claim of a document in a line, with the cell where it is shown."""
    return Page(
        "\n".join(
            f"- **{claim.verdict.word}** {', '.join(claim.places)}: {claim.says} ({link(file, claim.name, '')})"
            for file in sections_of(document)
            for claim in file.claims
            if claim.verdict.word in DECISIVE
        )
    )


def pictures(room: str) -> Page:
    """The notebooks that belong to no document: pictures of a room of the library."""
    files = [SectionFile(path) for path in sorted((ledger.root() / room).glob("*.py"))]
    return Page("\n".join(f"- [{file.section.title}]({file.name}.ipynb)" for file in files))


def sections_of(document: str) -> list[SectionFile]:
    return [file for file in ledger.sections() if file.path.parent.name == document]
