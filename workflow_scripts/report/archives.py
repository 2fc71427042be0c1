"""What the archives gave: labels that agree, light curves that were found, and classes that others published."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.report.page import Item, Table, count, share


def gave(agreement: Mapping[str, pa.Table], downloads: Mapping[str, pa.Table]) -> Iterator[Item]:
    """Give the agreement of the label catalogues (label_sample.LABEL_AGREEMENT) and the light curves found (STATUS)."""
    for name, rows in agreement.items():
        yield Table(
            name=f"agreement_{name}",
            caption=f"Sample {name}: classes in the first and in the second catalogue, every object of both in one "
            "line. Only objects on whose class both agree are kept; what is in parentheses says why there is no class.",
            header=("First catalogue", "Second catalogue", "Objects", "In the sample"),
            rows=tuple((r["first"], r["second"], count(r["n"]), count(r["n_kept"])) for r in rows.to_pylist()),
            left=2,
        )
    if downloads:
        yield Table(
            name="downloads",
            caption="Objects whose light curves were asked for. Left out: further light curves of the archive within "
            "the search radius, in other fields of the camera or of neighbours; the longest one is taken.",
            header=("Sample", "Objects", "Found", "Share", "Left out"),
            rows=tuple((name, *_found(rows)) for name, rows in downloads.items()),
        )


def verified(verification: Mapping[str, pa.Table]) -> Iterator[Item]:
    """Give how often published catalogues have the same class (verification.VERIFICATION), sample by sample."""
    for name, rows in verification.items():
        yield Table(
            name=f"verification_{name}",
            caption=f"Sample {name} against published catalogues: purity is the share of the common objects with the "
            "same class, among those whose published label belongs to a class of this run (Qiao 2024, Table 7). "
            "Objects that the models were trained on are left out: their labels may come from that very catalogue.",
            header=(
                "Published catalogue",
                "Class",
                "Objects",
                "Common",
                "Trained on",
                "Other label",
                "Same class",
                "Purity",
            ),
            rows=tuple(_verified(row) for row in rows.to_pylist() if row["n_common"]),
            left=2,
        )


def _found(rows: pa.Table) -> tuple[str, ...]:
    found = pc.sum(pc.equal(rows["status"], "found")).as_py() or 0
    return count(len(rows)), count(found), share(found, len(rows)), count(pc.sum(rows["n_left_out"]).as_py())


def _verified(row: Mapping[str, object]) -> tuple[str, ...]:
    numbers = [
        count(int(str(row[key]))) for key in ("n_objects", "n_common", "n_trained_on", "n_other_label", "n_agree")
    ]
    purity = row["purity"]
    return str(row["reference"]), str(row["class"]), *numbers, share(None if purity is None else float(str(purity)))
