"""Variables of Gaia DR3 as its general classifier sees them (Rimoldini et al. 2023), with positions of Gaia DR3."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, gaia
from workflow_scripts.surveys.survey import Survey

SURVEY = Survey(
    title="Gaia DR3 variability classification",
    reference="Rimoldini et al. 2023, A&A 674, A14",
    catalogue=Catalogue(
        origin=gaia(
            {
                "object_id": "v.source_id",
                "ra_deg": "g.ra",
                "dec_deg": "g.dec",
                "class": "v.best_class_name",
                "score": "v.best_class_score",
            },
            source="gaiadr3.vari_classifier_result AS v JOIN gaiadr3.gaia_source AS g ON v.source_id = g.source_id",
        ),
        rows=9_976_881,
        epoch_yr=2016.0,
        parts=5,
        split_on="v.source_id",
    ),
    manners=ASK_GENTLY,
)
