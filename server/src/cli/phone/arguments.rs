//! What a person types: the commands of the terminal phone, with their help.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use granary_client_core::quantities::Day;
use granary_client_core::schema::QuestionId;

use super::goods::GoodsCommand;

#[derive(Args)]
pub(in crate::cli) struct PhoneArguments {
    /// The phone's folder.
    #[arg(long, env = "GRANARY_PHONE", default_value = "granary-phone")]
    pub(super) folder: PathBuf,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Join a co-operative by an invitation's link.
    Enrol {
        /// Such as `granary://localhost:8443/7KQ2-M9XT-4B0F#…`.
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
        /// The grade, such as `A`.
        #[arg(long, default_value = "")]
        grade: String,
        /// The moisture, such as `13.5`, in percent.
        #[arg(long)]
        moisture: Option<String>,
        /// The place: one of the co-operative's, or a field's name.
        #[arg(long, default_value = "")]
        place: String,
        /// A note.
        #[arg(long, default_value = "")]
        note: String,
        /// For whom, on a recorder's or a coordinator's phone: the household's name, or the number of its card.
        #[arg(long)]
        household: Option<String>,
        /// Record it without asking, also when something about it is unusual.
        #[arg(long)]
        yes: bool,
    },
    /// List for whom this phone may record, with the numbers of their cards.
    Households {
        /// Only those with this in their name.
        #[arg(default_value = "")]
        search: String,
    },
    /// Correct a lot.
    Correct {
        /// The lot's number, as `list` shows it, such as `7KQ2-M9XT-4B0F`.
        lot: String,
        /// The weight, such as `12.5kg` or `25jin`; a number alone is grams.
        #[arg(long, visible_alias = "grams")]
        weight: Option<String>,
        /// The grade, such as `A`.
        #[arg(long)]
        grade: Option<String>,
        /// The day of the harvest.
        #[arg(long)]
        day: Option<Day>,
        /// The moisture, such as `13.5`, in percent.
        #[arg(long)]
        moisture: Option<String>,
        /// The place: one of the co-operative's, or a field's name.
        #[arg(long)]
        place: Option<String>,
        /// The product's code.
        #[arg(long)]
        product: Option<String>,
        /// A note.
        #[arg(long)]
        note: Option<String>,
        /// Correct it without asking, also when something about it is unusual.
        #[arg(long)]
        yes: bool,
    },
    /// Weigh a lot in, or send it back, for packers' and coordinators' phones.
    Receive {
        /// The lot's number, as `list` shows it, such as `7KQ2-M9XT-4B0F`.
        lot: String,
        /// The weight at the warehouse, such as `12.5kg` or `25jin`; a number alone is grams.
        #[arg(long, visible_alias = "grams", required_unless_present = "reject")]
        weight: Option<String>,
        /// The grade by the warehouse, such as `A`.
        #[arg(long)]
        grade: Option<String>,
        /// Send the lot back, and why, for the household.
        #[arg(long, value_name = "REASON", conflicts_with_all = ["weight", "grade"])]
        reject: Option<String>,
        /// The day on which it came in; today when not given, by the server's time.
        #[arg(long)]
        day: Option<Day>,
        /// Receive it without asking, also when something about it is unusual or it has a receipt already.
        #[arg(long)]
        yes: bool,
    },
    /// List lots, latest first.
    List {
        /// The product's code.
        #[arg(long)]
        product: Option<String>,
        /// Of this day alone.
        #[arg(long, conflicts_with_all = ["from", "to"])]
        day: Option<Day>,
        /// Of this day or later.
        #[arg(long)]
        from: Option<Day>,
        /// Of this day or earlier.
        #[arg(long)]
        to: Option<Day>,
        /// `recorded`, `received` or `rejected`.
        #[arg(long)]
        state: Option<String>,
        /// All of them; 200 when not given.
        #[arg(long)]
        all: bool,
    },
    /// List what the co-operative asks about lots: what waits for an answer.
    Questions {
        /// Also what is answered and closed.
        #[arg(long)]
        all: bool,
    },
    /// Answer a question; needs no connection.
    Answer {
        /// The question's number, as `questions` shows it.
        question: QuestionId,
        /// The answer.
        #[arg(required = true)]
        text: Vec<String>,
    },
    #[command(flatten)]
    Goods(GoodsCommand),
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
    /// Give up a phone whose file is lost, and begin a new one in its folder. Files that were set aside stay.
    StartAnew {
        /// Give it up without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Show how the sync stands.
    Status,
    /// Sync in the background as an app does, and show what arrives, until interrupted.
    Watch,
}

impl Command {
    /// Its words, for another process that wants the same phone.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Enrol { .. } => "granary phone enrol",
            Self::Record { .. } => "granary phone record",
            Self::Households { .. } => "granary phone households",
            Self::Correct { .. } => "granary phone correct",
            Self::Receive { .. } => "granary phone receive",
            Self::List { .. } => "granary phone list",
            Self::Questions { .. } => "granary phone questions",
            Self::Answer { .. } => "granary phone answer",
            Self::Goods(command) => command.words(),
            Self::Sync => "granary phone sync",
            Self::CarryOut { .. } => "granary phone carry-out",
            Self::HandIn { .. } => "granary phone hand-in",
            Self::Export { .. } => "granary phone export",
            Self::Leave { .. } => "granary phone leave",
            Self::Recover => "granary phone recover",
            Self::StartAnew { .. } => "granary phone start-anew",
            Self::Status => "granary phone status",
            Self::Watch => "granary phone watch",
        }
    }

    /// True for what a phone that was revoked is told of again; a sync says itself how it stands after it.
    pub(super) fn tells_of_revocation(&self) -> bool {
        !matches!(self, Self::Enrol { .. } | Self::CarryOut { .. } | Self::Leave { .. } | Self::Recover | Self::Sync)
    }
}
