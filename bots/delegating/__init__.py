"""Work that is handed to an agent: given, taken, done, told."""
