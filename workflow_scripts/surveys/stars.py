"""Stars of the demo survey: a class of variable is a shape of light curve with periods, amplitudes and colours.

The shapes are the simplest that carry what tells the classes apart. Periods, amplitudes and colours are round numbers
set by hand near those of real classes and spread until neighbouring classes overlap; they are fitted to no survey,
and nothing measured on them says how well real stars are classified. All is SIMULATED.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Shape = Callable[[Reals, float, float, np.random.Generator], Reals]


@dataclass(frozen=True)
class StarClass:
    """Class of variable star: its shape, and how its periods and amplitudes are spread.

    period_d and amplitude_mag are (median, scatter in dex, lowest, highest) of clipped log-normal distributions.
    A shape gives the variation [mag] at the epochs (n,) for a period, an amplitude and a random generator.
    """

    shape: Shape
    period_d: tuple[float, float, float, float]
    amplitude_mag: tuple[float, float, float, float]


def log_normal(recipe: tuple[float, float, float, float], rng: np.random.Generator) -> float:
    """One draw from a clipped log-normal distribution (median, scatter in dex, lowest, highest)."""
    median, scatter, low, high = recipe
    return float(np.clip(median * 10 ** rng.normal(0, scatter), low, high))


def ab_type(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """RRAB: a sawtooth of six harmonics, a steep rise and a slow decline; every fifth star has a Blazhko cycle."""
    modulation = np.ones_like(time)
    if rng.uniform() < 0.2:
        modulation += rng.uniform(0.1, 0.3) * np.sin(2 * np.pi * (time / rng.uniform(30, 150) + rng.uniform()))
    return modulation * _sawtooth(_phase(time, period_d, rng), amplitude, np.clip(rng.normal(0.65, 0.17), 0.15, 0.9))


def c_type(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """RRC: nearly a sine."""
    return _sawtooth(_phase(time, period_d, rng), amplitude, rng.uniform(0.0, 0.35))


def cepheid(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """CEP: a moderate sawtooth."""
    return _sawtooth(_phase(time, period_d, rng), amplitude, rng.uniform(0.1, 0.7))


def delta_scuti(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """DSCT: nearly a sine; every third star pulsates in the first overtone too (period ratio 0.77)."""
    main = _sawtooth(_phase(time, period_d, rng), amplitude, rng.uniform(0.05, 0.35))
    overtone = _sawtooth(_phase(time, 0.773 * period_d, rng), rng.uniform(0.2, 0.6) * amplitude, 0.1)
    return main + (rng.uniform() < 0.33) * overtone


def detached(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """EA: two narrow eclipses of unequal depth, nearly flat outside; amplitude is the depth of the deeper one."""
    phase, half_width, power = _phase(time, period_d, rng), rng.uniform(0.03, 0.17), rng.uniform(1, 4)
    depths = amplitude, amplitude * rng.uniform(0.05, 0.95)
    centres = 0.0, 0.5 + rng.normal(0, 0.02) * (rng.uniform() < 0.3)
    distances = (np.abs((phase - centre + 0.5) % 1 - 0.5) / half_width for centre in centres)
    eclipses = [d * np.clip(1 - x**power, 0, None) for d, x in zip(depths, distances, strict=True)]
    return eclipses[0] + eclipses[1] + 0.5 * rng.uniform(0, 0.35) * amplitude * np.cos(4 * np.pi * phase)


def contact(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """EW: two wide minima of nearly equal depth and round maxima."""
    phase = _phase(time, period_d, rng)
    wave = 1 - np.abs(np.sin(2 * np.pi * phase)) ** rng.uniform(1.0, 2.0)
    unequal = 1 - rng.uniform(0, 0.35) * (np.cos(2 * np.pi * phase) < 0)
    return np.asarray(amplitude * (wave * unequal + rng.normal(0, 0.02) * np.sin(2 * np.pi * phase)))


def long_period(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """LPV: a slow wave whose height, level and length change from cycle to cycle."""
    cycle = (time - time.min()) / period_d
    knots = np.arange(int(cycle.max()) + 3, dtype=np.float64)
    height = np.interp(cycle, knots, np.clip(rng.normal(1, 0.3, len(knots)), 0.1, 2))
    level = np.interp(cycle, knots, rng.normal(0, 0.15, len(knots)))
    delay = np.interp(cycle, knots, rng.normal(0, 0.04, len(knots)))
    phase = (cycle + delay + rng.uniform()) % 1
    return np.asarray(amplitude * level + height * _sawtooth(phase, amplitude, rng.uniform(0, 0.3)))


def rotation(time: Reals, period_d: float, amplitude: float, rng: np.random.Generator) -> Reals:
    """ROT: spots that come and go, some on the far side too; the height of the wave changes over years."""
    phase, slow = _phase(time, period_d, rng), 2 * np.pi * (time / rng.uniform(600, 4000) + rng.uniform())
    second = rng.uniform(0, 0.6) * np.cos(4 * np.pi * (phase + rng.uniform()))
    wave = 0.5 * amplitude * (np.cos(2 * np.pi * phase) + second)
    return np.asarray((1 + rng.uniform(0.1, 0.5) * np.sin(slow)) * wave + 0.15 * amplitude * np.cos(slow))


STARS = {
    "EA": StarClass(detached, (1.2, 0.4, 0.25, 15), (0.45, 0.22, 0.12, 2)),
    "EW": StarClass(contact, (0.35, 0.13, 0.2, 1.4), (0.33, 0.22, 0.07, 1)),
    "RRAB": StarClass(ab_type, (0.56, 0.07, 0.38, 1.0), (0.7, 0.18, 0.15, 1.4)),
    "RRC": StarClass(c_type, (0.33, 0.08, 0.2, 0.5), (0.38, 0.16, 0.1, 0.7)),
    "ROT": StarClass(rotation, (1.8, 0.6, 0.2, 60), (0.18, 0.22, 0.05, 0.6)),
    "LPV": StarClass(long_period, (150, 0.38, 15, 700), (0.5, 0.4, 0.08, 6)),
    "DSCT": StarClass(delta_scuti, (0.09, 0.16, 0.052, 0.3), (0.2, 0.22, 0.06, 0.8)),
    "CEP": StarClass(cepheid, (2.2, 0.5, 0.5, 45), (0.5, 0.2, 0.12, 1.3)),
}

# Mean and standard deviation [mag] of each quantity of COLOUR_NAMES.
COLOUR_NAMES = ("absolute_g", "bp_rp", "j_h", "h_k", "w1_w2", "w2_w3")
COLOURS = {
    "EA": ((3.0, 2.25), (0.8, 0.438), (0.3, 0.175), (0.07, 0.062), (-0.02, 0.05), (0.1, 0.188)),
    "EW": ((4.0, 1.375), (0.9, 0.312), (0.36, 0.15), (0.08, 0.062), (-0.03, 0.05), (0.08, 0.188)),
    "RRAB": ((0.7, 0.625), (0.65, 0.25), (0.25, 0.138), (0.05, 0.062), (-0.01, 0.05), (0.08, 0.25)),
    "RRC": ((0.7, 0.625), (0.55, 0.25), (0.2, 0.138), (0.04, 0.062), (-0.01, 0.05), (0.08, 0.25)),
    "ROT": ((4.5, 2.75), (1.2, 0.5), (0.52, 0.188), (0.12, 0.075), (-0.02, 0.062), (0.12, 0.188)),
    "LPV": ((-1.5, 1.875), (2.4, 1), (0.8, 0.188), (0.28, 0.15), (0.0, 0.15), (0.4, 0.5)),
    "DSCT": ((1.9, 1), (0.45, 0.25), (0.15, 0.125), (0.04, 0.062), (-0.01, 0.05), (0.06, 0.25)),
    "CEP": ((-1.5, 1.5), (0.95, 0.375), (0.38, 0.15), (0.09, 0.062), (-0.01, 0.062), (0.1, 0.25)),
}


def _phase(time: Reals, period_d: float, rng: np.random.Generator) -> Reals:
    return np.asarray((time / period_d + rng.uniform()) % 1)


def _sawtooth(phase: Reals, amplitude: float, decay: float) -> Reals:
    """Six harmonics, decay^(k-1)/k, scaled to the amplitude from peak to peak; fades slowly and brightens fast."""
    k = np.arange(1, 7)
    weights = decay ** (k - 1) / k

    def wave(phases: Reals) -> Reals:
        return np.asarray(-np.sin(2 * np.pi * np.outer(phases, k)) @ weights)

    return amplitude * wave(phase) / np.ptp(wave(np.linspace(0, 1, 257)))
