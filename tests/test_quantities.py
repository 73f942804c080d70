"""The table of quantities against the code: every public one has a row, every row a function and a test that uses it."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
build = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = build  # a dataclass looks its module up by name
SPEC.loader.exec_module(build)
ROWS = list(build.rows())


def words(node):
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def in_reach(path, test):
    """Every name that a test uses, itself or through functions, constants and parameters of its file."""
    tree = build.tree(path)
    parts = dict(build.functions(path))
    for node in tree.body:
        if isinstance(node, ast.Assign):
            parts |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    seen, todo = set(), {test}
    while todo:
        name = todo.pop()
        seen.add(name)
        if name in parts:
            todo |= words(parts[name]) - seen
    return seen


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.module}.{row.name}")
def test_function_and_test_exist(row):
    assert row.name in build.functions(build.ROOM / f"{row.module}.py"), f"{row.module}.py has no {row.name}"
    path = build.TESTS / row.test_file
    assert row.test.rpartition("::")[2].startswith("test_")
    assert row.test in build.functions(path), f"{row.test_id} does not exist"
    assert row.name in in_reach(path, row.test), f"{row.test_id} does not use {row.name}"
    assert row.guarantee in {"exact", "enclosed", "bounded", "close"}
    assert row.worlds
    assert set(row.worlds.split()) <= {"dense", "sparse", "rational", "symbolic"}
    assert row.route


def test_every_public_quantity_has_a_row():
    listed = {f"{row.module}.{row.name}" for row in ROWS}
    assert len(listed) == len(ROWS)
    missing = build.public() - listed - build.inner()
    assert not missing, f"docs/quantities.toml has no row for {sorted(missing)}"
    assert not listed & build.inner()
    assert build.inner() <= build.public(), f"not there: {sorted(build.inner() - build.public())}"


def test_the_page_is_what_build_writes():
    assert build.PAGE.read_text("utf-8") == build.page(), "docs/quantities.md is stale: run `python docs/build.py`"
