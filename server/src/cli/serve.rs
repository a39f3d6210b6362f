//! `granary serve` and `granary demo`.

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::transport::build_runtime;

use crate::access::{InvitationLink, Principal};
use crate::config::settings::{ServeArgs, Settings};
use crate::config::{read_file, write_private};
use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::said::Said;
use crate::serve::Server;
use crate::store::probe::{How, in_child};

/// Fills a new demo and says what to do next.
pub(super) fn demo(server: &Server, folder: &std::path::Path) -> Result<(), Error> {
    let granary = server.granary();
    granary.be_a_demo();
    let number = match granary.cooperatives().first() {
        Some(cooperative) => cooperative.number(),
        None => {
            println!("making 600 households and their autumn; this takes a minute, once");
            crate::demo::seed(granary, crate::environment::now(), |done| {
                if done % 100 == 0 {
                    println!("  {done} households");
                }
            })?
        }
    };
    let statistics = granary.cooperative(number)?.statistics();
    println!("{} documents in {} log positions", statistics.documents, statistics.positions);
    println!("order files of seven kinds, to be taken: {}", crate::demo::order_files::lay_out(folder)?.display());
    let now = crate::environment::now();
    let is_first = !folder.join(DEMO_PASSWORD).exists();
    let password = demo_password(folder)?;
    let Some(coordinator) = demo_coordinator(granary, number, (is_first, &password), now)? else {
        println!("The demo's coordinator was removed, and stays so. Make another: granary coordinator add LOGIN NAME");
        return Ok(());
    };
    let sign_in = granary.sign_in_once(number, DEMO_LOGIN, now)?;
    let address = server.public_address();
    let link = |role: Role| -> Result<String, Error> {
        // The coordinator's phone ends with the demo's coordinator.
        let person = (role == Role::Coordinator).then_some(coordinator);
        let code = granary.invite_as(Principal::Operator, number, role, person, 72, now)?.code;
        let fingerprint = server.fingerprint().to_owned();
        Ok(InvitationLink { address: address.to_owned(), code, fingerprint }.to_string())
    };
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let program = std::env::current_exe().unwrap_or_else(|_| "granary".into());
    let program = quoted(&program.display().to_string());
    let server_folder = quoted(&absolute.display().to_string());
    // A phone's folder takes one invitation, so each start names folders that are not there yet.
    let mut free = (1u32..).map(|number| absolute.join(format!("phone-{number}"))).filter(|path| !path.exists());
    let mut phone =
        || format!("{program} phone --folder {}", quoted(&free.next().unwrap_or_default().display().to_string()));
    let (first, second) = (phone(), phone());
    let (household, coordinator) = (link(Role::Household(crate::demo::household_id(0)))?, link(Role::Coordinator)?);
    show_browser_phone(server, number, now)?;
    println!(
        "
The coordinators' console; the browser asks about the demo's own certificate. Disagreements wait there.

  https://{address}/console/sign-in?coop={coop}
  login {DEMO_LOGIN}, password {password}

  or by a link that signs in once: https://{address}/console/once/{sign_in}

The demo is running; Ctrl-C stops it. In a second terminal:

  enrol a phone      {first} enrol --yes '{household}'
  fetch its book     {first} sync
  see it             {first} list

Now stop this server with Ctrl-C and record without any signal:

  record a harvest   {first} record millet 12500 --grade A --note 东坡地
  see it waiting     {first} status

Start the demo again, {program} demo --folder {server_folder} --port {port}, and let it arrive:

  send it            {first} sync

A second phone, a coordinator's, sees every household:

  enrol it           {second} enrol --yes '{coordinator}'
  fetch all books    {second} sync

More invitations, made while the server runs:

  {program} invite --folder {server_folder} --role packer
",
        coop = number.0,
        port = server.address().port(),
    );
    Ok(())
}

/// The link that makes a browser of this machine a phone of the first household, and its QR code.
fn show_browser_phone(server: &Server, number: CooperativeNumber, now: Instant) -> Result<(), Error> {
    if !server.has_web_app() {
        println!("\nThe phone in the browser is not in this program: web/dist was empty when it was built.");
        return Ok(());
    }
    let role = Role::Household(crate::demo::household_id(0));
    let code = server.granary().invite_as(Principal::Operator, number, role, None, 72, now)?.code;
    if let Some(link) = server.browser_invitation(&code) {
        println!(
            "\nA villager's phone, in a browser of this machine; it works without a line from the second start on:\n\n  {link}\n"
        );
        super::show_qr(&link);
    }
    Ok(())
}

/// The login of the demo's coordinator.
const DEMO_LOGIN: &str = "demo";
/// The file with its password.
const DEMO_PASSWORD: &str = "demo-password";

/// The demo's coordinator, made at the first start; none once somebody has removed the account. A new start with the same
/// password ends nobody's session.
fn demo_coordinator(
    granary: &Granary,
    number: CooperativeNumber,
    (is_first, password): (bool, &str),
    now: Instant,
) -> Result<Option<DeviceId>, Error> {
    if is_first {
        granary.set_coordinator(number, DEMO_LOGIN, "张协调 Zhang", password, now)?;
    }
    Ok(granary.coordinator_device(number, DEMO_LOGIN).ok())
}

