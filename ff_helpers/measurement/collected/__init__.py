"""Scenarios that were run again: what a model did, with known truth, and whether it did so again."""
