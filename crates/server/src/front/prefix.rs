//! The body of a gRPC request, its length prefix in a frame of its own.
//!
//! Every message begins with five bytes that say how long it is. tonic makes room
//! for a message when it has read them; were the message there already, it would
//! make room for it twice, and copy it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The compressed flag and the length (gRPC over HTTP/2, "Length-Prefixed-Message").
const PREFIX: usize = 5;

/// A body whose first frame is at most the prefix.
pub(super) struct PrefixFirst<B> {
    body: B,
    started: bool,
    /// What came in the same frame as the prefix.
    rest: Bytes,
}

impl<B> PrefixFirst<B> {
    pub(super) const fn new(body: B) -> Self {
        Self { body, started: false, rest: Bytes::new() }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for PrefixFirst<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.started {
            return polled;
        }
        polled.map_ok(|frame| {
            self.started = true;
            match frame.into_data() {
                Ok(mut data) if data.len() > PREFIX => {
                    self.rest = data.split_off(PREFIX);
                    Frame::data(data)
                }
                Ok(data) => Frame::data(data),
                Err(frame) => frame,
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    /// Guards against a body that loses or reorders a byte, or ends too soon.
    #[tokio::test]
    async fn the_bytes_stay_the_same_and_the_prefix_comes_alone() {
        for len in [0_usize, 1, 5, 6, 4200] {
            let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let mut body = PrefixFirst::new(Full::new(Bytes::from(bytes.clone())));
            let mut read = Vec::new();
            while let Some(frame) = body.frame().await {
                let data = frame.expect("infallible").into_data().expect("data");
                assert!(!read.is_empty() || data.len() <= PREFIX);
                read.extend_from_slice(&data);
            }
            assert_eq!(read, bytes);
            assert!(body.is_end_stream());
        }
    }
}
