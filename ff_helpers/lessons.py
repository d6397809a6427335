"""What a table says, in sentences: one function per lesson."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)
