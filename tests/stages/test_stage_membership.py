import numpy as np
from cluster_run import LOCUS, f1, prepared

from workflow_scripts import tables
from workflow_scripts.clustering import final, selection
from workflow_scripts.stages import membership as stage


def run(made, *found):
    path = made.outputs["selections"]
    nothing = selection.from_weights("DEC", np.zeros(made.rows.num_rows), {})
    tables.write(selection.rows([*found, nothing], made.rows), path, selection.SELECTIONS)
    stage.main(**made.inputs, selections=[path], membership=made.folder / "membership.parquet")
    return final.read(made.folder / "membership.parquet")


def test_members_around_the_group_of_a_method(tmp_path):
    made = prepared(tmp_path / "a")
    part = made.truth & (np.arange(len(made.truth)) % 2 == 0)
    found = run(made, selection.from_weights("HDBSCAN", part.astype(float), {}))
    assert f1(found.members, made.truth) > 0.93
    assert found.notes["locus_from"] == "group of HDBSCAN"


def test_configured_locus_needs_no_group(tmp_path):
    made = prepared(tmp_path / "a", locus=LOCUS)
    assert f1(run(made).members, made.truth) > 0.93


def test_field_in_which_no_method_found_anything_has_no_members(tmp_path):
    found = run(prepared(tmp_path / "a", 0))
    assert not found.members.any()
    assert "no cluster in this field" in str(found.reason)
