//! Imports households and products from CSV and from workbooks: first a preview with an error for each invalid row and a question for each row that
//! could mean two things, then all rows or none.

mod households;
mod lots;
mod page;
mod table;

use axum::extract::{Extension, Multipart};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::HouseholdRow;
use granary_client_core::quantities::{Fen, TextField, checked_text, typed};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::{DocumentKey, Part, household};
use granary_client_core::words::Words;

use self::households::{Fate, Plan, PlanFault, Said};
pub(super) use self::page::show;
use self::page::shown;
use self::table::{Line, Table, TableFault, decode, of_workbook};
use super::again::{Asked, PAGE};
use super::forms::{Form, is_code};
use super::household::phones::HouseholdPhones;
use super::i18n::{Language, Locale, grouped};
use super::names::Names;
use super::refusal::{Refused, refuse, refused, refused_with};
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::AuditAction;
use crate::engine::own_edits::{Edit, Edits};
use crate::imports::workbook_texts;

/// The largest file, in bytes.
const FILE_BYTES_MAX: usize = 1_500_000;
/// Rows of households or products in one file at most.
const ROWS_MAX: usize = 1_000;
/// Of a longer file, rows that change nothing are counted and not shown.
const ROWS_SHOWN_WHOLE: usize = 100;
/// The largest text of the columns that are taken, in bytes; it must fit into the form that confirms it.
const TAKEN_BYTES_MAX: usize = 80 * 1024;

/// Heads of the columns of households, in the languages of our exports.
const NAME: &[&str] = &["name", "household", "农户", "名称", "姓名"];
const VILLAGE: &[&str] = &["village", "村", "村庄"];
const ID: &[&str] = &["id", "编号"];
/// And of products; any other head is a grade.
const CODE: &[&str] = &["code", "代码"];
const CHINESE: &[&str] = &["zh", "中文名", "中文"];
const ENGLISH: &[&str] = &["en", "英文名", "英文"];

/// What was read of a file.
struct Import {
    rows: Vec<(u64, Row)>,
    /// Heads of columns that are not taken.
    ignored: Vec<String>,
    /// The columns that are taken, as text.
    taken: String,
}

impl Import {
    /// Names what every row would do, to tell whether it is still what somebody was shown.
    fn effect(&self) -> String {
        let effect: Vec<String> = self.rows.iter().map(|(line, row)| format!("{line} {row:?}")).collect();
        crate::environment::hex(&crate::environment::digest_begins::<12>(effect.join("\n").as_bytes()))
    }
}

/// The effect of one row.
#[derive(Debug)]
enum Row {
    /// `name` and `village` are what the row says; none leaves what is here.
    Household {
        name: Option<String>,
        village: Option<String>,
        plan: Plan,
        namesakes: Vec<HouseholdRow>,
    },
    Product {
        code: String,
        names: [(String, String); 2],
        prices: Vec<(PriceName, Fen)>,
        is_change: bool,
    },
    Same(String),
    /// It names a village that nobody knows.
    NoVillage(String),
    Wrong(String),
}

impl Row {
    fn changes_something(&self) -> bool {
        match self {
            Self::Household { plan, .. } => matches!(plan.fate, Fate::New | Fate::Change(_)),
            Self::Product { .. } => true,
            Self::Same(_) | Self::NoVillage(_) | Self::Wrong(_) => false,
        }
    }

    /// True when it says what is here already, and nothing can be chosen.
    fn is_here(&self) -> bool {
        match self {
            Self::Household { plan, .. } => matches!(plan.fate, Fate::Same(_)) && plan.choices.len() == 1,
            Self::Same(_) => true,
            Self::Product { .. } | Self::NoVillage(_) | Self::Wrong(_) => false,
        }
    }

    /// True when a person can choose what it means.
    fn is_question(&self) -> bool {
        matches!(self, Self::Household { plan, .. } if plan.choices.len() > 1)
    }
}

const PREVIEW: &str = "/console/import/preview";

