import numpy as np
import pytest

from bench import samples

LENGTHS = np.array([10, 1, 400, 50])


@pytest.fixture(scope="module")
def curves():
    return samples.simulate(np.random.default_rng(1), LENGTHS)


def test_simulated_curves_have_the_lengths_asked_for_and_are_in_time_order(curves):
    np.testing.assert_array_equal(np.diff(curves.offsets), LENGTHS)
    for time, mag, mag_err in samples.arrays(curves):
        assert (np.diff(time) > 0).all()
        assert np.isfinite(mag).all()
        assert ((mag > 10) & (mag < 24)).all()
        assert (mag_err > 0).all()


def test_simulated_curves_span_the_same_baseline_whatever_their_length(curves):
    spans = [np.ptp(time) for time, _, _ in samples.arrays(curves)]
    np.testing.assert_allclose(spans, [samples.BASELINE_D, 0, samples.BASELINE_D, samples.BASELINE_D])


def test_half_of_the_simulated_curves_vary_by_more_than_their_errors():
    many = samples.arrays(samples.simulate(np.random.default_rng(2), np.full(400, 100)))
    varies = np.mean([np.std(mag) > 1.5 * np.median(mag_err) for _, mag, mag_err in many])
    assert 0.6 < varies < 0.9  # three quarters, a few of them with small amplitudes


def test_the_same_seed_gives_the_same_curves(curves):
    again = samples.simulate(np.random.default_rng(1), LENGTHS)
    np.testing.assert_array_equal(again.mag, curves.mag)


def test_chosen_curves_are_whole(curves):
    chosen = samples.take(curves, np.array([3, 0]))
    np.testing.assert_array_equal(np.diff(chosen.offsets), [50, 10])
    for i, j in ((0, 3), (1, 0)):
        for found, whole in zip(samples.arrays(chosen)[i], samples.arrays(curves)[j], strict=True):
            np.testing.assert_array_equal(found, whole)


def test_a_few_curves_have_the_mean_length_of_all():
    many = samples.simulate(np.random.default_rng(3), np.random.default_rng(4).integers(100, 801, 1000))
    few = samples.evenly(many, 20)
    assert len(few) == 20
    assert abs(np.diff(few.offsets).mean() / np.diff(many.offsets).mean() - 1) < 0.02
    np.testing.assert_array_equal(samples.evenly(many, 5000).time, many.time)


def test_sample_of_450_points_says_that_it_is_simulated():
    sample = samples.simulated(2000, np.random.default_rng(5))
    assert "SIMULATED" in sample.name
    assert abs(np.diff(sample.curves.offsets).mean() - 450) < 15


def test_without_the_real_data_the_curves_that_stand_in_are_called_simulated(tmp_path):
    sample = samples.crts(tmp_path / "none", 500, np.random.default_rng(6))
    assert "SIMULATED" in sample.name
    assert "real" not in sample.name
    assert abs(np.diff(sample.curves.offsets).mean() - samples.CRTS_POINTS) < 10


@pytest.mark.real
def test_real_curves_are_those_of_the_survey(real_data):
    sample = samples.crts(real_data / "crts_sss_variables", 300, np.random.default_rng(7))
    assert sample.name.startswith("300 real light curves")
    assert "SIMULATED" not in sample.name
    assert abs(np.diff(sample.curves.offsets).mean() - samples.CRTS_POINTS) < 15
    assert all((np.diff(time) > 0).all() for time, _, _ in samples.arrays(sample.curves))
