"""The files of a run: read again, shown again, and the pages made of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)
