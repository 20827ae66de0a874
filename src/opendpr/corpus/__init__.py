"""Documents out of files, directories and standard input.

`kinds.py` is the table: which suffix is read by what. A kind that is plain text is one function in a file of its
own. A kind that takes a parser (HTML, PDF, .docx, .epub) is one file too, run by `child.py` in a process that can be
killed and that `sandbox.py` holds. What cannot become a document is never lost in silence: it is skipped with a
place and a reason.
"""

from opendpr.corpus.corpus import CLEANED_OUT, GIVEN_TWICE, STANDARD_INPUT, Corpus
from opendpr.corpus.events import Skipped
from opendpr.corpus.kinds import READERS
from opendpr.corpus.walk import DIRECTORY_LINK, LEFT_OUT

__all__ = [
    "CLEANED_OUT",
    "DIRECTORY_LINK",
    "GIVEN_TWICE",
    "LEFT_OUT",
    "READERS",
    "STANDARD_INPUT",
    "Corpus",
    "Skipped",
]
