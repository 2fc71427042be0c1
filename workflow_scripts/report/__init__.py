"""The report: one HTML file that is read from top to bottom, to decide whether the catalogue can be defended."""
