"""Open clusters: finding a cluster's stars in the astrometry of a field, by several methods on the same stars."""
