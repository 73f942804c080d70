"""How a verdict is earned.

A claim is a decorated generator of checks. It names the places of the documents that it covers, says what they state, and
gives a verdict that its checks must earn:

    Holds         at least one check supports it, and every check passes
    Conditional   a check supports it under the condition, and a refutation shows it failing without
    Wrong         a refutation shows the statement failing, and a check supports the corrected form
    Qualitative   nothing here can be computed; the reason is given

Evidence, strongest first: proved (a symbolic residual is zero), exact (rationals equal), enclosed (a rigorous interval),
close (floats within a stated tolerance), swept (seeded random cases), sourced (a citation).
"""

from rlexact.claims.checks import (
    RUNGS,
    Check,
    against,
    agrees,
    at_most,
    below,
    close,
    differs,
    enclosed,
    equal,
    exceeds,
    proved,
    proved_at_most,
    refuses,
    shows,
    sourced,
    swept,
    tight,
)
from rlexact.claims.claim import (
    Claim,
    Conditional,
    Holds,
    Qualitative,
    Repeat,
    Report,
    Section,
    Verdict,
    Wrong,
    claim,
    same_as,
)
from rlexact.claims.printed import Printed, printed

__all__ = [
    "RUNGS",
    "Check",
    "Claim",
    "Conditional",
    "Holds",
    "Printed",
    "Qualitative",
    "Repeat",
    "Report",
    "Section",
    "Verdict",
    "Wrong",
    "against",
    "agrees",
    "at_most",
    "below",
    "claim",
    "close",
    "differs",
    "enclosed",
    "equal",
    "exceeds",
    "printed",
    "proved",
    "proved_at_most",
    "refuses",
    "same_as",
    "shows",
    "sourced",
    "swept",
    "tight",
]
