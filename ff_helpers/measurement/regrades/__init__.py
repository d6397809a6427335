"""Old labels beside new ones."""
