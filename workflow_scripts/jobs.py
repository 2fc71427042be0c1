"""What the jobs of a run took, where and when: from the first line of each job's log and from Snakemake's benchmarks.

Snakemake's own metadata know times but no host, and their form is nobody's promise; a job's log is kept with the run.
"""

import csv
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_scripts import edge
from workflow_scripts.tables import DataError

_BEGUN = re.compile(edge.BEGUN.format(host=r"(?P<host>\S+)", time=r"(?P<time>\S+)"))


@dataclass(frozen=True)
class Job:
    """A finished job: rule, host, begin in UTC, wall and CPU time, largest memory; None = too short to measure.

    Snakemake looks every half second, after a while every 30 s: the CPU time misses what came after its last look.
    """

    rule: str
    host: str
    begun: datetime.datetime
    wall_s: float
    cpu_s: float | None
    max_rss_mb: float | None


def read(logs: Path) -> Iterator[Job]:
    """Finished jobs of a folder of logs, by file name; a rule's logs are logs/<rule>.log or logs/<rule>/**.log.

    Raises DataError for a benchmark without its log, or with a log that does not begin as the edge begins it.
    """
    for benchmark in sorted(logs.rglob("*.tsv")):
        log = benchmark.with_suffix(".log")
        first = log.read_text(encoding="utf-8").partition("\n")[0] if log.is_file() else ""
        if not (found := _BEGUN.fullmatch(first)):
            expected = edge.BEGUN.format(host="<host>", time="<time>")
            raise DataError(
                f"{log}: expected '{expected}' in its first line, found {first!r}; run the rule again, or delete the "
                "log and its .tsv if no rule of this run writes them"
            )
        rule = benchmark.relative_to(logs).parts[0].removesuffix(".tsv")
        begun = datetime.datetime.fromisoformat(found["time"])
        with benchmark.open(encoding="utf-8", newline="") as file:
            took = next(csv.DictReader(file, delimiter="\t"))
        yield Job(rule, found["host"], begun, float(took["s"]), _number(took["cpu_time"]), _number(took["max_rss"]))


def summary(jobs: list[Job]) -> dict[str, Any]:
    """Hosts, begin of the first and end of the last job, and by rule: jobs, their wall and CPU time, largest memory."""
    ends = [job.begun + datetime.timedelta(seconds=job.wall_s) for job in jobs]
    rules = {name: [job for job in jobs if job.rule == name] for name in sorted({job.rule for job in jobs})}
    return {
        "hosts": sorted({job.host for job in jobs}),
        "begun": min(job.begun for job in jobs).isoformat(timespec="milliseconds"),
        "ended": max(ends).isoformat(timespec="milliseconds"),
        "rules": {name: _of_rule(own) for name, own in rules.items()},
    }


def _of_rule(jobs: list[Job]) -> dict[str, float]:
    return {
        "jobs": len(jobs),
        "wall_s": round(sum(job.wall_s for job in jobs), 2),
        "cpu_s": round(sum(job.cpu_s or 0.0 for job in jobs), 2),
        "max_rss_mb": max(job.max_rss_mb or 0.0 for job in jobs),
    }


def _number(text: str) -> float | None:
    return None if text == "NA" else float(text)
