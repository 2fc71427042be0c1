import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cluster_run import LOCUS, prepared

from workflow_scripts import tables
from workflow_scripts.clustering import compare, fields, final, lists, published, selection, summary
from workflow_scripts.clustering.space import space
from workflow_scripts.stages import summarise_cluster as stage
from workflow_scripts.stages.overdensities import OVERDENSITIES
from workflow_scripts.tables import DataError

OUTPUTS = {
    "members": "members.parquet",
    "members_fits": "members.fits",
    "members_votable": "members.vot",
    "clusters": "cluster.parquet",
    "methods": "methods.parquet",
    "agreement": "agreement.parquet",
    "notes": "notes.parquet",
    "overdensities": "overdensities.parquet",
    "figure": "diagrams.png",
}

BLIND = pa.Table.from_pylist(
    [{name: 1 if name in ("rank", "n_members") else 2.5 for name in OVERDENSITIES.names} | {"cluster": "M 1"}],
    schema=OVERDENSITIES.schema,
)


def run(made, n_dec=400, listed=True, true=None):
    """Summarise with two methods, DEC of which selects too many, and a list of the true members."""
    rows, n = made.rows, made.rows.num_rows
    found = [
        selection.from_weights("K-Means", made.truth * 1.0, {"edge": "none"}),
        selection.from_weights("DEC", (np.arange(n) < n_dec) * 1.0, {}),
    ]
    tables.write(selection.rows(found, rows), made.folder / "s.parquet", selection.SELECTIONS)
    tables.write(selection.notes("M 1", found), made.folder / "n.parquet", selection.NOTES)
    starts = [(LOCUS, "configuration")] if made.truth.any() else []
    final.write(final.first(space(rows), starts), rows, made.folder / "p.parquet")
    tables.write(BLIND, made.folder / "blind.parquet", OVERDENSITIES)
    true = rows.filter(made.truth) if true is None else true
    fields_of = [lists.LISTS.schema.field(name) for name in ("source_id", "ra_deg", "dec_deg")]
    places = pa.Table.from_pylist(true.select(["ra_deg", "dec_deg"]).to_pylist(), schema=pa.schema(fields_of))
    lists.write({"truth": lists.MemberList(places, "ra, dec; PMemb of 0.5 or above")}, made.folder / "l.parquet")
    outputs = {name: made.folder / file for name, file in OUTPUTS.items()}
    stage.main(
        **made.inputs,
        left_out=made.folder / "left_out.parquet",
        selections=[made.folder / "s.parquet"],
        method_notes=[made.folder / "n.parquet"],
        membership=made.folder / "p.parquet",
        searched=made.folder / "blind.parquet",
        lists=[made.folder / "l.parquet"] if listed else [],
        **outputs,
        list_names=["truth"] if listed else [],
    )
    return outputs


@pytest.fixture
def made(tmp_path):
    return prepared(tmp_path / "a", locus=LOCUS)


def test_summary_has_the_clusters_means_and_all_methods(made):
    paths = run(made)
    row = tables.read(paths["clusters"], summary.CLUSTERS).to_pylist()[0]
    assert row["pmra_mas_yr"] == pytest.approx(LOCUS.pmra_mas_yr, abs=0.2)
    assert row["reason"] is None
    assert 0 <= row["rim_share"] < summary.MOST_IN_RIM
    assert row["g_faintest_mag"] == pytest.approx(made.rows["g_mag"].to_numpy()[made.truth].max(), abs=0.5)
    methods = {row["method"]: row for row in tables.read(paths["methods"], summary.METHODS).to_pylist()}
    assert list(methods) == ["literature (configuration)", "K-Means", "DEC", "membership", "truth"]
    assert methods["truth"]["n"] == made.truth.sum()
    assert methods["truth"]["pmra_mas_yr"] == methods["K-Means"]["pmra_mas_yr"]  # both are the true members
    assert methods["literature (configuration)"]["pmra_se_mas_yr"] is None
    assert methods["membership"]["n"] == row["n_members"]
    assert paths["figure"].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("survey", "release", "zero_point"), [("test region (SIMULATED)", "simulated", 0.0), ("Gaia DR3", "DR3", -0.017)]
)
def test_parallaxes_of_simulated_stars_have_no_zero_point(made, survey, release, zero_point):
    """The simulation has none: with Gaia's the cluster of 2.5 mas would be at 397 pc."""
    place = dataclasses.replace(fields.read(made.inputs["region_file"]), survey=survey)
    fields.write(place, made.inputs["region_file"])
    row = tables.read(run(made)["clusters"], summary.CLUSTERS).to_pylist()[0]
    assert (row["release"], row["parallax_zero_point_mas"]) == (release, zero_point)
    assert row["distance_pc"] == pytest.approx(1000 / (row["parallax_mas"] - zero_point))


