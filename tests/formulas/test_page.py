"""docs/formulas.md against the code: every formula states its equation, source and a worked number, every loss its gradient."""

import ast
import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

from rlexact import ledger
from rlexact.claims import Claim

ROOT = Path(__file__).parent.parent.parent
SPEC = importlib.util.spec_from_file_location("docs_build_formulas", ROOT / "docs" / "build.py")
build = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = build  # a dataclass looks its module up by name
SPEC.loader.exec_module(build)
FORMULAS = list(build.formulas())
NAMES = {(f.module, f.name) for f in FORMULAS}
DOORS = {"batch"}  # what every formula checks with; no formula


def imported_by_tests():
    """(module, name) of every function of the room that its tests import."""
    for path in (ROOT / "tests" / "formulas").glob("test_*.py"):
        for node in ast.walk(build.tree(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rlexact.formulas."):
                yield from ((node.module.rpartition(".")[2], alias.name) for alias in node.names)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f"{f.module}.{f.name}")
def test_a_formula_states_what_it_is(formula):
    node = build.functions(build.FORMULAS / f"{formula.module}.py")[formula.name]
    text = ast.get_docstring(node)
    assert "->" in formula.says, "the first line says the shapes"
    assert formula.equation, "the equation is an indented block under the first line"
    assert formula.source.rstrip(".")
    assert ">>> " in text, "a worked number is missing"
    assert node.returns is not None


@pytest.mark.parametrize(
    "formula", [f for f in FORMULAS if f.name.endswith(("_loss", "_surrogate"))], ids=lambda f: f.name
)
def test_a_loss_has_its_gradient_beside_it(formula):
    assert (formula.module, f"{formula.name}_gradient") in NAMES


def test_every_formula_is_tested():
    tested = set(imported_by_tests())
    assert not (missing := sorted(f"{m}.{n}" for m, n in NAMES - tested)), f"no test imports {missing}"


def test_every_public_function_that_tests_import_is_a_formula():
    """A documented function that users are shown has its row on the page."""
    for module, name in set(imported_by_tests()):
        path = build.FORMULAS / f"{module}.py"
        node = build.functions(path).get(name)
        if module not in DOORS and node is not None and len((ast.get_docstring(node) or "").splitlines()) > 1:
            assert (module, name) in NAMES, f"{module}.{name} names no source"


def test_every_formula_is_claimed_or_says_why_not():
    claimed = {
        (function.__module__.rpartition(".")[2], function.__name__)
        for _, item in ledger.items(ledger.sections())
        if isinstance(item, Claim)
        for function in item.about
        if function.__module__.startswith("rlexact.formulas.")
    }
    reasons = tomllib.loads((ledger.root() / "unclaimed.toml").read_text("utf-8"))["formulas"]
    listed = {(module, name) for module, entry in reasons.items() for name in entry["names"]}
    assert NAMES - claimed == listed, "name it in a claim's about=, or give the reason in unclaimed.toml"
    assert all(len(entry["why"].split()) > 3 for entry in reasons.values())


def test_the_page_is_what_build_writes():
    assert build.FORMULAS_PAGE.read_text("utf-8") == build.formulas_page(), (
        "docs/formulas.md is stale: python docs/build.py"
    )
