//! Reads untrusted documents: a field that is missing, of the wrong type or out of range reads as damaged and never panics.
//! Strings are read from scalars and from text objects, since JavaScript clients write the latter.

use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};

use crate::ids::ActorId;

/// The reading of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading<T> {
    /// A value of the right type and range.
    Present(T),
    /// No value.
    Missing,
    /// Any other value.
    Damaged,
}

impl<T> Reading<T> {
    fn and_then<U>(self, check: impl FnOnce(T) -> Option<U>) -> Reading<U> {
        match self {
            Self::Present(value) => check(value).map_or(Reading::Damaged, Reading::Present),
            Self::Missing => Reading::Missing,
            Self::Damaged => Reading::Damaged,
        }
    }
}

/// Reads the fields of one map and collects the names of damaged ones.
pub(crate) struct Fields<'a> {
    automerge: &'a AutoCommit,
    object: ObjId,
    damaged: Vec<&'static str>,
}

/// Who wrote the value of a field that is shown; none where there is none.
pub(crate) fn author_of(automerge: &AutoCommit, object: &ObjId, field: &str) -> Option<ActorId> {
    match operation_of(automerge, object, field)? {
        ObjId::Id(_, actor, _) => ActorId::from_bytes(actor.to_bytes()),
        ObjId::Root => None,
    }
}

/// The operation that wrote the value of a field that is shown; none where there is none.
pub(crate) fn operation_of(automerge: &AutoCommit, object: &ObjId, field: &str) -> Option<ObjId> {
    automerge.get(object, field).ok()?.map(|(_, operation)| operation)
}

impl<'a> Fields<'a> {
    pub(crate) fn new(automerge: &'a AutoCommit, object: ObjId) -> Self {
        Self { automerge, object, damaged: Vec::new() }
    }

    pub(crate) fn damaged(self) -> Vec<&'static str> {
        self.damaged
    }

    /// Says that a field can't be read.
    pub(crate) fn damage(&mut self, field: &'static str) {
        self.damaged.push(field);
    }

    fn keep<T>(&mut self, field: &'static str, reading: Reading<T>, required: bool) -> Option<T> {
        match reading {
            Reading::Present(value) => Some(value),
            Reading::Missing if !required => None,
            Reading::Missing | Reading::Damaged => {
                self.damaged.push(field);
                None
            }
        }
    }

    /// A required text.
    pub(crate) fn text(&mut self, field: &'static str) -> Option<String> {
        let reading = text(self.automerge, &self.object, field);
        self.keep(field, reading, true)
    }

    /// An optional text.
    pub(crate) fn optional_text(&mut self, field: &'static str) -> Option<String> {
        let reading = text(self.automerge, &self.object, field);
        self.keep(field, reading, false)
    }

    /// A required integer that must pass `check`.
    pub(crate) fn integer<T>(&mut self, field: &'static str, check: impl FnOnce(i64) -> Option<T>) -> Option<T> {
        let reading = integer(self.automerge, &self.object, field).and_then(check);
        self.keep(field, reading, true)
    }

    /// An optional integer that must pass `check`.
    pub(crate) fn optional_integer<T>(
        &mut self,
        field: &'static str,
        check: impl FnOnce(i64) -> Option<T>,
    ) -> Option<T> {
        let reading = integer(self.automerge, &self.object, field).and_then(check);
        self.keep(field, reading, false)
    }

    /// An optional text that `parse` must read.
    pub(crate) fn optional_parsed<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let reading = text(self.automerge, &self.object, field).and_then(|text| parse(&text));
        self.keep(field, reading, false)
    }

    /// True or not; not where it is missing or can't be read.
    pub(crate) fn optional_truth(&mut self, field: &'static str) -> bool {
        self.truth_at(field, field)
    }

    /// As [`Self::optional_truth`], of the field under this key; damage is told under its name.
    pub(crate) fn truth_at(&mut self, field: &'static str, key: &str) -> bool {
        let reading = match self.automerge.get(&self.object, key) {
            Ok(Some((Value::Scalar(scalar), _))) => match scalar.as_ref() {
                ScalarValue::Boolean(truth) => Reading::Present(*truth),
                _ => Reading::Damaged,
            },
            Ok(None) => Reading::Missing,
            Ok(Some(_)) | Err(_) => Reading::Damaged,
        };
        self.keep(field, reading, false).unwrap_or(false)
    }

    /// An integer that must pass `check`; none where there is none, or an empty text in its place.
    pub(crate) fn unless_empty<T>(&mut self, field: &'static str, check: impl FnOnce(i64) -> Option<T>) -> Option<T> {
        self.unless_empty_at(field, field, check)
    }

    /// As [`Self::unless_empty`], of the field under this key; damage is told under its name.
    pub(crate) fn unless_empty_at<T>(
        &mut self,
        field: &'static str,
        key: &str,
        check: impl FnOnce(i64) -> Option<T>,
    ) -> Option<T> {
        if text(self.automerge, &self.object, key) == Reading::Present(String::new()) {
            return None;
        }
        let reading = integer(self.automerge, &self.object, key).and_then(check);
        self.keep(field, reading, false)
    }

    /// As [`Self::integer`], of the field under this key; damage is told under its name.
    pub(crate) fn integer_at<T>(
        &mut self,
        field: &'static str,
        key: &str,
        check: impl FnOnce(i64) -> Option<T>,
    ) -> Option<T> {
        let reading = integer(self.automerge, &self.object, key).and_then(check);
        self.keep(field, reading, true)
    }

    /// A required text that `parse` must read.
    pub(crate) fn parsed<T>(&mut self, field: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let reading = text(self.automerge, &self.object, field).and_then(|text| parse(&text));
        self.keep(field, reading, true)
    }
}

