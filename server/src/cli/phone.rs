//! A phone for the terminal; it uses client-core as an app does.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::{Driver, ExportForm, Observer, Opening, Phone, Status, SyncState};
use granary_client_core::plausibility::Unusual;
use granary_client_core::projection::{LotFilter, LotState};
use granary_client_core::quantities::typed::{self, WeightUnit};
use granary_client_core::quantities::{Day, Grams, Permille};
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::harvest::{LotDraft, LotEdit};
use granary_client_core::words::{Language, Words};

use crate::config::{read_file, write_private};
use crate::error::Error;

#[derive(Args)]
pub(super) struct PhoneArguments {
    /// The phone's folder.
    #[arg(long, env = "GRANARY_PHONE", default_value = "granary-phone")]
    folder: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Join a co-operative by an invitation's link.
    Enrol {
        /// Such as `granary://localhost:8443/7KQ2-M9XT-4B0C#…`.
        link: String,
        /// What the phone is called.
        #[arg(long, default_value = "terminal")]
        name: String,
        /// Join without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Record a lot; needs no connection.
    Record {
        /// The product's code, such as `millet`.
        product: String,
        /// The weight, such as `12.5kg`, `25jin`, `25斤` or `12500g`; a number alone is grams.
        #[arg(required = true, num_args = 1..=2)]
        weight: Vec<String>,
        /// The day; today when not given, by the server's time.
        #[arg(long)]
        day: Option<Day>,
        #[arg(long, default_value = "")]
        grade: String,
        /// The moisture, such as `13.5%`; a number alone is permille.
        #[arg(long)]
        moisture: Option<String>,
        #[arg(long, default_value = "")]
        place: String,
        #[arg(long, default_value = "")]
        note: String,
        /// The household, for coordinators' phones.
        #[arg(long)]
        household: Option<HouseholdId>,
        /// Record it without asking, also when something about it is unusual.
        #[arg(long)]
        yes: bool,
    },
    /// Correct a lot's weight or note.
    Correct {
        /// The lot's number, as `list` shows it, such as `7KQ2-M9XT-4B0C`.
        lot: String,
        /// The weight, such as `12.5kg` or `25jin`; a number alone is grams.
        #[arg(long, visible_alias = "grams")]
        weight: Option<String>,
        #[arg(long)]
        note: Option<String>,
    },
    /// List lots.
    List {
        #[arg(long)]
        product: Option<String>,
        #[arg(long)]
        from: Option<Day>,
        #[arg(long)]
        to: Option<Day>,
        /// `recorded`, `received` or `rejected`.
        #[arg(long)]
        state: Option<String>,
    },
    /// Sync now.
    Sync,
    /// Write what waits to be sent into a file, for whoever comes by a line.
    CarryOut {
        /// The file to write.
        to: PathBuf,
    },
    /// Hand in the file of another phone.
    HandIn {
        /// The file that `carry-out` wrote.
        from: PathBuf,
    },
    /// Write all lots that this phone holds into a file; needs no connection.
    Export {
        /// The file; a list for programs when it ends in `.json`, else a table.
        to: PathBuf,
    },
    /// Forget the co-operative, after all lots that this phone holds were written into a file.
    Leave {
        /// The file for the lots; a list for programs when it ends in `.json`, else a table.
        #[arg(long)]
        export_to: PathBuf,
        /// Leave also what the server does not have, without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Take back what was set aside as damaged earlier.
    Recover,
    /// Show how the sync stands.
    Status,
    /// Sync in the background as an app does, and show what arrives, until interrupted.
    Watch,
}

impl Command {
    /// Its words, for another process that wants the same phone.
    fn words(&self) -> &'static str {
        match self {
            Self::Enrol { .. } => "granary phone enrol",
            Self::Record { .. } => "granary phone record",
            Self::Correct { .. } => "granary phone correct",
            Self::List { .. } => "granary phone list",
            Self::Sync => "granary phone sync",
            Self::CarryOut { .. } => "granary phone carry-out",
            Self::HandIn { .. } => "granary phone hand-in",
            Self::Export { .. } => "granary phone export",
            Self::Leave { .. } => "granary phone leave",
            Self::Recover => "granary phone recover",
            Self::Status => "granary phone status",
            Self::Watch => "granary phone watch",
        }
    }
}

pub(super) fn run(arguments: PhoneArguments) -> Result<(), Error> {
    let opening = Opening { doing: arguments.command.words(), ..Opening::default() };
    let phone = Phone::open_as(&arguments.folder, &opening)?;
    for damage in phone.damage() {
        eprintln!("{}", damage.sentence);
    }
    if phone.status().revoked {
        eprintln!(
            "THIS PHONE WAS TAKEN OUT OF THE CO-OPERATIVE. It goes on recording, and nothing is sent. Ask a coordinator to take \
             it back in, or carry its work out as a file (`granary phone carry-out`) and hand that in."
        );
    }
    match arguments.command {
        Command::Enrol { link, name, yes } => {
            if (phone.device().is_none() || phone.status().revoked) && !yes && !joins(&phone, &link)? {
                return Err(Error::invalid("link", "you did not say yes, so this phone joined nothing"));
            }
            phone.enrol(&link, &name)?;
            println!("this phone belongs to {} now", phone.cooperative_name().unwrap_or_default());
        }
        Command::Record { product, weight, day, grade, moisture, place, note, household, yes } => {
            let day = day.unwrap_or_else(|| phone.today());
            let draft = LotDraft {
                product,
                quantity: typed_weight(&weight.join(" "))?,
                grade,
                moisture: moisture.as_deref().map(typed_moisture).transpose()?,
                day,
                place,
                note,
                photos: Vec::new(),
            };
            let household = phone.household_or(household)?;
            if !yes {
                confirm(phone.unusual(household, &draft)?)?;
            }
            let lot = phone.record_of_day(household, &draft)?;
            println!("recorded {lot}");
        }
        Command::Correct { lot, weight, note } => {
            let lot = phone.find_lot(&lot)?;
            let mut edits = Vec::new();
            if let Some(weight) = weight {
                edits.push(LotEdit::Quantity(typed_weight(&weight)?));
            }
            edits.extend(note.map(LotEdit::Note));
            phone.correct(&lot, &edits)?;
            println!("corrected {lot}");
        }
        Command::List { product, from, to, state } => {
            let state = match state.as_deref() {
                None => None,
                Some("recorded") => Some(LotState::Recorded),
                Some("received") => Some(LotState::Received),
                Some("rejected") => Some(LotState::Rejected),
                Some(_) => return Err(Error::invalid("state", "a state is recorded, received or rejected")),
            };
            list(&phone, &LotFilter { product, from, to, state, ..LotFilter::default() })?;
        }
        Command::Sync => {
            phone.sync_now()?;
            show(&phone);
        }
        Command::CarryOut { to } => {
            let file = phone.export_outbox()?;
            write_private(&to, &file)?;
            println!("{} holds the {} changes that wait; hand it in anywhere", to.display(), alone(&phone.status()));
        }
        Command::HandIn { from } => {
            phone.import_outbox_file(&read_file(&from)?)?;
            println!("handed in {}", from.display());
        }
        Command::Export { to } => export(&phone, &to)?,
        Command::Leave { export_to, yes } => leave(&phone, &export_to, yes)?,
        Command::Recover => recover(&phone)?,
        Command::Status => {
            show(&phone);
            for file in phone.set_aside()? {
                println!(
                    "set aside as damaged: {} (`granary phone recover` takes back what can be read)",
                    file.display()
                );
            }
        }
        Command::Watch => watch(phone)?,
    }
    Ok(())
}

fn export(phone: &Phone, to: &Path) -> Result<(), Error> {
    let is_json = to.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let form = if is_json { ExportForm::Json } else { ExportForm::Csv };
    write_private(to, phone.export_lots(form)?.as_bytes())?;
    println!("{} holds all lots of this phone", to.display());
    Ok(())
}

/// Leaves the co-operative. Asks when the server lacks work of this phone.
fn leave(phone: &Phone, to: &Path, yes: bool) -> Result<(), Error> {
    export(phone, to)?;
    let alone = alone(&phone.status());
    if alone > 0 && !yes {
        println!(
            "{alone} changes are on this phone alone. The server will never have them, unless you sync or carry them out first."
        );
        if !says_yes("leave all the same? [y/N] ") {
            return Err(Error::invalid("leave", "you did not say yes, so this phone stays"));
        }
    }
    let name = phone.cooperative_name().unwrap_or_default();
    phone.leave(true)?;
    println!("this phone does not belong to {name} any more, and holds nothing of it");
    Ok(())
}

/// Changes that the server does not have, or did not take in.
fn alone(status: &Status) -> u64 {
    status.unsent.saturating_add(status.undelivered)
}

fn says_yes(question: &str) -> bool {
    print!("{question}");
    let mut answer = String::new();
    // An answer that can't be read is none.
    let _ = std::io::stdout().flush();
    let _ = std::io::stdin().lock().take(16).read_line(&mut answer);
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "是" | "好")
}

