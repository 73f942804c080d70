"""Files read back equal; damaged ones are refused."""

import io
import json
import zipfile
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact.arithmetic import NotExact
from rlexact.mdp import MDP, InvalidMDP
from rlexact.outcomes import outcomes_of
from tests.strategies import in_world, law_model, model

FILES = {"float64": "model.npz", "sparse float64": "model.npz", "rational": "model.json"}
P = [[[0.5, 0.5], [1, 0]], [[0, 1], [0, 1]]]
R = [[0.1, 2.0], [0.0, 0.0]]


def again(mdp, path):
    mdp.save(path)
    return MDP.load(path)


@pytest.mark.parametrize("world", FILES)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_round_trips(tmp_path, world, seed, rank):
    mdp = model(seed, world, rank=rank)
    back = again(mdp, tmp_path / FILES[world])
    assert back == mdp
    assert np.shape(back.R) == np.shape(mdp.R)
    assert (back.R == mdp.R).all()
    assert (back.states, back.actions, type(back.gamma)) == (mdp.states, mdp.actions, type(mdp.gamma))
    assert not back.r.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == [FILES[world]]  # nothing else is left behind


@pytest.mark.parametrize("world", FILES)
@pytest.mark.parametrize("seed", range(3))
def test_laws_and_ends(tmp_path, world, seed):
    mdp = in_world(law_model(seed), world)
    back = again(mdp, tmp_path / FILES[world])
    assert back == mdp
    assert (back.ends == mdp.ends).all()
    assert all(outcomes_of(back, s, a) == outcomes_of(mdp, s, a) for s in range(4) for a in range(2))


def test_floats_keep_every_bit(tmp_path):
    """Numbers that no decimal writes, and means that were added up in another order."""
    rng = np.random.default_rng(0)
    rows = rng.random((12, 4)) ** 9
    rows /= rows.sum(axis=1)[:, None]
    law = rng.normal(size=(12, 4)) * 1e9
    dense = MDP(rows.reshape(4, 3, 4), law.reshape(4, 3, 4), np.nextafter(1, 0), rows[0])
    for mdp in (
        dense,
        dense.to_sparse(),
        MDP(scipy.sparse.csr_array(rows), scipy.sparse.csr_array(law), 0.3).to_dense(),
    ):
        back = again(mdp, tmp_path / "model.npz")
        assert back == mdp
        assert back.r.tobytes() == mdp.r.tobytes()
    from_exact = MDP.from_outcomes(
        [[[("1/3", 0, 1, False), ("1/3", 0, 2, False), ("1/3", 0, 4, True)]]], "0.9"
    ).to_float()
    assert again(from_exact, tmp_path / "model.npz") == from_exact


def test_names_of_every_kind(tmp_path):
    names = ["a'\"<&é", 7, (0, ("x", 1)), None, True, 2.5]
    mdp = MDP([[[1 / 6] * 6]] * 6, [0.0] * 6, 0.9, states=names)
    assert again(mdp, tmp_path / "m.npz").states == tuple(names)
    assert again(mdp.replace(states=None), tmp_path / "m.npz").states is None
    strange = mdp.replace(states=[Fraction(i) for i in range(6)])
    before = (tmp_path / "m.npz").read_bytes()
    with pytest.raises(ValueError, match=r"no file form for the name Fraction\(0, 1\)"):
        strange.save(tmp_path / "m.npz")
    assert (tmp_path / "m.npz").read_bytes() == before


def test_integers_as_names(tmp_path):
    mdp = MDP([[["1/2", "1/2"]], [[0, 1]]], [1, 0], "0.9", 2, terminal=[1], states=[2, 1])
    assert again(mdp, tmp_path / "m.json") == mdp


def test_a_save_that_fails_leaves_the_older_file(tmp_path, monkeypatch):
    path, mdp = tmp_path / "m.npz", MDP(P, R, 0.9)
    mdp.save(path)

    def full_disk(file, **arrays):
        file.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="no space left"):
        mdp.replace(gamma=0.5).save(path)
    assert MDP.load(path) == mdp
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_readable(tmp_path):
    model(0).save(tmp_path / "m.json")
    data = json.loads((tmp_path / "m.json").read_text())
    assert (data["format"], data["version"], data["world"]) == ("rlexact MDP", 1, "rational")
    assert data["gamma"] == str(model(0).gamma)
    assert data["P"][0][1] == [str(x) for x in model(0).P[0, 1]]


