//! The calls to Keyreeve, and the checks of their answers.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use keyreeve_backend::Error;
use keyreeve_proto::v1::{
    BatchRequest, Ciphertext, DecryptRequest, EncryptRequest, Key, Operation as BatchItem,
    SignRequest, VerifyRequest, crypto_service_client::CryptoServiceClient, operation,
    operation_result, sign_request, verify_request,
};
use keyreeve_publickey::PublicKey;
use keyreeve_types::SignatureAlgorithm;
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use crate::{
    callers::Caller,
    row::{BATCH, Operation, PLAINTEXT},
};

/// A digest that no other call signs: verification and signing see new input each
/// time, whatever anyone caches.
pub(crate) fn digest(caller: u64, number: u64) -> [u8; 32] {
    let mut digest = [0xa5; 32];
    digest[..8].copy_from_slice(&caller.to_be_bytes());
    digest[8..16].copy_from_slice(&number.to_be_bytes());
    digest
}

/// The header that says who calls.
#[derive(Clone)]
pub(crate) struct Authorization(MetadataValue<Ascii>);

impl Authorization {
    /// RFC 6750.
    pub(crate) fn bearer(token: &str) -> Result<Self> {
        let header = format!("Bearer {token}").parse().ok();
        Ok(Self(header.context("the token is not one that a header can carry")?))
    }

    /// A call with the header.
    pub(crate) fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.0.clone());
        request
    }
}

/// What the callers of one row do.
pub(crate) enum Work {
    /// One signature per call.
    Sign(Signer),
    /// Checks one of these, a digest and its signature.
    Verify { name: String, signed: Vec<(Bytes, Bytes)> },
    /// Encrypts [`PLAINTEXT`] bytes.
    Encrypt { name: String, plaintext: Bytes },
    /// [`BATCH`] signatures per call.
    Batch(Signer),
}

/// A key that signs, and its public half to check it with.
pub(crate) struct Signer {
    name: String,
    algorithm: SignatureAlgorithm,
    signature_len: usize,
    public: PublicKey,
}

impl Work {
    /// Gets ready to call `operation` with `key`.
    pub(crate) async fn prepare(
        operation: Operation,
        key: &Key,
        channel: Channel,
        authorization: &Authorization,
    ) -> Result<Self> {
        let name = key.name.clone();
        let signer = |algorithm, signature_len| {
            let spki = key.public_key.as_ref().context("the key has no public half")?;
            let public = PublicKey::from_spki(&spki.spki).map_err(Error::from)?;
            anyhow::Ok(Signer { name: key.name.clone(), algorithm, signature_len, public })
        };
        Ok(match operation {
            Operation::SignP256 | Operation::SlotP256 => {
                Self::Sign(signer(SignatureAlgorithm::Es256, 64)?)
            }
            Operation::SignRsa2048 => Self::Sign(signer(SignatureAlgorithm::Rs256, 256)?),
            Operation::BatchP256 => Self::Batch(signer(SignatureAlgorithm::Es256, 64)?),
            Operation::EncryptGcm => {
                Self::Encrypt { name, plaintext: Bytes::from(vec![0xa5; PLAINTEXT]) }
            }
            Operation::VerifyP256 => {
                let signer = Arc::new(Self::Sign(signer(SignatureAlgorithm::Es256, 64)?));
                let mut caller = KeyreeveCaller::new(u64::MAX, channel, authorization, signer);
                let mut signed = Vec::new();
                for _ in 0..16 {
                    caller.samples.clear();
                    caller.number = caller.number.next_multiple_of(SAMPLE);
                    caller.call().await?;
                    match caller.samples.pop() {
                        Some(Sample::Signature(digest, signature)) => {
                            signed.push((digest.to_vec().into(), signature));
                        }
                        _ => bail!("signing kept no sample"),
                    }
                }
                caller.refuses_a_wrong_signature(&name, &signed).await?;
                Self::Verify { name, signed }
            }
        })
    }
}

/// One caller of Keyreeve.
pub(crate) struct KeyreeveCaller {
    client: CryptoServiceClient<Channel>,
    authorization: Authorization,
    work: Arc<Work>,
    caller: u64,
    number: u64,
    samples: Vec<Sample>,
}

/// Every so many answers one is kept, to be checked when nothing is measured.
const SAMPLE: u64 = 256;

enum Sample {
    Signature([u8; 32], Bytes),
    Ciphertext(Ciphertext),
}

impl KeyreeveCaller {
    pub(crate) fn new(
        caller: u64,
        channel: Channel,
        authorization: &Authorization,
        work: Arc<Work>,
    ) -> Self {
        let client = CryptoServiceClient::new(channel);
        let authorization = authorization.clone();
        Self { client, authorization, work, caller, number: 0, samples: Vec::new() }
    }

