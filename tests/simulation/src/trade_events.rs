//! The events of trade: shops ask and tell, coordinators plan streams, packers pack and count, the server does its rounds.

use automerge::AutoCommit;
use granary_client_core::crdt::DocumentFault;
use granary_client_core::quantities::{Day, Fen, Grams, Instant, Permille};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::order::{
    AfterSale, OrderStatus, TakenLine, TakenOrder, ToldStatus, map_line, set_status,
};
use granary_client_core::schema::receiver::Receiver;
use granary_client_core::schema::sku::{map_code, map_name};
use granary_client_core::schema::stock_book::{Deed, GoodsIn};
use granary_client_core::schema::stream::{self, Offer, StreamPlan};
use granary_client_core::schema::{DocumentKey, OrderName, Part, StreamCode};
use granary_server::Edits;
use granary_server::trade::{Mode, ToldOrder};

use crate::dice::Dice;
use crate::events::draw_line;
use crate::world::{BUYER, Call, World};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TradeEvent {
    /// A shop asks for orders, or tells of them.
    Sell,
    /// A shop sends orders once more: the same, as they are now, or as they were.
    TellAgain,
    /// All shops tell all their orders.
    Export,
    /// An operator says that the orders are complete.
    SayComplete,
    /// Somebody plans a stream, or changes its offers.
    PlanStream,
    /// Somebody wants more or fewer packs.
    WantPacks,
    /// Somebody ends a stream.
    EndStream,
    /// A phone moves an order on.
    Pack,
    /// A phone records goods that were bought in.
    GoodsIn,
    /// A phone counts a holding.
    Count,
    /// A phone records a loss.
    Lose,
    /// A phone moves goods to another bin.
    MoveBin,
    /// A phone stops the sale of a holding.
    Recall,
    /// A phone takes back an entry of the stock book.
    Withdraw,
    /// Somebody tells the catalogue what shops call a SKU.
    NameSku,
    /// Somebody maps a line of an order in the console.
    MapLine,
    /// The server does what follows from what came in.
    Round,
    /// The server writes the balances of the month.
    Openings,
}

const SKUS: [&str; 3] = ["A", "B", "C"];
const STREAMS: [&str; 2] = ["live1", "live2"];
/// What a shop writes for a SKU before the catalogue knows it.
const UNKNOWN_CODE: &str = "X-1";
const UNKNOWN_NAME: &str = "小米大礼包";

fn one_of<T: Copy>(dice: &mut Dice, all: &[T]) -> T {
    all[usize::try_from(dice.roll(all.len() as u64)).unwrap()]
}

fn number(dice: &mut Dice, sides: u64) -> usize {
    usize::try_from(dice.roll(sides)).unwrap()
}

fn draw_person(world: &mut World) -> usize {
    let nth = number(&mut world.dice, 2);
    world.person(0, nth)
}

fn packs(dice: &mut Dice, most: u64) -> u32 {
    1 + u32::try_from(dice.roll(most)).unwrap()
}

impl TradeEvent {
    pub(crate) fn may_happen(self, world: &World, phone: usize) -> bool {
        match self {
            Self::Pack | Self::GoodsIn | Self::Count | Self::Lose | Self::MoveBin | Self::Recall | Self::Withdraw => {
                world.phones[phone].is_of_warehouse()
            }
            Self::SayComplete => world.trade.lacks_orders,
            _ => true,
        }
    }

