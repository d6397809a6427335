"""Every figure, by the name of its function; a new one is a function in a module and a line in the stub."""

import lazy_loader

_figure, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)


def __getattr__(name: str) -> object:
    if name in __all__:
        return _figure(name)
    raise AttributeError(f"no figure {name!r}; there are {', '.join(sorted(__all__))}")
