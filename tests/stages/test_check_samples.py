import pytest

from workflow_scripts import shards, surveys, tables
from workflow_scripts.simulate import simulate
from workflow_scripts.stages.check_samples import main
from workflow_scripts.surveys.demo import generator


def write(folder, name, n_objects, seed=1, id_name=None):
    """Write a simulated sample in two shards; give the paths of its objects and of its light curves."""
    sample = simulate(n_objects, "labelled", id_name or name, generator(seed, name))
    objects, photometry, raw = (folder / name / f"{kind}.parquet" for kind in ("objects", "photometry", "raw"))
    surveys.write([sample], objects, photometry, raw, 2)
    n_points = sum(len(time) for time in sample.light_curves["time"].to_pylist())
    return objects, raw, n_points


def test_every_sample_is_counted_from_its_own_files(tmp_path):
    """One sample has all shards in one file, the other a file for each."""
    stars, field = write(tmp_path, "stars", 30), write(tmp_path, "field", 20)
    files = [tmp_path / f"{i:04d}.parquet" for i in range(2)]
    for i, path in enumerate(files):
        tables.write(shards.read(field[1], tables.RAW_LIGHT_CURVES, i), path, tables.RAW_LIGHT_CURVES)
    out = tmp_path / "samples.parquet"
    main([stars[0], field[0]], [stars[1], *files], out, ["stars", "field"], ["labelled", "science"], [1, 2])
    rows = tables.read(out, tables.SAMPLES).to_pylist()
    assert [row["n_objects"] for row in rows] == [row["n_light_curves"] for row in rows] == [30, 20]
    assert [row["n_points"] for row in rows] == [stars[2], field[2]]
    assert [(row["sample"], row["role"]) for row in rows] == [("stars", "labelled"), ("field", "science")]
    assert all("SIMULATED" in row["survey"] for row in rows)


def test_an_object_in_two_samples_stops_the_run(tmp_path):
    stars, again = write(tmp_path, "stars", 30), write(tmp_path, "again", 5, id_name="stars")
    out = tmp_path / "samples.parquet"
    with pytest.raises(tables.DataError, match=r"5 objects are in more than one sample, such as .*'again'\]"):
        main([stars[0], again[0]], [stars[1], again[1]], out, ["stars", "again"], ["labelled", "science"], [1, 1])
    assert not out.exists()
