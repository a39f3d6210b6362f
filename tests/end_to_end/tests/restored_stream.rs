//! A server that is restored from an older backup in the middle of a live-stream: who asks is told to try later until an operator says
//! that all orders are here again, what is told goes on, and not one pack is sold twice.

use std::path::Path;
use std::process::Command;

use granary_client_core::phone::Phone;
use granary_client_core::quantities::{Day, Fen, Grams, Instant};
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::schema::stock_book::{self, Deed, GoodsIn};
use granary_client_core::schema::stream::{self, Offer, StreamPlan};
use granary_client_core::schema::{DocumentKey, MAIN_WAREHOUSE, Part, StockMonth};
use granary_server::log::CooperativeNumber;
use granary_server::trade::PoolFigures;
use granary_server::{Config, Edit, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::behind_a_proxy::to_server;
use crate::in_a_browser::now;
use crate::world::PROGRAM;

const STREAM: &str = "eleven";
/// Packs that the stream has.
const PACKS: u32 = 10;

struct World {
    folder: tempfile::TempDir,
    server: Option<Server>,
    coop: CooperativeNumber,
    key: String,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = start(folder.path(), 0).await;
        let coop = server.granary().create_cooperative("Linxian", now()).unwrap();
        furnish(&server, coop);
        let mut world = Self { folder, server: Some(server), coop, key: String::new() };
        let scopes = "orders:write,orders:read,stock:read";
        let printed = world.order(&["key", "add", "--platform", "douyin", "--scope", scopes, "shop"]).await;
        world.key = printed.split_whitespace().find(|word| word.starts_with("grn_")).unwrap().to_owned();
        world.granted(PACKS).await;
        world
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs an operator's command; gives its output.
    async fn order(&self, words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let data = self.path("data");
        tokio::task::spawn_blocking(move || {
            let output = Command::new(PROGRAM).args(&words).env("GRANARY_FOLDER", data).output().unwrap();
            let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(output.status.success(), "{words:?}: {printed}");
            printed
        })
        .await
        .unwrap()
    }

    fn pool(&self) -> Option<PoolFigures> {
        self.server().granary().pools(self.coop).unwrap().into_iter().find(|pool| pool.channel == STREAM)
    }

    /// Has the server do what it does each second, until so many packs are set aside.
    async fn granted(&self, packs: u32) {
        while self.pool().and_then(|pool| pool.granted) != Some(u64::from(packs)) {
            self.follow().await;
        }
    }

    async fn follow(&self) {
        let granary = std::sync::Arc::clone(self.server().granary());
        let step = move || {
            while granary.follow_trade(now()).unwrap() {}
            granary.tick_trade(now()).unwrap();
        };
        tokio::task::spawn_blocking(step).await.unwrap();
    }

    /// What the server says of one order, and how many packs are left of a SKU that is sold out.
    async fn sell(&self, mode: &str, id: &str, packs: u32) -> (String, Option<u64>) {
        let line = json!({ "line_id": "1", "sku": "XM-05", "packs": packs, "fen": 3_990 * packs });
        let at = now().to_string();
        let order = json!({
            "outside_id": id, "placed_at": at, "status": "to-ship", "pool": STREAM, "lines": [line],
        });
        let answer = self.post(&json!({ "mode": mode, "told_at": at, "orders": [order] })).await;
        let result = &answer["results"][0];
        (
            result["verdict"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
            result["left"][0]["packs"].as_u64(),
        )
    }

    async fn post(&self, body: &Value) -> Value {
        let authority = self.folder.path().join("data/authority.pem");
        let mut stream = to_server(self.server(), &authority).await;
        let (key, body) = (&self.key, body.to_string());
        let request = format!(
            "POST /v1/orders HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|fault| panic!("{fault}: {answer}"))
    }

    /// The server is lost, and is another one from the backup.
    async fn lose_and_restore(&mut self) {
        let server = self.server.take().unwrap();
        let port = server.address().port();
        server.stop().await;
        std::fs::remove_dir_all(self.path("data")).unwrap();
        let restored = self.order(&["restore", "--from", &self.path("backup"), "--folder", &self.path("data")]).await;
        assert!(restored.contains("nothing is missing"), "{restored}");
        self.server = Some(start(self.folder.path(), port).await);
    }
}

async fn start(folder: &Path, port: u16) -> Server {
    granary_server::start(Config::local(folder.join("data"), port), |fault| panic!("{fault}")).await.unwrap()
}

/// Goods, a pack of them, and a stream that is on and wants all of them.
fn furnish(server: &Server, coop: CooperativeNumber) {
    let edit = |key, edit: Edit| server.granary().edit(coop, &key, now(), edit).unwrap();
    let grams = |packs: u32| Grams::new(i64::from(packs) * 2_500).unwrap();
    let day = Day::in_china(now());
    let goods = GoodsIn {
        product: "millet".into(),
        grade: "A".into(),
        quantity: grams(PACKS),
        day,
        expiry: None,
        from: String::new(),
        bin: String::new(),
    };
    let plan = StreamPlan {
        host: "阿珍".into(),
        platform: "douyin".into(),
        shop: String::new(),
        starts_at: Instant(now().0 - 600_000),
        ends_at: None,
    };
    let sku = Sku::new("XM-05", "millet", "A", grams(1));
    edit(DocumentKey::Catalogue(Part::FIRST), Box::new(move |doc| set_sku(doc, &sku)));
    let book = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, day).unwrap());
    edit(book, Box::new(move |doc| stock_book::write(doc, &Deed::In(goods), now()).map(drop)));
    let offer = Offer {
        margin: granary_client_core::quantities::Permille::NONE,
        ..Offer::new(Fen::new(3_990).unwrap(), PACKS)
    };
    edit(
        DocumentKey::Stream(STREAM.parse().unwrap()),
        Box::new(move |doc| {
            stream::plan(doc, &plan)?;
            stream::offer(doc, "XM-05", &offer)
        }),
    );
}

async fn synced(phone: &std::sync::Arc<Phone>) {
    let phone = std::sync::Arc::clone(phone);
    tokio::task::spawn_blocking(move || phone.sync_now().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restoration_during_a_stream_sells_nothing_twice() {
    let mut world = World::new().await;
    let phone = Phone::open(&world.folder.path().join("phone")).unwrap();
    let printed = world.order(&["invite", "--role", "packer"]).await;
    let link = printed.lines().map(str::trim).find(|line| line.starts_with("granary://")).unwrap().to_owned();
    let enrolling = std::sync::Arc::clone(&phone);
    tokio::task::spawn_blocking(move || enrolling.enrol(&link, "packer").unwrap()).await.unwrap();

    assert_eq!(world.sell("ask", "asked-before", 2).await.0, "accepted");
    assert_eq!(world.sell("tell", "told-before", 3).await.0, "accepted");
    world.order(&["backup", "--to", &world.path("backup")]).await;
    // These are in no backup: a packer's phone has one of them, the platform the other.
    assert_eq!(world.sell("ask", "asked-after", 2).await.0, "accepted");
    world.follow().await;
    synced(&phone).await;
    assert_eq!(world.sell("tell", "told-after", 1).await.0, "accepted");
    let before = world.pool().unwrap();
    assert_eq!((before.accepted, before.left, before.over), (8, 2, 0));

    world.lose_and_restore().await;
    // Five packs seem to be left and two are: nobody is promised one, and what is sold anyway is taken.
    assert_eq!(world.sell("ask", "asked-too-early", 1).await.0, "try-later");
    assert_eq!(world.sell("tell", "told-meanwhile", 1).await.0, "accepted");
    // What was answered before the backup is answered so again, also to who asks.
    assert_eq!(world.sell("ask", "asked-before", 2).await.0, "accepted");
    // The phone gives back what it has; the platform's next export tells the other one again.
    synced(&phone).await;
    synced(&phone).await;
    assert_eq!(world.sell("tell", "told-after", 1).await.0, "accepted");
    while world.pool().unwrap().accepted < 9 {
        world.follow().await;
    }
    assert_eq!(world.sell("ask", "asked-too-early", 1).await.0, "try-later", "nobody said that this is all of it");
    world.order(&["orders", "complete"]).await;

    assert_eq!(world.sell("ask", "asked-too-much", 2).await, ("sold-out".to_owned(), Some(1)));
    assert_eq!(world.sell("ask", "asked-too-early", 1).await.0, "accepted");
    assert_eq!(world.sell("ask", "asked-after", 2).await.0, "accepted", "it has its packs, and no others");
    assert_eq!(world.sell("tell", "told-last", 1).await.0, "over");
    world.follow().await;
    let pool = world.pool().unwrap();
    assert_eq!((pool.granted, pool.accepted, pool.over, pool.left), (Some(10), 11, 1, 0));
    let checked = world.order(&["check"]).await;
    assert!(checked.contains("nothing is wrong"), "{checked}");
    world.server.take().unwrap().stop().await;
    // A phone has a runtime of its own, which none of this one's tasks may end.
    tokio::task::spawn_blocking(move || drop(phone)).await.unwrap();
}
