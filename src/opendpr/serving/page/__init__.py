"""The web page: made on the server, usable without scripts, with nothing from outside."""
