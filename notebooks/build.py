"""Build the notebooks from the sections: `python notebooks/build.py [document/section ...] [--check]`.

Each `worked_examples/<document>/<section>.py` becomes `notebooks/<document>/<section>.ipynb`, and `index.py` the way in:
cells by jupytext, ids that stay the same, executed by nbclient, and committed with their outputs. `--check` compares cell
sources and executes nothing.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
SOURCES = HERE.parent / "worked_examples"


def sources(names: list[str]) -> list[Path]:
    every = [*sorted(SOURCES.glob("*/*.py")), SOURCES / "index.py"]  # the index last: it reads the others
    found = [p for p in every if not names or str(p.relative_to(SOURCES).with_suffix("")) in names]
    if not found:
        sys.exit(f"no section among {names}")
    return found


def target(source: Path) -> Path:
    return HERE / source.relative_to(SOURCES).with_suffix(".ipynb")


def from_source(source: Path) -> Any:
    """The notebook of a section, without outputs."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.metadata = {}
        name = cell_name(cell)
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name[:58]}-{seen[name]}"
    return notebook


def cell_name(cell: Any) -> str:
    """An id that says what the cell is: the claim or figure that it ends with, or the heading it opens with."""
    lines = [line for line in cell.source.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    heading = next((line.lstrip("# ") for line in lines if line.startswith("#")), "text")
    words = last if cell.cell_type == "code" and re.fullmatch(r"\w+", last) else heading
    if cell.cell_type == "code" and words is heading:
        defined = re.findall(r"^(?:def|class) (\w+)", cell.source, re.M)
        words = defined[0] if defined else "code"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60] or "cell"


def execute(notebook: Any, where: Path) -> Any:
    """Run every cell in a fresh kernel; keep outputs, drop what differs between runs."""
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(where)}}).execute()
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def same_cells(one: Any, other: Any) -> bool:
    def cells(notebook: Any) -> list[tuple[str, str, str]]:
        return [(c.id, c.cell_type, c.source) for c in notebook.cells]

    return cells(one) == cells(other)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", help="document/section; all by default")
    parser.add_argument("--check", action="store_true", help="only compare cell sources")
    options = parser.parse_args()
    stale = 0
    for source in sources(options.sections):
        fresh, path = from_source(source), target(source)
        if options.check:
            current = path.exists() and same_cells(fresh, nbformat.read(path, as_version=4))
            stale += not current
            print(f"{'ok   ' if current else 'STALE'} {path.relative_to(HERE.parent)}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(execute(fresh, path.parent), path)
        print(f"built {path.relative_to(HERE.parent)}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