    pub(crate) fn happen(self, world: &mut World, phone: usize) -> Result<(), String> {
        let now = world.now;
        world.log(format!("phone {phone}: {self:?}"));
        match self {
            Self::Sell => sell(world)?,
            Self::TellAgain => tell_again(world)?,
            Self::Export => {
                let line = draw_line(&mut world.dice);
                with_server_faults(world, |world| world.export_shops(line))?;
            }
            Self::SayComplete => {
                let is_said = world.say_complete()?;
                world.log(format!("the orders are complete: {is_said}"));
            }
            Self::PlanStream => plan_stream(world, phone)?,
            Self::WantPacks => {
                let (sku, wanted) = (one_of(&mut world.dice, &SKUS), packs(&mut world.dice, 40));
                edit_stream(world, phone, move |doc| stream::want(doc, sku, wanted))?;
            }
            Self::EndStream => edit_stream(world, phone, move |doc| stream::end(doc, Instant(now)))?,
            Self::Pack => {
                let (nth, one) = (number(&mut world.dice, 100), world.dice.roll(10));
                let status = match one {
                    0..6 => OrderStatus::Packed,
                    6..8 => OrderStatus::Shipped,
                    8 => OrderStatus::Cancelled,
                    _ => OrderStatus::Placed,
                };
                let mut names = world.phones[phone].order_names();
                if let Some(place) = nth.checked_rem(names.len()) {
                    let name = names.swap_remove(place);
                    if matches!(status, OrderStatus::Packed | OrderStatus::Shipped) {
                        world.trade.packed.insert(name.clone());
                    }
                    world.phones[phone].edit(&DocumentKey::Order(name), now, |doc| set_status(doc, status));
                }
            }
            Self::GoodsIn => {
                let goods = goods(&mut world.dice, now);
                world.phones[phone].write_stock(&Deed::In(goods), now);
            }
            Self::NameSku => {
                let person = draw_person(world);
                let edits = Edits::one(DocumentKey::Catalogue(Part::FIRST), |doc| {
                    map_code(doc, "A", UNKNOWN_CODE)?;
                    map_name(doc, "B", UNKNOWN_NAME)
                });
                with_server_faults(world, |world| {
                    world.console_write(person, vec![edits], "a SKU's names".into()).map(drop)
                })?;
            }
            Self::MapLine => map_one(world)?,
            Self::Round => with_server_faults(world, |world| world.trade_round().map(drop))?,
            Self::Openings => world.keep_openings()?,
            Self::Count | Self::Lose | Self::MoveBin | Self::Recall | Self::Withdraw => self.of_holding(world, phone),
        }
        Ok(())
    }

    /// What a phone does with something that lies in the warehouse.
    fn of_holding(self, world: &mut World, phone: usize) {
        let (now, nth) = (world.now, number(&mut world.dice, 100));
        let grams = 1 + i64::try_from(world.dice.roll(2_000)).unwrap();
        let is_less = world.dice.percent(60);
        let one = &mut world.phones[phone];
        if self == Self::Withdraw {
            one.withdraw_entry(nth, now);
            return;
        }
        let Some(holding) = one.holding(nth) else { return };
        let (quantity, bin) = (Grams::new(grams).unwrap(), if is_less { "A1" } else { "" });
        match self {
            Self::Count => one.count(&holding, if is_less { -grams } else { grams / 4 }, now),
            Self::Lose => one.write_stock(&Deed::Loss { holding, quantity, reason: "鼠".into(), bin: bin.into() }, now),
            Self::MoveBin => one.write_stock(&Deed::Move { holding, quantity, from: bin.into(), to: "B2".into() }, now),
            _ => one.write_stock(&Deed::Recall { holding, reason: "潮".into() }, now),
        };
    }
}

/// Does something at the server, which may stop at a write of it.
fn with_server_faults(world: &mut World, what: impl FnOnce(&mut World) -> Result<(), String>) -> Result<(), String> {
    world.inject_server_disk_fault();
    what(world)?;
    world.clear_server_disk_fault();
    Ok(())
}

fn goods(dice: &mut Dice, now: i64) -> GoodsIn {
    let day = Day::in_china(Instant(now));
    let product = if dice.percent(70) { "millet" } else { "noodles" };
    GoodsIn {
        product: product.into(),
        grade: String::new(),
        quantity: Grams::new(400 + i64::try_from(dice.roll(8_000)).unwrap()).unwrap(),
        day,
        expiry: (product == "noodles").then(|| "2026-12-31".parse().unwrap()),
        from: "王家".into(),
        bin: if dice.percent(50) { "A1".into() } else { String::new() },
    }
}

