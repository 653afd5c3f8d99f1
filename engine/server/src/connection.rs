//! One connection: it has to say something, take its answers, and let go when the server stops. hyper bounds the time
//! of headers; what comes before and after them is bounded here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

/// What a client of HTTP/2 says first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Between two looks at a beginning that may still become that.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Waits for as many bytes as tell the protocols apart; false when they do not come in time. hyper looks at the same
/// bytes, for ever if need be.
pub async fn is_greeted(stream: &TcpStream, within: Duration) -> bool {
    let look = async {
        let mut seen = [0; PREFACE.len()];
        loop {
            let count = stream.peek(&mut seen).await?;
            let begins = seen
                .get(..count)
                .is_some_and(|seen| PREFACE.starts_with(seen));
            if count == 0 || count == PREFACE.len() || !begins {
                return io::Result::Ok(count > 0);
            }
            sleep(LOOK_PAUSE).await;
        }
    };
    matches!(timeout(within, look).await, Ok(Ok(true)))
}

/// A stream that breaks off when its other end takes nothing for so long: who asks and never reads holds no place.
pub struct Taken<S> {
    stream: S,
    within: Duration,
    /// Runs since the first byte that was not taken.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Taken<S> {
    /// Bounds the time in which something must be taken.
    pub fn new(stream: S, within: Duration) -> Self {
        Self {
            stream,
            within,
            stalled: None,
        }
    }

    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        step: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if step.is_ready() {
            self.stalled = None;
            return step;
        }
        let within = self.within;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taken<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taken<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let step = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, step)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let step = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bounded(context, step)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(context, step)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = Pin::new(&mut self.stream).poll_shutdown(context);
        self.bounded(context, step)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Short where it runs out, long where it must not.
    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    /// Both ends of a connection over which the client has said `first`.
    async fn connected(first: &[u8]) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let mut client = TcpStream::connect(address).await.expect("it connects");
        client.write_all(first).await.expect("it is sent");
        let (server, _) = listener.accept().await.expect("it is taken");
        (client, server)
    }

    #[tokio::test]
    async fn who_says_nothing_is_not_waited_for() {
        for first in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n"] {
            let (_client, server) = connected(first).await;
            assert!(!is_greeted(&server, SHORT).await, "{first:?}");
        }
    }

    #[tokio::test]
    async fn both_protocols_are_known_by_their_first_bytes() {
        for first in [&b"G"[..], b"POST", PREFACE] {
            let (_client, server) = connected(first).await;
            server.readable().await.expect("the bytes arrive");
            assert!(is_greeted(&server, LONG).await, "{first:?}");
        }
        let (client, server) = connected(b"").await;
        drop(client);
        assert!(!is_greeted(&server, LONG).await, "it is gone");
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_breaks_the_connection_off() {
        let (mut client, server) = tokio::io::duplex(16);
        let mut patient = Taken::new(server, LONG);
        patient.write_all(&[1; 16]).await.expect("there is room");
        let mut first = [0; 8];
        let (answered, taken) =
            tokio::join!(patient.write_all(&[2; 8]), client.read_exact(&mut first));
        answered.expect("a reader is waited for");
        taken.expect("the first bytes are there");
        let mut server = Taken::new(patient.stream, SHORT);
        let error = server.write_all(&[3]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
