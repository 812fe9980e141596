"""Errors of this package.

StorageError
├── StoreUnavailable
├── SchemaTooNew
├── LeaseLost
├── LatchUnreadable
└── PermitRefused
"""


class StorageError(Exception):
    """What is remembered could not be read or written."""


class StoreUnavailable(StorageError):
    """The database cannot be used now: locked, unreachable, full, read-only or damaged."""


class SchemaTooNew(StorageError):
    """A newer Parley wrote this database; update this one or point it at another database."""


class LeaseLost(StorageError):
    """Another process holds this lease now; what was done under the old epoch is refused."""


class LatchUnreadable(StorageError):
    """The kill latch cannot be read, so the swarm counts as killed."""


class PermitRefused(StorageError):
    """This act has no permit, or the permit is for something else."""
