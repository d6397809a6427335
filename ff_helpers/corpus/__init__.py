"""Traces in: reading, sources, canonical model ids, proxy traces."""
