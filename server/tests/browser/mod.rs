//! A server on this machine, and a browser without a screen: cookies, forms, redirects that are not followed.
#![allow(dead_code, reason = "each test program uses a part")]

use std::sync::Arc;

use granary_client_core::automerge::transaction::Transactable;
use granary_client_core::automerge::{ROOT, ReadDoc};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{HouseholdFilter, LotFilter, LotRow, ReadModel};
use granary_client_core::quantities::{Fen, Grams, Instant};
use granary_client_core::schema::catalogue::{PriceName, name_product, set_price};
use granary_client_core::schema::harvest::{self, LotDraft};
use granary_client_core::schema::{Book, Document, DocumentKey, Part, Season, cooperative, household};
use granary_server::log::CooperativeNumber;
use granary_server::{Config, Edit, Granary, Server};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

pub(crate) const HOUSEHOLD: HouseholdId = HouseholdId::from_bytes([7; 16]);
/// 25 November 2026 in China.
pub(crate) const NOW: Instant = Instant(1_795_600_000_000);

pub(crate) struct World {
    pub(crate) runtime: Arc<tokio::runtime::Runtime>,
    pub(crate) server: Server,
    pub(crate) coop: CooperativeNumber,
    folder: tempfile::TempDir,
}

fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_millis()).unwrap())
}

/// A server with one co-operative: three villages, one household, millet.
pub(crate) fn world() -> World {
    let runtime = Arc::new(tokio::runtime::Runtime::new().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let config = Config::local(folder.path().to_owned(), 0);
    let server = runtime.block_on(granary_server::start(config, |fault| panic!("{fault}"))).unwrap();
    let coop = server.granary().create_cooperative("临县农社", now()).unwrap();
    server.granary().set_coordinator(coop, "zhang", "张协调", "correct horse battery", now()).unwrap();
    let world = World { runtime, server, coop, folder };
    for (code, name) in [("dongpo", "东坡村"), ("xihe", "西河村"), ("beishan", "北山村")] {
        world.edit(
            DocumentKey::Cooperative(Part::FIRST),
            Box::new(move |doc| cooperative::set_village(doc, code, name)),
        );
    }
    world.name_household(HOUSEHOLD, "李家", "dongpo");
    world.edit(
        DocumentKey::Catalogue(Part::FIRST),
        Box::new(|doc| {
            name_product(doc, "millet", "小米", "Millet")?;
            set_price(doc, "millet", &PriceName::new("A".into(), None).unwrap(), Fen::new(760).unwrap())
        }),
    );
    world
}

impl World {
    pub(crate) fn granary(&self) -> &Arc<Granary> {
        self.server.granary()
    }

    pub(crate) fn edit(&self, key: DocumentKey, edit: Edit) {
        self.granary().edit(self.coop, &key, now(), edit).unwrap();
        self.until_listed();
    }

    /// Waits until lists show everything.
    pub(crate) fn until_listed(&self) {
        while self.granary().read_models_behind(self.coop).unwrap() > 0 {
            std::thread::yield_now();
        }
    }

    pub(crate) fn name_household(&self, id: HouseholdId, name: &str, village: &str) {
        let (name, village) = (name.to_owned(), village.to_owned());
        self.edit(DocumentKey::Household(id), Box::new(move |doc| household::set_name(doc, &name, &village)));
    }

    fn book() -> DocumentKey {
        DocumentKey::HarvestBook(Book::first(HOUSEHOLD, Season::new(2026).unwrap()))
    }

    /// Records a lot; gives its page's path.
    pub(crate) fn record(&self, product: &str, grams: i64, day: &str, note: &str) -> String {
        let draft = LotDraft {
            note: note.into(),
            grade: "A".into(),
            ..LotDraft::new(product, Grams::new(grams).unwrap(), day.parse().unwrap())
        };
        self.edit(Self::book(), Box::new(move |doc| harvest::record(doc, &draft).map(drop)));
        let rows = self.lots(&LotFilter { household: Some(HOUSEHOLD), limit: 1_000, ..LotFilter::default() });
        let row = rows.iter().find(|row| row.note == note && row.grams == Some(grams)).unwrap();
        format!("/console/lots/{}", row.lot.in_full())
    }

    /// A lot whose note no phone of ours would have written.
    pub(crate) fn foreign_note(&self, note: &str) {
        self.record("millet", 3_000, "2026-10-03", "foreign");
        let note = note.to_owned();
        self.edit(
            Self::book(),
            Box::new(move |doc| {
                let (_, list) = doc.get(ROOT, "lots")?.unwrap();
                let (_, lot) = doc.get(&list, 0)?.unwrap();
                doc.put(&lot, "note", note)?;
                Ok(())
            }),
        );
    }

    pub(crate) fn changes_of_book(&self) -> usize {
        let book: Option<Document> = self.granary().document(self.coop, &Self::book()).unwrap();
        book.unwrap().hashes_since(&[]).len()
    }

    /// The rows of lists, read beside the server.
    fn read_model(&self) -> ReadModel {
        self.until_listed();
        ReadModel::reader(&self.folder.path().join("lists").join(format!("{}.db", self.coop.0))).unwrap()
    }

    pub(crate) fn lots(&self, filter: &LotFilter) -> Vec<LotRow> {
        self.read_model().lots(filter).unwrap()
    }

    /// The names and villages of all households.
    pub(crate) fn households(&self) -> Vec<(String, String)> {
        let rows = self.read_model().households(&HouseholdFilter::all()).unwrap();
        rows.into_iter().map(|row| (row.name, row.village)).collect()
    }

    /// A coordinator who has signed in, and reads this language.
    pub(crate) fn browser(&self, language: &str) -> Browser<'_> {
        let mut browser = self.stranger(language);
        let once = self.granary().sign_in_once(self.coop, "zhang", now()).unwrap();
        let answer = browser.post(&format!("/console/once/{once}"), &[]);
        let session = answer.cookie.unwrap_or_else(|| panic!("no session: {}", answer.body));
        browser.cookie = format!("{}; {session}", browser.cookie);
        let page = browser.get("/console/import").body;
        let token = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        browser.token = token.to_owned();
        browser
    }

    /// A browser in which nobody has signed in.
    pub(crate) fn stranger(&self, language: &str) -> Browser<'_> {
        Browser { world: self, cookie: format!("granary-language={language}"), token: String::new() }
    }
}

