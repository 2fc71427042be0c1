"""Objects at the place of one that the models were trained on."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts import tables
from workflow_scripts.split import MOST_OF_A_STAR, STAR_RADIUS_ARCSEC, star_of
from workflow_scripts.trained_on import COLUMN, neighbours, used

ARCSEC = 1 / 3600


def listed(prefix: str, *places: tuple[float | None, float | None]) -> pa.Table:
    """Objects prefix0, prefix1, ... at these places [deg]."""
    ra, dec = zip(*places, strict=True) if places else ((), ())
    ids = [f"{prefix}{i}" for i in range(len(places))]
    kinds = {"object_id": pa.string(), "ra_deg": pa.float64(), "dec_deg": pa.float64()}
    return pa.table([pa.array(v, t) for v, t in zip((ids, ra, dec), kinds.values(), strict=True)], names=list(kinds))


def test_the_same_place_and_one_within_the_radius_are_named_and_no_other():
    trained = listed("l", (10.0, 60.0), (20.0, -5.0), (0.0, 0.0))
    science = listed(
        "s",
        (20.0, -5.0),
        (10.0 + 2 * 1.4 * ARCSEC, 60.0),  # 1.4 arcsec away, since cos 60 deg is a half
        (10.0 + 2 * 1.6 * ARCSEC, 60.0),
        (359.9999999, 0.0),
        (30.0, 30.0),
    )
    found = neighbours(science, trained)
    assert found.type == COLUMN.type == pa.string()
    assert found.to_pylist() == ["l1", "l0", None, "l2", None]


def test_nearest_counts_and_one_may_be_named_more_than_once():
    trained = listed("l", (10.0, 0.0), (10.0 + 1.0 * ARCSEC, 0.0))
    science = listed("s", (10.0 + 0.9 * ARCSEC, 0.0), (10.0 + 0.4 * ARCSEC, 0.0), (10.0 + 1.2 * ARCSEC, 0.0))
    assert neighbours(science, trained).to_pylist() == ["l1", "l0", "l1"]


def test_object_that_was_trained_on_itself_has_no_neighbour():
    """Two identifiers of one star are in one fold: the model that classifies them saw neither."""
    trained = listed("l", (10.0, 0.0), (10.0, 0.0), (20.0, 0.0))
    assert neighbours(trained, trained).to_pylist() == [None] * 3
    both = pa.concat_tables([trained, listed("s", (20.0, 0.0))])
    assert neighbours(both, trained).to_pylist() == [None, None, None, "l2"]


def test_without_coordinates_nothing_is_known():
    nowhere = listed("x", (None, None), (10.0, None), (None, 0.0))
    assert neighbours(nowhere, listed("l", (10.0, 0.0))).to_pylist() == [None] * 3
    assert neighbours(listed("s", (10.0, 0.0)), nowhere).to_pylist() == [None]
    mixed = pa.concat_tables([nowhere, listed("s", (10.0, 0.0))])
    assert neighbours(mixed, mixed.slice(0, 3)).to_pylist() == [None] * 4
    assert neighbours(mixed, listed("l", (10.0, 0.0))).to_pylist() == [None, None, None, "l0"]
    assert neighbours(listed("s"), listed("l")).to_pylist() == []


def test_coordinates_of_a_field_are_no_star():
    """As star_of takes more than twenty objects at one place for different stars."""
    many, some = [(5.0, 5.0)] * (MOST_OF_A_STAR + 1), [(5.0, 5.0)] * MOST_OF_A_STAR
    assert neighbours(listed("s", *many), listed("l", (5.0, 5.0))).null_count == len(many)
    assert neighbours(listed("s", (5.0, 5.0)), listed("l", *many)).null_count == 1
    assert set(neighbours(listed("s", *some), listed("l", *some)).to_pylist()) == {"l0"}
    ids = np.array(["s0", *listed("l", *many)["object_id"].to_pylist()], dtype=object)
    assert set(star_of(ids, np.full((len(ids), 2), 5.0))) == set(ids)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_who_is_named_is_of_one_star_with_the_object(seed):
    """A crowded field: what is named is what the split would have kept together, whatever the order of the rows."""
    rng = np.random.default_rng(seed)
    trained, science = (
        listed(p, *rng.uniform(10, 10 + 20 * ARCSEC, (n, 2)).tolist()) for p, n in (("l", 9), ("s", 30))
    )
    every = pa.concat_tables([trained, science])
    ids = np.array(every["object_id"].to_pylist(), dtype=object)
    star = dict(zip(ids, star_of(ids, np.column_stack([every["ra_deg"], every["dec_deg"]])), strict=True))
    found = neighbours(science, trained).to_pylist()
    assert all(star[a] == star[b] for a, b in zip(science["object_id"].to_pylist(), found, strict=True) if b)
    order = rng.permutation(30)
    assert neighbours(science.take(order), trained.take(rng.permutation(9))).to_pylist() == [found[i] for i in order]
    ra, dec = (
        np.subtract.outer(*(side[name].to_numpy() for side in (science, trained))) for name in ("ra_deg", "dec_deg")
    )
    # The field is at declination 10: plane geometry is good to 1e-4 of the radius there.
    apart = np.hypot(ra * np.cos(np.radians(10)), dec).min(axis=1) / ARCSEC / STAR_RADIUS_ARCSEC
    assert all((name is not None) == (d < 1) for name, d in zip(found, apart, strict=True) if abs(d - 1) > 1e-3)


def test_only_objects_of_the_split_were_trained_on():
    labelled = listed("l", (1.0, 1.0), (2.0, 2.0), (3.0, 3.0))
    chunked = pa.concat_tables([listed("x", (0.0, 0.0)), labelled])
    assert used(chunked, pa.table({"object_id": ["l2", "l0", "gone"]}))["object_id"].to_pylist() == ["l0", "l2"]
    assert used(labelled, tables.SPLIT.schema.empty_table()).num_rows == 0


@pytest.mark.parametrize("spread", [180.0, 0.0], ids=["over the sky", "at one place"])
def test_many_objects_take_seconds(spread):
    rng = np.random.default_rng(0)

    def many(prefix: str, n: int) -> pa.Table:
        place = rng.uniform(-spread / 2, spread / 2, (2, n))
        return pa.table({"object_id": [f"{prefix}{i}" for i in range(n)], "ra_deg": place[0], "dec_deg": place[1]})

    science, trained = many("s", 300_000), many("l", 30_000)
    begun = time.perf_counter()
    assert neighbours(science, trained).null_count > 299_000
    # A second here; each against each would be 9e9 pairs, some minutes.
    assert time.perf_counter() - begun < 30
