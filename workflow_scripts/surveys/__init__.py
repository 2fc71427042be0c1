"""Surveys: where objects, photometry and raw light curves come from; one plug-in, one file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from workflow_scripts import shards, tables


@dataclass(frozen=True)
class Sample:
    """What every survey gives: tables.OBJECTS, tables.PHOTOMETRY (may be empty) and tables.RAW_LIGHT_CURVES."""

    objects: pa.Table
    photometry: pa.Table
    light_curves: pa.Table


def write(parts: Iterable[Sample], objects: Path, photometry: Path, raw: Path, n_shards: int) -> None:
    """Write a sample's tables from its parts, of which only one is in memory but for objects and photometry.

    Raw light curves and photometry are divided into shards (shards.write).
    """
    listed, measured = [], []

    def curves() -> Iterator[pa.Table]:
        for part in parts:
            listed.append(part.objects)
            measured.append(part.photometry)
            yield part.light_curves

    shards.write(curves(), raw, tables.RAW_LIGHT_CURVES, n_shards)
    tables.write(pa.concat_tables(listed), objects, tables.OBJECTS)
    shards.write([pa.concat_tables(measured)], photometry, tables.PHOTOMETRY, n_shards)