pub(crate) struct Browser<'a> {
    world: &'a World,
    cookie: String,
    token: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) location: Option<String>,
    cookie: Option<String>,
}

impl Browser<'_> {
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.world.until_listed();
        self.send(hyper::Request::get(path), Bytes::new())
    }

    /// Sends a form, with the session's token in it.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", &self.token);
        for (name, value) in fields.iter().filter(|(name, _)| *name != "token") {
            form.append_pair(name, value);
        }
        let request = hyper::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request, form.finish().into())
    }

    /// Sends a file.
    pub(crate) fn upload(&self, path: &str, file: &[u8]) -> Answer {
        let token = &self.token;
        let parts = [
            b"--b\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n".as_slice(),
            token.as_bytes(),
            b"\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n\r\n",
            file,
            b"\r\n--b--\r\n",
        ];
        let request = hyper::Request::post(path).header("content-type", "multipart/form-data; boundary=b");
        self.send(request, parts.concat().into())
    }

    fn send(&self, request: hyper::http::request::Builder, body: Bytes) -> Answer {
        let request = request
            .header("host", "localhost")
            .header("cookie", &self.cookie)
            .header("accept-language", "fr")
            .body(Full::new(body))
            .unwrap();
        self.world.runtime.block_on(async {
            let mut roots = RootCertStore::empty();
            let authority = self.world.folder.path().join("authority.pem");
            roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let stream = tokio::net::TcpStream::connect(self.world.server.address()).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let answer = sender.send_request(request).await.unwrap();
            let header =
                |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let cookie = header("set-cookie").and_then(|cookie| cookie.split(';').next().map(str::to_owned));
            let (status, location) = (answer.status().as_u16(), header("location"));
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            Answer { status, body: String::from_utf8_lossy(&body).into_owned(), location, cookie }
        })
    }
}

impl Answer {
    /// The fields of the form with this action as a browser would send them untouched: hidden ones, and radio buttons that
    /// are checked.
    pub(crate) fn checked_fields(&self, action: &str) -> Vec<(String, String)> {
        let form = self.body.split(&format!("action=\"{action}\"")).nth(1).unwrap().split("</form>").next().unwrap();
        let attribute = |input: &str, name: &str| {
            let value = input.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
            Some(value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        };
        form.split("<input")
            .skip(1)
            .map(|input| input.split('>').next().unwrap())
            .filter(|input| input.contains("type=\"hidden\"") || input.ends_with(" checked"))
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect()
    }
}
