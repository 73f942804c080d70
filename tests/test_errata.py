"""ERRATA.md, the table of worked examples and the index agree with the claims; findings were derived twice."""

from pathlib import Path

import nbformat
import pytest

from rlexact import ledger
from rlexact.claims import Claim
from rlexact.errata import DECISIVE, errata, examples, findings
from tests.test_claims import CLAIMS, ITEMS, report_of

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def entries():
    return [
        ledger.Entry(file, report_of(x)) if isinstance(x, Claim) else ledger.Entry(file, None, x) for file, x in ITEMS
    ]


def test_the_errata_are_what_the_claims_say(entries):
    assert (ROOT / "ERRATA.md").read_text("utf-8") == errata(entries), "run `rlexact errata --output ERRATA.md`"


def test_the_worked_examples_are_what_the_claims_say(entries):
    page = ROOT / "docs" / "worked_examples.md"
    assert page.read_text("utf-8") == examples(entries), f"run `rlexact errata --examples --output {page}`"


def test_every_worked_example_has_its_row():
    page = (ROOT / "docs" / "worked_examples.md").read_text("utf-8")
    due = [place for place, record in ledger.places().items() if record["kind"] in ("worked_example", "numeric")]
    assert due
    assert not [place for place in due if place not in page]


def test_every_finding_has_what_a_reader_needs(entries):
    found = findings(entries)
    assert {f.claim.id for f in found} == {c.id for _, c in CLAIMS if c.verdict.word in DECISIVE}
    for finding in found:
        assert finding.counterexample, finding.claim.id
        assert finding.misleads


def test_findings_are_ordered_by_consequence(entries):
    """Within a document code comes before proofs, numbers and words, and wrong before conditional."""
    order = {what: i for i, what in enumerate(["code", "a proof", "with a number", "by a word"])}
    ranks = [
        (f.entry.file.path.parent.name, order[f.misleads], f.claim.verdict.word == "conditional")
        for f in findings(entries)
    ]
    for document in ledger.DOCUMENTS:
        mine = [rank for rank in ranks if rank[0] == document]
        assert mine == sorted(mine)


def test_every_finding_links_to_a_cell_that_exists(entries):
    for finding in findings(entries):
        notebook = nbformat.read(ROOT / "notebooks" / f"{finding.entry.file.name}.ipynb", as_version=4)
        assert finding.cell in {cell.id for cell in notebook.cells}, finding.claim.id


# -- derived twice ----------------------------------------------------------------------------------------------------

VERDICTS = {}
for _, c in CLAIMS:
    for place in c.places:
        VERDICTS[place] = min(VERDICTS.get(place, "qualitative"), c.verdict.word, key=ledger.WORST_FIRST.index)
DERIVED = ledger.derivations()


@pytest.mark.parametrize("place", [p for p, word in VERDICTS.items() if word in DECISIVE])
def test_a_finding_was_derived_twice(place):
    assert place in DERIVED, "worked_examples/derivations has no second derivation of this place"


@pytest.mark.parametrize("record", [r for p, r in DERIVED.items() if p in VERDICTS], ids=lambda r: r["place"])
def test_two_derivations_agree_or_say_how_they_were_settled(record):
    assert record["verdict"] in ledger.WORST_FIRST
    assert record["number"]
    agree = record["verdict"] == VERDICTS[record["place"]]
    assert agree == (not record.get("settled")), "equal verdicts need no settling, different ones do"
    assert agree or len(record["settled"].split()) > 5


def test_one_in_ten_of_what_holds_was_attacked_too():
    holds = [p for p, word in VERDICTS.items() if word == "holds"]
    assert sum(p in DERIVED for p in holds) >= len(holds) / 10


def test_derivations_are_of_places_that_exist():
    assert set(DERIVED) <= set(ledger.places())
