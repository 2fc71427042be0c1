import numpy as np
import pyarrow.compute as pc
import pytest

from workflow_scripts import simulate as simulate_module
from workflow_scripts import tables
from workflow_scripts.lightcurve.clean import Cuts, clean
from workflow_scripts.simulate import _LACKING, _labels, simulate
from workflow_scripts.surveys import demo
from workflow_scripts.surveys.stars import COLOURS, STARS

CUTS = Cuts(min_observations=50, clip_sigma=3, clip_iterations=1, clip_side="both", max_error_ratio=0)


@pytest.fixture(scope="module")
def sample():
    return simulate(1200, "labelled", "stars", demo.generator(1, "stars"))


def files(tmp_path, name, seed, sample_name="stars", mix="labelled") -> list[bytes]:
    made = simulate(30, mix, sample_name, demo.generator(seed, sample_name))
    contents = []
    for table, contract in zip(
        (made.objects, made.photometry, made.light_curves),
        (tables.OBJECTS, tables.PHOTOMETRY, tables.RAW_LIGHT_CURVES),
        strict=True,
    ):
        path = tmp_path / f"{name}-{contract.name}.parquet"
        tables.write(table, path, contract)
        contents.append(path.read_bytes())
    return contents


# Shares of the classes: closed form.


def test_a_hundred_objects_have_exactly_the_shares_of_the_mix():
    for shares in demo.MIXES.values():
        labels = _labels(100, shares, np.random.default_rng(1))
        assert {c: labels.count(c) / 100 for c in shares} == pytest.approx(shares)


@pytest.mark.parametrize("n", [20, 21, 33, 101, 799])
def test_any_number_of_objects_is_shared_out_within_one(n):
    shares = demo.MIXES["labelled"]
    labels = _labels(n, shares, np.random.default_rng(1))
    assert len(labels) == n
    assert all(abs(labels.count(c) - n * share) < 1 for c, share in shares.items())


def test_labels_are_in_random_order():
    shares = demo.MIXES["labelled"]
    assert _labels(100, shares, np.random.default_rng(1)) != _labels(100, shares, np.random.default_rng(2))


# The contract.


def test_tables_obey_the_contract_and_can_be_written(sample, tmp_path):
    for rows, contract in zip(
        (sample.objects, sample.photometry, sample.light_curves),
        (tables.OBJECTS, tables.PHOTOMETRY, tables.RAW_LIGHT_CURVES),
        strict=True,
    ):
        assert rows.schema == contract.schema
        tables.write(rows, tmp_path / contract.name, contract)
        assert tables.read(tmp_path / contract.name, contract).num_rows == 1200


def test_every_object_says_that_it_is_simulated(sample):
    assert all("SIMULATED" in survey for survey in sample.objects["survey"].to_pylist())
    assert all(name.startswith("SIM_stars_") for name in sample.objects["object_id"].to_pylist())


def test_all_tables_have_the_same_distinct_objects(sample):
    ids = sample.objects["object_id"].to_pylist()
    assert len(set(ids)) == 1200
    assert sample.photometry["object_id"].to_pylist() == sample.light_curves["object_id"].to_pylist() == ids


def test_samples_whose_names_look_alike_share_no_identifier():
    names = ["a", "a_000001", "a_000001_000001", "A", "aa"]
    ids = [simulate(25, "field", n, demo.generator(1, n)).objects["object_id"].to_pylist() for n in names]
    assert len({name for part in ids for name in part}) == 25 * len(names)


# Reproducibility.


def test_the_same_seed_gives_the_same_bytes_and_any_change_does_not(tmp_path):
    reference = files(tmp_path, "a", 1)
    assert files(tmp_path, "b", 1) == reference
    for change in ({"seed": 2}, {"seed": 1, "sample_name": "other"}, {"seed": 1, "mix": "field"}):
        assert all(new != old for new, old in zip(files(tmp_path, "c", **change), reference, strict=True))


# Is it like a real survey?


def test_objects_are_all_over_the_sky(sample):
    ra, dec = (np.array(sample.objects[name].to_pylist()) for name in ("ra_deg", "dec_deg"))
    assert ((ra >= 0) & (ra < 360) & (np.abs(dec) <= 90)).all()
    # 24 cells of equal area with 50 objects each: five standard deviations are 35.
    cells, _, _ = np.histogram2d(ra, np.sin(np.radians(dec)), bins=(6, 4), range=((0, 360), (-1, 1)))
    assert np.abs(cells - 50).max() < 35


def test_periods_are_in_the_range_of_their_class(sample):
    for name, period in zip(*(sample.objects[c].to_pylist() for c in ("class", "catalogue_period_d")), strict=True):
        low, high = STARS[name].period_d[2:]
        assert low - 1e-8 <= period <= high + 1e-8  # periods are written with eight decimals


