"""The correction narrative: one Markdown source, rendered to TeX and to a page."""
