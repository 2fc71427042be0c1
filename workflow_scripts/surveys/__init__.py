"""Surveys: one plug-in, one file."""
