//! `granary serve` and `granary demo`.

use granary_client_core::schema::access::Role;

use crate::access::InvitationLink;
use crate::config::settings::Settings;
use crate::error::Error;
use crate::serve::Server;
use crate::store::probe::{How, in_child};

/// Fills a new demo and says what to do next.
pub(super) fn demo(server: &Server, folder: &std::path::Path) -> Result<(), Error> {
    let folder = folder.display();
    let granary = server.granary();
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
    let role = Role::Household(crate::demo::household_id(0));
    let invitation = granary.invite(number, role, 72, crate::environment::now())?;
    let link = InvitationLink {
        address: server.public_address().to_owned(),
        code: invitation.code,
        fingerprint: server.fingerprint().to_owned(),
    };
    let password: [u8; 12] = crate::environment::random_bytes()?;
    let password = crate::environment::hex(&password);
    granary.set_coordinator(number, "demo", "张协调 Zhang", &password, crate::environment::now())?;
    let sign_in = granary.sign_in_once(number, "demo", crate::environment::now())?;
    let console = format!("https://{}/console/once/{sign_in}", server.public_address());
    println!(
        "
The coordinators' console; the link signs in once, and the browser asks about the demo's own certificate:

  {console}

The demo is running; Ctrl-C stops it. In a second terminal, with GRANARY standing for this program:

  enrol a phone      GRANARY phone enrol '{link}'
  fetch its book     GRANARY phone sync
  see it             GRANARY phone list

Now stop this server with Ctrl-C and record without any signal:

  record a harvest   GRANARY phone record millet 12500 --grade A --note 东坡地
  see it waiting     GRANARY phone status

Start the demo again and let it arrive:

  send it            GRANARY phone sync

A second invitation, for a coordinator, made while the server runs, sees every household:

  GRANARY invite --folder {folder} --role coordinator
"
    );
    Ok(())
}

/// Serves until a signal says to stop. `first` runs once the server listens.
pub(super) fn serve(settings: Settings, first: impl FnOnce(&Server) -> Result<(), Error> + Send) -> Result<(), Error> {
    let Settings { config, log, log_format, .. } = settings;
    let filter = tracing_subscriber::EnvFilter::try_new(&log)
        .map_err(|error| Error::invalid("log", format_args!("the setting `log` can't be read: {error}")))?;
    in_child(&config.folder, &config.store_folder(), How::Look)?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    match log_format.as_str() {
        "json" => subscriber.json().init(),
        _ => subscriber.init(),
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::ServerStart { reason: error.to_string() })?;
    runtime.block_on(async {
        let server = crate::serve::start(config, |fault| {
            // The store's state is unknown after a failure, so nothing more is acknowledged.
            tracing::error!(%fault, "the store failed; the server ends. Check the disk, then start it again");
            std::process::exit(74);
        })
        .await?;
        println!("listening on {}", server.address());
        tokio::task::block_in_place(|| first(&server))?;
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind: SignalKind| signal(kind).map_err(|error| Error::ServerStart { reason: error.to_string() });
        let (mut terminate, mut hang_up) = (on(SignalKind::terminate())?, on(SignalKind::hangup())?);
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
