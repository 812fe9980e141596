"""From a line that a socket read to the record that the swarm shares."""
