"""Old labels compared with new ones."""
