"""What changes a collection, imports or exports it: one function a verb, for command line, service and Python alike.

A backup changes nothing, and is `collection/backup.py`.
"""
