//! How much one change may take.

/// The largest change, in bytes of text, blobs apart.
pub const CHANGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most that the blobs of one change take: the input of an instance and the collection of a loop come once, whole.
pub const BLOB_BYTES_MAX: usize = 160 * 1024 * 1024;
