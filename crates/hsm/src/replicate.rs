//! Replicate: a group's wrapping key from one slot to another, by wrapped transfer,
//! and the proof that both hold the same one.
//!
//! The two modules are in two processes. What passes between them is the public half
//! of a transport key that lives in the target for as long as this takes, the wrapped
//! key, and challenges. This program could put a transport key of its own there: so
//! the security officer of the source, who makes it trusted, trusts this program on
//! this machine, and its fingerprint is in the result.

use keyreeve_backend_pkcs11::{
    TokenSelector,
    provision::{Module, Proof, Token, Transport, TransportKey, challenge},
};
use serde::{Deserialize, Serialize};

use crate::{Export, Failure, Pin, Target, ask::Ask, pin::absolute, provision::name, slot::Slot};

/// One end of a transfer.
#[derive(Debug, Clone)]
pub struct End {
    /// The token.
    pub target: Target,
    /// Its user PIN.
    pub pin: Pin,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replicated {
    /// The group.
    pub group: String,
    /// SHA-256 of the transport key's SubjectPublicKeyInfo, in hex; `None` if the
    /// target held the key already.
    pub transport: Option<String>,
    /// How the key may leave the target.
    pub export: Export,
    /// Whether the two were seen to hold one key, each opening what the other wrapped.
    pub equal: bool,
    /// Whether open keys were closed at both ends.
    pub closed: bool,
}

/// What the source's worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WrapOut {
    token: TokenSelector,
    user: Pin,
    officer: Option<Pin>,
    group: String,
    transport: TransportKey,
}

/// What the target's worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TakeIn {
    group: String,
    export: Export,
    wrapped: Vec<u8>,
}

/// What both are asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Prove {
    group: String,
    challenge: [u8; 16],
    /// Another slot's throwaway key to open; `None` to make one.
    wrapped: Option<Vec<u8>>,
}

/// Brings the wrapping key of `group` from one slot to another, or shows that it is
/// there. With `close`, a key that was open never leaves either from then on.
///
/// # Errors
///
/// If the key never leaves, the officer's PIN is missing or refused, or the target
/// holds another key: that one is not replaced.
pub fn replicate(
    group: &str,
    from: &End,
    officer: Option<&Pin>,
    to: &End,
    close: bool,
) -> Result<Replicated, Failure> {
    name(group, "group")?;
    let group = group.to_owned();
    let mut target = Slot::start(&to.target, &[])?;
    target.log_in(&to.pin).map_err(|failure| failure.while_("target"))?;
    let there: Option<Export> = target.ask(&Ask::WrappingKey(group.clone()))?;
    let (transport, export) = match there {
        Some(export) => (None, export),
        None => {
            let (fingerprint, export) = transfer(&group, from, officer, &mut target)?;
            (Some(fingerprint), export)
        }
    };
    // A fresh process: the transfer's has the officer's login behind it.
    let mut source = Slot::start(&from.target, &[])?;
    source.log_in(&from.pin).map_err(|failure| failure.while_("source"))?;
    for (prover, verifier) in [(0, 1), (1, 0)] {
        let mut ends = [&mut source, &mut target];
        if !proves(&group, &mut ends, prover, verifier)? {
            return Err(Failure::new(
                format!("the two slots hold different wrapping keys of group {group}"),
                "one of them was not made by replication: find out which keys are wrapped under \
                 which before you remove either",
            ));
        }
    }
    let mut closed = false;
    if close {
        for end in [&mut source, &mut target] {
            closed |= end.ask::<bool>(&Ask::Close(group.clone()))?;
        }
    }
    Ok(Replicated { group, transport, export, equal: true, closed })
}

fn transfer(
    group: &str,
    from: &End,
    officer: Option<&Pin>,
    target: &mut Slot,
) -> Result<(String, Export), Failure> {
    let transport: TransportKey = target.ask(&Ask::MakeTransport)?;
    let fingerprint = transport.fingerprint()?;
    let mut source = Slot::start(&from.target, &[])?;
    let ask = WrapOut {
        token: source.token.clone(),
        user: at(&from.pin)?,
        officer: officer.map(at).transpose()?,
        group: group.to_owned(),
        transport,
    };
    let typed = 10 * crate::slot::ACT;
    let (wrapped, export): (Vec<u8>, Export) =
        source.exchange(&Ask::WrapOut(ask), typed).map_err(|failure| failure.while_("source"))?;
    let taken = Ask::TakeIn(TakeIn { group: group.to_owned(), export, wrapped });
    let export = target.ask(&taken).map_err(|failure: Failure| failure.while_("target"))?;
    Ok((fingerprint, export))
}

/// Whether what one wraps the other opens, and both throwaway keys answer alike.
fn proves(
    group: &str,
    ends: &mut [&mut Slot; 2],
    prover: usize,
    verifier: usize,
) -> Result<bool, Failure> {
    let group = group.to_owned();
    let challenge = challenge()?;
    let ask = Prove { group: group.clone(), challenge, wrapped: None };
    let proof: Proof = ends[prover].ask(&Ask::Prove(ask))?;
    let ask = Prove { group, challenge, wrapped: Some(proof.wrapped) };
    let answer: Option<Proof> = ends[verifier].ask(&Ask::Prove(ask))?;
    Ok(answer.is_some_and(|answer| answer.answer == proof.answer))
}

fn at(pin: &Pin) -> Result<Pin, Failure> {
    Ok(match pin {
        Pin::File(path) => Pin::File(absolute(path)?),
        Pin::Terminal => Pin::Terminal,
    })
}

pub(crate) fn wrap_out(module: &Module, ask: &WrapOut) -> Result<(Vec<u8>, Export), Failure> {
    let group = name(&ask.group, "group")?;
    let user = ask.user.read("source: user PIN")?;
    let officer =
        ask.officer.as_ref().map(|pin| pin.read("source: security officer's PIN")).transpose()?;
    let token = ask.token.clone();
    Ok(module.wrap_out(token, &user, officer.as_ref(), &group, &ask.transport)?)
}

pub(crate) fn take_in(
    token: &Token,
    transport: Option<&Transport>,
    ask: &TakeIn,
) -> Result<Export, Failure> {
    let group = name(&ask.group, "group")?;
    let transport = transport
        .ok_or_else(|| Failure::new("there is no transport key", "start the transfer anew"))?;
    // Where nothing enforces trust, it must not depend on it.
    let export = match ask.export {
        Export::Trusted if !token.enforces_trust()? => Export::Never,
        export => export,
    };
    token.take_in(transport, &group, export, &ask.wrapped)?;
    Ok(export)
}

/// A proof; `None` if another slot's key does not open here.
pub(crate) fn prove(token: &Token, ask: Prove) -> Result<Option<Proof>, Failure> {
    let group = name(&ask.group, "group")?;
    let Some(wrapped) = ask.wrapped else {
        return Ok(Some(token.prove_wrapping_key(&group, &ask.challenge)?));
    };
    match token.answer_proof(&group, &wrapped, &ask.challenge) {
        Ok(answer) => Ok(Some(Proof { wrapped, answer })),
        Err(keyreeve_backend::Error::CryptoFailed) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
