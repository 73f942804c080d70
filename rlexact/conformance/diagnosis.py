"""From a wrong answer to its likely causes.

    prediction of a mistake     what it would have computed for this model (`planning_mistakes`)
    stopped early               T^k 0 for the k that comes nearest: Puterman (1994), §6.3
    another numbering           the true numbers in another order
    constant offset             V* + c: a span test looks at differences only; MacQueen (1966) then shifts
    nearly its own next sweep   ‖Tv - v‖ far below ‖v - V*‖: they may differ by a factor of 1 / (1 - γ)
    float32                     numbers of 24 bits, and a distance that their rounding can explain

Everything here is float64: a cause must come `CLEARLY` closer to the answer than the truth does, and rounding is no
cause.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.conformance.findings import Cause
from rlexact.conformance.planning_mistakes import Mistake
from rlexact.exact.bellman import backup
from rlexact.mdp import MDP

CLEARLY = 10  # how many times closer than the truth a mistake must come to be named
SHOWN = 3
SWEEPS = 20_000  # sweeps from 0 that an answer is compared with
NEGLIGIBLE = 1e-9  # relative to the answer: closer than this, two causes are equally good


def causes_of_values(
    mdp: MDP, policy: Array | None, name: str, given: Array, true: Array, mistakes: Sequence[Mistake]
) -> tuple[Cause, ...]:
    """Likely causes of wrong float values `given`, v (S,) or q (S, A), best first, at most `SHOWN`."""
    predictions = [(m.name, m.says, m.v if name == "v" else m.q) for m in mistakes]
    live = np.ones(true.shape, dtype=bool) if name == "v" else mdp.available
    predictions += [
        *stopped(mdp, policy, name, given),
        *shifted(mdp, name, given, true),
        *reordered(given, true, live),
    ]
    off = distance(given, true, live)
    causes = [Cause(what, says, distance(given, prediction, live)) for what, says, prediction in predictions]
    likely = sorted((c for c in causes if c.distance <= off / CLEARLY), key=lambda c: c.distance)
    floor = NEGLIGIBLE * max(1.0, float(np.abs(given[live]).max()))
    shown = [c for c in causes if c in likely and c.distance <= max(CLEARLY * likely[0].distance, floor)]
    if not shown:
        shown = [*own_next_sweep(mdp, policy, name, given, live, off), *single_precision(mdp, given[live], off)]
    return tuple(shown[:SHOWN])


def causes_of_policy(mdp: MDP, policy: Array, mistakes: Sequence[Mistake]) -> tuple[Cause, ...]:
    """The mistakes for which every choice of the policy (S, A) would be optimal."""
    chosen = (policy > 0) & mdp.available
    fitting = [m for m in mistakes if m.optimal_actions is not None and not (chosen & ~m.optimal_actions).any()]
    return tuple(Cause(m.name, m.says, 0.0) for m in fitting[:SHOWN])


def distance(x: Array, y: Array, live: Array) -> float:
    return float(np.abs(x - y)[live].max())


def swept(mdp: MDP, policy: Array | None, name: str, given: Array) -> Array:
    """The answer one sweep later: (S,) -> (S,) or (S, A) -> (S, A)."""

    def top(q: Array) -> Array:
        return ar.best(q, mdp.available)[0] if policy is None else ar.average(mdp.admit(policy), q)

    return top(backup(mdp, given)) if name == "v" else backup(mdp, top(given))


def stopped(mdp: MDP, policy: Array | None, name: str, given: Array) -> Iterator[tuple[str, str, Array]]:
    """The sweep from 0 that comes nearest to the answer; later ones change less than the answer still does."""
    live = np.ones(given.shape, dtype=bool) if name == "v" else mdp.available
    residual = distance(swept(mdp, policy, name, given), given, live)
    last = np.zeros(given.shape)
    nearest = (np.inf, 0, 0.0, last)
    for k in range(1, SWEEPS + 1):
        now = swept(mdp, policy, name, last)
        change = distance(now, last, live)
        nearest = min(nearest, (distance(given, now, live), k, change, now), key=lambda found: found[0])
        if change <= residual / 4:
            break
        last = now
    _, k, change, prediction = nearest
    says = f"the last change is {change:.1e}, which bounds no distance (or the horizon was {k} steps)"
    yield f"stopped after {k} sweep{'s' * (k > 1)} from 0", says, prediction


def shifted(mdp: MDP, name: str, given: Array, true: Array) -> Iterator[tuple[str, str, Array]]:
    """The truth, off by one constant wherever something is left to happen."""
    live = ~mdp.terminal if name == "v" else mdp.available
    if live.sum() > 2:
        gap = (given - true)[live]
        c = float(gap.max() + gap.min()) / 2
        says = "its differences are right: a span test stops there, and the values have still to be shifted"
        yield f"a constant offset of {c:.6g}", says, np.where(live, true + c, true)


def reordered(given: Array, true: Array, live: Array) -> Iterator[tuple[str, str, Array]]:
    """The true numbers in the order of the answer's."""
    if live.sum() > 2:
        prediction, places = true.copy(), np.argwhere(live)[np.argsort(given[live], kind="stable")]
        prediction[tuple(places.T)] = np.sort(true[live])
        yield (
            "another numbering",
            "the numbers are right, of other states or actions: compare the two orders",
            prediction,
        )


def own_next_sweep(mdp: MDP, policy: Array | None, name: str, given: Array, live: Array, off: float) -> Iterator[Cause]:
    residual = distance(swept(mdp, policy, name, given), given, live)
    if residual <= off / CLEARLY:
        says = (
            "a small change between sweeps bounds no distance: divide it by 1 - gamma before comparing with a tolerance"
        )
        yield Cause("stopped on a small change", says, residual)


def single_precision(mdp: MDP, given: Array, off: float) -> Iterator[Cause]:
    steps = 1 / (1 - mdp.gamma) if mdp.gamma < 1 else float(mdp.n_states)
    allowed = 8 * 2.0**-24 * steps * float(np.abs(given).max())
    if off <= allowed and (given.astype(np.float32) == given).all():
        yield Cause("float32", f"its numbers have 24 bits, whose rounding explains distances up to {allowed:.1e}", off)
