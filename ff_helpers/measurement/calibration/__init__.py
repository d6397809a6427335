"""Is a grader right: confusion, gate, power, cards."""
