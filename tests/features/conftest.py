import pytest
from star import one_curve


@pytest.fixture
def curves():
    return [one_curve(seed, n, period) for seed, n, period in ((1, 120, 0.7321), (2, 60, 3.3), (3, 301, 0.081))]
