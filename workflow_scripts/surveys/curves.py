"""The light curves of a survey: which of its light curves are an object's, how they are asked for, how they read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from workflow_scripts.archives.answers import Source
from workflow_scripts.archives.query import Query
from workflow_scripts.surveys.checks import TimeFormat


@dataclass(frozen=True)
class LightCurves:
    """Native light curves, and how an archive is asked for those of some targets.

    read turns one native file into a table of native columns, long or with lists, with identifiers as text; of all
    objects in it, or of the identifiers that are given. columns = ours: theirs (object_id, time, mag, mag_err, band,
    flag); bands = code in the file or in the answer to `find`: our name of the band, one name if there is no column
    of bands. Points with flag at or above flag_limit are unusable.

    source = how light curves are asked for, given the targets (object_id, ra_deg, dec_deg) and the radius [arcsec];
    None = no archive gives them by itself, and by_hand says where a person gets the files. What identifies a light
    curve for the archive comes from one of three:
    find = query for a radius [deg] that joins the uploaded targets (TAP_UPLOAD.targets with object_id, ra_deg, dec_deg)
    with the archive's own objects: object_id, archive_id, band, ra_deg, dec_deg, n_points;
    ids = from the target's object_id, which is the survey's own, and our bands (none = all);
    neither = the target's position: columns then name archive_id, ra_deg and dec_deg of the points, too.
    """

    columns: Mapping[str, str]
    bands: Mapping[str, str]
    time_format: TimeFormat
    read: Callable[[Path, Sequence[str]], pa.Table]
    flag_limit: int = 1
    source: Callable[[pa.Table, float], Source] | None = None
    by_hand: str = ""
    find: Callable[[float], Query] | None = None
    ids: Callable[[str, Sequence[str]], list[str]] | None = None

    @property
    def band_names(self) -> list[str]:
        """Our names of its bands, sorted."""
        return sorted(set(self.bands.values()))

    def __post_init__(self) -> None:
        """Refuse a record that neither an archive nor a person can follow, and bands that nothing tells apart."""
        if (self.source is None) == (not self.by_hand):
            raise ValueError(
                "light curves: either an archive is asked for them (source), or by_hand says where they are"
            )
        if "band" not in self.columns and len(self.band_names) != 1:
            raise ValueError(f"light curves: no column of bands, and not one band but {dict(self.bands)}")
