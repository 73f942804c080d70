"""Pictures of answers, in one colour-blind-safe style.  Matplotlib is imported only when a picture is drawn."""

from rlexact.plotting.curves import against_gamma, convergence
from rlexact.plotting.figure import Figure, figure
from rlexact.plotting.heatmap import heatmap
from rlexact.plotting.style import COLOURS

__all__ = ["COLOURS", "Figure", "against_gamma", "convergence", "figure", "heatmap"]
