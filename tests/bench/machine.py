"""The machine: one core and one thread for everything, its description, and the peak memory of this process."""

import os
import platform
import resource
import sys
import tomllib
from importlib import metadata
from pathlib import Path

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)
LONGEST = 40  # characters; what is longer is the text of a licence, not its name


def hold_one_core() -> None:
    """Give every library one thread, and this process and its children one core where the system allows it."""
    os.environ |= dict.fromkeys(THREADS, "1")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def description() -> str:
    """Processor, its cores, memory, operating system, and how busy others keep it: that makes every reading slower."""
    cores = f"{os.cpu_count()} cores, one in use"
    busy = f"load average when the run began {os.getloadavg()[0]:.1f}"
    memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    return f"{processor(Path('/proc/cpuinfo'))}, {cores}, {memory}, {platform.system()} {platform.machine()}; {busy}"


def processor(cpuinfo: Path) -> str:
    """Name of the processor, with AVX-512 or AVX2 if it has them."""
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    lines = [line.partition(":")[::2] for line in cpuinfo.read_text().splitlines()]
    found = {name.strip(): value.strip() for name, value in reversed(lines)}
    name = found.get("model name", platform.machine())
    wide = next(
        (shown for flag, shown in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in found.get("flags", "")), ""
    )
    return f"{name} ({wide})" if wide else name


def versions(packages: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Name, version and licence of Python, of this project and of installed packages."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    ours = ("Variable Sky (ours)", project["version"], project["license"])
    return [ours, *((name, metadata.version(name), licence(name)) for name in packages)]


def licence(package: str) -> str:
    """Name of a package's licence, as its metadata give it."""
    about = metadata.metadata(package)
    named = about.get("License-Expression") or about.get("License") or ""
    classified = [c.split(" :: ")[-1] for c in about.get_all("Classifier") or [] if c.startswith("License")]
    return licence_name(named, classified)


def licence_name(named: str, classified: list[str]) -> str:
    """Short name of a licence from its expression, the whole text of it, or the classifiers of the package."""
    first = next((line.strip() for line in named.splitlines() if line.strip()), "")
    first, others, _ = first.partition(" AND ")
    if first and len(first) <= LONGEST and not first.startswith("Copyright"):
        return first + (" and others" if others else "")
    return classified[0] if classified else "not stated"


def peak_memory_mib() -> float:
    """Peak resident memory of this process, in MiB.

    Linux hands getrusage's figure on from the process that started this one, so its own file is read there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return float(lines["VmHWM"].split()[0]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
