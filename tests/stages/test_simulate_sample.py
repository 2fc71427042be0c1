from workflow_scripts import shards, tables
from workflow_scripts.simulate import simulate
from workflow_scripts.stages.simulate_sample import main
from workflow_scripts.surveys.demo import Demo, generator


def run(folder, sample="stars", seed=1, n_shards=3):
    files = (folder / f"{name}.parquet" for name in ("objects", "photometry", "raw"))
    main(*files, Demo(30, "labelled"), n_shards, seed, sample)
    return folder / "raw.parquet"


def test_writes_the_simulated_sample_in_shards(tmp_path):
    raw = run(tmp_path)
    expected = simulate(30, "labelled", "stars", generator(1, "stars"))
    assert tables.read(tmp_path / "objects.parquet", tables.OBJECTS).to_pylist() == expected.objects.to_pylist()
    assert tables.read(tmp_path / "photometry.parquet", tables.PHOTOMETRY).num_rows == 30
    for table, path in ((tables.RAW_LIGHT_CURVES, raw), (tables.PHOTOMETRY, tmp_path / "photometry.parquet")):
        for i in range(3):
            ids = shards.read(path, table, i)["object_id"].to_pylist()
            assert ids
            assert set(shards.shard_of(ids, 3)) == {i}
    everything = tables.read(raw, tables.RAW_LIGHT_CURVES)
    assert sorted(everything["object_id"].to_pylist()) == sorted(expected.objects["object_id"].to_pylist())


def test_the_same_seed_and_sample_give_the_same_bytes_and_others_do_not(tmp_path):
    for name, change in {"a": {}, "b": {}, "c": {"seed": 2}, "d": {"sample": "other"}}.items():
        run(tmp_path / name, **change)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["objects.parquet", "photometry.parquet", "raw.parquet"]
    for name in names:
        a, b, c, d = ((tmp_path / folder / name).read_bytes() for folder in "abcd")
        assert a == b
        assert a not in (c, d)
