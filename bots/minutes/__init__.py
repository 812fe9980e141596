"""The daily stand-up and the meeting notes: called for by the captain, written by the secretary."""
