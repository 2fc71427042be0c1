"""Period, significance, and the Fourier series at the period."""

import math
from typing import Any

import numpy as np

from workflow_scripts.compiled import compile_sum
from workflow_scripts.features.registry import feature

_SIMON = "Simon & Lee 1981, ApJ 248, 291"


@feature(unit="d", reference="Qiao 2024, Table 1; lightcurve/period_search.py", min_obs=5, qiao_2024=1)
def period_d(period_d: float) -> float:
    """Best period: Lomb-Scargle peaks and their multiples, chosen by harmonic fits."""
    return period_d


@feature(unit="d", reference="Zechmeister & Kuerster 2009, A&A 496, 577; Kim et al. 2011", min_obs=5, kim_2011=6)
def period_ls_d(period_ls_d: float) -> float:
    """Period of the highest Lomb-Scargle peak."""
    return period_ls_d


@feature(reference="Kim et al. 2011, Table 1", min_obs=5, leaks_survey=True, kim_2011=7)
def period_snr(period_snr: float) -> float:
    """Signal-to-noise ratio of the highest Lomb-Scargle peak; grows with the number of epochs."""
    return period_snr


@feature(reference="Baluev 2008, MNRAS 385, 1279", min_obs=5, leaks_survey=True)
def false_alarm_probability(false_alarm_probability: float) -> float:
    """Probability that noise alone gives a Lomb-Scargle peak this high; falls with the number of epochs."""
    return false_alarm_probability


@feature(reference="Zechmeister & Kuerster 2009, eq. 4", min_obs=5)
def peak_power(ls_power: float) -> float:
    """Normalised power of the highest Lomb-Scargle peak."""
    return ls_power


@feature(reference="Qiao 2024, Table 1; van Roestel et al. 2021, AJ 161, 267", min_obs=5, qiao_2024=20)
def f1_power(fit_power: float) -> float:
    """Share of the chi square of a constant that the Fourier fit at the best period explains."""
    # ASSUME the reference model of chi_0 is a constant; the code of the authors cited also has a slope.
    return fit_power


@feature(reference="Bayesian information criterion, lightcurve/period_search.py", min_obs=5)
def harmonics_chosen(n_harmonics: float) -> float:
    """Number of harmonics that the information criterion asks for at the best period."""
    return n_harmonics


@feature(reference="ratio of the two periods", min_obs=5)
def period_ratio(period_d: float, period_ls_d: float) -> float:
    """Best period over Lomb-Scargle period: 2 for most eclipsing binaries."""
    return period_d / period_ls_d


@feature(reference="prewhitened Lomb-Scargle within a factor of two", min_obs=12)
def second_frequency_ratio(second_ratio: float) -> float:
    """Frequency of the second periodicity over the first: 1.344 for RRd, about 1 for the Blazhko effect."""
    return second_ratio


@feature(reference="prewhitened Lomb-Scargle within a factor of two", min_obs=12)
def second_peak_power(second_power: float) -> float:
    """Normalised power of the second periodicity."""
    return second_power


@feature(unit="mag", reference=_SIMON, min_obs=12, parts=4)
def fourier_amplitude(series: Any) -> Any:
    """Amplitude of a harmonic of the Fourier series at the best period (numbered)."""
    return _amplitudes(series)[:4]


@feature(unit="rad", reference=_SIMON, min_obs=12, leaks_survey=True, parts=4)
def fourier_phase(series: Any) -> Any:
    """Phase of a harmonic at the first epoch, best period (numbered); depends on when the survey began."""
    return _phases(series)[:4]


@feature(reference=_SIMON, min_obs=12, parts=3)
def amplitude_ratio(series: Any) -> Any:
    """Amplitudes of harmonics 2, 3, 4 over that of the first, best period: R21, R31, R41."""
    sizes = _amplitudes(series)
    return sizes[1:4] / sizes[0]


@feature(unit="rad", reference=_SIMON, min_obs=12, parts=3)
def phase_difference(series: Any) -> Any:
    """Phases of harmonics 2, 3, 4 relative to the first, best period, 0 to 2 pi: phi21, phi31, phi41 of cosines."""
    return _differences(series)


@feature(reference=_SIMON, min_obs=12, parts=3)
def amplitude_ratio_ls(series_ls: Any) -> Any:
    """Amplitudes of harmonics 2, 3, 4 over that of the first, Lomb-Scargle period."""
    sizes = _amplitudes(series_ls)
    return sizes[1:4] / sizes[0]


@feature(unit="rad", reference=_SIMON, min_obs=12, parts=3)
def phase_difference_ls(series_ls: Any) -> Any:
    """Phases of harmonics 2, 3, 4 relative to the first, Lomb-Scargle period, 0 to 2 pi."""
    return _differences(series_ls)


@feature(unit="mag", reference="range of the Fourier series", min_obs=12)
def model_amplitude(profile: Any) -> float:
    """Faintest minus brightest point of the Fourier series at the best period."""
    return profile.max() - profile.min()


@feature(unit="mag", reference="range of the Fourier series", min_obs=12)
def model_amplitude_ls(profile_ls: Any) -> float:
    """Faintest minus brightest point of the Fourier series at the Lomb-Scargle period."""
    return profile_ls.max() - profile_ls.min()


@compile_sum
def _amplitudes(series: Any) -> Any:
    return np.sqrt(series[1::2] ** 2 + series[2::2] ** 2)


@compile_sum
def _phases(series: Any) -> Any:
    """Phase of each harmonic of a sum of cosines: m = sum A_k cos(k phase + phi_k)."""
    return -np.arctan2(series[2::2], series[1::2])


@compile_sum
def _differences(series: Any) -> Any:
    """Phases phi_k1 = phi_k - k phi_1 of harmonics 2, 3, 4 (cosine series), reduced to 0 ... 2 pi."""
    phases = _phases(series)
    result = np.empty(3)
    for k in range(2, 5):
        result[k - 2] = (phases[k - 1] - k * phases[0]) % (2 * math.pi)
    return result
