"""The final membership: which start holds, and the file of it."""

import numpy as np
from simulated_region import Cluster, region

from workflow_scripts.clustering import final
from workflow_scripts.clustering.space import Centre, space
from workflow_scripts.clustering.stars import Locus

LOCUS = Locus(6.0, -9.0, 2.5)
MADE = region(np.random.default_rng(4), (Cluster(LOCUS, n=100),), n_field=600)
WHOLE = space(MADE.stars, Centre(130.0, 20.0))


def test_first_start_that_holds_is_taken():
    found = final.first(WHOLE, [(Locus(300.0, 300.0, 9.0), "wrong"), (LOCUS, "right")])
    assert found.reason is None
    assert (found.notes["locus_from"], found.notes["starts_failed"]) == ("right", 1)
    assert (found.members & (MADE.truth == 0)).sum() > 90


def test_without_one_that_holds_the_first_reason_is_given():
    found = final.first(WHOLE, [(Locus(300.0, 300.0, 9.0), "wrong"), (Locus(-300.0, 0.0, 9.0), "worse")])
    assert "0 stars within" in str(found.reason)
    assert found.notes["locus_from"] == "wrong"
    assert not found.members.any()


def test_without_a_start_there_is_no_cluster():
    found = final.first(WHOLE, [])
    assert "no cluster in this field" in str(found.reason)
    assert found.probability.tolist() == [0.0] * MADE.stars.num_rows


def test_file_gives_back_the_fit(tmp_path):
    for starts in ([(LOCUS, "right")], []):
        found = final.first(WHOLE, starts)
        final.write(found, MADE.stars, tmp_path / "membership.parquet")
        back = final.read(tmp_path / "membership.parquet")
        np.testing.assert_array_equal(back.probability, found.probability)
        np.testing.assert_array_equal(back.locus.array(), found.locus.array())
        np.testing.assert_array_equal(back.covariance, found.covariance)
        assert (back.reason, back.notes, back.significance) == (found.reason, found.notes, found.significance)
