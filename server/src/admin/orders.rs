//! The operator takes order files.

use std::io::Read;
use std::path::{Path, PathBuf};

use granary_client_core::quantities::Instant;
use granary_client_core::words::{Words, counted};

use crate::access::{By, Principal};
use crate::engine::{Brought, Granary, ImportFault, TakenFile};
use crate::error::{Error, FileFault};
use crate::imports;
use crate::log::CooperativeNumber;
use crate::said::Said;

/// Looks at all files, then takes them: each, or of a pair both as one. None is taken where one can't be read.
pub(super) fn take(
    granary: &Granary,
    number: CooperativeNumber,
    files: &[PathBuf],
    (shop, profile): (&str, Option<&str>),
    now: Instant,
) -> Result<Said, Error> {
    let by = By::Principal(Principal::Operator);
    let mut brought = Vec::new();
    for path in files {
        let file = Brought {
            file_name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            bytes: bytes_of(path)?,
            shop: shop.to_owned(),
            profile: profile.map(str::to_owned),
        };
        let import = granary.preview_import(&by, number, file, now).map_err(|error| of_file(path, &error))?;
        brought.push((path, import.line.id));
    }
    let (mut lines, mut with) = (Vec::new(), Vec::new());
    for (path, id) in brought {
        // Taken with its partner a moment ago.
        if with.contains(&id) {
            continue;
        }
        let import = granary.waiting_import(&by, number, &id, now)?;
        with.extend(import.partner_id);
        lines.push(match granary.take_import(&by, number, &id, now) {
            Ok(taken) => said(&taken),
            Err(error @ Error::Import(ImportFault::Taken { .. })) => of_line(path, &error),
            Err(error) => return Err(of_file(path, &error)),
        });
    }
    Ok(Said::lines(lines))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    let fault =
        |error: &std::io::Error| Error::File { path: path.display().to_string(), cause: FileFault::from(error) };
    let most = u64::try_from(imports::BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| fault(&error))?;
    file.take(most).read_to_end(&mut bytes).map_err(|error| fault(&error))?;
    Ok(bytes)
}

fn of_line(path: &Path, error: &Error) -> Said {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Said::new(format!("{name}: {error}"), format!("{name}：{}", error.chinese()))
}

fn of_file(path: &Path, error: &Error) -> Error {
    Error::invalid("file", of_line(path, error))
}

/// What became of a file.
fn said(taken: &TakenFile) -> Said {
    let TakenFile { file_name, accepted, over, updated, known, not_taken_count, refused_rows, .. } = taken;
    let mut lines = vec![Said::new(
        format!(
            "{file_name}: {accepted} new orders ({over} above what was set aside), {updated} changed, {known} as known; \
             {refused_rows} rows refused"
        ),
        format!(
            "{file_name}：新订单 {accepted} 个（其中 {over} 个超出留货），有变化 {updated} 个，没变化 {known} 个；不收的行 \
             {refused_rows} 行"
        ),
    )];
    if *not_taken_count > 0 {
        let named = taken.not_taken.iter().take(10).map(|(order, field, code)| format!("{order} ({field}: {code})"));
        let named = named.collect::<Vec<_>>().join(", ");
        lines.push(Said::new(
            format!("  {} not taken: {named}", counted(not_taken_count, "order was", "orders were")),
            format!("  {not_taken_count} 个订单没有收：{named}"),
        ));
    }
    Said::lines(lines)
}
