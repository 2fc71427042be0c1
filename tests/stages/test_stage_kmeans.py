import pytest
from cluster_run import CENTRE, LOCUS, f1, prepared

from workflow_scripts.clustering.space import Centre
from workflow_scripts.stages import kmeans as stage

SETTINGS = {"groups": 8, "fewest": 2, "most": 4, "features": "plain", "seed": 1}


def run(made, **changes):
    stage.main(**made.inputs, **made.outputs, **(SETTINGS | changes))
    return made.found(), made.said()


@pytest.mark.parametrize("centre", [CENTRE, Centre(50.0, 89.8), Centre(0.0, -90.0)])
@pytest.mark.parametrize("locus", [None, LOCUS])
def test_group_of_the_cluster_is_found_and_the_choice_is_stated(tmp_path, locus, centre):
    made = prepared(tmp_path / "a", locus=locus, centre=centre)
    found, said = run(made)
    assert list(found) == ["K-Means", "K-Means, silhouette"]
    assert f1(found["K-Means"].selected, made.truth) > 0.7
    assert said["K-Means", "n_groups_asked"] == "8"
    assert ("locus" in said["K-Means", "rule"]) == bool(locus)
    score = {k: float(said["K-Means, silhouette", f"silhouette_{k}"]) for k in (2, 3, 4)}
    edge = {2: "lower", 3: "none", 4: "upper"}[max(score, key=score.__getitem__)]
    assert said["K-Means, silhouette", "edge"] == edge


def test_same_seed_same_bytes(tmp_path):
    made = prepared(tmp_path / "a")
    run(made)
    first = made.outputs["selections"].read_bytes()
    run(made)
    assert made.outputs["selections"].read_bytes() == first


def test_features_of_the_paper_are_other_features(tmp_path):
    made = prepared(tmp_path / "a", locus=LOCUS)
    plain = run(made)[0]["K-Means"].group
    assert (run(made, features="paper")[0]["K-Means"].group != plain).any()
