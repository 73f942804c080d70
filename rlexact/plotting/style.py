"""One style for every picture: the Okabe–Ito palette, told apart by colour-blind readers, and quiet axes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Okabe and Ito (2008), without yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
HEAT = "cividis"  # perceptually uniform, and read alike with and without colour vision

SETTINGS: dict[str, Any] = {
    "figure.figsize": (6.4, 3.6),
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "font.size": 10,
    "svg.hashsalt": "rlexact",
}


@contextmanager
def styled() -> Iterator[None]:
    """The house style for whatever is drawn inside; Matplotlib's own settings come back afterwards."""
    import matplotlib as mpl
    from cycler import cycler

    with mpl.rc_context({**SETTINGS, "axes.prop_cycle": cycler(color=COLOURS)}):
        yield


def axes(ax: Any = None, **options: Any) -> Any:
    """The given Axes, or those of a new figure in the house style."""
    import matplotlib.pyplot as plt

    return ax if ax is not None else plt.subplots(**options)[1]
