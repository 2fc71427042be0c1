"""Gaussians seen through each star's own errors: densities and one step of extreme deconvolution.

Bovy, Hogg & Roweis 2011 (Ann. Appl. Stat. 5, 1657, section 3): a point x with error covariance S drawn from a Gaussian
(m, V) has density N(x; m, V + S). Three dimensions; a symmetric matrix of one star is six numbers (PACKED).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow_scripts.compiled import compile_kernel

Reals = NDArray[np.float64]

PACKED = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # places of a symmetric 3 x 3 matrix


@dataclass(frozen=True)
class Gaussian:
    """Mean (3,) and covariance (3, 3) with the errors taken out."""

    mean: Reals
    covariance: Reals


def pack(matrices: Reals) -> Reals:
    """Give (n, 6) of symmetric matrices (n, 3, 3)."""
    return np.stack([matrices[:, i, j] for i, j in PACKED], axis=1)


def log_density(points: Reals, errors: Reals, gaussian: Gaussian) -> Reals:
    """Logarithm of N(x; m, V + S) of each point; points (n, 3), errors (n, 6), result (n,)."""
    density: Reals = _log_density(points, errors, gaussian.mean, gaussian.covariance, False)
    return density


def squared_distance(points: Reals, errors: Reals, gaussian: Gaussian) -> Reals:
    """(x - m)' (V + S)^-1 (x - m) of each point, (n,): chi-squared of 3 degrees of freedom for the Gaussian's own."""
    square: Reals = _log_density(points, errors, gaussian.mean, gaussian.covariance, True)
    return square


def updated(points: Reals, errors: Reals, weight: Reals, gaussian: Gaussian, least: Reals) -> Gaussian:
    """One M-step (Bovy 2011 eq. 13-15): the Gaussian of points (n, 3) that belong to it by weight (n,).

    least (3,) is the smallest variance allowed, which keeps a Gaussian from falling onto one point.
    The sum of the weights must be positive.
    """
    mean, covariance = _updated(points, errors, weight, gaussian.mean, gaussian.covariance)
    return Gaussian(mean, covariance + np.diag(np.maximum(least - np.diag(covariance), 0)))


@compile_kernel
def _inverse(c00, c01, c02, c11, c12, c22):  # type: ignore[no-untyped-def]
    """Give determinant and inverse (six numbers) of a symmetric 3 x 3 matrix by cofactors."""
    i00, i01, i02 = c11 * c22 - c12 * c12, c02 * c12 - c01 * c22, c01 * c12 - c02 * c11
    i11, i12, i22 = c00 * c22 - c02 * c02, c01 * c02 - c00 * c12, c00 * c11 - c01 * c01
    det = c00 * i00 + c01 * i01 + c02 * i02
    return det, i00 / det, i01 / det, i02 / det, i11 / det, i12 / det, i22 / det


@compile_kernel
def _log_density(points, errors, mean, cov, only_square):  # type: ignore[no-untyped-def]
    out = np.empty(len(points))
    constant = 3 * np.log(2 * np.pi)
    for i in range(len(points)):
        s = errors[i]
        det, i00, i01, i02, i11, i12, i22 = _inverse(
            cov[0, 0] + s[0], cov[0, 1] + s[1], cov[0, 2] + s[2], cov[1, 1] + s[3], cov[1, 2] + s[4], cov[2, 2] + s[5]
        )
        x, y, z = points[i, 0] - mean[0], points[i, 1] - mean[1], points[i, 2] - mean[2]
        square = x * (i00 * x + 2 * i01 * y + 2 * i02 * z) + y * (i11 * y + 2 * i12 * z) + i22 * z * z
        out[i] = square if only_square else -0.5 * (constant + np.log(det) + square)
    return out


@compile_kernel
def _updated(points, errors, weight, mean, cov):  # type: ignore[no-untyped-def]
    # With D = x - m: b = m + V T^-1 D, B = V - V T^-1 V; sums of q, q (b - m) and q ((b - m)(b - m)' + B).
    total, first, second = 0.0, np.zeros(3), np.zeros((3, 3))
    inverse, gain, step = np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    for i in range(len(points)):
        q, s = weight[i], errors[i]
        if q < 1e-12:
            continue
        _, i00, i01, i02, i11, i12, i22 = _inverse(
            cov[0, 0] + s[0], cov[0, 1] + s[1], cov[0, 2] + s[2], cov[1, 1] + s[3], cov[1, 2] + s[4], cov[2, 2] + s[5]
        )
        inverse[0, 0], inverse[0, 1], inverse[0, 2] = i00, i01, i02
        inverse[1, 0], inverse[1, 1], inverse[1, 2] = i01, i11, i12
        inverse[2, 0], inverse[2, 1], inverse[2, 2] = i02, i12, i22
        for j in range(3):
            for k in range(3):
                gain[j, k] = cov[j, 0] * inverse[0, k] + cov[j, 1] * inverse[1, k] + cov[j, 2] * inverse[2, k]
        for j in range(3):
            step[j] = (
                gain[j, 0] * (points[i, 0] - mean[0])
                + gain[j, 1] * (points[i, 1] - mean[1])
                + gain[j, 2] * (points[i, 2] - mean[2])
            )
        total += q
        for j in range(3):
            first[j] += q * step[j]
            for k in range(j, 3):
                left = gain[j, 0] * cov[0, k] + gain[j, 1] * cov[1, k] + gain[j, 2] * cov[2, k]
                second[j, k] += q * (step[j] * step[k] + cov[j, k] - left)
    new = np.empty((3, 3))
    for j in range(3):
        for k in range(j, 3):
            new[j, k] = new[k, j] = second[j, k] / total - first[j] / total * (first[k] / total)
    return mean + first / total, new
