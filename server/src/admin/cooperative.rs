//! A co-operative's own document by command: what it says, and what is written into it.

use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::cooperative::{self, Detail};
use granary_client_core::schema::{DocumentKey, Part, Season};
use granary_client_core::words::Phrase;

use super::Furnishing;
use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::said::Said;

const YEAR: Phrase = Phrase::new("year", "a season is a year between 2000 and 2999", "季度是 2000 到 2999 之间的一年");
const CODE: Phrase = Phrase::new(
    "code",
    "a code has small letters, digits and hyphens, at most 40",
    "代码由小写字母、数字和连字符组成，最多 40 个",
);
const NOTHING: Phrase = Phrase::new(
    "nothing",
    "say what to set: --name, --phone, --address or --about",
    "请说明要改什么：--name、--phone、--address 或 --about",
);

const KEY: DocumentKey = DocumentKey::Cooperative(Part::FIRST);

/// Writes what was typed.
pub(super) fn furnish(
    granary: &Granary,
    number: CooperativeNumber,
    furnishing: Furnishing,
    now: Instant,
) -> Result<Said, Error> {
    let code_is_right = |code: &str| match crate::console::is_code(code) {
        true => Ok(()),
        false => Err(Error::invalid("code", CODE)),
    };
    match furnishing {
        Furnishing::Details { name, phone, address, about } => {
            let details: Vec<(Detail, String)> = Detail::ALL
                .into_iter()
                .zip([phone, address, about])
                .filter_map(|(detail, text)| Some((detail, text?)))
                .collect();
            if name.is_none() && details.is_empty() {
                return Err(Error::invalid("details", NOTHING));
            }
            granary.edit(number, &KEY, now, move |doc| {
                name.iter().try_for_each(|name| cooperative::set_name(doc, name))?;
                details.iter().try_for_each(|(detail, text)| cooperative::set_detail(doc, *detail, text))
            })?;
        }
        Furnishing::Village { code, name } => {
            code_is_right(&code)?;
            granary.edit(number, &KEY, now, move |doc| cooperative::set_village(doc, &code, &name))?;
        }
        Furnishing::Place { code, name } => {
            code_is_right(&code)?;
            granary.edit(number, &KEY, now, move |doc| cooperative::set_place(doc, &code, &name))?;
        }
        Furnishing::Season { year, from, name } => {
            let season = Season::new(year).ok_or_else(|| Error::invalid("year", YEAR))?;
            let from: Day = from.parse()?;
            granary.edit(number, &KEY, now, move |doc| {
                cooperative::begin_season(doc, season, from)?;
                name.iter().try_for_each(|name| cooperative::name_season(doc, season, name))
            })?;
        }
    }
    show(granary, number, now)
}

/// All that its own document says, but for announcements.
pub(super) fn show(granary: &Granary, number: CooperativeNumber, now: Instant) -> Result<Said, Error> {
    let read = cooperative::read_parts(&granary.parts(number, &KEY)?);
    let named = granary.cooperative(number)?.name().to_owned();
    let mut lines: Vec<Said> = vec![format!("{}  {}", number.0, read.name.clone().unwrap_or(named)).into()];
    for (english, chinese, text) in
        [("telephone", "电话", &read.phone), ("address", "地址", &read.address), ("about", "说明", &read.about)]
    {
        if let Some(text) = text {
            lines.push(Said::new(format!("{english}: {text}"), format!("{chinese}：{text}")));
        }
    }
    let present = read.present_season(Day::in_china(now));
    for plan in &read.seasons {
        let name = plan.name.as_deref().map(|name| format!("  {name}")).unwrap_or_default();
        let (year, from) = (plan.season.year(), plan.from);
        let (en, zh) = if present == Some(plan.season) { (" (present)", "（当前）") } else { ("", "") };
        lines.push(Said::new(
            format!("season {year} from {from}{name}{en}"),
            format!("{year} 季，自 {from} 起{name}{zh}"),
        ));
    }
    for (code, name) in &read.villages {
        lines.push(Said::new(format!("village {code}  {name}"), format!("村 {code}  {name}")));
    }
    for (code, name) in &read.places {
        lines.push(Said::new(format!("place {code}  {name}"), format!("收购点 {code}  {name}")));
    }
    if read.villages.is_empty() {
        lines.push(Said::new(
            "there is no village yet; make one: `granary coop village CODE NAME`",
            "还没有村庄；农户要属于一个村：`granary coop village CODE NAME`",
        ));
    }
    Ok(Said::lines(lines))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use granary_client_core::store::MemoryStore;
    use granary_client_core::words::{Language, Words};

    use super::*;

    #[test]
    fn a_cooperative_is_furnished_by_command() {
        let keys = tempfile::tempdir().unwrap();
        let fail = |fault| panic!("{fault}");
        let granary = Granary::open(Arc::new(MemoryStore::default()), keys.path(), None, fail).unwrap();
        let now = Instant(1_790_000_000_000);
        let coop = granary.create_cooperative("Linxian", now).unwrap();
        let say = |said: &Said| said.words(Language::English);
        assert!(say(&show(&granary, coop, now).unwrap()).contains("there is no village yet"));
        let details = |phone: Option<&str>| Furnishing::Details {
            name: None,
            phone: phone.map(str::to_owned),
            address: None,
            about: None,
        };
        for furnishing in [
            details(Some("0358 4400000")),
            Furnishing::Village { code: "dongpo".into(), name: "东坡村".into() },
            Furnishing::Place { code: "mill".into(), name: "磨坊".into() },
            Furnishing::Season { year: 2026, from: "2026-03-01".into(), name: Some("Autumn".into()) },
        ] {
            furnish(&granary, coop, furnishing, now).unwrap();
        }
        let said = say(&show(&granary, coop, now).unwrap());
        for line in ["telephone: 0358 4400000", "village dongpo  东坡村", "place mill", "season 2026 from 2026-03-01"]
        {
            assert!(said.contains(line), "{line}: {said}");
        }
        assert!(said.contains("(present)"), "{said}");
        let wrong = [
            details(None),
            Furnishing::Village { code: "Dong Po".into(), name: "x".into() },
            Furnishing::Season { year: 99, from: "2026-03-01".into(), name: None },
            Furnishing::Season { year: 2027, from: "soon".into(), name: None },
        ];
        wrong.into_iter().for_each(|furnishing| drop(furnish(&granary, coop, furnishing, now).unwrap_err()));
    }
}
