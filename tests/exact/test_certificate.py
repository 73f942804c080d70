"""Certificates of optima and of guesses, checked by code that shares nothing with the solvers, and tampered with."""

import json
import re
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import rlexact.certificate_check
from rlexact.arithmetic import NotExact
from rlexact.certificate_check import Refused, check
from rlexact.exact.certificate import certificate
from rlexact.exact.evaluation import policy_value
from rlexact.gallery import gambler, puterman_two_state, random_mdp, random_walk
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies
from rlexact.solution import Unbounded

SMALL_MODELS = [random_mdp(seed, 3, 2, terminal=seed % 2, masked=seed > 2) for seed in range(5)]


def best_of_all(mdp):
    return np.max([policy_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)


def as_files(mdp, v=None, **start):
    """What a certificate and its model look like once they have gone through JSON."""
    with tempfile.TemporaryDirectory() as folder:
        model, proof = Path(folder) / "model.json", Path(folder) / "proof.json"
        mdp.save(model)
        certificate(mdp, v, **start).save(proof)
        return json.loads(model.read_text()), json.loads(proof.read_text())


@pytest.mark.parametrize("mdp", [*SMALL_MODELS, puterman_two_state(), gambler(goal=8), random_walk(5)])
def test_certificates_of_the_optimum_have_no_gap(mdp):
    low, high = check(*as_files(mdp))
    weight = Fraction(1, int((~mdp.terminal).sum()))
    assert low == high == weight * best_of_all(mdp)[~mdp.terminal].sum()


@pytest.mark.parametrize("mdp", SMALL_MODELS)
def test_certificates_of_a_guess_hold_the_optimum(mdp):
    low, high = check(*as_files(mdp, [1.5, -2, 0.1], start=0))
    assert low <= best_of_all(mdp)[0] <= high
    assert low < high


TAMPERED = [
    ("values", lambda x: [str(Fraction(x[0]) - Fraction(1, 10**9)), *x[1:]], "below one backup"),
    ("values", lambda x: [str(Fraction(x[0]) + Fraction(1, 10**9)), *x[1:]], "below one backup|gap"),
    ("occupancy", lambda x: [row[:1] for row in x], "another number of actions"),
    ("start", lambda x: ["-1", *x[1:]], "negative"),
    ("occupancy", lambda x: [[str(Fraction(p) * 2) for p in row] for row in x], "flow"),
    ("occupancy", lambda x: [[str(-1 - Fraction(p)) for p in row] for row in x], "cannot be"),
    ("start", lambda x: [str(Fraction(x[0]) + 1), *x[1:]], "flow"),
    ("steps", lambda x: ["0"] * len(x), "does not count"),
    ("gap", lambda x: "1/7", "the certificate says 1/7"),
    ("values", lambda x: x[1:], "another number of states"),
]


@pytest.mark.parametrize(("field", "change", "message"), TAMPERED)
@pytest.mark.parametrize("mdp", [SMALL_MODELS[0], SMALL_MODELS[3], puterman_two_state()])
def test_tampering_with_a_certificate_is_refused(mdp, field, change, message):
    model, proof = as_files(mdp)
    proof[field] = change(proof[field])
    with pytest.raises(Refused, match=message):
        check(model, proof)


def test_tampering_with_the_model_is_refused():
    model, proof = as_files(SMALL_MODELS[0])
    lowered = json.loads(json.dumps(model))
    lowered["gamma"] = "-1/2"
    with pytest.raises(Refused, match=r"outside \[0, 1\]"):
        check(lowered, proof)
    for field, message in (("gamma", "backup|flow|count"), ("R", "backup|gap"), ("P", "no distribution")):
        changed = json.loads(json.dumps(model))
        if field == "gamma":
            changed["gamma"] = "19/20"
        elif field == "R":
            changed["R"][0][0] = ["100", "100", "100"]
        else:
            changed["P"][0][0][0] = str(Fraction(changed["P"][0][0][0]) + Fraction(1, 100))
        with pytest.raises(Refused, match=message):
            check(changed, proof)


def test_values_that_are_consistently_too_low_are_refused():
    model, proof = as_files(SMALL_MODELS[1])
    terminal = model["terminal"].index(True)
    proof["values"][terminal] = "-1"
    with pytest.raises(Refused, match="terminal state"):
        check(model, proof)


def test_the_checker_runs_alone_and_shares_no_code(tmp_path):
    mdp = puterman_two_state(Fraction(99, 100))
    mdp.save(tmp_path / "m.json")
    certificate(mdp).save(tmp_path / "c.json")
    source = Path(rlexact.certificate_check.__file__)
    imported = re.findall(r"^(?:from|import) ([\w.]+)", source.read_text(encoding="utf-8"), flags=re.M)
    assert set(imported) == {"json", "sys", "fractions", "pathlib", "typing"}
    command = [sys.executable, str(source), str(tmp_path / "m.json")]
    done = subprocess.run([*command, str(tmp_path / "c.json")], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "gap 0" in done.stdout
    (tmp_path / "c.json").write_text("{}")
    done = subprocess.run([*command, str(tmp_path / "c.json")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "refused: KeyError" in done.stdout


def test_what_has_no_certificate_says_why():
    with pytest.raises(NotExact, match="to_rational"):
        certificate(puterman_two_state().to_float())
    loop = MDP.from_outcomes({(0, 0): [("1", 0, -1, False)], (0, 1): [(1, None, -5, True)]}, 1)
    with pytest.raises(Unbounded, match="every policy to end"):
        certificate(loop)
