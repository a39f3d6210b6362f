//! Forms that were typed in a session which ended before they were sent, for the minutes in which their author looks at them again
//! in a new one. In memory alone, and only of people who are signed in.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use granary_client_core::quantities::Instant;

/// So many at once; the oldest gives way.
const FORMS_MAX: usize = 100;
/// For so long.
const KEPT_MILLIS: u64 = 15 * 60 * 1_000;

/// A form as it was sent: the address, and its fields as a body has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnsentForm {
    pub(crate) action: String,
    pub(crate) fields: String,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct UnsentForms(Mutex<BTreeMap<String, (Instant, UnsentForm)>>);

impl UnsentForms {
    /// Keeps a form for this session, in the place of an earlier one.
    pub(crate) fn keep(&self, session: &str, form: UnsentForm, now: Instant) {
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.retain(|_, (at, _)| is_fresh(*at, now));
        if forms.len() >= FORMS_MAX {
            let oldest = forms.iter().min_by_key(|(_, (at, _))| *at).map(|(session, _)| session.clone());
            oldest.map(|session| forms.remove(&session));
        }
        forms.insert(session.to_owned(), (now, form));
    }

    /// The form that is kept for this session.
    pub(crate) fn of(&self, session: &str, now: Instant) -> Option<UnsentForm> {
        let forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.get(session).filter(|(at, _)| is_fresh(*at, now)).map(|(_, form)| form.clone())
    }
}

fn is_fresh(at: Instant, now: Instant) -> bool {
    now.millis_since(at) < KEPT_MILLIS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_few_and_for_minutes() {
        let forms = UnsentForms::default();
        let form = |number: usize| UnsentForm { action: "/console".into(), fields: number.to_string() };
        for number in 0..=FORMS_MAX {
            forms.keep(&format!("s{number}"), form(number), Instant(number as i64));
        }
        let now = Instant(1_000);
        assert_eq!(forms.of("s0", now), None, "the oldest gave way");
        assert_eq!(forms.of("s1", now), Some(form(1)));
        assert_eq!(forms.of("s1", Instant(KEPT_MILLIS as i64 + 1)), None);
        assert_eq!(forms.of("another", now), None);
        forms.keep("s5", form(7), now);
        assert_eq!(forms.of("s5", now), Some(form(7)), "the last one of a session");
    }
}
