use granary_client_core::quantities::Grams;
use granary_client_core::schema::OrderName;
use granary_client_core::schema::order::{self, Order, OrderStatus, ToldStatus};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::store::{MemoryStore, Store};

use super::waiting::{FILES_MAX, KEPT_MILLIS};
use super::*;
use crate::access::Principal;
use crate::access::api_keys::{ApiKey, KeyId};
use crate::log::Cooperative;

const NOW: Instant = Instant(1_795_780_800_000);
const OPERATOR: By = By::Principal(Principal::Operator);

struct World {
    granary: Granary,
    coop: CooperativeNumber,
    _keys: tempfile::TempDir,
}

fn bytes(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/orders");
    std::fs::read(folder.join(name)).unwrap()
}

impl World {
    fn new() -> Self {
        let (store, keys): (Arc<dyn Store>, _) = (Arc::new(MemoryStore::default()), tempfile::tempdir().unwrap());
        let granary = Granary::open(store, keys.path(), None, |fault| panic!("{fault}")).unwrap();
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        let world = Self { granary, coop, _keys: keys };
        world.edit(&DocumentKey::Catalogue(Part::FIRST), |doc| {
            for (code, product, name) in [
                ("XM-05", "millet", "黄小米5斤"),
                ("LJ-200", "chili", "酉阳辣椒酱"),
                ("MT-500", "noodles", "手工面条 500g"),
            ] {
                let mut sku = Sku::new(code, product, "", Grams::new(500)?);
                sku.names = vec![name.to_owned()];
                set_sku(doc, &sku)?;
            }
            Ok(())
        });
        world
    }

    fn edit(
        &self,
        key: &DocumentKey,
        edit: impl FnOnce(
            &mut granary_client_core::automerge::AutoCommit,
        ) -> Result<(), granary_client_core::crdt::DocumentFault>
        + Send
        + 'static,
    ) {
        self.granary.edit(self.coop, key, NOW, edit).unwrap();
    }

    fn bring(&self, name: &str, bytes: Vec<u8>) -> Result<Import, Error> {
        let brought = Brought { file_name: name.into(), bytes, shop: String::new(), profile: None };
        self.granary.preview_import(&OPERATOR, self.coop, brought, NOW)
    }

    fn take(&self, import: &Import) -> Result<TakenFile, Error> {
        self.granary.take_import(&OPERATOR, self.coop, &import.line.id, NOW)
    }

    fn order(&self, platform: &str, id: &str) -> Order {
        let cooperative = self.granary.cooperative(self.coop).unwrap();
        self.granary.settle(&cooperative);
        let key = DocumentKey::Order(OrderName::of(platform, id));
        let document = self.granary.document(self.coop, &key).unwrap().unwrap();
        order::read(&document, Cooperative::server_device(cooperative.id()))
    }

    fn receiver(&self, platform: &str, id: &str) -> Receiver {
        let key = DocumentKey::Receiver(OrderName::of(platform, id));
        receiver::read(&self.granary.document(self.coop, &key).unwrap().unwrap())
    }
}

