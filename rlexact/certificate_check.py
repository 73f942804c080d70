"""Check a primal-dual certificate against a model's file: `python -m rlexact.certificate_check MODEL.json CERTIFICATE.json`.

Plain fractions and nothing of rlexact, so that a wrong solver cannot approve its own answer. What is checked, over every
available pair (s, a) and every state s', proves Σ r x ≤ start · V* ≤ start · v and V* ≤ v:

    p ≥ 0,  Σ p + ends = 1            v(s) ≥ r(s, a) + γ Σ p v,  v ≥ 0 at terminal states          x ≥ 0, start ≥ 0
    w(s) ≥ 1 + γ Σ p w,  w ≥ 0        Σ_a x(s', a) = start(s') + γ Σ x p(s')                       gap = start · v - Σ r x
"""

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any


class Refused(ValueError):
    """The certificate does not prove what it says: the message names the place."""


def demand(true: bool, what: str) -> None:
    if not true:
        raise Refused(what)


def numbers(x: Any) -> Any:
    return [numbers(y) for y in x] if isinstance(x, list) else Fraction(x)


def rewards(model: dict[str, Any], P: Any) -> Any:
    """Mean rewards r[s][a], from the law of the rewards or from R of whatever rank."""
    S, A = range(len(P)), range(len(P[0]))
    r = [[Fraction(0) for _ in A] for _ in S]
    if model["law_rows"] is not None:
        for row, p, reward in zip(model["law_rows"], model["law_probabilities"], model["law_rewards"], strict=True):
            r[row // len(A)][row % len(A)] += Fraction(p) * Fraction(reward)
        return r
    R = [[x] * len(A) if not isinstance(x, list) else x for x in numbers(model["R"])]
    return [[R[s][a] if not isinstance(R[s][a], list) else dot(P[s][a], R[s][a]) for a in A] for s in S]


def dot(x: Any, y: Any) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def check(model: dict[str, Any], certificate: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """(Σ r x, start · v), between which start · V* lies.  Raises `Refused`."""
    P, ends, gamma = (numbers(model[name]) for name in ("P", "ends", "gamma"))
    v, x, start, w, gap = (numbers(certificate[name]) for name in ("values", "occupancy", "start", "steps", "gap"))
    r, available, S, A = rewards(model, P), model["available"], range(len(P)), range(len(P[0]))
    demand(0 <= gamma <= 1, f"gamma = {gamma} lies outside [0, 1]")
    demand(len(v) == len(x) == len(start) == len(w) == len(P), "the certificate is for another number of states")
    demand(all(len(row) == len(A) for row in x), "the certificate is for another number of actions")
    flow = list(start)
    for s in S:
        demand(start[s] >= 0 and w[s] >= 0, f"start or steps is negative at state {s}")
        demand(v[s] >= 0 or any(available[s]), f"v[{s}] = {v[s]} is below 0, the value of a terminal state")
        for a in A:
            demand(x[s][a] == 0 or (x[s][a] > 0 and available[s][a]), f"occupancy[{s}][{a}] = {x[s][a]} cannot be")
            if available[s][a]:
                whole = min(P[s][a]) >= 0 and ends[s][a] >= 0 and sum(P[s][a]) + ends[s][a] == 1
                demand(whole, f"P[{s}][{a}] is no distribution")
                demand(v[s] >= r[s][a] + gamma * dot(P[s][a], v), f"v[{s}] is below one backup of action {a}")
                demand(w[s] >= 1 + gamma * dot(P[s][a], w), f"steps[{s}] does not count action {a}")
                flow = [f + gamma * x[s][a] * p for f, p in zip(flow, P[s][a], strict=True)]
    for s in S:
        demand(sum(x[s]) == flow[s] or not any(available[s]), f"the flow of occupancy fails at state {s}")
    low, high = sum((dot(x[s], r[s]) for s in S), Fraction(0)), dot(start, v)
    demand(gap == high - low, f"the gap is {high - low}, the certificate says {gap}")
    return low, high


def main(arguments: list[str]) -> int:
    try:
        model, certificate = (json.loads(Path(path).read_text(encoding="utf-8")) for path in arguments)
        low, high = check(model, certificate)
    except (Refused, ValueError, KeyError, TypeError, IndexError, ZeroDivisionError, OSError) as error:
        print(f"refused: {type(error).__name__}: {error}")
        return 1
    print(f"verified: {low} <= start . V* <= {high}, gap {high - low}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
