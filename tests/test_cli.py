"""The command line, as a checker uses it."""

import json
import subprocess
import sys

import pytest

from rlexact import cli, gallery, ledger

PLACE = "theory-045"


def test_verify_one_place(capsys):
    assert cli.main(["verify", PLACE]) == 0
    assert "theory/mdps_two_state_loop" in capsys.readouterr().out


def test_verify_writes_json(tmp_path):
    file = tmp_path / "ledger.json"
    assert cli.main(["verify", PLACE, "--json", str(file)]) == 0
    data = json.loads(file.read_text("utf-8"))
    (row,) = [r for r in data["claims"] if PLACE in r["covers"]]
    assert row["verdict"] == "wrong"
    assert row["evidence"] == "exact"
    assert row["passed"] is True
    assert row["document"] == "theory"
    assert row["correct"]
    assert row["because"]
    assert PLACE not in data["uncovered"]
    assert "theory-544" in data["uncovered"] or len(data["claims"]) > 300


@pytest.mark.parametrize("arguments", [["--verdict", "wrong"], ["--section", "mdps_two_state_loop"]])
def test_selection(arguments, capsys):
    assert cli.main(["verify", "--list", "--document", "theory", "--section", "mdps_two_state_loop", *arguments]) == 0
    assert PLACE in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify", "theory-45"], "did you mean"),
        (["show", "theory-9999"], "no place"),
        (["verify", "--section", "nowhere"], "no section"),
    ],
)
def test_what_does_not_exist_is_said(arguments, says, capsys):
    assert cli.main(arguments) == 2
    assert says in capsys.readouterr().err


def test_show(capsys):
    assert cli.main(["show", PLACE]) == 0
    shown = capsys.readouterr().out
    assert "theory, line 37" in shown
    assert "300/19" in shown
    assert "notebooks/theory/mdps_two_state_loop.ipynb" in shown


def test_show_a_place_not_judged_yet(capsys):
    judged = {p for f in ledger.sections() for p in f.covers}
    missing = [p for p in ledger.places() if p not in judged]
    if not missing:
        pytest.skip("every place is judged")
    assert cli.main(["show", missing[0]]) == 0
    assert "not judged yet" in capsys.readouterr().out


def test_a_verdict_that_is_not_earned_fails_the_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "theory").mkdir()
    (tmp_path / "places").mkdir()
    for name in ledger.DOCUMENTS:
        (tmp_path / "places" / f"{name}.jsonl").write_text(
            (ledger.root() / "places" / f"{name}.jsonl").read_text("utf-8")
        )
    (tmp_path / "sections.json").write_text((ledger.root() / "sections.json").read_text("utf-8"), "utf-8")
    (tmp_path / "theory" / "sample.py").write_text(
        "from rlexact.claims import *\nSECTION = Section('theory', 'sample', 'A sample')\n"
        "@claim('theory-001', says='one is two', verdict=Holds())\ndef false():\n    yield equal(1, 2)\n",
        "utf-8",
    )
    monkeypatch.setattr(ledger, "root", lambda: tmp_path)
    assert cli.main(["verify"]) == 1
    assert "NOT EARNED: check failed: 1 = 2" in capsys.readouterr().out


def test_the_module_runs_and_imports_no_matplotlib():
    code = (
        "import sys; from rlexact.cli import main; code = main(['verify', '--document', 'theory']); "
        "assert 'matplotlib' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert subprocess.run([sys.executable, "-m", "rlexact", "--help"], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("values", "code", "says"),
    [('["300/19", "270/19"]', 0, "error ≤ 0"), ('["12", "10.8"]', 1, "tolerance 0.001: missed")],
    ids=["V* itself", "the document's numbers"],
)
def test_certify_bounds_somebodys_values(tmp_path, capsys, values, code, says):
    """V* of the two-state loop is (300/19, 270/19)."""
    gallery.left_right_loop().save(tmp_path / "loop.json")
    (tmp_path / "v.json").write_text(values, "utf-8")
    assert cli.main(["certify", str(tmp_path / "loop.json"), str(tmp_path / "v.json"), "--tol", "1e-3"]) == code
    assert says in capsys.readouterr().out


def test_certify_says_what_is_wrong_with_a_file(tmp_path, capsys):
    (tmp_path / "broken.json").write_text("{", "utf-8")
    assert cli.main(["certify", str(tmp_path / "broken.json"), str(tmp_path / "no.json")]) == 2
    assert "broken.json" in capsys.readouterr().err


def test_show_tells_the_second_derivation(capsys):
    assert cli.main(["show", PLACE]) == 0
    said = capsys.readouterr().out
    record = ledger.derivations()[PLACE]
    assert f"derived a second time: {record['verdict']}; {record['number']}" in said


def test_errata_are_written_to_a_file(tmp_path, monkeypatch):
    """On one section: the whole page is compared in test_errata."""
    only = [file for file in ledger.sections() if file.name == "theory/mdps_two_state_loop"]
    monkeypatch.setattr(ledger, "sections", lambda: only)
    for options, word in (([], "#### theory-046: wrong, exact"), (["--examples"], "| theory-")):
        file = tmp_path / "page.md"
        assert cli.main(["errata", *options, "--output", str(file)]) == 0
        assert word in file.read_text("utf-8")
