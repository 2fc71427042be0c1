"""Chandra source catalogue: X-ray check of quasar candidates (Kim 2011)."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 317_167

SURVEY = Survey(
    title="Chandra source catalogue 2.0",
    reference="Evans et al. 2020, VizieR IX/57",
    catalogue=Catalogue(
        # DEVIATES Kim 2011 sect. 6.2: release 2.0, which contains the release 1 of the paper (IX/45/csc11) and whose
        # column names are confirmed.
        origin=vizier(
            {"object_id": '"2CXO"', "ra_deg": "RAICRS", "dec_deg": "DEICRS"}, table="IX/57/csc2master", rows=ROWS
        ),
        rows=ROWS,
        epoch_yr=2007.0,
    ),
    manners=ASK_GENTLY,
)
