"""The atlas: what can be said about each model, from names and counts to a record, a tier and a page."""
