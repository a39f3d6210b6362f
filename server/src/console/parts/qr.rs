//! QR codes.

use maud::{Markup, PreEscaped, html};

/// A QR code as one path of an SVG: a sheet of many stays small.
pub(in crate::console) fn qr(text: &str) -> Markup {
    const QUIET: usize = 4;
    let Ok(code) = qrcode::QrCode::new(text.as_bytes()) else { return html! {} };
    let width = code.width();
    let side = width.saturating_add(QUIET.saturating_mul(2));
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width.max(1)).enumerate() {
        let mut x = 0usize;
        for run in row.chunk_by(|one, other| one == other) {
            if run.first() == Some(&qrcode::Color::Dark) {
                let (left, top) = (x.saturating_add(QUIET), y.saturating_add(QUIET));
                path.push_str(&format!("M{left} {top}h{}", run.len()));
            }
            x = x.saturating_add(run.len());
        }
    }
    let view = format!("0 0 {side} {side}");
    html! { div.qr role="img" aria-label="QR" {
    svg viewBox=(view) shape-rendering="crispEdges" { (PreEscaped(format!("<path transform=\"translate(0 .5)\" stroke=\"#000\" d=\"{path}\"/>"))) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A sheet of sixty was a megabyte: each module had a path of its own.
    #[test]
    fn a_code_is_one_path_of_a_few_kilobytes() {
        let link = "https://granary.example/j#7KQ2-9F3M-XXAB-1234-5678-9ABC-DEFG-HJKM-NPQR-STUV-WXYZ-0123-4567-89AB";
        let code = qr(link).0;
        assert!(code.matches("<path").count() == 1 && code.len() < 6_000, "{}", code.len());
    }
}
