"""Proportions and their intervals, whatever they are proportions of."""