def test_the_catalogue_period_is_the_period_of_the_light_curve(sample):
    curves, _ = clean(sample.light_curves, CUTS)
    truth = dict(zip(*(sample.objects[c].to_pylist() for c in ("object_id", "class")), strict=True))
    period = dict(zip(*(sample.objects[c].to_pylist() for c in ("object_id", "catalogue_period_d")), strict=True))
    rng = np.random.default_rng(1)
    better = []
    for row in curves.to_pylist():
        if truth[row["object_id"]] == "RRAB":
            time, mag, p = np.array(row["time"]), np.array(row["mag"]), period[row["object_id"]]
            lengths = [
                np.ptp(mag[np.argsort(time / q % 1)][:1]) + np.abs(np.diff(mag[np.argsort(time / q % 1)])).sum()
                for q in (p, *(p * rng.uniform(0.8, 1.2, 5)))
            ]
            better.append(lengths[0] == min(lengths))
    assert len(better) > 150
    assert np.mean(better) > 0.9


def test_cleaning_finds_every_kind_of_bad_point_and_drops_some_light_curves(sample):
    light_curves, cleaning = clean(sample.light_curves, CUTS)
    total = {cut: pc.sum(cleaning[f"n_{cut}"]).as_py() for cut in tables.CUTS}
    assert all(number > 0 for cut, number in total.items() if cut != "large_error")
    n_points = pc.sum(cleaning["n_raw"]).as_py()
    assert 0.02 < 1 - pc.sum(cleaning["n_kept"]).as_py() / n_points < 0.06
    assert 0.005 < 1 - light_curves.num_rows / 1200 < 0.08
    assert 130 < np.median(cleaning["n_raw"].to_numpy()) < 230


def test_magnitudes_are_those_of_the_survey(sample):
    curves, _ = clean(sample.light_curves, CUTS)
    medians = np.array([np.median(mag) for mag in curves["mag"].to_pylist()])
    low, high = demo.MAG_RANGE
    assert np.mean((medians > low - 0.2) & (medians < high + 0.5)) > 0.98  # some LPVs lie beyond


def test_photometry_lacks_what_real_surveys_lack_together(sample):
    shares = {name: sample.photometry[name].null_count / 1200 for name in sample.photometry.column_names}
    assert shares["g_mag"] == 0
    for names, expected in _LACKING.items():
        # Five standard deviations of a binomial share.
        assert abs(shares[names[0]] - expected) < 5 * np.sqrt(expected / 1200)
        masks = [sample.photometry[name].is_null().to_pylist() for name in names]
        assert all(mask == masks[0] for mask in masks)


def test_colours_and_absolute_magnitudes_are_those_of_the_class(sample):
    table, labels = sample.photometry, np.array(sample.objects["class"].to_pylist())
    mag = {n: np.array(table[n].to_pylist(), dtype=float) for n in table.column_names[1:]}
    pairs = {"bp_rp": ("bp", "rp"), "j_h": ("j", "h"), "h_k": ("h", "k"), "w1_w2": ("w1", "w2"), "w2_w3": ("w2", "w3")}
    for i, (one, other) in enumerate(pairs.values(), start=1):
        colour = mag[f"{one}_mag"] - mag[f"{other}_mag"]
        for name, recipe in COLOURS.items():
            found = colour[(labels == name) & np.isfinite(colour)]
            # Scatter of the recipe and at most 0.16 mag of error; five standard errors of the mean.
            assert abs(found.mean() - recipe[i][0]) < 5 * np.hypot(recipe[i][1], 0.16) / np.sqrt(len(found))
    # Bright contact binaries are nearer than 4 kpc, with a parallax of ten times its error or more.
    chosen = (labels == "EW") & (mag["g_mag"] < 15.5) & np.isfinite(mag["parallax_mas"])
    absolute = mag["g_mag"][chosen] + 5 * np.log10(mag["parallax_mas"][chosen]) - 10
    mean, deviation = COLOURS["EW"][0]
    # Five standard errors of a median.
    assert abs(np.median(absolute) - mean) < 5 * 1.25 * deviation / np.sqrt(chosen.sum())


def test_a_field_has_other_classes_than_the_labelled_sample():
    found = simulate(100, "field", "f", demo.generator(1, "f")).objects["class"].to_pylist()
    assert found.count("ROT") == 30
    assert found.count("EW") == 20


def test_blocks_are_numbered_on_and_have_skies_of_their_own(monkeypatch):
    monkeypatch.setattr(simulate_module, "_BLOCK", 20)
    first, second, rest = simulate_module.blocks(demo.Demo(50, "field"), "stars", 1)
    assert [s.objects.num_rows for s in (first, second, rest)] == [20, 20, 10]
    ids = [name for s in (first, second, rest) for name in s.objects["object_id"].to_pylist()]
    assert ids == [f"SIM_stars_{i:06d}" for i in range(50)]
    assert not set(first.objects["ra_deg"].to_pylist()) & set(second.objects["ra_deg"].to_pylist())


def test_small_sample_is_one_block():
    (only,) = simulate_module.blocks(demo.Demo(30, "field"), "stars", 1)
    alone = simulate(30, "field", "stars", demo.generator(1, "stars"))
    assert str(only.light_curves.to_pylist()) == str(alone.light_curves.to_pylist())  # nan is not equal to nan
