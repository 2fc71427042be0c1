import numpy as np
import pytest

from workflow_scripts.lightcurve import periodogram, periodogram_gpu
from workflow_scripts.tables import DataError

# Both are single precision; each is within 5e-5 of a double-precision sum where the determinant is not small.
SINGLE = 2e-4


@pytest.fixture(params=[1, 2])
def curve(request):
    """One or two bands of a star with a period and noise."""
    rng = np.random.default_rng(3)
    n, bands = 200, np.array([0, 200] if request.param == 1 else [0, 130, 200])
    time = 53000 + np.concatenate([np.sort(rng.uniform(0, 900, k)) for k in np.diff(bands)])
    error = rng.uniform(0.03, 0.1, n)
    mag = (
        15 + 0.3 * np.sin(2 * np.pi * time * 1.234) + rng.normal(0, error) + np.repeat([0, 1], [bands[1], n - bands[1]])
    )
    return time, mag, error, periodogram.grid(np.ptp(time), 0.1, 500.0, 5.0), bands


def test_the_same_code_on_the_cpu_gives_the_spectrum_of_the_cpu(curve):
    """numpy and finufft have the interfaces of cupy and cufinufft: all but the device is tested here."""
    import finufft

    found = periodogram_gpu.spectra(*curve, np, finufft)
    np.testing.assert_allclose(found, periodogram.power(*curve), atol=SINGLE)
    assert found.argmax() == periodogram.power(*curve).argmax()


def test_the_device_gives_the_spectrum_of_the_cpu(curve):
    try:
        periodogram_gpu.libraries()
    except DataError as reason:
        pytest.skip(str(reason))
    found = periodogram_gpu.power(*curve)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, periodogram.power(*curve), atol=SINGLE)


def test_without_a_device_the_error_says_what_to_do(curve, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cufinufft", None)  # an import of it fails
    periodogram_gpu.libraries.cache_clear()
    with pytest.raises(DataError, match=r"no CUDA device can be used.*period\.device: cpu"):
        periodogram_gpu.power(*curve)
    periodogram_gpu.libraries.cache_clear()


def test_the_search_takes_its_spectrum_from_the_device(curve, monkeypatch):
    """The search with device: gpu, the device's libraries replaced by those of the CPU, finds the CPU's periods."""
    import finufft

    from workflow_scripts.lightcurve.period_search import Search, search
    from workflow_scripts.lightcurve.ragged import LightCurves

    time, mag, error, _, bands = curve
    asked = []
    monkeypatch.setattr(
        periodogram_gpu, "power", lambda *a: asked.append(1) or periodogram_gpu.spectra(*a, np, finufft)
    )
    curves, objects = LightCurves(bands, time, mag, error), np.array([0, len(bands) - 1])
    limits = {"min_period_d": 0.1, "max_period_d": 500.0}
    cpu, gpu = (search(curves, Search(**limits, device=device), objects) for device in ("cpu", "gpu"))
    assert len(asked) == 1
    for name, values in vars(cpu).items():
        # Equal peaks are refined in double precision: only the spectrum's own statistic keeps its single precision.
        np.testing.assert_allclose(vars(gpu)[name], values, rtol=1e-3 if name == "period_snr" else 1e-9, err_msg=name)
