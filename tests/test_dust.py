import logging
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from workflow_scripts import dust, tables
from workflow_scripts.counterparts import BANDS, COUNTERPARTS
from workflow_scripts.dust import A_PER_A_V, EBV_PER_UNIT, EXTINCTION, R_V, bayestar, deredden, map_name
from workflow_scripts.tables import DataError

h5py = pytest.importorskip("h5py")
pytest.importorskip("dustmaps.bayestar", reason="dustmaps, the optional dependency `dust`, is not installed")

NSIDE = 16
MODULI = np.arange(4.0, 19.0, 0.125)  # the 120 distance moduli of Bayestar19
N_SAMPLES = 5
PIXELS = np.dtype(
    [
        ("nside", "i4"),
        ("healpix_index", "i8"),
        ("converged", "u1"),
        ("n_stars", "i4"),
        ("DM_reliable_min", "f4"),
        ("DM_reliable_max", "f4"),
    ]
)


def galactic(ra_deg, dec_deg):
    place = SkyCoord(ra_deg, dec_deg, unit="deg").galactic
    return place.l.deg, place.b.deg


def pixel_of(ra_deg, dec_deg):
    """Nested HEALPix pixel in galactic coordinates; by cdshealpix, where dustmaps uses healpy."""
    from cdshealpix.nested import lonlat_to_healpix

    lon, lat = galactic(np.atleast_1d(ra_deg), np.atleast_1d(dec_deg))
    return lonlat_to_healpix(lon * units.deg, lat * units.deg, int(np.log2(NSIDE)))


def profile(pixel):
    """Reddening of a pixel at the map's distances, shape (120,): rises with the distance modulus, by the pixel."""
    return (0.1 + 0.001 * (pixel % 700)) * (1 + np.sqrt(MODULI - MODULI[0])) / 4


def write_map(path, holes=(), nan=(), name="SIMULATED dust"):
    """A SIMULATED map in the layout of bayestar2019.h5: pixels of nside 16 north of declination -30, with holes."""
    from cdshealpix.nested import healpix_to_lonlat

    pixels = np.arange(12 * NSIDE**2)
    lon, lat = healpix_to_lonlat(pixels, int(np.log2(NSIDE)))
    dec = SkyCoord(l=lon, b=lat, frame="galactic").icrs.dec.deg
    pixels = pixels[(dec > -30) & ~np.isin(pixels, holes)]
    pixels = np.random.default_rng(3).permutation(pixels)  # the genuine file is not sorted either
    info = np.zeros(len(pixels), PIXELS)
    info["nside"], info["healpix_index"], info["converged"] = NSIDE, pixels, 1
    info["DM_reliable_min"], info["DM_reliable_max"] = 6, 14
    best = np.array([profile(p) for p in pixels], "f4")
    best[np.isin(pixels, nan)] = np.nan
    # Samples around the profile whose median it is, and whose mean it is not.
    samples = best[:, None, :] * np.array([0.5, 0.9, 1.0, 1.4, 3.0], "f4")[None, :, None]
    with h5py.File(path, "w") as file:
        table = file.create_dataset("pixel_info", data=info)
        table.attrs["DM_bin_edges"] = MODULI
        file.create_dataset("samples", data=samples)
        file.create_dataset("best_fit", data=best)
        if name:
            file.attrs["name"] = name
    return path


@pytest.fixture(scope="module")
def dust_map(tmp_path_factory):
    return write_map(tmp_path_factory.mktemp("dust") / "bayestar2019.h5")


def stars(ra_deg, dec_deg, parallax_mas, error_mas=0.1) -> pa.Table:
    """Counterparts whose magnitudes are 10, 11, ... 18 in the order of the bands; None = missing."""
    n = len(ra_deg)
    columns = {"object_id": [f"o{i}" for i in range(n)], "ra_deg": ra_deg, "dec_deg": dec_deg}
    columns |= {"source_id": range(n), "separation_arcsec": [0.1] * n, "n_neighbours": [1] * n, "moved": [True] * n}
    columns |= {"parallax_mas": parallax_mas, "parallax_error_mas": [error_mas] * n}
    columns |= {band.column: [10.0 + i] * n for i, band in enumerate(BANDS)}
    return pa.table({name: list(values) for name, values in columns.items()}, schema=COUNTERPARTS.schema)


# The map


def interpolated(pixel, distance_pc):
    """Reddening of a pixel by numpy: linear in the modulus, the last value beyond, proportional to distance before."""
    modulus = 5 * np.log10(distance_pc / 10)
    values = profile(pixel)
    nearest = values[0] * distance_pc / (10 * 10 ** (MODULI[0] / 5))
    return nearest if modulus < MODULI[0] else np.interp(modulus, MODULI, values)