/// A stream's edit by a coordinator's phone without signal, or by somebody in the console.
fn edit_stream(
    world: &mut World,
    phone: usize,
    edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send + 'static,
) -> Result<(), String> {
    let code: StreamCode = one_of(&mut world.dice, &STREAMS).parse().unwrap();
    let key = DocumentKey::Stream(code);
    let now = world.now;
    if world.phones[phone].role == Role::Coordinator && world.dice.percent(60) {
        world.phones[phone].edit(&key, now, edit);
        return Ok(());
    }
    let person = draw_person(world);
    let edits = vec![Edits::one(key, edit)];
    with_server_faults(world, |world| world.console_write(person, edits, "a stream".into()).map(drop))
}

fn plan_stream(world: &mut World, phone: usize) -> Result<(), String> {
    let (now, hours) = (world.now, 1 + i64::try_from(world.dice.roll(40)).unwrap());
    let plan = StreamPlan {
        host: "李主播".into(),
        platform: "douyin".into(),
        shop: String::new(),
        starts_at: Instant(now - 600_000),
        ends_at: world.dice.percent(70).then_some(Instant(now + hours * 3_600_000)),
    };
    let limit = world.dice.percent(30).then(|| packs(&mut world.dice, 4));
    let margin = if world.dice.percent(50) { Permille::NONE } else { Permille::new(stream::USUAL_MARGIN).unwrap() };
    let offers: Vec<(&str, u32)> = SKUS.iter().map(|sku| (*sku, packs(&mut world.dice, 20))).collect();
    edit_stream(world, phone, move |doc| {
        stream::plan(doc, &plan)?;
        offers.iter().try_for_each(|(sku, wanted)| {
            stream::offer(doc, sku, &Offer { limit, margin, ..Offer::new(Fen::new(1_990)?, *wanted) })
        })
    })
}

fn sell(world: &mut World) -> Result<(), String> {
    let shop = number(&mut world.dice, world.trade.shops.len() as u64);
    let mode = if world.trade.shops[shop].asks { Mode::Ask } else { Mode::Tell };
    let orders = (0..=world.dice.roll(4)).map(|_| (new_order(world, shop), 0, mode)).collect();
    send(world, Call { shop, orders })
}

fn send(world: &mut World, call: Call) -> Result<(), String> {
    let line = draw_line(&mut world.dice);
    let mut is_whole = false;
    with_server_faults(world, |world| {
        is_whole = world.call_feed(&call, line)?;
        Ok(())
    })?;
    world.log(format!("shop {} sends {:?} over {line:?}: {is_whole}", call.shop, call.orders));
    Ok(())
}

/// Sends some orders once more. What was asked for is asked again until it was taken, and told of from then on.
fn tell_again(world: &mut World) -> Result<(), String> {
    let shop = number(&mut world.dice, world.trade.shops.len() as u64);
    let ids: Vec<String> = world.trade.shops[shop].sold.keys().cloned().collect();
    let mut orders: Vec<(String, usize, Mode)> = Vec::new();
    for _ in 0..=world.dice.roll(4) {
        let Some(id) = number(&mut world.dice, 1_000).checked_rem(ids.len()).map(|place| ids[place].clone()) else {
            break;
        };
        let (asks, sold) = (world.trade.shops[shop].asks, &world.trade.shops[shop].sold[&id]);
        let states = sold.states.len();
        if asks && !sold.was_taken {
            orders.push((id, 0, Mode::Ask));
            continue;
        }
        let state = match world.dice.roll(10) {
            0..5 => next_state(world, shop, &id),
            5..7 => number(&mut world.dice, states as u64),
            _ => states - 1,
        };
        // An order that was told of is asked for again only as it was.
        let mode = if asks && state == 0 && world.dice.percent(50) { Mode::Ask } else { Mode::Tell };
        orders.push((id, state, mode));
    }
    if orders.is_empty() { Ok(()) } else { send(world, Call { shop, orders }) }
}

