"""One compiled pass over the light curves for a set of features.

The registry's functions are joined into one loop: for each light curve the ingredients, then the features that have
enough points. The source of that loop is written by `source` into the cache folder, so that numba can keep the
compiled code; the folder's name is the fingerprint of all code that goes into it (compiled.py).
"""

import functools
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Sequence

from workflow_scripts import tables
from workflow_scripts.compiled import cache_folder
from workflow_scripts.features.registry import FEATURES, GIVEN, INGREDIENTS, LINES, PAIRED, POINTS, Ingredient


@functools.cache
def kernel(names: tuple[str, ...]) -> Callable[..., None]:
    """Compiled loop for the features named.

    Its arguments are offsets (n + 1,), pairs (n, 2), lines (2, L), the columns of `given`, and the output.
    """
    text = source(names)
    path = cache_folder() / f"kernel_{hashlib.sha256(text.encode()).hexdigest()[:16]}.py"
    if not path.exists():
        with tables.whole(path) as part:
            part.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import the generated kernel {path}; delete it and run again")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # numba finds the module of a cached function by name
    spec.loader.exec_module(module)
    loop: Callable[..., None] = module.measure
    return loop


def given(names: Sequence[str]) -> list[str]:
    """Columns (of points or of light curves) that the kernel reads for the features named, batched ingredients last."""
    steps = ingredients(names)
    needed = {"mag", *(need for name in names for need in FEATURES[name].needs)}
    needed |= {need for step in steps if not step.batched for need in step.needs}
    needed |= {_own(name) for name in needed & set(PAIRED)}
    plain = [name for name in GIVEN if name in needed - set(PAIRED) - set(LINES)]
    return plain + [step.name for step in steps if step.batched]


def ingredients(names: Sequence[str]) -> list[Ingredient]:
    """Ingredients that the features named need, each after those that it needs itself."""
    ordered: dict[str, Ingredient] = {}

    def add(name: str) -> None:
        if name in GIVEN or name in ordered:
            return
        if name not in INGREDIENTS:
            raise KeyError(f"'{name}' is neither a column nor an ingredient; known: {sorted({*GIVEN, *INGREDIENTS})}")
        for need in INGREDIENTS[name].needs:
            add(need)
        ordered[name] = INGREDIENTS[name]

    for name in names:
        for need in FEATURES[name].needs:
            add(need)
    return list(ordered.values())


def source(names: Sequence[str]) -> str:
    """Python source of the loop over light curves."""
    columns = given(names)
    steps = [step for step in ingredients(names) if not step.batched]
    needed = {need for step in steps for need in step.needs} | {n for name in names for n in FEATURES[name].needs}
    lines = [
        "from workflow_scripts.compiled import compile_kernel",
        "from workflow_scripts.features.registry import FEATURES, INGREDIENTS",
        "",
        *(f"_i_{step.name} = INGREDIENTS['{step.name}'].function" for step in steps),
        *(f"_f_{name} = FEATURES['{name}'].function" for name in names),
        "",
        "",
        "@compile_kernel",
        f"def measure(offsets, pairs, lines, {', '.join('all_' + c for c in columns)}, out):",
        "    ac_lower, ac_upper = lines[0], lines[1]",
        "    for row in range(offsets.size - 1):",
        "        start, stop = offsets[row], offsets[row + 1]",
        *(f"        {c} = all_{c}[{'start:stop' if _of_points(c) else 'row'}]" for c in columns),
        *_two_bands([c for c in PAIRED if c in needed]),
        *_per_object(names),
        "        if stop == start:",
        "            continue",
        *(f"        {step.name} = _i_{step.name}({', '.join(step.needs)})" for step in steps),
        *_assignments([name for name in names if FEATURES[name].min_obs > 0], _places(names)),
    ]
    return "\n".join(lines) + "\n"


def _of_points(column: str) -> bool:
    """Tell whether a column has one value per point, not one per light curve."""
    return column in POINTS or column in INGREDIENTS


def _own(paired: str) -> str:
    """Column of points that a column of the object's first or second band is part of."""
    return paired.removesuffix("_a").removesuffix("_b")


def _two_bands(columns: Sequence[str]) -> list[str]:
    """Slices of the object's first and second band; empty where it has one band only."""
    lines = []
    for place, band in enumerate("ab"):
        row = f"pairs[row, {place}]"
        lines += [
            f"        start_{band}, stop_{band} = 0, 0",
            f"        if {row} >= 0:",
            f"            start_{band}, stop_{band} = offsets[{row}], offsets[{row} + 1]",
        ]
    lines += [f"        {c} = all_{_own(c)}[start_{c[-1]} : stop_{c[-1]}]" for c in columns]
    return lines if columns else []


def _per_object(names: Sequence[str]) -> list[str]:
    """Features that need no points come first: they hold for an empty light curve too."""
    return _assignments([name for name in names if FEATURES[name].min_obs == 0], _places(names))


def _assignments(names: Sequence[str], places: dict[str, int]) -> list[str]:
    lines = []
    for name in names:
        one, first = FEATURES[name], places[name]
        target = f"out[row, {first}]" if one.parts == 1 else f"out[row, {first}:{first + one.parts}]"
        lines += [f"        if stop - start >= {one.min_obs}:"]
        lines += [f"            {target} = _f_{name}({', '.join(one.needs)})"]
    return lines


def _places(names: Sequence[str]) -> dict[str, int]:
    places, column = {}, 0
    for name in names:
        places[name] = column
        column += FEATURES[name].parts
    return places
