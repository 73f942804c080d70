"""How far computed values are from V* at γ = 1, where no contraction helps: one model more, whose rewards are the doubts.

A vector u with u ≥ r + P u on every pair that leaves its component or is paid, constant on the collapsed components and
≥ 0 there, bounds every policy: u ≥ V* (the argument of `ending`, case 4, with every δ > 0). A vector l with l ≤ r_π + P_π l,
l ≤ 0 where π stops, is below V^π ≤ V* if π ends. Given v, both are looked for at

    u = v + W,   W the optimal value of the collapsed model whose rewards are  r + P v - v + margin
    l = v - L,   L the value of π in the one whose rewards are              v - r - P v + margin

and then verified in the original model with every rounding counted: what W and L are themselves computed with does not
matter. The margin, a few roundings of one backup, makes the verification succeed. Expected steps to the end multiply the
rounding of a step, and W counts them along the paths that a nearly best policy takes.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.exact.contraction import enclosed_backup
from rlexact.exact.ending import Ending
from rlexact.exact.evaluation import policy_value
from rlexact.mdp import MDP
from rlexact.solution import Unbounded
