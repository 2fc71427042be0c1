"""Gaia data release 3: fields of clusters, parallaxes and magnitudes; asked for by region, never whole."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, GAIA_SOURCE, Catalogue, gaia
from workflow_scripts.surveys.survey import Survey

SURVEY = Survey(
    title="Gaia DR3",
    reference="Gaia Collaboration 2023, A&A 674, A1",
    catalogue=Catalogue(
        origin=gaia(GAIA_SOURCE, source="gaiadr3.gaia_source"),
        rows=1_811_709_771,
        epoch_yr=2016.0,
    ),
    manners=ASK_GENTLY,
)
