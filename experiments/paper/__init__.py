"""What is right or wrong: retrieval, answers, training and confidence, as the paper has them, of our models."""
