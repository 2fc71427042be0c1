from workflow_scripts import shards, tables
from workflow_scripts.simulate import simulate
from workflow_scripts.stages.simulate_sample import main
from workflow_scripts.surveys.demo import Demo, generator


def run(folder, sample="stars", seed=1, n_shards=3):
    paths = [folder / f"{i:04d}.parquet" for i in range(n_shards)]
    main(folder / "objects.parquet", folder / "photometry.parquet", paths, Demo(30, "labelled"), seed, sample)
    return paths


def test_writes_the_simulated_sample_in_shards(tmp_path):
    paths = run(tmp_path)
    expected = simulate(30, "labelled", "stars", generator(1, "stars"))
    assert tables.read(tmp_path / "objects.parquet", tables.OBJECTS).to_pylist() == expected.objects.to_pylist()
    assert tables.read(tmp_path / "photometry.parquet", tables.PHOTOMETRY).num_rows == 30
    for i, path in enumerate(paths):
        ids = tables.read(path, tables.RAW_LIGHT_CURVES)["object_id"].to_pylist()
        assert ids
        assert set(shards.shard_of(ids, 3)) == {i}
    everything = tables.read_all(paths, tables.RAW_LIGHT_CURVES)
    assert sorted(everything["object_id"].to_pylist()) == sorted(expected.objects["object_id"].to_pylist())


def test_the_same_seed_and_sample_give_the_same_bytes_and_others_do_not(tmp_path):
    for name, change in {"a": {}, "b": {}, "c": {"seed": 2}, "d": {"sample": "other"}}.items():
        run(tmp_path / name, **change)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 5
    for name in names:
        a, b, c, d = ((tmp_path / folder / name).read_bytes() for folder in "abcd")
        assert a == b
        assert a not in (c, d)
