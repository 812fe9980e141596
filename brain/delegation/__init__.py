"""Who may hand work to whom, and who should do it: rules, without a store."""
