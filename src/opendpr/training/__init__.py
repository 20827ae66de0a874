"""Training: settings, the loop, and what each trained part minimises. Needs torch."""
