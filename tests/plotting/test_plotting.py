"""Pictures: what they draw is what they were given, and importing them draws nothing."""

import subprocess
import sys
from fractions import Fraction

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt

from rlexact import gallery
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.curve import Curve
from rlexact.plotting import (
    COLOURS,
    against_gamma,
    bias_variance,
    clip_objective,
    convergence,
    figure,
    heatmap,
    learning_curves,
    transition_diagram,
    trust_region,
)
from rlexact.policy import uniform


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def arrows(ax):
    """(cell, direction) of each arrow drawn: arrows are polygons that start at a cell's middle."""
    return len(ax.patches)


def test_a_heatmap_shows_each_value_in_its_cell():
    ax = heatmap(np.array([Fraction(1, 2), 1, 2, 3, 4, 5]), (2, 3))
    shown = {tuple(np.round(t.get_position(), 1)): t.get_text() for t in ax.texts}
    assert shown == {(0, 0): "0.5", (1, 0): "1", (2, 0): "2", (0, 1): "3", (1, 1): "4", (2, 1): "5"}
    assert ax.images[0].get_array().shape == (2, 3)


def test_arrows_are_the_actions_of_the_policy():
    grid = gallery.sutton_barto_grid()
    best = policy_iteration(grid)
    ax = heatmap(best.v, (5, 5), best.optimal_actions, actions=grid.actions)
    assert arrows(ax) == int(best.optimal_actions.sum())
    assert arrows(heatmap(best.v, (5, 5), uniform(grid), actions=grid.actions)) == 100


def test_blank_cells_and_cells_placed_by_hand():
    ax = heatmap(np.array([1.0, 2.0]), (1, 3), cells={0: (0, 0), 1: (0, 2)}, blank=np.array([False, True]))
    assert [t.get_text() for t in ax.texts] == ["1"]
    with pytest.raises(ValueError, match="do not fit"):
        heatmap(np.arange(7.0), (2, 3))


def test_convergence_draws_errors_and_the_line_of_powers():
    ax = convergence({"a": [8, 4, 2], "b": [1, Fraction(1, 2), 0]}, gamma=0.5)
    first, second, line = (x.get_ydata() for x in ax.lines)
    assert list(first) == [8, 4, 2]
    assert second[1] == 0.5
    assert np.isnan(second[2])  # an exact zero has no place on a log axis
    assert list(line) == [8, 4, 2]
    assert ax.get_yscale() == "log"


def test_curves_against_the_discount_mark_the_switches():
    gammas = np.array([0.1, 0.2, 0.3])
    ax = against_gamma({"v": [1, Fraction(3, 2), 2]}, gammas, switches=[Fraction(1, 4)])
    assert list(ax.lines[0].get_ydata()) == [1, 1.5, 2]
    assert set(ax.lines[1].get_xdata()) == {0.25}
    assert "0.2500" in ax.texts[0].get_text()


def test_a_given_axes_is_used():
    _, ax = plt.subplots()
    assert convergence({"a": [1]}, ax=ax) is ax


def test_a_figure_draws_when_shown_and_in_the_house_style():
    seen = []

    @figure
    def line():
        """A line
        of two points."""
        seen.append(mpl.rcParams["axes.prop_cycle"].by_key()["color"][0])
        fig, ax = plt.subplots()
        ax.plot([0, 1])
        return fig

    assert repr(line) == "Figure: A line of two points."
    assert not seen
    before = mpl.rcParams["axes.spines.top"]
    shown = line._repr_mimebundle_()
    assert seen == [COLOURS[0]]
    assert shown["text/plain"] == repr(line)
    assert shown["image/png"].startswith("iVBOR")
    assert mpl.rcParams["axes.spines.top"] == before


def test_importing_the_room_does_not_import_matplotlib():
    code = "import sys, rlexact.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_diagram_has_an_arrow_for_every_outcome():
    loop = gallery.left_right_loop()
    ax = transition_diagram(loop)
    from matplotlib.patches import Circle, FancyArrowPatch

    kinds = [type(patch) for patch in ax.patches]
    assert kinds.count(FancyArrowPatch) == 4
    assert kinds.count(Circle) == 2
    said = {text.get_text() for text in ax.texts}
    assert {"A", "B", "1, 1", "1, 3", "1, 10", "1, 0"} <= said


def test_a_diagram_refuses_what_it_cannot_show():
    with pytest.raises(ValueError, match="at most 12"):
        transition_diagram(gallery.sutton_barto_grid())


def test_clip_objective_draws_each_side():
    left, right = clip_objective({"clip": lambda rho, adv: np.minimum(rho * adv, np.clip(rho, 0.8, 1.2) * adv)}, 0.2)
    assert left.lines[0].get_ydata().max() == pytest.approx(1.2)  # the plateau
    assert right.lines[0].get_ydata().min() == pytest.approx(-2.2)  # no floor for a bad action grown likely


def test_bias_variance_marks_the_least_sum():
    lam = np.linspace(0, 1, 11)
    ax = bias_variance(lam, 1 - lam, lam**2, "lam")
    (x,), (y,) = ax.lines[-1].get_data()
    assert (x, y) == (0.5, 0.5)


def test_a_trust_region_is_where_the_divergence_is_within_budget():
    ax = trust_region(lambda t: t[0], lambda t: t @ t, np.zeros(2), 0.25, 1.0, {"gradient": np.array([0.5, 0.0])})
    rim = np.concatenate(ax.collections[-1].get_paths()[0].to_polygons())
    np.testing.assert_allclose(np.linalg.norm(rim, axis=1), 0.5, atol=2e-3)  # the grid's spacing is 1/30


def test_learning_curves_show_the_errors_given():
    curve = Curve(np.array([0, 1, 2]), np.array([1.0, 0.5, 0.25]), "steps", "max |table - truth|", None)
    ax = learning_curves({"TD": curve})
    assert list(ax.lines[0].get_ydata()) == [1.0, 0.5, 0.25]
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel() == "steps"
