//! Tables: one row for each thing, with headings that stay in view and sort where they can. On a narrow screen each row is a
//! card, whose values carry their headings.

use maud::{Markup, html};

/// How a list is sorted at present, and the address that sorts it otherwise.
pub(in crate::console) struct Sorted<'a> {
    /// The key of the column by which it is sorted.
    pub(in crate::console) by: &'a str,
    /// True where it is sorted the other way round.
    pub(in crate::console) is_reversed: bool,
    /// The page's address with its filters, without `sort` and `way`.
    pub(in crate::console) address: String,
}

/// One column.
pub(in crate::console) struct Column {
    name: String,
    is_number: bool,
    sort: Option<&'static str>,
    starts_high: bool,
    is_action: bool,
}

impl Column {
    /// A column of texts with this heading.
    pub(in crate::console) fn text(name: String) -> Self {
        Self { name, is_number: false, sort: None, starts_high: false, is_action: false }
    }

    /// A column of figures, which stand below each other.
    pub(in crate::console) fn number(name: String) -> Self {
        Self { is_number: true, ..Self::text(name) }
    }

    /// A column of what can be done. Its heading is for who does not see that there are buttons.
    pub(in crate::console) fn actions(name: String) -> Self {
        Self { is_action: true, ..Self::text(name) }
    }

    /// The same, by which the list can be sorted; `starts_high` where the greatest comes first.
    pub(in crate::console) fn sorts(self, key: &'static str, starts_high: bool) -> Self {
        Self { sort: Some(key), starts_high, ..self }
    }
}

/// One row. Its first cell leads to what the row is about.
pub(in crate::console) struct Row {
    cells: Vec<Markup>,
    id: Option<String>,
    is_soft: bool,
}

impl Row {
    /// A row of these cells, one for each column.
    pub(in crate::console) fn of(cells: Vec<Markup>) -> Self {
        Self { cells, id: None, is_soft: false }
    }

    /// The same, with a mark in the page to which a link can lead.
    pub(in crate::console) fn with_id(self, id: String) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The same, of something that has ended.
    pub(in crate::console) fn ended(self, is_ended: bool) -> Self {
        Self { is_soft: is_ended, ..self }
    }
}

/// A table with its columns.
pub(in crate::console) struct Table<'a> {
    /// What it lists, for who does not see it.
    label: String,
    columns: Vec<Column>,
    sorted: Option<Sorted<'a>>,
}

impl<'a> Table<'a> {
    pub(in crate::console) fn of(label: String, columns: Vec<Column>) -> Self {
        Self { label, columns, sorted: None }
    }

    /// The same, as it is sorted.
    pub(in crate::console) fn sorted(self, sorted: Sorted<'a>) -> Self {
        Self { sorted: Some(sorted), ..self }
    }

    /// True for a table that says how it is sorted.
    pub(in crate::console) fn is_sorted(&self) -> bool {
        self.sorted.is_some()
    }

    fn heading(&self, column: &Column) -> Markup {
        let class = column.is_number.then_some("number");
        let Some((key, sorted)) = column.sort.zip(self.sorted.as_ref()) else {
            return match column.is_action {
                true => html! { th scope="col" { span.unseen { (column.name) } } },
                false => html! { th class=[class] scope="col" { (column.name) } },
            };
        };
        let is_this = sorted.by == key;
        let descends = column.starts_high != sorted.is_reversed;
        let order = if descends { "descending" } else { "ascending" };
        let separator = if sorted.address.contains('?') { '&' } else { '?' };
        let way = if is_this && !sorted.is_reversed { "&way=back" } else { "" };
        html! {
            th class=[class] scope="col" aria-sort=[is_this.then_some(order)] {
                a href={ (sorted.address) (separator) "sort=" (key) (way) } { (column.name) }
            }
        }
    }

    /// The table with these rows.
    pub(in crate::console) fn show(&self, rows: Vec<Row>) -> Markup {
        html! {
            div.scroll.sticky {
                table.stack aria-label=(self.label) {
                    thead { tr { @for column in &self.columns { (self.heading(column)) } } }
                    tbody { @for row in rows {
                        tr id=[row.id] data-item class=[row.is_soft.then_some("small")] {
                            @for (place, (column, cell)) in self.columns.iter().zip(row.cells).enumerate() {
                                // A card is headed by its first value.
                                td class=[column.is_number.then_some("number")]
                                    data-label=[(place > 0 && !column.is_action).then_some(&column.name)] { (cell) }
                            }
                        }
                    } }
                }
            }
        }
    }
}
