"""What methods hand on: the group chosen, the rule stated, and where the membership starts."""

import numpy as np
import pytest
from simulated_region import Cluster, region
from small_fields import f1

from workflow_scripts.clustering import final, hdbscan, published, selection
from workflow_scripts.clustering.fields import Field
from workflow_scripts.clustering.regions import Region
from workflow_scripts.clustering.space import Centre, space
from workflow_scripts.clustering.stars import Groups, Locus
from workflow_scripts.tables import DataError

LOCUS = Locus(6.0, -9.0, 2.5)
MADE = region(np.random.default_rng(2), (Cluster(LOCUS, n=60),), n_field=240)
TRUE = MADE.truth == 0
GROUPS = Groups(np.where(TRUE, 1, 0).astype(np.int32), 2, {"silhouette": 0.5})
HALF = Locus(6.0, -9.0, np.nan)
CONE = Region("a", Centre(130.0, 20.0), 1.0)
WHOLE = space(MADE.stars, CONE.centre)


def place(locus: Locus | None = None, origin: str = "none") -> Field:
    return Field(CONE, "S", "DR3", 0.5, origin, locus)


@pytest.mark.parametrize(
    ("known", "rule"),
    [
        (place(LOCUS, "Dias 2002"), "nearest to the locus"),
        (place(), "most concentrated on the sky"),
        (place(HALF, "Dias 2002, motion only"), "most concentrated on the sky, of those near to what is known"),
    ],
)
def test_group_is_chosen_and_the_rule_is_stated(known, rule):
    found = selection.from_groups("K-Means", GROUPS, WHOLE, known)
    np.testing.assert_array_equal(found.selected, TRUE)
    assert rule in str(found.notes["rule"])
    assert (found.notes["group chosen"], found.notes["silhouette"]) == (1, 0.5)
    assert found.notes["locus_from"] == known.locus_from


@pytest.mark.parametrize("known", [place(), place(HALF, "Dias 2002, motion only")])
def test_field_without_a_compact_group_says_so(known):
    mixed = Groups(np.random.default_rng(1).integers(0, 2, len(TRUE)).astype(np.int32), 2)
    found = selection.from_groups("K-Means", mixed, WHOLE, known)
    assert not found.selected.any()
    assert found.notes["no cluster"] == "no group is more compact than the field"


def test_file_gives_back_the_selections_method_by_method():
    weights = np.linspace(0, 1, len(TRUE))
    first = selection.from_groups("K-Means", GROUPS, WHOLE, place())
    second = selection.from_weights("density", weights, {})
    back = selection.read(selection.rows([first, second], MADE.stars), MADE.stars)
    assert [one.method for one in back] == ["K-Means", "density"]
    np.testing.assert_array_equal(back[0].group, GROUPS.label)
    np.testing.assert_array_equal(back[1].weight, weights)
    np.testing.assert_array_equal(back[1].selected, weights > 0.5)


def test_selections_of_other_stars_are_refused():
    table = selection.rows([selection.from_weights("density", np.zeros(len(TRUE)), {})], MADE.stars)
    with pytest.raises(DataError, match="density are not of the region's stars"):
        selection.read(table, MADE.stars.take(np.arange(len(TRUE))[::-1]))


def test_notes_are_text():
    one = selection.from_weights("density", np.zeros(3), {"scale": 1 / 3, "n": 4, "empty": "nothing"})
    rows = selection.notes("a", [one]).to_pylist()
    assert [(row["note"], row["value"]) for row in rows] == [("scale", "0.333333"), ("n", "4"), ("empty", "nothing")]


def test_configured_locus_is_the_only_start():
    found = [selection.from_groups("HDBSCAN", GROUPS, WHOLE, place())]
    assert selection.starts(place(LOCUS, "configuration"), WHOLE, found) == [(LOCUS, "configuration")]


def test_trusted_group_goes_first_and_one_far_from_the_catalogue_last():
    wrong = Groups(1 - GROUPS.label, 2)
    old = Locus(2.0, -9.0, 2.5)
    found = [
        selection.from_weights("K-Means", np.asarray(wrong.label, dtype=float), {}),
        selection.from_weights("DEC", np.zeros(len(TRUE)), {}),
        selection.from_groups("HDBSCAN", GROUPS, WHOLE, place()),
    ]
    starts = selection.starts(place(old, "Dias 2002"), WHOLE, found)
    assert [origin for _, origin in starts] == ["group of HDBSCAN", "Dias 2002", "group of K-Means"]
    np.testing.assert_allclose(starts[0][0].array(), LOCUS.array(), atol=0.2)
    assert selection.starts(place(), WHOLE, []) == []
    half = selection.starts(place(Locus(2.0, -9.0, np.nan), "Dias 2002, motion only"), WHOLE, found)
    assert [origin for _, origin in half] == ["group of HDBSCAN", "group of K-Means"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_richer_cluster_elsewhere_is_not_taken_for_the_one_that_is_asked_for(seed):
    asked, rival = Cluster(LOCUS, n=45), Cluster(Locus(-2.0, -4.0, 1.2), n=300)
    made = region(np.random.default_rng(seed), (asked, rival), n_field=3000)
    whole, where = space(made.stars, CONE.centre), place(LOCUS, "Dias 2002")
    found = [selection.from_groups("HDBSCAN", hdbscan.fit(whole.points, 50, 10), whole, where)]
    members = final.first(whole, selection.starts(where, whole, found)).members
    assert f1(members, made.truth == 0) > 0.95


@pytest.mark.parametrize(
    ("locus", "origin"),
    [
        (Locus(1.81, 0.57, np.nan), "Dias 2002, motion only"),
        (Locus(np.nan, np.nan, 1.5), "Dias 2002, distance only"),
        (None, "none"),
    ],
)
def test_half_a_locus_tells_a_loose_cluster_from_a_more_compact_one(locus, origin):
    """Like Collinder 464, 2 deg across, of which Dias 2002 has a motion and no distance."""
    asked = Cluster(Locus(1.81, 0.57, 1.5), n=150, scale_deg=0.5)
    rival = Cluster(Locus(-12.0, -8.0, 0.6), n=300, scale_deg=0.08, place_deg=(0.6, 0.3))
    made = region(np.random.default_rng(3), (asked, rival), n_field=6000, radius_deg=1.5)
    whole, where = space(made.stars, CONE.centre), place(locus, origin)
    found = [selection.from_groups("HDBSCAN", hdbscan.fit(whole.points, 50, 10), whole, where)]
    last = final.first(whole, selection.starts(where, whole, found))
    assert f1(last.members, made.truth == (1 if locus is None else 0)) > 0.9
    assert published.doubt(last, where) is None


@pytest.mark.parametrize(
    ("locus", "origin"),
    [
        (LOCUS, "Dias 2002"),
        (HALF, "Dias 2002, motion only"),
        (Locus(np.nan, np.nan, 2.5), "Dias 2002, distance only"),
    ],
)
def test_rich_cluster_is_found_but_doubted_where_the_one_asked_for_is_not(locus, origin):
    rival = Cluster(Locus(-2.0, -4.0, 1.2), n=300)
    made = region(np.random.default_rng(1), (rival,), n_field=3000)
    whole, where = space(made.stars, CONE.centre), place(locus, origin)
    found = [selection.from_groups("HDBSCAN", hdbscan.fit(whole.points, 50, 10), whole, where)]
    last = final.first(whole, selection.starts(where, whole, found))
    assert last.notes["locus_from"] == "group of HDBSCAN"
    assert str(published.doubt(last, where)).startswith(f"FAR from the locus of {origin}, maybe")
