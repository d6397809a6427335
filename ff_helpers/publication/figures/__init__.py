"""Figures, one module a subject, one function a figure; notebooks reach them as `ff.figures.<name>`.

A new figure is one function in a module here and one line in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
