"""Crossmatch of catalogues on the sky: nearest, mutual best and unique counterparts, in memory or file by file.

gaia = crossmatch.Layout("ra", "dec", crossmatch.Motion(target_epoch_yr=2000.0, epoch_yr=2016.0))
crossmatch.sort_by_healpix(Path("gaia.parquet"), Path("gaia_sorted.parquet"), gaia)
crossmatch.match_files(Path("stars_sorted.parquet"), Path("gaia_sorted.parquet"), Path("pairs.parquet"),
                       crossmatch.Rule(radius_arcsec=1.5))
"""

from workflow_scripts.crossmatch.motion import Motion, propagate
from workflow_scripts.crossmatch.pairs import PAIRS, Mode, Rule, match
from workflow_scripts.crossmatch.positions import Positions
from workflow_scripts.crossmatch.row_groups import POSITIONS
from workflow_scripts.crossmatch.sorting import Layout, sort_by_healpix
from workflow_scripts.crossmatch.streaming import Catalogue, Outcome, match_files

__all__ = [
    "PAIRS",
    "POSITIONS",
    "Catalogue",
    "Layout",
    "Mode",
    "Motion",
    "Outcome",
    "Positions",
    "Rule",
    "match",
    "match_files",
    "propagate",
    "sort_by_healpix",
]