/// A text, if there is one that can be read.
pub(crate) fn text_at(automerge: &AutoCommit, object: &ObjId, field: &str) -> Option<String> {
    match text(automerge, object, field) {
        Reading::Present(text) => Some(text),
        Reading::Missing | Reading::Damaged => None,
    }
}

fn text(automerge: &AutoCommit, object: &ObjId, field: &str) -> Reading<String> {
    match automerge.get(object, field) {
        Ok(Some((Value::Scalar(scalar), _))) => match scalar.as_ref() {
            ScalarValue::Str(text) => Reading::Present(text.to_string()),
            _ => Reading::Damaged,
        },
        Ok(Some((Value::Object(ObjType::Text), id))) => automerge.text(id).map_or(Reading::Damaged, Reading::Present),
        Ok(None) => Reading::Missing,
        Ok(Some(_)) | Err(_) => Reading::Damaged,
    }
}

fn integer(automerge: &AutoCommit, object: &ObjId, field: &str) -> Reading<i64> {
    match automerge.get(object, field) {
        Ok(Some((Value::Scalar(scalar), _))) => match scalar.as_ref() {
            ScalarValue::Int(number) => Reading::Present(*number),
            ScalarValue::Uint(number) => i64::try_from(*number).map_or(Reading::Damaged, Reading::Present),
            _ => Reading::Damaged,
        },
        Ok(None) => Reading::Missing,
        Ok(Some(_)) | Err(_) => Reading::Damaged,
    }
}

/// The object of this type under the root; none when it is missing or of another type.
pub(crate) fn part(automerge: &AutoCommit, name: &str, kind: ObjType) -> Option<ObjId> {
    match automerge.get(ROOT, name) {
        Ok(Some((Value::Object(found), id))) if found == kind => Some(id),
        _ => None,
    }
}

/// The maps in a list, in order. Other values are left out.
pub(crate) fn maps_in_list(automerge: &AutoCommit, list: &ObjId) -> Vec<ObjId> {
    automerge
        .list_range(list, ..)
        .filter(|item| matches!(item.value, automerge::ValueRef::Object(ObjType::Map)))
        .map(|item| item.id())
        .collect()
}

/// The first texts in a list, at most so many. Other values are left out.
pub(crate) fn texts_in_list(automerge: &AutoCommit, list: &ObjId, most: usize) -> Vec<String> {
    let texts = (0..automerge.length(list).min(most)).filter_map(|place| match automerge.get(list, place) {
        Ok(Some((Value::Scalar(scalar), _))) => scalar.as_str().map(str::to_owned),
        Ok(Some((Value::Object(ObjType::Text), id))) => automerge.text(id).ok(),
        _ => None,
    });
    texts.collect()
}

/// The maps in a map, with their keys.
pub(crate) fn maps_in_map(automerge: &AutoCommit, map: &ObjId) -> Vec<(String, ObjId)> {
    automerge
        .keys(map)
        .filter_map(|key| match automerge.get(map, key.as_str()) {
            Ok(Some((Value::Object(ObjType::Map), id))) => Some((key, id)),
            _ => None,
        })
        .collect()
}

/// The texts in a map, with their keys.
pub(crate) fn texts_in_map(automerge: &AutoCommit, map: &ObjId) -> Vec<(String, String)> {
    automerge
        .keys(map)
        .filter_map(|key| match text(automerge, map, &key) {
            Reading::Present(value) => Some((key, value)),
            _ => None,
        })
        .collect()
}
