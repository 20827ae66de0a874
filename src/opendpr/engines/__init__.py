"""Which other machines hold the vectors too: servers that a collection is pushed to, and that find candidates."""
