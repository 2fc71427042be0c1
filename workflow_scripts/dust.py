"""Extinction by dust from the map Bayestar19 (Green et al. 2019, ApJ 887, 93), and photometry without it.

The map is a file of 0.73 GB, read by the package dustmaps (Green 2018, JOSS 3, 695), which is an optional dependency
("dust"); it needs some gigabytes of memory. The map gives reddening as a function of distance for declinations above
-30 deg, with holes.
"""

import contextlib
import io
import logging
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts import progress, tables
from workflow_scripts.archives import http
from workflow_scripts.crossmatch.positions import Reals
from workflow_scripts.tables import DataError

_LOG = logging.getLogger(__name__)

BAYESTAR19 = http.Request(
    "Harvard Dataverse",
    "https://dataverse.harvard.edu/api/access/datafile/:persistentId",
    (("persistentId", "doi:10.7910/DVN/2EJ9TX/1CUGA1"),),
)
BAYESTAR19_DIGESTS = http.Digests(md5="ab815d2fd3068d1b81a1bd61fb18a722")

# ASSUME E(B-V) = 0.883 x the unit of Bayestar19, which the authors derive from E(g-r) with the law of Fitzpatrick 1999;
# from E(r-z) they derive 0.996: the scale of all extinctions is uncertain by 12 %.
EBV_PER_UNIT = 0.883
# ASSUME R_V = A_V / E(B-V) = 3.1 for all lines of sight.
R_V = 3.1
# ASSUME one extinction law for all stars: A / A_V of Wang & Chen 2019 (ApJ 877, 116), table 3, measured on red clump
# stars in all nine bands. The G coefficient of a very blue or very red star differs by up to 20 %.
A_PER_A_V = {
    "g_mag": 0.789,
    "bp_mag": 1.002,
    "rp_mag": 0.589,
    "j_mag": 0.243,
    "h_mag": 0.131,
    "k_mag": 0.078,
    "w1_mag": 0.039,
    "w2_mag": 0.026,
    "w3_mag": 0.040,
}
# ASSUME the distance is 1 / parallax where the parallax is at least 5 times its error; other stars are behind all dust
# of the map.
LEAST_PARALLAX_OVER_ERROR = 5.0
_SOUTHERN_LIMIT_DEG = -30.0
_CHUNK = 200_000

OK, OUTSIDE, HOLE, NO_POSITION, NO_MAP = "ok", "outside the map", "hole in the map", "no position", "no map"
EXTINCTION = tables.Table(
    "extinction",
    (
        tables.OBJECT_ID,
        tables.Column(
            "ebv_mag", pa.float64(), "mag", "reddening E(B-V); null = not known", True, ucd="phot.color.excess"
        ),
        tables.Column(
            "distance_pc",
            pa.float64(),
            "pc",
            "distance by parallax; null = all dust of the map",
            True,
            ucd="pos.distance",
        ),
        tables.Column("flag", pa.string(), "", f"{OK}, {OUTSIDE}, {HOLE}, {NO_POSITION} or {NO_MAP}"),
    ),
)


def deredden(observed: pa.Table, dust_map: Path | None) -> tuple[pa.Table, pa.Table, dict[str, str]]:
    """Photometry without the reddening and dimming of dust: tables.PHOTOMETRY, EXTINCTION, notes for the metadata.

    observed is counterparts.COUNTERPARTS; m0 = m - A / A_V x R_V x E(B-V) for each band. Where the map does not know
    E(B-V) all magnitudes are null, and the flag says why. Without a map they stay as observed, and the notes say so.
    Raises DataError for a file that is not a Bayestar map and for a missing package.
    """
    distance = _distances_pc(observed)
    if dust_map is None:
        ebv, flags, name = np.full(observed.num_rows, np.nan), [NO_MAP] * observed.num_rows, "none: as observed"
    else:
        ebv, flags, name = *_reddening(observed, distance, dust_map), map_name(dust_map)
    columns = {"object_id": observed["object_id"], "parallax_mas": observed["parallax_mas"]}
    for band, coefficient in A_PER_A_V.items():
        corrected = pc.subtract(observed[band], pa.array(coefficient * R_V * ebv, mask=np.isnan(ebv)))
        columns[band] = observed[band] if dust_map is None else corrected
    extinction = {"object_id": observed["object_id"], "flag": flags}
    extinction |= {"ebv_mag": pa.array(ebv, from_pandas=True), "distance_pc": pa.array(distance, from_pandas=True)}
    for flag, count in sorted(Counter(flags).items()):
        _LOG.info("dust map %s: %d objects, %s", name, count, flag)
    photometry = pa.table(columns).select(tables.PHOTOMETRY.names)
    return photometry, pa.table(extinction).select(EXTINCTION.names), {"dust": name}


