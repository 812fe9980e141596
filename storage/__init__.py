"""What is remembered: acts and permits, tables, transactions, the record of channels, the audit chain."""
