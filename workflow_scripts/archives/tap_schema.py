"""Why did a TAP service refuse a query? Its own list of tables and columns, TAP_SCHEMA, often knows."""

import difflib
import logging
import re

import numpy as np

from workflow_scripts.archives import query as queries
from workflow_scripts.archives.hosts import Manners
from workflow_scripts.archives.query import Query
from workflow_scripts.tables import DataError

_LOG = logging.getLogger(__name__)
_PART = r'(?:"[^"]+"|\w+)'
_TABLE = re.compile(rf"(?:\bFROM|\bJOIN)\s+({_PART}(?:\.{_PART})*)", re.IGNORECASE)
_COLUMN = re.compile(rf"(?:{_PART}\.)*({_PART})")
_LIMIT = 5000


def explain(query: Query, manners: Manners, rng: np.random.Generator) -> str:
    """Tables and columns of the query that the service does not have, with similar ones that it has; "" if none.

    Best effort: a service whose TAP_SCHEMA does not answer explains nothing.
    """
    try:
        names = [_bare(name) for name in _TABLE.findall(f"FROM {query.source}")]
        for table in [name for name in names if not name.upper().startswith("TAP_UPLOAD.")]:
            similar = _names(query, "tables", f"table_name LIKE '%{_family(table)}%'", manners, rng)
            if table.casefold() not in {name.casefold() for name in similar}:
                closest = difflib.get_close_matches(table, similar, n=5, cutoff=0.0)
                return f"; the service has no table '{table}', similar ones are {closest}"
        return _missing_columns(query, names, manners, rng)
    except DataError as error:
        _LOG.info("TAP_SCHEMA of %s explains nothing: %s", query.url, error)
        return ""


def _missing_columns(query: Query, tables: list[str], manners: Manners, rng: np.random.Generator) -> str:
    wanted = [_bare(match[1]) for text in query.columns.values() if (match := _COLUMN.fullmatch(text.strip()))]
    places = " OR ".join(f"table_name IN ('{name}', '\"{name}\"')" for name in tables)
    found = _names(query, "columns", places, manners, rng)
    known = {name.casefold() for name in found}
    missing = [name for name in wanted if name.casefold() not in known]
    if not missing or not found:
        return ""
    closest = {name: difflib.get_close_matches(name, found, n=3, cutoff=0.0) for name in missing}
    return f"; {tables} have no columns {missing}, similar ones are {closest}"


def _names(query: Query, kind: str, where: str, manners: Manners, rng: np.random.Generator) -> list[str]:
    column = f"{kind.removesuffix('s')}_name"
    adql = f"SELECT {column} FROM TAP_SCHEMA.{kind} WHERE {where}"
    rows = queries.sync(query, adql, _LIMIT, manners, rng).rows
    return [_bare(name) for name in rows.columns[0].to_pylist() if name] if rows.num_columns else []


def _family(table: str) -> str:
    """Give what similar tables share: all up to the last slash or dot, or the first letters."""
    head = re.match(r"(.+)[/.]", table)
    return (head[0] if head else table[:4]).replace("'", "''")


def _bare(name: str) -> str:
    return name.replace('"', "")
