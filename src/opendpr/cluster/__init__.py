"""Work on a Ray cluster. All but `place.py`, which is for those who may go without, import ray."""
