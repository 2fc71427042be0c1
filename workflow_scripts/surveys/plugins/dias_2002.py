"""Optically visible open clusters (Dias et al. 2002, version 3.5): where the clusters of Alvaro 2020 are looked for."""

from workflow_scripts.surveys.catalogue import ASK_GENTLY, Catalogue, vizier
from workflow_scripts.surveys.survey import Survey

ROWS = 2_167

SURVEY = Survey(
    title="OpenClust, optically visible open clusters",
    reference="Dias et al. 2002, A&A 389, 871",
    catalogue=Catalogue(
        origin=vizier(
            {
                "object_id": "Cluster",
                "ra_deg": "RAJ2000",
                "dec_deg": "DEJ2000",
                "diameter_arcmin": "Diam",  # a diameter, not a radius
            },
            table="B/ocl/clusters",
            rows=ROWS,
            unique=(),  # FSR 1496 comes twice
        ),
        rows=ROWS,
        epoch_yr=2000.0,
    ),
    manners=ASK_GENTLY,
)
