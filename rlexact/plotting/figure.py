"""Pictures in sections: a `@figure` function makes a Matplotlib figure, and its bare name shows it in a notebook.

Importing a section never imports Matplotlib: the picture is made when it is displayed.
"""

import io
from collections.abc import Callable
from typing import Any


class Figure:
    """A picture that is drawn when a notebook displays it.  `draw()` returns the Matplotlib figure."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.caption = " ".join((function.__doc__ or function.__name__).split())

    def draw(self) -> Any:
        from rlexact.plotting.style import styled

        with styled():
            return self.function()

    def __repr__(self) -> str:
        return f"Figure: {self.caption}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        import matplotlib.pyplot as plt

        picture = io.BytesIO()
        drawn = self.draw()
        drawn.savefig(picture, format="png", dpi=110, metadata={"Software": None})
        plt.close(drawn)
        import base64

        return {"image/png": base64.b64encode(picture.getvalue()).decode(), "text/plain": repr(self)}


def figure(function: Callable[[], Any]) -> Figure:
    """Decorator: the function's docstring is the caption, its return value a Matplotlib figure."""
    return Figure(function)