fn recover(phone: &Phone) -> Result<(), Error> {
    let recovered = phone.recover()?;
    for file in &recovered.files {
        println!("taken back: {}", file.display());
    }
    for file in &recovered.unreadable {
        println!("nothing can be read of it, so it is left as it is: {}", file.display());
    }
    for file in &recovered.left {
        println!("left as it is, since it does not say whose it was: {}", file.display());
    }
    match (recovered.files.is_empty(), recovered.left.is_empty() && recovered.unreadable.is_empty()) {
        (true, true) => println!("nothing was set aside"),
        (true, false) => println!("nothing was taken back"),
        (false, _) => {
            println!("{} changes were not here; {} wait to be sent again", recovered.changes, recovered.unsent)
        }
    }
    Ok(())
}

/// Asks the person about what is unusual. Fails unless they say yes; without a terminal to ask on, it fails at once.
fn confirm(unusual: Vec<Unusual>) -> Result<(), Error> {
    if unusual.is_empty() {
        return Ok(());
    }
    if std::io::stdin().is_terminal() {
        let language = super::language();
        unusual.iter().for_each(|unusual| eprintln!("{}", unusual.words(language)));
        match language {
            Language::Chinese => eprint!("仍然登记吗？[y/N] "),
            Language::English => eprint!("record it all the same? [y/N] "),
        }
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "是" | "对") {
            return Ok(());
        }
    }
    Err(Error::Unusual { unusual })
}

