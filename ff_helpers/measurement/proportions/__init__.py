"""Proportions of any kind and their intervals."""
