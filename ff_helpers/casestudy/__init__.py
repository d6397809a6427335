"""The published record: the crescendo regrade, the exported counts, and the sample paper."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["facts", "paper"])
