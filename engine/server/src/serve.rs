//! The accept loop: bounded connections, headers in time, a stop that lets requests end. A whole stop takes less than
//! 30 seconds: these requests, then the engine's own work, then the last changes.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::app::App;
use crate::assemble::{self, Engine};
use crate::config::{Config, Limits};
use crate::connection::{Taken, is_greeted};
use crate::router::router;

/// How long a stopping server waits for requests that are being answered.
const DRAIN: Duration = Duration::from_secs(15);
/// The largest headers of one request.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Who asks: the other end of the connection, or whom a proxy of the site names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The last address that no proxy of the site added itself. Whatever stands before it anybody may have written.
    fn of(peer: SocketAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> Self {
        let mut address = peer.ip();
        let named = headers.get_all("x-forwarded-for").iter().rev();
        let named = named.filter_map(|value| value.to_str().ok());
        for text in named.flat_map(|list| list.rsplit(',')) {
            if !proxies.contains(&address.to_canonical()) {
                break;
            }
            match text.trim().parse::<IpAddr>() {
                Ok(next) => address = next,
                Err(_) => break,
            }
        }
        Self(SocketAddr::new(address, peer.port()))
    }
}

/// Serves a site until the process is told to stop.
///
/// # Errors
/// The site cannot be put together, or the address cannot be listened on.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let (app, engine) = assemble::app(&config).await?;
    let listener = listen(config.listen).await?;
    tracing::info!(address = %config.listen, url = %config.url, "serving");
    run(app, engine, listener, stopped()).await
}

/// Binds the address.
///
/// # Errors
/// The address is taken or not ours.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: choose another one with `listen` or TONGBAN_LISTEN")
    })
}

/// Runs the HTTP face until `stop` ends, then lets it and the engine finish what they do. An engine that ends by itself
/// ends the server: without timers and mails it would only look alive.
///
/// # Errors
/// The engine failed.
pub async fn run(
    app: App,
    mut engine: Engine,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (stopping, stopped) = watch::channel(false);
    let proxies = Arc::clone(&app.site.proxies);
    let faces = tokio::spawn(accept(router(&app), listener, app.limits, proxies, stopped));
    let failed = tokio::select! {
        () = stop => None,
        error = engine.failed() => Some(error),
    };
    tracing::info!("stopping: no new connections are taken");
    // Whoever listens has gone when this fails.
    let _ = stopping.send(true);
    faces.await.context("the accept loop ended badly")?;
    match failed {
        Some(error) => Err(error),
        None => engine.stop().await,
    }
}

/// Ends when the process is told to stop, by SIGTERM or by Ctrl-C.
pub async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be waited for; Ctrl-C still stops");
            // Without it there is no way to hear of a stop: the process then ends with its terminal.
            let _ = interrupt.await;
        }
    }
}

async fn accept(
    router: Router,
    listener: TcpListener,
    limits: Limits,
    proxies: Arc<[IpAddr]>,
    mut stopped: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.header_seconds))
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .max_concurrent_streams(128)
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .max_pending_accept_reset_streams(32);
    let builder = Arc::new(builder);
    while !*stopped.borrow() {
        let permit = tokio::select! {
            permit = Arc::clone(&connections).acquire_owned() => permit,
            _ = stopped.changed() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most often: trying again at once would only spin.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (builder, router, stopped) = (Arc::clone(&builder), router.clone(), stopped.clone());
        let proxies = Arc::clone(&proxies);
        tokio::spawn(async move {
            let _permit = permit;
            connection(&builder, router, stream, (peer, proxies), limits, stopped).await;
        });
    }
    drop(listener);
    // All permits come back when the last connection has ended.
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(DRAIN, connections.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time");
    }
}

async fn connection(
    builder: &Builder<TokioExecutor>,
    router: Router,
    stream: TcpStream,
    (peer, proxies): (SocketAddr, Arc<[IpAddr]>),
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let greeted = tokio::select! {
        greeted = is_greeted(&stream, Duration::from_secs(limits.header_seconds)) => greeted,
        // The sender going away is a stop too.
        _ = stopped.wait_for(|stop| *stop) => false,
    };
    if !greeted {
        return;
    }
    let stream = Taken::new(stream, Duration::from_secs(limits.request_seconds));
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        let who = Peer::of(peer, request.headers(), &proxies);
        async move {
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(who);
            let answer: Result<_, Infallible> = router.oneshot(request).await;
            answer
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let stop = async move {
        // The sender going away is a stop too; what it lent is given back before anything else waits.
        drop(stopped.wait_for(|stop| *stop).await);
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop => {
            // What is being answered is finished; the next request finds another node.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_of_the_site_is_believed() {
        let proxies = ["127.0.0.1".parse().expect("an address")];
        let who = |peer: &str, named: &[&str]| {
            let mut headers = HeaderMap::new();
            for list in named {
                headers.append("x-forwarded-for", list.parse().expect("a header"));
            }
            let peer = format!("{peer}:5000").parse().expect("an address");
            Peer::of(peer, &headers, &proxies).0.ip().to_string()
        };
        assert_eq!(who("10.0.0.7", &[]), "10.0.0.7");
        assert_eq!(who("10.0.0.7", &["10.0.0.8"]), "10.0.0.7", "no proxy");
        assert_eq!(who("127.0.0.1", &["10.0.0.8"]), "10.0.0.8");
        assert_eq!(
            who("127.0.0.1", &["6.6.6.6, 10.0.0.8"]),
            "10.0.0.8",
            "what a client wrote itself stands before"
        );
        assert_eq!(who("127.0.0.1", &["10.0.0.8, 127.0.0.1"]), "10.0.0.8");
        assert_eq!(who("127.0.0.1", &["6.6.6.6", "10.0.0.9"]), "10.0.0.9");
        assert_eq!(who("127.0.0.1", &["nonsense"]), "127.0.0.1");
    }
}
