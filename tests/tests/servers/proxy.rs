//! What stands between a client and its server, and cuts or holds the line where it is told to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::timeout;

/// A way to a server that may fail.
pub(crate) struct Proxy {
    /// Where clients find it.
    pub(crate) address: SocketAddr,
    line: Arc<Line>,
    /// It ends with this.
    runtime: Option<Runtime>,
}

/// What happens to a packet that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not arrive, and the connection is gone.
    LostBefore,
    /// It arrives, and the connection is gone before the answer.
    LostAfter,
    /// It does not arrive, and nothing else does, until the client is gone.
    Held,
}

/// A packet that a client sends, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet {
    /// From now on.
    FromNow(u64),
    /// From the next one that begins a transaction, which it does in plain text.
    OfTransaction(u64),
}

struct Line {
    server: Mutex<SocketAddr>,
    /// Which packet has a fault, counted from the next one on.
    fault: Mutex<Option<(Packet, Fault)>>,
    /// Packets that clients have sent.
    packets: AtomicU64,
    /// Faults that happened.
    faults: AtomicU64,
    happened: Notify,
    /// Whether nothing arrives any more.
    is_held: AtomicBool,
    /// Ends all connections.
    all_gone: Notify,
}

impl Proxy {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let line = Arc::new(Line {
            server: Mutex::new(server),
            fault: Mutex::new(None),
            packets: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            happened: Notify::new(),
            is_held: AtomicBool::new(false),
            all_gone: Notify::new(),
        });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(accept(listener, Arc::clone(&line)));
        Self { address, line, runtime: Some(runtime) }
    }

    /// The URL of the same database by way of this.
    pub(crate) fn in_front_of(&self, url: &str) -> String {
        let (before, after) = url.split_once('@').expect("a user");
        let (_, after) = after.split_once('/').expect("a database");
        format!("{before}@{}/{after}", self.address)
    }

    /// Lets a packet have a fault. There is one at a time.
    pub(crate) fn plan(&self, packet: Packet, fault: Fault) {
        self.line.is_held.store(false, Ordering::SeqCst);
        *self.line.fault() = Some((packet, fault));
    }

    /// Takes a planned fault back; whether it had happened.
    pub(crate) fn clear(&self) -> bool {
        self.line.is_held.store(false, Ordering::SeqCst);
        self.line.fault().take().is_none()
    }

    /// Cuts all connections.
    pub(crate) fn cut_all(&self) {
        self.line.all_gone.notify_waiters();
    }

    /// Waits for the fault that is planned.
    pub(crate) async fn fault_happens(&self) {
        let happened = self.line.happened.notified();
        if self.line.fault().is_some() {
            happened.await;
        }
    }

    /// Waits for the fault that is planned, until no client has sent anything for so long.
    pub(crate) async fn fault_happens_unless_idle(&self, idle: Duration) {
        loop {
            let before = self.line.packets.load(Ordering::SeqCst);
            let has_happened = timeout(idle, self.fault_happens()).await.is_ok();
            if has_happened || self.line.packets.load(Ordering::SeqCst) == before {
                return;
            }
        }
    }

    /// How many faults happened.
    pub(crate) fn faults(&self) -> u64 {
        self.line.faults.load(Ordering::SeqCst)
    }

    /// Leads connections that come from now on to another place.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *self.line.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Without a wait for its tasks: where this is dropped, nothing may wait.
        self.runtime.take().map(Runtime::shutdown_background).unwrap_or_default();
    }
}

impl Line {
    fn fault(&self) -> MutexGuard<'_, Option<(Packet, Fault)>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the next packet of a client.
    fn next(&self, text: &[u8]) -> Option<Fault> {
        self.packets.fetch_add(1, Ordering::SeqCst);
        if self.is_held.load(Ordering::SeqCst) {
            return Some(Fault::Held);
        }
        let mut planned = self.fault();
        let (packet, fault) = planned.as_mut()?;
        let left = match *packet {
            Packet::OfTransaction(_) if !text.ends_with(b"BEGIN") => return None,
            Packet::OfTransaction(number) | Packet::FromNow(number) => number.saturating_sub(1),
        };
        *packet = Packet::FromNow(left);
        if left > 0 {
            return None;
        }
        let fault = *fault;
        *planned = None;
        drop(planned);
        self.is_held.store(fault == Fault::Held, Ordering::SeqCst);
        self.faults.fetch_add(1, Ordering::SeqCst);
        self.happened.notify_waiters();
        Some(fault)
    }
}

async fn accept(listener: TcpListener, line: Arc<Line>) {
    while let Ok((client, _)) = listener.accept().await {
        let server = *line.server.lock().unwrap_or_else(PoisonError::into_inner);
        let line = Arc::clone(&line);
        tokio::spawn(async move {
            // A server that is not there takes no connection, and so does this.
            let Ok(server) = TcpStream::connect(server).await else { return };
            for stream in [&client, &server] {
                stream.set_nodelay(true).ok();
            }
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let is_mute = AtomicBool::new(false);
            // Whichever ends first ends both: the streams are dropped.
            tokio::select! {
                () = requests(from_client, to_server, &line, &is_mute) => {}
                () = answers(from_server, to_client, &is_mute) => {}
                () = line.all_gone.notified() => {}
            }
        });
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: &Line, is_mute: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let packet = buffer.get(..length).unwrap_or_default();
        match line.next(packet) {
            Some(Fault::LostBefore) => return,
            Some(Fault::LostAfter) => is_mute.store(true, Ordering::SeqCst),
            Some(Fault::Held) => {
                // Until the client is gone.
                while let Ok(1..) = from.read(&mut buffer).await {}
                return;
            }
            None => {}
        }
        if to.write_all(packet).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_mute: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if is_mute.load(Ordering::SeqCst) {
            return;
        }
        if to.write_all(buffer.get(..length).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}
