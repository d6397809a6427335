"""Numbers to artifacts, every one with its disclosure: tables, figures, narrative, claims, atlas, report."""
