"""A file of another release of Gaia than the region's is refused where its own columns tell."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.clustering import release
from workflow_scripts.surveys import files
from workflow_scripts.surveys.plugins import gaia_dr2, gaia_dr3
from workflow_scripts.tables import DataError

N = 8
EPOCH = {"DR2": 2015.5, "DR3": 2016.0}


def check(tmp_path, wanted: str, **columns: object) -> None:
    path = tmp_path / "stars.parquet"
    pq.write_table(pa.table({"other": np.arange(N)} | columns), path)
    release.check(files.read(path, release.COLUMNS), wanted, path)


def named(*releases: str) -> list[str]:
    return [f"Gaia {one} {5 * 10**18 + i}" for i, one in enumerate(np.resize(releases, N).tolist())]


def test_epochs_are_those_of_the_archives():
    surveys = {"DR2": gaia_dr2.SURVEY, "DR3": gaia_dr3.SURVEY}
    assert {name: survey.catalogue.epoch_yr for name, survey in surveys.items()} == EPOCH == release.EPOCHS_YR


@pytest.mark.parametrize("wanted", ["DR2", "DR3"])
def test_file_that_does_not_tell_is_taken_at_its_word(tmp_path, wanted):
    check(tmp_path, wanted)
    check(tmp_path, wanted, ref_epoch=np.full(N, np.nan), designation=pa.nulls(N, pa.string()))
    check(tmp_path, wanted, ref_epoch=pa.nulls(N), designation=["", " "] * (N // 2))


@pytest.mark.parametrize(
    ("wanted", "columns"),
    [
        ("DR2", {"ref_epoch": np.full(N, 2015.5), "designation": named("DR2")}),
        ("DR3", {"ref_epoch": np.full(N, 2016.0), "designation": named("DR3")}),
        ("DR3", {"ref_epoch": np.full(N, 2016), "designation": named("EDR3")}),
        ("DR3", {"REF_EPOCH": np.full(N, 2016.0, np.float32), "DESIGNATION": named("DR3", "EDR3")}),
        ("DR3", {"ref_epoch": [2016.0, None] * (N // 2), "designation": [*named("DR3")[1:], None]}),
        ("DR2", {"ref_epoch": ["2015.5"] * N, "designation": [f" {name} " for name in named("DR2")]}),
    ],
)
def test_release_that_is_the_region_s_passes(tmp_path, wanted, columns):
    check(tmp_path, wanted, **columns)


@pytest.mark.parametrize(("wanted", "other"), [("DR2", "DR3"), ("DR3", "DR2")])
@pytest.mark.parametrize("name", ["ref_epoch", "REF_EPOCH"])
def test_epoch_of_the_other_release_is_refused_with_the_cure(tmp_path, wanted, other, name):
    with pytest.raises(DataError) as error:
        check(tmp_path, wanted, **{name: np.full(N, EPOCH[other])})
    assert str(error.value) == (
        f"{tmp_path}/stars.parquet: column '{name}' is {EPOCH[other]:g} in 8 of 8 rows, the region's release is "
        f"{wanted}: expected {EPOCH[wanted]:g}; give the region `release: {other}`, or take the stars from {wanted}"
    )


@pytest.mark.parametrize(
    ("wanted", "told", "other"), [("DR2", ["DR3"], "DR3"), ("DR2", ["EDR3", "DR3"], "DR3"), ("DR3", ["DR2"], "DR2")]
)
@pytest.mark.parametrize("name", ["designation", "DESIGNATION"])
def test_designation_of_the_other_release_is_refused_with_the_cure(tmp_path, wanted, told, other, name):
    with pytest.raises(DataError, match=rf"column '{name}' is 'Gaia .* 500.*' in 8 of 8 rows") as error:
        check(tmp_path, wanted, **{name: named(*told)})
    assert f"expected 'Gaia {wanted} ...'; give the region `release: {other}`, or" in str(error.value)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ref_epoch": [2016.0] * 5 + [2015.5] * 3}, "column 'ref_epoch' is 2015.5 in 3 of 8 rows"),
        ({"ref_epoch": [2016.0] * 4 + [None] * 3 + [2000.0]}, "column 'ref_epoch' is 2000 in 1 of 5 rows"),
        ({"ref_epoch": [2000.0] * N}, "column 'ref_epoch' is 2000 in 8 of 8 rows"),
        ({"ref_epoch": [2016.001] * N}, "column 'ref_epoch' is 2016.001 in 8 of 8 rows"),
        ({"designation": named("DR3", "DR2")}, "column 'designation' is 'Gaia DR2 50.*' in 4 of 8 rows"),
        ({"designation": named("DR1")}, "column 'designation' is 'Gaia DR1 50.*' in 8 of 8 rows"),
        ({"designation": ["2MASS J0851+1148"] * N}, "column 'designation' is '2MASS J0851.1148' in 8 of 8 rows"),
        ({"designation": np.arange(N)}, "column 'designation' is '0' in 8 of 8 rows"),
    ],
)
def test_mixed_releases_and_what_is_of_none_are_refused(tmp_path, columns, message):
    (name,) = columns
    cure = f"all stars must be of one release, DR2 or DR3, .* if it is not the archive's {name}$"
    with pytest.raises(DataError, match=f"stars.parquet: {message}, the region's release is DR3: .*{cure}"):
        check(tmp_path, "DR3", **columns)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ref_epoch": ["J2016.0"] * N}, r"column 'ref_epoch' \(years\) holds text in 8 of 8 rows, such as .*J2016.0"),
        ({"ref_epoch": [[2016.0]] * N}, r"column 'ref_epoch' \(years\) holds list<.*>, expected numbers"),
        ({"designation": [["Gaia DR3 5"]] * N}, "column 'designation' holds list<.*>, expected text"),
        ({"designation": np.arange(N) + 0.5}, "column 'designation' holds real numbers, such as 0.5"),
    ],
)
def test_column_of_another_kind_is_refused(tmp_path, columns, message):
    with pytest.raises(DataError, match=f"stars.parquet: {message}"):
        check(tmp_path, "DR3", **columns)
