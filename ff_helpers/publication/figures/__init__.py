"""Figures, one module per subject, one function per figure; notebooks reach them as `ff.figures.<name>`."""
