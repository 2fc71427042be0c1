"""Gaia data release 2: the field stars of the clusters of Alvaro 2020; asked for by region, never whole."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, GAIA_SOURCE, Catalogue, gaia
from workflow_scripts.surveys.survey import Survey

SURVEY = Survey(
    title="Gaia DR2",
    reference="Gaia Collaboration 2018, A&A 616, A1",
    catalogue=Catalogue(
        origin=gaia(GAIA_SOURCE, source="gaiadr2.gaia_source"),
        rows=1_692_919_135,
        epoch_yr=2015.5,
    ),
    manners=ASK_GENTLY,
)
