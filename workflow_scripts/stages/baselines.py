"""Stage of rule baselines: what simpler methods find among the same stars."""

from pathlib import Path

from workflow_scripts import edge, tables
from workflow_scripts.clustering import baseline_mixtures, fields, hdbscan, kernel_density, names, selection
from workflow_scripts.clustering.scaling import Window
from workflow_scripts.clustering.selection import Selection
from workflow_scripts.clustering.space import Space, space
from workflow_scripts.clustering.stars import STARS, Probabilities

_OUTER = 1.4  # of the inner radius, beyond which the field of the kernel density begins
_SMOOTHING_MAS_YR = 0.5
_COMPONENTS = 8


def main(
    region_file: Path,
    stars: Path,
    selections: Path,
    notes: Path,
    min_cluster_size: int,
    min_samples: int,
    seed: int,
) -> None:
    """Write the selections of HDBSCAN, two Gaussian mixtures and the kernel density of proper motions."""
    place, rows = fields.read(region_file), tables.read(stars, STARS)
    whole = space(rows, place.region.centre)
    dense = hdbscan.fit(whole.points, min_cluster_size, min_samples)
    found = [selection.from_groups(names.HDBSCAN, dense, whole, place)]
    components = min(_COMPONENTS, rows.num_rows // 10)
    blind = baseline_mixtures.blind(whole.points, components, seed)
    found.append(selection.from_groups(names.MIXTURE, blind, whole, place))
    found.append(_windowed(place, whole, found))
    motions, inner = (
        kernel_density.fit(
            whole.points[:, :2], whole.radius_deg, place.inner_deg, _OUTER * place.inner_deg, _SMOOTHING_MAS_YR
        ),
        place.inner_deg,
    )
    found.append(_weighed(names.DENSITY, motions, {"inner_deg": inner, "outer_deg": _OUTER * inner}))
    tables.write(selection.rows(found, rows), selections, selection.SELECTIONS)
    tables.write(selection.notes(place.name, found), notes, selection.NOTES)


def _windowed(place: fields.Field, whole: Space, found: list[Selection]) -> Selection:
    """Mixture around the first start; without one no star is selected and the notes say so."""
    starts = selection.starts(place, whole, found)
    if not starts:
        nothing = Probabilities(whole.radius_deg * 0, {"empty": "no locus is known and no group was found"})
        return _weighed(names.WINDOW, nothing, {})
    locus, origin = starts[0]
    return _weighed(names.WINDOW, baseline_mixtures.windowed(whole.points, locus, Window()), {"locus_from": origin})


def _weighed(name: str, found: Probabilities, more: dict[str, object]) -> Selection:
    return selection.from_weights(name, found.probability, {**found.notes, **more})


if __name__ == "__main__":
    edge.run(main)
