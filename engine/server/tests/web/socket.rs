//! The accept loop on a real socket of the loopback address.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tongban_server::demo::{self, DemoOptions};
use tongban_server::serve;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_requests_end_and_takes_no_new_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = DemoOptions {
        site: std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.."),
        data: folder.path().join("demo"),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..DemoOptions::default()
    };
    let listener = serve::listen(options.listen).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (app, engine) = demo::prepare(&options, address)
        .await
        .expect("the site comes up");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve::run(app, engine, listener, async {
        let _ = stopped.await;
    }));

    let mut kept = TcpStream::connect(address).await.expect("it listens");
    assert!(ask(&mut kept).await.starts_with("HTTP/1.1 200 OK"));
    assert!(
        ask(&mut kept).await.ends_with("ok\n"),
        "a connection takes several requests"
    );
    assert!(
        too_much(address).await.contains("application/problem+json"),
        "who sends too much is told so, not cut off"
    );
    stop.send(()).expect("it runs");
    server.await.expect("it ends").expect("it ends well");
    let mut rest = Vec::new();
    kept.read_to_end(&mut rest)
        .await
        .expect("the idle connection was closed");
    assert!(rest.is_empty());
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

async fn ask(stream: &mut TcpStream) -> String {
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("the request goes out");
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 1024];
    while !answer.ends_with(b"ok\n") {
        let count = stream.read(&mut buffer).await.expect("an answer comes");
        assert!(count > 0, "the connection broke off");
        answer.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a body far above the limit, to its end, and gives the answer.
async fn too_much(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let length = 20 << 20;
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("it listens");
    stream
        .write_all(&vec![b'x'; length])
        .await
        .expect("it takes all of it");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    answer
}
