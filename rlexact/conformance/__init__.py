"""Somebody else's answer, judged: how far from the truth it is, and which named mistake it makes, if any."""

from rlexact.conformance.audit import audit
from rlexact.conformance.findings import Audit, Cause, Finding, InvalidValues

__all__ = ["Audit", "Cause", "Finding", "InvalidValues", "audit"]
