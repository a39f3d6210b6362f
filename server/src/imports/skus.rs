//! The codes and names by which lines find their SKU.

use std::collections::HashMap;

use granary_client_core::schema::catalogue::Catalogue;
use granary_client_core::words::Words;
use serde::Deserialize;

use super::text;

/// Codes and names of SKUs. A text that two SKUs list is none.
#[derive(Debug, Clone, Default)]
pub struct SkuNames {
    by_code: HashMap<String, Option<String>>,
    by_name: HashMap<String, Option<String>>,
}

/// A file of SKUs can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file of SKUs can't be read: {0}")]
pub struct SkusFault(String);

impl Words for SkusFault {
    fn chinese(&self) -> String {
        format!("商品编码文件读不出来：{}", self.0)
    }
}

#[derive(Deserialize)]
struct File {
    skus: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    sku: String,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
}

impl SkuNames {
    /// Those of a file: `{"skus": [{"sku": "XM-05", "names": ["黄小米5斤"], "codes": []}]}`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SkusFault> {
        let file: File = serde_json::from_slice(bytes).map_err(|error| SkusFault(error.to_string()))?;
        let mut names = Self::default();
        for listed in &file.skus {
            names.add(&listed.sku, &listed.codes, &listed.names);
        }
        Ok(names)
    }

    /// Those of a catalogue.
    pub fn of_catalogue(catalogue: &Catalogue) -> Self {
        let mut names = Self::default();
        for sku in catalogue.skus.values() {
            names.add(&sku.code, &sku.codes, &sku.names);
        }
        names
    }

    fn add(&mut self, sku: &str, codes: &[String], names: &[String]) {
        let put = |known: &mut HashMap<String, Option<String>>, text: &str, sku: &str| {
            let one = known.entry(text::clean(text).to_owned()).or_insert_with(|| Some(sku.to_owned()));
            if one.as_deref() != Some(sku) {
                *one = None;
            }
        };
        for code in codes.iter().map(String::as_str).chain([sku]) {
            put(&mut self.by_code, code, sku);
        }
        for name in names {
            put(&mut self.by_name, name, sku);
        }
    }

    /// The SKU of a line: by its code, exactly; by the name where it has no code.
    pub fn find(&self, code: &str, title: &str) -> Option<&str> {
        let found = if code.is_empty() { self.by_name.get(title) } else { self.by_code.get(code) };
        found?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_exact_and_a_name_counts_where_there_is_no_code() {
        let file = r#"{"skus": [{"sku": "A", "grams": 5, "codes": ["a-1"], "names": ["小米", "粟"]}, {"sku": "B", "names": ["粟"]}]}"#;
        let names = SkuNames::from_json(file.as_bytes()).unwrap();
        assert_eq!(names.find("A", ""), Some("A"));
        assert_eq!(names.find("a-1", "别的"), Some("A"));
        assert_eq!(names.find("a", "小米"), None);
        assert_eq!(names.find("", "小米"), Some("A"));
        assert_eq!(names.find("", "粟"), None);
        assert_eq!(names.find("", ""), None);
        assert!(SkuNames::from_json(b"{}").is_err());
    }
}