/// `POST /console/import/preview`
pub(super) async fn preview(
    mut signed: SignedIn,
    asked: Option<Extension<Asked>>,
    mut parts: Multipart,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    // A file can't be sent back; its form is shown again without it.
    signed.page = "/console/import".to_owned();
    if let Some(Extension(asked)) = asked {
        asked.with(Form::of(&[(PAGE, &signed.page)]));
    }
    let (mut given, mut file) = (String::new(), None);
    let wrong = |_| refused(locale, 400, "form-field-wrong");
    while let Some(field) = parts.next_field().await.map_err(wrong)? {
        match field.name() {
            Some("token") => given = field.text().await.map_err(wrong)?,
            Some("file") => file = Some(field.bytes().await.map_err(wrong)?),
            _ => {}
        }
    }
    signed.must_own_token(&given)?;
    let file = file.ok_or_else(|| refused(locale, 400, "form-field-wrong"))?;
    if file.len() > FILE_BYTES_MAX {
        return Err(refused(locale, 413, "file-too-large"));
    }
    let rows = workbook_texts(&file)
        .map_err(|fault| refused_with(locale, 400, "file-wrong", &[("why", fault.words(locale.language))]))?;
    let text = match &rows {
        Some(rows) => of_workbook(rows),
        None => decode(&file),
    };
    let text = text.map_err(|fault| unreadable(locale, &fault))?;
    // A workbook's days are numbers, which compare with no day.
    if rows.is_some() && Table::read(&text).is_ok_and(|table| lots::language_of(&table).is_some()) {
        return Err(refused(locale, 400, "import-lots-csv"));
    }
    let import = read(&signed, &text, &Form::default()).await?;
    if import.taken.len() > TAKEN_BYTES_MAX {
        return Err(refused(locale, 413, "file-too-large"));
    }
    shown(&signed, &import, false).await
}

fn unreadable(locale: Locale, fault: &TableFault) -> Refused {
    match fault {
        TableFault::NoText => refused(locale, 400, "file-no-text"),
        TableFault::NoTable => refused(locale, 400, "file-unreadable"),
        TableFault::TooLong => refused(locale, 413, "file-too-large"),
        TableFault::HeadTwice(head) => refused_with(locale, 400, "file-head-twice", &[("head", head.clone())]),
        TableFault::NoHead(line) => refused_with(locale, 400, "file-no-head", &[("row", line.to_string())]),
    }
}

/// Compares the file with the present documents. `form` has what the person chose; none where nothing was asked yet.
async fn read(signed: &SignedIn, text: &str, form: &Form) -> Result<Import, Refused> {
    let locale = signed.locale;
    let table = Table::read(text).map_err(|fault| unreadable(locale, &fault))?;
    let names = Names::of(signed).await?;
    if let Some(file) = lots::language_of(&table) {
        let rows = lots::compared(signed, file, &table).await?;
        return Ok(Import { rows, ignored: Vec::new(), taken: String::new() });
    }
    if table.rows.len() > ROWS_MAX {
        return Err(refused(locale, 413, "file-too-large"));
    }
    if is_of_households(&table) {
        let everyone = HouseholdPhones::of(signed).everyone();
        let known = signed.read(move |models| models.households(&everyone)).await?;
        let taken = [table.column(NAME), table.column(VILLAGE), table.column(ID)];
        let ignored = (0..).zip(&table.heads).filter(|(place, _)| !taken.contains(&Some(*place)));
        let ignored = ignored.map(|(_, head)| head.clone()).collect();
        let columns: Vec<usize> = taken.into_iter().flatten().collect();
        let text = table.to_text(&columns);
        return Ok(Import { rows: households(locale, &names, &known, &table, form), ignored, taken: text });
    }
    let columns = [table.column(CODE), table.column(CHINESE), table.column(ENGLISH)];
    if columns.contains(&None) {
        return Err(refused(locale, 400, "file-heads-wrong"));
    }
    let mut grades = Vec::new();
    for (place, head) in (0..).zip(&table.heads).filter(|(place, _)| !columns.contains(&Some(*place))) {
        let grade: PriceName = head.parse().map_err(|_| refused(locale, 400, "grade-wrong"))?;
        grades.push((place, grade));
    }
    let mut rows: Vec<(u64, Row)> = Vec::with_capacity(table.rows.len());
    for (place, line) in table.rows.iter().enumerate() {
        let code = line.cell(table.column(CODE));
        let first = table.rows.iter().take(place).find(|other| other.cell(table.column(CODE)) == code);
        let row = match first {
            Some(first) => Row::Wrong(locale.with("import-twice", &[("row", first.number.to_string())])),
            None => product(locale, &names, columns, &grades, line),
        };
        rows.push((line.number, row));
    }
    let taken = table.to_text(&(0..table.heads.len()).collect::<Vec<usize>>());
    Ok(Import { rows, ignored: Vec::new(), taken })
}