#[test]
fn a_file_is_taken_once_and_its_receivers_stand_apart() {
    let world = World::new();
    let import = world.bring("douyin-product.csv", bytes("douyin-product.csv")).unwrap();
    assert_eq!((import.preview.orders.len(), import.taken.is_none(), import.partner.is_none()), (27, true, true));
    let taken = world.take(&import).unwrap();
    assert_eq!((taken.accepted, taken.not_taken_count, taken.refused_rows, taken.lines), (27, 0, 8, 29));
    let order = world.order("douyin", "6917926768800000301");
    assert_eq!(order.lines.len(), 3);
    assert_eq!((order.told, order.status), (Some(ToldStatus::ToShip), Some(OrderStatus::Placed)));
    let gift = order.lines.iter().find(|line| line.line_id == "6917926768800000304").unwrap();
    assert!(gift.is_gift);
    let receiver = world.receiver("douyin", "6917926768800000351");
    assert!(receiver.is_sealed);
    assert_eq!(receiver.buyer_note.as_deref(), Some("请发\"大袋\",谢谢\n周末勿送😀"));
    assert_eq!(receiver.seller_note.as_deref(), Some("=HYPERLINK(\"http://x\")"));
    // It waits no more; brought again there is nothing to do.
    assert!(world.granary.waiting_imports(&OPERATOR, world.coop, NOW).is_empty());
    let again = world.bring("other name.csv", bytes("douyin-product.csv")).unwrap();
    assert_eq!(again.taken.as_ref().map(|taken| taken.at_millis), Some(NOW.0));
    assert_eq!(world.take(&again), Err(ImportFault::Taken { at: NOW }.into()));
    let history = world.granary.imports(&OPERATOR, world.coop).unwrap();
    assert_eq!(history.iter().map(|file| file.file_name.as_str()).collect::<Vec<_>>(), ["douyin-product.csv"]);
}

#[test]
fn an_older_export_moves_no_order_back() {
    let world = World::new();
    let file = |state: &str| {
        format!("主订单编号,子订单编号,商品数量,商家编码,订单应付金额,订单提交时间,订单状态\n7001,7001,2,XM-05,99.80,2026-11-11 20:00:00,{state}\n").into_bytes()
    };
    let newer = world.bring("orders_20261113100000.csv", file("已发货")).unwrap();
    assert_eq!(world.take(&newer).unwrap().accepted, 1);
    let older = world.bring("orders_20261112100000.csv", file("待发货")).unwrap();
    let taken = world.take(&older).unwrap();
    assert_eq!((taken.accepted, taken.updated, taken.known), (0, 0, 1));
    assert_eq!(world.order("douyin", "7001").told, Some(ToldStatus::Shipped));
    let newest = world.bring("orders_20261115100000.csv", file("已完成")).unwrap();
    assert_eq!(world.take(&newest).unwrap().updated, 1);
    assert_eq!(world.order("douyin", "7001").told, Some(ToldStatus::Done));
}

#[test]
fn a_pair_of_files_is_taken_as_one() {
    let world = World::new();
    let list = world.bring("taobao-list.csv", bytes("taobao-list.csv")).unwrap();
    let alone = world.take(&list).unwrap_err();
    assert!(alone.to_string().contains("bring the other one too"), "{alone}");
    let details = world.bring("taobao-details.csv", bytes("taobao-details.csv")).unwrap();
    assert_eq!(details.partner.as_deref(), Some("taobao-list.csv"));
    assert_eq!((details.preview.orders.len(), details.preview.sums().total_fen), (15, 116_760));
    assert_eq!(world.take(&details).unwrap().accepted, 15);
    let order = world.order("taobao", "4300000000000000003");
    assert_eq!((order.lines.len(), order.told), (2, Some(ToldStatus::ToShip)));
    assert!(world.granary.waiting_imports(&OPERATOR, world.coop, NOW).is_empty());
    assert_eq!(world.granary.imports(&OPERATOR, world.coop).unwrap().len(), 1);
}

#[test]
fn what_nobody_knew_is_mapped_once_for_all() {
    let world = World::new();
    let import = world.bring("douyin-product.csv", bytes("douyin-product.csv")).unwrap();
    let unmapped = |import: &Import| import.preview.unmapped().iter().any(|line| line.code == "HT-001");
    assert!(unmapped(&import));
    world.take(&import).unwrap();
    let waits = world.bring("b.csv", [bytes("douyin-product.csv"), b"\n".to_vec()].concat()).unwrap();
    let cooperative = world.granary.cooperative(world.coop).unwrap();
    world.granary.settle(&cooperative);
    while world.granary.read_models_behind(world.coop).unwrap() > 0 {
        std::thread::yield_now();
    }
    let server = Cooperative::server_device(cooperative.id());
    let map = |sku: &str| world.granary.map_unmapped(world.coop, server, ("HT-001", "未建档的核桃"), sku, NOW);
    assert!(matches!(map("none"), Err(Error::NotFound { .. })));
    assert_eq!(map("MT-500"), Ok(1));
    assert!(!unmapped(&world.granary.waiting_import(&OPERATOR, world.coop, &waits.line.id, NOW).unwrap()));
    assert_eq!(world.order("douyin", "6917926768800000371").lines[0].sku.as_deref(), Some("MT-500"));
}