    /// Verifies what was kept: signatures here, with the public key; ciphertexts by
    /// having them decrypted. Returns how many.
    pub(crate) async fn check_samples(mut self) -> Result<usize> {
        let count = self.samples.len();
        for sample in std::mem::take(&mut self.samples) {
            match (sample, &*self.work) {
                (
                    Sample::Signature(digest, signature),
                    Work::Sign(signer) | Work::Batch(signer),
                ) => {
                    let valid = signer.public.verify(signer.algorithm, &digest, &signature)?;
                    ensure!(valid, "a signature of {} does not verify", signer.name);
                }
                (Sample::Ciphertext(ciphertext), Work::Encrypt { name, plaintext }) => {
                    let request = DecryptRequest {
                        name: name.clone(),
                        ciphertext: Some(ciphertext),
                        ..DecryptRequest::default()
                    };
                    let request = self.authorization.request(request);
                    let opened = self.client.decrypt(request).await?.into_inner().plaintext;
                    ensure!(opened == *plaintext, "decrypting gives something else");
                }
                _ => bail!("a sample of other work"),
            }
        }
        Ok(count)
    }

    async fn refuses_a_wrong_signature(
        &mut self,
        name: &str,
        signed: &[(Bytes, Bytes)],
    ) -> Result<()> {
        let [(digest, _), (_, signature), ..] = signed else { bail!("two signatures expected") };
        let request = verify_request(name, digest, signature);
        let answer = self.client.verify(self.authorization.request(request)).await?;
        ensure!(!answer.into_inner().valid, "a signature of another digest is called valid");
        Ok(())
    }

    fn sign_request(&self, signer: &Signer, digest: &[u8; 32]) -> SignRequest {
        SignRequest {
            name: signer.name.clone(),
            algorithm: signer.algorithm.name().to_owned(),
            input: Some(sign_request::Input::Digest(Bytes::copy_from_slice(digest))),
        }
    }

    fn keep(&mut self, sample: impl FnOnce() -> Sample) {
        if self.number.is_multiple_of(SAMPLE) {
            self.samples.push(sample());
        }
    }
}

impl Caller for KeyreeveCaller {
    async fn call(&mut self) -> Result<u64> {
        let work = Arc::clone(&self.work);
        let done = match &*work {
            Work::Sign(signer) => {
                let digest = digest(self.caller, self.number);
                let request = self.authorization.request(self.sign_request(signer, &digest));
                let signature = self.client.sign(request).await?.into_inner().signature;
                ensure!(signature.len() == signer.signature_len, "a signature of a wrong length");
                self.keep(|| Sample::Signature(digest, signature));
                1
            }
            Work::Verify { name, signed } => {
                let (digest, signature) = &signed[self.number as usize % signed.len()];
                let request = self.authorization.request(verify_request(name, digest, signature));
                let answer = self.client.verify(request).await?.into_inner();
                ensure!(answer.valid, "a valid signature is called invalid");
                1
            }
            Work::Encrypt { name, plaintext } => {
                let request = EncryptRequest {
                    name: name.clone(),
                    algorithm: "A256GCM".to_owned(),
                    plaintext: plaintext.clone(),
                    additional_data: Bytes::new(),
                };
                let request = self.authorization.request(request);
                let answer = self.client.encrypt(request).await?.into_inner();
                let sealed = answer.ciphertext.context("an answer without a ciphertext")?;
                ensure!(sealed.ciphertext.len() == PLAINTEXT, "a ciphertext of a wrong length");
                self.keep(|| Sample::Ciphertext(sealed));
                1
            }
            Work::Batch(signer) => self.sign_batch(signer).await?,
        };
        self.number += 1;
        Ok(done)
    }
}

impl KeyreeveCaller {
    async fn sign_batch(&mut self, signer: &Signer) -> Result<u64> {
        let digests: [_; BATCH] =
            std::array::from_fn(|n| digest(self.caller, self.number << 8 | n as u64));
        let item = |digest| {
            let request = self.sign_request(signer, digest);
            BatchItem { request: Some(operation::Request::Sign(request)) }
        };
        let request = BatchRequest { operations: digests.iter().map(item).collect() };
        let request = self.authorization.request(request);
        let results = self.client.batch(request).await?.into_inner().results;
        ensure!(results.len() == BATCH, "{BATCH} items and {} results", results.len());
        for (digest, result) in digests.into_iter().zip(results) {
            match result.result {
                Some(operation_result::Result::Sign(answer))
                    if answer.signature.len() == signer.signature_len =>
                {
                    self.keep(|| Sample::Signature(digest, answer.signature));
                }
                Some(operation_result::Result::Error(error)) => {
                    bail!("an item of a batch failed: {} ({})", error.message, error.code)
                }
                _ => bail!("an item of a batch has no fitting result"),
            }
        }
        Ok(BATCH as u64)
    }
}

fn verify_request(name: &str, digest: &Bytes, signature: &Bytes) -> VerifyRequest {
    VerifyRequest {
        name: name.to_owned(),
        algorithm: SignatureAlgorithm::Es256.name().to_owned(),
        input: Some(verify_request::Input::Digest(digest.clone())),
        signature: signature.clone(),
    }
}
