"""Stage `download_light_curves`: the light curves of one shard of a sample, from the archive of a survey."""

from pathlib import Path

import pyarrow as pa

from workflow_scripts import edge, shards, tables
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.demo import generator
from workflow_scripts.surveys.download_curves import STATUS, Wish, download


def main(
    objects: Path,
    light_curves: Path,
    status: Path,
    survey: str,
    bands: list[str],
    radius_arcsec: float,
    folder: Path,
    mirrors: dict[str, str],
    pace: float,
    sample: str,
    shard: str,
    n_shards: int,
    seed: int,
) -> None:
    """Write raw light curves of the shard's objects, and what became of each object.

    folder keeps what came from the archive; all samples and shards of a survey share it.
    """
    targets = tables.read(objects, tables.OBJECTS, ["object_id", "ra_deg", "dec_deg"])
    targets = targets.filter(pa.array(shards.by_sky(targets, n_shards) == int(shard)))
    wish = Wish(registry.load(survey).paced(pace), tuple(bands), radius_arcsec, mirrors)
    rng = generator(seed, f"{sample}/{shard}")  # of pauses between tries, and of nothing in the tables
    found = download(targets, wish, folder / sample / shard, folder / "files", rng)
    tables.write(found.light_curves, light_curves, tables.RAW_LIGHT_CURVES)
    tables.write(found.status, status, STATUS)


if __name__ == "__main__":
    edge.run(main)