#[test]
fn files_that_wait_are_bounded_and_go_after_a_day() {
    let world = World::new();
    assert!(matches!(world.bring("a.csv", b"a,b".to_vec()), Err(Error::OrderFile(imports::FileFault::NoProfile))));
    for number in 0..FILES_MAX + 5 {
        let bytes = [bytes("youzan.csv"), vec![b'\n'; number]].concat();
        world.bring("youzan.csv", bytes).unwrap();
    }
    assert_eq!(world.granary.waiting_imports(&OPERATOR, world.coop, NOW).len(), FILES_MAX);
    // The same file waits once.
    let again = || world.bring("again.csv", [bytes("youzan.csv"), vec![b'\n'; FILES_MAX]].concat()).unwrap();
    assert_eq!(again().line.id, again().line.id);
    assert_eq!(world.granary.waiting_imports(&OPERATOR, world.coop, NOW).len(), FILES_MAX);
    let tomorrow = Instant(NOW.0 + KEPT_MILLIS);
    assert!(world.granary.waiting_imports(&OPERATOR, world.coop, tomorrow).is_empty());
    let other = world.granary.create_cooperative("Youyang", NOW).unwrap();
    let id = world.bring("c.csv", bytes("youzan.csv")).unwrap().line.id;
    assert_eq!(world.granary.waiting_import(&OPERATOR, other, &id, NOW).unwrap_err(), ImportFault::Gone.into());
}

fn key_of(world: &World, platform: &str, shop: &str) -> By {
    let (platform, shop) = (platform.to_owned(), shop.to_owned());
    By::Key(ApiKey { id: KeyId(7), cooperative: world.coop, platform, shop, scopes: Default::default() })
}

#[test]
fn a_key_brings_and_sees_its_own_shop_alone() {
    let world = World::new();
    let (east, west) = (key_of(&world, "douyin", "east"), key_of(&world, "douyin", "west"));
    let bring = |by: &By, shop: &str, name: &str, profile: Option<&str>| {
        let brought = Brought {
            file_name: name.into(),
            bytes: bytes(name),
            shop: shop.into(),
            profile: profile.map(str::to_owned),
        };
        world.granary.preview_import(by, world.coop, brought, NOW)
    };
    let of_east = bring(&east, "east", "douyin-product.csv", None).unwrap();
    let of_west = bring(&west, "west", "douyin-product.csv", None).unwrap();
    assert_ne!(of_east.line.id, of_west.line.id, "the same file of two shops is two");
    assert_eq!(world.granary.waiting_imports(&east, world.coop, NOW), vec![of_east.line.clone()]);
    let gone = || Error::from(ImportFault::Gone);
    assert_eq!(world.granary.take_import(&east, world.coop, &of_west.line.id, NOW), Err(gone()));
    world.granary.drop_import(&east, world.coop, &of_west.line.id, NOW);
    let other = bring(&east, "east", "youzan.csv", None).unwrap_err();
    assert_eq!(other, ImportFault::OtherPlatform { platform: "youzan".into(), own: "douyin".into() }.into());
    let unknown = bring(&east, "east", "youzan.csv", Some("youzan")).unwrap_err();
    assert_eq!(unknown, ImportFault::ProfileUnknown("youzan".into()).into());
    let taken = world.granary.take_import(&east, world.coop, &of_east.line.id, NOW).unwrap();
    assert_eq!((taken.accepted, taken.by.as_str()), (27, "key:0000000000000007"));
    // What one shop took, another may still bring.
    let before = |by: &By| world.granary.taken_import(by, world.coop, &of_east.line.id).unwrap();
    assert_eq!((before(&east).map(|taken| taken.accepted), before(&west)), (Some(27), None));
    assert_eq!(world.granary.imports(&west, world.coop).unwrap(), []);
    assert_eq!(world.granary.take_import(&west, world.coop, &of_west.line.id, NOW).unwrap().accepted, 27);
}

