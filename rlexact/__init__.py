"""The ground truth of reinforcement learning: what can be known exactly about a finite MDP.

    What is the model?              MDP, gallery, from_gymnasium
    What does the agent do?         uniform, deterministic, softmax, epsilon_greedy, mixture; trajectory
    What is a policy worth?         policy_value, action_value, advantage, expected_return, evaluate
    Where does it go?               visits, occupancy, successor_representation, stationary, hitting_time, ...
    What is best?                   policy_iteration, value_iteration, linear_program, backward_induction, ...
    How far is an answer off?       residual_bound, span_bounds, contraction_modulus
    Is my own answer right?         audit

Everything else is found by its room: `rlexact.exact`, `rlexact.learning`, `rlexact.interop`, and so on.
"""

from typing import TYPE_CHECKING, Any

from rlexact import gallery
from rlexact.arithmetic import MixedNumbers, NotANumber, NotExact, SingularSystem
from rlexact.conformance.audit import audit
from rlexact.exact.bellman import backup, bellman_optimal, bellman_policy, greedy, optimal_actions
from rlexact.exact.certified import evaluate
from rlexact.exact.chain import closed_classes, reachable
from rlexact.exact.contraction import contraction_modulus, residual_bound, span_bounds
from rlexact.exact.evaluation import (
    absorbing_occupancy,
    action_value,
    advantage,
    expected_return,
    occupancy,
    occupancy_pairs,
    policy_value,
    successor_representation,
    visits,
)
from rlexact.exact.horizon import backward_induction
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.reach import hitting_time, max_reach_probability, min_reach_probability, reach_probability
from rlexact.exact.stationary import stationary
from rlexact.exact.value_iteration import gauss_seidel, modified_policy_iteration, value_iteration
from rlexact.interop.gymnasium import from_gymnasium
from rlexact.learning.simulate import trajectory
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic, deterministic_policies, epsilon_greedy, mixture, softmax, uniform
from rlexact.solution import Evaluation, NotConverged, Solution, Unbounded

if TYPE_CHECKING:
    from rlexact.exact.linear_program import linear_program

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  grouped by question
    # the model
    "MDP",
    "gallery",
    "from_gymnasium",
    # what the agent does
    "uniform",
    "deterministic",
    "deterministic_policies",
    "epsilon_greedy",
    "softmax",
    "mixture",
    "trajectory",
    # one step
    "backup",
    "bellman_policy",
    "bellman_optimal",
    "greedy",
    "optimal_actions",
    # what a policy is worth
    "policy_value",
    "action_value",
    "advantage",
    "expected_return",
    "evaluate",
    # where it goes
    "visits",
    "occupancy",
    "occupancy_pairs",
    "absorbing_occupancy",
    "successor_representation",
    "stationary",
    "closed_classes",
    "reachable",
    "reach_probability",
    "max_reach_probability",
    "min_reach_probability",
    "hitting_time",
    # what is best
    "policy_iteration",
    "value_iteration",
    "gauss_seidel",
    "modified_policy_iteration",
    "linear_program",
    "backward_induction",
    # how far an answer is off
    "contraction_modulus",
    "residual_bound",
    "span_bounds",
    "Solution",
    "Evaluation",
    # is my own answer right
    "audit",
    # what can go wrong
    "InvalidMDP",
    "InvalidPolicy",
    "MixedNumbers",
    "NotANumber",
    "NotConverged",
    "NotExact",
    "SingularSystem",
    "Unbounded",
]


def __getattr__(name: str) -> Any:
    """`linear_program` is loaded when it is asked for: SciPy's optimisers take as long to import as all the rest."""
    if name == "linear_program":
        from rlexact.exact.linear_program import linear_program

        return linear_program
    raise AttributeError(f"module 'rlexact' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
