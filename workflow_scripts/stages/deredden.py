"""Take the extinction by dust out of a sample's photometry."""

from pathlib import Path

import pyarrow.compute as pc

from workflow_scripts import dust, edge, shards, tables
from workflow_scripts.counterparts import COUNTERPARTS


def main(
    counterparts: list[Path],
    dust_maps: list[Path],
    shard_objects: list[Path],
    photometry: Path,
    extinction: Path,
    n_shards: int,
) -> None:
    """Read counterparts (none = no photometry) and dust map (none = as observed); write photometry and extinctions.

    shard_objects = objects of each shard, where the survey itself says which they are; none = shards by sky.
    """
    if len(dust_maps) > 1:
        raise tables.DataError(f"one dust map at most, found {len(dust_maps)}: {', '.join(map(str, dust_maps))}")
    observed = tables.read_all(counterparts, COUNTERPARTS)
    rows, reddening, notes = dust.deredden(observed, dust_maps[0] if dust_maps else None)
    if shard_objects:
        ids = [tables.read(path, tables.OBJECTS, ["object_id"])["object_id"] for path in shard_objects]
        parts = [rows.filter(pc.is_in(rows["object_id"], value_set=mine.combine_chunks())) for mine in ids]
    else:
        parts = shards.parts(rows, shards.by_sky(observed, n_shards), n_shards)
    shards.write_parts(parts, photometry, tables.PHOTOMETRY, n_shards, notes)
    tables.write(reddening, extinction, dust.EXTINCTION, notes)


if __name__ == "__main__":
    edge.run(main)
