"""XMM-Newton 2nd incremental source catalogue: X-ray check of quasar candidates (Kim 2011)."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 221_012

SURVEY = Survey(
    title="2XMMi sources",
    reference="Watson et al. 2009, A&A 493, 339",
    catalogue=Catalogue(
        origin=vizier(
            # U: the names of the columns are not confirmed; recno is the number of the row in VizieR.
            {"object_id": "recno", "ra_deg": "RAJ2000", "dec_deg": "DEJ2000"},
            table="IX/40/xmm2is",  # newer: IX/74/4xmmdr13s
            rows=ROWS,
        ),
        rows=ROWS,
        epoch_yr=2005.0,
    ),
    manners=ASK_GENTLY,
)
