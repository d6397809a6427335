"""Figures, one module a subject, one function a figure."""
