"""Talking to a language model: the one interface that graders and targets share."""
