"""Crossmatch of two SIMULATED catalogues from file to file: ours, a plain k-d tree, astropy and STILTS.

Half of the sources lie in 50 patches, the others all over the sky north of -30 deg; 60 % have a counterpart with a
scatter of 0.3 arcsec. Every reading is a process of its own, one after the other, in turns. `make bench-crossmatch`
runs it.
"""

import argparse
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench import machine
from workflow_scripts import crossmatch
from workflow_scripts.crossmatch.positions import chord, unit_vectors
from workflow_scripts.crossmatch.sorting import sort_by_healpix
from workflow_scripts.crossmatch.streaming import match_files

RADIUS, ISOLATION = 1.5, 3.0  # arcsec
SCATTER_ARCSEC, SHARE, PATCHES = 0.3, 0.6, 50
SIDES = ("a", "b")
HEAP = "-Xmx10g"

Found = tuple[NDArray, NDArray]  # rows of the pairs in the two files read


@dataclass(frozen=True)
class Contender:
    """Something that is measured: what it finds, whether it reads the sorted files, and the work."""

    name: str
    finds: str
    sorted: bool
    work: Callable[[Path], None]


# The sky


def simulate(rows: int, folder: Path) -> None:
    """Write both catalogues unsorted (a.parquet, b.parquet) and as FITS."""
    rng = np.random.default_rng(20)
    ra, dec = sky(rng, rows)
    ra_b, dec_b = sky(rng, rows)
    same = rng.permutation(rows)[: int(SHARE * rows)]
    sigma = SCATTER_ARCSEC / 3600
    cos_dec = np.cos(np.radians(dec[same]))
    ra_b[: len(same)] = (ra[same] + rng.normal(0, sigma, len(same)) / cos_dec) % 360
    dec_b[: len(same)] = dec[same] + rng.normal(0, sigma, len(same))
    mixed = rng.permutation(rows)
    for side, one, other in (("a", ra, dec), ("b", ra_b[mixed], dec_b[mixed])):
        table = pa.table({"row": np.arange(rows), "ra_deg": one, "dec_deg": other})
        pq.write_table(table, folder / f"{side}.parquet", row_group_size=250_000)


