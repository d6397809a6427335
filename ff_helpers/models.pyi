from .corpus.canonical import resolve_names as resolve_names
from .publication.atlas.files import read_signal as read_signal
from .publication.atlas.frames import intent_table as intent_table
from .publication.atlas.frames import reported_table as reported_table
from .publication.atlas.frames import signal_table as signal_table
from .publication.atlas.frames import trust_table as trust_table
