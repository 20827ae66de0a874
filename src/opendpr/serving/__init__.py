"""A collection as a service: an HTTP API, a web page, and tools for a language model."""
