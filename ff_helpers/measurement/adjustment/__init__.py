"""Taking a grader's errors back out of a rate."""
