"""A stub of the model vendors, on the loopback: real wire formats, invented answers, its own bill.

`script` says what is answered, `server` listens, and each ``*_wire`` module speaks one vendor's
format. It imports nothing of Parley: it proves nothing about what it would import.
"""
