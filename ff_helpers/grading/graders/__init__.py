"""Graders, one module a kind, chosen by a spec string."""
