"""Curves that people would rather look at: convergence against γ^k, and values as the discount varies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.plotting.style import axes


def convergence(errors: Mapping[str, Sequence[float]], gamma: float | None = None, ax: Any = None) -> Any:
    """Error against sweeps on a log axis, beside the line of γ^k through the first error.  -> Axes

    `errors` maps a label to ‖V_k - V*‖ for k = 0, 1, …; exact zeros end a curve, since a log axis has no place for them.
    """
    ax = axes(ax)
    for label, values in errors.items():
        heights = np.array([float(x) for x in values])
        heights[heights <= 0] = np.nan
        ax.semilogy(range(len(heights)), heights, marker=".", label=label)
    if gamma is not None:
        longest = max(map(len, errors.values()))
        first = max(float(values[0]) for values in errors.values())
        ax.semilogy(range(longest), first * float(gamma) ** np.arange(longest), "k:", lw=1.2, label=r"$\gamma^k$")
    ax.set(xlabel="sweeps k", ylabel=r"$\|V_k - V^*\|_\infty$")
    ax.legend()
    return ax


def against_gamma(curves: Mapping[str, Array], gammas: Array, switches: Sequence[float] = (), ax: Any = None) -> Any:
    """Values of policies as γ varies, with a line where the best one changes.  -> Axes"""
    ax = axes(ax)
    for label, values in curves.items():
        ax.plot(gammas, [float(x) for x in values], label=label)
    for switch in switches:
        ax.axvline(float(switch), color="0.4", ls="--", lw=1)
        ax.text(float(switch), ax.get_ylim()[0], f" {float(switch):.4f}", color="0.3", va="bottom", fontsize=8)
    ax.set(xlabel=r"discount $\gamma$", ylabel="value")
    ax.legend()
    return ax
