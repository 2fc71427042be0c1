"""A workflow in a folder of a test: the repository, a miniature of it, and the command snakemake."""

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"
HOUSE = ("__init__", "edge", "fingerprint", "parquet", "settings", "tables")  # modules that know nothing of the science


def run_snakemake(folder: Path, *options: object, cores: int = 1, timeout: float = 300) -> subprocess.CompletedProcess:
    """Run the command snakemake as a user would, in a folder of its own."""
    command = [Path(sys.executable).with_name("snakemake"), "--cores", str(cores), "--nocolor", *map(str, options)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTHONPATH"))}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False, env=environment
    )


def planned(done: subprocess.CompletedProcess) -> set[str]:
    """Names of the rules that a dry run would execute."""
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    if "Nothing to be done" in text:
        return set()
    table = re.search(r"^Job stats:\n.*\n[- ]+\n((?:\w+ +\d+\n)+)", text, flags=re.MULTILINE)
    assert table, text
    return {line.split()[0] for line in table[1].splitlines()} - {"total"}


@dataclass(frozen=True)
class Project:
    """A workflow in a folder."""

    folder: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project, indented text allowed."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text that must be there."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def snakemake(self, *options: object, **settings: float) -> subprocess.CompletedProcess:
        """Run snakemake in the project's folder."""
        return run_snakemake(self.folder, *options, **settings)

    def planned(self) -> set[str]:
        """Rules that a dry run would execute."""
        return planned(self.snakemake("-n"))


DOUBLING = '''
    """Doubling."""


    def double(x: int) -> int:
        """Twice x."""
        # a comment
        return 2 * x
'''

DOUBLE = '''
    """Stage double."""

    from pathlib import Path
    from typing import Literal

    from workflow_scripts import doubling, edge, tables


    def main(raw: Path, doubled: Path, factor: float, mode: Literal["plain", "loud"], limits: dict[str, int]) -> None:
        """Double the number in a file."""
        number = raw.read_text().strip()
        if not number.isdigit():
            raise tables.DataError(f"{raw} holds {number!r}, expected a whole number; mend the file")
        assert int(number) < limits["most"], "above the limit"
        doubled.write_text(f"{doubling.double(int(number)) * factor:g}{'!' if mode == 'loud' else ''}")


    if __name__ == "__main__":
        edge.run(main)
'''

REPORT = '''
    """Stage report."""

    from pathlib import Path

    import pyarrow as pa

    from workflow_scripts import edge, tables

    NUMBERS = tables.Table("numbers", (tables.Column("number", pa.string(), "", "a number"),))


    def main(numbers: list[Path], nothing: list[Path], report: Path, name: str, threads: int) -> None:
        """Write the numbers as a table."""
        assert nothing == []
        assert threads == 1
        rows = [f"{name} {path.read_text()}" for path in numbers]
        tables.write({"number": pa.array(rows)}, report, NUMBERS)


    if __name__ == "__main__":
        edge.run(main)
'''

SNAKEFILE = """
    import sys

    sys.path.insert(0, str(workflow.basedir))

    from workflow_scripts import edge

    config.setdefault("run", "mini")


    rule double:
        input:
            raw="raw.txt",
        output:
            doubled="doubled.txt",
        log:
            "logs/double.log",
        params:
            factor=1,
            mode="plain",
            limits={"most": 100},
        script:
            "workflow_scripts/stages/double.py"


    rule report:
        input:
            numbers=[rules.double.output.doubled],
            nothing=[],
        output:
            report="{name}.parquet",
        log:
            "logs/report-{name}.log",
        script:
            "workflow_scripts/stages/report.py"


    edge.adopt(workflow)


    rule all:
        default_target: True
        input:
            "total.parquet",
"""
