"""Figures, one module a subject, one function a figure; notebooks reach them as `ff.figures.<name>`."""
