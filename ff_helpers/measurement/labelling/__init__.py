"""Labelling a sample of traces in a browser, blind: one person's way through it, and the page."""
