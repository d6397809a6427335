"""A sample of graded traces to label, and what people said of it."""
