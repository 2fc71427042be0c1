"""The edge between Snakemake (or a person's command line) and the stages; nothing else knows either.

A stage is a file with one function `main`, whose argument names are the names of its rule's inputs, outputs,
params and wildcards. `run` fills them from the job, or from --options when the file is started by hand with
`python -m workflow_scripts.stages.<name>`.
"""

import argparse
import ast
import contextlib
import dataclasses
import datetime
import inspect
import json
import logging
import platform
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workflow_scripts import fingerprint, tables

# What a result depends on and no stage asks for: `adopt` gives the first to every rule; stamp tells files of the user
# apart by size and time; assumed stands for the comments that a report prints; distinct is there when no object is in
# two samples; record is the file of an input, what does not change between identical runs (provenance.py), and goes
# into the notes of all that the job writes.
_ADDED = {"code", "plugin", "stamp", "assumed", "distinct", "record"}

# First line of every job's log, from which provenance.json has hosts and times.
BEGUN = "job on {host}, begun {time}"


def run(main: Callable[..., None]) -> None:
    """Call a stage's main with arguments by name; an unusable input ends the job with its message alone."""
    job = getattr(sys.modules["__main__"], "snakemake", None)
    values = _job_values(job) if job else _command_line_values(main)
    notes: dict[str, object] = {"code": str(values.get("code", ""))}
    notes |= {"rule": job.rule, "run": job.config["run"]} if job else {"stage": Path(main.__code__.co_filename).name}
    with _logging(Path(job.log[0]) if job and job.log else None):
        try:
            with tables.provenance(notes | _record(job)):
                main(**arguments(main, values))
        except tables.DataError as error:
            logging.getLogger(__name__).error("%s%s", error, _set_aside(job, error))
            sys.exit(1)


def _record(job: Any) -> dict[str, object]:
    """Record of the run, where the job's rule has it among its inputs."""
    path = job.input.get("record") if job else None
    if not path:
        return {}
    with tables.undamaged(Path(path), "the record of a run"):
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))


def _set_aside(job: Any, error: tables.DataError) -> str:
    """Rename a damaged input if it is one of the run's own files, and say so; Snakemake then makes it anew."""
    if not (job and isinstance(error, tables.DamagedError)):
        return ""
    aside = error.path.with_name(f"{error.path.name}.damaged")
    own = error.path in map(Path, job.input) and error.path.is_relative_to(f"results/{job.config['run']}")
    if not own:
        return ""
    try:
        error.path.replace(aside)
    except FileNotFoundError:
        pass  # another job that reads the same file was faster
    except OSError as refused:
        return f" (it cannot be set aside: {refused.strerror})"
    return f". It is now {aside}, for you to look at or to delete; the next run makes {error.path.name} anew"


def arguments(main: Callable[..., None], values: Mapping[str, object]) -> dict[str, Any]:
    """Convert the values of main's parameters to their annotated types."""
    hints = typing.get_type_hints(main)
    names = inspect.signature(main).parameters
    return {name: _convert(values[name], hints[name]) for name in names}


def adopt(workflow: Any) -> None:
    """Check every script rule of a workflow against its stage and let its results follow the stage's code.

    Adds the fingerprint as a parameter. Snakemake's own trigger, which reruns a rule when its script file is
    merely newer, is taken out: the fingerprint covers the same code and more. What each job took (time, memory) is
    written beside its log.
    """
    for rule in workflow.rules:
        if rule.script:
            check(rule)
            rule.set_params(code=fingerprint.code(f"stages.{Path(rule.script).stem}"))
            rule.set_input(_without_script_times(workflow))
            rule.benchmark_modifier = rule.log_modifier
            rule.benchmark = str(Path(rule.log[0]).with_suffix(".tsv"))


def _without_script_times(workflow: Any) -> Callable[[Any], list[str]]:
    """Input function that adds no input: Snakemake's triggers are not settled before it asks rules for inputs."""

    def no_input(wildcards: Any) -> list[str]:  # noqa: ARG001  Snakemake demands the name
        settings = workflow.dag_settings
        settings.rerun_triggers = frozenset(t for t in settings.rerun_triggers if t.name != "CODE")
        return []

    return no_input


