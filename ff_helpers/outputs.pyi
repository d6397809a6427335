from .grading.importing.part import import_results as import_results
from .paths import Run as Run
from .publication.evaluator import save_evaluator_cards as save_evaluator_cards
from .publication.explore import pick as pick
from .publication.explore import read_table as read_table
from .publication.explore import show_table as show_table
from .publication.grader_page import save_grader_page as save_grader_page
from .publication.student import save_student_page as save_student_page
