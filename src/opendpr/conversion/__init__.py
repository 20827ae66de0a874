"""Models of other systems, brought into the form of opendpr and back."""
