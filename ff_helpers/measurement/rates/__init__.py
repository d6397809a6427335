"""Verdict counts, and every rate that is taken from them."""