#[test]
fn whoever_brings_most_makes_room() {
    let world = World::new();
    let own = world.bring("own.csv", bytes("youzan.csv")).unwrap();
    let key = key_of(&world, "youzan", "");
    for number in 1..FILES_MAX + 5 {
        let bytes = [bytes("youzan.csv"), vec![b'\n'; number]].concat();
        let brought = Brought { file_name: "a.csv".into(), bytes, shop: String::new(), profile: None };
        world.granary.preview_import(&key, world.coop, brought, Instant(NOW.0 + 1)).unwrap();
    }
    let waiting = world.granary.waiting_imports(&OPERATOR, world.coop, NOW);
    assert_eq!(waiting.len(), FILES_MAX);
    assert!(waiting.contains(&own.line), "a busy program pushes nobody else's file out");
}

#[test]
fn a_file_that_is_being_taken_stays_as_it_is() {
    let world = World::new();
    let import = world.bring("a.csv", bytes("youzan.csv")).unwrap();
    let id = &import.line.id;
    world.granary.set_being_taken(&OPERATOR, world.coop, id, true);
    assert_eq!(world.take(&import), Err(ImportFault::BeingTaken.into()));
    assert_eq!(world.bring("b.csv", bytes("youzan.csv")).unwrap().line.progress, Some((0, 7)));
    world.granary.drop_import(&OPERATOR, world.coop, id, NOW);
    let line = world.granary.import_line(&OPERATOR, world.coop, id, NOW).unwrap();
    assert_eq!((line.file_name.as_str(), line.progress), ("a.csv", Some((0, 7))));
    world.granary.set_being_taken(&OPERATOR, world.coop, id, false);
    assert!(world.take(&import).unwrap().accepted > 0);
}

#[test]
fn a_row_that_is_named_by_its_hash_alone_is_still_known() {
    use granary_client_core::protocol::messages::write_message;
    #[derive(serde::Serialize)]
    struct Then {
        file_name: String,
        profile: String,
        shop: String,
        at_millis: i64,
        by: String,
        refused_rows: usize,
        lines: usize,
        accepted: usize,
        over: usize,
        updated: usize,
        known: usize,
        not_taken: Vec<(String, String, String)>,
        not_taken_count: usize,
    }
    let world = World::new();
    let hash = hash_of(&bytes("youzan.csv"));
    let (number, text) = (world.coop, String::new);
    let then = Then {
        file_name: "youzan.csv".into(),
        profile: "youzan".into(),
        shop: text(),
        at_millis: 5,
        by: "operator".into(),
        refused_rows: 0,
        lines: 1_000,
        accepted: 9,
        over: 0,
        updated: 0,
        known: 0,
        not_taken: Vec::new(),
        not_taken_count: 0,
    };
    world
        .granary
        .write(move |group| {
            group.put_visible(crate::log::keys::key(number, b'i', &hash), write_message(&then));
            Ok(())
        })
        .unwrap();
    let again = world.bring("again.csv", bytes("youzan.csv")).unwrap();
    assert_eq!(world.take(&again), Err(ImportFault::Taken { at: Instant(5) }.into()));
    let listed = world.granary.imports(&key_of(&world, "youzan", ""), world.coop).unwrap();
    assert_eq!(listed.iter().map(|taken| taken.id.clone()).collect::<Vec<_>>(), [again.line.id]);
}
