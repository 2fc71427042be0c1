"""A simulated survey: variable stars of eight classes, their photometry and raw light curves (surveys/demo.py)."""

import logging
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts import tables
from workflow_scripts.lightcurve import ragged
from workflow_scripts.progress import batches
from workflow_scripts.surveys import Sample, demo
from workflow_scripts.surveys.stars import COLOUR_NAMES, COLOURS, STARS, StarClass, log_normal

Reals = NDArray[np.float64]

log = logging.getLogger(__name__)

_BLOCK = 20_000  # objects in memory at once

# Share of the objects that a photometric survey lacks, by what is lacking together.
_LACKING = {
    ("parallax_mas", "bp_mag", "rp_mag"): 0.05,
    ("j_mag", "h_mag", "k_mag"): 0.10,
    ("w1_mag", "w2_mag"): 0.08,
    ("w3_mag",): 0.20,
}

# Error of the photometry [mag], by band.
_ERRORS = dict(g=0.01, bp=0.02, rp=0.02, j=0.04, h=0.05, k=0.06, w1=0.03, w2=0.04, w3=0.15)  # noqa: C408


def blocks(survey: demo.Demo, sample: str, seed: int) -> Iterator[Sample]:
    """Simulate a sample in blocks of 20,000 objects, each from a random generator of its own."""
    for part in batches(survey.objects, _BLOCK, "objects"):
        rng = demo.generator(seed, sample, part.start // _BLOCK)
        yield simulate(part.stop - part.start, survey.mix, sample, rng, part.start)


def simulate(n_objects: int, mix: demo.Mix, sample: str, rng: np.random.Generator, first: int = 0) -> Sample:
    """Simulate n_objects variable stars of a sample, numbered from `first`, with the class shares of the mix.

    Gives tables.OBJECTS, PHOTOMETRY and RAW_LIGHT_CURVES with a row per object in each. The class and the true
    period (the orbital one of an eclipsing star) stand in the objects. Identifiers contain the sample's name, so no
    two samples share one. Every table's survey says SIMULATED.
    """
    labels = _labels(n_objects, demo.MIXES[mix], rng)
    ids = [f"SIM_{sample}_{i:06d}" for i in range(first, first + n_objects)]
    level = rng.triangular(demo.MAG_RANGE[0], 18.5, demo.MAG_RANGE[1], n_objects)
    periods = np.array([log_normal(STARS[label].period_d, rng) for label in labels])
    curves = [_observe(STARS[c], m, p, rng) for c, m, p in zip(labels, level, periods, strict=True)]
    log.info("%d objects simulated, %d points", n_objects, sum(len(curve.time) for curve in curves))
    return Sample(_objects(ids, labels, periods, rng), _photometry(ids, labels, level, rng), _raw(ids, curves))


def _labels(n: int, shares: Mapping[str, float], rng: np.random.Generator) -> list[str]:
    """Give n labels in random order, each class as often as its share says (largest remainders rounded up)."""
    exact = n * np.array(list(shares.values()))
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: n - counts.sum()]] += 1
    return [str(label) for label in rng.permutation(np.repeat(list(shares), counts))]


def _observe(star: StarClass, level: float, period_d: float, rng: np.random.Generator) -> demo.Points:
    time = demo.epochs(rng)
    variation = star.shape(time, period_d, log_normal(star.amplitude_mag, rng), rng)
    return demo.observe(time, level + variation, rng)


def _objects(ids: list[str], labels: list[str], periods: Reals, rng: np.random.Generator) -> pa.Table:
    n = len(ids)
    rows = {
        "object_id": ids,
        "survey": [demo.SURVEY] * n,
        "ra_deg": np.round(rng.uniform(0, 360, n), 6) % 360,
        "dec_deg": np.round(np.degrees(np.arcsin(rng.uniform(-1, 1, n))), 6),
        "class": labels,
        "catalogue_period_d": np.round(periods, 8),
    }
    return pa.table(rows, schema=tables.OBJECTS.schema)


def _photometry(ids: list[str], labels: list[str], level: Reals, rng: np.random.Generator) -> pa.Table:
    """Magnitudes from the class's colours and a parallax from its absolute magnitude, each with an error."""
    n = len(ids)
    recipes = np.array([COLOURS[label] for label in labels])  # (n, quantities, mean and deviation)
    colour = dict(zip(COLOUR_NAMES, rng.normal(recipes[..., 0], recipes[..., 1]).T, strict=True))
    mag = {"g": level - 0.1}
    mag["bp"], mag["rp"] = mag["g"] + 0.4 * colour["bp_rp"], mag["g"] - 0.6 * colour["bp_rp"]
    mag["j"] = mag["rp"] - 0.2 - 0.45 * colour["bp_rp"]
    mag["h"] = mag["j"] - colour["j_h"]
    mag["k"] = mag["h"] - colour["h_k"]
    mag["w1"] = mag["k"] - 0.05
    mag["w2"] = mag["w1"] - colour["w1_w2"]
    mag["w3"] = mag["w2"] - colour["w2_w3"]
    parallax = 10 ** (-0.2 * (mag["g"] - colour["absolute_g"] - 10))
    error = 0.02 * 10 ** (0.2 * np.clip(mag["g"] - 14, 0, None))
    rows = {"parallax_mas": np.round(rng.normal(parallax, error), 4)}
    rows |= {f"{b}_mag": np.round(m + rng.normal(0, _ERRORS[b], n), 3) for b, m in mag.items()}
    masks: dict[str, NDArray[np.bool_]] = {}
    for names, share in _LACKING.items():
        masks |= dict.fromkeys(names, rng.uniform(size=n) < share)
    columns = {name: pa.array(values, mask=masks.get(name)) for name, values in rows.items()}
    return pa.table({"object_id": ids, **columns}, schema=tables.PHOTOMETRY.schema)


def _raw(ids: list[str], curves: list[demo.Points]) -> pa.Table:
    lengths = np.array([len(curve.time) for curve in curves])
    joined = {name: np.concatenate([getattr(c, name) for c in curves]) for name in ("time", "mag", "mag_err", "usable")}
    rows = {
        "object_id": ids,
        "band": [demo.BAND] * len(ids),
        "time": ragged.to_lists(joined["time"], lengths),
        "mag": ragged.to_lists(joined["mag"].astype(np.float32), lengths),
        "mag_err": ragged.to_lists(joined["mag_err"].astype(np.float32), lengths),
        "usable": ragged.to_lists(joined["usable"], lengths),
    }
    return pa.table(rows, schema=tables.RAW_LIGHT_CURVES.schema)
