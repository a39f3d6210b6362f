//! Server time of the console's pages, with 600 households and 50,000 lots.

use std::sync::Arc;
use std::time::{Duration, Instant};

use granary_client_core::ids::HouseholdId;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::{self, record};
use granary_client_core::schema::receipt::{self, Outcome};
use granary_client_core::schema::{Book, DocumentKey, LotId, Part, Season, cooperative, household};
use granary_server::{Edit, Edits};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;

use crate::line::LOOPBACK;
use crate::records::lots;
use crate::world::{World, now};

const HOUSEHOLDS: u64 = 600;
const LOTS_EACH: usize = 84;
const VISITS: usize = 31;

fn id(number: u64) -> HouseholdId {
    HouseholdId::generate(1_700_000_000_000 + number, [7; 10])
}

fn fill(world: &World) {
    let granary = world.granary();
    let device = granary_server::log::Cooperative::server_device(granary.cooperative(world.coop).unwrap().id());
    let season = Season::new(2025).unwrap();
    let villages: Vec<Edit> = (0..8)
        .map(|village| -> Edit {
            Box::new(move |doc| cooperative::set_village(doc, &format!("v{village}"), &format!("Village {village}")))
        })
        .collect();
    let opening = Edits { key: DocumentKey::Cooperative(Part::FIRST), message: None, seen: None, edits: villages };
    granary.edit_as(world.coop, device, now(), vec![opening]).unwrap();
    for number in 0..HOUSEHOLDS {
        let (records, _) = lots(number, LOTS_EACH);
        let edits = records.into_iter().map(|draft| -> Edit { Box::new(move |doc| record(doc, &draft).map(drop)) });
        let name = format!("Household {number}");
        let key = DocumentKey::HarvestBook(Book::first(id(number), season));
        let books = vec![
            Edits::one(DocumentKey::Household(id(number)), move |doc| {
                household::set_name(doc, &name, &format!("v{}", number % 8))
            }),
            Edits { key: key.clone(), message: None, seen: None, edits: edits.collect() },
        ];
        granary.edit_as(world.coop, device, now(), books).unwrap();
        let book = granary.document(world.coop, &key).unwrap().unwrap();
        let weighings: Vec<Edit> = harvest::lots(&book)
            .into_iter()
            .enumerate()
            .filter(|(place, _)| place % 3 != 0)
            .map(|(place, lot)| -> Edit {
                let (lot, recorded) = (LotId::in_book(&key, lot.key.clone()).unwrap(), lot);
                let more = if place == 1 { 300 } else { -100 };
                let weighed = Grams::new(recorded.quantity.unwrap().get() + more).unwrap();
                let day = recorded.day.unwrap().plus_days(2);
                Box::new(move |doc| receipt::receive(doc, &lot, &Outcome::Received { weighed, grade: "A".into() }, day))
            })
            .collect();
        let receipts = Edits {
            key: DocumentKey::ReceiptBook(Book::first(id(number), season)),
            message: None,
            seen: None,
            edits: weighings,
        };
        granary.edit_as(world.coop, device, now(), vec![receipts]).unwrap();
    }
}

pub(crate) async fn connect(world: &World) -> SendRequest<Full<Bytes>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.server_folder().join("authority.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(world.server.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The cookie of a session, by a link that signs in once.
pub(crate) async fn redeem(sender: &mut SendRequest<Full<Bytes>>, token: &str) -> Option<String> {
    let path = format!("/console/once/{token}");
    let request = hyper::Request::post(path).header("host", "localhost").body(Full::default()).unwrap();
    sender.ready().await.unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    answer.into_body().collect().await.unwrap();
    cookie
}

pub(crate) async fn get(
    sender: &mut SendRequest<Full<Bytes>>,
    path: &str,
    cookie: &str,
) -> (u16, Option<String>, Bytes) {
    let request = hyper::Request::get(path)
        .header("host", "localhost")
        .header("cookie", cookie)
        .header("accept-encoding", "gzip")
        .body(Full::default())
        .unwrap();
    sender.ready().await.unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    (status, cookie, answer.into_body().collect().await.unwrap().to_bytes())
}

pub(crate) fn run() {
    let world = World::new(LOOPBACK);
    let began = Instant::now();
    fill(&world);
    world.granary().set_coordinator(world.coop, "bench", "Bench", "correct horse battery", now()).unwrap();
    eprintln!("{} lots written in {:.0} s", HOUSEHOLDS as usize * LOTS_EACH, began.elapsed().as_secs_f64());
    let token = world.granary().sign_in_once(world.coop, "bench", now()).unwrap();
    let lot = {
        let key = DocumentKey::HarvestBook(Book::first(id(3), Season::new(2025).unwrap()));
        let book = world.granary().document(world.coop, &key).unwrap().unwrap();
        format!("/console/lots/{}", LotId::in_book(&key, harvest::lots(&book)[5].key.clone()).unwrap())
    };
    world.on_runtime(async {
        let mut sender = connect(&world).await;
        let cookie = redeem(&mut sender, &token).await;
        let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
        // Pages are measured once the read models are up to date.
        for _ in 0..600 {
            let (_, _, page) = get(&mut sender, "/console", &cookie).await;
            if page.len() < 20_000 && !world.read_models_are_behind() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("{:<34} {:>10} {:>10} {:>12}", "page", "median ms", "worst ms", "bytes, gzip");
        for path in [
            "/console",
            "/console/harvests",
            "/console/harvests?page=900",
            "/console/harvests?search=yard",
            "/console/harvests?product=ginger&sort=weight",
            "/console/harvests?village=v3&state=received",
            lot.as_str(),
            "/console/cases",
            "/console/orders",
            "/console/catalogue",
            "/console/households",
            "/console/phones",
        ] {
            let mut times = Vec::with_capacity(VISITS);
            let mut bytes = 0;
            for _ in 0..VISITS {
                let began = Instant::now();
                let (status, _, body) = get(&mut sender, path, &cookie).await;
                times.push(began.elapsed().as_secs_f64() * 1000.0);
                assert_eq!(status, 200, "{path}");
                bytes = body.len();
            }
            times.sort_by(f64::total_cmp);
            let shown: String = path.chars().take(34).collect();
            println!("{shown:<34} {:>10.1} {:>10.1} {bytes:>12}", times[VISITS / 2], times[VISITS - 1]);
        }
    });
}
