"""The atlas: what may be said of each model, from names and counts to a record, a tier and a page."""
