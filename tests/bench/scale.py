"""How far the workflow carries: rate, memory and time lost to start-up of a run of config/scale.yaml.

The figures are Snakemake's own of every job, which lie beside the logs. Run by `make scale`, which makes the run first.
"""

import argparse
import csv
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml
from workspace import ROOT

from bench import machine
from bench.goals import short
from bench.table import grid

RULES = ("clean", "features", "predict")  # jobs of a shard
SHARDS = 10_000  # of the plan that is timed


@dataclass(frozen=True)
class Job:
    """What one job took."""

    rule: str
    sample: str
    wall_s: float
    cpu_s: float
    memory_mb: float


def jobs(logs: Path) -> Iterator[Job]:
    """Jobs of a shard, from the files beside their logs, logs/<rule>/<sample>/<shard>.tsv."""
    for path in sorted(path for rule in RULES for path in (logs / rule).glob("*/*.tsv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                took = (float(row[name]) for name in ("s", "cpu_time", "max_rss"))
                yield Job(path.parts[-3], path.parts[-2], *took)


def planning(n_shards: int) -> tuple[float, int]:
    """CPU seconds until Snakemake has planned a survey of so many shards, and the number of jobs of the plan.

    A run starts its first job then; a dry run prints every job, which is not planning and is cut off.
    """
    config = {
        "run": "plan",
        "samples": {
            "known": {"role": "labelled", "source": "demo"},
            "survey": {"role": "science", "source": "demo", "shards": n_shards, "demo": {"objects": n_shards}},
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "plan.yaml")
        place.write_text(yaml.safe_dump(config))
        command = [Path(sys.executable).with_name("snakemake"), "--snakefile", ROOT / "Snakefile", "-n", "-q", "rules"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command += ["--configfile", place, "--cores", "1"]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as child:
            said = iter(child.stdout or ())
            total = next((found for line in said if (found := re.match(r"total +(\d+)", line))), None)
            child.kill()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not total:
        raise ValueError(f"snakemake gave no number of jobs and ended with exit code {child.returncode}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, int(total[1])


def markdown(found: Sequence[Job], n_curves: int, place: str, plan: tuple[float, int]) -> str:
    """Document with the figures; `survey` is the sample that is measured, `few` twenty stars."""
    rows, total, lost = [], 0.0, 0.0
    for rule in RULES:
        own = [job for job in found if job.rule == rule and job.sample == "survey"]
        start = median(job.cpu_s for job in found if job.rule == rule and job.sample == "few")
        cpu = sum(job.cpu_s for job in own)
        memory = sorted(job.memory_mb for job in own)
        rows.append(
            (
                rule,
                f"{len(own)}",
                f"{cpu:,.0f} s",
                f"{start:.1f} s",
                f"{start * len(own) / cpu:.1%}",
                f"{short(n_curves / cpu)}",
                f"{memory[0]:,.0f}-{memory[-1]:,.0f} MB",
            )
        )
        total, lost = total + cpu, lost + start * len(own)
    rate = n_curves / total
    rows.append(("together", "", f"{total:,.0f} s", "", f"{lost / total:.1%}", short(rate), ""))
    heads = (
        "rule",
        "jobs",
        "CPU time",
        "start of a job",
        "lost to starts",
        "light curves/s and core",
        "memory of a job",
    )
    nodes = grid(
        ("cores", "10^8 light curves"), [(f"{n:,}", f"{1e8 / rate / n / 3600:.2g} h") for n in (2, 64, 640, 6400)]
    )
    return f"""# Scale

Written by `make scale` from one run of `config/scale.yaml`: {n_curves:,} SIMULATED light curves (the demo survey, about
200 points each) in {sum(1 for j in found if j.rule == "clean" and j.sample == "survey")} shards, through cleaning,
period search and features, and the predictions of both boosters. CPU times are those that Snakemake measures of every
job; the start of a job is what the same rule takes for twenty stars.

Machine: {place}.

{grid(heads, rows)}

Memory depends on the size of a shard, not on the number of light curves: the smallest and the largest job are given.

Extrapolated, not measured: 10^8 light curves at this rate on so many cores like these, if the file system keeps up:

{nodes}

The plan of a survey of {SHARDS:,} shards ({plan[1]:,} jobs) took Snakemake {plan[0]:.0f} s of CPU time; a dry run
prints every job besides.
"""


def main() -> None:
    """Read the figures of a run, time the plan, write the document."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / "results/scale")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/scale.md")
    parser.add_argument("--shards", type=int, default=SHARDS)
    given = parser.parse_args()
    settings = yaml.safe_load((ROOT / "config/scale.yaml").read_text())
    n_curves = settings["samples"]["survey"]["demo"]["objects"]
    text = markdown(list(jobs(given.run / "logs")), n_curves, machine.description(), planning(given.shards))
    given.out.write_text(text)


if __name__ == "__main__":
    main()
