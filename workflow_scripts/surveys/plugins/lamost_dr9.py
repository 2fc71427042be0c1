"""LAMOST DR9, low-resolution spectra, as the archive of Gaia has them: the objects that Qiao 2024 classifies."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, gaia
from workflow_scripts.surveys.survey import Survey

SURVEY = Survey(
    title="LAMOST DR9, low resolution",
    reference="Cui et al. 2012, RAA 12, 1197",
    catalogue=Catalogue(
        origin=gaia(
            {
                "object_id": "uid",
                "obsid": "obsid",
                "ra_deg": "ra",
                "dec_deg": "dec",
                "snrg": "snrg",
            },
            source="external.lamost_dr9_lrs",
            unique="obsid",
        ),
        rows=11_211_028,  # spectra
        epoch_yr=2000.0,
        # A job may bring three million rows; the last digits of obsid number the fibres, from 1 to 250.
        parts=5,
        split_on="obsid",
        # ASSUME spectra with one uid are of one star; the one with the highest signal-to-noise ratio in g stands for
        # it.
        best="snrg",
    ),
    manners=ASK_GENTLY,
)
