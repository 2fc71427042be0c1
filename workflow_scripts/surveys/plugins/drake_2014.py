"""Periodic variables of the Catalina Surveys, northern sky (Drake et al. 2014)."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 47_055

# Drake et al. 2014, Table 2.
CLASSES = {
    "1": "EW",
    "2": "EA",
    "3": "EB",
    "4": "RRAB",
    "5": "RRC",
    "6": "RRD",
    "7": "RR_BLAZHKO",
    "8": "RSCVN",
    "9": "ACEP",
    "10": "CEPII",
    "11": "HADS",
    "12": "LADS",
    "13": "LPV",
    "14": "ELL",
    "15": "HUMP",
    "16": "PCEB",
    "17": "EA_UP",
}

SURVEY = Survey(
    title="Catalina Surveys periodic variables, north",
    reference="Drake et al. 2014, ApJS 213, 9",
    catalogue=Catalogue(
        origin=vizier(
            {
                "object_id": "CRTS",
                "ra_deg": "RAJ2000",
                "dec_deg": "DEJ2000",
                "class": "Cl",
                "catalogue_period_d": "Per",
            },
            table="J/ApJS/213/9/table3",
            rows=ROWS,
            unique=(),  # four stars come twice
        ),
        rows=ROWS,
        epoch_yr=2009.0,
        classes=CLASSES,
    ),
    manners=ASK_GENTLY,
)
