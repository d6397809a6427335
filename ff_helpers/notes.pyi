from .publication.disclosure import Disclosure as Disclosure
from .publication.disclosure import GraderNote as GraderNote
from .publication.disclosure import disclosed as disclosed
from .publication.graded import graded as graded
from .publication.narrative.own import labeller_notes as labeller_notes
from .publication.narrative.own import own_regrade as own_regrade
from .publication.notes import checker_note as checker_note
from .terms import Unknown as Unknown
