"""The surveys that there are: the files of surveys/plugins, found and never listed."""

import functools
import importlib
import pkgutil

from workflow_scripts.surveys import plugins
from workflow_scripts.surveys.survey import Survey
from workflow_scripts.tables import DataError


def names() -> list[str]:
    """Names of all surveys, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(plugins.__path__))


@functools.cache
def load(name: str) -> Survey:
    """Survey of a name; raises DataError for a name that no file has, and for a file without a SURVEY."""
    if name not in names():
        raise DataError(f"survey '{name}' is not known; the surveys are {', '.join(names())}")
    survey = getattr(importlib.import_module(f"{plugins.__name__}.{name}"), "SURVEY", None)
    if not isinstance(survey, Survey):
        raise DataError(f"surveys/plugins/{name}.py: expected SURVEY, a survey.Survey, found {survey!r}")
    return survey


def offers() -> dict[str, list[str]]:
    """Names of surveys by what they offer: a catalogue, an archive that gives light curves, native files to read."""
    surveys = {name: load(name) for name in names()}
    curves = {name: survey.light_curves for name, survey in surveys.items() if survey.light_curves}
    return {
        "catalogue": [name for name, survey in surveys.items() if survey.catalogue],
        "archive": [name for name, found in curves.items() if found.source],
        "native": list(curves),
    }
