"""Is my V, my Q or my policy right for this model?

    distance   ‖v - V*‖∞, ‖q - Q*‖∞ over available actions, ‖V* - V^π‖∞ for a policy        to the truth
    residual   ‖Tv - v‖∞                                                                       what most code stops on

The truth is solved for, with its own error bound: V* and Q*, or V^π and Q^π with `of="policy"`. An answer that is not
right is compared with what the usual mistakes would have computed (`planning_mistakes`, `diagnosis`). A mistake is
named only if it comes ten times closer than the truth does: it is likely, not proven.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.conformance.diagnosis import causes_of_policy, causes_of_values
from rlexact.conformance.findings import Audit, Cause, Finding, InvalidValues
from rlexact.conformance.given import modelled, read_policy, read_values
from rlexact.conformance.planning_mistakes import NO_ANSWER, Mistake, planning_mistakes
from rlexact.conformance.wrong_models import Table
from rlexact.exact.bellman import backup
from rlexact.exact.certified import evaluate
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.policy import first_best
from rlexact.solution import Evaluation, Solution


def audit(
    model: Any,
    *,
    v: Any = None,
    q: Any = None,
    policy: Any = None,
    gamma: Any = None,
    of: Literal["optimum", "policy"] = "optimum",
    tol: Any = None,
    explain: bool = True,
) -> Audit:
    """How far v (S,), q (S, A) and policy (S, A) or (S,) actions are from the truth, where, and the likely cause.

    `model` is an `MDP`, a Gymnasium environment with a table, or such a table (these need `gamma`). v and q are
    compared with V* and Q*, and a policy is judged by its regret; with `of="policy"` its own v and q are asked for.
    Numbers may come from any source: floats are read as the binary fractions they are. Entries of q for unavailable
    actions and terminal states are ignored. `tol` is 1e-8 of the largest true value, or 1e-8, unless given;
    `explain=False` skips the causes, which solve the model some thirty times over.

    Raises `InvalidMDP`, `InvalidPolicy`, `InvalidValues`, and what the solvers raise: `Unbounded`, `NotExact`.
    """
    if v is None and q is None and (policy is None or of == "policy"):
        raise InvalidValues("nothing to audit: give v, q or policy")
    if of not in ("optimum", "policy") or (of == "policy" and policy is None):
        raise InvalidValues(f"of={of!r}: give 'optimum', or 'policy' together with policy=")
    mdp, table = modelled(model, gamma)
    given = {name: read_values(mdp, name, x) for name, x in (("v", v), ("q", q)) if x is not None}
    pi = None if policy is None else read_policy(mdp, policy)
    question = Question.about(mdp, table, pi if of == "policy" else None, tol)
    asked = {name: question.judged(name, values) for name, values in given.items()}
    if pi is not None and of == "optimum":
        asked["policy"] = question.regret(pi)
    wrong = [name for name, finding in asked.items() if not finding.agrees]
    tried: tuple[str, ...] = ()
    if explain and wrong:
        mistakes = question.mistakes(pi)
        tried = tuple(mistake.name for mistake in mistakes)
        answers = given if pi is None else {**given, "policy": pi}
        asked |= {name: replace(asked[name], causes=question.causes(name, answers[name], mistakes)) for name in wrong}
    return Audit(mdp, asked.get("v"), asked.get("q"), asked.get("policy"), tried)


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of the answers: a model, its optimum, and the policy whose values are wanted (None: the optimum's)."""

    mdp: MDP
    table: Table | None
    policy: Array | None
    tol: Any
    truth: Solution | Evaluation
    start: Array  # a policy from which the optima of wrong models are not far

    @classmethod
    def about(cls, mdp: MDP, table: Table | None, policy: Array | None, tol: Any) -> "Question":
        if policy is not None:  # whose values can be finite where V* is not
            return cls(mdp, table, policy, tol, evaluate(mdp, policy), policy)
        best = policy_iteration(mdp)
        return cls(mdp, table, policy, tol, best, best.policy)

    def judged(self, name: str, given: Array) -> Finding:
        """v or q against the truth."""
        true = self.truth.v if name == "v" else self.truth.q
        gap = np.abs(given - true)
        worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape))
        return Finding(
            asked=name,
            truth=name.upper() + ("*" if self.policy is None else "^π"),
            distance=gap[worst],
            error_bound=self.truth.error_bound,
            tol=self.tolerance(true),
            place=place(self.mdp, worst),
            given=given[worst],
            true=true[worst],
            residual=ar.largest(np.abs(self.swept(name, given) - given)),
            greedy_regret=self.greedy_regret(name, given) if self.policy is None else None,
        )

    def regret(self, policy: Array) -> Finding:
        """V* - V^π of a policy, state by state."""
        value = evaluate(self.mdp, policy)
        gap = self.truth.v - value.v
        worst = int(np.argmax(gap))
        found = Finding(
            asked="policy",
            truth="V*",
            distance=gap[worst],
            error_bound=self.truth.error_bound + value.error_bound,
            tol=self.tolerance(self.truth.v),
            place=place(self.mdp, (worst,)),
            given=value.v[worst],
            true=self.truth.v[worst],
        )
        others = int((ar.apart(policy, self.start).any(axis=1) & ~self.mdp.terminal).sum())
        ties = f"other optimal actions than the first in {others} state{'s' * (others > 1)}: ties"
        return replace(found, note=ties) if found.agrees and others else found

    def tolerance(self, true: Array) -> Any:
        return 1e-8 * max(1.0, float(ar.largest(np.abs(true)))) if self.tol is None else self.tol

    def swept(self, name: str, given: Array) -> Array:
        """The answer one sweep later: (S,) -> (S,) or (S, A) -> (S, A)."""
        return self.top(backup(self.mdp, given)) if name == "v" else self.asked(backup(self.mdp, self.top(given)))

    def top(self, q: Array) -> Array:
        return ar.best(q, self.mdp.available)[0] if self.policy is None else ar.average(self.mdp.admit(self.policy), q)

    def asked(self, q: Array) -> Array:
        return np.where(self.mdp.available, q, ar.zeros(self.mdp.r, q.shape))

    def greedy_regret(self, name: str, given: Array) -> Any:
        """What acting greedily on the answer loses, in the worst state; None where its value is not finite."""
        q = backup(self.mdp, given) if name == "v" else given
        try:
            return ar.largest(self.truth.v - policy_value(self.mdp, first_best(self.mdp, q)))
        except NO_ANSWER:
            return None

    def mistakes(self, policy: Array | None) -> list[Mistake]:
        """What the usual mistakes would have answered, and the values of `policy` where those of the optimum are asked."""
        mdp, chosen = self.mdp.to_float(), self.policy
        out = list(planning_mistakes(mdp, None if chosen is None else floats(chosen), self.table, floats(self.start)))
        if policy is not None and chosen is None:
            value = evaluate(self.mdp, policy)
            says = 'V^π and Q^π stand where V* and Q* are asked: for these give of="policy"'
            out.insert(0, Mistake("value of the policy handed in", says, floats(value.v), floats(value.q)))
        return out

    def causes(self, name: str, given: Array, mistakes: list[Mistake]) -> tuple[Cause, ...]:
        mdp = self.mdp.to_float()
        if name == "policy":
            return causes_of_policy(mdp, floats(given), mistakes)
        chosen, true = (
            None if self.policy is None else floats(self.policy),
            self.truth.v if name == "v" else self.truth.q,
        )
        return causes_of_values(mdp, chosen, name, floats(given), floats(true), mistakes)


def floats(x: Array) -> Array:
    return np.asarray(x, dtype=np.float64)


def place(mdp: MDP, index: tuple[int, ...]) -> str:
    """A state, or a state and an action, as a person would name it."""
    known = zip(("state", "action"), index, (mdp.states, mdp.actions), strict=False)
    return ", ".join(f"{what} {i}" if names is None else f"{what} {i} ({names[i]!r})" for what, i, names in known)
