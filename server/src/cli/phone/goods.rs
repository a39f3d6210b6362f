//! The commands about what lies in the warehouse, for packers' and coordinators' phones.

use clap::Subcommand;
use granary_client_core::phone::{Phone, StockNow};
use granary_client_core::plausibility::Unusual;
use granary_client_core::quantities::typed::{self, WeightUnit};
use granary_client_core::quantities::{Day, one_line};
use granary_client_core::schema::stock_book::GoodsIn;
use granary_client_core::schema::{EntryId, HoldingId, StreamCode};
use granary_client_core::trade::Holding;
use granary_client_core::words::Words;

use super::goods_words::{Says, event, heading};
use super::names::Products;
use super::show::confirm;
use super::typed_weight;
use crate::cli::language;
use crate::error::Error;

#[derive(Subcommand)]
pub(super) enum GoodsCommand {
    /// Show what lies in the warehouse, as of the last sync.
    Stock {
        /// The product's code: its goods one by one.
        product: Option<String>,
        /// What happened to these goods, by their number.
        #[arg(long, value_name = "NUMBER", conflicts_with = "product")]
        goods: Option<String>,
    },
    /// Say what you counted of some goods; needs no connection.
    Count {
        /// The number of the goods, as `stock` shows it: a lot's, or that of goods bought in.
        goods: String,
        /// All that lies there, also what is planned for orders, such as `12.5kg` or `25斤`; `0` for nothing.
        #[arg(required = true, num_args = 1..=2)]
        weight: Vec<String>,
        /// Write it without asking, also when something about it is unusual.
        #[arg(long)]
        yes: bool,
    },
    /// Say that goods lie in another bin now; needs no connection.
    MoveBin {
        /// The number of the goods, as `stock` shows it: a lot's, or that of goods bought in.
        goods: String,
        /// How much, such as `12.5kg` or `25斤`; a number alone is grams.
        #[arg(required = true, num_args = 1..=2)]
        weight: Vec<String>,
        /// The bin they lay in; what lay in none when not given.
        #[arg(long, default_value = "")]
        from: String,
        /// The bin they lie in now.
        #[arg(long)]
        to: String,
        /// Write it without asking, also when something about it is unusual.
        #[arg(long)]
        yes: bool,
    },
    /// Record goods that were bought in; needs no connection.
    GoodsIn {
        /// The product's code, such as `millet`.
        product: String,
        /// How much, such as `12.5kg` or `25斤`; a number alone is grams.
        #[arg(required = true, num_args = 1..=2)]
        weight: Vec<String>,
        /// The grade, such as `A`.
        #[arg(long, default_value = "")]
        grade: String,
        /// Whom they were bought from.
        #[arg(long, default_value = "")]
        from: String,
        /// The bin they lie in.
        #[arg(long, default_value = "")]
        bin: String,
        /// The day on which they came in; today when not given, by the server's time.
        #[arg(long)]
        day: Option<Day>,
        /// The last day on which they are good.
        #[arg(long)]
        expiry: Option<Day>,
        /// Write it without asking, also when something about it is unusual.
        #[arg(long)]
        yes: bool,
    },
    /// Say that goods are gone, and why; needs no connection.
    Loss {
        /// The number of the goods, as `stock` shows it: a lot's, or that of goods bought in.
        goods: String,
        /// How much, such as `12.5kg` or `25斤`; a number alone is grams.
        #[arg(required = true, num_args = 1..=2)]
        weight: Vec<String>,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The bin they lay in.
        #[arg(long, default_value = "")]
        bin: String,
        /// Write it without asking, also when something about it is unusual.
        #[arg(long)]
        yes: bool,
    },
    /// Stop the sale of goods, and say why; needs no connection.
    Recall {
        /// The number of the goods, as `stock` shows it: a lot's, or that of goods bought in.
        goods: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take back what was written of goods by mistake; it stays to be read.
    TakeBack {
        /// The entry, as `stock --goods` shows it.
        entry: EntryId,
    },
    /// List what shops sell: the packs, and what is in them.
    Skus,
    /// Show what is left of a live-stream, as of the last sync.
    StreamLeft {
        /// The live-stream's code.
        code: StreamCode,
    },
}

impl GoodsCommand {
    /// Its words, for another process that wants the same phone.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Stock { .. } => "granary phone stock",
            Self::Count { .. } => "granary phone count",
            Self::MoveBin { .. } => "granary phone move-bin",
            Self::GoodsIn { .. } => "granary phone goods-in",
            Self::Loss { .. } => "granary phone loss",
            Self::Recall { .. } => "granary phone recall",
            Self::TakeBack { .. } => "granary phone take-back",
            Self::Skus => "granary phone skus",
            Self::StreamLeft { .. } => "granary phone stream-left",
        }
    }
}

fn say(says: &Says<'_>) {
    println!("{}", says.words(language()));
}

fn plain(text: &str) -> String {
    one_line(text).collect()
}

/// Asks about what is unusual, unless `yes` was said already.
fn asked(yes: bool, unusual: Vec<Unusual>, typed: &str) -> Result<(), Error> {
    if yes { Ok(()) } else { confirm(unusual, Some(typed)) }
}

