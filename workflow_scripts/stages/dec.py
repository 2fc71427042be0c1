"""Stage of rule dec: Deep Embedded Clustering from many seeds, their consensus and spread."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from workflow_scripts import edge, tables
from workflow_scripts.clustering import choice, consensus, fields, names, scaling, selection
from workflow_scripts.clustering import dec as method
from workflow_scripts.clustering.consensus import Consensus
from workflow_scripts.clustering.selection import Selection
from workflow_scripts.clustering.space import space
from workflow_scripts.clustering.stars import STARS, Groups, Labels

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What the configuration asks of the method; keys, meanings and defaults: config.schema.yaml, `clusters.dec`."""

    hidden: list[int]
    learning_rate: float
    epochs: int
    steps: int
    seeds: int
    quantile: float
    device: Literal["cpu", "gpu"]


def main(
    region_file: Path,
    stars: Path,
    selections: Path,
    notes: Path,
    groups: int,
    settings: Asked,
    features: scaling.Features,
    seed: int,
    threads: int,
) -> None:
    """Write the stars in the cluster's group for more than half of the seeds, the same less the tails in parallax."""
    _prepare(settings.device, threads)
    place, rows = fields.read(region_file), tables.read(stars, STARS)
    whole = space(rows, place.region.centre)
    how = method.Settings(
        groups, tuple(settings.hidden), settings.learning_rate, epochs=settings.epochs, steps=settings.steps
    )

    def choose(found: Groups) -> int | None:
        chosen = choice.choose(found, whole.points, whole.sky, place.locus)
        return chosen.group if chosen else None

    x = scaling.features(whole.points, features)
    drawn = range(seed, seed + settings.seeds)
    found = consensus.consensus(x, how, drawn, choose, fewest=min(settings.seeds, consensus.FEWEST_SEEDS))
    all_seeds = selection.from_weights(names.DEC, found.share, _said(found, place))
    both = [all_seeds, _filtered(all_seeds, rows, settings.quantile)]
    tables.write(selection.rows(both, rows), selections, selection.SELECTIONS)
    tables.write(selection.notes(place.name, both), notes, selection.NOTES)


def _prepare(device: Literal["cpu", "gpu"], threads: int) -> None:
    """Let TensorFlow see the device asked for and as many threads as the rule has: more would change the last bits."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # its advice to rebuild it would fill the log
    import tensorflow as tf

    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif not tf.config.list_physical_devices("GPU"):
        raise tables.DataError("clusters.dec.device is gpu, TensorFlow finds none; set cpu or run where there is one")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _said(found: Consensus, place: fields.Field) -> dict[str, object]:
    said: dict[str, object] = {
        "rule": _rule(place),
        "locus_from": place.locus_from,
        "seeds": len(found.seeds),
        "seeds kept": found.n_kept,
        "F1 of a seed with the consensus": found.agreement,
        "its standard deviation": found.agreement_std,
        "F1 between two halves of the seeds": found.halves,
    }
    if found.n_kept < consensus.FEWEST_SEEDS:
        kept = f"{found.n_kept} of {len(found.seeds)} kept"
        said["few seeds"] = f"{kept}, a consensus to be trusted has {consensus.FEWEST_SEEDS} or more"
    for number, one in enumerate(found.seeds):
        text = f"{one.n_latent} stars before, {one.n_members} after, {one.n_groups} groups"
        said[f"seed {number}"] = f"LEFT OUT, {one.left_out}; {text}" if one.left_out else text
    if not found.members.any():
        kept = "no star is in the group of more than half of the seeds"
        said["no cluster"] = kept if found.n_kept else "no seed is kept"
        _LOG.warning("%s: %s, of %d", place.name, said["no cluster"], len(found.seeds))
    return said


def _rule(place: fields.Field) -> str:
    if place.locus and place.locus.complete:
        return "nearest to the locus, of those that gather on the sky if any do"
    near = ", of those near to what is known of the locus if any are" if place.locus else ""
    return f"most concentrated on the sky{near}"


def _filtered(whole: Selection, rows: pa.Table, quantile: float) -> Selection:
    label: Labels = whole.group
    if whole.selected.any():
        label = method.filtered(Groups(label, 1), rows["parallax_mas"].to_numpy(), quantile).label
    return selection.from_weights(names.FILTERED, (label == 0).astype(np.float64), {"quantile": quantile})


if __name__ == "__main__":
    edge.run(main)
