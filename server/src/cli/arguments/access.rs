//! Commands about who gets in: invitations, coordinators' accounts, API keys.

use clap::Subcommand;

use super::Folder;
use crate::access::api_keys::{KeyId, Scope};

#[derive(Subcommand)]
pub(in crate::cli) enum InvitationsCommand {
    /// List the open ones: who made each, for whom, until when.
    List {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Also those that were used, withdrawn, voided or are too old.
        #[arg(long)]
        all: bool,
    },
    /// Withdraw an open invitation.
    Withdraw {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Its name in the list, or its code.
        invitation: String,
    },
}

#[derive(Subcommand)]
pub(in crate::cli) enum CoordinatorCommand {
    /// List the accounts, with the phones of each.
    List {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Remove an account: at once no session, password, link, open invitation or phone of theirs works.
    Remove {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The login.
        login: String,
        /// Erase the names too, of the person and of their phones; the audit keeps ids. There is no way back.
        #[arg(long)]
        erase: bool,
        /// Also the last coordinator who can sign in.
        #[arg(long)]
        force: bool,
    },
    /// Give an account another password, which is read from the first line of the standard input. What was open of it ends.
    Password {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The login.
        login: String,
    },
    /// Make an account. Its password is read from the first line of the standard input.
    Add {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// What is typed to sign in.
        login: String,
        /// What the person is called.
        name: String,
    },
    /// Take away the second factor of a coordinator who lost it.
    ClearSecondFactor {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The login.
        login: String,
    },
    /// Make a link that signs a coordinator in once.
    Link {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The login.
        login: String,
    },
}

#[derive(Subcommand)]
pub(in crate::cli) enum KeyCommand {
    /// Make a key for one shop. It is shown once.
    Add {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The platform whose orders it brings, such as `douyin`; `shop` for a shop of your own.
        #[arg(long)]
        platform: String,
        /// The shop on that platform, where there are several.
        #[arg(long, default_value = "")]
        shop: String,
        /// What it may do: `orders:write`, `orders:read`, `stock:read`, `ship:read`, `pools:write`. May be given several times.
        #[arg(long = "scope", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// What people call it, such as the name of the program that has it.
        name: String,
    },
    /// List the keys: for which shop, what each may do, when it was last used.
    List {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Revoke a key, at once.
    Revoke {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The key's id, as `key list` shows it.
        key: KeyId,
    },
}
