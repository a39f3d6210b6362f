use granary_client_core::quantities::Grams;
use granary_client_core::schema::OrderName;
use granary_client_core::schema::order::{self, Order, OrderStatus, ToldStatus};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::store::{MemoryStore, Store};

use super::*;
use crate::log::Cooperative;

const NOW: Instant = Instant(1_795_780_800_000);

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
        self.granary.preview_import(self.coop, brought, NOW)
    }

    fn take(&self, import: &Import) -> Result<TakenFile, Error> {
        self.granary.take_import(Principal::Operator, self.coop, &import.id, NOW)
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
    assert!(world.granary.waiting_imports(world.coop, NOW).is_empty());
    let again = world.bring("other name.csv", bytes("douyin-product.csv")).unwrap();
    assert_eq!(again.taken.as_ref().map(|taken| taken.at_millis), Some(NOW.0));
    assert_eq!(world.take(&again), Err(Error::FileTaken { at: NOW }));
    let history = world.granary.imports(world.coop).unwrap();
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
    assert!(world.granary.waiting_imports(world.coop, NOW).is_empty());
    assert_eq!(world.granary.imports(world.coop).unwrap().len(), 1);
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
    assert!(!unmapped(&world.granary.waiting_import(world.coop, &waits.id, NOW).unwrap()));
    assert_eq!(world.order("douyin", "6917926768800000371").lines[0].sku.as_deref(), Some("MT-500"));
}

#[test]
fn files_that_wait_are_bounded_and_go_after_a_day() {
    let world = World::new();
    assert!(matches!(world.bring("a.csv", b"a,b".to_vec()), Err(Error::OrderFile(imports::FileFault::NoProfile))));
    for number in 0..WAITING_MAX + 5 {
        let bytes = [bytes("youzan.csv"), vec![b'\n'; number]].concat();
        world.bring("youzan.csv", bytes).unwrap();
    }
    assert_eq!(world.granary.waiting_imports(world.coop, NOW).len(), WAITING_MAX);
    // The same file waits once.
    world.bring("again.csv", [bytes("youzan.csv"), vec![b'\n'; WAITING_MAX]].concat()).unwrap();
    assert_eq!(world.granary.waiting_imports(world.coop, NOW).len(), WAITING_MAX);
    let tomorrow = Instant(NOW.0 + WAITING_MILLIS);
    assert!(world.granary.waiting_imports(world.coop, tomorrow).is_empty());
    let other = world.granary.create_cooperative("Youyang", NOW).unwrap();
    let id = world.bring("c.csv", bytes("youzan.csv")).unwrap().id;
    assert!(world.granary.waiting_import(other, &id, NOW).is_err());
}
