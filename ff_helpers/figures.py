"""Every figure, by the name of its function; a new one is a function in a module and a line in the stub."""

from functools import cache

import lazy_loader

_found, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)


@cache
def __getattr__(name: str) -> object:
    from ff_helpers.publication.about import told

    figure = _found(name)
    return told(figure) if callable(figure) else figure
