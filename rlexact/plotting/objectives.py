"""Pictures of what is optimised: clipped surrogates, trust regions, bias against variance, learning curves."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.plotting.style import COLOURS, axes


def clip_objective(objectives: Mapping[str, Callable[[Array, Array], Array]], clip_eps: float, ax: Any = None) -> Any:
    """Objectives L(ρ, Â) against the ratio, for Â = 1 and Â = -1, side by side.  -> two Axes

    `objectives` maps a label to a function of ratios (N,) and advantages (N,); the clip range is shaded.
    """
    import matplotlib.pyplot as plt

    pair = plt.subplots(1, 2, figsize=(7.6, 3.0))[1] if ax is None else ax
    ratios = np.linspace(0.0, 2.2, 221)
    for panel, advantage in zip(pair, (1.0, -1.0), strict=True):
        panel.axvspan(1 - clip_eps, 1 + clip_eps, color="0.92", zorder=0)
        for k, (name, objective) in enumerate(objectives.items()):
            heights = objective(ratios, np.full_like(ratios, advantage))
            panel.plot(ratios, heights, ("-", "--", ":")[k % 3], color=COLOURS[k], label=name)
        panel.set(xlabel=r"ratio $\rho$", ylabel="objective", title=rf"$\hat A = {advantage:+.0f}$")
    pair[0].legend()
    return pair


def bias_variance(parameter: Array, bias: Array, variance: Array, name: str, ax: Any = None) -> Any:
    """Squared bias, variance and their sum against a parameter, the best one marked: (n,) each.  -> Axes"""
    ax = axes(ax)
    squared, spread = np.asarray(bias, dtype=float) ** 2, np.asarray(variance, dtype=float)
    best = int(np.argmin(squared + spread))
    ax.plot(parameter, squared, "--", label="bias²")
    ax.plot(parameter, spread, ":", label="variance")
    ax.plot(parameter, squared + spread, label="mean squared error")
    ax.plot(parameter[best], (squared + spread)[best], "o", color=COLOURS[6], label=f"least at {parameter[best]:.3g}")
    ax.set(xlabel=name, ylim=(0, None))
    ax.legend()
    return ax


def trust_region(
    objective: Callable[[Array], float],
    divergence: Callable[[Array], float],
    centre: Array,
    budget: float,
    span: float,
    steps: Mapping[str, Array] | None = None,
    ax: Any = None,
) -> Any:
    """Level lines of an objective of two parameters, the region where a divergence from `centre` is within budget.  -> Axes

    `objective` and `divergence` take θ (2,); `steps` maps a label to a step (2,) drawn from the centre.
    """
    ax = axes(ax, figsize=(5.2, 4.2))
    first, second = (np.linspace(c - span, c + span, 61) for c in centre)
    grid = np.stack(np.meshgrid(first, second), axis=-1)
    heights = np.apply_along_axis(objective, 2, grid)
    ax.contour(first, second, heights, levels=14, cmap="cividis", linewidths=1)
    inside = np.apply_along_axis(divergence, 2, grid)
    ax.contourf(first, second, inside, levels=[-np.inf, budget], colors=[COLOURS[4]], alpha=0.25)
    ax.contour(first, second, inside, levels=[budget], colors=[COLOURS[0]], linewidths=1.6)
    ax.plot(*centre, "o", color="black")
    for k, (name, step) in enumerate((steps or {}).items()):
        head = np.asarray(centre, dtype=float) + step
        ax.annotate("", head, centre, arrowprops={"arrowstyle": "-|>", "color": COLOURS[1 + k], "lw": 1.8})
        ax.plot([], [], color=COLOURS[1 + k], label=name)
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", aspect="equal")
    if steps:
        ax.legend()
    return ax


def learning_curves(curves: Mapping[str, Any], ax: Any = None) -> Any:
    """Errors of learners against the exact truth, on a log axis where all are above zero.  -> Axes

    `curves` maps a label to what a learner returned (it has a `curve`) or to a curve itself.
    """
    ax = axes(ax)
    found = {name: getattr(learned, "curve", learned) for name, learned in curves.items()}
    for k, (name, curve) in enumerate(found.items()):
        ax.plot(curve.steps, curve.errors, ("-", "--", ":", "-.")[k % 4], color=COLOURS[k % 7], label=name)
    if all((np.asarray(curve.errors) > 0).all() for curve in found.values()):
        ax.set_yscale("log")
    first = next(iter(found.values()))
    ax.set(xlabel=first.unit, ylabel=first.measure)
    ax.legend()
    return ax
