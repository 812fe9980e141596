"""The doctor: looks at the machine, the settings and the services, and says how to mend each."""
