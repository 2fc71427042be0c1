from dataclasses import replace

import numpy as np
import pytest
from cluster_run import LOCUS, f1, prepared

from workflow_scripts.clustering import consensus
from workflow_scripts.stages import dec as stage
from workflow_scripts.tables import DataError

SETTINGS = {"groups": 6, "features": "plain", "seed": 1, "threads": 1}
ASKED = stage.Asked([20, 20], 0.1, epochs=10, steps=100, seeds=3, quantile=0.1, device="cpu")


@pytest.fixture(autouse=True)
def _keep_tensorflow_as_it_is(monkeypatch):
    """Devices and threads can be set only before TensorFlow starts, which another test may have done."""
    monkeypatch.setattr(stage, "_prepare", lambda *_: None)


def run(made, **changes):
    asked = {name: changes.pop(name) for name in list(changes) if hasattr(ASKED, name)}
    stage.main(**made.inputs, **made.outputs, settings=replace(ASKED, **asked), **(SETTINGS | changes))
    return made.found(), made.said()


def test_consensus_finds_the_cluster_and_tells_of_its_seeds(tmp_path):
    made = prepared(tmp_path / "a", locus=LOCUS)
    found, said = run(made)
    assert f1(found["DEC"].selected, made.truth) > 0.75
    assert set(np.unique(found["DEC"].weight)) <= {0.0, 1 / 3, 2 / 3, 0.5, 1.0}
    assert said["DEC", "seeds"] == "3"
    assert "stars before" in said["DEC", "seed 2"]
    assert (
        said["DEC", "few seeds"] == f"{said['DEC', 'seeds kept']} of 3 kept, a consensus to be trusted has 10 or more"
    )
    assert 0 < float(said["DEC", "F1 of a seed with the consensus"]) <= 1


@pytest.mark.parametrize(
    ("locus", "rule"),
    [
        (LOCUS, "nearest to the locus, of those that gather on the sky if any do"),
        (None, "most concentrated on the sky"),
        (
            replace(LOCUS, parallax_mas=np.nan),
            "most concentrated on the sky, of those near to what is known of the locus if any are",
        ),
    ],
)
def test_rule_that_chose_the_group_is_told(tmp_path, locus, rule):
    made = prepared(tmp_path / "a", locus=locus)
    found, said = run(made)
    assert said["DEC", "rule"] == rule
    assert f1(found["DEC"].selected, made.truth) > 0.75


def test_filter_takes_the_tails_in_parallax(tmp_path):
    made = prepared(tmp_path / "a", locus=LOCUS)
    found = run(made, quantile=0.2)[0]
    whole, kept = found["DEC"].selected, found["DEC, filtered"].selected
    assert not (kept & ~whole).any()
    assert kept.sum() == pytest.approx(0.6 * whole.sum(), abs=3)


def test_seeds_that_diverge_are_left_out_and_say_why(tmp_path):
    made = prepared(tmp_path / "a", locus=LOCUS)
    found, said = run(made, learning_rate=1e6)
    assert not found["DEC"].selected.any()
    assert not found["DEC, filtered"].selected.any()
    assert said["DEC", "seeds kept"] == "0"
    assert said["DEC", "no cluster"] == "no seed is kept"
    assert said["DEC", "seed 0"].startswith("LEFT OUT, autoencoder: loss")


def test_seeds_that_do_not_agree_on_a_star_are_no_cluster(tmp_path, monkeypatch):
    made = prepared(tmp_path / "a", locus=LOCUS)
    n = made.rows.num_rows
    outcomes = tuple(consensus.SeedOutcome(seed, 50, 50, 6) for seed in range(3))
    apart = consensus.Consensus(np.full(n, 1 / 3), outcomes, 0.1, 0.1, 0.0)
    monkeypatch.setattr(stage.consensus, "consensus", lambda *_, **__: apart)
    found, said = run(made)
    assert not found["DEC"].selected.any()
    assert said["DEC", "no cluster"] == "no star is in the group of more than half of the seeds"


def test_ten_seeds_are_no_few_seeds(tmp_path, monkeypatch):
    made = prepared(tmp_path / "a", 60, 100, LOCUS)
    asked = []
    n = made.rows.num_rows

    def planned(_x, settings, seeds, _choose, fewest):
        asked.append((settings.n_groups, settings.hidden, list(seeds), fewest))
        return consensus.Consensus(np.ones(n), (), 1.0, 0.0, 1.0)

    monkeypatch.setattr(consensus, "consensus", planned)
    run(made, seeds=12)
    assert asked == [(6, (20, 20), list(range(1, 13)), 10)]


@pytest.mark.parametrize("n_kept", [4, 10])
def test_seeds_that_are_left_out_make_a_consensus_of_few(tmp_path, monkeypatch, n_kept):
    made = prepared(tmp_path / "a", 60, 100, LOCUS)
    why = ["" if seed < n_kept else "the group was split" for seed in range(10)]
    seeds = tuple(consensus.SeedOutcome(seed, 60, 60, 6, left_out) for seed, left_out in enumerate(why))
    found = consensus.Consensus(np.ones(made.rows.num_rows), seeds, 1.0, 0.0, 1.0)
    monkeypatch.setattr(consensus, "consensus", lambda *_, **__: found)
    said = run(made, seeds=10)[1]
    assert said.get(("DEC", "few seeds"), "").startswith("4 of 10 kept") == (n_kept < 10)
    assert (("DEC", "few seeds") in said) == (n_kept < 10)


def test_device_that_is_not_there_is_refused(monkeypatch):
    import tensorflow as tf

    monkeypatch.undo()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [])
    with pytest.raises(DataError, match=r"clusters\.dec\.device is gpu, TensorFlow finds none"):
        stage._prepare("gpu", 1)
