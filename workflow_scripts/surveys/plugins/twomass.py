"""2MASS point sources, as the archive of Gaia has them; asked for by region, never whole."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, gaia
from workflow_scripts.surveys.survey import Survey

SURVEY = Survey(
    title="2MASS point source catalogue",
    reference="Skrutskie et al. 2006, AJ 131, 1163",
    catalogue=Catalogue(
        origin=gaia(
            {
                "object_id": "designation",
                "ra_deg": "ra",
                "dec_deg": "dec",
                "j_mag": "j_m",
                "h_mag": "h_m",
                "k_mag": "ks_m",
                "quality": "ph_qual",
            },
            source="gaiadr1.tmass_original_valid",
        ),
        rows=470_992_970,
        epoch_yr=1999.5,
    ),
    manners=ASK_GENTLY,
)
