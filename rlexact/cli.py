"""`rlexact verify | show | errata | certify`: the documents' claims, and bounds on anybody's values, from the command line."""

import argparse
import difflib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rlexact import ledger
from rlexact.claims import Claim, Repeat
from rlexact.ledger import Entry, SectionFile

VERDICTS = ("holds", "conditional", "wrong", "qualitative")


class Unknown(ValueError):
    """A document, section or place that does not exist."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line.  Exit codes: 0 every verdict earned, 1 some not, 2 something asked for does not exist."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except Unknown as error:
        print(f"rlexact: {error}", file=sys.stderr)
        return 2
    return code


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="rlexact", description="Exact ground truth for reinforcement learning.")
    commands = top.add_subparsers(required=True, metavar="command")
    verify_ = commands.add_parser("verify", help="run the claims and show which verdicts are earned, and how")
    verify_.add_argument("ids", nargs="*", metavar="ID", help="places, or document/section names; all by default")
    verify_.add_argument("--document", action="append", default=[], choices=ledger.DOCUMENTS, help="only this document")
    verify_.add_argument("--section", action="append", default=[], help="only this section")
    verify_.add_argument(
        "--verdict", action="append", default=[], choices=VERDICTS, help="only claims with this verdict"
    )
    verify_.add_argument("--json", metavar="FILE", help="write the ledger as JSON ('-' for standard output)")
    verify_.add_argument("--list", action="store_true", help="also print every claim's verdict")
    verify_.set_defaults(run=verify)
    certify_ = commands.add_parser("certify", help="rigorous bounds on V* around values that came from anywhere")
    certify_.add_argument("model", metavar="MODEL", help="what MDP.save wrote (.npz or .json)")
    certify_.add_argument("values", metavar="V", help=".npy, a JSON list of numbers, or one number per line")
    certify_.add_argument("--tol", type=float, help="exit with 1 unless |V - V*| is certainly within this")
    certify_.set_defaults(run=certify)
    show_ = commands.add_parser("show", help="one place: statement, verdict, evidence, where it stands")
    show_.add_argument("id", metavar="ID", help="a place, such as theory-059")
    show_.set_defaults(run=show)
    errata_ = commands.add_parser("errata", help="run the claims and write ERRATA.md: every finding, the gravest first")
    errata_.add_argument("--examples", action="store_true", help="the table of worked examples instead")
    errata_.add_argument("--output", metavar="FILE", help="write to a file instead of standard output")
    errata_.set_defaults(run=write_errata)
    return top


# -- verify -----------------------------------------------------------------------------------------------------------


def verify(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    chosen = select(options)
    with tqdm(total=len(chosen), unit="claim", disable=None, leave=False) as bar:
        done = list(ledger.entries(chosen, bar.update))
    judged = ledger.judgements(done)
    rows = [ledger.row(entry, judged) for entry in done]
    if options.json:
        text = json.dumps(ledger.document(rows), indent=1, ensure_ascii=False) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
            return exit_code(rows)
        Path(options.json).write_text(text, "utf-8")
    print(summary(done, rows, listed=options.list))
    return exit_code(rows)


def exit_code(rows: list[dict[str, Any]]) -> int:
    return 0 if all(row["passed"] for row in rows) else 1


def select(options: argparse.Namespace) -> list[tuple[SectionFile, Claim | Repeat]]:
    files = ledger.sections()
    known = {f.name for f in files}
    for name in options.section:
        if not any(name in (full, full.partition("/")[2]) for full in known):
            raise Unknown(f"no section {name!r}; sections are {', '.join(sorted(known))}")
    items = ledger.items(
        f
        for f in files
        if (not options.document or f.path.parent.name in options.document)
        and (not options.section or f.name in options.section or f.path.stem in options.section)
    )
    for name in options.ids:
        check_known(name, known)
    if options.ids:
        asked = set(options.ids)
        items = [(f, x) for f, x in items if f.name in asked or asked & set(x.places)]
    if options.verdict:
        items = [(f, x) for f, x in items if isinstance(x, Claim) and x.verdict.word in options.verdict]
    if not items:
        raise Unknown("no claim matches: it may not be judged yet (rlexact verify --json - lists 'uncovered')")
    return items


def check_known(name: str, sections: set[str]) -> None:
    if name in sections:
        return
    known = [*ledger.places(), *sections]
    if name not in known:
        near = difflib.get_close_matches(name, known, 3)
        raise Unknown(f"no place or section {name!r}" + (f": did you mean {', '.join(near)}?" if near else ""))


def summary(done: list[Entry], found: list[dict[str, Any]], listed: bool = False) -> str:
    """The tally per document and section, then every failure in full."""
    rows = list(zip(done, found, strict=True))
    lines = [f"{'section':42}{'places':>7} {'holds':>7}{'cond.':>7}{'wrong':>7}{'qual.':>7}{'failed':>8}"]
    names = list(dict.fromkeys(entry.file.name for entry in done))
    for name in [*names, "all"]:
        part = [r for e, r in rows if name in (e.file.name, "all")]
        counts = Counter(r["verdict"] for r in part)
        covered = {p for r in part for p in r["covers"]}
        failed = sum(not r["passed"] for r in part)
        lines.append(f"{name:42}{len(covered):>7} " + "".join(f"{counts[v]:>7}" for v in VERDICTS) + f"{failed:>8}")
    if listed:
        lines += [f"{r['id']:60} {r['verdict']:12} {r['evidence'] or ''}" for _, r in rows]
    for entry, r in rows:
        if not r["passed"]:
            lines += ["", f"FAILED in {entry.file.name}", *(entry.report.lines() if entry.report else [str(r)])]
    evidence = Counter(r["evidence"] for _, r in rows if r["evidence"])
    lines += ["", "evidence: " + ", ".join(f"{n} {rung}" for rung, n in evidence.most_common())]
    known = ledger.places()
    uncovered = len(known) - len({p for r in (r for _, r in rows) for p in r["covers"]} & set(known))
    lines.append(f"{len(rows)} claims run; {uncovered} of {len(known)} places are outside this run or not judged yet")
    return "\n".join(lines)


def write_errata(options: argparse.Namespace) -> int:
    from rlexact.errata import errata, examples, runs

    entries = runs()
    text = examples(entries) if options.examples else errata(entries)
    if options.output:
        Path(options.output).write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
    return 0 if all(entry.report is None or entry.report.passed for entry in entries) else 1


def certify(options: argparse.Namespace) -> int:
    from rlexact.exact.certify import main_certify

    try:
        return main_certify(options.model, options.values, options.tol)
    except (ValueError, OSError) as error:
        raise Unknown(str(error)) from None


# -- show -------------------------------------------------------------------------------------------------------------


def show(options: argparse.Namespace) -> int:
    files = ledger.sections()
    place = ledger.places().get(options.id)
    if place is None:
        check_known(options.id, set())
        raise Unknown(f"{options.id} is a section: give a place")
    print(f"{place['id']}  {place['doc']}, line {place['line']}: {place['place']}  [{place['kind']}]")
    print(f"  {place['statement']}")
    home = ledger.section_of()[options.id]
    found = [(f, x) for f, x in ledger.items(f for f in files if f.name == home) if options.id in x.places]
    if not found:
        print(f"\nnot judged yet; it belongs to section {home}")
        return 0
    code = 0
    for file, item in found:
        print(f"\nworked_examples/{file.name}.py, notebook notebooks/{file.name}.ipynb, cell {cell_of(file, item)}")
        if isinstance(item, Repeat):
            print(f"  {item}")
            continue
        report = item.run()
        print("\n".join(report.lines()))
        code = max(code, 0 if report.passed else 1)
    print(second_opinion(options.id))
    return code


def second_opinion(place: str) -> str:
    """What the second derivation of a place found, from the document's line alone; empty where there is none."""
    record = ledger.derivations().get(place)
    if record is None:
        return ""
    settled = f"\n  settled: {record['settled']}" if record.get("settled") else ""
    return f"\nderived a second time: {record['verdict']}; {record['number']}\n  {record['reason']}{settled}"


def cell_of(file: SectionFile, item: Claim | Repeat) -> str:
    """The id of the notebook cell where a claim or a repeat stands."""
    from rlexact.errata import cell_id

    return cell_id(next(name for name, found in vars(file.module).items() if found is item))
