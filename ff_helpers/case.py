"""The published record: the crescendo correction, the export, and what was printed of both."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)
