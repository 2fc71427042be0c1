"""A cluster and its field as a mixture, fitted to the stars of a window by expectation and maximisation.

The cluster is a Gaussian in proper motion and parallax with a profile on the sky; the field is a uniform part and some
Gaussians, evenly spread on the sky. Every Gaussian is seen through each star's own errors (deconvolve.py). How common
each part is depends on magnitude: a faint star is a field star more often than a bright one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.clustering import deconvolve, profile
from workflow_scripts.clustering.deconvolve import Gaussian

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

# ASSUME the field is smooth on the scale of the window: a part narrower than this share of its half width is a cluster.
SMOOTH = 0.25
_STEPS = 300
_TOLERANCE = 1e-6  # of the mean logarithm of the likelihood per star
_PRIOR_STARS = 20.0  # weight of the whole window's shares in those of a magnitude bin


@dataclass(frozen=True)
class Sample:
    """Stars of a window around a locus, and where all stars of the field lie.

    offset (n, 3) from the locus in mas/yr, mas/yr, mas; errors (n, 6), packed; bin (n,) of magnitude; half (3,), the
    half widths of the window; inside (N,) says which of all stars these are, rings holds the positions of all.
    """

    offset: Reals
    errors: Reals
    bin: NDArray[np.intp]
    half: Reals
    inside: Flags
    rings: profile.Rings


@dataclass(frozen=True)
class Mixture:
    """A fitted mixture: parts (cluster first if there is one), share (bins, parts) of the uniform part and of these.

    probability (n,) of belonging to the cluster; log_likelihood of all stars; n_parameters; steps made.
    """

    parts: tuple[Gaussian, ...]
    share: Reals
    probability: Reals
    sky: profile.Fitted | None
    log_likelihood: float
    n_parameters: int
    steps: int

    def bic(self, n: int) -> float:
        """Bayesian information criterion (Schwarz 1978); smaller is better."""
        return -2 * self.log_likelihood + self.n_parameters * float(np.log(n))


def fit(sample: Sample, n_field: int, cluster: Gaussian | None) -> Mixture:
    """Fit a mixture of n_field Gaussians, a uniform part and, if its first guess is given, a cluster."""
    parts = [*([cluster] if cluster else []), *_field_guess(sample, n_field)]
    n = len(sample.offset)
    least = [(1e-3 * sample.half) ** 2] * bool(cluster) + [(SMOOTH * sample.half) ** 2] * n_field
    share = np.full((int(sample.bin.max()) + 1, len(parts) + 1), 1 / (len(parts) + 1))
    sky: profile.Fitted | None = None
    last, steps = -np.inf, 0
    while True:
        log_parts = _log_parts(sample, parts, share, sky)
        top = log_parts.max(axis=1, keepdims=True)
        weight = np.exp(log_parts - top)
        total = weight.sum(axis=1, keepdims=True)
        weight /= total
        likelihood = float(np.sum(np.log(total) + top))
        if steps == _STEPS or abs(likelihood - last) < _TOLERANCE * n:
            break
        last, steps = likelihood, steps + 1
        share = _shares(sample.bin, weight, len(share))
        parts = [
            deconvolve.updated(sample.offset, sample.errors, weight[:, k + 1], part, least[k])
            if weight[:, k + 1].sum() > 1
            else part
            for k, part in enumerate(parts)
        ]
        if cluster:
            everywhere = np.zeros(len(sample.inside))
            everywhere[sample.inside] = weight[:, 1]
            sky = profile.fit(sample.rings, everywhere)
    free = 9 * len(parts) + len(parts) * len(share) + (2 if cluster else 0)
    probability = weight[:, 1] if cluster else np.zeros(n)
    return Mixture(tuple(parts), share, probability, sky, likelihood, free, steps)


def _log_parts(sample: Sample, parts: list[Gaussian], share: Reals, sky: profile.Fitted | None) -> Reals:
    """Logarithm of share times density, (n, 1 + parts); the uniform part first."""
    log_share = np.log(np.maximum(share, 1e-300))[sample.bin]
    log_share[:, 0] -= np.log(2 * sample.half).sum()
    for k, part in enumerate(parts, start=1):
        log_share[:, k] += deconvolve.log_density(sample.offset, sample.errors, part)
    if sky:
        log_share[:, 1] += sky.log_ratio[sample.inside]
    return log_share


def _shares(bins: NDArray[np.intp], weight: Reals, n_bins: int) -> Reals:
    """Share of each part in each magnitude bin, drawn towards its share in all."""
    sums = np.stack([np.bincount(bins, column, minlength=n_bins) for column in weight.T], axis=1)
    whole = sums.sum(axis=0) / sums.sum()
    return np.asarray((sums + _PRIOR_STARS * whole) / (sums.sum(axis=1, keepdims=True) + _PRIOR_STARS))


def _field_guess(sample: Sample, n_field: int) -> list[Gaussian]:
    """Gaussians of the window's mean and spread, each half as wide as the one before."""
    mean, covariance = sample.offset.mean(axis=0), np.cov(sample.offset.T)
    return [Gaussian(mean, covariance / 4.0**k) for k in range(n_field)]
