"""Tables and curves that show how a measure behaves: power, apparent rates, coverage, paradoxes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("ff_helpers", __file__)
