"""What meets the world: settings, supervisor, bus, inbox, IRC, commands, command line."""
