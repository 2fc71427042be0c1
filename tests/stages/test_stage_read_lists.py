import pytest

from workflow_scripts import tables
from workflow_scripts.clustering.lists import LISTS, stored
from workflow_scripts.stages import read_lists as stage
from workflow_scripts.tables import DataError


def run(folder, **files: str):
    paths = [folder / f"{name}.csv" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text)
    stage.main(paths, folder / "lists.parquet", [f"List {name}" for name in files], 0.5)
    return tables.read(folder / "lists.parquet", LISTS).to_pylist()


def test_lists_are_read_in_order_down_to_the_least_probability(tmp_path):
    rows = run(tmp_path, places="ra,dec,PMemb\n1,2,0.5\n3,4,0.4\n", ids="Source\n7\n", none="ra,dec,Proba\n1,2,0.1\n")
    assert rows == [
        {"list": "List places", "source_id": None, "ra_deg": 1.0, "dec_deg": 2.0},
        {"list": "List ids", "source_id": "7", "ra_deg": None, "dec_deg": None},
    ]


def test_columns_that_were_used_are_kept_with_each_list(tmp_path):
    run(tmp_path, places="RA,DEC,Prob\n1,2,0.5\n3,4,0.4\n", ids="Source\n7\n", none="ra,dec,Proba\n1,2,0.1\n")
    assert {name: (one.rows.num_rows, one.columns) for name, one in stored(tmp_path / "lists.parquet").items()} == {
        "List places": (1, "RA, DEC; Prob of 0.5 or above"),
        "List ids": (1, "Source; no column of probabilities: all rows count"),
        "List none": (0, "ra, dec; Proba of 0.5 or above"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bp_rp\n1\n", "a member list needs positions or identifiers"),
        ("ra,dec,PMemb\n1,2,30\n", "divide per cent by 100"),
        ("", "the file is empty"),
    ],
)
def test_list_that_cannot_be_used_is_refused_with_its_file(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"bad\.csv.*{message}"):
        run(tmp_path, good="ra,dec\n1,2\n", bad=text)
