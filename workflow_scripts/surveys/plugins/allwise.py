"""AllWISE sources, as the archive of Gaia has them; asked for by region, never whole."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, gaia
from workflow_scripts.surveys.survey import Survey

SURVEY = Survey(
    title="AllWISE source catalogue",
    reference="Cutri et al. 2014, VizieR II/328",
    catalogue=Catalogue(
        origin=gaia(
            {
                "object_id": "designation",
                "ra_deg": "ra",
                "dec_deg": "dec",
                "w1_mag": "w1mpro",
                "w2_mag": "w2mpro",
                "w3_mag": "w3mpro",
                "w4_mag": "w4mpro",
            },
            source="gaiadr1.allwise_original_valid",
        ),
        rows=747_634_026,
        epoch_yr=2010.5,
    ),
    manners=ASK_GENTLY,
)
