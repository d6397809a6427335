"""Every figure, by the name of its function; a new one is a function in a module and a line in the stub."""

from functools import cache

import lazy_loader

_found, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)


@cache
def __getattr__(name: str) -> object:
    from ff_helpers.publication.metadata import told

    if name not in __all__:
        raise AttributeError(f"no figure {name!r}; there are {', '.join(sorted(__all__))}")
    figure = _found(name)
    return told(figure) if callable(figure) else figure
