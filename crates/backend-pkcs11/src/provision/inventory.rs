//! What a module says it has. Read without a login, changed by nothing.

use std::fmt::Write as _;

use cryptoki::{
    context::Pkcs11,
    mechanism::MechanismInfo,
    slot::{Limit, Slot as SlotId, TokenInfo},
};
use keyreeve_backend::Error;
use serde::{Deserialize, Serialize};

use super::module::token_info;
use crate::error::{classify, describe};
use crate::module::trimmed;

/// A module and its slots.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// What the library calls itself, and who made it.
    pub library: String,
    /// The library's version.
    pub version: String,
    /// The version of PKCS#11 it speaks.
    pub cryptoki: String,
    /// Its slots with a token in them.
    pub slots: Vec<SlotEntry>,
}

/// A slot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotEntry {
    /// Its number, which many modules assign anew at every start.
    pub number: u64,
    /// What the module calls it.
    pub description: String,
    /// Whether the module says that it is a device, and not software.
    pub hardware: bool,
    /// Its token; `None` if the module does not tell, for the reason in `problem`.
    pub token: Option<TokenEntry>,
    /// What the module does, as its list says.
    pub mechanisms: Vec<MechanismEntry>,
    /// What could not be read: function and return value.
    pub problem: Option<String>,
}

/// A token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenEntry {
    /// `CKA_LABEL`, without padding.
    pub label: String,
    /// Serial number, without padding.
    pub serial: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// Version of its firmware.
    pub firmware: String,
    /// Version of its hardware.
    pub hardware_version: String,
    /// Whether it has been initialised.
    pub initialized: bool,
    /// State of the user's PIN: `none`, `set`, `count low`, `final try`, `locked`,
    /// `to be changed`.
    pub user_pin: String,
    /// State of the security officer's PIN, in the same words.
    pub officer_pin: String,
    /// Shortest and longest PIN, in bytes.
    pub pin_length: (usize, usize),
    /// Free memory for private objects, in bytes; `None` if not told.
    pub free_memory: Option<u64>,
    /// Sessions open in this process; `None` if not told.
    pub sessions: Option<u64>,
    /// Most sessions at a time; `None`: no limit, or not told.
    pub max_sessions: Option<u64>,
    /// The token's clock, UTC, RFC 3339; `None` if it has none.
    pub clock: Option<String>,
    /// Whether the PIN is entered at the device.
    pub pin_pad: bool,
}

/// A mechanism.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MechanismEntry {
    /// Its name in the standard, as `CKM_ECDSA`.
    pub name: String,
    /// What it may do: `sign`, `verify`, `wrap` and so on.
    pub does: Vec<String>,
    /// Smallest and largest key, in bits or bytes as the module pleases.
    pub key_size: (u64, u64),
    /// Whether the device does it.
    pub hardware: bool,
}

pub(super) fn read(module: &Pkcs11) -> Result<Inventory, Error> {
    let info = module.get_library_info().map_err(|error| classify(&error))?;
    let mut slots = Vec::new();
    for slot in module.get_slots_with_token().map_err(|error| classify(&error))? {
        slots.push(slot_entry(module, slot));
    }
    let (library, maker) = (trimmed(info.library_description()), trimmed(info.manufacturer_id()));
    Ok(Inventory {
        library: if maker.is_empty() { library } else { format!("{library} ({maker})") },
        version: info.library_version().to_string(),
        cryptoki: info.cryptoki_version().to_string(),
        slots,
    })
}

fn slot_entry(module: &Pkcs11, slot: SlotId) -> SlotEntry {
    let mut problem = String::new();
    let (description, hardware) = match module.get_slot_info(slot) {
        Ok(info) => (trimmed(info.slot_description()), info.hardware_slot()),
        Err(error) => {
            problem.push_str(&describe(&error));
            (String::new(), false)
        }
    };
    let token = match token_info(module, slot) {
        Ok(info) => Some(token_entry(&info)),
        Err(error) => {
            let _ = write!(problem, " {error}");
            None
        }
    };
    let mut mechanisms = Vec::new();
    match module.get_mechanism_list(slot) {
        Ok(list) => {
            for mechanism in list {
                let info = module.get_mechanism_info(slot, mechanism).ok();
                mechanisms.push(MechanismEntry {
                    name: mechanism.to_string(),
                    does: info.as_ref().map(does).unwrap_or_default(),
                    key_size: info.as_ref().map_or((0, 0), |info| {
                        (info.min_key_size() as u64, info.max_key_size() as u64)
                    }),
                    hardware: info.as_ref().is_some_and(MechanismInfo::hardware),
                });
            }
        }
        Err(error) => {
            let _ = write!(problem, " {}", describe(&error));
        }
    }
    mechanisms.sort_by(|a, b| a.name.cmp(&b.name));
    let problem = Some(problem.trim().to_owned()).filter(|problem| !problem.is_empty());
    SlotEntry { number: slot.id(), description, hardware, token, mechanisms, problem }
}

pub(super) fn token_entry(info: &TokenInfo) -> TokenEntry {
    TokenEntry {
        label: trimmed(info.label()),
        serial: trimmed(info.serial_number()),
        manufacturer: trimmed(info.manufacturer_id()),
        model: trimmed(info.model()),
        firmware: info.firmware_version().to_string(),
        hardware_version: info.hardware_version().to_string(),
        initialized: info.token_initialized(),
        user_pin: user_pin(info).to_owned(),
        officer_pin: officer_pin(info).to_owned(),
        pin_length: (info.min_pin_length(), info.max_pin_length()),
        free_memory: info.free_private_memory().map(|bytes| bytes as u64),
        sessions: info.session_count(),
        max_sessions: match info.max_session_count() {
            Limit::Max(most) => Some(most),
            Limit::Unavailable | Limit::Infinite => None,
        },
        clock: info.utc_time().map(|time| {
            format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                time.year, time.month, time.day, time.hour, time.minute, time.second
            )
        }),
        pin_pad: info.protected_authentication_path(),
    }
}

fn user_pin(info: &TokenInfo) -> &'static str {
    match () {
        () if info.user_pin_locked() => "locked",
        () if info.user_pin_final_try() => "final try",
        () if info.user_pin_count_low() => "count low",
        () if info.user_pin_to_be_changed() => "to be changed",
        () if info.user_pin_initialized() => "set",
        () => "none",
    }
}

fn officer_pin(info: &TokenInfo) -> &'static str {
    match () {
        // SoftHSM calls the PIN of a blank token locked.
        () if !info.token_initialized() => "none",
        () if info.so_pin_locked() => "locked",
        () if info.so_pin_final_try() => "final try",
        () if info.so_pin_count_low() => "count low",
        () if info.so_pin_to_be_changed() => "to be changed",
        () => "set",
    }
}

fn does(info: &MechanismInfo) -> Vec<String> {
    let all = [
        ("encrypt", info.encrypt()),
        ("decrypt", info.decrypt()),
        ("digest", info.digest()),
        ("sign", info.sign()),
        ("verify", info.verify()),
        ("generate", info.generate()),
        ("generate pair", info.generate_key_pair()),
        ("wrap", info.wrap()),
        ("unwrap", info.unwrap()),
        ("derive", info.derive()),
    ];
    all.into_iter().filter(|(_, can)| *can).map(|(name, _)| name.to_owned()).collect()
}
