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
from workflow_scripts.features.registry import FEATURES, GIVEN, INGREDIENTS, POINTS, Ingredient


@functools.cache
def kernel(names: tuple[str, ...]) -> Callable[..., None]:
    """Compiled loop for the features named; its arguments are offsets, the columns of `given`, and the output."""
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
    """Columns (of points or of light curves) that the features named need, directly or through ingredients."""
    needed = {need for name in names for need in FEATURES[name].needs}
    needed |= {need for step in ingredients(names) for need in step.needs}
    return [name for name in GIVEN if name in needed or name == "mag"]


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
    steps, columns = ingredients(names), given(names)
    lines = [
        "from workflow_scripts.compiled import compile_kernel",
        "from workflow_scripts.features.registry import FEATURES, INGREDIENTS",
        "",
        *(f"_i_{step.name} = INGREDIENTS['{step.name}'].function" for step in steps),
        *(f"_f_{name} = FEATURES['{name}'].function" for name in names),
        "",
        "",
        "@compile_kernel",
        f"def measure(offsets, {', '.join('all_' + c for c in columns)}, out):",
        "    for row in range(offsets.size - 1):",
        "        start, stop = offsets[row], offsets[row + 1]",
        *(f"        {c} = all_{c}[{'start:stop' if c in POINTS else 'row'}]" for c in columns),
        *_per_object(names),
        "        if stop == start:",
        "            continue",
        *(f"        {step.name} = _i_{step.name}({', '.join(step.needs)})" for step in steps),
        *_assignments([name for name in names if FEATURES[name].min_obs > 0], _places(names)),
    ]
    return "\n".join(lines) + "\n"


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
