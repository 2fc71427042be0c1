"""Names of the methods, by which every table tells them; a published list has none of these."""

KMEANS, SILHOUETTE, DEC, FILTERED = "K-Means", "K-Means, silhouette", "DEC", "DEC, filtered"
HDBSCAN, MIXTURE, WINDOW, DENSITY = "HDBSCAN", "Gaussian mixture", "mixture in a window", "kernel density"
FINAL = "membership"
METHODS = (KMEANS, SILHOUETTE, DEC, FILTERED, HDBSCAN, MIXTURE, WINDOW, DENSITY, FINAL)
