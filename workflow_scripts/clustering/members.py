"""The member table that a user publishes: astrometry, photometry, probability, and which methods agree."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workflow_scripts.clustering.membership import MEMBER, Membership
from workflow_scripts.clustering.stars import STARS
from workflow_scripts.tables import Column, DataError, Table

MEMBERS = Table(
    "members",
    (
        Column("cluster", pa.string(), "", "cluster"),
        *STARS.columns,
        Column("probability", pa.float64(), "", "probability of membership", ucd="stat.probability"),
        Column("is_member", pa.bool_(), "", "true if the probability is above 0.5"),
        Column("methods", pa.list_(pa.string()), "", "methods that put the star into the cluster"),
    ),
)
LEAST_PROBABILITY = 0.01


def members(
    cluster: str,
    stars: pa.Table,
    found: Membership,
    methods: Mapping[str, NDArray[np.bool_]],
    least_probability: float = LEAST_PROBABILITY,
) -> pa.Table:
    """Give MEMBERS: stars that may be members or that a method selects, the likeliest first, ties by source_id.

    methods maps a method's name to its selection, flags (n,). Raises DataError for flags of another length.
    """
    if wrong := {name: len(flags) for name, flags in methods.items() if len(flags) != stars.num_rows}:
        raise DataError(f"{cluster}: selections of {wrong} stars, expected {stars.num_rows} as in the region")
    p = found.probability
    chosen = p >= least_probability
    for flags in methods.values():
        chosen = chosen | flags
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((stars["source_id"].to_numpy(zero_copy_only=False)[rows].astype(str), -p[rows]))]
    agreeing = [[name for name, flags in methods.items() if flags[row]] for row in rows]
    table = stars.select(STARS.names).take(pa.array(rows))
    columns = {name: table[name] for name in STARS.names}
    columns |= {"cluster": pa.array([cluster] * len(rows), pa.string()), "probability": pa.array(p[rows])}
    columns |= {"is_member": pa.array(p[rows] > MEMBER), "methods": pa.array(agreeing, pa.list_(pa.string()))}
    return pa.table({name: columns[name] for name in MEMBERS.names}, schema=MEMBERS.schema)
