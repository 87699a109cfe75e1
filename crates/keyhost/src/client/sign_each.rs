//! Many signatures with one key.
//!
//! Where a signature costs some ten microseconds, the way to it costs as much as a
//! fifth of that: a frame, a place in the table, a wake-up. So those of one key share
//! them. Where it costs more, each goes by itself, to find an idle worker.

use bytes::Bytes;
use keyreeve_types::SignatureAlgorithm;

use super::{
    CallError, Client, lane_of,
    queue::{CLOSE_AT, Lane},
};
use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{MAX_TOGETHER, Request, Response},
    key::SealedKey,
};

/// What comes of one input.
type Signed = Result<Bytes, CallError>;

impl Client {
    /// Signs each of `inputs` as [`Client::sign`] does; what fails is that input's
    /// result alone.
    pub async fn sign_each(
        &self,
        key: &SealedKey,
        algorithm: SignatureAlgorithm,
        inputs: &[&[u8]],
        deadline: Deadline,
    ) -> Vec<Signed> {
        let most = if lane_of(key.policy.spec) == Lane::Light { MAX_TOGETHER } else { 1 };
        // All are on their way before the first is waited for.
        let under_way: Vec<_> = groups(inputs, most)
            .map(|group| (group, self.sign_group(key, algorithm, group, deadline)))
            .collect();
        let mut results = Vec::with_capacity(inputs.len());
        for (group, answer) in under_way {
            match answer.await {
                Ok(signatures) => results.extend(signatures.into_iter().map(Ok)),
                // One of them was at fault. Each alone says whether it was.
                Err(CallError::Backend(_)) if group.len() > 1 => {
                    for input in group {
                        results.push(Box::pin(self.sign(key, algorithm, input, deadline)).await);
                    }
                }
                Err(error) => results.extend(group.iter().map(|_| Err(error.clone()))),
            }
        }
        results
    }

    fn sign_group<'k>(
        &'k self,
        key: &'k SealedKey,
        algorithm: SignatureAlgorithm,
        group: &'k [&'k [u8]],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Vec<Bytes>, CallError>> {
        let request = move |key| {
            let inputs = group.iter().map(|input| serde_bytes::Bytes::new(input)).collect();
            Request::SignEach { key, algorithm, inputs }
        };
        let read = move |body: &Body, response: Response<'_>| match response {
            Response::Bytes(joined) => split(body, joined, group.len()),
            _ => Err(CallError::Protocol),
        };
        self.call_with_key(key, request, deadline, read)
    }
}

/// Inputs that fit one frame: at most `most`, and not much more than a packet holds.
fn groups<'i, 'b>(inputs: &'i [&'b [u8]], most: usize) -> impl Iterator<Item = &'i [&'b [u8]]> {
    let mut rest = inputs;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fit = rest.iter().take(most).take_while(|input| {
            bytes += input.len();
            bytes <= CLOSE_AT
        });
        // A long one has a frame of its own.
        let count = fit.count().max(1).min(rest.len());
        let (group, others) = rest.split_at(count);
        rest = others;
        (!group.is_empty()).then_some(group)
    })
}

/// The signatures, which are of one length.
fn split(body: &Body, joined: &[u8], count: usize) -> Result<Vec<Bytes>, CallError> {
    let len = joined.len() / count;
    if len == 0 || len * count != joined.len() {
        return Err(CallError::Protocol);
    }
    Ok(joined.chunks_exact(len).map(|signature| body.share(signature)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against inputs that are left out, signed twice, or put into a packet that
    /// cannot hold them.
    #[test]
    fn every_input_is_in_one_group_and_groups_fit_a_packet() {
        let (short, long, longest) = ([1; 32], [2; 20_000], [3; 65_536]);
        let last: [&[u8]; 4] = [&long, &long, &longest, &short];
        let inputs: Vec<&[u8]> = std::iter::repeat_n(&short[..], 20).chain(last).collect();
        let lengths = |most| groups(&inputs, most).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(16), [16, 5, 1, 1, 1]);
        assert_eq!(lengths(1), [1; 24]);
        assert_eq!(groups(&inputs, 16).flatten().count(), inputs.len());
        assert_eq!(groups(&[], 16).count(), 0);
    }

    /// Guards against an answer of another length that is dealt out as signatures.
    #[test]
    fn an_answer_is_split_evenly_or_refused() {
        let body = Body::copy_of(&[7; 128]);
        let parts = split(&body, body.as_slice(), 2).expect("even");
        assert!(parts.iter().all(|part| part.len() == 64) && parts.len() == 2);
        assert_eq!(split(&body, body.as_slice(), 3), Err(CallError::Protocol));
        assert_eq!(split(&body, &body.as_slice()[..0], 2), Err(CallError::Protocol));
    }
}
