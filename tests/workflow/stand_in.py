"""Archives of a LAMOST-like run on this machine: label catalogues, spectra, Gaia and IRSA, made from some stars."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "archives"))
sys.path.append(str(Path(__file__).parents[1] / "surveys"))
from curve_archives import MISSING, Sky, arcsec, votable
from loopback import Answer, Asked
from loopback_tap import Column

from workflow_scripts.surveys import Sample

# Base addresses of the archives that a run asks, and where each lies on the stand-in.
BASES = {
    "https://tapvizier.cds.unistra.fr/TAPVizieR": "vizier",
    "https://gea.esac.esa.int/tap-server": "gaia",
    "https://irsa.ipac.caltech.edu": "irsa",
}
ARCSEC = 1 / 3600
# Of every ten labelled stars, in their order, the second catalogue lacks one and has another class for another.
LACKING, OTHERWISE = 3, 7


class Catalogues(Sky):
    """A TAP service that knows distances and remainders, too."""

    def _database(self, uploads):
        database, described = super()._database(uploads)
        database.create_function(
            "DISTANCE", 2, lambda a, b: arcsec(*map(float, a.split()), *map(float, b.split())) / 3600
        )
        database.create_function("MOD", 2, lambda a, b: a % b)
        return database, described


def _place(point: str) -> tuple[float, float]:
    ra, dec = map(float, point.split())
    return ra, dec


@dataclasses.dataclass(frozen=True)
class Star:
    """A star of the sky: identifier in the survey, place, class, period, light curve (time MJD, mag, mag_err)."""

    name: str
    ra: float
    dec: float
    label: str | None
    period: float | None
    points: tuple[np.ndarray, np.ndarray, np.ndarray]


def stars(sample: Sample) -> list[Star]:
    """Stars of a sample that have a light curve and a place, in the order of their identifiers."""
    curves = {row["object_id"]: row for row in sample.light_curves.to_pylist()}
    rows = [row for row in sample.objects.to_pylist() if row["object_id"] in curves and row["ra_deg"] is not None]
    return [
        Star(
            row["object_id"],
            row["ra_deg"],
            row["dec_deg"],
            row["class"],
            row["catalogue_period_d"],
            _good(curves[row["object_id"]]),
        )
        for row in rows
    ]


def _good(curve: Mapping[str, Sequence[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points that an archive would have: finite numbers."""
    time, mag, error = (np.array(curve[name], dtype=np.float64) for name in ("time", "mag", "mag_err"))
    good = np.isfinite(time) & np.isfinite(mag) & np.isfinite(error) & (time > 0)
    return time[good], mag[good], error[good]


@dataclasses.dataclass
class Archives:
    """The archives, as an answer function; `down` are those that answer 503 to everything, asked = paths so far."""

    labelled: Sequence[Star]
    science: Sequence[Star]
    down: set[str] = dataclasses.field(default_factory=set)
    asked: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        """Number the light curves, and make the tables."""
        self.oids = {10_000 + i: star for i, star in enumerate([*self.labelled, *self.science])}
        self.services = {
            "vizier": Catalogues(_label_catalogues(self.labelled)),
            "gaia": Catalogues(_spectra(self.science) | gaia(self.oids)),
            "irsa": Catalogues(_objects(self.oids)),
        }

    def mirrors(self, url: str) -> dict[str, str]:
        """Setting `mirrors` of a run that asks this server."""
        return {base: f"{url}/{name}" for base, name in BASES.items()}

    def __call__(self, asked: Asked) -> Answer:
        self.asked.append(asked.path)
        _, name, rest = asked.path.split("/", 2)
        if name in self.down:
            return Answer(b"down for maintenance", "text/plain", 503, headers={"Retry-After": "0"})
        if rest == "cgi-bin/ZTF/nph_light_curves":
            return Answer(
                votable([r for oid in asked.all("ID") for r in self._points(int(oid))]), "application/x-votable+xml"
            )
        service, _, place = rest.partition("/")
        if service.lower() != "tap":
            return MISSING
        answer = self.services[name](dataclasses.replace(asked, path=f"/tap/{place}"))
        # The service believes that it lies at /tap.
        headers = {key: value.replace("/tap/", f"/{name}/{service}/") for key, value in answer.headers.items()}
        return dataclasses.replace(
            answer, headers=headers, body=answer.body.replace(b'"/tap/', f'"/{name}/{service}/'.encode())
        )

    def _points(self, oid: int) -> list[dict[str, object]]:
        return [
            {
                "oid": oid,
                "expid": i,
                "hjd": repr(time + 2400000.5),
                "mag": repr(mag),
                "magerr": repr(error),
                "catflags": 0,
                "filtercode": "zr",
            }
            for i, (time, mag, error) in enumerate(zip(*(a.tolist() for a in self.oids[oid].points), strict=True))
        ]