def test_map_is_interpolated_as_another_code_does_it(dust_map):
    rng = np.random.default_rng(5)
    n = 600
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-0.3, 1, n)))
    distance = 10 ** rng.uniform(1, 5, n)  # 10 pc to 100 kpc: before, within and beyond the map's distances
    expected = [interpolated(p, d) for p, d in zip(pixel_of(ra, dec), distance, strict=True)]
    assert bayestar(dust_map, ra, dec, distance) == pytest.approx(expected, rel=2e-6)  # the map is in float32
    modulus = 5 * np.log10(distance / 10)
    assert min((modulus < 4).sum(), (modulus > 18.875).sum(), ((modulus > 4) & (modulus < 18.875)).sum()) > 20


def test_no_distance_is_all_dust(dust_map):
    found = bayestar(dust_map, np.array([50.0, 50.0]), np.array([20.0, 20.0]), np.array([np.nan, 1e6]))
    assert found[0] == found[1] == pytest.approx(profile(pixel_of(50.0, 20.0)[0])[-1], rel=1e-6)


def test_many_objects_go_in_parts(dust_map, monkeypatch):
    ra, dec = np.linspace(0, 359, 500), np.linspace(-20, 80, 500)
    whole = bayestar(dust_map, ra, dec, np.full(500, 800.0))
    monkeypatch.setattr(dust, "_CHUNK", 7)
    assert bayestar(dust_map, ra, dec, np.full(500, 800.0)).tolist() == whole.tolist()


def test_no_objects_no_reddening(dust_map):
    photometry, extinction, _ = deredden(stars([], [], []), dust_map)
    assert photometry.num_rows == extinction.num_rows == 0


def test_the_reader_says_nothing(dust_map, capsys, recwarn):
    bayestar(dust_map, np.array([50.0]), np.array([20.0]), np.array([100.0]))
    assert capsys.readouterr() == ("", "")
    assert not [w for w in recwarn if "onfig" in str(w.message)]


# Photometry


def test_extinction_of_every_band(dust_map):
    """Distance 500 pc: m0 = m - A / A_V x 3.1 x 0.883 x reddening."""
    photometry, extinction, notes = deredden(stars([50.0], [20.0], [2.0]), dust_map)
    unit = interpolated(pixel_of(50.0, 20.0)[0], 500.0)
    row = extinction.to_pylist()[0]
    assert row["ebv_mag"] == pytest.approx(0.883 * unit, rel=2e-6)
    assert (row["distance_pc"], row["flag"]) == (500.0, "ok")
    expected = {"g": 0.789, "bp": 1.002, "rp": 0.589, "j": 0.243, "h": 0.131, "k": 0.078, "w1": 0.039, "w2": 0.026}
    for i, (band, ratio) in enumerate((expected | {"w3": 0.040}).items()):
        assert photometry[f"{band}_mag"][0].as_py() == pytest.approx(10 + i - ratio * 3.1 * 0.883 * unit, rel=1e-6)
    assert photometry["parallax_mas"].to_pylist() == [2.0]
    assert notes == {"dust": "SIMULATED dust"}


def test_tables_are_those_of_the_contract(dust_map, tmp_path):
    photometry, extinction, notes = deredden(stars([50.0], [20.0], [2.0]), dust_map)
    tables.write(photometry, tmp_path / "photometry.parquet", tables.PHOTOMETRY, notes)
    tables.write(extinction, tmp_path / "extinction.parquet", EXTINCTION, notes)
    assert pq.read_schema(tmp_path / "photometry.parquet").metadata[b"dust"] == b"SIMULATED dust"
    assert list(A_PER_A_V) == tables.PHOTOMETRY.names[2:]


@pytest.mark.parametrize(
    ("parallax", "distance"),
    [(2.0, 500.0), (0.5, 2000.0), (0.49, None), (0.0, None), (-3.0, None), (None, None)],
)
def test_only_a_sure_parallax_gives_a_distance(dust_map, parallax, distance):
    """With an error of 0.1 mas five standard deviations are 0.5 mas."""
    _, extinction, _ = deredden(stars([50.0], [20.0], [parallax]), dust_map)
    row = extinction.to_pylist()[0]
    assert row["distance_pc"] == distance
    pixel = pixel_of(50.0, 20.0)[0]
    expected = interpolated(pixel, distance) if distance else profile(pixel)[-1]
    assert row["ebv_mag"] == pytest.approx(EBV_PER_UNIT * expected, rel=2e-6)


@pytest.mark.parametrize("error", [None, 0.0])
def test_a_parallax_without_an_error_gives_no_distance(dust_map, error):
    _, extinction, _ = deredden(stars([50.0], [20.0], [2.0], error), dust_map)
    assert extinction["distance_pc"].to_pylist() == [None]


