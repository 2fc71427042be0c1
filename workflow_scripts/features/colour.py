"""Colours and parallax: the ten photometric features of Qiao 2024 Table 1, where a photometry table is given."""

from workflow_scripts.features.registry import feature

_TABLE = "Qiao 2024, Table 1"


@feature(unit="mas", reference=_TABLE, min_obs=0, qiao_2024=21)
def parallax(parallax_mas: float) -> float:
    """Gaia parallax."""
    return parallax_mas


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=22)
def bp_rp(bp_mag: float, rp_mag: float) -> float:
    """Gaia BP minus RP."""
    return bp_mag - rp_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=23)
def g_bp(g_mag: float, bp_mag: float) -> float:
    """Gaia G minus BP."""
    return g_mag - bp_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=24)
def g_rp(g_mag: float, rp_mag: float) -> float:
    """Gaia G minus RP."""
    return g_mag - rp_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=25)
def j_k(j_mag: float, k_mag: float) -> float:
    """2MASS J minus K."""
    return j_mag - k_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=26)
def j_h(j_mag: float, h_mag: float) -> float:
    """2MASS J minus H."""
    return j_mag - h_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=27)
def h_k(h_mag: float, k_mag: float) -> float:
    """2MASS H minus K."""
    return h_mag - k_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=28)
def w1_w2(w1_mag: float, w2_mag: float) -> float:
    """AllWISE W1 minus W2."""
    return w1_mag - w2_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=29)
def w1_w3(w1_mag: float, w3_mag: float) -> float:
    """AllWISE W1 minus W3."""
    return w1_mag - w3_mag


@feature(unit="mag", reference=_TABLE, min_obs=0, qiao_2024=30)
def w2_w3(w2_mag: float, w3_mag: float) -> float:
    """AllWISE W2 minus W3."""
    return w2_mag - w3_mag
