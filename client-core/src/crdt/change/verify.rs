//! Checks a change against the rules of the format: ids that are declared or older, known actors that are all used,
//! predecessors in order, keys that fit their objects. The trial checks what depends on the document, such as whether an
//! older object exists and is a list.

use super::super::limits;
use super::{Action, BytesKind, ChangeFault, ChangeRecord, Key, Object, Operation, OperationId, Value};

/// Checks every rule that needs only the change.
pub fn verify(record: &ChangeRecord) -> Result<(), ChangeFault> {
    if record.sequence == 0 || record.start_operation == 0 {
        return Err(ChangeFault::Malformed("a sequence or a first operation is zero"));
    }
    if record.operations.len() > limits::CHANGE_OPERATIONS_MAX {
        return Err(ChangeFault::TooLarge("operations"));
    }
    if record.sequence > limits::OPERATION_COUNTER_MAX || record.next_operation() > limits::OPERATION_COUNTER_MAX {
        return Err(ChangeFault::TooLarge("operations in its document"));
    }
    if record.dependencies.len() > limits::CHANGE_DEPENDENCIES_MAX {
        return Err(ChangeFault::TooLarge("dependencies"));
    }
    let mut dependencies = record.dependencies.clone();
    dependencies.sort_unstable();
    if dependencies.windows(2).any(|pair| matches!(pair, [left, right] if left == right)) {
        return Err(ChangeFault::Malformed("a dependency is named twice"));
    }
    let rising = record.other_actors.windows(2).all(|pair| matches!(pair, [left, right] if left < right));
    if !rising || record.other_actors.contains(&record.actor) || record.other_actors.len() > limits::CHANGE_ACTORS_MAX {
        return Err(ChangeFault::Malformed("its actors are not a rising list without its own"));
    }
    let mut used = vec![false; record.other_actors.len()];
    for (index, operation) in record.operations.iter().enumerate() {
        verify_operation(record, index, operation, &mut used)?;
    }
    if used.contains(&false) {
        return Err(ChangeFault::Malformed("it names an actor that it does not use"));
    }
    Ok(())
}

fn verify_operation(
    record: &ChangeRecord,
    index: usize,
    operation: &Operation,
    used: &mut [bool],
) -> Result<(), ChangeFault> {
    let own_counter = record.start_operation.saturating_add(index as u64);
    let mut check_id = |id: OperationId| -> Result<Option<&Operation>, ChangeFault> {
        if id.counter == 0 || id.counter >= own_counter {
            return Err(ChangeFault::Malformed("an operation names one that is not older"));
        }
        if let Some(other) = id.actor.checked_sub(1) {
            let slot = usize::try_from(other).ok().and_then(|other| used.get_mut(other));
            *slot.ok_or(ChangeFault::Malformed("an operation names an actor that is not listed"))? = true;
            return Ok(None);
        }
        Ok(id
            .counter
            .checked_sub(record.start_operation)
            .and_then(|own| usize::try_from(own).ok())
            .and_then(|own| record.operations.get(own)))
    };

    let holds_list = match operation.object {
        Object::Root => Some(false),
        Object::Made(id) => match check_id(id)? {
            None => None,
            Some(maker) if !maker.action.makes() => {
                return Err(ChangeFault::Malformed("an operation's object was not made as one"));
            }
            Some(maker) => Some(matches!(maker.action, Action::MakeList | Action::MakeText)),
        },
    };
    let in_list = match &operation.key {
        Key::Map(key) if key.len() > 1024 => return Err(ChangeFault::TooLarge("bytes in a key")),
        Key::Map(_) => false,
        Key::Head => true,
        Key::Element(id) => {
            if check_id(*id)?.is_some_and(|element| !element.insert) {
                return Err(ChangeFault::Malformed("a key names no list element"));
            }
            true
        }
    };
    if holds_list.is_some_and(|holds_list| holds_list != in_list) {
        return Err(ChangeFault::Malformed("a key does not fit its object"));
    }
    if operation.insert != in_list && (operation.insert || operation.key == Key::Head) {
        return Err(ChangeFault::Malformed("an insertion has no place in a list"));
    }
    if operation.insert && (!operation.predecessors.is_empty() || operation.action == Action::Delete) {
        return Err(ChangeFault::Malformed("an insertion replaces something"));
    }
    verify_action(operation)?;
    if operation.action == Action::Mark && !is_in_pair(record, index, operation) {
        return Err(ChangeFault::Malformed("a mark does not begin and end side by side in a list"));
    }
    if operation.predecessors.len() > limits::OPERATION_PREDECESSORS_MAX {
        return Err(ChangeFault::TooLarge("predecessors"));
    }
    let mut last: Option<OperationId> = None;
    for id in &operation.predecessors {
        check_id(*id)?;
        let rising = last
            .is_none_or(|last| (last.counter, record.actor_at(last.actor)) < (id.counter, record.actor_at(id.actor)));
        if !rising {
            return Err(ChangeFault::Malformed("predecessors are out of order"));
        }
        last = Some(*id);
    }
    Ok(())
}

/// Automerge expects the end of a mark right after its beginning, and aborts the process over some that are elsewhere.
fn is_in_pair(record: &ChangeRecord, index: usize, operation: &Operation) -> bool {
    let other = match operation.mark_name {
        Some(_) => index.checked_add(1),
        None => index.checked_sub(1),
    };
    let fits = |other: &&Operation| {
        other.action == Action::Mark
            && other.mark_name.is_some() != operation.mark_name.is_some()
            && other.object == operation.object
    };
    operation.insert && other.and_then(|other| record.operations.get(other)).filter(fits).is_some()
}

fn verify_action(operation: &Operation) -> Result<(), ChangeFault> {
    let fits = match operation.action {
        Action::MakeMap | Action::MakeList | Action::MakeText | Action::MakeTable => operation.value == Value::Null,
        Action::Delete => operation.value == Value::Null && !operation.predecessors.is_empty(),
        Action::Increment => {
            matches!(operation.value, Value::Signed(..) | Value::Unsigned(_)) && !operation.predecessors.is_empty()
        }
        Action::Set | Action::Mark => true,
    };
    if !fits {
        return Err(ChangeFault::Malformed("a value does not fit its action"));
    }
    if operation.action != Action::Mark && (operation.expand || operation.mark_name.is_some()) {
        return Err(ChangeFault::Malformed("a mark stands on what is no mark"));
    }
    match &operation.value {
        Value::Bytes(BytesKind::Text, text) if std::str::from_utf8(text).is_err() => {
            Err(ChangeFault::Malformed("a text is not UTF-8"))
        }
        Value::Bytes(BytesKind::Float, float) if float.len() != 8 => {
            Err(ChangeFault::Malformed("a float is not 8 bytes long"))
        }
        _ => Ok(()),
    }
}
