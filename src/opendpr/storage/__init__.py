"""Files on the disk: atomic writes, compression, digests. Knows nothing of what the files hold."""
