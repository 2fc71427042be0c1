"""Surveys: where objects, photometry and raw light curves come from; one plug-in, one file."""

from collections.abc import Sequence
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


def write(sample: Sample, objects: Path, photometry: Path, shard_files: Sequence[Path]) -> None:
    """Write a sample's tables, the raw light curves split into as many shards as there are files."""
    tables.write(sample.objects, objects, tables.OBJECTS)
    tables.write(sample.photometry, photometry, tables.PHOTOMETRY)
    for path, rows in zip(shard_files, shards.split(sample.light_curves, len(shard_files)), strict=True):
        tables.write(rows, path, tables.RAW_LIGHT_CURVES)
