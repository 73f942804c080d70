"""A model as a picture: states on a circle, an arrow for every way from one to another.

The width of an arrow is its probability; a colour is an action, a line style of its own for those that readers cannot tell
apart by colour. Mass that ends an episode leaves its state for a small square.
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.mdp import MDP
from rlexact.outcomes import outcomes_of
from rlexact.plotting.style import COLOURS, axes

MOST_STATES = 12
STYLES = ("-", "--", ":", "-.")
RADIUS = 0.17


def transition_diagram(mdp: MDP, ax: Any = None) -> Any:
    """States, actions, probabilities and rewards of a small model.  -> Axes

    Raises `ValueError` beyond twelve states, where arrows hide one another.
    """
    if mdp.n_states > MOST_STATES:
        raise ValueError(f"{mdp.n_states} states: a diagram shows at most {MOST_STATES}; draw a heatmap")
    ax = axes(ax, figsize=(5.6, 4.6))
    centres = corners(mdp.n_states)
    for s, a in np.argwhere(mdp.available):
        for p, following, reward, _ in outcomes_of(mdp, int(s), int(a)):
            draw_outcome(ax, mdp, centres, int(s), int(a), p, following, reward)
    for s, centre in enumerate(centres):
        ended = bool(mdp.terminal[s])
        ax.add_patch(circle(centre, "0.85" if ended else "white"))
        ax.text(*centre, called(mdp.states, s), ha="center", va="center", zorder=4, fontsize=9)
    for a in range(mdp.n_actions):
        ax.plot([], [], STYLES[a % len(STYLES)], color=COLOURS[a % len(COLOURS)], label=called(mdp.actions, a))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), title="action: p, reward")
    ax.set(xlim=(-1.8, 1.8), ylim=(-1.8, 1.8), aspect="equal")
    ax.axis("off")
    return ax


def called(names: tuple[Any, ...] | None, i: int) -> str:
    return str(i if names is None else names[i])


def corners(n: int) -> Array:
    """(n, 2): points on the unit circle, the first on the left, so that two states lie side by side."""
    angles = np.pi - 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) if n > 1 else np.zeros((1, 2))


def circle(centre: Array, colour: str) -> Any:
    from matplotlib.patches import Circle

    return Circle(tuple(centre), RADIUS, facecolor=colour, edgecolor="black", zorder=3)


def draw_outcome(ax: Any, mdp: MDP, centres: Array, s: int, a: int, p: Any, following: int | None, reward: Any) -> None:
    from matplotlib.patches import FancyArrowPatch

    start, bend = centres[s], 0.28 + 0.16 * a
    outward = start / (np.linalg.norm(start) or 1) if mdp.n_states > 1 else np.array([0.0, 1.0])
    side = np.array([-outward[1], outward[0]]) * (a - (mdp.n_actions - 1) / 2)
    if following is None:
        tail, head, bend = start + RADIUS * outward, start + 4.2 * RADIUS * outward + 0.4 * side, 0.0
    elif following == s:
        across = np.array([-outward[1], outward[0]])
        turned = outward * np.cos(a) + across * np.sin(a)  # loops of several actions fan out
        beside = np.array([-turned[1], turned[0]])
        tail, head, bend = (
            start + RADIUS * (turned * 0.8 - 0.6 * beside),
            start + RADIUS * (turned * 0.8 + 0.6 * beside),
            2.2,
        )
    else:
        along = (centres[following] - start) / np.linalg.norm(centres[following] - start)
        tail, head = start + RADIUS * along, centres[following] - RADIUS * along
    ax.add_patch(
        FancyArrowPatch(
            tuple(tail),
            tuple(head),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=11,
            linewidth=0.8 + 1.8 * float(p),
            linestyle=STYLES[a % len(STYLES)],
            color=COLOURS[a % len(COLOURS)],
            zorder=2,
        )
    )
    middle = (tail + head) / 2
    chord = head - tail
    offset = np.array([chord[1], -chord[0]]) * bend * 0.58
    ax.text(*(middle + offset), f"{p}, {reward}", ha="center", va="center", fontsize=7.5, zorder=5, **BOX)
    if following is None:
        ax.plot(*head, "s", ms=6, color="black", zorder=3)


BOX: dict[str, Any] = {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}}
