"""The systems that the paper compares itself with or names, over our collections and judged as our own."""
