"""Work on a Ray cluster. `encoding.py` and `processes.py` import ray; `place.py` is for those who may go without."""