fn typed_weight(text: &str) -> Result<Grams, Error> {
    typed::weight(text, WeightUnit::Gram).map_err(|fault| Error::Typed { field: "weight", fault })
}

fn typed_moisture(text: &str) -> Result<Permille, Error> {
    typed::moisture(text, true).map_err(|fault| Error::Typed { field: "moisture", fault })
}

struct Shown(Arc<Phone>);

impl Observer for Shown {
    fn status_changed(&self, status: Status) {
        if let Some(error) = status.last_error.filter(|_| status.state != SyncState::Syncing) {
            eprintln!("{}", error.words(super::language()));
        }
    }

    fn documents_changed(&self, documents: Vec<DocumentKey>) {
        println!("{} documents changed; the latest lots:", documents.len());
        if let Err(error) = list(&self.0, &LotFilter { limit: 5, ..LotFilter::default() }) {
            eprintln!("{error}");
        }
    }
}

/// Runs until interrupted; the driver syncs when the server nudges.
fn watch(phone: Arc<Phone>) -> Result<(), Error> {
    let _driver = Driver::start(Arc::clone(&phone), Arc::new(Shown(Arc::clone(&phone))))?;
    loop {
        std::thread::park();
    }
}

/// Shows a person whom she joins, and asks.
fn joins(phone: &Phone, link: &str) -> Result<bool, Error> {
    let invitation = phone.look_at_invitation(link)?;
    println!("server:        {}", invitation.server);
    println!("co-operative:  {}", invitation.cooperative_name);
    println!("this phone as: {}", invitation.role);
    Ok(says_yes("join? [y/N] "))
}

fn list(phone: &Phone, filter: &LotFilter) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    for row in phone.lots(filter)? {
        let weight = row.grams.and_then(|grams| Grams::new(grams).ok());
        let weight = weight.map_or_else(|| "damaged".to_owned(), |weight| weight.to_string());
        let day = row.day.map_or_else(|| "damaged".to_owned(), |day| day.to_string());
        let mark = if row.in_conflict { "  (edited on two phones at once)" } else { "" };
        let held = if row.held.is_empty() { String::new() } else { format!("  (NOT TAKEN IN: {})", row.held) };
        let line = format!("{day}  {}  {weight}  {:?}  {}{mark}{held}", row.product, row.state, row.lot);
        // The reader of a pipe may have closed it.
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    Ok(())
}

fn show(phone: &Phone) {
    let status = phone.status();
    let last = status.last_success.map_or_else(|| "never".to_owned(), |at| at.to_string());
    println!("waiting to be sent: {}", status.unsent);
    if status.undelivered > 0 {
        println!("not taken in: {} (a coordinator can take them in; `list` marks their lots)", status.undelivered);
    }
    println!("last sync: {last}");
    println!("bytes up {} down {}", status.bytes_up, status.bytes_down);
    if let Some(error) = &status.last_error {
        println!("last error: {}", error.words(super::language()));
    }
    if let Some(shown) = phone.wrong_date() {
        let today = phone.today();
        println!(
            "{}",
            match super::language() {
                Language::Chinese => format!("这部手机的日期是 {shown}，服务器说今天是 {today}：请设置手机的日期。"),
                Language::English =>
                    format!("this phone's date is {shown}, and the server says {today}: set this phone's date"),
            }
        );
    }
    status.quarantined.iter().for_each(|sentence| println!("set aside: {sentence}"));
}
