"""Imports point down only, and `import rlexact` stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rlexact

ROOT = Path(rlexact.__file__).parent
FLOOR = {
    "arithmetic": 0,
    "certificate_check": 0,  # stands alone: a wrong solver must not approve its own answer
    # the model, and the parts it is made of
    **dict.fromkeys(
        ["mdp", "invalid", "places", "rows", "door", "outcomes", "conversion", "storage", "formats", "display"], 1
    ),
    **dict.fromkeys(["solution", "claims"], 1),
    **dict.fromkeys(["policy", "gallery"], 2),
    **dict.fromkeys(["exact", "formulas", "symbolic"], 3),
    **dict.fromkeys(["learning", "interop", "plotting", "conformance"], 4),
    **dict.fromkeys(["worked_examples", "ledger", "sabotage", "errata", "cli", "__main__"], 5),
    "": 9,  # the front door
}
BLIND = {3, 4}  # rooms of these floors do not see each other ...
MAY = {("conformance", "interop")}  # ... but for these


def room(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imported(path: Path) -> list[tuple[int, str]]:
    """(line, dotted module) of every import of ours, also inside functions; those for type checkers only are exempt."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return found_in(tree, package=["rlexact", *path.relative_to(ROOT).parts[:-1]])


def found_in(node: ast.AST, package: list[str]) -> list[tuple[int, str]]:
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        return [hit for child in node.orelse for hit in found_in(child, package)]
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        names = [f"{module}.{alias.name}" if module == "rlexact" else module for alias in node.names]
    else:
        return [hit for child in ast.iter_child_nodes(node) for hit in found_in(child, package)]
    return [(node.lineno, name) for name in names if name == "rlexact" or name.startswith("rlexact.")]


def trespasses(source: str, target: str) -> str:
    """Why `source` may not import `target`; empty where it may."""
    if target not in FLOOR:
        return f"'{target}' stands on no floor: give it one in tests/test_floors.py and in the design's list"
    if source == target:
        return ""
    if FLOOR[source] in BLIND and FLOOR[source] == FLOOR[target] and (source, target) not in MAY:
        return f"'{source}' and '{target}' are rooms of floor {FLOOR[source]} and do not see each other"
    if FLOOR[target] > FLOOR[source]:
        return f"'{source}' (floor {FLOOR[source]}) imports up, from '{target}' (floor {FLOOR[target]})"
    return ""


FILES = sorted(path for path in ROOT.rglob("*.py") if "worked_examples" not in path.parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    source = room(path)
    assert source in FLOOR, f"{path.name} belongs to '{source}', which stands on no floor: add it to the list"
    for line, name in imported(path):
        target = [*name.split("."), ""][1]
        if source == "" or target.startswith("__"):
            continue
        assert not (why := trespasses(source, target)), f"{path.relative_to(ROOT)}:{line}: {why}"


def test_the_walk_sees_every_kind_of_import(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "exact" / "x.py"
    file.parent.mkdir()
    file.write_text(
        "from typing import TYPE_CHECKING\nimport rlexact.cli\nfrom rlexact import learning\n"
        "if TYPE_CHECKING:\n    from rlexact.plotting import heatmap\n"
        "def f():\n    from ..interop import gymnasium\n    from rlexact.formulas.gae import gae\n"
    )
    names = [name for _, name in imported(file)]
    assert names == ["rlexact.cli", "rlexact.learning", "rlexact.interop", "rlexact.formulas.gae"]
    assert all(trespasses("exact", name.split(".")[1]) for name in names)


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [
        ("exact", "formulas", False),
        ("exact", "mdp", True),
        ("mdp", "policy", False),
        ("conformance", "interop", True),
        ("interop", "conformance", False),
        ("learning", "exact", True),
        ("mdp", "door", True),
        ("arithmetic", "mdp", False),
        ("exact", "cellar", False),
    ],
)
def test_the_rule(source, target, allowed):
    assert (trespasses(source, target) == "") is allowed


def test_import_stays_light():
    """A float model is built and solved without SymPy, Matplotlib or Gymnasium being loaded."""
    program = (
        "import sys, rlexact\n"
        "m = rlexact.MDP([[[0.5, 0.5]], [[0, 1]]], [[1.0], [0.0]], 0.9, terminal=[1])\n"
        "rlexact.policy_value(m, rlexact.uniform(m)); repr(m); m == m\n"
        "print(*(x for x in ('sympy', 'matplotlib', 'gymnasium', 'tqdm') if x in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT.parent, check=True)
    assert run.stdout.strip() == ""


def test_every_export_exists_and_stands_in_the_list():
    for name in rlexact.__all__:
        assert getattr(rlexact, name) is not None
    assert len(set(rlexact.__all__)) == len(rlexact.__all__)
    assert set(rlexact.__all__) <= set(dir(rlexact))
    with pytest.raises(AttributeError, match="no_such_name"):
        rlexact.no_such_name  # noqa: B018
