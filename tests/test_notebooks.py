"""The notebooks are their sections: same cells, and every text output comes out again when they run with jupyter alone."""

import importlib.util
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
SECTIONS = sorted((ROOT / "worked_examples").rglob("*.py"))


def name(path):
    return f"{path.parent.name}/{path.stem}" if path.stem != "index" else "index"


def test_every_section_has_its_notebook():
    assert [name(p) for p in NOTEBOOKS] == [name(p) for p in SECTIONS]


@pytest.mark.parametrize("section", SECTIONS, ids=name)
def test_the_cells_are_generated_from_the_section(section):
    pytest.importorskip("jupytext", reason="jupytext generates the notebooks; it comes with the test extra")
    spec = importlib.util.spec_from_file_location("build", ROOT / "notebooks" / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    committed = nbformat.read(build.target(section), as_version=4)
    assert build.same_cells(build.from_source(section), committed), "run python notebooks/build.py"


def texts(notebook):
    """Cell id -> text outputs; pictures are left out, since their bytes differ between machines."""
    kinds = ("text/plain", "text/markdown", "text/latex", "text/html")
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown = [data[k] for k in kinds if k in data and "image/png" not in data] or [output.get("text", "")]
            found.setdefault(cell.id, []).append(["".join(x) for x in shown])
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_the_notebook_runs_and_says_the_same(path):
    notebook = nbformat.read(path, as_version=4)
    committed = texts(notebook)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    assert texts(notebook) == committed
    assert "NOT EARNED" not in str(committed)
