"""With a function that a claim is about perturbed, the claim fails: a claim that still passes checks nothing."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.ledger import SectionFile
from rlexact.sabotage import Saboteur, survivors
from tests.test_claims import CLAIMS, place_ids

SAMPLE = """
from fractions import Fraction
from rlexact import gallery
from rlexact.claims import *
from rlexact.exact.evaluation import policy_value
from rlexact.policy import uniform

SECTION = Section("theory", "sample", "A sample")

def double(x):
    return 2 * x

@claim("theory-001", says="good", verdict=Holds(), about=policy_value)
def good():
    walk = gallery.random_walk()
    yield equal(policy_value(walk, uniform(walk))[2], Fraction(1, 2))

@claim("theory-002", says="vacuous", verdict=Holds(), about=policy_value)
def vacuous():
    walk = gallery.random_walk()
    yield equal(policy_value(walk, uniform(walk)), policy_value(walk, uniform(walk)))

@claim("theory-003", says="local", verdict=Holds(), about=double)
def local():
    yield equal(double(Fraction(3)), 6)

@claim("theory-004", says="never called", verdict=Holds(), about=double)
def uncalled():
    yield equal(1, 1)

@claim("theory-005", says="print", verdict=Holds())
def in_print():
    yield agrees(printed("0.33"), Fraction(1, 3))

@claim("theory-006", says="no print", verdict=Holds())
def no_print():
    yield equal(1, 1)

@claim("theory-007", says="an exception is no catch", verdict=Holds(), about=double)
def raising():
    if double(1) != 2:
        raise ValueError
    yield equal(1, 1)

@claim("theory-008", says="cited", verdict=Holds())
def cited():
    yield sourced("a page")
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("theory") / "sample.py"
    path.write_text(SAMPLE, "utf-8")
    return SectionFile(path)


@pytest.mark.parametrize(
    ("name", "caught"),
    [
        ("good", True),
        ("vacuous", False),
        ("local", True),
        ("uncalled", False),
        ("in_print", True),
        ("no_print", False),
        ("raising", False),
        ("cited", True),
    ],
)
def test_sabotage_tells_a_claim_from_a_decoration(sample, name, caught):
    claim = next(c for c in sample.claims if c.name == name)
    assert (survivors(sample, claim) == []) is caught


def test_everything_is_put_back_after_sabotage(sample):
    for claim in sample.claims:
        survivors(sample, claim)
    assert all(c.run().passed for c in sample.claims)


@pytest.mark.parametrize("kind", ["scale", "shift", "sign"])
@pytest.mark.parametrize("value", [Fraction(1, 2), 0.5, np.array([1.0, 2.0]), np.array([Fraction(1, 3)])], ids=str)
def test_a_perturbation_keeps_the_world(kind, value):
    saboteur = Saboteur(lambda: value, kind)
    found = saboteur()
    assert type(found) is type(value)
    assert saboteur.changed
    if isinstance(value, np.ndarray):
        assert [type(x) for x in found.flat] == [type(x) for x in value.flat]


@pytest.mark.parametrize("pair", CLAIMS, ids=place_ids)
def test_the_claim_fails_when_what_it_is_about_is_broken(pair):
    assert survivors(*pair) == []
