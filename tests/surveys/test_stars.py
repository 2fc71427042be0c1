import numpy as np
import pytest

from workflow_scripts.surveys import stars
from workflow_scripts.surveys.stars import COLOUR_NAMES, COLOURS, STARS

TIME = np.sort(np.random.default_rng(1).uniform(54000, 56500, 2000))
PERIODIC = sorted(set(STARS) - {"LPV", "ROT"})


def variations(name: str, n: int = 30, period: float = 0.7, amplitude: float = 0.5) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [STARS[name].shape(TIME, period, amplitude, rng) for _ in range(n)]


def harmonic_powers(name: str, n: int = 30) -> np.ndarray:
    """Squared amplitudes of the harmonics 1 to 6 of n stars, shape (n, 6), from one cycle without noise."""
    rng = np.random.default_rng(2)
    cycle = 54000 + 0.7 * np.arange(256) / 256
    return np.array([np.abs(np.fft.rfft(STARS[name].shape(cycle, 0.7, 0.5, rng))[1:7]) ** 2 for _ in range(n)])


@pytest.mark.parametrize("name", STARS)
def test_a_shape_is_finite_and_as_high_as_its_amplitude_says(name):
    heights = np.array([np.ptp(v) for v in variations(name)])
    assert np.isfinite(heights).all()
    # Second modes, Blazhko cycles and waves outside eclipses add to the height; LPVs and spots have their extremes of
    # all years in it.
    assert (heights > 0.4 * 0.5).all()
    assert (heights < (6 if name == "LPV" else 2.2) * 0.5).all()
    assert np.median(heights) == pytest.approx(0.5, rel={"LPV": 1.2, "ROT": 0.8}.get(name, 0.5))


@pytest.mark.parametrize("name", PERIODIC)
def test_light_curves_repeat_with_the_period(name):
    """Fold at the period and at 1.07 periods: only the first leaves little scatter between neighbours in phase."""
    for values in variations(name, n=8):
        roughness = [np.mean(np.diff(values[np.argsort(TIME / p % 1)]) ** 2) / values.var() for p in (0.7, 0.749)]
        assert roughness[0] < 0.5 * roughness[1]


@pytest.mark.parametrize("name", ["RRAB", "CEP"])
def test_pulsators_brighten_faster_than_they_fade(name):
    for values in variations(name):
        order = np.argsort(TIME / 0.7 % 1)
        binned = values[order].reshape(50, 40).mean(axis=1)
        share_rising = np.mean(np.diff(np.append(binned, binned[0])) < 0)
        assert share_rising < 0.5


def test_rr_lyrae_of_type_c_are_nearer_to_a_sine_than_those_of_type_ab():
    powers = {name: harmonic_powers(name) for name in ("RRC", "RRAB")}
    ratio = {name: np.median(p[:, 1] / p[:, 0]) for name, p in powers.items()}
    assert ratio["RRC"] < 0.02 < ratio["RRAB"]


def test_contact_binaries_have_two_like_minima_and_detached_ones_unlike_and_narrow_ones():
    powers = {name: harmonic_powers(name) for name in ("EW", "EA")}
    shares = {name: np.median(p[:, 1] / p.sum(axis=1)) for name, p in powers.items()}
    assert shares["EW"] > 0.9  # all but a little in the second harmonic
    assert shares["EA"] < 0.8
    # Outside of its eclipses a detached binary is at its maximum: most of the time within a quarter of the amplitude.
    detached = [np.mean(v - v.min() < 0.25 * np.ptp(v)) for v in variations("EA")]
    contact = [np.mean(v - v.min() < 0.25 * np.ptp(v)) for v in variations("EW")]
    assert np.median(detached) > 0.6 > np.median(contact)


def test_eclipses_only_dim():
    for values in variations("EA"):
        assert values.mean() - values.min() < values.max() - values.mean()


def test_cycles_of_long_period_variables_differ():
    for values in variations("LPV", period=150):
        cycles = [values[np.floor((TIME - 54000) / 150) == k] for k in range(15)]
        heights = np.array([np.ptp(c) for c in cycles])
        assert heights.std() / heights.mean() > 0.05


def test_spots_change_over_the_years():
    early_late = []
    for values in variations("ROT"):
        halves = np.array_split(values, 5)
        early_late.append(np.std([np.ptp(h) for h in halves]) / np.mean([np.ptp(h) for h in halves]))
    assert np.median(early_late) > 0.05


def test_log_normal_draws_are_clipped_and_have_the_median_asked_for():
    rng = np.random.default_rng(3)
    drawn = np.array([stars.log_normal((1.0, 0.2, 0.5, 2.0), rng) for _ in range(4000)])
    assert (drawn.min(), drawn.max()) == (0.5, 2.0)
    # Standard error of the median: 1.25 * 0.2 dex / sqrt(4000) = 0.004 dex; four of them.
    assert abs(np.log10(np.median(drawn))) < 0.016


@pytest.mark.parametrize("name", STARS)
def test_recipes_make_sense(name):
    for median, scatter, low, high in (STARS[name].period_d, STARS[name].amplitude_mag):
        assert 0 < low < median < high
        assert 0 < scatter < 1
    assert STARS[name].period_d[2] > 0.05  # shortest period that the default search reaches
    assert len(COLOURS[name]) == len(COLOUR_NAMES)
    assert all(deviation > 0 for _, deviation in COLOURS[name])
    assert set(COLOURS) == set(STARS)


def test_neighbouring_classes_overlap_in_period():
    for one, other in (("RRAB", "RRC"), ("EW", "RRC"), ("EA", "EW"), ("ROT", "EW"), ("CEP", "RRAB"), ("DSCT", "EW")):
        (_, _, low, high), (_, _, other_low, other_high) = STARS[one].period_d, STARS[other].period_d
        assert max(low, other_low) < min(high, other_high)
