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

import psutil
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


def planning(n_shards: int) -> tuple[int, float, float]:
    """Number of jobs in a dry run of a survey of so many shards, and CPU seconds until they are known and in all.

    A real run starts its first job when they are known; a dry run goes through every one.
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
        command += ["--configfile", place, "--cores", "1"]
        before = cpu_s(resource.getrusage(resource.RUSAGE_CHILDREN))
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as child:
            known = None
            for line in child.stdout or ():
                if known is None and (total := re.match(r"total +(\d+)", line)):
                    known = int(total[1]), sum(psutil.Process(child.pid).cpu_times()[:2])
    if known is None or child.returncode:
        raise ValueError(f"snakemake planned nothing and ended with exit code {child.returncode}")
    return *known, cpu_s(resource.getrusage(resource.RUSAGE_CHILDREN)) - before


def cpu_s(used: resource.struct_rusage) -> float:
    """CPU seconds of processes, their own and the system's for them."""
    return used.ru_utime + used.ru_stime


def markdown(found: Sequence[Job], n_curves: int, place: str, plan: tuple[int, float, float]) -> str:
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

The plan of a survey of {SHARDS:,} shards ({plan[0]:,} jobs) takes Snakemake {plan[1]:.0f} s of CPU time, then a run
starts its first job; a dry run, which goes through all jobs once more, takes {plan[2]:.0f} s.
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
