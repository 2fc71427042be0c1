import numpy as np
import pyarrow as pa
import pytest
from workspace import REAL_DATA

from workflow_scripts.clustering import regions
from workflow_scripts.clustering.space import Centre
from workflow_scripts.tables import DataError

DIAS = REAL_DATA / "gaia_clusters" / "openclust" / "clusters.dat"


def line(name: str, position: str, diameter: str, pm: tuple[str, str] = ("", ""), velocity: str = "") -> str:
    text = [" "] * 152
    for first, value in ((1, name), (19, position), (42, f"{diameter:>6}"), (49, "  808")):
        text[first - 1 : first - 1 + len(value)] = value
    for first, value in ((68, f"{pm[0]:>7}"), (81, f"{pm[1]:>7}"), (105, f"{velocity:>7}")):
        text[first - 1 : first - 1 + len(value)] = value
    return "".join(text)


MADE = "\n".join(
    [
        line("Wide 1", "00 00 06 -29 56 30", "70.0", ("+18.73", "+002.60"), "+005.5"),
        line("Edge 2", "08 51 18 +11 48 00", "25.0"),
        line("Small 3", "12 00 00 +00 00 00", "24.9"),
        line("Unknown 4", "12 00 00 -00 30 00", ""),
    ]
)


def test_fixed_columns_are_read() -> None:
    rows = regions.read_dias(MADE).to_pylist()
    assert [row["cluster"] for row in rows] == ["Wide 1", "Edge 2", "Small 3", "Unknown 4"]
    assert rows[0]["ra_deg"] == pytest.approx(0.025)
    assert rows[0]["dec_deg"] == pytest.approx(-(29 + 56.5 / 60))
    assert rows[3]["dec_deg"] == -0.5  # the sign stands before a zero
    assert (rows[0]["pmra_mas_yr"], rows[0]["pmdec_mas_yr"], rows[0]["radial_velocity_km_s"]) == (18.73, 2.6, 5.5)
    assert (rows[1]["pmra_mas_yr"], rows[3]["diameter_arcmin"], rows[1]["distance_pc"]) == (None, None, 808)


def selected(*named: str) -> dict[str, regions.Region]:
    rows = regions.select(regions.read_dias(MADE), named, 25.0).to_pylist()
    return {str(row["cluster"]): regions.region(row) for row in rows}


def test_large_clusters_are_selected_with_half_their_diameter_times_the_factor() -> None:
    found = selected()
    assert {name: one.radius_deg for name, one in found.items()} == {"Edge 2": 0.3125, "Wide 1": 0.875}
    assert list(found) == ["Edge 2", "Wide 1"]
    assert found["Wide 1"].centre == Centre(0.025, -(29 + 56.5 / 60), 5.5)
    assert found["Edge 2"].centre.radial_velocity_km_s == 0


def test_named_cluster_is_selected_whatever_its_size() -> None:
    assert list(selected("Small 3")) == ["Edge 2", "Small 3", "Wide 1"]
    unknown = regions.select(regions.read_dias(MADE), ["Unknown 4"], 1000.0)
    assert unknown["cluster"].to_pylist() == ["Unknown 4"]


@pytest.mark.parametrize("row", [2, 3])
def test_region_needs_a_diameter(row: int) -> None:
    clusters = regions.read_dias(MADE).to_pylist()
    clusters[2]["diameter_arcmin"] = 0.0
    with pytest.raises(DataError, match="expected more than 0; give a radius"):
        regions.region(clusters[row])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "catalogue of open clusters is empty"),
        (MADE.replace("08 51 18", "08 5x 18"), r"line 2 .* expected hh mm ss"),
        (MADE.replace("24.9", "2?.9"), r"line 3 .* diameter_arcmin '2\?.9' in bytes 42-47"),
    ],
)
def test_unreadable_catalogue_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        regions.read_dias(text)


@pytest.mark.parametrize("centre", [(0.1, -30.0), (359.9, 0.0), (12.0, 89.95), (12.0, -90.0), (200.0, 45.0)])
def test_cone_is_a_cone_everywhere(centre: tuple[float, float]) -> None:
    rng = np.random.default_rng(5)
    z = np.sin(np.radians(centre[1])) + rng.uniform(-0.05, 0.05, 200_000)
    dec = np.degrees(np.arcsin(z.clip(-1, 1)))
    ra = rng.uniform(0, 360, len(dec))
    vectors = [np.cos(np.radians(dec)) * np.cos(np.radians(ra)), np.cos(np.radians(dec)) * np.sin(np.radians(ra))]
    a, d = np.radians(centre)
    cosine = np.cos(d) * (np.cos(a) * vectors[0] + np.sin(a) * vectors[1]) + np.sin(d) * np.sin(np.radians(dec))
    cone = regions.Region("test", Centre(*centre), 2.0)
    np.testing.assert_array_equal(cone.holds(ra, dec), cosine >= np.cos(np.radians(2.0)))
    assert cone.holds(ra, dec).sum() > 20


def test_poor_region_says_so() -> None:
    assert regions.richness(40_000) == "40,000"
    assert regions.richness(39_999) == "39,999, fewer than the 40,000 of Alvaro 2020"


@pytest.mark.real
@pytest.mark.skipif(not DIAS.exists(), reason="the real data are not there")
def test_catalogue_of_dias() -> None:
    clusters = regions.read_dias(DIAS.read_text())
    assert clusters.num_rows == 2167
    assert isinstance(clusters, pa.Table)
    cones = {row["cluster"]: regions.region(row) for row in regions.select(clusters, [], 25.0).to_pylist()}
    assert cones["Melotte 22"].radius_deg == 1.5
    assert cones["NGC 2682"].radius_deg == 0.3125  # 25 arcmin: at the edge, and in the paper
    assert cones["Melotte 25"].radius_deg == pytest.approx(330 / 2 * 1.5 / 60)
    assert 169 < len(cones) < 400  # the paper has 169 after its count of stars
