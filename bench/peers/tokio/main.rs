// SPDX-License-Identifier: ISC
//! An echo server: a task for each connection on tokio's worker threads.
//!
//! usage: tokio-echo PORT WORKERS

use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 16384];

    stream.set_nodelay(true)?;
    loop {
        let size = stream.read(&mut buffer).await?;
        if size == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..size]).await?;
    }
}

async fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;

    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    }
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next()?.parse::<u16>().ok();
    let (port, workers) = match (number(), number()) {
        (Some(port), Some(workers)) => (port, workers),
        _ => {
            eprintln!("usage: tokio-echo PORT WORKERS");
            std::process::exit(1);
        }
    };

    // A task of its own: the main thread's would not run on a worker.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.into())
        .enable_io()
        .build()?
        .block_on(async move { tokio::spawn(serve(port)).await? })
}
