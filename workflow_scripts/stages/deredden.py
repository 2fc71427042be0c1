"""Take the extinction by dust out of a sample's photometry."""

from pathlib import Path

from workflow_scripts import dust, edge, shards, tables
from workflow_scripts.counterparts import COUNTERPARTS


def main(counterparts: list[Path], dust_maps: list[Path], photometry: Path, extinction: Path, n_shards: int) -> None:
    """Read counterparts (none = no photometry) and dust map (none = as observed); write photometry and extinctions."""
    if len(dust_maps) > 1:
        raise tables.DataError(f"one dust map at most, found {len(dust_maps)}: {', '.join(map(str, dust_maps))}")
    observed = tables.read_all(counterparts, COUNTERPARTS)
    rows, reddening, notes = dust.deredden(observed, dust_maps[0] if dust_maps else None)
    shards.write([rows], photometry, tables.PHOTOMETRY, n_shards, notes)
    tables.write(reddening, extinction, dust.EXTINCTION, notes)


if __name__ == "__main__":
    edge.run(main)
