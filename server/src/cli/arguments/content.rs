//! Commands about what a co-operative holds: its particulars, order files, what was set aside, and what is erased.

use std::path::PathBuf;

use clap::Subcommand;
use granary_client_core::ids::HouseholdId;

use super::Folder;

#[derive(Subcommand)]
pub(in crate::cli) enum OrdersCommand {
    /// Say that all orders from before a restoration are here again; until then shops that ask before they sell are told to try
    /// later.
    Complete {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Say what order files hold, and take nothing; no server is needed.
    Preview {
        /// For programs: an object in one line for each file, and for each pair of files.
        #[arg(long)]
        json: bool,
        /// The SKUs that are known, as JSON; without it none is.
        #[arg(long, value_name = "FILE")]
        skus: Option<PathBuf>,
        /// The platform's profile, where a file fits two.
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
        /// A folder with more profiles.
        #[arg(long, value_name = "FOLDER")]
        profiles: Option<PathBuf>,
        /// The files. A list of orders and the file with their lines are joined.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Take order files into a co-operative; while the server runs.
    Take {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The shop whose orders these are, where there are several on one platform.
        #[arg(long, default_value = "")]
        shop: String,
        /// The platform's profile, where a file fits two.
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
        /// The files. A list of orders and the file with their lines are joined.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Subcommand)]
pub(in crate::cli) enum CoopCommand {
    /// Create a co-operative; `coordinator add` makes its first coordinator.
    Create {
        #[command(flatten)]
        folder: Folder,
        /// Its name.
        name: String,
    },
    /// Show its name, how it is reached, its villages, collecting places and seasons.
    Show {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Say how it is called and reached, which phones show beside the prices. What is not given stays; an empty text clears it.
    Set {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Its name.
        #[arg(long)]
        name: Option<String>,
        /// The telephone that households call.
        #[arg(long)]
        phone: Option<String>,
        /// Where it is.
        #[arg(long)]
        address: Option<String>,
        /// What else a household needs to know.
        #[arg(long)]
        about: Option<String>,
    },
    /// Add a village, or rename it. Households belong to villages.
    Village {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Its code, such as `dongpo`: small letters, digits, hyphens. It stays for ever.
        code: String,
        /// Its name.
        name: String,
    },
    /// Add a collecting place, or rename it.
    Place {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Its code, such as `mill`: small letters, digits, hyphens. It stays for ever.
        code: String,
        /// Its name.
        name: String,
    },
    /// Say from which day on a season is the present one.
    Season {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The year in which it ends.
        year: u16,
        /// Its first day, such as `2026-03-01`.
        #[arg(long)]
        from: granary_client_core::quantities::Day,
        /// What it is called, where the year does not say enough.
        #[arg(long)]
        name: Option<String>,
    },
}

#[derive(Subcommand)]
pub(in crate::cli) enum EraseCommand {
    /// A household's names, members and how it is paid; tells what goes and what stays, and does it with `--yes`.
    Household {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The household's id.
        household: HouseholdId,
        /// Its lots and decisions about them too, of every season, with their notes.
        #[arg(long)]
        with_books: bool,
        /// Do it. There is no way back.
        #[arg(long)]
        yes: bool,
    },
    /// Who bought an order and where it went; the order stays. Tells what goes, and does it with `--yes`.
    Buyer {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Which of the co-operative's shops on that platform; left out where it has but one.
        #[arg(long, default_value = "")]
        shop: String,
        /// The platform of the order, such as `douyin`.
        platform: String,
        /// The platform's id of the order.
        order: String,
        /// Do it. There is no way back.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub(in crate::cli) enum SetAsideCommand {
    /// List them with their lots.
    List {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Take them in, as their phone wrote them.
    TakeIn {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Such as `8a1f…/17`, as `list` shows it.
        name: String,
    },
    /// Refuse them for good.
    Refuse {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Such as `8a1f…/17`, as `list` shows it.
        name: String,
    },
}
