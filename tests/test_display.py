"""How a model looks."""

from html.parser import HTMLParser

import numpy as np
import sympy

from rlexact.mdp import MDP
from tests.strategies import WORLDS, model

EXACT = MDP([[["1/2", "1/2"]], [[0, 1]]], [["1/3"], [0]], "0.9", terminal=[1])


def test_text():
    assert repr(EXACT) == "MDP(2 states, 1 action, gamma = 9/10, rational, 1 terminal)"
    assert repr(EXACT.to_float()) == "MDP(2 states, 1 action, gamma = 0.9, float64, 1 terminal)"
    assert repr(EXACT.to_sparse()) == "MDP(2 states, 1 action, gamma = 0.9, sparse float64, 1 terminal)"
    assert repr(EXACT.replace(gamma=sympy.Symbol("g"))) == "MDP(2 states, 1 action, gamma = g, symbolic, 1 terminal)"
    assert repr(MDP([[[1.0], [1.0]]], [0.0], 0.5)) == "MDP(1 state, 2 actions, gamma = 0.5, float64)"


class Table(HTMLParser):
    """Rows of cell texts; asserts that every tag is closed and that none of them runs anything."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.caption = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag in ("table", "caption", "tr", "td", "th", "br")
        assert attrs == []
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "br":
            self.rows[-1][-1] += "\n"
            return
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "caption":
            self.caption += data
        else:
            self.rows[-1][-1] += data


def test_table():
    table = Table(EXACT._repr_html_())
    assert table.caption == repr(EXACT)
    assert table.rows == [["state", "0"], ["0", "1/2 → 0, 1/3\n1/2 → 1, 1/3"], ["1", "terminal"]]


def test_masks_ends_and_floats():
    mdp = MDP.from_outcomes({(0, 0): [(0.5, 0, 1 / 3, False), (0.5, 0, 2.0, True)], (1, 1): [(1, 0, 0.0, False)]}, 0.9)
    assert Table(mdp._repr_html_()).rows[1:] == [["0", "0.5 → end, 2\n0.5 → 0, 0.333333", "–"], ["1", "–", "1 → 0, 0"]]


def test_names_are_escaped():
    mdp = MDP([[[1.0]]], [0.0], 0.9, states=["<script>alert('x')</script>"], actions=["a & b"])
    assert "<script>" not in mdp._repr_html_()
    assert Table(mdp._repr_html_()).rows == [
        ["state", "a & b"],
        ["<script>alert('x')</script>", "1 → <script>alert('x')</script>, 0"],
    ]


def test_large_models_are_cut():
    n, k = 30, 9
    mdp = MDP(np.full((n, k, n), 1 / n), np.zeros(n), 0.9, terminal=[])
    rows = Table(mdp._repr_html_()).rows
    assert len(rows) == 1 + 20 + 1
    assert {len(row) for row in rows} == {1 + 6 + 1}
    assert rows[0][-1] == rows[1][-1] == rows[-1][0] == "…"
    assert rows[1][1].count("\n") == 4  # four outcomes and the sign that there are more
    assert rows[1][1].endswith("…")
    assert len(mdp.to_sparse()._repr_html_()) == len(mdp._repr_html_()) + len("sparse ")


def test_every_world_has_a_table_and_it_does_not_change():
    for world in WORLDS:
        mdp = model(3, world, rank=3)
        assert len(Table(mdp._repr_html_()).rows) == 5
        assert mdp._repr_html_() == model(3, world, rank=3)._repr_html_()