pub(super) fn run(phone: &Phone, command: GoodsCommand) -> Result<(), Error> {
    match command {
        GoodsCommand::Stock { product, goods: None } => stock(phone, product.as_deref())?,
        GoodsCommand::Stock { goods: Some(goods), .. } => history(phone, &phone.find_holding(&goods)?)?,
        GoodsCommand::Count { goods, weight, yes } => {
            let (holding, typed) = (phone.find_holding(&goods)?, weight.join(" "));
            let counted = typed::weight_or_nothing(&typed, WeightUnit::Gram);
            let counted = counted.map_err(|fault| Error::Typed { field: "weight", fault })?;
            asked(yes, phone.unusual_count(&holding, counted)?, &typed)?;
            phone.count(&holding, counted)?;
            written(phone, &holding)?;
        }
        GoodsCommand::MoveBin { goods, weight, from, to, yes } => {
            let (holding, typed) = (phone.find_holding(&goods)?, weight.join(" "));
            let grams = typed_weight(&typed)?;
            asked(yes, phone.unusual_taking(&holding, grams, Some(&from))?, &typed)?;
            phone.move_bin(&holding, grams, &from, &to)?;
            written(phone, &holding)?;
        }
        GoodsCommand::GoodsIn { product, weight, grade, from, bin, day, expiry, yes } => {
            let typed = weight.join(" ");
            let day = day.unwrap_or_else(|| phone.today());
            let goods = GoodsIn { product, grade, quantity: typed_weight(&typed)?, day, expiry, from, bin };
            asked(yes, phone.unusual_goods(&goods)?, &typed)?;
            written(phone, &phone.goods_in(&goods)?)?;
        }
        GoodsCommand::Loss { goods, weight, reason, bin, yes } => {
            let (holding, typed) = (phone.find_holding(&goods)?, weight.join(" "));
            let grams = typed_weight(&typed)?;
            let from = (!bin.trim().is_empty()).then_some(bin.as_str());
            asked(yes, phone.unusual_taking(&holding, grams, from)?, &typed)?;
            phone.lose(&holding, grams, &reason, &bin)?;
            written(phone, &holding)?;
        }
        GoodsCommand::Recall { goods, reason } => {
            let holding = phone.find_holding(&goods)?;
            phone.recall(&holding, &reason)?;
            written(phone, &holding)?;
        }
        GoodsCommand::TakeBack { entry } => {
            phone.withdraw_entry(&entry)?;
            say(&Says::TakenBack { entry: &entry.to_string() });
        }
        GoodsCommand::Skus => skus(phone)?,
        GoodsCommand::StreamLeft { code } => stream_left(phone, &code)?,
    }
    Ok(())
}

/// Says how the goods stand now, after something was written of them.
fn written(phone: &Phone, holding: &HoldingId) -> Result<(), Error> {
    let StockNow { stock, today, .. } = phone.stock()?;
    let products = Products::of(phone, language())?;
    if let Some(of) = stock.holdings.get(holding) {
        println!("{}", line(holding, of, today, &products));
    }
    for case in stock.cases.iter().filter(|case| case.holding() == Some(holding)) {
        eprintln!("{}", plain(&case.words(language())));
    }
    Ok(())
}

/// Goods in one line.
fn line(id: &HoldingId, holding: &Holding, today: Day, products: &Products) -> String {
    let is_expired = holding.is_expired(today);
    heading(language(), id, holding, is_expired, products.name(&holding.product))
}

fn stock(phone: &Phone, product: Option<&str>) -> Result<(), Error> {
    let StockNow { as_of, today, stock } = phone.stock()?;
    let products = Products::of(phone, language())?;
    say(&Says::AsOf { at: as_of });
    let mut shown = 0usize;
    match product {
        None => {
            for ((code, grade), sums) in stock.products(today) {
                say(&Says::Product {
                    name: &plain(products.name(&code)),
                    code: &plain(&code),
                    grade: &plain(&grade),
                    sums,
                });
                shown = shown.saturating_add(1);
            }
        }
        Some(product) => {
            let there =
                |holding: &&Holding| holding.product == product && (holding.present() != 0 || holding.on_hand() != 0);
            let mut found: Vec<_> = stock.holdings.iter().filter(|(_, holding)| there(holding)).collect();
            found.sort_by_key(|(id, holding)| (&holding.grade, holding.received_on, *id));
            found.iter().for_each(|(id, holding)| println!("{}", line(id, holding, today, &products)));
            shown = found.len();
        }
    }
    if shown == 0 {
        say(&Says::Nothing);
    }
    let of_it =
        |id: &HoldingId| stock.holdings.get(id).is_some_and(|holding| Some(holding.product.as_str()) == product);
    for case in stock.cases.iter().filter(|case| product.is_none() || case.holding().is_some_and(of_it)) {
        eprintln!("{}", plain(&case.words(language())));
    }
    Ok(())
}

fn history(phone: &Phone, holding: &HoldingId) -> Result<(), Error> {
    say(&Says::AsOf { at: phone.status().last_success });
    written(phone, holding)?;
    for one in phone.holding_history(holding)? {
        println!("  {}", plain(&event(language(), &one)));
    }
    Ok(())
}

fn skus(phone: &Phone) -> Result<(), Error> {
    let skus = phone.skus()?;
    let products = Products::of(phone, language())?;
    for sku in &skus {
        let product = plain(products.name(&sku.product));
        say(&Says::Sku {
            code: &plain(&sku.code),
            product: &product,
            grade: &plain(&sku.grade),
            grams: sku.grams,
            ended: sku.ended,
        });
    }
    if skus.is_empty() {
        say(&Says::NoSkus);
    }
    Ok(())
}

fn stream_left(phone: &Phone, code: &StreamCode) -> Result<(), Error> {
    let left = phone.stream_left(code)?;
    say(&Says::AsOf { at: left.as_of });
    for (sku, packs) in &left.packs {
        say(&Says::Left { sku: &plain(sku), packs: *packs });
    }
    if left.packs.is_empty() {
        say(&Says::NotGranted);
    }
    Ok(())
}