/// True for a file of households. One about lots or orders has households' names too, and is none.
fn is_of_households(table: &Table) -> bool {
    let is_of = |column: &str| {
        let heads = [Language::Chinese, Language::English].map(|language| Locale { language }.of("column", column));
        table.column(&heads.each_ref().map(|head| head.to_lowercase()).each_ref().map(String::as_str)).is_some()
    };
    table.column(NAME).is_some() && table.column(CODE).is_none() && !["lot", "order", "deed"].into_iter().any(is_of)
}

fn households(locale: Locale, names: &Names, known: &[HouseholdRow], table: &Table, form: &Form) -> Vec<(u64, Row)> {
    let read: Vec<Result<Said, Box<Row>>> = table.rows.iter().map(|line| said(locale, names, table, line)).collect();
    let right: Vec<Said> = read.iter().flatten().cloned().collect();
    let chosen = |line| Some(form.get(&format!("choice:{line}"))).filter(|choice| !choice.is_empty());
    let mut plans = households::plan(&right, known, chosen).into_iter();
    let mut rows = Vec::with_capacity(read.len());
    for (line, said) in table.rows.iter().zip(read) {
        let row = match said.map(|said| (said, plans.next())) {
            Err(wrong) => *wrong,
            Ok((said, Some(Ok(plan)))) => {
                let named =
                    |row: &&HouseholdRow| Some(&row.name) == said.name.as_ref() || Some(row.household) == said.id;
                let namesakes = known.iter().filter(named).cloned().collect();
                Row::Household { name: said.name, village: said.village, plan, namesakes }
            }
            Ok((_, Some(Err(PlanFault::UnknownId)))) => Row::Wrong(locale.t("import-unknown-id")),
            Ok((_, Some(Err(PlanFault::Twice)))) => Row::Wrong(locale.t("import-same-id")),
            Ok((_, Some(Err(PlanFault::NotAChoice)) | None)) => Row::Wrong(locale.t("import-changed-meanwhile")),
        };
        rows.push((line.number, row));
    }
    rows
}

/// What a row says of a household, or what is wrong with it.
fn said(locale: Locale, names: &Names, table: &Table, line: &Line) -> Result<Said, Box<Row>> {
    let id: Option<HouseholdId> = match line.cell(table.column(ID)) {
        "" => None,
        id => Some(id.parse().map_err(|_| Box::new(Row::Wrong(locale.t("import-unknown-id"))))?),
    };
    let name = match line.cell(table.column(NAME)) {
        "" if id.is_some() => None,
        name => Some(
            checked_text(TextField::HouseholdName, name)
                .map_err(|fault| Box::new(Row::Wrong(fault.words(locale.language))))?,
        ),
    };
    let village = match line.cell(table.column(VILLAGE)) {
        "" => None,
        typed => Some(village_of(names, typed).ok_or_else(|| Box::new(Row::NoVillage(typed.to_owned())))?),
    };
    Ok(Said { line: line.number, name, village, id })
}

/// The code of a village that is named by its code, or by a name that only one village has.
fn village_of(names: &Names, typed: &str) -> Option<String> {
    let code = typed.to_lowercase();
    if names.villages().contains_key(&code) {
        return Some(code);
    }
    let mut named = names.villages().iter().filter(|(_, name)| *name == typed);
    named.next().filter(|_| named.next().is_none()).map(|(code, _)| code.clone())
}

