"""A page of text, tables and figures, and its rendering as one HTML file that needs nothing beside itself."""

import base64
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

TEMPLATE = Path(__file__).with_name("report.html.j2")
MISSING = "..."  # as in Qiao 2024, Table 4


@dataclass(frozen=True)
class Table:
    """A table as the reader sees it, all text; the first `left` columns are words, the others figures.

    groups, where given, is a row above the header: (text, columns spanned) from left to right.
    """

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    groups: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a ragged table."""
        widths = {len(row) for row in self.rows} | {len(self.header)}
        if self.groups:
            widths.add(sum(span for _, span in self.groups))
        if len(widths) > 1:
            raise ValueError(f"table {self.name}: rows, header and groups have {sorted(widths)} columns")

    def csv(self) -> str:
        """Text of the table as CSV; the groups go into the column names."""
        above = [text for text, span in self.groups for _ in range(span)] or [""] * len(self.header)
        names = [f"{group} {name}".strip() for group, name in zip(above, self.header, strict=True)]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([names, *self.rows])
        return text.getvalue()


@dataclass(frozen=True)
class Picture:
    """A figure as PNG; alt says in words what it shows."""

    kind: ClassVar[str] = "picture"
    name: str
    caption: str
    png: bytes
    alt: str

    @property
    def data_uri(self) -> str:
        """The figure inside a URI, so that the page needs no second file."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


@dataclass(frozen=True)
class Note:
    """A paragraph; a warning stands out."""

    kind: ClassVar[str] = "note"
    text: str
    warning: bool = False


@dataclass(frozen=True)
class Code:
    """Text shown as it is, such as the configuration."""

    kind: ClassVar[str] = "code"
    text: str


Item = Table | Picture | Note | Code


@dataclass(frozen=True)
class Section:
    """A numbered section: title and items in reading order."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Page:
    """The whole report; banner is empty unless the reader must be told first of all."""

    title: str
    banner: str
    summary: tuple[Item, ...]
    sections: tuple[Section, ...]

    def tables(self) -> Iterator[Table]:
        """Give the tables in reading order."""
        return (item for item in self._items() if isinstance(item, Table))

    def pictures(self) -> Iterator[Picture]:
        """Give the figures in reading order."""
        return (item for item in self._items() if isinstance(item, Picture))

    def _items(self) -> Sequence[Item]:
        return [*self.summary, *(item for section in self.sections for item in section.items)]


def render(page: Page) -> str:
    """HTML of a page; every text is escaped, every figure is inside."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(page=page) + "\n"


def count(value: int | None) -> str:
    """Give a whole number with thousands separated."""
    return MISSING if value is None else f"{value:,}"


def share(part: float | None, whole: float = 1.0) -> str:
    """Give a share as per cent; nothing can be said of a share of nothing."""
    return MISSING if part is None or whole == 0 else f"{100 * part / whole:.1f} %"


def figure(value: float | None) -> str:
    """Give a number with three digits."""
    return MISSING if value is None else f"{value:.3g}"
