"""Archives of light curves on this machine, in the formats of the real ones, from small tables made here."""

import dataclasses
import gzip
import io
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.append(str(Path(__file__).parents[1] / "archives"))
from loopback import Answer, Asked, csv_text
from loopback_tap import Column, Tap

IRSA = "https://irsa.ipac.caltech.edu"
CRTS = "http://nesssi.cacr.caltech.edu"
MACHO = "http://macho.nci.org.au"
OGLE = "https://www.astrouw.edu.pl"
CRTS_COLUMNS = ["InputID", "ID", "Mag", "Magerr", "RA", "Decl", "MJD", "Blend"]
MISSING = Answer(b"<html>not found</html>", "text/html", 404)


def arcsec(ra: float, dec: float, ra0: float, dec0: float) -> float:
    """Angle between two positions [deg], by the haversine formula."""
    a, b = math.radians(dec), math.radians(dec0)
    half = math.sin((a - b) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(ra - ra0) / 2) ** 2
    return math.degrees(2 * math.asin(math.sqrt(half))) * 3600


class Sky(Tap):
    """A TAP service that knows circles."""

    def _database(self, uploads):
        database, described = super()._database(uploads)
        database.create_function("POINT", 3, lambda _, ra, dec: f"{ra!r} {dec!r}")
        database.create_function("CIRCLE", 4, lambda _, ra, dec, radius: f"{ra!r} {dec!r} {radius!r}")
        database.create_function("CONTAINS", 2, self._inside)
        return database, described

    @staticmethod
    def _inside(point: str, circle: str) -> int:
        *centre, radius = map(float, circle.split())
        return int(arcsec(*map(float, point.split()), *centre) <= radius * 3600)


@dataclasses.dataclass(frozen=True)
class Star:
    """A light curve in ZTF: identifier, band, place, number of points, the first of which is flagged."""

    oid: int
    band: str
    ra: float
    dec: float
    points: int


def ztf_rows(star: Star) -> list[dict[str, object]]:
    """Points of a light curve in ZTF."""
    return [
        {
            "oid": star.oid,
            "expid": 48849247 + i,
            "hjd": 2458242.9927082820 + 3.1 * i,
            "mag": 14.25 + 0.125 * (i % 7),
            "magerr": 0.015625,
            "catflags": 32768 if i == 0 else 0,
            "filtercode": star.band,
        }
        for i in range(star.points)
    ]


def votable(rows: Sequence[Mapping[str, object]], status: str = "") -> bytes:
    """VOTable as IRSA's service gives it: the columns that are read, and one more; status = QUERY_STATUS, if stated."""
    types = {"oid": "long", "expid": "long", "hjd": "double", "mjd": "double", "mag": "float", "magerr": "float"}
    types |= {"catflags": "int", "filtercode": 'char" arraysize="*'}
    fields = "".join(f'<FIELD name="{name}" datatype="{kind}"/>' for name, kind in types.items())
    cells = ["".join(f"<TD>{row.get(name, '')}</TD>" for name in types) for row in rows]
    data = "".join(f"<TR>{row}</TR>" for row in cells)
    stated = f'<INFO name="QUERY_STATUS" value="{status}">as the service says</INFO>' if status else ""
    return (
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE '
        f'type="results">{stated}<TABLE>{fields}<DATA><TABLEDATA>{data}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n'
    ).encode()


class Ztf:
    """IRSA: the table of objects, the light-curve service, and the bulk files."""

    def __init__(self, stars: Sequence[Star], framing: str = "length") -> None:
        self.stars, self.framing = stars, framing
        self.tap = Sky(
            {
                "ztf_objects_dr18": {
                    "oid": Column([star.oid for star in stars], int),
                    "filtercode": Column([star.band for star in stars], str),
                    "ra": Column([star.ra for star in stars]),
                    "dec": Column([star.dec for star in stars]),
                    "ngoodobsrel": Column([max(star.points - 1, 0) for star in stars], int),
                }
            }
        )

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.startswith("/TAP"):
            return self.tap(dataclasses.replace(asked, path=f"/tap{asked.path[4:]}"))
        if asked.path.startswith("/tap"):
            return self.tap(asked)
        if asked.path == "/cgi-bin/ZTF/nph_light_curves":
            ids = asked.all("ID")
            rows = [row for star in self.stars if str(star.oid) in ids for row in ztf_rows(star)]
            return Answer(votable(rows), "application/x-votable+xml", framing=self.framing)
        return self._bulk(asked.path)

    def _bulk(self, path: str) -> Answer:
        pattern = r"/data/ZTF/lc/lc_dr18/([01])/field(\d{6})/ztf_\2_z([gri])_c(\d\d)_q(\d)_dr18\.parquet"
        found = re.fullmatch(pattern, path)
        if not found or (int(found[2]) >= 1000) != (found[1] == "1"):
            return MISSING
        head = f"{int(found[2])}{' gri'.index(found[3])}{found[4]}{found[5]}"
        mine = [star for star in self.stars if str(star.oid).startswith(head)]
        return Answer(bulk(mine), "binary/octet-stream") if mine else MISSING