def check(rule: Any) -> None:
    """Compare the names of a rule with the arguments of its stage's main, without importing it.

    Raises ValueError that names what is unknown to the stage and what the rule does not give.
    """
    script = fingerprint.PACKAGE / "stages" / Path(rule.script).name
    wanted = _main_arguments(script)
    given = {"threads"} | set(rule.wildcard_names)
    for items in (rule.input, rule.output, rule.params):
        given |= set(items.keys())
    required = given - {"threads"} - set(rule.wildcard_names) - _ADDED
    unknown, missing = sorted(required - wanted), sorted(wanted - given)
    if unknown or missing:
        raise ValueError(
            f"rule {rule.name}: {script.name} main({', '.join(sorted(wanted))}) does not know {unknown} "
            f"and is not given {missing}; make the names of the rule and of main agree"
        )


def _main_arguments(script: Path) -> set[str]:
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == "main":
            return {a.arg for a in (*node.args.args, *node.args.kwonlyargs)}
    raise ValueError(f"{script} has no function main; a stage needs one")


def _job_values(job: Any) -> dict[str, object]:
    values: dict[str, object] = {"threads": job.threads}
    for items in (job.input, job.output, job.params, job.wildcards):
        values |= dict(items.items())
    return values


def _command_line_values(main: Callable[..., None]) -> dict[str, object]:
    parser = argparse.ArgumentParser(description=inspect.getdoc(main))
    hints = typing.get_type_hints(main)
    for name, parameter in inspect.signature(main).parameters.items():
        required = parameter.default is parameter.empty
        several = typing.get_origin(hints[name]) in (list, tuple)
        default = None if required else parameter.default
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, dest=name, required=required, nargs="*" if several else None, default=default)
    values = vars(parser.parse_args())
    try:
        arguments(main, values)
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    return values


def _convert(value: Any, hint: Any) -> Any:
    """Value of a job or a command line as the annotated type; records and maps may come as JSON."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None or value == "":
            return None
        return _convert(value, next(t for t in inner if t is not type(None)))
    if origin is typing.Literal:
        return _one_of(value, inner)
    if origin in (list, tuple):
        items = [value] if isinstance(value, str | Path) else value
        return origin(_convert(item, inner[0]) for item in items)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        given = json.loads(value) if isinstance(value, str) else value
        hints = typing.get_type_hints(hint)
        if unknown := sorted(set(given) - set(hints)):
            raise ValueError(f"{hint.__name__} has no fields {unknown}; it has {sorted(hints)}")
        return hint(**{key: _convert(item, hints[key]) for key, item in given.items()})
    if origin is dict:
        given = json.loads(value) if isinstance(value, str) else value
        return {key: _convert(item, inner[1]) for key, item in given.items()}
    if hint is bool and isinstance(value, str):
        return _one_of(value.lower(), ("true", "false")) == "true"
    return value if hint is Any else hint(value)


def _one_of(value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        raise ValueError(f"{value!r} is not one of {choices}")
    return value


@contextlib.contextmanager
def _logging(path: Path | None) -> Iterator[None]:
    """Log to stderr, and to the rule's log file where there is one, a crash's traceback included."""
    logging.raiseExceptions = False  # a log that a full disk does not take is no reason for a traceback per line
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", force=True)
    try:
        if path:
            _log_to(path)
        yield
    except Exception:  # whatever it is, it goes into the log and on
        logging.getLogger(__name__).exception("the stage failed")
        raise


def _log_to(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        path.write_text(BEGUN.format(host=platform.node(), time=now) + "\n", encoding="utf-8")
        file = logging.FileHandler(path)
    except OSError as error:
        logging.getLogger(__name__).warning("the log is on the screen only: %s: %s", path, error.strerror)
    else:
        file.setFormatter(logging.root.handlers[0].formatter)
        logging.root.addHandler(file)