def test_lists_judge_every_method_and_dec_is_told_to_be_worse(made):
    paths = run(made)
    f1 = {row["selection"]: row["f1"] for row in tables.read(paths["agreement"], compare.AGREEMENT).to_pylist()}
    assert f1["K-Means"] == 1.0
    assert f1["membership"] > 0.93
    notes = {(r["method"], r["note"]): r["value"] for r in tables.read(paths["notes"], selection.NOTES).to_pylist()}
    assert notes["DEC", "judged by truth"].startswith(f"WORSE than K-Means: F1 {f1['DEC']:.3f}")
    assert notes["K-Means", "edge"] == "none"
    assert notes["region", "complete stars"] == f"{made.rows.num_rows}, fewer than the 40,000 of Alvaro 2020"
    assert notes["truth", "columns"] == "ra, dec; PMemb of 0.5 or above"
    assert notes["truth", "matched"] == "by position within 1.5 arcsec"
    assert notes["truth", "rows in the region"] == f"{made.truth.sum()} of {made.truth.sum()}"


def test_members_that_the_cuts_leave_out_count_as_missed(made):
    from workflow_scripts.clustering.stars import STARS

    true = np.flatnonzero(made.truth)
    rows = made.rows
    tables.write(rows.take(true[:50]), made.folder / "left_out.parquet", STARS)
    keep = np.delete(np.arange(rows.num_rows), true[:50])
    tables.write(rows.take(keep), made.inputs["stars"], STARS)
    fewer = dataclasses.replace(made, truth=made.truth[keep])
    paths = run(fewer, n_dec=100, true=rows.take(true))
    scores = {row["selection"]: row for row in tables.read(paths["agreement"], compare.AGREEMENT).to_pylist()}
    bright = (rows["g_mag"].to_numpy()[true] < 18).sum()
    lost = (rows["g_mag"].to_numpy()[true[:50]] < 18).sum()
    assert scores["K-Means"]["n_reference"] == bright
    assert scores["K-Means"]["recall"] == pytest.approx(1 - lost / bright)


def test_members_are_simulated_ones_and_no_field_star_of_one_method(made):
    paths = run(made)
    rows = tables.read(paths["members"], published.PUBLISHED)
    assert set(rows["survey"].to_pylist()) == {"test region (SIMULATED)"}
    assert pq.read_schema(paths["members"]).metadata[b"description"].startswith(b"SIMULATED")
    assert rows.num_rows < 1.3 * made.truth.sum()
    assert rows["probability"].to_pylist() == sorted(rows["probability"].to_pylist(), reverse=True)


def test_clusters_of_the_blind_search_are_published_as_they_were_found(made):
    assert tables.read(run(made)["overdensities"], OVERDENSITIES).to_pylist() == BLIND.to_pylist()


def test_without_lists_there_is_nothing_to_agree_with(made):
    paths = run(made, listed=False)
    assert tables.read(paths["agreement"], compare.AGREEMENT).num_rows == 0
    notes = tables.read(paths["notes"], selection.NOTES)["note"].to_pylist()
    assert "judged by final members" in notes
    assert "F1 with K-Means" in notes


def test_field_without_a_cluster_has_an_empty_table_with_the_reason(tmp_path):
    paths = run(prepared(tmp_path / "a", 0), listed=False)
    row = tables.read(paths["clusters"], summary.CLUSTERS).to_pylist()[0]
    assert (row["n_members"], row["distance_pc"], row["r50_deg"]) == (0, None, None)
    assert "no cluster in this field" in row["reason"]
    assert tables.read(paths["members"], published.PUBLISHED).num_rows == 0
    assert b"NO MEMBERS" in pq.read_schema(paths["members"]).metadata[b"description"]
    assert paths["members_votable"].stat().st_size > 0


def test_same_inputs_same_bytes(made):
    first = {name: path.read_bytes() for name, path in run(made).items()}
    assert {name: path.read_bytes() for name, path in run(made).items()} == first


def test_selections_of_another_region_are_refused(made, tmp_path):
    other = prepared(tmp_path / "b", seed=9)
    run(other)
    (made.folder / "s.parquet").write_bytes((other.folder / "s.parquet").read_bytes())
    rows = made.rows
    final.write(final.first(space(rows), []), rows, made.folder / "p.parquet")
    tables.write(selection.notes("M 1", []), made.folder / "n.parquet", selection.NOTES)
    with pytest.raises(DataError, match="not of the region's stars"):
        stage.main(
            **made.inputs,
            left_out=made.folder / "left_out.parquet",
            selections=[made.folder / "s.parquet"],
            method_notes=[made.folder / "n.parquet"],
            membership=made.folder / "p.parquet",
            searched=made.folder / "blind.parquet",
            lists=[],
            **{name: made.folder / file for name, file in OUTPUTS.items()},
            list_names=[],
        )
