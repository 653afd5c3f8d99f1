//! A scripted SMTP server in threads of its own, on a real socket.
//!
//! `ca.pem`, `server.pem` and `server.key` are made for these tests (`localhost`, valid for a
//! hundred years) and protect nothing.
#![allow(dead_code, reason = "each test uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub const CA: &str = include_str!("ca.pem");

/// What the server does when a verb comes.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Reply(&'static str),
    /// Says nothing any more until the client hangs up.
    Stall,
    /// Hangs up.
    Drop,
}

use Step::Reply;

/// The course of every conversation.
#[derive(Clone, Copy)]
pub struct Script {
    pub banner: Step,
    pub hello: Step,
    /// The answer to `STARTTLS`.
    pub go_ahead: Step,
    pub auth: Step,
    pub mail: Step,
    pub recipient: Step,
    pub data: Step,
    /// After the final dot.
    pub dot: Step,
    /// Says it to every `NOOP`.
    pub noop: Step,
    pub quit: Step,
    /// Hangs up after so many mails of one connection.
    pub mails_max: usize,
    pub start_tls: bool,
    /// TLS from the first byte.
    pub wrapped: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            banner: Reply("220 mail.example ESMTP"),
            hello: Reply("250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN"),
            go_ahead: Reply("220 go on"),
            auth: Reply("235 welcome"),
            mail: Reply("250 ok"),
            recipient: Reply("250 ok"),
            data: Reply("354 go on"),
            dot: Reply("250 taken"),
            noop: Reply("250 here"),
            quit: Reply("221 bye"),
            mails_max: usize::MAX,
            start_tls: false,
            wrapped: false,
        }
    }
}

/// A mail as it came over the wire.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    pub encrypted: bool,
}

pub struct Server {
    pub port: u16,
    pub mails: Arc<Mutex<Vec<Received>>>,
    pub connections: Arc<AtomicUsize>,
    pub auths: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Self {
            port: listener.local_addr().expect("an address").port(),
            mails: Arc::default(),
            connections: Arc::default(),
            auths: Arc::default(),
        };
        let (mails, connections, auths) = (
            server.mails.clone(),
            server.connections.clone(),
            server.auths.clone(),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (mails, auths) = (mails.clone(), auths.clone());
                std::thread::spawn(move || {
                    let talk = Talk {
                        script,
                        mails,
                        auths,
                    };
                    // The end of a conversation is no event: clients hang up as they like.
                    let _ = talk.serve(stream);
                });
            }
        });
        server
    }

    pub fn taken(&self) -> Vec<Received> {
        self.mails.lock().expect("no panic").clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

struct Talk {
    script: Script,
    mails: Arc<Mutex<Vec<Received>>>,
    auths: Arc<Mutex<Vec<String>>>,
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

enum End {
    Closed,
    StartTls,
}

impl Talk {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        if self.script.wrapped {
            let mut reader = BufReader::new(encrypted(stream));
            self.perform(&mut reader, self.script.banner)?;
            return self.talk(&mut reader, true).map(|_| ());
        }
        let mut reader = BufReader::new(stream);
        self.perform(&mut reader, self.script.banner)?;
        match self.talk(&mut reader, false)? {
            End::Closed => Ok(()),
            End::StartTls => {
                let mut reader = BufReader::new(encrypted(reader.into_inner()));
                self.talk(&mut reader, true).map(|_| ())
            }
        }
    }

    fn perform<S: Wire>(&self, reader: &mut BufReader<S>, step: Step) -> std::io::Result<()> {
        match step {
            Reply(text) => {
                let wire = reader.get_mut();
                wire.write_all(text.as_bytes())?;
                wire.write_all(b"\r\n")?;
                wire.flush()
            }
            Step::Stall => {
                let mut rest = Vec::new();
                let _ = reader.read_to_end(&mut rest);
                Err(std::io::ErrorKind::ConnectionReset.into())
            }
            Step::Drop => Err(std::io::ErrorKind::ConnectionReset.into()),
        }
    }

    fn talk<S: Wire>(&self, reader: &mut BufReader<S>, encrypted: bool) -> std::io::Result<End> {
        let mut mail = Received {
            from: String::new(),
            to: Vec::new(),
            data: String::new(),
            encrypted,
        };
        let mut taken = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(End::Closed);
            }
            let line = line.trim_end().to_owned();
            let verb = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_uppercase();
            match verb.as_str() {
                "EHLO" if self.script.start_tls && !encrypted => {
                    self.perform(reader, Reply("250-mail.example\r\n250 STARTTLS"))?;
                }
                "EHLO" => self.perform(reader, self.script.hello)?,
                "STARTTLS" => {
                    self.perform(reader, self.script.go_ahead)?;
                    return Ok(End::StartTls);
                }
                "AUTH" => {
                    self.auths.lock().expect("no panic").push(line);
                    self.perform(reader, self.script.auth)?;
                }
                "MAIL" => {
                    mail.from = line;
                    self.perform(reader, self.script.mail)?;
                }
                "RCPT" => {
                    mail.to.push(line);
                    self.perform(reader, self.script.recipient)?;
                }
                "DATA" => {
                    self.perform(reader, self.script.data)?;
                    if !matches!(self.script.data, Reply(reply) if reply.starts_with("354")) {
                        continue;
                    }
                    mail.data = data(reader)?;
                    // The server has the mail now, whatever it answers.
                    self.mails.lock().expect("no panic").push(mail.clone());
                    mail.to.clear();
                    self.perform(reader, self.script.dot)?;
                    taken += 1;
                    if taken >= self.script.mails_max {
                        return Ok(End::Closed);
                    }
                }
                "NOOP" => self.perform(reader, self.script.noop)?,
                "RSET" => self.perform(reader, Reply("250 ok"))?,
                "QUIT" => {
                    self.perform(reader, self.script.quit)?;
                    return Ok(End::Closed);
                }
                _ => self.perform(reader, Reply("500 unknown"))?,
            }
        }
    }
}

/// The lines up to the final dot, without the dots that protect dots.
fn data<S: Wire>(reader: &mut BufReader<S>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn encrypted(stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let chain = CertificateDer::pem_slice_iter(include_bytes!("server.pem"))
        .collect::<Result<Vec<_>, _>>()
        .expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("server.key")).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    let connection = ServerConnection::new(Arc::new(config)).expect("a connection");
    StreamOwned::new(connection, stream)
}
