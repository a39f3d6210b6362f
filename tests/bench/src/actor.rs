//! A process that is one side of a peer. Commands and answers are lines of JSON. Its memory and processor time are read
//! from `/proc`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// See the module. It is killed when it is dropped.
pub(crate) struct Actor {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Its first line, which it prints when it is ready.
    pub(crate) ready: Value,
}

/// Linux counts processor time in these, whatever its own tick is (`proc_pid_stat(5)`).
const TICKS_A_SECOND: f64 = 100.0;

impl Actor {
    pub(crate) fn start(program: &Path, arguments: &[&str], folder: &Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if std::env::var_os("GRANARY_BENCH_LOUD").is_some() { Stdio::inherit() } else { Stdio::null() })
            .spawn()
            .map_err(|error| format!("{} did not start: {error}", program.display()))?;
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut actor = Self { child, commands, answers, ready: Value::Null };
        actor.ready = actor.answer()?;
        Ok(actor)
    }

    fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err("it ended".into()),
            Ok(_) => serde_json::from_str(&line).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Sends a command and waits for the answer.
    pub(crate) fn ask(&mut self, command: &Value) -> Result<Value, String> {
        writeln!(self.commands, "{command}").map_err(|error| error.to_string())?;
        let answer = self.answer()?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }

    /// Processor seconds that it used since it started.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let fields: Vec<f64> = after_name.split(' ').skip(11).take(2).filter_map(|word| word.parse().ok()).collect();
        fields.iter().sum::<f64>() / TICKS_A_SECOND
    }

    /// Bytes of memory that it holds.
    pub(crate) fn memory(&self) -> u64 {
        memory_of(&self.child.id().to_string())
    }

    /// Ends it; it answers nothing any more.
    pub(crate) fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of memory that a process holds; `self` is this one.
pub(crate) fn memory_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) * 1_024
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.end();
    }
}

/// Bytes on disk under a folder.
pub(crate) fn disk_of(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => disk_of(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(size).sum()
}
