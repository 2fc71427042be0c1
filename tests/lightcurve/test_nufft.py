"""The non-uniform transform: numpy's FFT in every lane, and the direct sum in one block of frequencies."""

import finufft
import numpy as np
import pytest

from workflow_scripts.lightcurve import nufft
from workflow_scripts.lightcurve.nufft import BLOCK, CORRECTION, LANES, MODES, PLANE, SIZE, WIDTH

# Ten passes of single precision, relative to the root of the sum of squares of a lane; measured 5e-7.
FFT = 2e-6
# The error that theory expects of a kernel of WIDTH points on a grid that is SIZE / MODES times as fine (Barnett et al.
# 2019), relative to the sum of the strengths. At the outermost modes it was measured eleven times as large for the
# worst place of a point, and twice on average over all modes and places; MODES of 768 and of 832 were tried.
THEORY = np.exp(-np.pi * WIDTH * np.sqrt(1 - MODES / SIZE))
SPREADING, TYPICAL = 13 * THEORY, 2.5 * THEORY
NEGATIVE_FIRST = np.r_[SIZE - MODES // 2 : SIZE, 0 : MODES // 2]  # rows of the modes -MODES / 2 ... MODES / 2 - 1
MODE = np.arange(MODES) - MODES // 2


def plane(values):
    """Numbers of shape (SIZE, LANES) as a plane."""
    result = np.zeros(PLANE, dtype=np.float32)
    result[: SIZE * LANES] = values.ravel()
    return result


def rows(numbers):
    return numbers[: SIZE * LANES].reshape(SIZE, LANES)


def transformed(values):
    """Fourier transform of complex values of shape (SIZE, LANES)."""
    out = np.empty((2, PLANE), dtype=np.float32)
    nufft.transform(plane(values.real), plane(values.imag), out[0], out[1])
    return rows(out[0]) + 1j * rows(out[1])


def placed(turns):
    start, taps = np.empty(len(turns), dtype=np.int64), np.empty((len(turns), WIDTH), dtype=np.float32)
    nufft.place(np.array(turns, dtype=np.float64), start, taps)
    return start, taps


def spread(strengths, turns):
    result = np.full(PLANE, 7, dtype=np.float32)  # what was there before must not matter
    nufft.spread(np.ascontiguousarray(strengths, dtype=np.float32), *placed(turns), result)
    return result


def sums(strengths, turns):
    """Sum of strengths (n, LANES) times exp(2 pi i mode turns) at every mode, shape (MODES, LANES)."""
    out = np.empty((2, PLANE), dtype=np.float32)
    nufft.transform(spread(strengths.real, turns), spread(strengths.imag, turns), out[0], out[1])
    return (rows(out[0]) + 1j * rows(out[1]))[NEGATIVE_FIRST] * CORRECTION.reshape(MODES, LANES)


def random_strengths(rng, n):
    return (rng.normal(size=(n, LANES)) + 1j * rng.normal(size=(n, LANES))).astype(np.complex64)


# What the code takes for granted.


def test_the_grid_is_an_odd_power_of_four():
    """The passes then end in `out`: 4^5 = 1024 has five, from re to out, back, to out, back, to out."""
    power = round(np.log(SIZE) / np.log(4))
    assert 4**power == SIZE
    assert power % 2 == 1


def test_constants_fit_together():
    assert BLOCK == LANES * MODES
    assert len(CORRECTION) == BLOCK
    assert MODES % 2 == 0
    assert MODES < SIZE
    assert WIDTH == 7, "spread() writes out seven taps"
    # A point's first row is at most SIZE - 1: its taps end within the plane, and what is beyond is added back.
    assert (SIZE - 1 + WIDTH) * LANES <= PLANE < 2 * SIZE * LANES


def test_correction_is_the_inverse_of_the_transform_of_the_kernel():
    """By the trapezoidal rule; the kernel vanishes but for 1e-6 at its ends."""
    x = np.linspace(-WIDTH / 2, WIDTH / 2, 20_001)
    kernel = np.exp(nufft._BETA * (np.sqrt(np.maximum(1 - (2 * x / WIDTH) ** 2, 0)) - 1))
    for mode in (-MODES // 2, -100, 0, 1, 383):
        integral = np.trapezoid(kernel * np.cos(2 * np.pi * mode * x / SIZE), x)
        its = CORRECTION.reshape(MODES, LANES)[mode + MODES // 2]
        np.testing.assert_allclose(its, 1 / integral, rtol=1e-5)


# The transform.


@pytest.mark.parametrize("row", [0, 1, 5, 511, SIZE - 1])
def test_transform_of_one_point_is_a_wave_of_positive_exponent(row):
    values = np.zeros((SIZE, LANES), dtype=np.complex64)
    values[row] = 1 + np.arange(LANES)
    wave = np.exp(2j * np.pi * row * np.arange(SIZE) / SIZE)
    np.testing.assert_allclose(transformed(values), np.outer(wave, 1 + np.arange(LANES)), atol=LANES * FFT)


def test_transform_of_a_constant_is_a_point():
    expected = np.zeros((SIZE, LANES))
    expected[0] = SIZE
    np.testing.assert_allclose(transformed(np.ones((SIZE, LANES), dtype=np.complex64)), expected, atol=SIZE**0.5 * FFT)


@pytest.mark.parametrize("seed", range(3))
def test_every_lane_has_its_own_fft(seed):
    rng = np.random.default_rng(seed)
    values = random_strengths(rng, SIZE) * rng.uniform(0.01, 100, LANES).astype(np.float32)
    expected = SIZE * np.fft.ifft(values.astype(np.complex128), axis=0)
    scale = np.sqrt((np.abs(values) ** 2).sum(axis=0))
    assert (np.abs(transformed(values) - expected) <= FFT * scale).all()


# Spreading.


def literal_plane(strengths, turns):
    """Each point's kernel on the rows of the grid within WIDTH / 2 of it, all around the circle."""
    result = np.zeros((SIZE, LANES))
    for strength, turn in zip(strengths, turns, strict=True):
        for row in range(SIZE):
            away = (row - turn % 1 * SIZE + SIZE / 2) % SIZE - SIZE / 2
            if abs(away) <= WIDTH / 2:
                z = 2 * away / WIDTH
                result[row] += strength * np.exp(nufft._BETA * (np.sqrt(1 - z * z) - 1))
    return result


def test_spreading_equals_a_literal_one():
    rng = np.random.default_rng(4)
    turns = np.r_[rng.uniform(-5, 5, 20), 0, 0.5, 1e-9, 0.001, 0.9999, 3 / SIZE, 1 - 3 / SIZE]
    strengths = rng.normal(size=(len(turns), LANES))
    found = rows(spread(strengths, turns))
    np.testing.assert_allclose(found, literal_plane(strengths, turns), atol=1e-6 * np.abs(strengths).sum())


def test_what_goes_beyond_the_end_is_added_to_the_first_rows():
    strengths = np.ones((1, LANES))
    near_the_end = rows(spread(strengths, [1 - 0.25 / SIZE]))
    assert set(np.flatnonzero(near_the_end[:, 0])) == {0, 1, 2, 3, SIZE - 1, SIZE - 2, SIZE - 3}
    # The same a few rows on, where nothing goes around.
    np.testing.assert_allclose(np.roll(near_the_end, 10, 0), rows(spread(strengths, [9.75 / SIZE])), atol=1e-6)


def test_first_rows_of_points_at_the_edges_are_on_the_plane():
    start, taps = placed([0.0, 1 - 1e-12, -1e-20, np.nextafter(1, 0), -3.0, 7.0, -1e-12])
    assert ((start >= 0) & (start < SIZE * LANES)).all()
    assert (start % LANES == 0).all()
    np.testing.assert_allclose(taps, taps[:1].repeat(len(taps), 0), atol=1e-6)


def test_a_point_on_the_grid_has_symmetric_taps_with_one_in_the_middle():
    _, taps = placed([100 / SIZE])
    assert taps[0, 3] == 1
    np.testing.assert_allclose(taps[0], taps[0, ::-1], rtol=1e-6)
    assert taps[0, 0] < 0.01


# All together.


def test_one_point_gives_a_wave():
    for turn in (0.0, 0.1, 0.75, -0.3):
        found = sums(np.full((1, LANES), 2, dtype=np.complex64), [turn])
        wave = 2 * np.exp(2j * np.pi * turn * MODE)[:, None].repeat(LANES, 1)
        np.testing.assert_allclose(found, wave, atol=2 * SPREADING)


@pytest.mark.parametrize(("seed", "n"), [(1, 1), (2, 5), (3, 200)])
def test_sums_are_direct_sums(seed, n):
    rng = np.random.default_rng(seed)
    turns, strengths = rng.uniform(-10, 10, n), random_strengths(rng, n)
    direct = np.exp(2j * np.pi * np.outer(MODE, turns)) @ strengths
    error = np.abs(sums(strengths, turns) - direct)
    assert (error <= SPREADING * np.abs(strengths).sum(axis=0)).all()
    assert np.sqrt((error**2).mean()) <= TYPICAL * np.sqrt((np.abs(direct) ** 2).mean())


def test_no_place_of_a_point_is_bad():
    """Sixty-four places between two grid points, one after the other."""
    one = np.ones((1, LANES), dtype=np.complex64)
    error = [np.abs(sums(one, [x / SIZE])[:, 0] - np.exp(2j * np.pi * MODE * x / SIZE)) for x in np.arange(64) / 64]
    assert np.max(error) <= SPREADING
    assert np.sqrt(np.mean(np.square(error))) <= TYPICAL
    # Half the modes lie far from the edge of the block: the error there is that of the theory.
    assert np.max(np.array(error)[:, MODES // 4 : -MODES // 4]) <= THEORY


EDGES = [0, 1, 1 - 1e-12, -1e-12, -1e-20, np.nextafter(1, 0), 0.5, -0.5, 1 / SIZE, -1 / SIZE, 3.5 / SIZE, -3.5 / SIZE]


@pytest.mark.parametrize("turn", EDGES)
def test_points_at_the_edges_of_the_period(turn):
    strengths = random_strengths(np.random.default_rng(5), 1)
    direct = np.exp(2j * np.pi * np.outer(MODE, [turn])) @ strengths
    assert (np.abs(sums(strengths, [turn]) - direct) <= SPREADING * np.abs(strengths)).all()


def test_whole_turns_change_nothing():
    rng = np.random.default_rng(6)
    turns, strengths = np.round(rng.uniform(0, 1, 30) * 2**30) / 2**30, random_strengths(rng, 30)
    expected = sums(strengths, turns)
    for shift in (1.0, -1.0, 1000.0):  # exact: the turns have 30 binary digits
        np.testing.assert_array_equal(sums(strengths, turns + shift), expected)


def test_sums_of_a_lane_do_not_depend_on_the_others():
    rng = np.random.default_rng(7)
    turns, strengths = rng.uniform(0, 1, 40), random_strengths(rng, 40)
    whole = sums(strengths, turns)
    for lane in (0, 7, LANES - 1):
        alone = np.zeros_like(strengths)
        alone[:, lane] = strengths[:, lane]
        np.testing.assert_array_equal(sums(alone, turns)[:, lane], whole[:, lane])


def test_finufft_agrees():
    rng = np.random.default_rng(8)
    turns, strengths = rng.uniform(-0.5, 0.5, 300), random_strengths(rng, 300)
    found = sums(strengths, turns)
    for lane in (0, 3, 15):
        values = strengths[:, lane].astype(np.complex128)
        expected = finufft.nufft1d1(2 * np.pi * turns, values, MODES, isign=1, eps=1e-12, nthreads=1)
        np.testing.assert_allclose(found[:, lane], expected, atol=SPREADING * np.abs(values).sum())
