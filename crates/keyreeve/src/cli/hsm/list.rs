//! `keyreeve hsm list`.

use clap::Args;
use keyreeve_hsm::{Inventory, SlotEntry};

use super::target::Module;
use crate::{
    cli::Settings,
    failure::Failure,
    output::{Format, print_line},
    table::{finish, or_dash, table},
};

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    module: Module,

    /// The mechanisms of each slot as well
    #[arg(long)]
    mechanisms: bool,
}

impl List {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let inventory = keyreeve_hsm::list(&self.module.target())?;
        print_line(&match settings.output {
            Format::Table => for_people(&inventory, self.mechanisms),
            Format::Json => serde_json::json!(inventory).to_string(),
        })
    }
}

fn for_people(inventory: &Inventory, mechanisms: bool) -> String {
    let Inventory { library, version, cryptoki, slots } = inventory;
    let mut parts = vec![format!("{library} {version}, PKCS#11 {cryptoki}")];
    let mut tokens = table(&[
        "SLOT",
        "TOKEN",
        "SERIAL",
        "MODEL",
        "FIRMWARE",
        "USER PIN",
        "SO PIN",
        "FREE",
        "SESSIONS",
        "MECHANISMS",
    ]);
    for slot in slots {
        tokens.add_row(row(slot));
    }
    parts.push(if slots.is_empty() {
        "no slot holds a token: check the module's configuration".to_owned()
    } else {
        finish(&tokens)
    });
    for slot in slots {
        if let Some(problem) = &slot.problem {
            parts.push(format!("slot {}: {problem}", slot.number));
        }
        if mechanisms {
            let mut list = table(&["MECHANISM", "KEY", "DEVICE", "DOES"]);
            for mechanism in &slot.mechanisms {
                let (min, max) = mechanism.key_size;
                list.add_row([
                    mechanism.name.clone(),
                    if max == 0 { "-".to_owned() } else { format!("{min}-{max}") },
                    if mechanism.hardware { "yes" } else { "no" }.to_owned(),
                    or_dash(mechanism.does.join(" ")),
                ]);
            }
            parts.push(format!("slot {}\n{}", slot.number, finish(&list)));
        }
    }
    parts.join("\n\n")
}

fn row(slot: &SlotEntry) -> [String; 10] {
    let mechanisms = slot.mechanisms.len().to_string();
    let Some(token) = &slot.token else {
        let dash = || "-".to_owned();
        return [
            slot.number.to_string(),
            "unreadable".to_owned(),
            dash(),
            dash(),
            dash(),
            dash(),
            dash(),
            dash(),
            dash(),
            mechanisms,
        ];
    };
    let sessions = match (token.sessions, token.max_sessions) {
        (_, Some(most)) => format!("at most {most}"),
        (_, None) => "no limit told".to_owned(),
    };
    [
        slot.number.to_string(),
        if token.initialized { token.label.clone() } else { "(blank)".to_owned() },
        or_dash(token.serial.clone()),
        or_dash(token.model.clone()),
        token.firmware.clone(),
        token.user_pin.clone(),
        token.officer_pin.clone(),
        token.free_memory.map_or_else(|| "not told".to_owned(), |bytes| format!("{bytes} B")),
        sessions,
        mechanisms,
    ]
}
