"""Every statement of the catalogue is proved, stands at random rational points, and has a wrong variant that does not."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

import rlexact.symbolic as room
from rlexact.symbolic import Inequality, statements
from rlexact.symbolic.identity import entries

ALL = {name: build() for name, build in statements().items()}
EQUALITIES = [name for name, statement in ALL.items() if not isinstance(statement, Inequality)]
INEQUALITIES = [name for name in ALL if name not in EQUALITIES]


@pytest.mark.parametrize("name", ALL)
def test_it_is_proved(name):
    assert ALL[name].proved() is True


@pytest.mark.parametrize("name", ALL)
def test_it_stands_at_random_rational_points(name):
    """The second route: both sides as written, evaluated exactly or enclosed, no normal form taken."""
    statement = ALL[name]
    gaps = list(statement.gaps(seed=1, tries=2))
    assert gaps
    assert not any(map(statement.fails, gaps))


@pytest.mark.parametrize("name", EQUALITIES)
def test_a_sign_and_a_factor_are_refuted(name):
    statement = ALL[name]
    for wrong in (-statement.right, statement.right * sympy.Rational(1001, 1000)):
        assert statement.with_right(wrong).refuted_at(seed=3) is not None


@pytest.mark.parametrize("name", EQUALITIES)
def test_an_error_in_any_one_entry_is_refuted_and_not_proved(name):
    """Each entry of a vector statement is checked by itself."""
    statement = ALL[name]
    for k in range(len(entries(statement.right))):
        assert statement.with_right(bumped(statement.right, k)).refuted_at(seed=4, tries=1) is not None


def bumped(right, k):
    """1/1000 added to one entry."""
    if not isinstance(right, sympy.MatrixBase):
        return right + sympy.Rational(1, 1000)
    other = right.as_mutable()
    other[k] += sympy.Rational(1, 1000)
    return other


@pytest.mark.parametrize("name", INEQUALITIES)
def test_the_reverse_is_refuted_and_a_missing_term_leaves_it_unproved(name):
    statement = ALL[name]
    assert replace(statement, left=statement.right, right=statement.left).refuted_at(seed=5) is not None
    assert replace(statement, terms=statement.terms[1:]).proved() is None
    assert replace(statement, terms=tuple(-t for t in statement.terms)).proved() is None


@pytest.mark.parametrize("name", ALL)
def test_it_can_be_read(name):
    statement = ALL[name]
    assert "" not in (statement.says, statement.source)
    assert statement.name in repr(statement)
    latex = statement._repr_latex_()
    assert latex[0] == latex[-1] == "$"
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")


def test_every_file_with_a_statement_is_in_the_catalogue():
    folder = Path(room.__file__).parent
    stated = {
        path.stem
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(d, ast.Call) and ast.unparse(d.func) in ("identity", "inequality") for d in node.decorator_list
        )
    }
    assert stated == set(room.ROOMS)
