"""Models: the directory they are stored in, their tokenizer, the runtimes that compute them, encoder and reader."""