fn product(
    locale: Locale,
    names: &Names,
    [code, zh, en]: [Option<usize>; 3],
    grades: &[(usize, PriceName)],
    line: &Line,
) -> Row {
    let code = line.cell(code).to_owned();
    if !is_code(&code) {
        return Row::Wrong(locale.t("code-wrong"));
    }
    let known = names.catalogue.products.iter().find(|product| product.code == code);
    let before = [known.and_then(|known| known.name_zh.clone()), known.and_then(|known| known.name_en.clone())];
    let mut renamed = Vec::new();
    for (before, typed) in before.into_iter().map(Option::unwrap_or_default).zip([zh, en]) {
        // An empty cell leaves the name that is here.
        let after = match line.cell(typed) {
            "" if !before.is_empty() || known.is_some() => before.clone(),
            name => match checked_text(TextField::ProductName, name) {
                Ok(name) => name,
                Err(fault) => return Row::Wrong(fault.words(locale.language)),
            },
        };
        renamed.push((before, after));
    }
    let mut prices = Vec::new();
    for (place, grade) in grades {
        let text = line.cell(Some(*place));
        if text.is_empty() {
            continue;
        }
        match typed::price_per_kilogram(text) {
            Ok(fen) if known.and_then(|known| known.price_by_grade.get(grade)) == Some(&fen) => {}
            Ok(fen) => prices.push((grade.clone(), fen)),
            Err(fault) => {
                let values = [("grade", grade.to_string()), ("why", fault.words(locale.language))];
                return Row::Wrong(locale.with("import-price-wrong", &values));
            }
        }
    }
    match <[(String, String); 2]>::try_from(renamed) {
        Ok(names) if prices.is_empty() && names.iter().all(|(before, after)| before == after) => Row::Same(code),
        Ok(names) => Row::Product { code, names, prices, is_change: known.is_some() },
        Err(_) => Row::Wrong(locale.t("code-wrong")),
    }
}

/// `POST /console/import/confirm`: reads the same text again and imports all rows or none.
pub(super) async fn confirm(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    // What was shown must still be what happens: nobody confirms what she has not seen.
    let shown_now = read(&signed, form.get("text"), &Form::default()).await?;
    if form.has("seen") && form.get("seen") != shown_now.effect() {
        let mut signed = signed;
        signed.page = "/console/import".to_owned();
        return shown(&signed, &shown_now, true).await;
    }
    let Import { rows, .. } = read(&signed, form.get("text"), &form).await?;
    let mut documents = Vec::new();
    let mut catalogue: Vec<Edit> = Vec::new();
    let mut count = 0usize;
    for (_, row) in rows {
        count = count.saturating_add(usize::from(row.changes_something()));
        match row {
            Row::NoVillage(_) | Row::Wrong(_) => return Err(refused(signed.locale, 400, "import-nothing-yet")),
            Row::Same(_) => {}
            Row::Household { name, village, plan, namesakes } => {
                let id = match plan.fate {
                    Fate::Same(_) | Fate::Skip => continue,
                    Fate::Change(id) => id,
                    Fate::New => {
                        let millis = u64::try_from(crate::environment::now().0).unwrap_or(0);
                        let random =
                            crate::environment::random_bytes().map_err(|error| refuse(signed.locale, &error))?;
                        HouseholdId::generate(millis, random)
                    }
                };
                // Only what differs: the rest may have changed meanwhile.
                let known = namesakes.iter().find(|row| row.household == id);
                let name = name.filter(|name| known.is_none_or(|known| known.name != *name));
                let village = village.filter(|village| known.is_none_or(|known| known.village != *village));
                let edit = move |doc: &mut _| household::rename(doc, name.as_deref(), village.as_deref());
                documents.push(Edits::one(DocumentKey::Household(id), edit));
            }
            Row::Product { code, names, prices, .. } => catalogue.push(Box::new(move |doc| {
                let [zh, en] = names.map(|(before, after)| (before != after).then_some(after));
                catalogue::rename_product(doc, &code, zh.as_deref(), en.as_deref())?;
                prices.iter().try_for_each(|(name, fen)| catalogue::set_price(doc, &code, name, *fen))
            })),
        }
    }
    let to = if catalogue.is_empty() { "/console/households" } else { "/console/catalogue" };
    if !catalogue.is_empty() {
        documents.push(Edits { key: DocumentKey::Catalogue(Part::FIRST), message: None, seen: None, edits: catalogue });
    }
    signed.edit(documents).await?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed
        .work(move || {
            granary.audit(number, crate::environment::now(), by, AuditAction::Imported, &grouped(count as u64))
        })
        .await?;
    Ok(Redirect::to(to).into_response())
}
