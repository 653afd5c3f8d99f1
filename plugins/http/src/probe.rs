//! Finds out whether a mapped address on this machine speaks TLS.
//!
//! `--resolve` mostly leads the name of an `https` URI to a stub that does not. Sending it the
//! beginning of a handshake in earnest would let a simple stub wait for the end of a line for ever,
//! so the question holds line ends: whoever speaks HTTP in the clear answers it or hangs up.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Who says nothing for so long on this machine does not speak TLS.
const PATIENCE: Duration = Duration::from_millis(500);
/// The first byte of a TLS record: an alert or a handshake.
const RECORDS: [u8; 2] = [0x15, 0x16];

/// True when the address answers a handshake with a record of TLS. An address that cannot be
/// reached counts as speaking TLS: the request itself then says what is wrong.
pub(crate) async fn speaks_tls(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return true;
    };
    if stream.write_all(&question()).await.is_err() {
        return false;
    }
    let mut first = [0_u8; 1];
    let answered = timeout(PATIENCE, stream.read_exact(&mut first)).await;
    matches!(answered, Ok(Ok(_))) && RECORDS.contains(&first[0])
}

/// A `ClientHello` of TLS 1.2 without extensions, whose random and session id are line ends.
fn question() -> Vec<u8> {
    const LINE_ENDS: [u8; 32] =
        *b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
    let mut hello = vec![0x03, 0x03];
    hello.extend(LINE_ENDS);
    hello.push(32);
    hello.extend(LINE_ENDS);
    // Two suites of elliptic curves with AES-GCM, and no compression.
    hello.extend([0x00, 0x04, 0xc0, 0x2f, 0xc0, 0x2b, 0x01, 0x00]);
    let length = u8::try_from(hello.len()).expect("the hello is 76 bytes long");
    let mut record = vec![0x16, 0x03, 0x01, 0x00, length + 4, 0x01, 0x00, 0x00, length];
    record.extend(hello);
    record
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(answer: &'static [u8], hold: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut line = [0_u8; 512];
            let read = stream.read(&mut line).await.expect("bytes");
            assert!(line.iter().take(read).any(|byte| *byte == b'\n'));
            stream.write_all(answer).await.expect("written");
            if hold {
                let _ = stream.read(&mut line).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn tells_tls_from_everything_else() {
        for (answer, hold, expected) in [
            (&[0x15, 3, 3, 0, 2, 2, 40][..], false, true),
            (&[0x16, 3, 3, 0, 1, 2], true, true),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", true, false),
            (b"", false, false),
            (b"", true, false),
        ] {
            let address = answering(answer, hold).await;
            assert_eq!(speaks_tls(address).await, expected, "{answer:?}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let free = listener.local_addr().expect("an address");
        drop(listener);
        assert!(speaks_tls(free).await);
    }
}
