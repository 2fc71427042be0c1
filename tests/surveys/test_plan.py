"""What a run will ask of the archives, said before it asks."""

from pathlib import Path

import pytest
import yaml

from workflow_scripts import settings
from workflow_scripts.surveys import plan, registry

ROOT = Path(__file__).parents[2]


def lines(config: dict) -> list[str]:
    settings.complete(config, ROOT / "config/config.schema.yaml", registry.offers())
    return list(plan.lines(config))


def run(**more) -> dict:
    archive = {"objects": ["chen_2020", "asassn_variables"], "bands": ["r"]}
    stars = {"role": "labelled", "source": "ztf", "archive": archive}
    return {"run": "x", "samples": {"stars": stars}} | more


def test_run_without_archives_asks_nothing():
    assert lines({"run": "x", "samples": {"stars": {"role": "labelled", "source": "demo"}}}) == []


def test_catalogues_and_samples_have_a_line_each():
    first, second, sample = lines(run())
    assert first == "catalogue chen_2020: ZTF periodic variables (DR2), 781,602 rows, 1 job at VizieR"
    assert second.startswith("catalogue asassn_variables: ")
    # 687,695 objects are the most that both have: 14 uploads of 50,000, 6,877 requests of 100, one in half a second.
    assert sample == (
        "sample stars: at most 687,695 objects; 14 uploads to the Gaia archive for counterparts; 14 uploads to IRSA; "
        "6,877 requests for light curves to ZTF, at least 1.0 h at its pace"
    )


def test_condition_and_parts_are_said():
    config = run(catalogues={"bright": {"survey": "lamost_dr9", "where": "snrg >= 20"}}, references=["bright"])
    assert lines(config)[2] == (
        "catalogue bright: LAMOST DR9, low resolution, 11,211,028 rows before the condition snrg >= 20, "
        "5 jobs at Gaia archive"
    )


def test_random_subset_limits_the_requests():
    config = run()
    config["samples"]["stars"]["archive"]["at_most"] = 250
    assert (
        "at most 250 objects; 1 upload to the Gaia archive for counterparts; 1 upload to IRSA; 3 requests"
        in (lines(config)[-1])
    )


def test_counterparts_that_are_not_wanted_are_not_asked_for():
    config = run()
    config["samples"]["stars"]["archive"]["counterparts"] = False
    assert "Gaia archive" not in lines(config)[-1]


def test_dust_map_that_must_be_fetched_is_said():
    assert lines(run(dust={"map": "bayestar2019"}))[-1] == (
        "dust map: Bayestar19, 0.73 GB, 1 file from Harvard Dataverse"
    )
    for dust in ({"map": "bayestar2019", "file": "mine.h5"}, {"map": "none"}):
        assert lines(run(dust=dust))[-1].startswith("sample stars")


def test_dust_map_is_not_fetched_for_samples_without_counterparts():
    config = run(dust={"map": "bayestar2019"})
    config["samples"]["stars"]["archive"]["counterparts"] = False
    assert lines(config)[-1].startswith("sample stars")


def test_catalogue_of_two_samples_is_asked_for_once():
    config = run(references=["chen_2020"])
    config["samples"]["more"] = {"role": "science", "source": "ztf_bulk", "archive": {"objects": ["chen_2020"]}}
    said = lines(config)
    assert sum(line.startswith("catalogue chen_2020") for line in said) == 1
    assert said[-1].endswith(
        "ZTF bulk files, each with the light curves of many objects and kept; there are 174,033 in all bands, some 6 TB"
    )


def test_catalogue_of_files_counts_them():
    assert lines(run(references=["sdss_standards"]))[2].endswith("1,006,849 rows, 1 file from SDSS standards")


def test_collection_names_its_catalogue():
    hats = {"collection": "somewhere", "survey": "ZTF", "objects": "chen_2020"}
    config = run()
    config["samples"] = {"stars": {"role": "labelled", "source": "hats", "hats": hats}}
    catalogue, sample = lines(config)
    assert catalogue.startswith("catalogue chen_2020: ")
    assert sample == "sample stars: at most 781,602 objects; the partitions of somewhere in their reach"


def test_counterparts_of_a_collection_and_their_dust_map_are_said():
    hats = {"collection": "somewhere", "survey": "ZTF", "objects": "chen_2020", "counterparts": True}
    config = run(dust={"map": "bayestar2019"})
    config["samples"] = {"stars": {"role": "labelled", "source": "hats", "hats": hats}}
    _, sample, dust = lines(config)
    assert "16 uploads to the Gaia archive for counterparts; the partitions of somewhere" in sample
    assert dust.startswith("dust map: Bayestar19")


def test_regions_of_gaia_and_the_catalogue_that_names_them_have_lines():
    cone = {"ra_deg": 10, "dec_deg": 20, "radius_deg": 1.5}
    regions = {
        "mine": {"source": "demo"} | cone,
        "m67": {"source": "gaia_dr3", "cluster": "NGC 2682"},
        "far": {"source": "gaia_dr2"} | cone,
    }
    config = {
        "run": "x",
        "samples": {"stars": {"role": "labelled", "source": "demo"}},
        "clusters": {"regions": regions},
    }
    first, second, third = lines(config)
    assert first == "open clusters: OpenClust, optically visible open clusters, 2,167 rows, 1 job at VizieR"
    assert second.startswith("region m67: Gaia DR3 within the cone of NGC 2682; ")
    assert third.startswith("region far: Gaia DR2 within 1.5 deg; ")


@pytest.mark.parametrize("name", ["lamost_dr9", "config", "crts"])
def test_every_run_of_the_house_can_be_planned(name):
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    assert len(lines(config)) == {"lamost_dr9": 11, "config": 0, "crts": 0}[name]


def test_labels_of_a_reference_that_are_wider_than_a_class_are_left_out():
    """RR is RRab in Chen et al. (2020) and in the classes of the run, but any RR Lyrae star in Gaia's classifier."""
    config = yaml.safe_load((ROOT / "config/lamost_dr9.yaml").read_text())
    assert "RR" in config["classes"]["RRAB"]
    assert "rimoldini_2023" not in config["references"]
    (gaia,) = (c for c in config["catalogues"].values() if c["survey"] == "rimoldini_2023")
    assert gaia["where"] == "v.best_class_name <> 'RR'"
