"""Periodic variables of the Catalina Surveys, southern sky (Drake et al. 2017)."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 37_745

# Drake et al. 2017, section 4; they are other codes than those of Drake et al. 2014.
CLASSES = {
    "1": "RRAB",
    "2": "RRC",
    "3": "RRD",
    "4": "RR_BLAZHKO",
    "5": "EW",
    "6": "EA",
    "7": "ROT",
    "8": "LPV",
    "9": "DSCT",
    "10": "ACEP",
    "11": "MISC",
    "12": "CEPII",
    "13": "CEP_LMC",
}

SURVEY = Survey(
    title="Catalina Surveys periodic variables, south",
    reference="Drake et al. 2017, MNRAS 469, 3688",
    catalogue=Catalogue(
        origin=vizier(
            {
                "object_id": "SSS",  # U: the name of this column is not confirmed
                "ra_deg": "RAJ2000",
                "dec_deg": "DEJ2000",
                "class": "Cl",
                "catalogue_period_d": "Per",
            },
            table="J/MNRAS/469/3688/table4",
            rows=ROWS,
        ),
        rows=ROWS,
        epoch_yr=2010.0,
        classes=CLASSES,
    ),
    manners=ASK_GENTLY,
)
