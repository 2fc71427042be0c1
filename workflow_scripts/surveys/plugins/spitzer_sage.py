"""Mid-infrared sources of the Magellanic Clouds (Spitzer SAGE and SAGE-SMC): check of quasar candidates (Kim 2011)."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

SURVEY = Survey(
    title="Spitzer SAGE, IRAC catalogue",
    reference="Meixner et al. 2006, AJ 132, 2268; Gordon et al. 2011, AJ 142, 102",
    catalogue=Catalogue(
        origin=vizier(
            {
                "object_id": "recno",  # number of the row in VizieR; the name of the designation is not confirmed
                "ra_deg": "RAJ2000",
                "dec_deg": "DEJ2000",
                "mag_3_6": '"[3.6]"',
                "mag_4_5": '"[4.5]"',
                "mag_5_8": '"[5.8]"',
                "mag_8_0": '"[8.0]"',
            },
            table="II/305/catalog",  # II/305/archive is more complete and less reliable
            rows=2_100_000,
        ),
        rows=8_400_000,  # 6.4 million LMC, 2.0 million SMC
        epoch_yr=2005.7,
        parts=4,
        split_on="recno",
    ),
    manners=ASK_GENTLY,
)
