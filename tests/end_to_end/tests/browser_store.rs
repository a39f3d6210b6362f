//! The contract of every store, held against that of the browser: the same memory and log of writes as in its WebAssembly, over the
//! app's own rows in the IndexedDB of a real browser, which is killed before each opening.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use granary_client_core::store::{Batch, MemoryStore, MirrorStore, Row, Store, StoreFault, conformance};
use serde_json::{Value, json};

use crate::in_a_browser::{browser_folder, end_when_too_long, prepare};

/// The script that has the browser. It answers each line with a line.
struct Page {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    _watch: Sender<()>,
}

impl Page {
    fn start() -> Self {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("node");
        command.arg("store.mjs").current_dir(browser_folder()).process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let watch = end_when_too_long(&child);
        let (ask, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, ask, answers, _watch: watch }
    }

    fn ask(&mut self, what: &Value) -> Value {
        writeln!(self.ask, "{what}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the page answered {line:?}"))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = writeln!(self.ask, "{}", json!({"do": "end"}));
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The store as the worker has it: what was written is one transaction of the page's database when it is flushed.
struct InTheBrowser {
    mirror: MirrorStore,
    page: Arc<Mutex<Page>>,
}

impl InTheBrowser {
    fn open(page: &Arc<Mutex<Page>>) -> Self {
        let rows = page.lock().unwrap().ask(&json!({"do": "open"}));
        let mut batch = Batch::default();
        for row in rows.as_array().unwrap() {
            batch.put(bytes(&row[0]), bytes(&row[1]));
        }
        let memory = MemoryStore::default();
        memory.apply(&batch).unwrap();
        Self { mirror: MirrorStore::of(memory), page: Arc::clone(page) }
    }
}

impl Store for InTheBrowser {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        self.mirror.get(key)
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault> {
        self.mirror.scan(prefix, after, limit)
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreFault> {
        self.mirror.apply(batch)
    }

    fn flush(&self) -> Result<(), StoreFault> {
        let writes = self.mirror.take_writes();
        let writes: Vec<Value> =
            writes.iter().map(|(key, value)| json!([hex(key), value.as_deref().map(hex)])).collect();
        assert_eq!(self.page.lock().unwrap().ask(&json!({"do": "write", "writes": writes})), json!("durable"));
        Ok(())
    }
}

#[test]
fn store_in_a_browser_conforms() {
    if !prepare() {
        return;
    }
    let page = Arc::new(Mutex::new(Page::start()));
    conformance::check(|| Box::new(InTheBrowser::open(&page)));
    assert_eq!(page.lock().unwrap().ask(&json!({"do": "openings"})), json!(3), "each after a kill");
}
