"""Every claim of the documents earns its verdict, every place has its section, and a verdict cannot be had for nothing."""

import tomllib
from collections import Counter
from fractions import Fraction
from functools import cache

import pytest

import rlexact
from rlexact import ledger
from rlexact.claims import (
    Claim,
    Conditional,
    Holds,
    Qualitative,
    Repeat,
    Wrong,
    against,
    agrees,
    at_most,
    claim,
    close,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    proved_at_most,
    refuses,
    shows,
    sourced,
    swept,
    tight,
)

FILES = ledger.sections()
ITEMS = ledger.items(FILES)
CLAIMS = [(f, x) for f, x in ITEMS if isinstance(x, Claim)]
REPEATS = [(f, x) for f, x in ITEMS if isinstance(x, Repeat)]


@cache
def report_of(claim):
    """The report of a claim, run once for all tests that read it."""
    return claim.run()


def place_ids(pair):
    return "+".join(pair[1].places) + "/" + pair[1].name


@pytest.mark.parametrize("pair", CLAIMS, ids=place_ids)
def test_the_verdict_is_earned(pair):
    report = report_of(pair[1])
    assert report.passed, "\n".join(report.lines())


@pytest.mark.parametrize("pair", REPEATS, ids=place_ids)
def test_a_repeat_points_to_a_judged_place(pair):
    judged = {place for _, c in CLAIMS for place in c.places}
    assert pair[1].of in judged


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_section_covers_its_places_and_no_others(file):
    due = {place for place, name in ledger.section_of().items() if name == file.name}
    assert due, f"sections.json knows no places of {file.name}"
    assert file.covers == due
    assert (file.section.document, file.section.name) == tuple(file.name.split("/"))


def test_every_place_has_one_section_and_every_section_file_is_listed():
    assert set(ledger.section_of()) == set(ledger.places())
    assert {f.name for f in FILES} <= set(ledger.section_of().values())


def test_no_place_is_judged_decisively_twice():
    """Several claims may share a place, but not one that holds with one that is wrong."""
    verdicts = {}
    for _, c in CLAIMS:
        for place in c.places:
            verdicts.setdefault(place, set()).add(c.verdict.word)
    assert not {p: v for p, v in verdicts.items() if {"holds", "wrong"} <= v}


def test_at_most_one_place_in_ten_is_qualitative():
    words = {}
    for _, c in CLAIMS:
        for place in c.places:
            words.setdefault(place, set()).add(c.verdict.word)
    qualitative = [place for place, found in words.items() if found == {"qualitative"}]
    assert len(qualitative) <= len(words) / 10


def test_claims_have_ids_of_their_own():
    assert not [i for i, n in Counter(c.id for _, c in CLAIMS).items() if n > 1]


def test_every_public_function_is_claimed_or_says_why_not():
    claimed = {f.__name__ for _, c in CLAIMS for f in c.about}
    reasons = tomllib.loads((ledger.root() / "unclaimed.toml").read_text("utf-8"))
    del reasons["formulas"]  # tests/formulas/test_page.py reads these
    functions = {name for name in rlexact.__all__ if callable(getattr(rlexact, name)) and name[0].islower()}
    assert functions - claimed == set(reasons), "name it in a claim's about=, or give the reason in unclaimed.toml"
    assert all(len(reason.split()) > 3 for reason in reasons.values())


def earned(verdict, *checks, about=()):
    @claim("theory-001", says="a statement", verdict=verdict, about=about)
    def sample():
        yield from checks

    return sample.run().passed


good, bad = equal(1, 1), equal(1, 2)
refuting = differs(Fraction(1, 2), Fraction(1, 3))
bound, witness = at_most(Fraction(1, 2), 1), tight(Fraction(1), Fraction(1))


