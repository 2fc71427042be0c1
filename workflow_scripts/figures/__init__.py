"""Figures of the report: each function takes arrays or small records and returns a matplotlib Figure."""
