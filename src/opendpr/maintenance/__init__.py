"""What changes a collection: one function for each verb, which the command line, the service and Python call alike."""
