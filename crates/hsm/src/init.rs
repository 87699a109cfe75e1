//! Init: a blank token gets a label, a security officer and a user.
//!
//! The only act that destroys: `C_InitToken` empties the token. One that is
//! initialised is left alone, unless `erase` repeats its label.

use keyreeve_backend_pkcs11::provision::Module;
use serde::{Deserialize, Serialize};

use crate::{Failure, Inventory, NewPin, SlotEntry, Target, TokenEntry, ask::Ask, slot::Slot};

/// What the token is to become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Init {
    /// `CKA_LABEL` of the token: 1 to 32 bytes.
    pub label: String,
    /// The slot's number; not needed where one blank token alone is there.
    pub slot: Option<u64>,
    /// The security officer's PIN. Of a token that has one, it must be that one.
    pub officer: NewPin,
    /// The user's PIN.
    pub user: NewPin,
    /// Whether an initialised token of this label is to be erased.
    pub erase: bool,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Initialized {
    /// The token as it is now.
    pub token: TokenEntry,
    /// `false` if it was there already and nothing was done.
    pub changed: bool,
}

/// What the worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Initialize {
    slot: u64,
    label: String,
    pin_length: (usize, usize),
    officer: NewPin,
    user: NewPin,
}

/// Initialises the token that `init` means, once: whoever repeats the call finds it
/// done.
///
/// # Errors
///
/// If no blank token is there or several are, the token is initialised under another
/// label, or the module refuses.
pub fn init(target: &Target, init: &Init) -> Result<Initialized, Failure> {
    if !(1..=32).contains(&init.label.len()) {
        return Err(Failure::new("a token's label has 1 to 32 bytes", "choose a shorter one"));
    }
    let (officer, user) = (init.officer.absolute()?, init.user.absolute()?);
    let pins: Vec<_> = [officer.file(), user.file()].into_iter().flatten().collect();
    let mut slot = Slot::start(target, &pins)?;
    let inventory: Inventory = slot.ask(&Ask::Inventory)?;
    match labelled(&inventory, &init.label) {
        Some(token) if !init.erase && token.user_pin == "none" => {
            return Err(Failure::new(
                format!("token {:?} is initialised and has no user PIN", init.label),
                "an earlier run stopped half-way, and nothing is in the token: run the command \
                 again with --erase and the officer's PIN",
            ));
        }
        Some(token) if !init.erase => {
            return Ok(Initialized { token: token.clone(), changed: false });
        }
        _ => {}
    }
    let (number, pin_length) = choose(&inventory, init)?;
    let label = init.label.clone();
    slot.ask::<()>(&Ask::Initialize(Initialize {
        slot: number,
        label,
        pin_length,
        officer,
        user,
    }))?;
    drop(slot);
    // A fresh process: some modules give the token a new slot, and show it only there.
    let after: Inventory = Slot::start(target, &[])?.ask(&Ask::Inventory)?;
    match labelled(&after, &init.label) {
        Some(token) => Ok(Initialized { token: token.clone(), changed: true }),
        None => Err(Failure::new(
            format!("the module initialised a token and does not show one called {:?}", init.label),
            "see `keyreeve hsm list`",
        )),
    }
}

pub(crate) fn in_worker(module: &Module, ask: &Initialize) -> Result<(), Failure> {
    let officer = ask.officer.read("security officer's PIN", ask.pin_length)?;
    let user = ask.user.read("user PIN", ask.pin_length)?;
    module.initialize(ask.slot, &ask.label, &officer, &user)?;
    Ok(())
}

fn labelled<'a>(inventory: &'a Inventory, label: &str) -> Option<&'a TokenEntry> {
    let tokens = inventory.slots.iter().filter_map(|slot| slot.token.as_ref());
    tokens.filter(|token| token.initialized).find(|token| token.label == label)
}

/// The slot to initialise, and how long its PINs are.
fn choose(inventory: &Inventory, init: &Init) -> Result<(u64, (usize, usize)), Failure> {
    let is = |slot: &SlotEntry, wanted: fn(&TokenEntry, &str) -> bool| {
        slot.token.as_ref().is_some_and(|token| wanted(token, &init.label))
    };
    let blank = |slot: &&SlotEntry| is(slot, |token, _| !token.initialized);
    let to_erase =
        |slot: &&SlotEntry| is(slot, |token, label| token.initialized && token.label == label);
    let chosen: Vec<&SlotEntry> = match (init.slot, init.erase) {
        (Some(number), _) => {
            let slots = inventory.slots.iter().filter(|slot| slot.number == number);
            slots.filter(|slot| blank(slot) || (init.erase && to_erase(slot))).collect()
        }
        (None, true) => inventory.slots.iter().filter(to_erase).collect(),
        (None, false) => inventory.slots.iter().filter(blank).collect(),
    };
    match chosen.as_slice() {
        [slot] => {
            let length = slot.token.as_ref().map_or((4, 255), |token| token.pin_length);
            Ok((slot.number, length))
        }
        [] => Err(Failure::new(
            match init.slot {
                Some(number) => format!("slot {number} holds no blank token"),
                None => "the module shows no blank token".to_owned(),
            },
            "see `keyreeve hsm list`; a token that is initialised is erased with --erase and its \
             own label, and everything in it is gone",
        )),
        many => {
            let numbers: Vec<String> = many.iter().map(|slot| slot.number.to_string()).collect();
            Err(Failure::new(
                format!("several slots would do: {}", numbers.join(", ")),
                "name one with --slot",
            ))
        }
    }
}
