"""Pictures of answers, in one colour-blind-safe style.  Matplotlib is imported only when a picture is drawn."""

from rlexact.plotting.curves import against_gamma, convergence
from rlexact.plotting.diagram import transition_diagram
from rlexact.plotting.figure import Figure, figure
from rlexact.plotting.heatmap import heatmap
from rlexact.plotting.objectives import bias_variance, clip_objective, learning_curves, trust_region
from rlexact.plotting.style import COLOURS

__all__ = [
    "COLOURS",
    "Figure",
    "against_gamma",
    "bias_variance",
    "clip_objective",
    "convergence",
    "figure",
    "heatmap",
    "learning_curves",
    "transition_diagram",
    "trust_region",
]
