"""Scientific assumptions and deviations from the papers, collected from the comments that declare them."""

import hashlib
import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MARKER = re.compile(r"#\s*(ASSUME|DEVIATES)\s+(.+)")


@dataclass(frozen=True)
class Assumption:
    """A declared assumption ("ASSUME") or deviation ("DEVIATES"): file, relative to the root, line and text."""

    kind: str
    file: str
    line: int
    text: str


def collect(root: Path) -> list[Assumption]:
    """Read all declarations in the package, the rules and the Snakefile below root, by file and line."""
    files = [*root.glob("workflow_scripts/**/*.py"), *root.glob("rules/*.smk"), root / "Snakefile"]
    return [
        Assumption(kind, path.relative_to(root).as_posix(), line, text)
        for path in sorted(files)
        for kind, line, text in declared(path.read_text(encoding="utf-8"))
    ]


def digest(root: Path) -> str:
    """Hash of all declarations without their lines: reports print them, and the fingerprint of code has no comments."""
    said = [[one.kind, one.file, one.text] for one in collect(root)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def declared(source: str) -> Iterator[tuple[str, int, str]]:
    """Yield kind, line and text of each declaration in a source text; comment lines below it continue it."""
    comments = {
        token.start[0]: (token.string, token.line[: token.start[1]].strip() == "")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for line, (comment, _) in comments.items():
        if found := _MARKER.match(comment):
            words = [found[2]]
            below = line + 1
            while below in comments and comments[below][1] and not _MARKER.match(comments[below][0]):
                words.append(comments[below][0].lstrip("# "))
                below += 1
            yield found[1], line, " ".join(words)
