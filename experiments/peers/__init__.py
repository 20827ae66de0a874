"""Other systems that do the same work, each as its own users write it; our files and models beside them."""
