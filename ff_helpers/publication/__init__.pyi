from . import facts as facts
from . import figures as figures
from . import paper as paper
