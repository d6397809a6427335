"""Every figure, by the name of its function; a new one is a function in a module and a line in the stub."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)
