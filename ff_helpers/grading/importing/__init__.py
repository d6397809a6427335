"""Results of other tools in: rows of a reader become traces, ledgers of verdicts, and people's labels."""
