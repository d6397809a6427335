"""What is said of each model: its record, as tables, and its trust."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)