/// The password of the demo's coordinator: drawn once, and kept beside the store.
fn demo_password(folder: &std::path::Path) -> Result<String, Error> {
    let path = folder.join(DEMO_PASSWORD);
    if path.exists() {
        return Ok(String::from_utf8_lossy(&read_file(&path)?).trim().to_owned());
    }
    let password = drawn_password(&crate::environment::random_bytes::<12>()?);
    write_private(&path, format!("{password}\n").as_bytes())?;
    Ok(password)
}

/// Twelve consonants: no word, no sequence and no name, so that the rule for passwords takes each of them.
fn drawn_password(random: &[u8]) -> String {
    const LETTERS: [char; 16] = ['b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'r', 's', 't', 'w', 'x'];
    random.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 16))).collect()
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '/' | '.' | '-' | '_' | '+' | ':' | '@');
    match text.chars().all(is_plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// The signals that a running server acts on, and the runtime that waits for them.
struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

/// Before all that takes time, so that a signal at the start ends nothing half done, and a reload ends nothing at all.
fn signals() -> Result<Signals, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let start = |error: std::io::Error| Error::ServerStart { reason: error.to_string() };
    let runtime = build_runtime(&mut tokio::runtime::Builder::new_multi_thread())
        .map_err(|error| Error::ServerStart { reason: error.to_string() })?;
    let (terminate, hang_up) = {
        let _within = runtime.enter();
        (signal(SignalKind::terminate()).map_err(start)?, signal(SignalKind::hangup()).map_err(start)?)
    };
    Ok(Signals { runtime, terminate, hang_up })
}

/// Serves until a signal says to stop. `first` runs once the server listens.
pub(super) fn serve(args: ServeArgs, first: impl FnOnce(&Server) -> Result<(), Error> + Send) -> Result<(), Error> {
    let Signals { runtime, mut terminate, mut hang_up } = signals()?;
    let Settings { config, log, log_format, .. } = Settings::of(args)?;
    let filter = tracing_subscriber::EnvFilter::try_new(&log).map_err(|error| {
        Error::invalid(
            "log",
            Said::new(format!("the setting `log` can't be read: {error}"), format!("设置 `log` 读不出来（{error}）")),
        )
    })?;
    in_child(&config.folder, &config.store_folder(), How::Look)?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        // Else a log line that nobody reads any more would end the server: the layer reports it by a panicking macro.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match log_format.as_str() {
        "json" => subscriber.json().init(),
        _ => subscriber.init(),
    }
    runtime.block_on(async {
        let server = crate::serve::start(config, |fault| {
            // The store's state is unknown after a failure, so nothing more is acknowledged.
            tracing::error!(%fault, "the store failed; the server ends. Check the disk, then start it again");
            std::process::exit(74);
        })
        .await?;
        println!("listening on {}", server.address());
        tokio::task::block_in_place(|| first(&server))?;
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => break,
                _ = terminate.recv() => break,
                _ = hang_up.recv() => match server.reload_certificate() {
                    Ok(true) => tracing::info!("the certificate was read again"),
                    Ok(false) => tracing::info!("there is no certificate to read again"),
                    Err(error) => tracing::error!(%error, "the certificate could not be read again; the one before is still shown"),
                },
            }
        }
        tracing::info!("stopping");
        server.stop().await;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_one_word_for_a_shell() {
        for text in ["/usr/bin/granary", "/home/li/my farm", "it's", "", "$HOME;`id`"] {
            let command = format!("printf %s {}", quoted(text));
            let said = std::process::Command::new("sh").args(["-c", &command]).output().unwrap().stdout;
            assert_eq!(String::from_utf8(said).unwrap(), text);
        }
    }

    // One demo in a hundred drew digits with a letter or two, was refused at its first start, and had no coordinator at its next.
    #[test]
    fn passwords_drawn_for_the_demo_are_taken() {
        let mut state = 1u64;
        for _ in 0..10_000 {
            let random = [0u8; 12].map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as u8
            });
            let password = drawn_password(&random);
            assert_eq!(crate::access::passwords::check_new(&password, DEMO_LOGIN), Ok(()), "{password}");
        }
    }

    // The next start of the demo made the account again, with the old password.
    #[test]
    fn removed_coordinator_of_the_demo_stays_removed() {
        let keys = tempfile::tempdir().unwrap();
        let store = std::sync::Arc::new(granary_client_core::store::MemoryStore::default());
        let granary = Granary::open(store, keys.path(), None, |fault| panic!("{fault}")).unwrap();
        let number = granary.create_cooperative("Demo", Instant(0)).unwrap();
        let start = |first| demo_coordinator(&granary, number, (first, "correct horse battery"), Instant(1)).unwrap();
        let first = start(true);
        assert!(first.is_some() && first == start(false));
        granary
            .remove_coordinator(
                Principal::Operator,
                number,
                DEMO_LOGIN,
                crate::engine::Removal { even_the_last: true, ..Default::default() },
                Instant(2),
            )
            .unwrap();
        assert_eq!((start(false), start(false)), (None, None));
    }
}
