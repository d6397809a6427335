"""Which counts a printed figure leaves possible."""
