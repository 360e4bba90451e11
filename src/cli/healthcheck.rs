//! `deskless healthcheck`: asks the server on this machine whether it is ready. For containers, which have no other client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::CliError;
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(2);

/// Succeeds when `/readyz` of the configured address answers 200.
pub(super) async fn run(config: &Config) -> Result<(), CliError> {
    let address = local(config.server.listen);
    let status = timeout(PATIENCE, ask(address)).await.map_err(|_| CliError::Message(format!("{address} does not answer")))?;
    match status.map_err(|e| CliError::Io(format!("cannot ask {address}"), e))?.as_str() {
        "200" => Ok(()),
        other => Err(CliError::Message(format!("not ready: {other}"))),
    }
}

/// The address to reach the server at from this machine: one that listens everywhere is reached on the loopback.
fn local(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The status of `GET /readyz`.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut head = String::new();
    stream.take(1024).read_to_string(&mut head).await?;
    Ok(head.split_whitespace().nth(1).unwrap_or("no answer").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_the_loopback() {
        assert_eq!(local("0.0.0.0:8080".parse().unwrap()), "127.0.0.1:8080".parse().unwrap());
        assert_eq!(local("[::]:8080".parse().unwrap()), "[::1]:8080".parse().unwrap());
        assert_eq!(local("10.1.2.3:80".parse().unwrap()), "10.1.2.3:80".parse().unwrap());
    }

    #[tokio::test]
    async fn reads_the_status() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 256];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        });
        assert_eq!(ask(address).await.unwrap(), "503");
    }
}
