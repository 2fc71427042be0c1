"""The rules of the house that no tool checks."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from workspace import ROOT

PACKAGE = ROOT / "workflow_scripts"
MODULES = sorted(PACKAGE.rglob("*.py"))
STAGES = sorted(path for path in (PACKAGE / "stages").glob("*.py") if path.name != "__init__.py")
BY_HAND = {"classify_object", "verify_run"}  # started by make classify and make verify; no rule runs them
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAVY = {
    "dustmaps",
    "h5py",
    "hats",
    "healpy",
    "lsdb",
    "astropy.io.votable",
    "astropy.table",
    "cdshealpix",
    "imblearn",
    "lightgbm",
    "matplotlib",
    "onnxruntime",
    "pyvo",
    "requests",
    "skl2onnx",
    "sklearn",
    "tensorflow",
    "xgboost",
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_lines(path: Path) -> int:
    return sum(1 for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#"))


def house_files() -> list[Path]:
    """Files of the repository, new ones included, ignored ones not."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# Size


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_is_of_readable_size(path):
    assert code_lines(path) <= 250
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{node.name} has more than 60 lines"


def test_there_is_at_least_as_much_test_as_code():
    tests, code = (sum(map(code_lines, folder.rglob("*.py"))) for folder in (ROOT / "tests", PACKAGE))
    assert tests >= code


# Shape


@pytest.mark.parametrize("path", STAGES, ids=relative)
def test_stage_can_be_run_by_snakemake_and_by_hand(path):
    text = path.read_text()
    assert "from __future__" not in text, "Snakemake puts lines before a script: a SyntaxError"
    assert text.rstrip().endswith('if __name__ == "__main__":\n    edge.run(main)')


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_are_seen_by_the_fingerprint(path):
    relative_imports = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom) and n.level]
    assert not relative_imports, "write `from workflow_scripts import ...`"
    assert (path.parent / "__init__.py").exists()


def test_only_the_edge_knows_snakemake_and_the_command_line():
    for path in MODULES:
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        }
        assert path.name == "edge.py" or not imported & {"snakemake", "argparse"}, relative(path)


IMPORT_ALL = """
import importlib, pkgutil, sys
import workflow_scripts
for module in pkgutil.walk_packages(workflow_scripts.__path__, "workflow_scripts."):
    importlib.import_module(module.name)
print(*sys.modules)
"""


def test_every_module_is_imported_without_files_or_heavy_packages(tmp_path):
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{IMPORT_ALL}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    loaded = set(done.stdout.split())
    assert "workflow_scripts.stages.clean" in loaded
    assert not loaded & HEAVY, "import these inside the function that uses them"


def rules() -> dict[str, str]:
    """Name of every rule with its script, from the rule files."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            script = re.search(r"script:\s*\"([^\"]+)\"", block)
            found[block.split(":")[0]] = script[1] if script else ""
    return found


def test_every_rule_has_the_stage_of_its_name_and_every_stage_its_rule():
    assert rules() == {name: f"../workflow_scripts/stages/{name}.py" for name in rules()}
    assert {path.stem for path in STAGES} == set(rules()) | BY_HAND


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.smk")), ids=relative)
def test_every_rule_says_what_it_does_and_logs(path):
    for block in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
        for part in ("message", "log"):
            assert re.search(rf"^    {part}:\n        \S", block, flags=re.MULTILINE), block.split(":")[0]


# The environment


def locked() -> dict[str, set[str]]:
    """Versions of every package in the lock."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", LOCK, flags=re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_lock_has_hashes_for_everything_and_addresses_for_nothing():
    assert "://" not in LOCK
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) > 100
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_lock_covers_the_project():
    extras = PROJECT["optional-dependencies"]
    assert "variable-sky[dust,hats]" in extras["dev"]
    wanted = [*PROJECT["dependencies"], *extras["dust"], *extras["hats"], *extras["dev"]]
    wanted.remove("variable-sky[dust,hats]")
    names = {re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    assert names <= set(locked())


def test_packages_that_are_imported_are_dependencies_of_the_project():
    aliases = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn", "yaml": "pyyaml"}
    extras = PROJECT["optional-dependencies"]
    listed = [*PROJECT["dependencies"], *extras["dust"], *extras["hats"]]
    wanted = {re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower() for requirement in listed}
    imported = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    on_gpu_nodes = {"cupy", "cufinufft"}  # envs/gpu.post-deploy.sh
    foreign = imported - set(sys.stdlib_module_names) - {"workflow_scripts"} - on_gpu_nodes
    assert {aliases.get(name, name) for name in foreign} <= wanted


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=relative)
def test_conda_environment_installs_the_lock(path):
    environment = yaml.safe_load(path.read_text())
    python, pip, packages = environment["dependencies"]
    assert (python, pip, packages) == ("python=3.11", "pip", {"pip": ["-r ../requirements.lock"]})
    assert python.split("=")[1] == PROJECT["requires-python"].removeprefix(">=")


