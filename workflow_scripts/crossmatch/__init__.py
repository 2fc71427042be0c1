"""Crossmatch of catalogues on the sky: nearest, mutual best and unique counterparts, in memory or file by file.

What is exported here matches in memory. Catalogues larger than that are sorted into files once and matched from these:

    gaia = sorting.Layout("ra", "dec", Motion(target_epoch_yr=2000.0, epoch_yr=2016.0))
    sorting.sort_by_healpix(Path("gaia.parquet"), Path("gaia_sorted.parquet"), gaia)
    streaming.match_files(Path("stars_sorted.parquet"), Path("gaia_sorted.parquet"), Path("pairs.parquet"), Rule(1.5))

No stage does so yet; imported here, an edit to them would run every stage again that matches in memory.
"""

from workflow_scripts.crossmatch.motion import Motion, propagate
from workflow_scripts.crossmatch.pairs import PAIRS, Mode, Rule, match
from workflow_scripts.crossmatch.positions import Positions

__all__ = ["PAIRS", "Mode", "Motion", "Positions", "Rule", "match", "propagate"]
