//! Generates the bindings of the built library: `granary-bindgen generate --library FILE --language kotlin
//! --out-dir FOLDER`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
