"""Writes docs/quantities.md (from the code of rlexact/exact, its tests and docs/quantities.toml) and docs/formulas.md (from
the docstrings of rlexact/formulas): `python docs/build.py`.

A function is public where a test imports it by name. The code is read, never run.
"""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
ROOM = ROOT / "rlexact" / "exact"
TESTS = ROOT / "tests" / "exact"
PAGE = DOCS / "quantities.md"
FORMULAS = ROOT / "rlexact" / "formulas"
FORMULAS_PAGE = DOCS / "formulas.md"
FORMULAS_HEAD = """# What deep-RL code computes

Written by `python docs/build.py` from the docstrings of `rlexact/formulas`; a test fails where this page is stale or where a
function lacks its equation, source or worked number. Time comes first: (T,) or (T, B). A loss is minimised, an objective
or surrogate maximised; `f_gradient` is the gradient of `f` in closed form, in the shape of what it is taken in.
"""
HEAD = """# What can be known exactly about a policy

Written by `python docs/build.py` from the code and from `docs/quantities.toml`; a test fails where this page is stale, where a
function has no row, or where a row's function or test does not exist.

- **exact**: the true number where the model's numbers are exact (rational, symbolic); in floats the same quantity,
  rounded, without a bound.
- **enclosed**: a lower and an upper bound that are certain, rounding included.
- **bounded**: an answer with a certain bound on its distance from the truth, 0 where the numbers are exact.
- **close**: logarithms, exponentials or optimisation in floats; a residual or a tolerance, no certainty.

The arithmetics are those in which the tests have seen a function succeed: dense (float64), sparse (float64), rational,
symbolic. It may work in others. The second route is what the test compares with.
"""


@dataclass(frozen=True)
class Row:
    """One quantity: where it lives, what is promised of it, and the test that would fail."""

    module: str
    name: str
    guarantee: str
    worlds: str
    route: str
    test_file: str
    test: str

    @property
    def test_id(self) -> str:
        return f"tests/exact/{self.test_file}::{self.test}"


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions of a file, and the methods of its classes as `Class::method`."""
    found = {}
    for node in tree(path).body if path.exists() else ():
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{part.name}": part for part in node.body if isinstance(part, ast.FunctionDef)}
    return found


def table() -> dict[str, dict]:
    return tomllib.loads((DOCS / "quantities.toml").read_text("utf-8"))


def inner() -> set[str]:
    return set(table()["inner"])


def rows() -> Iterator[Row]:
    """The rows of quantities.toml, what a file says of all its functions filled in."""
    for module, said in table().items():
        if module == "inner":
            continue
        shared = {key: said[key] for key in ("guarantee", "worlds", "route")}
        for name, entry in said["tests"].items():
            own = dict(entry) if isinstance(entry, dict) else {"test": entry}
            here = own.pop("test")
            file, _, test = here.partition("::") if ".py::" in here else (f"test_{module}.py", "", here)
            yield Row(module, name, **{**shared, **own}, test_file=file, test=test)


def public() -> set[str]:
    """`module.function` for every documented function of the room that its tests import."""
    imported = {
        f"{node.module.rpartition('.')[2]}.{alias.name}"
        for path in TESTS.glob("test_*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rlexact.exact.")
        for alias in node.names
    }
    documented = {
        f"{path.stem}.{name}"
        for path in ROOM.glob("*.py")
        for name, node in functions(path).items()
        if ast.get_docstring(node)
    }
    return imported & documented


def line(row: Row) -> str:
    node = functions(ROOM / f"{row.module}.py")[row.name]
    says = (ast.get_docstring(node) or "").splitlines()[0].replace("|", r"\|")
    name = f"[`{row.name}`](../rlexact/exact/{row.module}.py)"
    test = f"[`{row.test}`](../tests/exact/{row.test_file})"
    return f"| {name} | {says} | {row.guarantee} | {row.worlds.replace(' ', ', ')} | {row.route} | {test} |"


def page() -> str:
    parts, module = [HEAD], ""
    for row in rows():
        if row.module != module:
            module = row.module
            title = (ast.get_docstring(tree(ROOM / f"{module}.py")) or "").splitlines()[0]
            parts.append(
                f"\n## `{module}`: {title}\n\n| quantity | what | guarantee | arithmetics | second route | test |"
            )
            parts.append("|---|---|---|---|---|---|")
        parts.append(line(row))
    return "\n".join(parts) + "\n"


@dataclass(frozen=True)
class Formula:
    """A function of rlexact/formulas as its docstring states it."""

    module: str
    name: str
    says: str
    equation: str
    source: str


def formulas() -> Iterator[Formula]:
    """Every function of the room whose docstring names a source; its equation is the first indented block."""
    for path in sorted(FORMULAS.glob("*.py")):
        for name, node in functions(path).items():
            text = ast.get_docstring(node) or ""
            said, _, rest = text.partition("\n")
            if found := re.search(r"^Source: (.*?)(?:\n\n|\Z)", text, re.M | re.S):
                block = re.search(r"^\n((?: {4}.*\n?|\n(?= {4}))+)", rest + "\n", re.M)
                equation = textwrap.dedent(block[1]).strip() if block and block.start() == 0 else ""
                yield Formula(path.stem, name, said, equation, " ".join(found[1].split()))


def formulas_page() -> str:
    """Name, formula, source and file of every formula, in the order of files."""
    parts, module = [FORMULAS_HEAD], ""
    for formula in formulas():
        file = f"../rlexact/formulas/{formula.module}.py"
        if formula.module != module:
            module = formula.module
            title = (ast.get_docstring(tree(FORMULAS / f"{module}.py")) or "").splitlines()[0]
            parts.append(f"\n## [`{module}`]({file}): {title}")
        parts.append(
            f"\n**`{formula.name}`** {formula.says}\n\n```\n{formula.equation}\n```\n\nSource: {formula.source}"
        )
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    FORMULAS_PAGE.write_text(formulas_page(), "utf-8")