fn new_line(dice: &mut Dice, id: &str, asks: bool) -> TakenLine {
    let (sku, title) = match (asks, dice.roll(12)) {
        (false, 0) => (None, Some("黄小米1斤")),
        (false, 1) => (Some(UNKNOWN_CODE), None),
        (false, 2) => (None, Some(UNKNOWN_NAME)),
        _ => (Some(one_of(dice, &SKUS)), None),
    };
    TakenLine {
        line_id: id.into(),
        sku: sku.map(str::to_owned),
        code: None,
        title: title.map(str::to_owned),
        packs: packs(dice, 3),
        fen: Fen::new(1_990).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    }
}

/// An order that somebody places now; its id.
fn new_order(world: &mut World, shop: usize) -> String {
    world.trade.numbered += 1;
    let id = format!("{}", 690_000 + world.trade.numbered);
    let (asks, platform, now) = (world.trade.shops[shop].asks, world.trade.shops[shop].platform, world.now);
    let dice = &mut world.dice;
    let ids: &[&str] = if dice.percent(70) { &["1"] } else { &["2", "10"] };
    let lines = ids.iter().map(|id| new_line(dice, id, asks)).collect();
    let pool = if asks || dice.percent(40) { one_of(dice, &STREAMS) } else { platform };
    let order = TakenOrder {
        placed_at: Instant(now - i64::try_from(dice.roll(600_000)).unwrap()),
        paid_at: None,
        promised_at: None,
        told_at: Instant(now),
        told: ToldStatus::ToShip,
        total_fen: None,
        freight_fen: None,
        pool: pool.into(),
        stream: None,
        lines,
    };
    let receiver = dice.percent(40).then(|| Receiver { name: Some(format!("{BUYER}{id}")), ..Receiver::default() });
    let buyer_token = dice.percent(50).then(|| format!("buyer-{}", dice.roll(4)));
    let mode = if asks { Mode::Ask } else { Mode::Tell };
    let told = ToldOrder { name: OrderName::of(platform, &id), mode, order, receiver, buyer_token };
    world.trade.shops[shop].sold.entry(id.clone()).or_default().states.push(told);
    id
}

/// The order goes on, on its platform; the number of its new state.
fn next_state(world: &mut World, shop: usize, id: &str) -> usize {
    let now = world.now;
    let World { dice, trade, .. } = world;
    let states = &mut trade.shops[shop].sold.get_mut(id).unwrap().states;
    let mut next = states[states.len() - 1].clone();
    let order = &mut next.order;
    order.told_at = Instant(now.max(order.told_at.0 + 1));
    match (dice.roll(8), order.told) {
        (0..3, ToldStatus::ToShip) => order.told = ToldStatus::Shipped,
        (0..3, ToldStatus::Shipped) => order.told = ToldStatus::Done,
        (3, ToldStatus::ToShip | ToldStatus::Shipped) => order.told = ToldStatus::Closed,
        (4, _) => order.lines[0].after_sale = AfterSale::Refunded,
        (5, _) if order.lines.len() == 1 => order.lines.push(new_line(dice, "3", false)),
        (6, _) => {
            next.receiver = Some(Receiver { address: Some(format!("临县 {BUYER} {now}")), ..Receiver::default() })
        }
        // Nothing but the time is new.
        _ => {}
    }
    states.push(next);
    states.len() - 1
}

/// Maps a line that nobody has mapped yet.
fn map_one(world: &mut World) -> Result<(), String> {
    let orders = world.orders()?;
    let lines = orders.iter().flat_map(|(name, order)| {
        order.lines.iter().filter(|line| line.is_unmapped()).map(|line| (name.clone(), line.line_id.clone()))
    });
    let mut lines: Vec<(OrderName, String)> = lines.collect();
    let Some(place) = number(&mut world.dice, 1_000).checked_rem(lines.len()) else { return Ok(()) };
    let (name, line) = lines.swap_remove(place);
    let (sku, person) = (one_of(&mut world.dice, &SKUS), draw_person(world));
    let edits = Edits::one(DocumentKey::Order(name), move |doc| map_line(doc, &line, sku));
    with_server_faults(world, |world| world.console_write(person, vec![edits], "a line's SKU".into()).map(drop))
}
