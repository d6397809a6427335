"""Calibration from plain tables of labels."""
