import pytest
from cluster_run import CENTRE, LOCUS, f1, prepared

from workflow_scripts.clustering.space import Centre
from workflow_scripts.stages import baselines as stage
from workflow_scripts.tables import DataError

SETTINGS = {"min_cluster_size": 40, "min_samples": 10, "seed": 1}
LEAST = {"HDBSCAN": 0.9, "Gaussian mixture": 0.85, "mixture in a window": 0.9, "kernel density": 0.7}


def run(made, **changes):
    stage.main(**made.inputs, **made.outputs, **(SETTINGS | changes))
    return made.found(), made.said()


@pytest.mark.parametrize("centre", [CENTRE, Centre(50.0, 89.8), Centre(0.0, -90.0)])
@pytest.mark.parametrize("locus", [None, LOCUS])
def test_every_method_finds_the_cluster_at_the_poles_too(tmp_path, locus, centre):
    made = prepared(tmp_path / "a", locus=locus, centre=centre)
    found, said = run(made)
    assert {name: f1(one.selected, made.truth) > LEAST[name] for name, one in found.items()} == dict.fromkeys(
        LEAST, True
    )
    origin = "configuration" if locus else "group of HDBSCAN"
    assert said["mixture in a window", "locus_from"] == origin
    assert said["kernel density", "inner_deg"] == "0.66"


def test_field_without_a_cluster_ends_well_and_says_so(tmp_path):
    found, said = run(prepared(tmp_path / "a", 0))
    assert not any(one.selected.any() for one in found.values())
    assert said["HDBSCAN", "no cluster"] == "no group is more compact than the field"
    assert said["mixture in a window", "empty"] == "no locus is known and no group was found"
    assert "no excess" in said["kernel density", "empty"]


def test_fewer_stars_than_a_group_has_are_refused(tmp_path):
    with pytest.raises(DataError, match="lower min_cluster_size"):
        run(prepared(tmp_path / "a", 50, 100), min_cluster_size=1000)


def test_region_too_small_for_a_density_is_left_to_the_other_methods(tmp_path):
    made = prepared(tmp_path / "a", 50, 100, LOCUS)
    found, said = run(made)
    assert "stars beyond" in said["kernel density", "empty"]
    assert not found["kernel density"].selected.any()
    assert f1(found["mixture in a window"].selected, made.truth) > 0.85
