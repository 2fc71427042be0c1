"""Workflows of shell commands that meet on purpose what jobs of a cluster meet by accident."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slurm_cluster import Cluster
from slurm_runs import Started, site_profile, start

SHARDS = {"groups": {"shard": "shard", "lonely": "lonely"}, "group-components": {"shard": 4, "lonely": 4}}
# A rule knows by a file, or by its time, what it has tried; a sleep that nobody ends would outlast the test.
# One cancels its own job: SLURM records it as it does when a person says scancel.
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
            "if [ ! -e tried_cancelled ]; then touch tried_cancelled; scancel $SLURM_JOB_ID; sleep 600; fi; "
            "echo again > {output}"


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


ONE_JOB = """
    rule one:
        output:
            "one.txt",
        shell:
            "echo one > {output}"
"""


@dataclass(frozen=True)
class TinyRuns:
    """A run that ends well after all, and one that cannot."""

    survivors: Started
    failures: Started


def start_both(cluster: Cluster, folder: Path) -> TinyRuns:
    """Start both, in folders below this one."""
    return TinyRuns(start_survivors(cluster, folder / "survivors"), start_failures(cluster, folder / "failures"))


def start_survivors(cluster: Cluster, folder: Path) -> Started:
    """Start a run that ends well after a timeout, a cancelled job and a shard that fails once."""
    # A minute is the least that SLURM knows.
    resources = {"slow": {"runtime": "1 if attempt == 1 else 10", "mem_mb": "attempt * 300"}}
    if cluster.account:
        resources["lonely"] = {"slurm_account": cluster.account}
    return start_tiny(cluster, folder, SURVIVORS, resources, **SHARDS)


def start_failures(cluster: Cluster, folder: Path) -> Started:
    """Start a run of which one job fails for good and one can never be."""
    return start_tiny(cluster, folder, FAILURES, {}, **{"retries": 1, "keep-going": True})


def start_tiny(
    cluster: Cluster, folder: Path, snakefile: str, resources: Mapping[str, Mapping[str, object]], **settings: object
) -> Started:
    """Start a workflow in a new folder, with the profile's resources and settings but for these."""
    folder.mkdir()
    (folder / "Snakefile").write_text(textwrap.dedent(snakefile))
    settings |= {"slurm-status-command": cluster.status_command}
    return start(cluster, folder, "--workflow-profile", site_profile(folder / "profile", resources, **settings))
