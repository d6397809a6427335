"""From profiles to runs: which notebook runs with which parameters, and what is stale."""
