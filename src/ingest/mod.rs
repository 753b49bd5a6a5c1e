//! Makes an index equal to a folder.
