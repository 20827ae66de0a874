"""The Python interface: what `import opendpr` gives, each part loaded when it is first used.

opening.py      `open`, `add`
opened.py       a collection that is asked, searched and changed: a method for each verb, `backup` and `verify` too
sources.py      paths, documents, dicts and pairs as what can be added
changes.py      what changes a collection on disk
models.py       `load_encoder`, `load_reader`
evaluation.py   `evaluate`
training.py     `train_encoder`, here or by a cluster
"""
