//! How long the JSON text of plain values is, without writing it.
//!
//! The definition is what [`Value::to_json`](super::Value::to_json) writes:
//! compact, integers and floats with all their digits, in texts one byte of
//! UTF-8 as one, `\" \\ \b \f \n \r \t` as two and the other control
//! characters as six.

use std::io;

use crate::meter;

/// `-` and the digits.
pub(super) fn of_integer(i: i64) -> u64 {
    let digits = i.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
    u64::from(digits) + u64::from(i < 0)
}

/// The shortest digits that read back as the same number.
pub(super) fn of_float(f: f64) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Numbers that are not finite are written as `null`.
    match serde_json::to_writer(&mut count, &f) {
        Ok(()) => count.0,
        Err(_) => 4,
    }
}

/// The text in quotes, escaped.
pub(super) fn of_text(text: &str) -> u64 {
    meter::spend(text.len() / 256);
    let bytes = text.as_bytes();
    let plain = bytes.len() as u64 + 2;
    // One pass without branches finds the usual text, which escapes nothing.
    let special = bytes.iter().filter(|byte| is_special(**byte)).count();
    if special == 0 {
        return plain;
    }
    let more = bytes.iter().map(|byte| match byte {
        b'"' | b'\\' | 0x08..=0x0a | 0x0c | 0x0d => 1,
        0..=0x1f => 5,
        _ => 0,
    });
    plain + more.sum::<u64>()
}

fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}