def _label_catalogues(labelled: Sequence[Star]) -> dict[str, dict[str, Column]]:
    """Chen et al. (2020) with all labelled stars, ASAS-SN with most, half an arc second away."""
    labels = sorted({star.label for star in labelled})
    other = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    second = [(i, star) for i, star in enumerate(labelled) if i % 10 != LACKING]
    return {
        "J/ApJS/249/18/table2": {
            "ID": Column([f"ZTFJ{star.name}" for star in labelled], str),
            "RAJ2000": Column([star.ra for star in labelled], unit="deg"),
            "DEJ2000": Column([star.dec for star in labelled], unit="deg"),
            "Type": Column([star.label for star in labelled], str),
            "Per": Column([star.period for star in labelled], unit="d"),
            "rmag": Column([float(np.median(star.points[1])) for star in labelled], unit="mag"),
            "gmag": Column([float(np.median(star.points[1])) + 0.5 for star in labelled], unit="mag"),
        },
        "II/366/catv2021": {
            "ASASSN-V": Column([f"ASASSN-V {star.name}" for _, star in second], str),
            "RAJ2000": Column([star.ra for _, star in second], unit="deg"),
            "DEJ2000": Column([star.dec + 0.5 * ARCSEC for _, star in second], unit="deg"),
            "Type": Column([other[s.label] if i % 10 == OTHERWISE else s.label for i, s in second], str),
            "Per": Column([star.period for _, star in second], unit="d"),
            "Prob": Column([0.97] * len(second)),
            "Vmag": Column([float(np.median(star.points[1])) for _, star in second], unit="mag"),
        },
    }


def _spectra(science: Sequence[Star]) -> dict[str, dict[str, Column]]:
    """LAMOST: two spectra of each star, and for each a star without a light curve whose spectrum is too noisy."""
    rows = [(star, 2 * i + k, snr, "") for i, star in enumerate(science) for k, snr in ((0, 25.0), (1, 60.0))]
    rows += [(star, 100_000 + i, 12.0, "n") for i, star in enumerate(science)]
    return {
        "external.lamost_dr9_lrs": {
            "uid": Column([f"G{star.name}{noisy}" for star, _, _, noisy in rows], str),
            "obsid": Column([obsid for _, obsid, _, _ in rows], int),
            "ra": Column([star.ra + (0.02 if noisy else 0.0) for star, _, _, noisy in rows], unit="deg"),
            "dec": Column([star.dec for star, _, _, _ in rows], unit="deg"),
            "snrg": Column([snr for _, _, snr, _ in rows]),
        }
    }


def gaia(oids: Mapping[int, Star]) -> dict[str, dict[str, Column]]:
    """Gaia, 2MASS and AllWISE sources of every other star, 0.2 arcsec away; magnitudes made up from the survey's."""
    some = [(oid, star, float(np.median(star.points[1]))) for oid, star in oids.items() if oid % 2]

    def column(function, kind: type = float) -> Column:
        return Column([function(*row) for row in some], kind)

    name = column(lambda oid, *_: f"J{oid}", str)
    number = column(lambda oid, *_: oid, int)
    return {
        "gaiadr3.gaia_source": {
            "source_id": number,
            "ra": column(lambda _, star, __: star.ra),
            "dec": column(lambda _, star, __: star.dec - 0.2 * ARCSEC),
            "pmra": column(lambda *_: 3.0),
            "pmdec": column(lambda *_: -4.0),
            "parallax": column(lambda *_: 1.5),
            "parallax_error": column(lambda *_: 0.1),
            "phot_g_mean_mag": column(lambda _, __, mag: mag),
            "phot_bp_mean_mag": column(lambda _, __, mag: mag + 0.4),
            "phot_rp_mean_mag": column(lambda _, __, mag: mag - 0.5),
        },
        "gaiadr3.tmass_psc_xsc_best_neighbour": {"source_id": number, "original_ext_source_id": name},
        "gaiadr1.tmass_original_valid": {
            "designation": name,
            "ph_qual": column(lambda *_: "AAA", str),
            "j_m": column(lambda _, __, mag: mag - 1.0),
            "h_m": column(lambda _, __, mag: mag - 1.3),
            "ks_m": column(lambda _, __, mag: mag - 1.4),
        },
        "gaiadr3.allwise_best_neighbour": {"source_id": number, "allwise_oid": number},
        "gaiadr1.allwise_original_valid": {
            "allwise_oid": number,
            "ph_qual": column(lambda *_: "AAUU", str),
            "w1mpro": column(lambda _, __, mag: mag - 1.5),
            "w2mpro": column(lambda _, __, mag: mag - 1.5),
            "w3mpro": column(lambda _, __, mag: mag - 1.6),
        },
    }


def _objects(oids: Mapping[int, Star]) -> dict[str, dict[str, Column]]:
    return {
        "ztf_objects_dr18": {
            "oid": Column(list(oids), int),
            "filtercode": Column(["zr"] * len(oids), str),
            "ra": Column([star.ra for star in oids.values()]),
            "dec": Column([star.dec for star in oids.values()]),
            "ngoodobsrel": Column([len(star.points[0]) for star in oids.values()], int),
        }
    }
