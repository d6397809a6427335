"""Numbers to artifacts, every one with its disclosure: tables, figures, narrative, claims, atlas, report."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
