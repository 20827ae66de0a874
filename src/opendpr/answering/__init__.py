"""From a question to answers: a retriever, a reader and a decoder, how sure the answer is, and its JSON form."""

from opendpr.answering.asked_question import check_question
from opendpr.answering.decoding import outcome
from opendpr.answering.opening import open_answerer
from opendpr.answering.pipeline import Answerer

__all__ = ["Answerer", "check_question", "open_answerer", "outcome"]