def map_name(path: Path) -> str:
    """Name of a map: what its HDF5 attribute `name` says (SIMULATED where it is), else the name of the file."""
    import h5py

    try:
        with h5py.File(path) as file:
            return str(file.attrs.get("name", path.stem))
    except OSError as error:
        raise _no_map(path, error) from error


def _distances_pc(observed: pa.Table) -> Reals:
    parallax, error = _reals(observed, "parallax_mas"), _reals(observed, "parallax_error_mas")
    good = (error > 0) & (parallax >= LEAST_PARALLAX_OVER_ERROR * error)
    distance = np.full(len(parallax), np.nan)
    distance[good] = 1000.0 / parallax[good]
    return distance


def _reddening(observed: pa.Table, distance_pc: Reals, dust_map: Path) -> tuple[Reals, list[str]]:
    """E(B-V) [mag], NaN where it is not known, and the flags."""
    ra, dec = _reals(observed, "ra_deg"), _reals(observed, "dec_deg")
    placed = np.isfinite(ra) & np.isfinite(dec)
    ebv = np.full(len(ra), np.nan)
    if placed.any():  # else the map, some gigabytes in memory, is not read
        ebv[placed] = EBV_PER_UNIT * bayestar(dust_map, ra[placed], dec[placed], distance_pc[placed])
    reasons = [placed & np.isfinite(ebv), ~placed, dec < _SOUTHERN_LIMIT_DEG]
    return ebv, np.select(reasons, [OK, NO_POSITION, OUTSIDE], HOLE).tolist()


def bayestar(dust_map: Path, ra_deg: Reals, dec_deg: Reals, distance_pc: Reals) -> Reals:
    """Median reddening in the unit of the map at positions (ICRS) and distances, shapes (n,); NaN where it has none.

    Linear in the distance modulus between the map's distances, constant beyond the last, which a distance of NaN
    stands for; proportional to the distance before the first (dustmaps.bayestar.BayestarQuery).
    """
    from astropy.coordinates import SkyCoord

    query = _open(dust_map)
    farthest_pc = float(query.distances[-1].to_value("pc"))
    distance = np.where(np.isfinite(distance_pc), distance_pc, farthest_pc)
    found = np.full(len(ra_deg), np.nan)
    for part in progress.batches(len(ra_deg), _CHUNK, "objects looked up in the dust map"):
        places = SkyCoord(ra_deg[part], dec_deg[part], distance[part], unit=("deg", "deg", "pc"), frame="icrs")
        found[part] = query(places, mode="median")
    return found


def _open(dust_map: Path) -> Any:
    if not dust_map.is_file():
        raise DataError(f"dust map {dust_map} does not exist; run the rule download_dust_map or give another file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # dustmaps misses a configuration file, which nothing here needs
            from dustmaps.bayestar import BayestarQuery
    except ImportError as error:
        raise DataError(
            f"the dust map needs the package dustmaps, which is not installed ({error}): pip install dustmaps h5py "
            "(it brings healpy, which is under the GPL 2), or set dust: none"
        ) from error
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
            return BayestarQuery(map_fname=str(dust_map))
    except (OSError, KeyError, ValueError) as error:
        raise _no_map(dust_map, error) from error


def _no_map(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is not a whole Bayestar map ({error}); expected HDF5 with pixel_info, samples and best_fit: delete it "
        "and download it again"
    )


def _reals(rows: pa.Table, name: str) -> Reals:
    values: Reals = rows[name].to_numpy(zero_copy_only=False)  # null becomes NaN
    return values
