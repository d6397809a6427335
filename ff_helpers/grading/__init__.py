"""Traces to verdicts: the FLIP method, graders, the ledger, campaigns."""
