"""What only people may decide or do: asking them, telling them louder, going on with the answer."""
