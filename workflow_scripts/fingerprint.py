"""Fingerprint of a stage's code, so that results follow the code and not the clock.

Snakemake sees a changed script but not a changed module behind it. The fingerprint covers a stage and all
that it imports from this package, as syntax trees without docstrings: an edited formula changes it, an edited
comment, docstring or layout does not.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parent
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code(*modules: str) -> str:
    """Hash of modules or packages of ours (such as "stages.clean") and of everything they import from ours."""
    digest = hashlib.sha256()
    reached = _reached(set().union(*map(_files, modules)))
    for path in sorted(reached):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + _read(path)[1].encode())
    # Templates count with all their text: every letter of one is seen in the result.
    for template in sorted({template for path in reached for template in path.parent.glob("*.j2")}):
        digest.update(template.read_bytes())
    return digest.hexdigest()[:16]


def imports(path: Path) -> frozenset[Path]:
    """Files of ours that this file imports; a package's __init__ that imports by name (importlib) means all of it."""
    return _read(path)[0]


def _reached(starts: set[Path]) -> set[Path]:
    reached: set[Path] = set()
    todo = list(starts)
    while todo:
        path = todo.pop()
        if path not in reached:
            reached.add(path)
            # Python runs a package's __init__ when any of its modules is imported.
            todo.extend({path.with_name("__init__.py"), *imports(path)})
    return reached


def _files(module: str) -> set[Path]:
    """Return the file of a module, or all files of a package; nothing if the name is not a module."""
    folder = PACKAGE.joinpath(*module.split("."))
    return set(folder.glob("*.py")) if folder.is_dir() else _module(module)


def _module(name: str) -> set[Path]:
    """Return the file that Python runs for a module or package; nothing if the name is neither."""
    place = PACKAGE.joinpath(*name.split("."))
    files = (place / "__init__.py", place.with_suffix(".py")) if name else ()
    return {path for path in files if path.exists()}


@functools.cache
def _read(path: Path) -> tuple[frozenset[Path], str]:
    """Give what a file imports, and its syntax tree without docstrings as text; each file is parsed once."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= _imported(node, path)
        elif isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return frozenset(found), ast.dump(tree)


def _imported(node: ast.ImportFrom | ast.Import, path: Path) -> set[Path]:
    found: set[Path] = set()
    if isinstance(node, ast.ImportFrom):
        if (node.module or "").startswith(PACKAGE.name):
            parent = (node.module or "").removeprefix(PACKAGE.name).lstrip(".")
            for alias in node.names:
                found |= _module(f"{parent}.{alias.name}".strip(".")) or _module(parent)
        return found
    for alias in node.names:
        if alias.name.startswith(PACKAGE.name + "."):
            found |= _module(alias.name.removeprefix(PACKAGE.name + "."))
        elif alias.name == "importlib" and path.name == "__init__.py":
            found |= set(path.parent.glob("*.py"))
    return found
