"""ASAS-SN catalogue of variable stars (Jayasinghe et al. 2018-2021): label catalogue.

Qiao 2024 takes its labels from "the ASAS-SN variable stars database" and validates with Jayasinghe et al. 2020a. Both
are this one table, to which every paper of the series added stars: there is no second plug-in for it.
"""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 687_695

SURVEY = Survey(
    title="ASAS-SN variable stars (2021)",
    reference="Jayasinghe et al. 2018, MNRAS 477, 3145; 2020, MNRAS 491, 13; 2021, MNRAS 503, 200",
    catalogue=Catalogue(
        origin=vizier(
            {
                "object_id": '"ASASSN-V"',
                "ra_deg": "RAJ2000",
                "dec_deg": "DEJ2000",
                "class": "Type",
                "catalogue_period_d": "Per",
                "probability": "Prob",
                "v_mag": "Vmag",
            },
            table="II/366/catv2021",  # II/366/catalog, which much public code asks for, no longer exists
            rows=ROWS,
        ),
        rows=ROWS,
        epoch_yr=2016.0,
    ),
    manners=ASK_GENTLY,
)