def test_symbols_have_no_file(tmp_path):
    with pytest.raises(NotExact, match=r"give its symbols numbers and take it to_rational\(\)"):
        MDP([[[1]]], [1], sympy.Symbol("g")).save(tmp_path / "m.json")


@pytest.mark.parametrize("name", ["m.json", "m", "m.npz.txt", "m.NPY"])
def test_wrong_suffix(tmp_path, name):
    with pytest.raises(ValueError, match=r"a float64 model is saved as \.npz"):
        MDP(P, R, 0.9).save(tmp_path / name)
    with pytest.raises(ValueError, match=r"a rational model is saved as \.json"):
        model(0).save(tmp_path / name.replace("json", "npz"))
    if name != "m.json":
        with pytest.raises(ValueError, match=r"saved as \.npz \(floats\) or \.json"):
            MDP.load(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_not_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        MDP.load(tmp_path / "nothing.npz")


# -- damage ---------------------------------------------------------------------------------------------------------------


def damaged(path, message=None):
    with pytest.raises(InvalidMDP, match=message) as refusal:
        MDP.load(path)
    assert path.name in str(refusal.value)


@pytest.mark.parametrize("world", FILES)
def test_any_truncation(tmp_path, world):
    path = tmp_path / FILES[world]
    model(1, world).save(path)
    whole = path.read_bytes()
    for length in [0, 1, 10, *range(20, len(whole) - 3, max(1, len(whole) // 25))]:
        path.write_bytes(whole[:length])
        damaged(path)


@pytest.mark.parametrize("world", FILES)
def test_any_changed_byte(tmp_path, world):
    """Refused, or the same model (a byte of a time stamp), or another valid one that JSON spells (9/10 for 7/10)."""
    path = tmp_path / FILES[world]
    mdp = model(1, world)
    mdp.save(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refusals = 0
    for at in rng.integers(len(whole), size=60):
        changed = bytearray(whole)
        changed[at] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        try:
            back = MDP.load(path)
        except InvalidMDP:
            refusals += 1
        else:
            assert back == mdp or world == "rational"
    assert refusals > 20


def test_what_is_no_archive(tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(b"these are not the bytes of an archive")
    damaged(path, "damaged or no saved model")
    with path.open("wb") as file:
        np.save(file, np.eye(2))
    damaged(path)
    np.savez(path, P=np.eye(2))
    damaged(path, "header")
    np.savez(path, header=np.array({"format": "rlexact MDP"}, dtype=object))
    damaged(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", b"")
    damaged(path)


def rewritten(path, **changes):
    """The archive again with some arrays changed (None: left out)."""
    with np.load(io.BytesIO(path.read_bytes())) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays["header"])) | changes.pop("header", {})
    arrays["header"] = np.array(json.dumps({k: v for k, v in header.items() if v != "left out"}))
    np.savez(path, **{name: x for name, x in {**arrays, **changes}.items() if x is not None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"header": {"version": 2}}, "its format is version 2, this rlexact reads 1: update rlexact"),
        ({"header": {"format": "other"}}, "no saved model"),
        ({"header": {"states": ["a"]}}, "states has 1 names for 2 states"),
        ({"header": {"states": "left out"}}, "states is missing"),
        ({"header": {"states": 5}}, "states = 5"),
        ({"header": {"world": "rational"}}, "its numbers are float64, its header says 'rational'"),
        ({"P": np.full((4, 2), 0.4)}, r"P\[0, 0\] sums to 0\.8"),
        ({"P": np.eye(3)}, "damaged"),
        ({"P": np.eye(2)}, "P has shape"),
        ({"P": None}, "P is missing"),
        ({"P": np.array([[np.nan, 1], [1, 0], [0, 1], [0, 1]])}, r"P\[0, 0, 0\] = nan"),
        ({"P": np.eye(4, 2) + 0j}, "complex"),
        ({"R": np.zeros(3)}, "R has shape"),
        ({"R": np.full((2, 2), np.inf)}, r"R\[0, 0\] = inf"),
        ({"r": np.ones((2, 2))}, r"r\[0, 0\] = 1\.0 is not the mean of its rewards, 0\.1"),
        ({"r": np.ones(2)}, r"r has shape \(2,\)"),
        ({"r": np.full((2, 2), np.nan)}, r"r\[0, 0\] = nan"),
        ({"r": None}, "r is missing"),
        ({"gamma": np.array(1.5)}, "gamma = 1.5 lies outside"),
        ({"gamma": np.zeros(2)}, "gamma"),
        ({"initial": np.array([0.5, 0.6])}, "initial sums to 1.1"),
        ({"terminal": np.array([True])}, "terminal is a mask"),
        ({"terminal": np.array([False, True]), "R": np.ones((2, 2))}, "terminal state"),
        ({"available": np.ones(4, dtype=bool)}, "available has shape"),
        ({"available": np.ones((2, 2))}, "available has dtype float64"),
        ({"ends": np.full((2, 2), 0.5)}, r"P\[0, 0\] sums to 1\.5"),
        ({"ends": np.full((2, 2), -0.5)}, r"ends\[0, 0\] = -0\.5"),
        ({"ends": np.zeros(2)}, "ends has shape"),
        ({"ends": np.full((2, 2), np.nan)}, r"ends\[0, 0\] = nan"),
        ({"law_rows": np.zeros(1, dtype=int)}, "damaged|law"),
    ],
)
def test_edited_archives(tmp_path, changes, message):
    path = tmp_path / "m.npz"
    MDP(P, R, 0.9).save(path)
    rewritten(path, **{key: x.copy() if isinstance(x, dict | np.ndarray) else x for key, x in changes.items()})
    damaged(path, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"P_indices": np.array([0, 9, 0, 1, 1])}, "damaged"),
        ({"P_indices": np.array([0, -1, 0, 1, 1])}, "damaged"),
        ({"P_indptr": np.array([0, 2, 3, 4, 99])}, "damaged"),
        ({"P_data": np.array([0.5, 0.4, 1, 1, 1])}, r"P\[0, 0\] sums to 0\.9"),
        ({"P_data": None}, "P_data is missing"),
        ({"P_shape": np.array([4, 3])}, "P has shape"),
        ({"P_shape": np.array([-4, 2])}, "damaged"),
    ],
)
def test_edited_sparse_archives(tmp_path, changes, message):
    path = tmp_path / "m.npz"
    MDP(P, R, 0.9).to_sparse().save(path)
    rewritten(path, **changes)
    damaged(path, message)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("law_rewards", 7.0, "does not add up to P, ends and r"),
        ("law_probabilities", 0.5, "does not add up"),
        ("law_probabilities", -0.5, "a number that does not fit"),
        ("law_rows", 99, "a place outside the model"),
        ("law_next", -2, "a place outside the model"),
        ("law_next", 0.5, "lists of integers"),
        ("law_next", 3, "does not add up"),
    ],
)
def test_edited_laws(tmp_path, name, value, message):
    path = tmp_path / "m.npz"
    law_model(1).to_float().save(path)
    with np.load(path) as archive:
        array = archive[name].astype(type(value))
    array[1] = value
    rewritten(path, **{name: array})
    damaged(path, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 9}, "its format is version 9"),
        ({"gamma": 0.5}, r'gamma holds 0\.5: every number is a string such as "1/3"'),
        ({"gamma": "3/2"}, "gamma = 3/2 lies outside"),
        ({"gamma": "1/0"}, "gamma: '1/0' is not a finite decimal"),
        ({"gamma": None}, "gamma = None"),
        ({"P": "p"}, "damaged|P"),
        ({"P": [[["1/2", "1/3"]]]}, "damaged|P"),
        ({"states": {"tuple": []}}, "states = "),
        ({"available": [[True], [True, False]]}, "damaged|ragged"),
        ({"r": [["7"]]}, "r has shape"),
        ({"initial": ["1/2"]}, "initial has shape"),
        ({"world": "float64"}, "its numbers are rational"),
    ],
)
def test_edited_json(tmp_path, changes, message):
    path = tmp_path / "m.json"
    model(1).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    damaged(path, message)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": "rlexact MDP", "version": 1}', "[" * 100_000, "\ud800"]
)
def test_what_is_no_json(tmp_path, text):
    path = tmp_path / "m.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    damaged(path)
