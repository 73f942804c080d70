"""How a model looks: one line of text, and a table of its outcomes for notebooks. The same model always looks the same."""

from html import escape
from typing import TYPE_CHECKING, Any

from rlexact.outcomes import outcomes_of

if TYPE_CHECKING:
    from rlexact.mdp import MDP

SHOWN_STATES, SHOWN_ACTIONS, SHOWN_OUTCOMES = 20, 6, 4
TERMINAL, MORE, NOT_AVAILABLE = "terminal", "…", "–"


def text(mdp: "MDP") -> str:
    """`MDP(2 states, 1 action, gamma = 9/10, rational, 1 terminal)`."""
    facts = [counted(mdp.n_states, "state"), counted(mdp.n_actions, "action"), f"gamma = {mdp.gamma}", mdp.world]
    if mdp.terminal.any():
        facts.append(f"{int(mdp.terminal.sum())} terminal")
    return f"MDP({', '.join(facts)})"


def counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def html(mdp: "MDP") -> str:
    """A table with a row per state and a column per action; each cell lists `probability → next state, reward`."""
    n_states, n_actions = min(mdp.n_states, SHOWN_STATES), min(mdp.n_actions, SHOWN_ACTIONS)
    cut = [MORE] * (mdp.n_actions > n_actions)
    head = ["state", *(name(mdp.actions, a) for a in range(n_actions)), *cut]
    lines = [line("th", head)]
    for s in range(n_states):
        cells = [TERMINAL] if mdp.terminal[s] else [cell(mdp, s, a) for a in range(n_actions)] + cut
        lines.append(line("td", [name(mdp.states, s), *cells, *[""] * (len(head) - 1 - len(cells))]))
    if mdp.n_states > n_states:
        lines.append(line("td", [MORE] * len(head)))
    return f"<table><caption>{escape(text(mdp))}</caption>{''.join(lines)}</table>"


def line(tag: str, cells: list[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{x}</{tag}>" for x in cells) + "</tr>"


def name(names: tuple[Any, ...] | None, i: int) -> str:
    return str(i) if names is None else escape(str(names[i]))


def cell(mdp: "MDP", s: int, a: int) -> str:
    """The outcomes of one step, one to a line."""
    if not mdp.available[s, a]:
        return NOT_AVAILABLE
    law = outcomes_of(mdp, s, a)
    shown = [
        f"{number(p)} → {'end' if following is None else name(mdp.states, following)}, {number(reward)}"
        for p, following, reward, _ in law[:SHOWN_OUTCOMES]
    ]
    return "<br>".join(shown + [MORE] * (len(law) > SHOWN_OUTCOMES))


def number(x: Any) -> str:
    """Floats to six digits, exact numbers in full."""
    return f"{x:.6g}" if isinstance(x, float) else escape(str(x))
