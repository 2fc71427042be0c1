"""The run as an RO-Crate: Snakefile, settings, inputs, final tables and the action that made them.

Workflow Run RO-Crate 0.5 (Leo et al. 2024, PLoS ONE 19, e0309210) in RO-Crate 1.1, written by the library rocrate.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow_scripts.tables import whole

if TYPE_CHECKING:
    from rocrate.model.contextentity import ContextEntity
    from rocrate.model.file import File
    from rocrate.rocrate import ROCrate

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"  # has sha256
_LICENSE = "The workflow is under the MIT License; the tables follow the terms of the inputs that they are made from."
_FORMATS = {
    ".fits": "application/fits",
    ".html": "text/html",
    ".json": "application/json",
    ".model": "text/plain",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".vot": "application/x-votable+xml",
    ".yaml": "application/yaml",
}


def write(ro_crate: Path, said: Mapping[str, Any], workflow: str, configuration: str) -> None:
    """Write ro-crate-metadata.json, which lies in the run's folder, from what provenance.json says.

    workflow and configuration are the names of both files in the folder. Asks no network: nothing has an address.
    """
    from rocrate.rocrate import ROCrate

    crate, folder = ROCrate(version="1.1"), ro_crate.parent
    crate.metadata.extra_contexts.append(_TERMS)
    crate.name = f"Variable Sky, run {said['run']}"
    crate.description = "Catalogues of a run of the workflow Variable Sky, and what they were made from."
    crate.license = _LICENSE
    snakemake = said["versions"]["snakemake"]
    main = crate.add_workflow(folder / workflow, workflow, main=True, lang="snakemake", lang_version=snakemake)
    main["name"] = "Variable Sky"
    crate.root_dataset["conformsTo"] = [_profile(crate, address, name) for address, name in _PROFILES.items()]
    settings = _file(crate, folder, configuration, None)
    inputs = [_input(crate, number, row) for number, row in enumerate(said["inputs"])]
    tables = [_file(crate, folder, name, sha256) for name, sha256 in said["tables"].items()]
    action = crate.add_action(main, "#run", [settings, *inputs], tables, {"name": crate.name} | _times(said["jobs"]))
    crate.root_dataset["mentions"] = [action]
    with whole(ro_crate) as part, part.open("wb") as file:
        file.writelines(piece for _, piece in crate.metadata.stream())


def _times(jobs: Mapping[str, Any]) -> dict[str, Any]:
    return {"@type": "CreateAction", "startTime": jobs["begun"], "endTime": jobs["ended"]}


def _profile(crate: "ROCrate", address: str, name: str) -> "ContextEntity":
    from rocrate.model.contextentity import ContextEntity

    version = address.rpartition("/")[2]
    about = {"@type": "CreativeWork", "name": name, "version": version}
    return crate.add(ContextEntity(crate, address, properties=about))


def _file(crate: "ROCrate", folder: Path, name: str, sha256: str | None) -> "File":
    path = folder / name
    about = {"name": name, "contentSize": str(path.stat().st_size), "encodingFormat": _FORMATS[path.suffix]}
    return crate.add_file(path, name, properties=about | ({"sha256": sha256} if sha256 else {}))


def _input(crate: "ROCrate", number: int, row: Mapping[str, Any]) -> "ContextEntity":
    """Input outside the crate: a crate's own files lie in its folder, and an input may be anywhere."""
    from rocrate.model.contextentity import ContextEntity

    about: dict[str, Any] = {"@type": "CreativeWork", "name": row["name"]}
    about["description"] = " of ".join(text for text in (row["what"], row["whose"]) if text)
    if row["sha256"]:
        about |= {"contentSize": str(row["bytes"]), "sha256": row["sha256"]}
    return crate.add(ContextEntity(crate, f"#input-{number}", properties=about))
