"""What is remembered: acts and permits, tables, transactions, the record, the audit chain."""
