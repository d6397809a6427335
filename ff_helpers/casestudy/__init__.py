"""What is about the published record: the crescendo regrade, the exported counts, and the sample paper."""