def test_wheels_with_cuda_have_the_locked_versions():
    pinned = dict(re.findall(r'"([a-z]+)(?:\[and-cuda\])?==([\d.]+)"', (ROOT / "envs/gpu.post-deploy.sh").read_text()))
    assert set(pinned) == {"tensorflow", "xgboost", "cufinufft"}
    assert pinned.pop("cufinufft") in locked()["finufft"]  # one release of both; the tests run the other
    for name, version in pinned.items():
        assert version in locked()[name]
        assert version in locked()[f"{name}-cpu"]


CONTAINER = (ROOT / "envs/Containerfile").read_text()


def test_container_installs_the_lock_on_the_python_of_the_project():
    least = PROJECT["requires-python"].removeprefix(">=")
    assert re.findall(r"^FROM (\S+)$", CONTAINER, re.MULTILINE) == [f"python:{least}-bookworm"]
    assert re.findall(r"pip install .*", CONTAINER) == [
        "pip install --no-cache-dir --require-hashes -r requirements.lock"
    ]


def test_what_the_container_copies_is_a_workflow(tmp_path):
    """No engine builds images here: the files it would copy are copied, and its command plans the demo with them."""
    inside, data = tmp_path / "inside", tmp_path / "data"
    data.mkdir()
    for sources, target in re.findall(r"^COPY (.+) (\S+)$", CONTAINER, re.MULTILINE):
        for name in sources.split():
            place = inside / target / ("" if target != "./" else name)
            place.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, place)
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", CONTAINER, re.MULTILINE)
    command = [part.replace("/opt/variable-sky", str(inside)) for part in json.loads(entry)]
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:], "--cores", "1", "-n"], cwd=data, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "train_final" in done.stdout + done.stderr


# The repository


def test_no_file_names_a_package_index_or_a_place_on_one_machine():
    forbidden = re.compile(
        "|".join(["py" + r"pi\.", "python" + "hosted", "file:" + "//", "/" + "root/", "/" + "home/", "/" + "work/"])
    )
    for path in house_files():
        if path.suffix not in {".png", ".parquet", ".fits"}:
            found = forbidden.search(path.read_text(encoding="utf-8"))
            assert not found, f"{relative(path)} contains {found[0]!r}"


def test_no_file_is_large():
    assert [relative(path) for path in house_files() if path.stat().st_size > 500_000] == []


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"] == (ROOT / "LICENSE").read_text().split()[0]
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text()


def test_help_names_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[1].split()
    said = re.search(r"^help:\n((?:\t.*\n)+)", makefile, flags=re.MULTILINE)[1]
    assert {name for name in targets if f"make {name}" not in said} == {"help", "environment"}
    assert set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE)) == set(targets)


def test_continuous_integration_runs_what_a_person_is_told_to_run():
    script = (ROOT / ".ci/run").read_text()
    order = [
        script.index(f"make {target}") for target in ("check", "test", "demo", "test-slurm", "test-real", "test-vo")
    ]
    assert order == sorted(order)
