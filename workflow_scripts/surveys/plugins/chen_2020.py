"""Periodic variables of the Zwicky Transient Facility, data release 2 (Chen et al. 2020): label catalogue."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 781_602

SURVEY = Survey(
    title="ZTF periodic variables (DR2)",
    reference="Chen et al. 2020, ApJS 249, 18",
    catalogue=Catalogue(
        origin=vizier(
            {
                "object_id": "ID",
                "ra_deg": "RAJ2000",
                "dec_deg": "DEJ2000",
                "class": "Type",
                "catalogue_period_d": "Per",
                "r_mag": "rmag",
                "g_mag": "gmag",
            },
            table="J/ApJS/249/18/table2",  # table3 has the suspected ones, without a class
            rows=ROWS,
        ),
        rows=ROWS,
        epoch_yr=2018.8,
    ),
    manners=ASK_GENTLY,
)
