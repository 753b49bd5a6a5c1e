//! The port to threads and their items, and the table of its backends.
