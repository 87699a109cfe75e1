//! How messages become bytes and come back.
//!
//! The ordinary protobuf codec with two differences. Its buffers are as large as the
//! message: the usual 8 KiB for each side of each call is memory that is cleared,
//! because it might hold a secret, whenever a call ends. And a request that does not
//! parse is its sender's fault, which the usual code, INTERNAL, does not say.

use std::marker::PhantomData;

use prost::{Message, Name};
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// What a buffer holds before it grows to the message, in bytes: most messages.
const FIRST: usize = 512;

/// How much of a stream's messages leaves at once, in bytes, as in tonic.
const TOGETHER: usize = 32 * 1024;

/// Messages of type `T` out, of type `U` in.
pub struct MessageCodec<T, U>(PhantomData<(T, U)>);

/// Writes messages.
pub struct MessageEncoder<T>(PhantomData<T>);

/// Reads messages.
pub struct MessageDecoder<U>(PhantomData<U>);

impl<T, U> Default for MessageCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for MessageCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = MessageEncoder<T>;
    type Decoder = MessageDecoder<U>;

    fn encoder(&mut self) -> MessageEncoder<T> {
        MessageEncoder(PhantomData)
    }

    fn decoder(&mut self) -> MessageDecoder<U> {
        MessageDecoder(PhantomData)
    }
}

impl<T: Message> Encoder for MessageEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(message.encoded_len());
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(FIRST, TOGETHER)
    }
}

impl<U: Message + Name + Default> Decoder for MessageDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        U::decode(buffer).map(Some).map_err(|error| {
            let what = format!("the message is no {}: {error}", U::full_name());
            // By their names (AIP-130 and following) requests are what a server reads.
            if U::NAME.ends_with("Request") {
                Status::invalid_argument(what)
            } else {
                Status::internal(what)
            }
        })
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(FIRST, TOGETHER)
    }
}
