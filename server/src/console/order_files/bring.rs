//! Files as a browser sends them: one after the other, each within its bounds, so that several at once cost the memory of one.

use axum::extract::multipart::Field;
use axum::extract::{Extension, Multipart};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::words::Words;
use tokio::sync::Semaphore;

use super::{BroughtFile, HERE, page};
use crate::console::again::{Asked, PAGE};
use crate::console::forms::Form;
use crate::console::i18n::Locale;
use crate::console::refusal::{Refused, refuse, refused};
use crate::console::signed_in::SignedIn;
use crate::engine::Brought;
use crate::error::Error;
use crate::imports::{BYTES_MAX, FileFault, TooLarge};

/// Files in one form at most.
const FILES_MAX: usize = 20;
/// Texts of the form, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;
/// Forms with files that are read at once; each holds a file in memory.
static READING: Semaphore = Semaphore::const_new(2);

/// The largest form with files, in bytes.
pub(in crate::console) const FORM_BYTES_MAX: usize = 100 * 1024 * 1024;

/// Reads a field to its end. One that is too long is read on and given up.
async fn bytes_of(locale: Locale, mut field: Field<'_>, most: usize) -> Result<Option<Vec<u8>>, Refused> {
    let (mut bytes, mut is_whole) = (Vec::new(), true);
    while let Some(chunk) = field.chunk().await.map_err(|_| refused(locale, 413, "order-files-too-large"))? {
        is_whole &= bytes.len().saturating_add(chunk.len()) <= most;
        if is_whole {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = Vec::new();
        }
    }
    Ok(is_whole.then_some(bytes))
}

async fn text_of(locale: Locale, field: Field<'_>) -> Result<String, Refused> {
    let bytes = bytes_of(locale, field, TEXT_BYTES_MAX).await?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// `POST /console/orders/files/bring`
pub(in crate::console) async fn bring(
    mut signed: SignedIn,
    asked: Option<Extension<Asked>>,
    mut parts: Multipart,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    // A file can't be sent back; its form is shown again without it.
    signed.page = HERE.to_owned();
    if let Some(Extension(asked)) = asked {
        asked.with(Form::of(&[(PAGE, &signed.page)]));
    }
    let wrong = |_| refused(locale, 400, "form-field-wrong");
    let _reads = READING.acquire().await.map_err(|_| refused(locale, 503, "server-failed"))?;
    let (mut given, mut shop, mut profile) = (String::new(), String::new(), String::new());
    // The fields that say how to read stand behind the files, so files wait for them: their bytes do not, they are looked at anew.
    let mut files: Vec<(String, Option<Vec<u8>>)> = Vec::new();
    let mut held = 0usize;
    while let Some(field) = parts.next_field().await.map_err(wrong)? {
        match field.name() {
            Some("token") => given = text_of(locale, field).await?,
            Some("shop") => shop = text_of(locale, field).await?,
            Some("profile") => profile = text_of(locale, field).await?,
            Some("file") => {
                signed.must_own_token(&given)?;
                let name = field.file_name().unwrap_or_default().chars().take(200).collect::<String>();
                if name.is_empty() || files.len() >= FILES_MAX {
                    continue;
                }
                let bytes = bytes_of(locale, field, BYTES_MAX).await?;
                held = held.saturating_add(bytes.as_ref().map_or(0, Vec::len));
                if held > FORM_BYTES_MAX {
                    return Err(refused(locale, 413, "order-files-too-large"));
                }
                files.push((name, bytes));
            }
            _ => {}
        }
    }
    signed.must_own_token(&given)?;
    if files.is_empty() {
        return Err(refused(locale, 400, "order-file-missing"));
    }
    let profile = Some(profile).filter(|profile| !profile.is_empty());
    let mut told: Vec<BroughtFile> = Vec::with_capacity(files.len());
    for (file_name, bytes) in files {
        let Some(bytes) = bytes else {
            told.push((file_name, Err(FileFault::TooLarge(TooLarge::Bytes).words(locale.language))));
            continue;
        };
        let brought = Brought { file_name: file_name.clone(), bytes, shop: shop.clone(), profile: profile.clone() };
        let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.by());
        let work = move || granary.bring_import(&by, number, brought, crate::environment::now());
        let looked_at = tokio::task::spawn_blocking(work).await;
        let looked_at = looked_at.map_err(|error| refuse(locale, &Error::WorkFailed { reason: error.to_string() }))?;
        told.push((
            file_name,
            match looked_at {
                Ok(id) => Ok(id),
                Err(Error::OrderFile(fault)) => Err(fault.words(locale.language)),
                Err(error) => Err(refuse(locale, &error).sentence),
            },
        ));
    }
    match told.as_slice() {
        [(_, Ok(id))] => Ok(Redirect::to(&format!("{HERE}/{id}")).into_response()),
        told => page(&signed, told, false).await,
    }
}