def test_where_the_map_knows_nothing_the_magnitudes_are_missing(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    absent, nan = (pixel_of(ra, 20.0)[0] for ra in (50.0, 100.0))
    holed = write_map(tmp_path / "map.h5", [absent], [nan])
    places = [(50.0, 20.0), (100.0, 20.0), (10.0, -75.0), (None, None), (150.0, 20.0), (150.0, None)]
    photometry, extinction, _ = deredden(stars(*zip(*places, strict=True), [2.0] * 6), holed)
    flags = ["hole in the map", "hole in the map", "outside the map", "no position", "ok", "no position"]
    assert extinction["flag"].to_pylist() == flags
    for band in A_PER_A_V:
        assert [value is None for value in photometry[band].to_pylist()] == [flag != "ok" for flag in flags]
    assert [value is None for value in extinction["ebv_mag"].to_pylist()] == [flag != "ok" for flag in flags]
    assert photometry["parallax_mas"].to_pylist() == [2.0] * 6
    assert "dust map SIMULATED dust: 2 objects, hole in the map" in caplog.text


def test_a_magnitude_that_was_not_measured_stays_missing(dust_map):
    observed = stars([50.0, 60.0], [20.0, 20.0], [2.0, 2.0])
    place = observed.column_names.index("w3_mag")
    observed = observed.set_column(place, COUNTERPARTS.schema.field("w3_mag"), pa.array([None, 12.0]))
    photometry, _, _ = deredden(observed, dust_map)
    assert [value is None for value in photometry["w3_mag"].to_pylist()] == [True, False]


def test_without_a_map_the_photometry_is_as_observed():
    observed = stars([50.0, None, 10.0], [20.0, None, -75.0], [2.0] * 3)
    photometry, extinction, notes = deredden(observed, None)
    assert photometry.column_names == tables.PHOTOMETRY.names
    for band in A_PER_A_V:
        assert photometry[band].to_pylist() == observed[band].to_pylist()
    assert extinction["flag"].to_pylist() == ["no map"] * 3
    assert extinction["ebv_mag"].null_count == 3
    assert notes == {"dust": "none: as observed"}


def test_law_is_ordered_by_wavelength_and_normal():
    """A / A_V falls with wavelength, but for the silicate band in W3; E(B-V) to A_V by the usual factor."""
    ratios = [A_PER_A_V[f"{b}_mag"] for b in ("bp", "g", "rp", "j", "h", "k", "w1", "w2")]
    assert ratios == sorted(ratios, reverse=True)
    assert A_PER_A_V["w3_mag"] > A_PER_A_V["w2_mag"]
    assert R_V == 3.1


# The name of the map


def test_a_map_without_a_name_is_called_as_its_file(tmp_path):
    assert map_name(write_map(tmp_path / "bayestar2019.h5", name="")) == "bayestar2019"


# Bad files


def test_a_map_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="does not exist; run the rule download_dust_map"):
        deredden(stars([50.0], [20.0], [2.0]), tmp_path / "none.h5")


@pytest.mark.parametrize("kind", ["text", "cut", "other"])
def test_a_file_that_is_no_map(tmp_path, dust_map, kind):
    path = tmp_path / "map.h5"
    if kind == "other":
        with h5py.File(path, "w") as file:
            file.create_dataset("samples", data=[1.0])
    else:
        path.write_bytes(b"<html>" if kind == "text" else dust_map.read_bytes()[: dust_map.stat().st_size // 2])
    with pytest.raises(DataError, match="is not a whole Bayestar map"):
        deredden(stars([50.0], [20.0], [2.0]), path)


def test_without_the_package_the_error_says_how_to_get_it(dust_map, monkeypatch):
    monkeypatch.setitem(sys.modules, "dustmaps.bayestar", None)
    with pytest.raises(DataError, match="pip install dustmaps"):
        deredden(stars([50.0], [20.0], [2.0]), dust_map)
    deredden(stars([50.0], [20.0], [2.0]), None)  # which needs no package


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = "import sys; import workflow_scripts.dust; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dustmaps", "healpy", "h5py", "astropy.coordinates", "requests"} & set(done.stdout.split())


# Real stars


@pytest.mark.real
def test_real_positions_have_reddening_where_the_map_is(real_data, dust_map):
    """ASAS-SN variables with Gaia parallaxes, in the SIMULATED map: positions and distances as surveys have them."""
    rows = pq.read_table(real_data / "asassn_gaia" / "gaia_asassn_crossmatch.parquet")
    ra, dec, parallax, error = (rows[f"gaia_{name}"].to_numpy() for name in ("ra", "dec", "parallax", "parallax_error"))
    observed = stars(ra, dec, parallax).set_column(
        COUNTERPARTS.names.index("parallax_error_mas"), COUNTERPARTS.schema.field("parallax_error_mas"), pa.array(error)
    )
    photometry, extinction, _ = deredden(observed, dust_map)
    flags = np.array(extinction["flag"].to_pylist())
    north, south = dec > -20, dec < -40
    assert min(north.sum(), south.sum()) > 50
    assert set(flags[north]) == {"ok"}
    assert set(flags[south]) == {"outside the map"}
    sure = parallax / error >= 5
    assert np.isfinite(extinction["distance_pc"].to_numpy()).tolist() == sure.tolist()
    corrected = photometry["bp_mag"].to_numpy()[north] - photometry["rp_mag"].to_numpy()[north]
    assert (corrected < 11.0 - 12.0).all()  # bluer than the observed colour of these rows
