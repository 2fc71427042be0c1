"""Workflows of shell commands that meet on purpose what jobs of a cluster meet by accident."""

import textwrap
from pathlib import Path

from slurm_cluster import Cluster
from slurm_runs import Started, site_profile, start

SHARDS = {"groups": {"shard": "shard", "lonely": "lonely"}, "group-components": {"shard": 4, "lonely": 4}}
# A rule knows by a file, or by its time, what it has tried; a sleep that nobody ends would outlast the test.
SURVIVORS = """
    localrules:
        here,


    rule all:
        input:
            "slow.txt",
            "cancelled.txt",
            "lonely/0.txt",
            "here.txt",
            expand("shards/{i}.txt", i=range(4)),


    rule shard:
        output:
            "shards/{i}.txt",
        shell:
            "if [ {wildcards.i} = 1 ] && [ ! -e tried_{wildcards.i} ]; then touch tried_{wildcards.i}; exit 1; fi; "
            "echo shard {wildcards.i} > {output}"


    rule lonely:
        output:
            "lonely/{i}.txt",
        shell:
            "echo alone > {output}"


    rule slow:
        output:
            "slow.txt",
        shell:
            "if [ {resources.runtime} = 1 ]; then sleep 600; fi; echo slow > {output}"


    rule cancelled:
        output:
            "cancelled.txt",
        shell:
            "if [ ! -e tried_cancelled ]; then touch tried_cancelled; sleep 600; fi; echo again > {output}"


    rule here:
        output:
            "here.txt",
        shell:
            "echo here > {output}"
"""

FAILURES = """
    rule all:
        input:
            "fails.txt",
            "fits_no_node.txt",
            "good.txt",


    rule fails:
        output:
            "fails.txt",
        log:
            "logs/fails.log",
        shell:
            "echo the reason > {log}; exit 1"


    rule fits_no_node:
        output:
            "fits_no_node.txt",
        resources:
            mem_mb=10_000_000,
        shell:
            "echo never > {output}"


    rule good:
        output:
            "good.txt",
        shell:
            "echo good > {output}"
"""


def start_survivors(cluster: Cluster, folder: Path) -> Started:
    """Start a run that ends well after a timeout, a cancelled job and a shard that fails once."""
    # A minute is the least that SLURM knows.
    growing = {"slow": {"runtime": "1 if attempt == 1 else 10", "mem_mb": "attempt * 300"}}
    profile = site_profile(folder / "profile", growing, **SHARDS)
    return _start(cluster, folder, SURVIVORS, profile)


def start_failures(cluster: Cluster, folder: Path) -> Started:
    """Start a run of which one job fails for good and one can never be."""
    return _start(cluster, folder, FAILURES, site_profile(folder / "profile", {}, retries=1), "--keep-going")


def _start(cluster: Cluster, folder: Path, snakefile: str, profile: Path, *more: object) -> Started:
    (folder / "Snakefile").write_text(textwrap.dedent(snakefile))
    return start(cluster, folder, "--workflow-profile", profile, *more)
