"""K-Means with a number of groups that is given, or chosen by the silhouette score (Alvaro 2020, 4.3)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering.stars import Groups, Notes, Reals, ordered
from workflow_scripts.tables import DataError

SAMPLE = 5_000  # stars whose silhouette is computed: the score of all costs n^2 and differs by less than 0.01
STARTS = 10

Raw = NDArray[np.integer]  # labels as the library gives them


def fit(x: Reals, n_groups: int, seed: int) -> Groups:
    """Divide stars with features x (n, d) into n_groups by K-Means, best of ten starts.

    Raises DataError with fewer different stars than groups.
    """
    return ordered(_labels(x, n_groups, seed), x, {"n_groups_asked": float(n_groups)})


def scan(x: Reals, n_groups: Sequence[int], seed: int) -> Groups:
    """K-Means with the number of groups, among those given, of the highest mean silhouette (Rousseeuw 1987).

    The silhouette is that of the same random 5,000 stars for every number. The notes have the score for each number
    (silhouette_3, ...), the highest (silhouette), and edge: lower or upper where the best number is the first or last
    of those tried, so that one outside may be better still; else none. Raises DataError as fit does, or if fewer than
    two groups are asked for.
    """
    if not n_groups or min(n_groups) < 2:
        raise DataError(f"numbers of groups to try: {list(n_groups)}; give numbers of 2 and more")
    numbers = sorted(set(n_groups))
    sample = np.sort(np.random.default_rng(seed).permutation(len(x))[:SAMPLE])
    found = {k: _labels(x, k, seed) for k in numbers}
    score = {k: _silhouette(x[sample], label[sample]) for k, label in found.items()}
    best = max(numbers, key=lambda k: score[k])
    edge = "none" if len(numbers) == 1 else {numbers[0]: "lower", numbers[-1]: "upper"}.get(best, "none")
    notes: Notes = {f"silhouette_{k}": score[k] for k in numbers}
    return ordered(found[best], x, notes | {"silhouette": score[best], "n_groups_asked": float(best), "edge": edge})


def check(x: Reals, n_groups: int) -> None:
    """Raise DataError if stars with features x (n, d) are too few, or too few different ones, for n_groups groups."""
    if (n_different := len(np.unique(x, axis=0))) < n_groups:
        raise DataError(
            f"{n_different} different stars among {len(x)}, too few for {n_groups} groups; "
            "ask for fewer groups, enlarge the region or relax the cuts"
        )


def _labels(x: Reals, n_groups: int, seed: int) -> Raw:
    from sklearn.cluster import KMeans

    check(x, n_groups)
    return np.asarray(KMeans(n_groups, n_init=STARTS, random_state=seed).fit_predict(x))


def _silhouette(x: Reals, label: Raw) -> float:
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(x, label)) if 1 < len(np.unique(label)) < len(x) else -1.0