def bulk(stars: Sequence[Star], hmjd: pa.DataType | None = None) -> bytes:
    """Bulk file of ZTF with some light curves."""
    rows = [ztf_rows(star) for star in stars]
    lists = {
        "hmjd": [[point["hjd"] - 2400000.5 for point in points] for points in rows],
        "mag": [[point["mag"] for point in points] for points in rows],
        "magerr": [[point["magerr"] for point in points] for points in rows],
        "catflags": [[point["catflags"] for point in points] for points in rows],
    }
    kinds = {"hmjd": hmjd or pa.float64(), "mag": pa.float32(), "magerr": pa.float32(), "catflags": pa.uint16()}
    table = {
        "objectid": pa.array([star.oid for star in stars], pa.int64()),
        "filterid": pa.array([" gri".index(star.band[1]) for star in stars], pa.uint8()),
        "objra": pa.array([star.ra for star in stars], pa.float32()),
    } | {name: pa.array(values, pa.list_(kinds[name])) for name, values in lists.items()}
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink)
    return sink.getvalue()


class Crts:
    """Web service for many cones: a page with a link to a CSV. stars = (ID, ra, dec, points, blended)."""

    def __init__(self, stars: Sequence[tuple[int, float, float, int, bool]], most_rows: int = 40_000) -> None:
        self.stars, self.most_rows = stars, most_rows
        self.results: dict[str, bytes] = {}

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            body = self.results.get(asked.path)
            return Answer(body, "text/plain") if body else MISSING
        if [asked.one(name) for name in ("DB", "OUT", "SHORT")] != ["photcat", "csv", "short"]:
            return Answer(b"<html>ERROR: bad form</html>", "text/html")
        rows = [row for line in asked.files["upload_file"].decode().splitlines() for row in self._cone(line)]
        if not rows:
            return Answer(b"<html>The area is covered. However, no objects were found in it.</html>", "text/html")
        place = f"/DataRelease/upload/result_web_file{len(self.results)}.csv"
        self.results[place] = csv_text(CRTS_COLUMNS, rows[: self.most_rows])
        page = f'<html>{len(rows)} lines. <a href="{place}">(right-mouse-click and save)</a></html>'
        return Answer(page.encode(), "text/html")

    def _cone(self, line: str) -> list[dict[str, object]]:
        number, ra, dec, radius = line.split()
        if math.isnan(float(ra)):
            return []
        return [
            dict(zip(CRTS_COLUMNS, (number, star, 15.25, 0.0625, x, y, 53500.5 + i, float(blended)), strict=True))
            for star, x, y, points, blended in self.stars
            if arcsec(x, y, float(ra), float(dec)) <= float(radius) * 3600
            for i in range(points)
        ]


def macho_line(star: str, mjd: float, red: float, blue: float) -> str:
    """One of the 39-column lines of a tile file."""
    cells = ["0"] * 39
    cells[0], cells[4], cells[9], cells[10], cells[24], cells[25] = "", mjd, red, 0.03125, blue, 0.0625
    cells[1:4] = star.split(".")
    return ";".join(map(str, cells))


def macho_tile(points: Mapping[str, int]) -> bytes:
    """Tile file with stars that have some points each, the third of which lacks the red magnitude."""
    lines = [
        macho_line(star, 49000.25 + i, -99.0 if i == 2 else -6.5, -6.25) for star, n in points.items() for i in range(n)
    ]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def paths(bodies: Mapping[str, bytes]):
    """A server of files by path."""
    return lambda asked: Answer(bodies[asked.path], "application/octet-stream") if asked.path in bodies else MISSING


def targets(rows: Sequence[tuple[str, float | None, float | None]]) -> pa.Table:
    """Targets (object_id, ra_deg, dec_deg)."""
    names = ("object_id", "ra_deg", "dec_deg")
    kinds = (pa.string(), pa.float64(), pa.float64())
    columns = list(zip(*rows, strict=True)) or [[], [], []]
    return pa.table({n: pa.array(list(c), k) for n, c, k in zip(names, columns, kinds, strict=True)})


def east(ra: float, dec: float, by_arcsec: float) -> float:
    """Right ascension some arc seconds to the east."""
    return float((ra + by_arcsec / 3600 / np.cos(np.radians(dec))) % 360)
