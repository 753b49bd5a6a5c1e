//! From a folder of files to blocks and chunks.
