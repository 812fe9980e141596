"""What a model is told: templates, and how words from outside are fenced."""
