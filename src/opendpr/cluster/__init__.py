"""Work on a Ray cluster. `encoding.py` alone imports ray; `place.py` is for those who may go without."""
