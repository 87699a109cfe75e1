//! What relay and gate say to each other.
//!
//! ```text
//! message = length (4, big-endian) │ kind (1) │ body (length - 1)
//! ```
//!
//! A reader that meets a message it does not know, or one that is too long, ends the
//! stream.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest message but for its length: a packet between a front and a keyhost, and what
/// is said with it.
const MAX: usize = 160 * 1024;

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// From the relay, first: who it is, for how many threads of the front it speaks, and
    /// its clock in microseconds.
    Hello { version: String, shards: u8, clock_us: u64 },
    /// From the gate: the keyhost serves.
    Ready,
    /// From the gate, instead: it does not, and whether an operator is needed.
    Refused { needs_operator: bool, why: String },
    /// To the keyhost's workers.
    Work(Vec<u8>),
    /// To the keyhost's thread for what takes long.
    Slow(Vec<u8>),
    /// To a thread of the front.
    Reply { shard: u8, packet: Vec<u8> },
    /// From the relay: say whether there is progress. With its clock.
    Ping { clock_us: u64 },
    /// From the gate: how long the longest call has been running, in milliseconds, of
    /// those that must be quick and of those that may take long.
    Pong { busiest_ms: u64, slow_ms: u64 },
}

impl Message {
    /// Writes it.
    pub(super) async fn send(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut bytes = vec![0; 4];
        match self {
            Self::Hello { version, shards, clock_us } => {
                bytes.push(0);
                bytes.push(*shards);
                bytes.extend(clock_us.to_be_bytes());
                bytes.extend(version.as_bytes());
            }
            Self::Ready => bytes.push(1),
            Self::Refused { needs_operator, why } => {
                bytes.extend([2, u8::from(*needs_operator)]);
                bytes.extend(why.as_bytes());
            }
            Self::Work(packet) => {
                bytes.push(3);
                bytes.extend(packet);
            }
            Self::Slow(packet) => {
                bytes.push(4);
                bytes.extend(packet);
            }
            Self::Reply { shard, packet } => {
                bytes.extend([5, *shard]);
                bytes.extend(packet);
            }
            Self::Ping { clock_us } => {
                bytes.push(6);
                bytes.extend(clock_us.to_be_bytes());
            }
            Self::Pong { busiest_ms, slow_ms } => {
                bytes.push(7);
                bytes.extend(busiest_ms.to_be_bytes());
                bytes.extend(slow_ms.to_be_bytes());
            }
        }
        let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        to.write_all(&bytes).await?;
        to.flush().await
    }

    /// Reads one; `None` at the end of the stream.
    pub(super) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut length = [0; 4];
        match from.read_exact(&mut length).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        };
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 || length > MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes).await?;
        Self::parse(&bytes).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(match bytes {
            [0, shards, rest @ ..] => Self::Hello {
                shards: *shards,
                clock_us: number(rest)?,
                version: text(rest.get(8..)?),
            },
            [1] => Self::Ready,
            [2, needs @ (0 | 1), why @ ..] => {
                Self::Refused { needs_operator: *needs == 1, why: text(why) }
            }
            [3, packet @ ..] => Self::Work(packet.to_vec()),
            [4, packet @ ..] => Self::Slow(packet.to_vec()),
            [5, shard, packet @ ..] => Self::Reply { shard: *shard, packet: packet.to_vec() },
            [6, clock @ ..] if clock.len() == 8 => Self::Ping { clock_us: number(clock)? },
            [7, ages @ ..] if ages.len() == 16 => {
                Self::Pong { busiest_ms: number(ages)?, slow_ms: number(&ages[8..])? }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Guards against messages that run together, are cut, or become others on the way.
    #[tokio::test]
    async fn every_message_comes_back_as_it_was_sent() {
        let all = [
            Message::Hello { version: "1.2.3".to_owned(), shards: 3, clock_us: 77 },
            Message::Ready,
            Message::Refused { needs_operator: true, why: "the PIN".to_owned() },
            Message::Work(vec![1; 100_000]),
            Message::Slow(vec![2; 10]),
            Message::Reply { shard: 2, packet: vec![3; 5] },
            Message::Ping { clock_us: u64::MAX },
            Message::Pong { busiest_ms: 4, slow_ms: 5 },
        ];
        let mut stream = Vec::new();
        for message in &all {
            message.send(&mut stream).await.expect("written");
        }
        let mut rest = stream.as_slice();
        for message in all {
            assert_eq!(Message::receive(&mut rest).await.expect("read"), Some(message));
        }
        assert_eq!(Message::receive(&mut rest).await.expect("the end"), None);
        let error = Message::receive(&mut &stream[..9]).await.expect_err("cut short");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let error = Message::receive(&mut &[0xff; 9][..]).await.expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        /// Guards against a parser that panics on what a stranger sends.
        #[test]
        fn arbitrary_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Message::parse(&bytes);
        }
    }
}
