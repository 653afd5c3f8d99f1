//! Messages as frames of bytes.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// A frame is at most so long: a value of 64 MiB and what stands around it,
/// escaped.
pub const FRAME_LENGTH_MAX: usize = 128 << 20;

/// Writes a message as one frame.
///
/// # Errors
/// The writer's, or a message that is too long or cannot be written as JSON.
pub fn write_frame(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(message).map_err(io::Error::other)?;
    let length = u32::try_from(text.len())
        .ok()
        .filter(|_| text.len() <= FRAME_LENGTH_MAX)
        .ok_or_else(|| io::Error::other("the message is longer than 128 MiB"))?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&text)?;
    out.flush()
}

/// Reads one frame; `None` when the other side closed before it.
///
/// # Errors
/// The reader's, a frame that is too long or cut off, or a message of another
/// shape.
pub fn read_frame<T: for<'de> Deserialize<'de>>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    let mut have = 0;
    while let Some(rest) = length.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 if have == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => have += more,
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_LENGTH_MAX {
        return Err(io::Error::other("the frame is longer than 128 MiB"));
    }
    // The length is not trusted: memory grows with what really comes.
    let mut text = Vec::new();
    from.take(length as u64).read_to_end(&mut text)?;
    if text.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(io::Error::other)
}