@pytest.mark.parametrize(
    ("verdict", "checks", "passes"),
    [
        (Holds(), [good], True),
        (Holds(), [], False),
        (Holds(), [good, bad], False),
        (Holds(), [good, refuting], False),
        (Holds(), [bound], False),
        (Holds(), [bound, witness], True),
        (Conditional(given="c"), [good], False),
        (Conditional(given="c"), [refuting], False),
        (Conditional(given="c"), [good, refuting], True),
        (Wrong(because="b", instead="i"), [refuting], False),
        (Wrong(because="b", instead="i"), [good], False),
        (Wrong(because="b", instead="i"), [good, refuting], True),
        (Wrong(because="b", instead="i"), [good, differs(1, 1)], False),
        (Qualitative(why="w"), [], True),
        (Qualitative(why="w"), [good], False),
    ],
)
def test_what_a_verdict_needs(verdict, checks, passes):
    assert earned(verdict, *checks) is passes


def test_an_exception_is_a_failure_that_is_shown():
    @claim("theory-001", says="a statement", verdict=Holds())
    def broken():
        yield good
        raise RuntimeError("the reason")

    report = broken.run()
    assert not report.passed
    assert "RuntimeError: the reason" in "\n".join(report.lines())


@pytest.mark.parametrize(
    ("check", "passes"),
    [
        (agrees(printed("6.2"), Fraction(25, 4)), True),  # closed at both ends
        (agrees(printed("6.3"), Fraction(25, 4)), True),
        (agrees(printed("6.4"), Fraction(25, 4)), False),
        (agrees(printed("10"), Fraction(101, 10)), False),  # a bare integer is exact
        (agrees(printed("100", digits=1), 149), True),
        (agrees(printed("1.2e30"), 124 * 10**28), True),
        (agrees(printed("1.2e30"), 126 * 10**28), False),
        (agrees(printed(["0.5", "0.25"]), [0.5, 0.2549]), True),
        (differs(printed("6.97"), Fraction(698, 100)), True),
        (differs(printed("6.97"), Fraction(6971, 1000)), False),
        (exceeds(2, 1), True),
        (exceeds(1, 1), False),
        (tight(Fraction(9991, 10000), 1), True),
        (tight(Fraction(999, 1000), 1), False),
        (tight(Fraction(1001, 1000), 1), False),
        (close(1.0, 1.1, tol=0.01, because="test"), False),
        (close(1.0, float("nan"), tol=0.01, because="test"), False),
        (shows(1 < 2, "order"), True),
        (against(False, "no fact"), False),
        (sourced(" "), False),
        (refuses(ZeroDivisionError, lambda: 1 / 0, "division"), True),
        (refuses(ZeroDivisionError, lambda: 1, "no division"), False),
        (swept(lambda x: x - 3, range(4), "below four"), True),
        (swept(lambda x: x - 2, range(4), "below three"), False),
    ],
)
def test_checks_pass_and_fail(check, passes):
    assert check.passed is passes


def test_floats_are_not_compared_exactly():
    with pytest.raises(TypeError, match="agrees"):
        equal(0.5, Fraction(1, 2))
    with pytest.raises(TypeError, match="apart"):
        differs(0.5, 0.25)
    with pytest.raises(TypeError, match="True or False"):
        shows(1, "a number is no fact")


def test_proofs():
    import sympy

    x, y = sympy.symbols("x y", real=True)
    assert proved((x + y) ** 2 - x**2 - 2 * x * y - y**2, "square").passed
    assert not proved(x - y, "not zero").passed
    assert proved_at_most(2 * x * y, x**2 + y**2, [(x - y) ** 2], "a mean").passed
    assert not proved_at_most(2 * x * y, x**2 + y**2, [(x - y) ** 2 + 1], "terms that do not add up").passed
    assert not proved_at_most(x * y, x * y + x, [x], "a term of no sign").passed


@pytest.mark.parametrize("text", ["", "abc", "nan", None, "1/3"])
def test_print_that_is_no_number(text):
    with pytest.raises(ValueError, match="printed"):
        printed(text)
