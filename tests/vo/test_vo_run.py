"""A LAMOST-like run of real Catalina stars: a real VO server has the tables, a server of ours the light curves."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import dachs
import debian
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from proxy import Handler, Proxy
from real_rows import place

sys.path.append(str(Path(__file__).parents[1] / "archives"))
sys.path.append(str(Path(__file__).parents[1] / "workflow"))
from archive_runs import Run, catalina
from loopback import Archive
from stand_in import LACKING, OTHERWISE, Archives

from workflow_scripts import tables
from workflow_scripts.counterparts import COUNTERPARTS

pytestmark = [pytest.mark.vo, pytest.mark.real, pytest.mark.workflow, pytest.mark.timeout(1500)]

POSITIONS = {("RAJ2000", "DEJ2000"), ("ra", "dec")}


def services(archives: Archives) -> tuple[list[dachs.Service], dict[str, str]]:
    """The tables of the archives for DaCHS, and their names there by their names in the archives."""
    found, names = [], {}
    for service in archives.services.values():
        for name, columns in service.tables.items():
            rows = pa.table({key: pa.array(column.values) for key, column in columns.items()})
            # EXTERNAL is a reserved word of ADQL, which the archive of Gaia lets pass as a schema, and DaCHS does not.
            there = place(f'"{name}"') if "/" in name else name.replace("external.", "lamost.")
            there = there if "." in there else f"irsa.{there}"
            schema, short = there.split(".")
            ra, dec = next((pair for pair in POSITIONS if set(pair) <= set(columns)), ("", ""))
            found.append(dachs.Service(schema, short, rows, ra, dec))
            if there != name:
                names[f'"{name}"' if "/" in name else name] = there
    return found, names


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Iterator[Run]:
    archives = Archives(*catalina())
    listed, names = services(archives)
    try:
        with dachs.serving(listed) as (url, times):
            logging.getLogger(__name__).info("DaCHS: %s", ", ".join(f"{k} {v:.1f} s" for k, v in times.items()))
            proxy = Proxy(url.removesuffix("/tap"), names)
            vo, curves = Archive(proxy), Archive(archives)
            vo.RequestHandlerClass, proxy.url = Handler, vo.url
            mirrors = archives.mirrors(vo.url) | {
                "https://irsa.ipac.caltech.edu/cgi-bin": f"{curves.url}/irsa/cgi-bin",
            }
            run = Run(tmp_path_factory.mktemp("vo"), archives, mirrors)
            finished = run.snakemake()
            assert finished.returncode == 0, finished.stdout + finished.stderr
            yield run
            vo.close()
            curves.close()
    except debian.NotInstallableError as error:
        pytest.skip(f"no real VO server: {error}")


def test_labels_that_agree_come_from_two_tables_of_the_server(done):
    names = [f"ZTFJ{s.name}" for i, s in enumerate(done.archives.labelled) if i % 10 not in (LACKING, OTHERWISE)]
    objects = tables.read(done.results / "samples/variables/objects.parquet", tables.OBJECTS)
    assert objects["object_id"].to_pylist() == sorted(names)


def test_counterparts_come_by_upload_and_join(done):
    found = tables.read(done.results / "samples/variables/counterparts.parquet", COUNTERPARTS)
    kept = [i for i, _ in enumerate(done.archives.labelled) if i % 10 not in (LACKING, OTHERWISE)]
    assert found["source_id"].null_count == sum(i % 2 == 0 for i in kept)  # Gaia has every other star
    known = found.filter(pc.is_valid(found["source_id"]))
    assert pc.max(known["separation_arcsec"]).as_py() < 0.3
    assert known["j_mag"].null_count == 0
    assert found["w3_mag"].null_count == len(found)  # upper limits


def test_light_curves_are_found_by_upload_and_asked_for_by_identifier(done):
    rows = pa.concat_tables(done.spectra("raw"))
    found = {row["object_id"]: row["time"] for row in rows.to_pylist()}
    assert found.keys() == {f"G{star.name}" for star in done.archives.science}
    for star in done.archives.science:
        assert found[f"G{star.name}"] == pytest.approx(star.points[0].tolist(), abs=1e-8)


def test_catalogue_is_published(done):
    catalogue, suspected = (done.read(f"catalogue/spectra/{name}.parquet") for name in ("catalogue", "suspected"))
    assert len(catalogue) + len(suspected) > 0.8 * len(done.archives.science)


def test_next_run_has_nothing_to_do(done):
    again = done.snakemake()
    assert "Nothing to be done" in again.stdout + again.stderr
