"""Values on a grid, with the arrows of a policy."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.plotting.style import HEAT, axes

ARROWS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}
ARROWS |= {"north": (0, -1), "south": (0, 1), "west": (-1, 0), "east": (1, 0)}


def heatmap(
    v: Array,
    shape: tuple[int, int],
    policy: Array | None = None,
    actions: tuple[Any, ...] = ("up", "down", "left", "right"),
    cells: Mapping[int, tuple[int, int]] | None = None,
    blank: Array | None = None,
    ax: Any = None,
) -> Any:
    """Draw values (S,) on a grid of rows × columns, and a policy (S, A) as arrows.  -> Axes

    State s stands in cell divmod(s, columns) unless `cells` places it. Every action with positive probability gets an
    arrow. `blank` (S,) booleans marks states drawn without a value. Raises `ValueError` when states and grid disagree.
    """
    rows, columns = shape
    where = {s: divmod(s, columns) for s in range(len(v))} if cells is None else dict(cells)
    if any(not (0 <= i < rows and 0 <= j < columns) for i, j in where.values()):
        raise ValueError(f"{len(v)} states do not fit a grid of {rows} x {columns}: place them with cells=")
    hidden = np.zeros(len(v), dtype=bool) if blank is None else np.asarray(blank)
    picture = np.full(shape, np.nan)
    for s, cell in where.items():
        if not hidden[s]:
            picture[cell] = float(v[s])
    ax = axes(ax, figsize=(0.95 * columns + 0.6, 0.85 * rows + 0.3))
    image = ax.imshow(picture, cmap=HEAT)
    middle = (np.nanmin(picture) + np.nanmax(picture)) / 2
    for s, (i, j) in where.items():
        if hidden[s]:
            continue
        ink = "white" if picture[i, j] <= middle else "black"
        ax.text(
            j, i + 0.36 * (policy is not None), f"{picture[i, j]:.4g}", ha="center", va="center", color=ink, fontsize=8
        )
        for a in np.flatnonzero(np.asarray(policy[s], dtype=float) > 0) if policy is not None else ():
            if actions[a] in ARROWS:
                dx, dy = ARROWS[actions[a]]
                ax.arrow(
                    j, i - 0.1, 0.22 * dx, 0.22 * dy, head_width=0.09, color=ink, length_includes_head=True, lw=0.8
                )
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(True)
    image.set_clim(np.nanmin(picture), np.nanmax(picture))
    return ax
