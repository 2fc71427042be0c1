"""The native files of the surveys' light curves: real ones."""

import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from workflow_scripts.lightcurve.clean import Cuts, clean
from workflow_scripts.surveys import registry
from workflow_scripts.surveys.download_curves import read_native

pytestmark = pytest.mark.real


def lengths(rows):
    return pc.list_value_length(rows["time"])


def years(rows):
    """First and last year of the light curves."""
    times = pc.list_flatten(rows["time"]).to_numpy()
    times = times[(times > 15020) & (times < 88069)]
    return 1858.87 + times.min() / 365.25, 1858.87 + times.max() / 365.25


def test_ztf_service_files(real_data, tmp_path):
    with tarfile.open(real_data / "ztf_irsa_variables" / "irsa_csv.tar.xz") as archive:
        archive.extractall(tmp_path)  # no filter: Python 3.11.3 and before have none, and the file is ours
    files = sorted(tmp_path.rglob("*.csv"))
    rows = read_native(registry.load("ztf"), files, [])
    assert len(files) == rows.num_rows == 220
    assert set(rows["band"].to_pylist()) == {"g", "r", "i"}
    assert pc.sum(lengths(rows)).as_py() == sum(len(path.read_text().splitlines()) - 1 for path in files)
    first, last = years(rows)
    assert 2018 < first < last < 2026
    flagged = 1 - np.mean(pc.list_flatten(rows["usable"]).to_numpy(zero_copy_only=False))
    assert 0.001 < flagged < 0.2


@pytest.mark.parametrize(("name", "objects"), [("DR5_field_example", 3003), ("some_lc", 655)])
def test_ztf_bulk_files(real_data, name, objects, caplog):
    path = real_data / "ztf_dr5_field" / f"{name}.parquet"
    rows = read_native(registry.load("ztf_bulk"), [path], [])
    native = pq.read_table(path)
    assert rows.num_rows == objects
    assert pc.sum(lengths(rows)).as_py() == pc.sum(native["nepochs"]).as_py()
    assert set(rows["band"].to_pylist()) <= {"g", "r", "i"}
    assert 2018 < years(rows)[0] < years(rows)[1] < 2022
    assert "times are stored to 0.004 d only" in caplog.text
    wanted = [str(oid) for oid in native["objectid"].to_pylist()[5:8]]
    few = read_native(registry.load("ztf_bulk"), [path], [], wanted)
    assert few == rows.filter(pc.is_in(rows["object_id"], value_set=pa.array(wanted)))


def test_asassn_files(real_data):
    path = real_data / "asassn_gaia" / "light_curves.tar.xz"
    rows = read_native(registry.load("asassn"), [path], [])
    assert rows.num_rows == 96
    assert pc.sum(lengths(rows)).as_py() == 128_520 - 96
    assert set(rows["band"].to_pylist()) == {"V+g"}, "ten years without a filter: V until 2018 and g since"
    assert 2012 < years(rows)[0] < years(rows)[1] < 2026


def test_ogle_files(real_data):
    path = real_data / "ogle_lmc_cepheids" / "phot.tar.xz"
    rows = read_native(registry.load("ogle"), [path], [])
    assert len(set(rows["object_id"].to_pylist())) == 400
    assert set(rows["band"].to_pylist()) == {"I", "V"}
    assert 2009 < years(rows)[0] < years(rows)[1] < 2025
    one = read_native(registry.load("ogle"), [path], ["I"], ["OGLE-LMC-CEP-0936"])
    assert one["time"].to_pylist()[0][0] == 55260.12701
    assert one["mag"].to_pylist()[0][0] == np.float32(14.241)


def test_crts_files(real_data):
    service = real_data / "crts_native" / "web_service.csv"
    rows = read_native(registry.load("crts"), [service], [])
    native = [line.split(",")[:2] for line in service.read_text().splitlines()[1:]]
    assert rows.num_rows == len({target for target, _ in native})
    assert pc.sum(lengths(rows)).as_py() <= len(native), "one light curve for each target"
    assert 2005 < years(rows)[0] < years(rows)[1] < 2016
    south = read_native(registry.load("crts"), [real_data / "crts_native" / "sss_dat.tar.xz"], [])
    assert south.num_rows > 10
    assert 2003 < years(south)[0] < years(south)[1] < 2016


def test_stripe_82_files(real_data):
    rows = read_native(registry.load("sdss_stripe82"), [real_data / "s82_rr_lyrae" / "table1.tar.gz"], [])
    assert rows.num_rows == 5 * 483
    mag = pc.list_flatten(rows["mag"]).to_numpy()
    assert (mag == np.float32(-99.99)).sum() == 6049
    cleaned, removed = clean(rows, Cuts(10, 5.0, 1, "both", 3.0))
    assert pc.sum(removed["n_sentinel"]).as_py() + pc.sum(removed["n_absurd_time"]).as_py() >= 6049
    assert (pc.list_flatten(cleaned["mag"]).to_numpy() > 0).all()


def test_eros_files(real_data):
    rows = read_native(registry.load("eros"), [real_data / "eros_lmc" / "light_curves.parquet"], [])
    assert len(set(rows["object_id"].to_pylist())) == 2912
    assert set(rows["band"].to_pylist()) == {"B", "R"}
    assert 1996.5 < years(rows)[0] < years(rows)[1] < 2003.5, "EROS-2 observed from July 1996 to February 2003"
