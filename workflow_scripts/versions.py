"""Versions of Python and of the packages that pyproject.toml names, as they are installed."""

import importlib.metadata
import platform
import re
import tomllib
from pathlib import Path


def installed(pyproject: Path) -> dict[str, str | None]:
    """Version of Python and of each package that the project names; None where it is not installed.

    Some packages are for other machines only, and those of the extras dust and hats are optional.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dust"], *extras["hats"]]
    names = sorted({re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0] for requirement in wanted})
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
