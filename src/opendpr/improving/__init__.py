"""How a tool gets better by use: judgements of answers, questions made of them, and a model fitted to those."""