def sky(rng: np.random.Generator, rows: int) -> tuple[NDArray, NDArray]:
    """Positions [deg], half of them in patches of 1 deg."""

    def anywhere(count: int) -> tuple[NDArray, NDArray]:
        return rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-0.5, 0.99, count)))

    ra, dec = anywhere(rows - rows // 2)
    centre_ra, centre_dec = (values[rng.integers(0, PATCHES, rows // 2)] for values in anywhere(PATCHES))
    near = np.clip(centre_dec + rng.normal(0, 1, rows // 2), -89, 89)
    around = (centre_ra + rng.normal(0, 1, rows // 2) / np.cos(np.radians(near))) % 360
    return np.concatenate([ra, around]), np.concatenate([dec, near])


def write_fits(folder: Path) -> None:
    """Write the catalogues as FITS for STILTS."""
    from astropy.io import fits

    for side in SIDES:
        table = pq.read_table(folder / f"{side}.parquet")
        columns = [("row", "K"), ("ra_deg", "D"), ("dec_deg", "D")]
        made = [fits.Column(name, kind, array=table[name].to_numpy()) for name, kind in columns]
        fits.BinTableHDU.from_columns(made).writeto(folder / f"{side}.fits", overwrite=True)


def sort(folder: Path) -> None:
    """Sort both catalogues."""
    for side in SIDES:
        sort_by_healpix(folder / f"{side}.parquet", folder / f"{side}_sorted.parquet")


# The contenders


def ours(mode: str, isolation: float | None = None) -> Callable[[Path], None]:
    """Row group by row group."""

    def work(folder: Path) -> None:
        rule = crossmatch.Rule(RADIUS, mode, isolation)
        match_files(*(folder / f"{s}_sorted.parquet" for s in SIDES), folder / "pairs.parquet", rule)

    return work


def ours_in_memory(folder: Path) -> None:
    """Sort and match in memory."""
    a, b = (crossmatch.Positions(*read(folder / f"{side}.parquet")) for side in SIDES)
    pairs = crossmatch.match(a, b, crossmatch.Rule(RADIUS, "nearest"))
    pq.write_table(pairs, folder / "pairs.parquet")


def plain_tree(folder: Path) -> None:
    """One k-d tree of all of B, nearest neighbour of all of A."""
    a, b = (unit_vectors(*read(folder / f"{side}_sorted.parquet")) for side in SIDES)
    write_pairs(folder, *nearest_by_tree(a, b))


def plain_trees(folder: Path) -> None:
    """Search a k-d tree of B from A and one of A from B; mutual best."""
    a, b = (unit_vectors(*read(folder / f"{side}_sorted.parquet")) for side in SIDES)
    (one, other), (back, claimed) = nearest_by_tree(a, b), nearest_by_tree(b, a)
    best = np.full(len(b), -1)
    best[back] = claimed
    mutual = best[other] == one
    write_pairs(folder, one[mutual], other[mutual])


def nearest_by_tree(a: NDArray, b: NDArray) -> Found:
    """Nearest within the radius."""
    from scipy.spatial import cKDTree

    _, found = cKDTree(b, balanced_tree=False).query(a, distance_upper_bound=chord(RADIUS))
    return np.flatnonzero(found < len(b)), found[found < len(b)]


def by_astropy(suffix: str) -> Callable[[Path], None]:
    """match_to_catalog_sky on files as they came, or sorted."""

    def work(folder: Path) -> None:
        from astropy.coordinates import SkyCoord

        a, b = (SkyCoord(*read(folder / f"{side}{suffix}.parquet"), unit="deg") for side in SIDES)
        found, separation, _ = a.match_to_catalog_sky(b)
        within = separation.arcsec <= RADIUS
        write_pairs(folder, np.flatnonzero(within), found[within])

    return work


def by_stilts(folder: Path) -> None:
    """Run tmatch2 on FITS files, the quickest it reads; the JVM's start is in its time."""
    inputs = [f"{key}={value}" for n, s in enumerate(SIDES, 1) for key, value in stilts_input(folder, s, n)]
    options = [
        "matcher=sky",
        f"params={RADIUS}",
        "find=best1",
        "join=1and2",
        "fixcols=all",
        "progress=none",
        "runner=sequential",
    ]
    output = [f"out={folder / 'pairs.fits'}", "ofmt=fits-basic", "ocmd=keepcols 'row_1 row_2'"]
    subprocess.run(["stilts", HEAP, "tmatch2", *inputs, *options, *output], check=True)


def stilts_input(folder: Path, side: str, number: int) -> list[tuple[str, str]]:
    """Options of STILTS for one table."""
    return [
        (f"in{number}", str(folder / f"{side}.fits")),
        (f"ifmt{number}", "fits"),
        (f"values{number}", "ra_deg dec_deg"),
        (f"suffix{number}", f"_{number}"),
    ]


def sorting(folder: Path) -> None:
    """Sort one catalogue into a file, which is done once."""
    sort_by_healpix(folder / "a.parquet", folder / "again.parquet")


OURS, OURS_MUTUAL, PLAIN, PLAIN_MUTUAL = "ours", "ours, mutual best", "plain sorted k-d tree", "two plain sorted trees"
ASTROPY, ASTROPY_SORTED, STILTS, SORTING = "astropy", "astropy, sorted files", "STILTS", "sorting one catalogue"
CONTENDERS = (
    Contender(OURS, "nearest", True, ours("nearest")),
    Contender(OURS_MUTUAL, "mutual", True, ours("mutual")),
    Contender("ours, unique", "unique", True, ours("unique", ISOLATION)),
    Contender("ours, in memory, sorting included", "nearest", False, ours_in_memory),
    Contender(PLAIN, "nearest", True, plain_tree),
    Contender(PLAIN_MUTUAL, "mutual", True, plain_trees),
    Contender(ASTROPY, "nearest", False, by_astropy("")),
    Contender(ASTROPY_SORTED, "nearest", True, by_astropy("_sorted")),
    Contender(STILTS, "nearest", False, by_stilts),
    Contender(SORTING, "", False, sorting),
)


def read(path: Path) -> tuple[NDArray, NDArray]:
    """Positions of a file [deg]."""
    table = pq.read_table(path, columns=["ra_deg", "dec_deg"], use_threads=False)
    return table["ra_deg"].to_numpy(), table["dec_deg"].to_numpy()


def write_pairs(folder: Path, a_row: NDArray, b_row: NDArray) -> None:
    """Write pairs of a peer as ours are written, rows only."""
    pq.write_table(pa.table({"a_row": a_row, "b_row": b_row}), folder / "pairs.parquet", compression="zstd")


def read_pairs(folder: Path) -> Found:
    """Rows of the pairs written."""
    from astropy.io import fits

    if (folder / "pairs.fits").exists():
        pairs = fits.getdata(folder / "pairs.fits", 1)
        return tuple(np.asarray(pairs[f"row_{number}"], dtype=np.int64) for number in (1, 2))
    table = pq.read_table(folder / "pairs.parquet", columns=["a_row", "b_row"])
    return table["a_row"].to_numpy(), table["b_row"].to_numpy()


# Measuring


def measure(name: str, folder: Path) -> dict[str, Any]:
    """CPU and wall time [s], peak memory [MiB], number and digest of the pairs of one contender, in this process."""
    (one,) = (c for c in CONTENDERS if c.name == name)
    for old in folder.glob("pairs.*"):
        old.unlink()
    if name != STILTS:
        one.work(folder / "small")  # what is imported and set up once is not counted
    begun, wall, children = time.process_time(), time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    one.work(folder)
    cpu, wall = time.process_time() - begun, time.monotonic() - wall
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu += used.ru_utime + used.ru_stime - children.ru_utime - children.ru_stime
    peak = used.ru_maxrss / 1024 if name == STILTS else machine.peak_memory_mib()
    return {"cpu": cpu, "wall": wall, "peak": peak, **described(one, folder)}


def described(one: Contender, folder: Path) -> dict[str, Any]:
    """Count the pairs written and make a digest of them by the rows of the unsorted files."""
    if not one.finds:
        return {"pairs": 0, "digest": ""}
    rows = list(read_pairs(folder))
    if one.sorted:
        files = (pq.read_table(folder / f"{side}_sorted.parquet", columns=["row"]) for side in SIDES)
        rows = [file["row"].to_numpy()[places] for file, places in zip(files, rows, strict=True)]
    order = np.lexsort(rows)
    digest = hashlib.blake2b(np.stack(rows)[:, order].tobytes(), digest_size=6).hexdigest()
    return {"pairs": len(order), "digest": digest}


def in_a_process(name: str, folder: Path) -> dict[str, Any]:
    """Measure in a fresh process."""
    command = [sys.executable, "-m", "bench.crossmatch_peers", "--measure", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(rows: int, rounds: int, folder: Path, left_out: list[str]) -> str:
    """Measure all, in turns; give the document."""
    (folder / "small").mkdir()
    for place, size in ((folder, rows), (folder / "small", 1000)):
        simulate(size, place)
        sort(place)
    names = [one.name for one in CONTENDERS if one.name not in left_out]
    if STILTS in names and shutil.which("stilts") is None:
        names.remove(STILTS)
    if STILTS in names:
        write_fits(folder)
    readings: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            readings[name].append(in_a_process(name, folder))
            sys.stderr.write(f"{name}: {readings[name][-1]}\n")
    return document(rows, rounds, readings)


def document(rows: int, rounds: int, readings: dict[str, list[dict[str, Any]]]) -> str:
    """Markdown of the results and of the goals."""

    def middle(name: str, key: str) -> float:
        return statistics.median(one[key] for one in readings[name])

    def ratio(name: str, base: str) -> float:
        pairs = zip(readings[name], readings[base], strict=True)
        return statistics.median(one["cpu"] / other["cpu"] for one, other in pairs)

    finds = {one.name: one.finds for one in CONTENDERS}
    lines = [
        "# Crossmatch\n\nWritten by `make bench-crossmatch`.\n",
        f"Crossmatch of {rows:,} x {rows:,} SIMULATED sources, radius {RADIUS} arcsec, from file to file; median of "
        f"{rounds} rounds, CPU time of all threads, imports not counted. Machine: {machine.description()}.\n",
        "| code | finds | CPU s | million rows/CPU s | CPU time / ours | wall s | peak MiB | pairs | digest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, found in readings.items():
        base = OURS_MUTUAL if finds[name] == "mutual" else OURS
        lines.append(
            f"| {name} | {finds[name]} | {middle(name, 'cpu'):.2f} | {rows / middle(name, 'cpu') / 1e6:.2f} | "
            f"{ratio(name, base):.2f} | {middle(name, 'wall'):.2f} | {middle(name, 'peak'):.0f} | "
            f"{found[0]['pairs']:,} | {found[0]['digest']} |"
        )
    goals = [("million rows per CPU second, mutual best", ">= 0.8", rows / middle(OURS_MUTUAL, "cpu") / 1e6)]
    goals += [("peak memory of ours [MiB]", "< 600", middle(OURS_MUTUAL, "peak"))]
    for peer, goal, inverse in ((PLAIN, "<= 1.2", True), (ASTROPY, ">= 3", False), (STILTS, ">= 5", False)):
        if peer in readings:
            value = 1 / ratio(peer, OURS) if inverse else ratio(peer, OURS)
            goals.append((f"CPU time, ours / {peer}" if inverse else f"CPU time, {peer} / ours", goal, value))
    lines += ["", "| goal | wanted | measured |", "|---|---|---|"]
    lines += [f"| {what} | {goal} | {value:.3g} |" for what, goal, value in goals]
    for kind in ("nearest", "mutual"):
        digests = {one["digest"] for name, found in readings.items() if finds[name] == kind for one in found}
        lines += ["", f"Pairs of the mode {kind}: {'identical' if len(digests) == 1 else '**different**'}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line."""
    machine.hold_one_core()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="sources in each catalogue")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--table", type=Path, help="Markdown file for the results; without it they are shown")
    parser.add_argument("--without", nargs="*", default=[], help="contenders left out, by name")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        sys.stdout.write(json.dumps(measure(arguments.measure, arguments.folder)) + "\n")
        return
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(__file__).parents[up]) for up in (1, 2))
    with tempfile.TemporaryDirectory() as folder:
        text = run(arguments.rows, arguments.rounds, Path(folder), arguments.without)
    if arguments.table:
        arguments.table.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
