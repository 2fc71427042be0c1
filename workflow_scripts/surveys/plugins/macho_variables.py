"""Variables that the MACHO project found in the Large Magellanic Cloud (Alcock et al. 2001, 2003)."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 21_474

# The project's own list; 6 to 9 are the sequences A to D of Wood et al. 1999.
CLASSES = {
    "1": "RRAB",
    "2": "RRC",
    "3": "RRE",
    "4": "CEP_F",
    "5": "CEP_1O",
    "6": "LPV_A",
    "7": "LPV_B",
    "8": "LPV_C",
    "9": "LPV_D",
    "10": "EB",
    "11": "RR_BLEND",
}

SURVEY = Survey(
    title="MACHO variables, LMC",
    reference="Alcock et al. 2001, 2003, VizieR II/247",
    catalogue=Catalogue(
        origin=vizier(
            {
                "field": "Field",
                "tile": "Tile",
                "seqn": "Seqn",
                "ra_deg": "RAJ2000",
                "dec_deg": "DEJ2000",
                "class": "Class",
                "catalogue_period_d": "bPer",
            },
            table="II/247/machovar",
            rows=ROWS,
            unique=("field", "tile", "seqn"),
        ),
        rows=ROWS,
        epoch_yr=1996.0,
        classes=CLASSES,
        identity=("field", "tile", "seqn"),
    ),
    manners=ASK_GENTLY,
)
